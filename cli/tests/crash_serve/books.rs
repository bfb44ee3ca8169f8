//! What a client was told: its own books, which nobody else writes.

use std::collections::BTreeMap;

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
}

impl Ack {
    /// The ids of the grants that the answer names.
    pub fn grants(&self) -> Vec<String> {
        let answer: Value = serde_json::from_str(&self.body).expect("an answer in JSON");
        let grants = answer["grants"].as_array().expect("its grants");
        grants
            .iter()
            .map(|grant| grant["id"].as_str().expect("an id").to_owned())
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
    pub found_done: u64,
    pub found_undone: u64,
}

impl Counts {
    pub fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.rejected += other.rejected;
        self.unavailable += other.unavailable;
        self.replays += other.replays;
        self.twins += other.twins;
        self.found_done += other.found_done;
        self.found_undone += other.found_undone;
    }
}

impl Books {
    pub fn acknowledge(&mut self, call: Call, body: String) {
        let place = (call.user.clone(), call.campaign);
        self.of.entry(place).or_default().push(self.acks.len());
        self.acks.push(Ack { call, body });
    }

    /// Whether the server must still remember this answer.
    pub fn is_remembered(&self, number: usize) -> bool {
        let call = &self.acks[number].call;
        let all = &self.of[&(call.user.clone(), call.campaign)];
        all.iter().rev().take(REMEMBERED).any(|one| *one == number)
    }

    pub fn violation(&mut self, what: String) {
        self.violations.push(what);
    }
}
