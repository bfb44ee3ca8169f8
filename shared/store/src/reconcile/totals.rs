//! Rows against counters: numbers without gaps, each unit once, what was booked against what is gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use machine::ids::Pseudonym;
use machine::ledger::{CODE_USED, EntryRow, GrantRow, MessageRow, Row, TEAM_DAY};
use machine::raffle::{counted, figure};
use machine::world::CounterKey;
use machine::{Day, Value};

use super::difference::{Difference, Findings};
use super::tables::Tables;
use crate::{Lane, LedgerRow};

/// What the rows add up to so far.
pub(super) struct Totals<'a> {
    lane: &'a Lane,
    next_row: u64,
    grants: u64,
    draws: u64,
    units: BTreeMap<Arc<str>, Units>,
    spent: BTreeMap<CounterKey, i64>,
    /// How many members signed in for a team on a day.
    pub tallies: BTreeMap<(Arc<str>, Day), u32>,
    /// How often each code was used that may be used so often and no more.
    pub used: BTreeMap<Pseudonym, Used>,
}

/// How often a code was used.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Used {
    /// As its rows say.
    pub times: u32,
    /// The most that it might be.
    pub of: u32,
}

/// The units of one reward that were given.
#[derive(Default)]
struct Units {
    /// A bit for each serial.
    given: Vec<u64>,
    count: i64,
}

impl<'a> Totals<'a> {
    /// Before the first row; `lane` is what the rows are held against.
    pub fn new(lane: &'a Lane) -> Self {
        Self {
            lane,
            next_row: 0,
            grants: 0,
            draws: 0,
            units: BTreeMap::new(),
            spent: BTreeMap::new(),
            tallies: BTreeMap::new(),
            used: BTreeMap::new(),
        }
    }

    /// Takes the next row, with the tables of the revision that decided.
    pub fn row(&mut self, row: &LedgerRow, tables: Option<&Tables>, out: &mut Findings) {
        if row.number > self.next_row {
            out.add(Difference::RowsMissing {
                from: self.next_row,
                count: row.number - self.next_row,
            });
        } else if row.number < self.next_row {
            out.add(Difference::RowTwice(row.number));
        }
        self.next_row = self.next_row.max(row.number.saturating_add(1));
        match &row.row {
            Row::Grant(grant) => {
                self.grants += 1;
                self.unit(row.number, grant, tables, out);
                self.cost(row, grant, tables);
                self.of_day(grant);
            }
            Row::Draw(_) => self.draws += 1,
            Row::Message(message) => {
                self.member(message);
                self.code(message);
            }
            Row::Entry(entry) => self.entry(row.number, entry, out),
            Row::Hand(_) | Row::Amended(_) | Row::Raffle(_) => {}
        }
    }

    /// A member's first sign-in of a day: their team's tally was moved by it.
    fn member(&mut self, row: &MessageRow) {
        if &*row.message != TEAM_DAY {
            return;
        }
        if let [(_, Value::Str(team)), (_, Value::Int(day))] = row.fields.as_slice()
            && let Ok(day) = Day::try_from(*day)
        {
            let counted = self.tallies.entry((team.clone(), day)).or_default();
            *counted = counted.saturating_add(1);
        }
    }

    /// A code that was used; one that may be used without end is counted nowhere.
    fn code(&mut self, row: &MessageRow) {
        if &*row.message != CODE_USED {
            return;
        }
        if let [_, (_, Value::Str(code)), (_, Value::Int(of))] = row.fields.as_slice()
            && let (Ok(code), Ok(of)) = (code.parse(), u32::try_from(*of))
            && of > 0
        {
            let used = self.used.entry(code).or_default();
            used.times = used.times.saturating_add(1);
            used.of = used.of.max(of);
        }
    }

    fn unit(&mut self, row: u64, grant: &GrantRow, tables: Option<&Tables>, out: &mut Findings) {
        let reward = &grant.reward;
        let Some(serial) = grant.serial else {
            if tables.is_some_and(|tables| tables.is_limited(reward)) {
                let reward = reward.clone();
                out.add(Difference::NoSerial { reward, row });
            }
            return;
        };
        self.numbered(reward, serial, row, out);
    }

    /// An entry is a unit of what its draw counts entries with.
    fn entry(&mut self, row: u64, entry: &EntryRow, out: &mut Findings) {
        let name = figure(&entry.draw).0;
        match entry.number {
            Some(number) => self.numbered(&name, number, row, out),
            None => out.add(Difference::NoSerial { reward: name, row }),
        }
    }

    /// Notes a unit by the name of the figure that it is one of.
    fn numbered(&mut self, reward: &Arc<str>, serial: u64, row: u64, out: &mut Findings) {
        let issued = self.issued(&counted(reward));
        let units = self.units.entry(reward.clone()).or_default();
        units.count += 1;
        // What is beyond the counter must not cost memory: the number may be anything.
        if u64::try_from(issued).is_ok_and(|issued| serial >= issued) {
            let reward = reward.clone();
            out.add(Difference::SerialBeyond {
                reward,
                serial,
                row,
                issued,
            });
        } else if !units.give(serial) {
            let reward = reward.clone();
            out.add(Difference::SerialTwice {
                reward,
                serial,
                row,
            });
        }
    }

    /// Only what a revision with a budget decided was counted, and on a day only where it had one for days.
    fn cost(&mut self, row: &LedgerRow, grant: &GrantRow, tables: Option<&Tables>) {
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
            let spent = self.spent.entry(counter).or_default();
            *spent = spent.saturating_add(grant.cost);
        }
    }

    /// What a quota counts: the first grant of each user under its rule, for its day. Only of those that are there still.
    fn of_day(&mut self, grant: &GrantRow) {
        let mut kept = self.lane.counters.iter().map(|(key, _)| key);
        if let Some(key) = kept.find(|key| key.counts(grant)) {
            *self.spent.entry(key.clone()).or_default() += 1;
        }
    }

    fn issued(&self, key: &CounterKey) -> i64 {
        let found = self.lane.counters.iter().find(|(known, _)| known == key);
        found.map_or(0, |(_, counter)| counter.issued)
    }

    /// After the last row. How many grants and how many draws there were.
    pub fn finish(mut self, out: &mut Findings) -> (u64, u64) {
        if self.next_row < self.lane.rows {
            out.add(Difference::RowsMissing {
                from: self.next_row,
                count: self.lane.rows - self.next_row,
            });
        }
        for (key, counter) in &self.lane.counters {
            let booked = match key {
                CounterKey::Stock(reward) => {
                    let units = self.units.remove(reward).unwrap_or_default();
                    units.missing(counter.issued, reward, out);
                    units.count
                }
                CounterKey::Entries(draw) => {
                    let name = figure(draw).0;
                    let units = self.units.remove(&name).unwrap_or_default();
                    units.missing(counter.issued, &name, out);
                    units.count
                }
                CounterKey::Budget
                | CounterKey::BudgetDay(_)
                | CounterKey::Quota(..)
                | CounterKey::Stopped(_)
                | CounterKey::Tally(..)
                | CounterKey::Code(_) => self.spent.remove(key).unwrap_or_default(),
            };
            let counter_key = || key.clone();
            if counter.issued != booked {
                out.add(Difference::CounterDiffers {
                    counter: counter_key(),
                    counted: counter.issued,
                    booked,
                });
            }
            // A day's bound is the config's, which may have been lowered since.
            if counter.issued > counter.ceiling && key.day().is_none() {
                out.add(Difference::Overdrawn {
                    counter: counter_key(),
                    issued: counter.issued,
                    ceiling: counter.ceiling,
                });
            }
        }
        // What was booked and is counted nowhere; a day's counter is kept for some days only.
        let units = self.units.into_iter();
        let units = units.map(|(reward, units)| (counted(&reward), units.count));
        let spent = self.spent.into_iter();
        let spent = spent.filter(|(key, _)| key.day().is_none());
        for (counter, booked) in units.chain(spent) {
            out.add(Difference::CounterDiffers {
                counter,
                counted: 0,
                booked,
            });
        }
        (self.grants, self.draws)
    }
}

impl Units {
    /// Notes a unit; false if it was given before.
    fn give(&mut self, serial: u64) -> bool {
        // Below the counter's figure, which is what was counted: it fits.
        let (word, bit) = ((serial / 64) as usize, 1_u64 << (serial % 64));
        if self.given.len() <= word {
            self.given.resize(word + 1, 0);
        }
        match self.given.get_mut(word) {
            Some(found) if *found & bit == 0 => {
                *found |= bit;
                true
            }
            _ => false,
        }
    }

    /// Names the units below `issued` that were never given.
    fn missing(&self, issued: i64, reward: &Arc<str>, out: &mut Findings) {
        let issued = u64::try_from(issued).unwrap_or_default();
        let held: u64 = self
            .given
            .iter()
            .map(|word| u64::from(word.count_ones()))
            .sum();
        let Some(count) = issued.checked_sub(held).filter(|count| *count > 0) else {
            return;
        };
        // The first word with a gap, or the first that was never reached.
        let word = self.given.iter().position(|word| *word != u64::MAX);
        let first = word.map_or(self.given.len() as u64 * 64, |word| {
            let ones = self.given.get(word).map_or(0, |bits| bits.trailing_ones());
            word as u64 * 64 + u64::from(ones)
        });
        out.add(Difference::SerialsMissing {
            reward: reward.clone(),
            first,
            count,
        });
    }
}
