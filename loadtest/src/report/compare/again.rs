//! Units that a side's figures can be drawn from again and again: whole runs, or blocks of a run's windows. Nothing here judges.

use std::ops::Range;

use crate::histogram::Histogram;
use crate::report::Report;
use crate::run::{Run, Window};

/// A call by which figures are named: its name and campaign.
pub(super) type Key<'a> = (&'a str, &'a str);

/// Something that can be drawn again: a run, or a block of windows.
#[derive(Default)]
pub(super) struct Unit {
    secs: f64,
    counts: Window,
    /// Times by call, as `keys` has them: which time, as [`Scale`] counts them, and how often.
    times: Vec<Vec<(usize, u64)>>,
}

/// The times that any unit saw of each call, in milliseconds, ascending: to draw again is to add counts, hundreds of times.
pub(super) struct Scale(pub(super) Vec<Vec<f64>>);

impl Scale {
    pub(super) fn of(reports: &[&[Report]], keys: &[Key<'_>]) -> (Self, Vec<Vec<u64>>) {
        let of_key = |key: &Key<'_>| {
            let runs = reports
                .iter()
                .flat_map(|side| side.iter().map(|report| &report.run));
            let mut seen: Vec<u64> = runs
                .flat_map(|run| windows(run, *key, 0..usize::MAX))
                .flat_map(|window| window.counts().map(|(micros, _)| micros))
                .collect();
            seen.sort_unstable();
            seen.dedup();
            seen
        };
        let micros: Vec<Vec<u64>> = keys.iter().map(of_key).collect();
        let ms = micros
            .iter()
            .map(|seen| seen.iter().map(|micros| *micros as f64 / 1000.0).collect());
        (Self(ms.collect()), micros)
    }
}

/// A run's windows, in at most so many blocks of neighbours.
pub(super) fn blocks_of(
    run: &Run,
    keys: &[Key<'_>],
    micros: &[Vec<u64>],
    most: usize,
) -> Vec<Unit> {
    let size = run.windows.len().div_ceil(most).max(1);
    let block = |(at, some): (usize, &[Window])| {
        let from = at * size;
        let mut unit = Unit {
            secs: run.window_secs * some.len() as f64,
            ..Unit::default()
        };
        for window in some {
            sum(&mut unit.counts, window);
        }
        // What was answered after the last window counts to the last block.
        let to = if from + size >= run.windows.len() {
            usize::MAX
        } else {
            from + size
        };
        let of_key = |(key, micros): (&Key<'_>, &Vec<u64>)| {
            let counts = windows(run, *key, from..to).flat_map(Histogram::counts);
            counts
                .filter_map(|(time, count)| Some((micros.binary_search(&time).ok()?, count)))
                .collect()
        };
        unit.times = keys.iter().zip(micros).map(of_key).collect();
        unit
    };
    run.windows.chunks(size).enumerate().map(block).collect()
}

/// Some windows of a call.
fn windows<'a>(
    run: &'a Run,
    (name, campaign): Key<'a>,
    some: Range<usize>,
) -> impl Iterator<Item = &'a Histogram> {
    let calls = run
        .calls
        .iter()
        .filter(move |calls| calls.name == name && calls.campaign == campaign);
    calls.flat_map(move |calls| {
        let end = some.end.min(calls.windows.len());
        calls.windows.get(some.start..end).unwrap_or_default()
    })
}

fn sum(to: &mut Window, more: &Window) {
    to.asked += more.asked;
    to.answered += more.answered;
    to.failed += more.failed;
    to.generator_cpu_secs += more.generator_cpu_secs;
}

pub(super) fn figures<'a>(units: impl Iterator<Item = &'a Unit>, scale: &Scale) -> Vec<f64> {
    let (mut secs, mut counts) = (0.0, Window::default());
    let mut times: Vec<Vec<u64>> = scale.0.iter().map(|ms| vec![0; ms.len()]).collect();
    for unit in units {
        secs += unit.secs;
        sum(&mut counts, &unit.counts);
        for (all, more) in times.iter_mut().zip(&unit.times) {
            for (at, count) in more {
                if let Some(all) = all.get_mut(*at) {
                    *all += count;
                }
            }
        }
    }
    let answered = counts.answered as f64;
    let mut figures = vec![
        answered / secs,
        100.0 * counts.failed as f64 / counts.asked as f64,
        1e6 * counts.generator_cpu_secs / answered,
    ];
    for (counts, ms) in times.iter().zip(&scale.0) {
        figures.extend([0.5, 0.9, 0.99].map(|share| quantile(counts, ms, share)));
    }
    figures
}

/// The time within which such a share of them lie; not a number if there are none.
fn quantile(counts: &[u64], ms: &[f64], share: f64) -> f64 {
    let all: u64 = counts.iter().sum();
    let wanted = ((all as f64 * share).ceil() as u64).max(1);
    let mut so_far = 0;
    let found = counts.iter().zip(ms).find(|(count, _)| {
        so_far += **count;
        so_far >= wanted
    });
    found.map_or(f64::NAN, |(_, ms)| *ms)
}

/// SplitMix64 (Steele, Lea & Flood 2014): the same draws each time, so that a comparison can be made again.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, of: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // The bias of the remainder is below one in 2^50 for what is drawn from here.
        ((z ^ (z >> 31)) % of.max(1) as u64) as usize
    }
}
