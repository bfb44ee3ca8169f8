//! The search for the highest rate that still meets the limits.

use serde::{Deserialize, Serialize};

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Every rate that was tried, in the order tried.
    pub tries: Vec<Try>,
    /// The highest rate that met all limits, in calls a second that were answered; `None` if none did.
    pub most_per_sec: Option<f64>,
    /// What gave out above it: `function-cpu`, `store`, `generator`, `limit`, `not-reached`.
    pub gave_out: String,
    /// Why that is thought, in a sentence with figures.
    pub because: String,
}

/// One rate that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Try {
    /// Journeys a second that were asked for.
    pub journeys_per_sec: f64,
    /// Calls a second that were due.
    pub asked_per_sec: f64,
    /// Calls a second that were answered.
    pub answered_per_sec: f64,
    /// The 99th percentile of all calls, in milliseconds.
    pub p99_ms: Option<f64>,
    /// The target's CPU, in cores, if it was seen.
    pub server_cpu: Option<f64>,
    /// The generator's CPU, in cores.
    pub generator_cpu: f64,
    /// The limits that were missed, in words; empty: it held.
    pub missed: Vec<String>,
}
