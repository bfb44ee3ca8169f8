//! What a campaign will need and cost, reckoned from its forecast and what a run measured. `forecast` reads `gala simulate --json`, `prices`
//! the tables of `loadtest/prices/`, `money` counts without floats. What was not measured is left out, and said to be.

mod forecast;
mod money;
mod prices;
mod reckon;

use serde::{Deserialize, Serialize};

pub use forecast::{Forecast, Unreadable};
pub use money::{Decimal, NotDecimal};
pub use prices::{Part, Table, Unit, Unpriced, shipped};
pub use reckon::{Instance, reckon};

/// What a whole campaign needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// `tenant/campaign`.
    pub campaign: String,
    /// Calls a second in the busiest second that is planned for.
    pub peak_per_sec: f64,
    /// A sentence: how the peak was reckoned, and from what.
    pub peak_from: String,
    /// Calls in the whole campaign.
    pub calls: f64,
    /// CPU milliseconds that the target used for a call, measured; `None` where its side was not seen.
    pub cpu_ms_per_call: Option<f64>,
    /// Instances at the peak, each of the size in `assumed`, loaded to at most `utilisation` (0 to 1); `None` without the CPU of a call.
    pub instances: Option<u32>,
    /// How far an instance is loaded at most.
    pub utilisation: f64,
    /// Most memory that the target held, in MB, measured.
    pub memory_mb: Option<f64>,
    /// Seconds of functions billed in the whole campaign; `None` where no call was measured.
    pub function_secs: Option<f64>,
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
