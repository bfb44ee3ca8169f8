//! Holds two reports, or two sets of them, side by side: each figure with its change, and with the noise that it has of itself.
//!
//! Noise is a 95 % interval by the percentile bootstrap (Efron & Tibshirani 1993, section 13.3). What is drawn again is whole runs where
//! each side has three or more, else blocks of neighbouring windows (Carlstein 1986), since what a window saw depends on the one before it.
//! One run's blocks know nothing of what differs from run to run, so that their noise is the least there can be: it is said.

mod again;

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::Report;
use super::text::{count, short};
use again::{Chance, Key, Scale, Unit, blocks_of, figures};

/// How often it is drawn again.
const TIMES: usize = 400;

/// In how many blocks a run's windows are put at most.
const BLOCKS: usize = 40;

/// How many runs a side must have for their spread to stand for noise.
const RUNS: usize = 3;

/// Two sets of reports, side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// How many reports there are on each side.
    pub reports: (usize, usize),
    /// Where noise is from: `runs` or `windows`.
    pub noise_from: String,
    /// The figures.
    pub figures: Vec<Figure>,
    /// What makes the two sides hard to compare, and other things to know.
    pub cautions: Vec<String>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Its name: `p99 of draw (acme/wheel)`.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// The first side's, with its 95 % interval.
    pub a: Measured,
    /// The second side's.
    pub b: Measured,
    /// By how much it changed, as a share of the first; absent if that was 0.
    pub change: Option<f64>,
    /// Whether the 95 % interval of the difference leaves out 0.
    pub beyond_noise: bool,
    /// That in a sentence.
    pub says: String,
}

/// A figure with its noise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The figure.
    pub value: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Nothing to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is nothing to compare: name at least one report on each side")]
pub struct Nothing;

/// Compares the second side with the first.
pub fn compare(a: &[Report], b: &[Report]) -> Result<Comparison, Nothing> {
    let (Some(one), Some(two)) = (a.first(), b.first()) else {
        return Err(Nothing);
    };
    let mut keys: Vec<Key<'_>> = Vec::new();
    for calls in one.run.calls.iter().filter(|calls| !calls.times.is_empty()) {
        let key = (&*calls.name, &*calls.campaign);
        let on_both = two
            .run
            .calls
            .iter()
            .any(|other| (&*other.name, &*other.campaign) == key && !other.times.is_empty());
        if on_both && !keys.contains(&key) {
            keys.push(key);
        }
    }
    let by_runs = a.len() >= RUNS && b.len() >= RUNS;
    let (scale, micros) = Scale::of(&[a, b], &keys);
    let units = |side: &[Report]| -> Vec<Unit> {
        let of = |report: &Report| {
            let blocks = if by_runs { 1 } else { BLOCKS };
            blocks_of(&report.run, &keys, &micros, blocks)
        };
        side.iter().flat_map(of).collect()
    };
    let (left, right) = (units(a), units(b));
    let mut chance = Chance(0x6761_6c61);
    let mut draws = |units: &[Unit]| -> Vec<Vec<f64>> {
        let indices = |chance: &mut Chance| {
            (0..units.len())
                .map(|_| chance.below(units.len()))
                .collect::<Vec<_>>()
        };
        (0..TIMES)
            .map(|_| {
                figures(
                    indices(&mut chance).iter().filter_map(|at| units.get(*at)),
                    &scale,
                )
            })
            .collect()
    };
    let (again_left, again_right) = (draws(&left), draws(&right));
    let (value_left, value_right) = (figures(left.iter(), &scale), figures(right.iter(), &scale));
    let named = names(&keys)
        .into_iter()
        .enumerate()
        .map(|(at, (name, unit))| {
            let column = |draws: &[Vec<f64>]| -> Vec<f64> {
                draws
                    .iter()
                    .filter_map(|draw| draw.get(at).copied())
                    .collect()
            };
            let at = |values: &[f64]| values.get(at).copied().unwrap_or(f64::NAN);
            figure(
                name,
                unit,
                (at(&value_left), column(&again_left)),
                (at(&value_right), column(&again_right)),
            )
        });
    Ok(Comparison {
        reports: (a.len(), b.len()),
        noise_from: if by_runs { "runs" } else { "windows" }.to_owned(),
        figures: named
            .filter(|figure| figure.a.value.is_finite() && figure.b.value.is_finite())
            .collect(),
        cautions: cautions(a, b, by_runs),
    })
}

/// The figures' names and units, in the order of [`figures`].
fn names(keys: &[Key<'_>]) -> Vec<(String, &'static str)> {
    let mut names = vec![
        ("answered a second".to_owned(), "/s"),
        ("failed calls".to_owned(), "%"),
        ("generator's CPU a call".to_owned(), "\u{b5}s"),
    ];
    for (name, campaign) in keys {
        for quantile in ["p50", "p90", "p99"] {
            names.push((format!("{quantile} of {name} ({campaign})"), "ms"));
        }
    }
    names
}

fn figure(
    name: String,
    unit: &str,
    (a, again_a): (f64, Vec<f64>),
    (b, again_b): (f64, Vec<f64>),
) -> Figure {
    let differences = again_a.iter().zip(&again_b).map(|(a, b)| b - a).collect();
    let (low, high) = interval(differences);
    let beyond_noise = low > 0.0 || high < 0.0;
    let change = (a != 0.0).then(|| (b - a) / a);
    let measured = |value, again| {
        let (low, high) = interval(again);
        // JSON has no number for what was never drawn.
        let or_value = |end: f64| if end.is_finite() { end } else { value };
        Measured {
            value,
            low: or_value(low),
            high: or_value(high),
        }
    };
    let by = change.map_or_else(
        || "from 0".to_owned(),
        |change| format!("by {} %", short(change.abs() * 100.0)),
    );
    let says = match (beyond_noise, b > a) {
        (true, true) => format!("{name} went up {by}: beyond the noise."),
        (true, false) => format!("{name} went down {by}: beyond the noise."),
        (false, _) if change.is_some_and(|change| change.abs() < f64::EPSILON) => {
            format!("{name} is the same.")
        }
        (false, _) => format!("{name} changed {by}: within the noise, so nothing is shown."),
    };
    Figure {
        unit: unit.to_owned(),
        a: measured(a, again_a),
        b: measured(b, again_b),
        change,
        beyond_noise,
        says,
        name,
    }
}

/// The 2.5th and 97.5th percentile.
fn interval(mut values: Vec<f64>) -> (f64, f64) {
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        values
            .get((share * (values.len().saturating_sub(1)) as f64).round() as usize)
            .copied()
            .unwrap_or(f64::NAN)
    };
    (at(0.025), at(0.975))
}

fn cautions(a: &[Report], b: &[Report], by_runs: bool) -> Vec<String> {
    let mut cautions = Vec::new();
    let all = || a.iter().chain(b);
    let mut differ = |what: &str, of: &dyn Fn(&Report) -> String| {
        let mut said: Vec<String> = all().map(of).collect();
        said.sort();
        said.dedup();
        if said.len() > 1 {
            cautions.push(format!("They differ in {what}: {}.", said.join(", ")));
        }
    };
    differ("scenario", &|report| report.run.scenario.clone());
    differ("the scenario's text", &|report| {
        report.reproduce.scenario_sha256.chars().take(12).collect()
    });
    differ("the generator's machine", &|report| {
        format!(
            "{} ({} cores)",
            report.run.machine.cpu, report.run.machine.cores
        )
    });
    for report in all().filter(|report| report.run.generator.fell_behind.is_some()) {
        cautions.push(format!(
            "The generator fell behind in the run that began at {}.",
            report.run.began_at
        ));
    }
    let faults: u64 = all()
        .filter_map(|report| report.truth.as_ref())
        .map(super::super::judge::truth::Truth::faults)
        .sum();
    if faults > 0 {
        cautions.push(format!(
            "The truth does not hold in all of them: {} faults.",
            count(faults)
        ));
    }
    if !by_runs {
        cautions.push(format!(
            "Noise is from within the runs alone, since there are fewer than {RUNS} on a side: what differs from run to run is not in it."
        ));
    }
    cautions
}

impl Comparison {
    /// As a table for a terminal, with the sentences below it.
    pub fn text(&self) -> String {
        let side = |measured: &Measured| {
            format!(
                "{} [{}, {}]",
                short(measured.value),
                short(measured.low),
                short(measured.high)
            )
        };
        let rows: Vec<[String; 4]> = self
            .figures
            .iter()
            .map(|figure| {
                let change = figure.change.map_or_else(
                    || "\u{2013}".to_owned(),
                    |change| format!("{:+.1} %", change * 100.0),
                );
                let mark = if figure.beyond_noise { " *" } else { "" };
                [
                    format!("{}, {}", figure.name, figure.unit),
                    side(&figure.a),
                    side(&figure.b),
                    format!("{change}{mark}"),
                ]
            })
            .collect();
        let head = ["", "A [95 %]", "B [95 %]", "change"].map(str::to_owned);
        let wide = |at: usize| {
            rows.iter()
                .chain([&head])
                .map(|row| row[at].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths = [wide(0), wide(1), wide(2), wide(3)];
        let mut out = String::new();
        for row in [&head].into_iter().chain(&rows) {
            let [name, a, b, change] = row;
            let [w0, w1, w2, w3] = widths;
            // A `String` takes whatever is written to it.
            let _ = writeln!(out, "{name:w0$}  {a:>w1$}  {b:>w2$}  {change:>w3$}");
        }
        out.push('\n');
        for figure in self.figures.iter().filter(|figure| figure.beyond_noise) {
            let _ = writeln!(out, "{}", figure.says);
        }
        if self.figures.iter().all(|figure| !figure.beyond_noise) {
            out.push_str("No difference is beyond the noise.\n");
        }
        for caution in &self.cautions {
            let _ = writeln!(out, "Note: {caution}");
        }
        out
    }
}
