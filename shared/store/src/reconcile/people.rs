//! Rows against records: each grant once, in the ledger and in its user's record; each user's draws one after another.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use machine::ids::{CampaignKey, Pseudonym, grant_id};
use machine::ledger::{AmendedRow, BY_HAND, Row};
use machine::participant::{BY_HAND_RULE, Grant, Participant, Status};

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
    /// Grants whose record says another status than the rows read so far: by the record, by the rows.
    statuses: BTreeMap<(Pseudonym, u128), (Status, Status)>,
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
    /// What staff last made of it; none: nothing.
    amended: Option<Status>,
}

impl People {
    pub fn of(part: Part) -> Self {
        Self {
            part,
            known: BTreeMap::new(),
            ahead: BTreeSet::new(),
            drawn: BTreeMap::new(),
            statuses: BTreeMap::new(),
        }
    }

    /// Takes the next row, with the tables of the revision that decided.
    pub fn row(&mut self, row: &LedgerRow, tables: Option<&Tables>, out: &mut Findings) {
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
                    amended: None,
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
            Row::Amended(amended) => {
                let Some(tables) = tables else { return };
                let ids = ids_of(row, amended, tables);
                let found = ids.iter().find(|id| known.grants.contains_key(id));
                match found.and_then(|id| known.grants.get_mut(id)) {
                    Some(booked) => booked.amended = Some(amended.now),
                    None => out.add(Difference::AmendsNothing {
                        user,
                        row: row.number,
                    }),
                }
            }
            Row::Message(_) | Row::Hand(_) | Row::Entry(_) | Row::Raffle(_) => {}
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
                (Some((id, booked)), _) => {
                    let said = booked.amended.unwrap_or(Status::Pending);
                    let by_staff = is_made(said) || is_made(grant.status);
                    if by_staff && grant.status != said {
                        self.statuses.insert((user, id), (grant.status, said));
                    }
                }
                (None, None) => {}
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
        !self.ahead.is_empty() || !self.drawn.is_empty() || !self.statuses.is_empty()
    }

    /// Takes a row that came after those the counters are held against.
    pub fn later(&mut self, row: &LedgerRow, tables: Option<&Tables>) {
        match &row.row {
            Row::Grant(_) => {
                self.ahead.remove(&(row.user, id_of(row)));
            }
            Row::Draw(draw) => {
                if let Some(known) = self.known.get_mut(&row.user) {
                    known.draws = known.draws.max(draw.index.saturating_add(1));
                }
            }
            Row::Amended(amended) => {
                let ids = tables.map(|tables| ids_of(row, amended, tables));
                for id in ids.unwrap_or_default() {
                    if let Some((_, said)) = self.statuses.get_mut(&(row.user, id)) {
                        *said = amended.now;
                    }
                }
            }
            Row::Message(_) | Row::Hand(_) | Row::Entry(_) | Row::Raffle(_) => {}
        }
    }

    /// After the last row and the last record.
    pub fn finish(self, out: &mut Findings) {
        for (user, id) in self.ahead {
            out.add(Difference::NotInLedger { user, id });
        }
        for ((user, id), (recorded, booked)) in self.statuses {
            if recorded != booked {
                out.add(Difference::StatusDiffers {
                    user,
                    id,
                    booked,
                    recorded,
                });
            }
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

/// Whether a status is one that staff alone make.
fn is_made(status: Status) -> bool {
    matches!(status, Status::Held | Status::Reversed)
}

/// The ids that the grant may have been booked under that a row amends.
fn ids_of(row: &LedgerRow, amended: &AmendedRow, tables: &Tables) -> Vec<u128> {
    let was = tables
        .names_before(&amended.rule)
        .iter()
        .map(String::as_str);
    let names = std::iter::once(&*amended.rule).chain(was);
    let id = |name| grant_id(&row.campaign, &row.user, name, amended.period, amended.n);
    names.map(|name| number(&id(name))).collect()
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
    let reward = tables.rewards.get(usize::from(grant.reward))?;
    if grant.rule == BY_HAND_RULE {
        let id = grant_id(key, user, BY_HAND, grant.period, grant.n);
        return Some((vec![number(&id)], &reward.id));
    }
    let rule = tables.rules_of_giving.get(usize::from(grant.rule))?;
    let names = std::iter::once(&*rule.id).chain(rule.was.iter().map(String::as_str));
    let ids = names.map(|name| number(&grant_id(key, user, name, grant.period, grant.n)));
    Some((ids.collect(), &reward.id))
}
