//! What `gala simulate --json` says of how much will be called: docs/SIMULATE.md has its keys.

use serde::Deserialize;

/// Of a forecast, what capacity is reckoned from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Forecast {
    /// The tenant's id.
    pub tenant: String,
    /// The campaign's id.
    pub campaign: String,
    /// How many runs it is made of.
    pub runs: u32,
    /// Visits in all.
    pub visits: Band,
    /// The days.
    pub by_day: Vec<Day>,
    /// Steps over all runs: an event that a user or a back end sends is one.
    pub all_steps: u64,
    /// What was assumed.
    pub profile: Profile,
}

/// The 5th, 50th and 95th percentile of the runs.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Band {
    /// The 50th.
    pub mid: f64,
    /// The 95th.
    pub high: f64,
}

/// A day.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Day {
    /// Which.
    pub day: String,
    /// How many visits.
    pub visits: Band,
}

/// What was assumed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Profile {
    /// How the visits of a day spread over its hours: a weight each, from midnight.
    pub hours: Vec<f64>,
}

/// Why a text is no forecast.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is not what `gala simulate --json` prints.
    #[error("it is not what `gala simulate --json` prints (without --compare): {0}")]
    Json(#[from] serde_json::Error),
    /// Nobody comes in it.
    #[error("nobody comes in this forecast: there is nothing to reckon from")]
    Nobody,
}

impl Forecast {
    /// Reads one.
    ///
    /// # Errors
    /// Anything else than a forecast in which somebody comes.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        let read: Self = serde_json::from_str(text)?;
        let comes = read.visits.mid > 0.0 && read.by_day.iter().any(|day| day.visits.high > 0.0);
        let hours: f64 = read.profile.hours.iter().sum();
        if comes && hours > 0.0 {
            Ok(read)
        } else {
            Err(Unreadable::Nobody)
        }
    }

    /// Calls of a visit: one look at the page, and each event.
    pub fn calls_per_visit(&self) -> f64 {
        1.0 + self.all_steps as f64 / (f64::from(self.runs.max(1)) * self.visits.mid)
    }

    /// The busiest day, and its visits as the higher end of the forecast has them.
    pub fn busiest(&self) -> (&str, f64) {
        let busiest = self
            .by_day
            .iter()
            .max_by(|one, other| one.visits.high.total_cmp(&other.visits.high));
        busiest.map_or(("", 0.0), |day| (&day.day, day.visits.high))
    }

    /// The busiest hour's share (0 to 1) of a day.
    pub fn busiest_hour(&self) -> f64 {
        let hours = self.profile.hours.iter().copied();
        let sum: f64 = hours.clone().sum();
        hours.fold(0.0, f64::max) / sum
    }
}
