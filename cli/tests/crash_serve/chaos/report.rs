//! What a chaos run counted.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::books::{Books, Counts};

/// What may come with a 503. Any other code of the fives is a fault of ours.
const UNAVAILABLE: [&str; 4] = [
    "store-unavailable",
    "outcome-unknown",
    "stock-frozen",
    "overloaded",
];

#[derive(Debug, Default)]
pub struct Report {
    pub faults: BTreeMap<&'static str, u64>,
    pub acks: u64,
    pub counts: Counts,
    pub refusals: BTreeMap<String, u64>,
    pub rows: u64,
    pub grants: u64,
    pub sold_out: u64,
    /// Acknowledged and gone, where the store was set up so that this may happen, by scene.
    pub lost: BTreeMap<&'static str, u64>,
    pub worst_gap: Duration,
    pub violations: Vec<String>,
}

impl Report {
    pub fn fault(&mut self, kind: &'static str, times: u64) {
        *self.faults.entry(kind).or_default() += times;
    }

    pub fn read(&mut self, books: &Books) {
        self.acks += books.acks.len() as u64;
        self.counts.add(books.counts);
        for (code, times) in &books.refusals {
            *self.refusals.entry(code.clone()).or_default() += times;
            if !UNAVAILABLE.contains(&code.as_str()) {
                self.violations
                    .push(format!("{times} answers with the code `{code}`"));
            }
        }
    }

    pub fn add(&mut self, other: Self) {
        for (kind, times) in other.faults {
            self.fault(kind, times);
        }
        for (scene, times) in other.lost {
            *self.lost.entry(scene).or_default() += times;
        }
        for (code, times) in other.refusals {
            *self.refusals.entry(code).or_default() += times;
        }
        self.acks += other.acks;
        self.counts.add(other.counts);
        self.rows += other.rows;
        self.grants += other.grants;
        self.sold_out += other.sold_out;
        self.worst_gap = self.worst_gap.max(other.worst_gap);
        self.violations.extend(other.violations);
    }

    pub fn all_faults(&self) -> u64 {
        self.faults.values().sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts {
            requests,
            rejected,
            unavailable,
            replays,
            twins,
            rivals,
            found_done,
            found_undone,
            slowest,
        } = self.counts;
        write!(
            f,
            "{} faults {:?}, {requests} requests, {} acknowledged, {rejected} rejected, {unavailable} unavailable {:?}, \
             {replays} replays compared, {twins} twins, {rivals} rivals, {} unknown outcomes resolved ({found_done} had been \
             done, {found_undone} not), {} ledger rows, {} grants, {} stocks drawn empty, acknowledged and lost where that is \
             declared {:?}, slowest answer {slowest:.1?}, longest without service {:.1?}, {} violations",
            self.all_faults(),
            self.faults,
            self.acks,
            self.refusals,
            found_done + found_undone,
            self.rows,
            self.grants,
            self.sold_out,
            self.lost,
            self.worst_gap,
            self.violations.len(),
        )
    }
}
