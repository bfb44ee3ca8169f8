//! The search for the highest rate that still meets the limits. Pure over what plays a rate: doubling until limits are missed, then
//! halving what lies between. A miss is believed only when it is seen twice. `cause` says what gave out.

mod cause;
mod tried;

use serde::{Deserialize, Serialize};

pub use tried::{Evidence, Tried};

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

/// Between which rates is searched, and how near.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// The first rate, in journeys a second; above 0.
    pub start: f64,
    /// No higher rate is tried.
    pub most: f64,
    /// How near the highest rate that holds must be to the lowest that does not: 1.05 is within 5 %. Above 1.
    pub within: f64,
}

/// How often a rate is halved that does not hold, before it is given up.
const HALVED_AT_MOST: u32 = 10;

impl Search {
    /// From a rate on, up to a million journeys a second, within 5 %.
    pub fn from(start: f64) -> Self {
        Self {
            start,
            most: 1e6,
            within: 1.05,
        }
    }
}

/// Searches. `play` plays one rate, in journeys a second, and tells what it measured.
///
/// # Errors
/// The first error of `play`: a rate that could not be played is not one that was missed.
pub fn search<E>(
    search: Search,
    mut play: impl FnMut(f64) -> Result<Tried, E>,
) -> Result<Found, E> {
    let mut tries = Vec::new();
    let mut seen = Seen::default();
    let within = search.within.max(1.001);
    let (mut rate, mut halved) = (search.start.min(search.most), 0);
    loop {
        let tried = believed(rate, &mut play, &mut tries)?;
        seen.note(rate, tried);
        rate = match (seen.held_at(), seen.missed_at()) {
            (Some(held), None) if held >= search.most => break,
            (Some(held), None) => (held * 2.0).min(search.most),
            (None, Some(missed)) if halved < HALVED_AT_MOST => {
                halved += 1;
                missed / 2.0
            }
            (Some(held), Some(missed)) if missed / held > within => (held * missed).sqrt(),
            _ => break,
        };
    }
    let cause = cause::cause(
        seen.held.as_ref().map(|(_, tried)| tried),
        seen.missed.as_ref().map(|(_, tried)| tried),
    );
    Ok(Found {
        tries,
        most_per_sec: seen.held.map(|(_, tried)| tried.tried.answered_per_sec),
        gave_out: cause.gave_out.to_owned(),
        because: cause.because,
    })
}

/// Plays a rate, and once more where it missed: one stall of the machine is not what a system can bear.
fn believed<E>(
    rate: f64,
    play: &mut impl FnMut(f64) -> Result<Tried, E>,
    tries: &mut Vec<Try>,
) -> Result<Tried, E> {
    let first = play(rate)?;
    tries.push(first.tried.clone());
    if first.held() {
        return Ok(first);
    }
    let second = play(rate)?;
    tries.push(second.tried.clone());
    Ok(second)
}

/// The highest rate that held, and the lowest above it that did not.
#[derive(Debug, Default)]
struct Seen {
    held: Option<(f64, Tried)>,
    missed: Option<(f64, Tried)>,
}

impl Seen {
    fn note(&mut self, rate: f64, tried: Tried) {
        let place = if tried.held() {
            &mut self.held
        } else {
            &mut self.missed
        };
        // Each rate that is played lies between the two: it is always the nearer one.
        *place = Some((rate, tried));
    }

    fn held_at(&self) -> Option<f64> {
        self.held.as_ref().map(|(rate, _)| *rate)
    }

    fn missed_at(&self) -> Option<f64> {
        self.missed.as_ref().map(|(rate, _)| *rate)
    }
}

#[cfg(test)]
mod tests;
