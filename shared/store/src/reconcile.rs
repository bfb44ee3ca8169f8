//! Whether a lane's books agree with each other: stock, budgets and participants' records, all worked out again from the
//! ledger. There must be no difference; each one there is has a name ([`Difference`]).
//!
//! It may run while calls come in. The counters are read at one moment together with the number of rows then, so they are
//! held against exactly those rows. A record is read later: it may be ahead of these rows by what rows read after it show.
//!
//! It reads only, and through the trait: what a store keeps its books in is none of its business. Memory is bounded by
//! going over the ledger several times where it is long, each time for a part of the participants ([`ROWS_A_PASS`]);
//! beyond that there is a bit for each unit of stock.

mod difference;
mod people;
mod tables;
#[cfg(test)]
mod tests;
mod totals;

use std::collections::BTreeMap;
use std::sync::Arc;

use machine::Day;
use machine::ids::{CampaignKey, Pseudonym};
use machine::world::{CounterKey, TALLY_DAYS};

use crate::{Error, Lane, LedgerRow, Store};

pub use difference::Difference;
use difference::Findings;
use people::{Part, People};
pub(crate) use tables::Tables;
use totals::{Totals, Used};

/// How many rows' grants are in memory at once; about 150 bytes each.
pub const ROWS_A_PASS: u64 = 1_000_000;

/// How many differences are named; the rest are counted.
pub const NAMED: usize = 1000;

/// How many days before a tally is let go of it is no longer asked for.
const TALLY_SLACK: i32 = 10;

/// How many codes are asked about at once.
const CODES_AT_ONCE: usize = 1000;

/// How many rows or records are read at once.
const PAGE: usize = 1000;

/// What was looked at, and what does not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How many rows the ledger had.
    pub rows: u64,
    /// How many of them are grants.
    pub grants: u64,
    /// How many are draws.
    pub draws: u64,
    /// How many participants' records were met.
    pub participants: u64,
    /// The differences, at most [`NAMED`].
    pub differences: Vec<Difference>,
    /// How many there are in all.
    pub found: u64,
}

impl Report {
    /// Whether the books agree.
    pub fn agrees(&self) -> bool {
        self.found == 0
    }
}

/// Reconciles a lane; none if there is no such lane. A failure of the store is no difference: nothing is known then.
pub async fn reconcile(store: &dyn Store, key: &CampaignKey) -> Result<Option<Report>, Error> {
    reconcile_by(store, key, ROWS_A_PASS).await
}

async fn reconcile_by(
    store: &dyn Store,
    key: &CampaignKey,
    rows_a_pass: u64,
) -> Result<Option<Report>, Error> {
    // Before the number of rows: a tally is moved with its row, so all that is counted here has its row below that number.
    let counted = store.all_tallies(key).await?;
    let Some(lane) = store.lane(key).await? else {
        return Ok(None);
    };
    let passes = u32::try_from(lane.rows.div_ceil(rows_a_pass.max(1))).unwrap_or(u32::MAX);
    let mut reading = Reading {
        store,
        key,
        tables: BTreeMap::new(),
        counted,
        findings: Findings::default(),
    };
    let mut report = Report {
        rows: lane.rows,
        grants: 0,
        draws: 0,
        participants: 0,
        differences: Vec::new(),
        found: 0,
    };
    for number in 0..passes.max(1) {
        let part = Part {
            number,
            of: passes.max(1),
        };
        reading.pass(&lane, part, &mut report).await?;
    }
    reading.codes(&lane).await?;
    (report.differences, report.found) = reading.findings.told();
    Ok(Some(report))
}

/// A reconciliation under way.
struct Reading<'a> {
    store: &'a dyn Store,
    key: &'a CampaignKey,
    tables: BTreeMap<u32, Option<Tables>>,
    /// The tallies as they were before any row was read.
    counted: Vec<(Arc<str>, Day, u32)>,
    findings: Findings,
}

impl Reading<'_> {
    /// One time over everything: all counters at the first time, a part of the participants each time.
    async fn pass(&mut self, lane: &Lane, part: Part, report: &mut Report) -> Result<(), Error> {
        let mut totals = (part.number == 0).then(|| Totals::new(lane));
        let mut people = People::of(part);
        let mut next = 0;
        while next < lane.rows {
            let Some(rows) = self.rows(next, lane.rows).await? else {
                break;
            };
            for row in &rows {
                self.know(row.revision).await?;
                let tables = self.tables.get(&row.revision).and_then(Option::as_ref);
                if let Some(totals) = &mut totals {
                    totals.row(row, tables, &mut self.findings);
                }
                people.row(row, tables, &mut self.findings);
                next = next.max(row.number.saturating_add(1));
            }
        }
        if let Some(mut totals) = totals {
            self.tallies(std::mem::take(&mut totals.tallies)).await?;
            self.used(&std::mem::take(&mut totals.used)).await?;
            (report.grants, report.draws) = totals.finish(&mut self.findings);
        }
        report.participants += self.records(&mut people).await?;
        let now = self.store.lane(self.key).await?;
        let end = now.map_or(lane.rows, |now| now.rows);
        let mut next = lane.rows;
        while next < end && people.waits() {
            let Some(rows) = self.rows(next, end).await? else {
                break;
            };
            for row in &rows {
                self.know(row.revision).await?;
                let tables = self.tables.get(&row.revision).and_then(Option::as_ref);
                people.later(row, tables);
                next = next.max(row.number.saturating_add(1));
            }
        }
        people.finish(&mut self.findings);
        Ok(())
    }

    /// Holds the tallies of teams against the rows of those who were counted, both ways: nobody is counted without a row, and no
    /// row without being counted; those that are let go of in time apart.
    async fn tallies(&mut self, booked: BTreeMap<(Arc<str>, Day), u32>) -> Result<(), Error> {
        for (team, day, counted) in std::mem::take(&mut self.counted) {
            let rows = booked.get(&(team.clone(), day)).copied().unwrap_or(0);
            if counted > rows {
                self.findings.add(Difference::CounterDiffers {
                    counter: CounterKey::Tally(team, day),
                    counted: i64::from(counted),
                    booked: i64::from(rows),
                });
            }
        }
        let newest = booked.keys().map(|(_, day)| *day).max().unwrap_or_default();
        for ((team, day), booked) in booked {
            if day <= newest.saturating_sub(TALLY_DAYS - TALLY_SLACK) {
                continue;
            }
            let counted = self.store.tallies(self.key, &team, day..=day).await?;
            let counted = counted.first().copied().unwrap_or(0);
            // Somebody may have come since the ledger was read: more is no difference here.
            if counted < booked {
                self.findings.add(Difference::CounterDiffers {
                    counter: CounterKey::Tally(team, day),
                    counted: i64::from(counted),
                    booked: i64::from(booked),
                });
            }
        }
        Ok(())
    }

    /// Holds how often each code was used, as its counter has it, against the rows that say so, and those against how often it may be.
    async fn used(&mut self, booked: &BTreeMap<Pseudonym, Used>) -> Result<(), Error> {
        let all: Vec<(Pseudonym, Used)> =
            booked.iter().map(|(code, used)| (*code, *used)).collect();
        for some in all.chunks(CODES_AT_ONCE) {
            let codes: Vec<Pseudonym> = some.iter().map(|(code, _)| *code).collect();
            let counted = self.store.uses(self.key, &codes).await?;
            for ((code, used), counted) in some.iter().zip(counted) {
                if used.times > used.of {
                    self.findings.add(Difference::Overdrawn {
                        counter: CounterKey::Code(*code),
                        issued: i64::from(used.times),
                        ceiling: i64::from(used.of),
                    });
                }
                // Somebody may have used it since the ledger was read.
                if counted < used.times || counted > used.of {
                    self.findings.add(Difference::CounterDiffers {
                        counter: CounterKey::Code(*code),
                        counted: i64::from(counted),
                        booked: i64::from(used.times),
                    });
                }
            }
        }
        Ok(())
    }

    /// Holds the live lane's counters against the pools that their units are codes of. Every serial is below its counter, and no two
    /// are the same: so with a code for each unit that was given, none was handed out twice.
    async fn codes(&mut self, lane: &Lane) -> Result<(), Error> {
        if self.key.lane != machine::ids::Lane::Live {
            return Ok(());
        }
        let key = self.key;
        let published = self.store.published().await?;
        let found = published.iter().find(|found| {
            found.tenant == key.tenant
                && found.campaign == key.campaign
                && found.edition == key.edition
        });
        let Some(newest) = found.map(|found| found.newest) else {
            return Ok(());
        };
        self.know(newest).await?;
        let Some(tables) = self.tables.get(&newest).and_then(Option::as_ref) else {
            return Ok(());
        };
        // Read first, and looked at later: an iterator with a closure in it can't be held while the store answers.
        if !tables.rewards.iter().any(|reward| reward.pool.is_some()) {
            return Ok(());
        }
        // After the counters were read: a pool only grows.
        let pools = self.store.pools(&key.tenant).await?;
        for reward in &tables.rewards {
            let Some(pool) = &reward.pool else { continue };
            let counter = CounterKey::Stock(reward.id.clone());
            let counter = lane.counters.iter().find(|(known, _)| *known == counter);
            let issued = counter.map_or(0, |(_, counter)| counter.issued);
            let held = pools.iter().find(|(name, _)| *name == pool.name);
            let codes = held.map_or(0, |(_, held)| {
                held.units(&key.campaign, key.edition, &reward.id)
            });
            if issued.unsigned_abs() > codes {
                self.findings.add(Difference::NoCode {
                    reward: reward.id.clone(),
                    pool: pool.name.clone(),
                    codes,
                    issued,
                });
            }
        }
        Ok(())
    }

    /// The rows from `next` on, before `end`; none where there is none.
    async fn rows(&self, next: u64, end: u64) -> Result<Option<Vec<LedgerRow>>, Error> {
        let most = usize::try_from(end - next).unwrap_or(PAGE).min(PAGE);
        let mut rows = self.store.ledger(self.key, next, most).await?;
        rows.retain(|row| row.number < end);
        Ok((!rows.is_empty()).then_some(rows))
    }

    async fn records(&mut self, people: &mut People) -> Result<u64, Error> {
        let mut met = 0;
        let mut from: Option<String> = None;
        loop {
            let page = self.store.participants(self.key, from.as_deref(), PAGE);
            let page = page.await?;
            for (user, record) in &page.participants {
                self.know(record.core.revision).await?;
                let tables = self.tables.get(&record.core.revision);
                let tables = tables.and_then(Option::as_ref);
                met +=
                    u64::from(people.record(self.key, *user, record, tables, &mut self.findings));
            }
            from = page.next;
            if from.is_none() {
                return Ok(met);
            }
        }
    }

    /// Reads a revision's tables, once.
    async fn know(&mut self, revision: u32) -> Result<(), Error> {
        if self.tables.contains_key(&revision) {
            return Ok(());
        }
        let key = self.key;
        let stored = self
            .store
            .revision(&key.tenant, &key.campaign, key.edition, revision)
            .await?;
        let tables = stored.and_then(|stored| Tables::read(&stored.definition));
        if tables.is_none() {
            self.findings.add(Difference::UnknownRevision { revision });
        }
        self.tables.insert(revision, tables);
        Ok(())
    }
}
