//! The target's side of a run, from its `/metrics`, on the run's own clock: what was busy while the figures came about.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the target's metrics said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// Where it was asked.
    pub from: String,
    /// One look after another.
    pub looks: Vec<Look>,
    /// Looks that failed: the server did not answer in time.
    pub failed: u64,
    /// The target's version, its store and its cores, as far as it says.
    pub about: BTreeMap<String, String>,
}

/// One look at `/metrics`, as rates since the look before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// Since the run began; a look before it is below 0.
    pub at_secs: f64,
    /// CPU seconds used each second: 1.0 is one core.
    pub cpu: Option<f64>,
    /// Memory held, in MB.
    pub memory_mb: Option<f64>,
    /// Calls answered each second.
    pub calls_per_sec: Option<f64>,
    /// Commits each second.
    pub commits_per_sec: Option<f64>,
    /// The mean time of a commit, in milliseconds.
    pub commit_ms: Option<f64>,
    /// Calls refused because the server had no room, each second.
    pub shed_per_sec: Option<f64>,
}
