//! What a client was told: its own books, which nobody else writes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;

/// One call, as it is sent and sent again.
#[derive(Debug, Clone)]
pub struct Call {
    pub user: String,
    pub campaign: &'static str,
    pub event: &'static str,
    /// The idempotency key, and the request's id: that is how its rows are known in the ledger.
    pub key: String,
}

/// A call that was answered with 200.
#[derive(Debug, Clone)]
pub struct Ack {
    pub call: Call,
    pub body: String,
    /// When the answer was read.
    pub at: Instant,
}

impl Ack {
    /// The ids of the grants that the answer names.
    pub fn grants(&self) -> Vec<String> {
        self.of_grants("id")
    }

    /// The rewards of these grants.
    pub fn rewards(&self) -> Vec<String> {
        self.of_grants("reward")
    }

    fn of_grants(&self, field: &str) -> Vec<String> {
        let answer: Value = serde_json::from_str(&self.body).expect("an answer in JSON");
        let grants = answer["grants"].as_array().expect("its grants");
        grants
            .iter()
            .map(|grant| grant[field].as_str().expect("its field").to_owned())
            .collect()
    }
}

/// How many answers to a participant are safely among those that the server remembers (it remembers 16; a call whose outcome is
/// open may be among them).
const REMEMBERED: usize = 12;

#[derive(Debug, Default)]
pub struct Books {
    pub acks: Vec<Ack>,
    /// Sent, and no answer came: done or not, nobody knows until it is sent again.
    pub open: Vec<Call>,
    pub counts: Counts,
    pub violations: Vec<String>,
    /// The campaigns of which it was said that nothing is left.
    pub sold_out: BTreeSet<&'static str>,
    /// The calls that were rejected, and with which code.
    pub rejected: BTreeMap<String, String>,
    /// When calls were served, whatever the answer, since these were last taken.
    pub served: Vec<Instant>,
    /// How often each code came with an answer that something is not available, or broke.
    pub refusals: BTreeMap<String, u64>,
    /// The places in `acks` of each participant.
    of: BTreeMap<(String, &'static str), Vec<usize>>,
}

#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    pub requests: u64,
    pub rejected: u64,
    pub unavailable: u64,
    pub replays: u64,
    pub twins: u64,
    pub rivals: u64,
    pub found_done: u64,
    pub found_undone: u64,
    /// The longest that an answer took, of whatever kind.
    pub slowest: Duration,
}

impl Counts {
    pub fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.rejected += other.rejected;
        self.unavailable += other.unavailable;
        self.replays += other.replays;
        self.twins += other.twins;
        self.rivals += other.rivals;
        self.found_done += other.found_done;
        self.found_undone += other.found_undone;
        self.slowest = self.slowest.max(other.slowest);
    }
}

impl Books {
    pub fn acknowledge(&mut self, call: Call, body: String) {
        let place = (call.user.clone(), call.campaign);
        self.of.entry(place).or_default().push(self.acks.len());
        let at = Instant::now();
        self.acks.push(Ack { call, body, at });
        self.served.push(at);
    }

    /// A call was served that changed nothing.
    pub fn serve(&mut self) {
        self.served.push(Instant::now());
    }

    /// Whether the server must still remember this answer.
    pub fn is_remembered(&self, number: usize) -> bool {
        let call = &self.acks[number].call;
        let all = &self.of[&(call.user.clone(), call.campaign)];
        all.iter().rev().take(REMEMBERED).any(|one| *one == number)
    }

    /// Strikes answers out that a server, as it was set up, was allowed to forget; what is left must be there.
    pub fn strike(&mut self, is_lost: impl Fn(&Ack) -> bool) -> Vec<Ack> {
        let (lost, kept) = std::mem::take(&mut self.acks)
            .into_iter()
            .partition(is_lost);
        self.acks = kept;
        self.of.clear();
        for (number, ack) in self.acks.iter().enumerate() {
            let place = (ack.call.user.clone(), ack.call.campaign);
            self.of.entry(place).or_default().push(number);
        }
        lost
    }

    pub fn violation(&mut self, what: String) {
        self.violations.push(what);
    }
}
