//! A run's windows as lines for charts, thinned to at most [`MOST`] points: neighbouring windows are put together, counts as mean rates
//! and times as quantiles of all, never as means of quantiles.

use super::chart::{Chart, HALF, Series, WIDE};
use crate::histogram::Histogram;
use crate::report::Report;
use crate::run::{Calls, Run, Window};
use crate::server::{Look, Server};

/// How many points a line has at most.
pub const MOST: usize = 300;

/// How many a line of one call has.
const MOST_OF_ONE: usize = 100;

/// How many calls have a chart of their own, those that came most often: a page has a bound.
const MOST_CALLS: usize = 12;

/// All charts of a report, under one time axis.
pub fn charts(report: &Report) -> Vec<Chart<'_>> {
    let run = &report.run;
    let chart = |title: &str, series, tenfold| Chart {
        title: title.to_owned(),
        series,
        tenfold,
        wide: WIDE,
        secs: run.secs,
        phases: &run.phases,
    };
    let rate = |of: fn(&Window) -> u64| rates(run, of);
    let mut charts = vec![
        chart(
            "Calls a second",
            vec![
                Series {
                    name: "asked",
                    points: rate(|window| window.asked),
                },
                Series {
                    name: "sent",
                    points: rate(|window| window.sent),
                },
                Series {
                    name: "answered",
                    points: rate(|window| window.answered),
                },
            ],
            false,
        ),
        chart(
            "Time from due to answered, ms (each line is ten times the one below)",
            latencies(run, &run.calls, MOST),
            true,
        ),
    ];
    if run.windows.iter().any(|window| window.failed > 0) {
        let failed = Series {
            name: "failed",
            points: rate(|window| window.failed),
        };
        charts.push(chart("Failed calls a second", vec![failed], false));
    }
    if let Some(server) = &report.server {
        let line = |name, of: fn(&Look) -> Option<f64>| Series {
            name,
            points: looks(server, run.secs, of),
        };
        charts.push(chart(
            "Target's CPU, cores",
            vec![line("CPU", |look| look.cpu)],
            false,
        ));
        charts.push(chart(
            "Target's mean commit, ms",
            vec![line("commit", |look| look.commit_ms)],
            false,
        ));
    }
    charts
}

/// The times of each call by itself; of one call alone nothing, since that is what the chart of all shows.
pub fn each(run: &Run) -> Vec<Chart<'_>> {
    if run.calls.len() < 2 {
        return Vec::new();
    }
    let mut calls: Vec<&Calls> = run.calls.iter().collect();
    calls.sort_by_key(|calls| std::cmp::Reverse(calls.times.len()));
    calls.truncate(MOST_CALLS);
    let chart = |calls: &Calls| Chart {
        title: format!("{}, {}", calls.name, calls.campaign),
        series: latencies(run, std::slice::from_ref(calls), MOST_OF_ONE),
        tenfold: true,
        wide: HALF,
        secs: run.secs,
        phases: &run.phases,
    };
    calls.into_iter().map(chart).collect()
}

/// How many windows are put together, so that there are at most so many points.
fn together(windows: usize, most: usize) -> usize {
    windows.div_ceil(most).max(1)
}

fn rates(run: &Run, of: fn(&Window) -> u64) -> Vec<(f64, Option<f64>)> {
    let size = together(run.windows.len(), MOST);
    let point = |(at, windows): (usize, &[Window])| {
        let secs = run.window_secs * windows.len() as f64;
        let sum: u64 = windows.iter().map(of).sum();
        (
            middle(run, at * size, windows.len()),
            Some(sum as f64 / secs),
        )
    };
    run.windows.chunks(size).enumerate().map(point).collect()
}

/// How long these calls took, in at most `points` points.
fn latencies(run: &Run, calls: &[Calls], points: usize) -> Vec<Series> {
    let most = calls
        .iter()
        .map(|calls| calls.windows.len())
        .max()
        .unwrap_or(0);
    let size = together(most, points);
    let mut lines = ["p50", "p99", "p99.9", "max"].map(|name| Series {
        name,
        points: Vec::new(),
    });
    for from in (0..most).step_by(size) {
        let mut times = Histogram::coarse();
        for calls in calls {
            let end = (from + size).min(calls.windows.len());
            let windows = calls.windows.get(from..end).unwrap_or_default();
            for window in windows {
                times.merge(window);
            }
        }
        let at = middle(run, from, size.min(most - from));
        let figures = [
            times.quantile_ms(0.5),
            times.quantile_ms(0.99),
            times.quantile_ms(0.999),
            times.max_ms(),
        ];
        lines
            .iter_mut()
            .zip(figures)
            .for_each(|(line, figure)| line.points.push((at, figure)));
    }
    // The slowest first: it is the line at the top.
    lines.reverse();
    lines.into()
}

/// The middle of some windows.
fn middle(run: &Run, from: usize, many: usize) -> f64 {
    run.window_secs * (from as f64 + many as f64 / 2.0)
}

fn looks(server: &Server, secs: f64, of: fn(&Look) -> Option<f64>) -> Vec<(f64, Option<f64>)> {
    let during: Vec<&Look> = server
        .looks
        .iter()
        .filter(|look| (0.0..=secs).contains(&look.at_secs))
        .collect();
    let point = |looks: &[&Look]| {
        let seen: Vec<f64> = looks.iter().filter_map(|look| of(look)).collect();
        let at = looks.iter().map(|look| look.at_secs).sum::<f64>() / looks.len() as f64;
        (
            at,
            (!seen.is_empty()).then(|| seen.iter().sum::<f64>() / seen.len() as f64),
        )
    };
    during
        .chunks(together(during.len(), MOST))
        .map(point)
        .collect()
}
