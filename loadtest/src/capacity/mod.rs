//! What a campaign will need and cost, reckoned from its forecast and what a run measured.

use serde::{Deserialize, Serialize};

/// What a whole campaign needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// `tenant/campaign`.
    pub campaign: String,
    /// Calls a second in the busiest second that is planned for, and where that number is from.
    pub peak_per_sec: f64,
    /// A sentence: how the peak was reckoned.
    pub peak_from: String,
    /// Calls in the whole campaign.
    pub calls: f64,
    /// CPU milliseconds that the target used for a call, measured.
    pub cpu_ms_per_call: f64,
    /// Instances at the peak, each of `instance`'s size, loaded to at most `utilisation` (0 to 1).
    pub instances: u32,
    /// How far an instance is loaded at most.
    pub utilisation: f64,
    /// Memory that an instance held, in MB, measured.
    pub memory_mb: f64,
    /// Seconds of functions billed in the whole campaign.
    pub function_secs: f64,
    /// What it costs by each price table asked for.
    pub prices: Vec<Price>,
    /// What was assumed, one sentence each: a reader must be able to disagree.
    pub assumed: Vec<String>,
}

/// What it costs by one price table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// The table's name.
    pub table: String,
    /// Its currency.
    pub currency: String,
    /// Each part: what for, how much of it in which unit, the amount of money as a decimal string.
    pub parts: Vec<(String, String, String)>,
    /// The sum, as a decimal string.
    pub total: String,
}
