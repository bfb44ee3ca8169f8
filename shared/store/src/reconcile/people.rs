//! Rows against records: each grant once, in the ledger and in its user's record; each user's draws one after another.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use machine::ids::{CampaignKey, Pseudonym, grant_id};
use machine::ledger::Row;
use machine::participant::{Grant, Participant};

use super::difference::{Difference, Findings};
use super::tables::Tables;
use crate::LedgerRow;

/// A part of all users: pseudonyms are uniformly random, so their first bytes deal them out evenly.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// Which, from 0.
    pub number: u32,
    /// Of how many; at least 1.
    pub of: u32,
}

impl Part {
    fn holds(self, user: &Pseudonym) -> bool {
        let [a, b, c, d, ..] = user.0;
        u32::from_be_bytes([a, b, c, d]) % self.of.max(1) == self.number
    }
}

/// One part's users as the ledger knows them.
pub(super) struct People {
    part: Part,
    known: BTreeMap<Pseudonym, Known>,
    /// What records have and rows have not, until the rows that came meanwhile are read.
    ahead: BTreeSet<(Pseudonym, u128)>,
    drawn: BTreeMap<Pseudonym, u64>,
}

/// One user.
#[derive(Default)]
struct Known {
    first_row: u64,
    draws: u64,
    grants: BTreeMap<u128, Booked>,
    met: bool,
}

struct Booked {
    row: u64,
    reward: Arc<str>,
}

impl People {
    pub fn of(part: Part) -> Self {
        Self {
            part,
            known: BTreeMap::new(),
            ahead: BTreeSet::new(),
            drawn: BTreeMap::new(),
        }
    }

    /// Takes the next row.
    pub fn row(&mut self, row: &LedgerRow, out: &mut Findings) {
        let user = row.user;
        if !self.part.holds(&user) {
            return;
        }
        let known = self.known.entry(user).or_insert_with(|| Known {
            first_row: row.number,
            ..Known::default()
        });
        match &row.row {
            Row::Grant(grant) => {
                let booked = Booked {
                    row: row.number,
                    reward: grant.reward.clone(),
                };
                match known.grants.entry(id_of(row)) {
                    Entry::Vacant(place) => {
                        place.insert(booked);
                    }
                    Entry::Occupied(place) => out.add(Difference::GrantTwice {
                        user,
                        id: *place.key(),
                        row: row.number,
                    }),
                }
            }
            Row::Draw(draw) => {
                if draw.index != known.draws {
                    out.add(Difference::DrawIndex {
                        user,
                        row: row.number,
                        expected: known.draws,
                        found: draw.index,
                    });
                }
                known.draws = draw.index.saturating_add(1);
            }
            Row::Message(_) => {}
        }
    }

    /// Takes a record, with the tables of its revision; false if it is not of this part or was met before.
    pub fn record(
        &mut self,
        key: &CampaignKey,
        user: Pseudonym,
        record: &Participant,
        tables: Option<&Tables>,
        out: &mut Findings,
    ) -> bool {
        if !self.part.holds(&user) {
            return false;
        }
        let known = self.known.entry(user).or_default();
        if std::mem::replace(&mut known.met, true) {
            return false;
        }
        if record.core.draws > known.draws {
            self.drawn.insert(user, record.core.draws);
        } else if record.core.draws < known.draws {
            out.add(Difference::DrawsDiffer {
                user,
                booked: known.draws,
                recorded: record.core.draws,
            });
        }
        let revision = record.core.revision;
        for grant in &record.grants {
            let Some(tables) = tables else { continue };
            let Some((ids, reward)) = names(key, &user, grant, tables) else {
                out.add(Difference::Nameless { user, revision });
                continue;
            };
            let found = ids.iter().find_map(|id| known.grants.remove_entry(id));
            match (found, ids.first()) {
                (Some((id, booked)), _) if booked.reward != *reward => {
                    out.add(Difference::OtherReward {
                        user,
                        id,
                        booked: booked.reward,
                        recorded: reward.clone(),
                    });
                }
                (Some(_), _) | (None, None) => {}
                (None, Some(id)) => {
                    if !self.ahead.insert((user, *id)) {
                        out.add(Difference::NotInLedger { user, id: *id });
                    }
                }
            }
        }
        if tables.is_some() {
            for (id, booked) in std::mem::take(&mut known.grants) {
                let row = booked.row;
                out.add(Difference::NotInRecord { user, id, row });
            }
        }
        true
    }

    /// Whether a record is ahead of the rows read so far.
    pub fn waits(&self) -> bool {
        !self.ahead.is_empty() || !self.drawn.is_empty()
    }

    /// Takes a row that came after those the counters are held against.
    pub fn later(&mut self, row: &LedgerRow) {
        match &row.row {
            Row::Grant(_) => {
                self.ahead.remove(&(row.user, id_of(row)));
            }
            Row::Draw(draw) => {
                if let Some(known) = self.known.get_mut(&row.user) {
                    known.draws = known.draws.max(draw.index.saturating_add(1));
                }
            }
            Row::Message(_) => {}
        }
    }

    /// After the last row and the last record.
    pub fn finish(self, out: &mut Findings) {
        for (user, id) in self.ahead {
            out.add(Difference::NotInLedger { user, id });
        }
        for (user, recorded) in self.drawn {
            let booked = self.known.get(&user).map_or(0, |known| known.draws);
            if booked < recorded {
                out.add(Difference::DrawsDiffer {
                    user,
                    booked,
                    recorded,
                });
            }
        }
        for (user, known) in self.known {
            if !known.met {
                let row = known.first_row;
                out.add(Difference::NoRecord { user, row });
            }
        }
    }
}

/// The id of the grant that a row books, as a number.
fn id_of(row: &LedgerRow) -> u128 {
    row.grant_id().map_or(0, |id| number(&id))
}

fn number(id: &str) -> u128 {
    // 32 hexadecimal digits, as `grant_id` writes them.
    u128::from_str_radix(id, 16).unwrap_or_default()
}

/// The ids that a record's grant may have been booked under, and its reward. A rule that was renamed has booked under the
/// names that it had.
fn names<'a>(
    key: &CampaignKey,
    user: &Pseudonym,
    grant: &Grant,
    tables: &'a Tables,
) -> Option<(Vec<u128>, &'a Arc<str>)> {
    let rule = tables.rules_of_giving.get(usize::from(grant.rule))?;
    let reward = tables.rewards.get(usize::from(grant.reward))?;
    let names = std::iter::once(&*rule.id).chain(rule.was.iter().map(String::as_str));
    let ids = names.map(|name| number(&grant_id(key, user, name, grant.period, grant.n)));
    Some((ids.collect(), &reward.id))
}
