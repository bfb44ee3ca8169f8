//! What a run measured, in a form that is kept, merged and compared: the larger part of `report.json`. Nothing here judges.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::histogram::Histogram;

/// One run of a scenario, by one process or merged from several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The scenario's name.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// What all that was left to chance was drawn from.
    pub seed: u64,
    /// Which part of how many, where several processes share a scenario: `[1, 3]` is the first of three.
    pub part: Option<(u32, u32)>,
    /// The target's address.
    pub target: String,
    /// When the first call was due, RFC 3339.
    pub began_at: String,
    /// From the first due call until the last answer.
    pub secs: f64,
    /// Whether it was ended before its last arrival: by hand, or since a stair missed its limits.
    #[serde(default)]
    pub stopped: bool,
    /// How long one window of the timeline is.
    pub window_secs: f64,
    /// The arrival's phases, in order.
    pub phases: Vec<Phase>,
    /// The stairs that were played to their ends, where arrivals go up until a limit is missed.
    #[serde(default)]
    pub stairs: Vec<Stair>,
    /// The timeline, from the beginning on.
    pub windows: Vec<Window>,
    /// Each kind of call.
    pub calls: Vec<Calls>,
    /// How the generator itself did.
    pub generator: Generator,
    /// What it ran on.
    pub machine: Machine,
}

/// One phase of the arrivals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// When it began, in seconds since the run's beginning.
    pub from_secs: f64,
    /// When it ended.
    pub to_secs: f64,
}

/// A stair of arrivals that go up until a limit is missed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stair {
    /// Journeys that began in a second of it.
    pub journeys_per_sec: f64,
    /// When it began, in seconds since the run's beginning.
    pub from_secs: f64,
    /// When it ended.
    pub to_secs: f64,
    /// The limits that were missed on it, each with what was measured: `p99 < 100 ms: 364 ms`.
    pub missed: Vec<String>,
}

/// One window of the timeline, over all calls.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Calls that were due in it.
    pub asked: u64,
    /// Calls that were sent in it.
    pub sent: u64,
    /// Whole answers that came in it.
    pub answered: u64,
    /// Calls that failed in it ([`crate::call::Verdict::Failed`]).
    pub failed: u64,
    /// Journeys under way at its end.
    pub under_way: u64,
    /// Calls that were due and waited for a connection at its end.
    pub waiting: u64,
    /// Connections open at its end.
    pub connections: u64,
    /// CPU seconds that the generator used in it.
    pub generator_cpu_secs: f64,
}

/// All calls of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calls {
    /// What it is called in reports and limits: `draw`, `page`, `view`, `grants`, `poster`, `preflight`.
    pub name: String,
    /// `tenant/campaign`.
    pub campaign: String,
    /// From when each was due until its answer was whole.
    pub times: Histogram,
    /// From when each was really sent: what a closed-loop tool would show.
    pub raw: Histogram,
    /// The times by window of the answer; a window without an answer is an empty histogram. Trailing ones may be absent.
    pub windows: Vec<Histogram>,
    /// How often each meaning came: see [`crate::call::Verdict`] for the words.
    pub meanings: BTreeMap<String, Meaning>,
    /// Bytes of answers, heads and bodies.
    pub bytes: u64,
}

/// How often something was answered, and what kind of an answer that is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Meaning {
    /// How it counts: `good`, `rejected`, `limited`, `failed`.
    pub verdict: String,
    /// How often.
    pub count: u64,
}

/// How the generator did: a generator that could not keep up makes every other figure doubtful.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generator {
    /// Its threads.
    pub threads: u32,
    /// CPU seconds of all of them.
    pub cpu_secs: f64,
    /// How late calls were sent because the generator woke or worked late (not because a connection was busy or the target slow).
    pub lag: Histogram,
    /// Calls that were due.
    pub asked: u64,
    /// Calls that were sent.
    pub sent: u64,
    /// Calls that were due and never sent: their users waited as long as the scenario's patience for a connection, or the run was
    /// stopped. The former count as failed calls, too.
    pub unsent: u64,
    /// Most connections open at once.
    pub connections: u64,
    /// Connections made in all.
    pub connects: u64,
    /// Most memory held, in MB.
    pub memory_mb: f64,
    /// Why it did not keep up, in a sentence; `None` if it did. The load was then another one than the scenario asks for.
    pub fell_behind: Option<String>,
    /// What was tight, in a sentence, though the load was the one that was asked for: it can only have made the target look slower than
    /// it is, since times count from when calls were due.
    #[serde(default)]
    pub strained: Option<String>,
}

/// What a run ran on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor.
    pub cpu: String,
    /// Its cores, as this process may use them.
    pub cores: u32,
    /// Its memory, in MB.
    pub memory_mb: u64,
    /// The system, by name and kernel.
    pub system: String,
    /// The load of the last minute as the run began.
    pub load: f64,
}
