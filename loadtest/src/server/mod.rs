//! The target's side of a run, from its `/metrics`, on the run's own clock: what was busy while the figures came about. [`Watch`] looks
//! once a second on a thread of its own; `text` reads what it finds. What gave out is for [`crate::find`] to say.

mod text;
mod watch;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use text::{Sample, Samples};
pub use watch::{EVERY, Watch};

/// What the target's metrics said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// Where it was asked.
    pub from: String,
    /// One look after another.
    pub looks: Vec<Look>,
    /// Looks that failed: the server did not answer in time.
    pub failed: u64,
    /// The target's `version`, its `store` and its `cores`, as far as it says; `restarted`, when, if its counters went backwards.
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

impl Server {
    /// The mean of a figure over the looks of a span of the run, in seconds since its beginning; `None` where none of them has it.
    pub fn mean(
        &self,
        from_secs: f64,
        to_secs: f64,
        figure: impl Fn(&Look) -> Option<f64>,
    ) -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0_u32);
        // A look tells of the second before it.
        let within = |look: &&Look| look.at_secs > from_secs && look.at_secs <= to_secs + 1.0;
        for value in self.looks.iter().filter(within).filter_map(figure) {
            (sum, count) = (sum + value, count + 1);
        }
        (count > 0).then(|| sum / f64::from(count))
    }

    /// The cores that the target may use, if it says.
    pub fn cores(&self) -> Option<f64> {
        self.about.get("cores")?.parse().ok()
    }
}
