//! What a lane comes to, reward by reward: how much was given, what became of it, what it cost; worked out from the ledger and
//! held against the counters. Either it adds up, or what does not is named, and then there is nothing to book.
//!
//! It reads only, and goes over the ledger twice: what staff made of single grants stands after them. In memory are the grants
//! that staff amended, and a line for each reward.

use std::collections::BTreeMap;
use std::sync::Arc;

use machine::Millis;
use machine::ids::{CampaignKey, grant_id};
use machine::ledger::{AmendedRow, GrantRow, Row, is_by_hand};
use machine::participant::Status;
use machine::world::CounterKey;

use crate::reconcile::{Difference, Tables};
use crate::{Error, Lane, LedgerRow, Store};

/// How many rows are read at once.
const PAGE: usize = 1000;

/// What a lane comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// How many rows the ledger had.
    pub rows: u64,
    /// A line for each reward of which something was given, by name.
    pub lines: Vec<Line>,
    /// What does not add up; empty where all does.
    pub differences: Vec<Difference>,
}

impl Settlement {
    /// All lines together; the reward's name is empty.
    pub fn total(&self) -> Line {
        let mut total = Line::of("".into());
        for line in &self.lines {
            total.issued += line.issued;
            total.by_hand += line.by_hand;
            total.confirmed += line.confirmed;
            total.reversed += line.reversed;
            total.forfeited += line.forfeited;
            total.expired += line.expired;
            total.held += line.held;
            total.outstanding += line.outstanding;
            total.amount = total.amount.saturating_add(line.amount);
            total.cost = total.cost.saturating_add(line.cost);
            total.cost_reversed = total.cost_reversed.saturating_add(line.cost_reversed);
        }
        total
    }
}

/// A reward. `issued` is the sum of the six that follow `by_hand`: each grant is in exactly one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which.
    pub reward: Arc<str>,
    /// How many times it was given.
    pub issued: u64,
    /// How many of these by hand.
    pub by_hand: u64,
    /// How many are known to be the users': what was added to a balance at once. What is handed over by anyone but this
    /// program is known to nobody here, and stays outstanding.
    pub confirmed: u64,
    /// How many were taken back.
    pub reversed: u64,
    /// How many were not claimed in time.
    pub forfeited: u64,
    /// How many could not be used any more.
    pub expired: u64,
    /// How many risk control holds.
    pub held: u64,
    /// How many are neither.
    pub outstanding: u64,
    /// The amounts of all that were given, together.
    pub amount: i64,
    /// What was booked for all of them, in minor units.
    pub cost: i64,
    /// What of it was booked for those that were taken back. The budget does not get it back.
    pub cost_reversed: i64,
}

impl Line {
    /// Of a reward of which nothing was given.
    pub fn of(reward: Arc<str>) -> Self {
        Self {
            reward,
            issued: 0,
            by_hand: 0,
            confirmed: 0,
            reversed: 0,
            forfeited: 0,
            expired: 0,
            held: 0,
            outstanding: 0,
            amount: 0,
            cost: 0,
            cost_reversed: 0,
        }
    }

    fn add(&mut self, grant: &GrantRow, status: Status) {
        self.issued += 1;
        self.by_hand += u64::from(is_by_hand(&grant.rule));
        self.amount = self.amount.saturating_add(grant.amount);
        self.cost = self.cost.saturating_add(grant.cost);
        match status {
            Status::Confirmed => self.confirmed += 1,
            Status::Reversed => {
                self.reversed += 1;
                self.cost_reversed = self.cost_reversed.saturating_add(grant.cost);
            }
            Status::Forfeited => self.forfeited += 1,
            Status::Expired => self.expired += 1,
            Status::Held => self.held += 1,
            Status::Pending | Status::NeedsClaim | Status::Sent | Status::Failed => {
                self.outstanding += 1;
            }
        }
    }
}

/// Settles a lane by what was so before `until` (none: by all there is), with what has expired by then, or by `now`; none if
/// there is no such lane. All of the ledger is held against the counters, whatever `until` is.
pub async fn settle(
    store: &dyn Store,
    key: &CampaignKey,
    until: Option<Millis>,
    now: Millis,
) -> Result<Option<Settlement>, Error> {
    let Some(lane) = store.lane(key).await? else {
        return Ok(None);
    };
    let mut books = Books {
        store,
        key,
        until,
        clock: until.unwrap_or(now),
        tables: BTreeMap::new(),
        amended: BTreeMap::new(),
        lines: BTreeMap::new(),
        counted: BTreeMap::new(),
        quotas: quotas(&lane),
        differences: Vec::new(),
    };
    books.read(&lane, Books::amend).await?;
    let rows = books.read(&lane, Books::grant).await?;
    if rows < lane.rows {
        books.differences.push(Difference::RowsMissing {
            from: rows,
            count: lane.rows - rows,
        });
    }
    books.close(&lane);
    Ok(Some(Settlement {
        rows: lane.rows,
        lines: books.lines.into_values().collect(),
        differences: books.differences,
    }))
}

fn quotas(lane: &Lane) -> Vec<CounterKey> {
    let keys = lane.counters.iter().map(|(key, _)| key);
    keys.filter(|key| matches!(key, CounterKey::Quota(..)))
        .cloned()
        .collect()
}

/// A settlement under way.
struct Books<'a> {
    store: &'a dyn Store,
    key: &'a CampaignKey,
    until: Option<Millis>,
    clock: Millis,
    tables: BTreeMap<u32, Option<Tables>>,
    /// What was last made of a grant, in which row, and whether the grant was met.
    amended: BTreeMap<u128, Amended>,
    lines: BTreeMap<Arc<str>, Line>,
    counted: BTreeMap<CounterKey, i64>,
    /// The quotas that are there still.
    quotas: Vec<CounterKey>,
    differences: Vec<Difference>,
}

struct Amended {
    row: u64,
    user: machine::ids::Pseudonym,
    /// As it is by what is so before `until`; none: nothing was made of it by then.
    now: Option<Status>,
    /// Other names of the same grant: its rule had them.
    also: Vec<u128>,
    met: bool,
}

impl Books<'_> {
    /// Goes over the rows that the counters are of; how many there were without a gap.
    async fn read(
        &mut self,
        lane: &Lane,
        mut each: impl FnMut(&mut Self, &LedgerRow, Option<&Tables>),
    ) -> Result<u64, Error> {
        let mut next = 0;
        while next < lane.rows {
            let most = usize::try_from(lane.rows - next).unwrap_or(PAGE).min(PAGE);
            let rows = self.store.ledger(self.key, next, most).await?;
            let Some(last) = rows.last().map(|row| row.number) else {
                break;
            };
            for row in &rows {
                if row.number != next {
                    return Ok(next);
                }
                next += 1;
                self.know(row.revision).await?;
                let tables = self.tables.remove(&row.revision).flatten();
                each(self, row, tables.as_ref());
                self.tables.insert(row.revision, tables);
            }
            next = next.max(last.saturating_add(1));
        }
        Ok(next)
    }

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
            self.differences
                .push(Difference::UnknownRevision { revision });
        }
        self.tables.insert(revision, tables);
        Ok(())
    }

    fn is_asked(&self, row: &LedgerRow) -> bool {
        self.until.is_none_or(|until| row.at < until)
    }

    fn amend(&mut self, row: &LedgerRow, tables: Option<&Tables>) {
        let Row::Amended(made) = &row.row else { return };
        let ids = ids_of(row, made, tables);
        let now = self.is_asked(row).then_some(made.now);
        for id in &ids {
            let also = ids.iter().filter(|other| *other != id).copied().collect();
            let known = self.amended.entry(*id).or_insert(Amended {
                row: row.number,
                user: row.user,
                now: None,
                also,
                met: false,
            });
            known.now = now.or(known.now);
        }
    }

    fn grant(&mut self, row: &LedgerRow, tables: Option<&Tables>) {
        let Row::Grant(grant) = &row.row else { return };
        let id = row.grant_id().map_or(0, |id| number(&id));
        let mut status = None;
        if let Some(amended) = self.amended.get_mut(&id) {
            amended.met = true;
            status = amended.now;
        }
        self.count(row, grant, tables);
        if !self.is_asked(row) {
            return;
        }
        let confirmed = tables.is_some_and(|tables| tables.is_balance(&grant.reward));
        let over = grant.expires.is_some_and(|expires| expires <= self.clock);
        // What was let go on again is as it was before.
        let status = match status.filter(|status| *status != Status::Pending) {
            Some(status) => status,
            None if confirmed => Status::Confirmed,
            None if over => Status::Expired,
            None => Status::Pending,
        };
        let line = self.lines.entry(grant.reward.clone());
        line.or_insert_with(|| Line::of(grant.reward.clone()))
            .add(grant, status);
    }

    /// What the grant moved its counters by.
    fn count(&mut self, row: &LedgerRow, grant: &GrantRow, tables: Option<&Tables>) {
        if let Some(key) = self.quotas.iter().find(|key| key.counts(grant)) {
            *self.counted.entry(key.clone()).or_default() += 1;
        }
        if grant.serial.is_some() {
            let units = self.counted.entry(CounterKey::Stock(grant.reward.clone()));
            *units.or_default() += 1;
        }
        let Some((tables, budget)) =
            tables.and_then(|tables| Some((tables, tables.budget.as_ref()?)))
        else {
            return;
        };
        if grant.cost <= 0 {
            return;
        }
        let day = budget.per_day.map(|_| tables.calendar.day(row.at));
        let counters = [Some(CounterKey::Budget), day.map(CounterKey::BudgetDay)];
        for counter in counters.into_iter().flatten() {
            let spent = self.counted.entry(counter).or_default();
            *spent = spent.saturating_add(grant.cost);
        }
    }

    /// Holds what was counted against the counters, and what was amended against what was given.
    fn close(&mut self, lane: &Lane) {
        for (counter, held) in &lane.counters {
            let booked = self.counted.remove(counter).unwrap_or_default();
            if booked != held.issued {
                self.differences.push(Difference::CounterDiffers {
                    counter: counter.clone(),
                    counted: held.issued,
                    booked,
                });
            }
        }
        // A day's counter is kept for some days only.
        let left = std::mem::take(&mut self.counted).into_iter();
        let left = left.filter(|(counter, _)| counter.day().is_none());
        self.differences
            .extend(left.map(|(counter, booked)| Difference::CounterDiffers {
                counter,
                counted: 0,
                booked,
            }));
        let met = |id: &u128| self.amended.get(id).is_some_and(|known| known.met);
        let lost = self
            .amended
            .values()
            .filter(|amended| !amended.met && !amended.also.iter().any(met));
        let mut lost: Vec<_> = lost.map(|lost| (lost.row, lost.user)).collect();
        lost.dedup();
        self.differences.extend(
            lost.into_iter()
                .map(|(row, user)| Difference::AmendsNothing { user, row }),
        );
    }
}

/// The ids that the grant may have been booked under that a row amends: by the name that its rule has, and those it had.
fn ids_of(row: &LedgerRow, made: &AmendedRow, tables: Option<&Tables>) -> Vec<u128> {
    let id = |name: &str| {
        let id = grant_id(&row.campaign, &row.user, name, made.period, made.n);
        number(&id)
    };
    let was = tables.map_or(&[][..], |tables| tables.names_before(&made.rule));
    std::iter::once(&*made.rule)
        .chain(was.iter().map(String::as_str))
        .map(id)
        .collect()
}

fn number(id: &str) -> u128 {
    // 32 hexadecimal digits, as `grant_id` writes them.
    u128::from_str_radix(id, 16).unwrap_or_default()
}
