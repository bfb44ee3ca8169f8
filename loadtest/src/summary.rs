//! A run in a table for a terminal: the figures that decide, and whether the limits were met. The report says more.

use std::fmt::Write as _;

use crate::histogram::Histogram;
use crate::limit::{Held, short};
use crate::run::Run;

/// The table. `held`: the scenario's limits, measured.
pub fn table(run: &Run, held: &[Held]) -> String {
    let mut text = format!("{} ({})\n", run.title, run.scenario);
    let generator = &run.generator;
    // Writing into a string does not fail.
    let _ = writeln!(
        text,
        "{} s against {}, seed {}: {} calls due, {} sent, {} never sent{}\n",
        short(run.secs),
        run.target,
        run.seed,
        generator.asked,
        generator.sent,
        generator.unsent,
        if run.stopped {
            "; ended before its last arrival"
        } else {
            ""
        },
    );
    let wide = |of: fn(&crate::run::Calls) -> usize, least: usize| {
        run.calls.iter().map(of).fold(least, usize::max)
    };
    let (name, campaign) = (
        wide(|calls| calls.name.len(), 4),
        wide(|calls| calls.campaign.len(), 8),
    );
    let _ = writeln!(
        text,
        "{:name$}  {:campaign$}  {:>9}  {:>9}  {:>9}  {:>9}  {:>9}  {:>9}  {:>9}",
        "call",
        "campaign",
        "answers",
        "p50 ms",
        "p90 ms",
        "p99 ms",
        "p99.9 ms",
        "max ms",
        "raw p99"
    );
    for calls in &run.calls {
        let at = |times: &Histogram, share| {
            times
                .quantile_ms(share)
                .map_or_else(|| "-".to_owned(), short)
        };
        let _ = writeln!(
            text,
            "{:name$}  {:campaign$}  {:>9}  {:>9}  {:>9}  {:>9}  {:>9}  {:>9}  {:>9}",
            calls.name,
            calls.campaign,
            calls.times.len(),
            at(&calls.times, 0.5),
            at(&calls.times, 0.9),
            at(&calls.times, 0.99),
            at(&calls.times, 0.999),
            calls.times.max_ms().map_or_else(|| "-".to_owned(), short),
            at(&calls.raw, 0.99),
        );
    }
    text.push('\n');
    for calls in &run.calls {
        let mut meanings: Vec<_> = calls.meanings.iter().collect();
        meanings.sort_by_key(|(_, meaning)| std::cmp::Reverse(meaning.count));
        let said: Vec<String> = meanings
            .into_iter()
            .map(|(word, meaning)| match meaning.verdict.as_str() {
                "good" => format!("{word} {}", meaning.count),
                verdict => format!("{word} {} ({verdict})", meaning.count),
            })
            .collect();
        let _ = writeln!(
            text,
            "{:name$}  {:campaign$}  {}",
            calls.name,
            calls.campaign,
            said.join(", ")
        );
    }
    let lag = generator
        .lag
        .quantile_ms(0.99)
        .map_or_else(|| "-".to_owned(), short);
    let _ = writeln!(
        text,
        "\ngenerator: {} threads, {} CPU s, lag p99 {lag} ms, {} connections at most, {} MB at most",
        generator.threads,
        short(generator.cpu_secs),
        generator.connections,
        short(generator.memory_mb),
    );
    for said in [&generator.fell_behind, &generator.strained]
        .into_iter()
        .flatten()
    {
        let _ = writeln!(text, "{said}");
    }
    if !held.is_empty() {
        text.push('\n');
    }
    for held in held {
        let _ = writeln!(
            text,
            "{}  {}: {}",
            if held.met { "met   " } else { "MISSED" },
            held.limit,
            held.measured.as_deref().unwrap_or("nothing to measure"),
        );
    }
    text
}
