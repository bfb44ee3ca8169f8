//! What was measured, as tables: limits, times of each call, outcomes, the generator, the target's side.

use maud::{Markup, html};

use crate::histogram::Histogram;
use crate::report::Report;
use crate::report::text::{count, ms, part, percent, short, span};
use crate::report::verdict::{failed, rate};
use crate::run::{Calls, Run};

/// How many stairs are shown.
const STAIRS: usize = 12;

/// The few figures that everyone asks for.
pub fn tiles(run: &Run) -> Markup {
    let mut times = Histogram::fine();
    run.calls.iter().for_each(|calls| times.merge(&calls.times));
    let (bad, all) = failed(run);
    let answered = if run.secs > 0.0 {
        times.len() as f64 / run.secs
    } else {
        0.0
    };
    html! {
        div class="tiles" {
            (tile(&count(run.generator.asked), "calls were due"))
            (tile(&format!("{}/s", short(answered)), "answered"))
            (tile(&ms(times.quantile_ms(0.5)), "p50 of all calls"))
            (tile(&ms(times.quantile_ms(0.99)), "p99 of all calls"))
            (tile(&part(bad, all), "of calls failed"))
            (tile(&span(run.secs), "long"))
        }
    }
}

fn tile(figure: &str, what: &str) -> Markup {
    html! { div { b { (figure) } span { (what) } } }
}

/// Limits: asked, measured, met.
pub fn limits(report: &Report) -> Markup {
    html! {
        h2 { "Limits" }
        @if report.limits.is_empty() {
            p class="soft" { "The scenario asks for none." }
        } @else {
            div class="wide" { table {
                thead { tr { th { "Asked for" } th class="n" { "Measured" } th { "Met" } } }
                tbody { @for held in &report.limits {
                    tr {
                        th scope="row" { (held.limit) }
                        td class="n" { (held.measured.as_deref().unwrap_or("nothing to measure")) }
                        td { @if held.met { span class="good" { "met" } } @else { span class="bad" { "missed" } } }
                    }
                } }
            } }
        }
    }
}

/// The stairs, where arrivals go up until a limit is missed: the last ones, since those are asked for.
pub fn stairs(run: &Run) -> Markup {
    let last = run.stairs.len().saturating_sub(STAIRS);
    let shown = run.stairs.get(last..).unwrap_or_default();
    html! {
        @if !shown.is_empty() {
            h2 { "Stairs" }
            div class="wide" { table {
                thead { tr { th { "Journeys a second" } th { "From" } th { "Held" } } }
                tbody { @for stair in shown {
                    tr {
                        th scope="row" { (rate(stair.journeys_per_sec)) }
                        td { (span(stair.from_secs)) }
                        td { @if stair.missed.is_empty() { span class="good" { "held" } } @else { span class="bad" { (stair.missed.join("; ")) } } }
                    }
                } }
            } }
        }
    }
}

/// Times of each call: corrected, and raw below in small.
pub fn times(run: &Run) -> Markup {
    let quantiles = [0.5, 0.9, 0.99, 0.999];
    html! {
        h2 { "Times" }
        p class="soft" { "From when a call was due until its answer was whole. In small: from when it was really sent, which is what a tool would show that waits for one answer before it sends the next." }
        div class="wide" { table {
            thead { tr { th { "Call" } th class="n" { "Answered" } th class="n" { "p50" } th class="n" { "p90" } th class="n" { "p99" } th class="n" { "p99.9" } th class="n" { "Max" } } }
            tbody { @for calls in run.calls.iter().filter(|calls| !calls.times.is_empty()) {
                tr {
                    th scope="row" { (calls.name) small { (calls.campaign) } }
                    td class="n" { (count(calls.times.len())) }
                    @for share in quantiles {
                        td class="n" { (ms(calls.times.quantile_ms(share))) small { (ms(calls.raw.quantile_ms(share))) } }
                    }
                    td class="n" { (ms(calls.times.max_ms())) small { (ms(calls.raw.max_ms())) } }
                }
            } }
        } }
    }
}

/// Outcomes by what they mean.
pub fn outcomes(run: &Run) -> Markup {
    html! {
        h2 { "Outcomes" }
        div class="wide" { table {
            thead { tr { th { "Call" } th { "Answer" } th { "Counts as" } th class="n" { "How often" } th class="n" { "Share" } } }
            tbody { @for calls in &run.calls { (of_call(calls)) } }
        } }
    }
}

fn of_call(calls: &Calls) -> Markup {
    let all: u64 = calls.meanings.values().map(|meaning| meaning.count).sum();
    let mut sorted: Vec<_> = calls.meanings.iter().collect();
    sorted.sort_by_key(|(_, meaning)| std::cmp::Reverse(meaning.count));
    html! {
        @for (at, (name, meaning)) in sorted.into_iter().enumerate() {
            tr {
                th scope="row" { @if at == 0 { (calls.name) small { (calls.campaign) } } }
                td { (name) }
                td { span class=(if meaning.verdict == "failed" { "bad" } else if meaning.verdict == "limited" { "warn" } else { "" }) { (meaning.verdict) } }
                td class="n" { (count(meaning.count)) }
                td class="n" { (part(meaning.count, all)) }
            }
        }
    }
}

/// How the generator did.
pub fn generator(run: &Run) -> Markup {
    let one = &run.generator;
    let cores = if run.secs > 0.0 {
        one.cpu_secs / run.secs
    } else {
        0.0
    };
    let machine = &run.machine;
    html! {
        h2 { "Generator" }
        p { @match (&one.fell_behind, &one.strained) {
            (Some(why), _) => { span class="bad" { "It fell behind: " } (why) }
            (None, Some(what)) => { span class="warn" { "It kept up, just. " } (what) }
            (None, None) => { "It kept up: every call went out when it was due, but for the lag below." }
        } }
        div class="wide" { table { tbody {
            (row("Calls due, sent, never sent", &format!("{}, {}, {}", count(one.asked), count(one.sent), count(one.unsent))))
            (row("Lag p50, p99, max", &format!("{}, {}, {}", ms(one.lag.quantile_ms(0.5)), ms(one.lag.quantile_ms(0.99)), ms(one.lag.max_ms()))))
            (row("CPU", &format!("{} cores of {} ({} threads)", short(cores), machine.cores, one.threads)))
            (row("Memory", &format!("{} MB at most", short(one.memory_mb))))
            (row("Connections", &format!("{} at most, {} made", count(one.connections), count(one.connects))))
            (row("Machine", &format!("{}, {} cores, {} MB, {}; load {} as it began", machine.cpu, machine.cores, count(machine.memory_mb), machine.system, short(machine.load))))
        } } }
    }
}

/// A line of a table with a name and a figure.
pub fn row(name: &str, figure: &str) -> Markup {
    html! { tr { th scope="row" { (name) } td { (figure) } } }
}

/// The target's side.
pub fn server(report: &Report) -> Markup {
    let Some(server) = &report.server else {
        return html! {};
    };
    let during = || {
        server
            .looks
            .iter()
            .filter(|look| (0.0..=report.run.secs).contains(&look.at_secs))
    };
    let most = |of: fn(&crate::server::Look) -> Option<f64>| {
        during()
            .filter_map(of)
            .fold(None, |most: Option<f64>, one| {
                Some(most.map_or(one, |most| most.max(one)))
            })
    };
    let said = |figure: Option<f64>, unit: &str| {
        figure.map_or_else(
            || "not told".to_owned(),
            |figure| format!("{} {unit}", short(figure)),
        )
    };
    html! {
        h2 { "The target's side" }
        p class="soft" { "From " (server.from) ", " (count(server.looks.len() as u64)) " looks" @if server.failed > 0 { ", " (count(server.failed)) " of them without an answer" } "." }
        div class="wide" { table { tbody {
            @for (name, value) in &server.about { (row(name, value)) }
            (row("CPU at most", &said(most(|look| look.cpu), "cores")))
            (row("Memory at most", &said(most(|look| look.memory_mb), "MB")))
            (row("Commits a second at most", &said(most(|look| look.commits_per_sec), "/s")))
            (row("Slowest mean commit", &said(most(|look| look.commit_ms), "ms")))
            (row("Calls shed at most", &said(most(|look| look.shed_per_sec), "/s")))
        } } }
    }
}

/// The search for the highest rate.
pub fn found(report: &Report) -> Markup {
    let Some(found) = &report.found else {
        return html! {};
    };
    html! {
        h2 { "The most it takes" }
        p { @match found.most_per_sec {
            Some(most) => { b { (short(most)) " calls a second" } " met all limits. " }
            None => { b { "No rate that was tried met all limits. " } }
        } (found.because) }
        div class="wide" { table {
            thead { tr { th class="n" { "Journeys/s" } th class="n" { "Calls/s due" } th class="n" { "answered" } th class="n" { "p99" } th class="n" { "Target CPU" } th class="n" { "Generator CPU" } th { "Missed" } } }
            tbody { @for one in &found.tries { tr {
                td class="n" { (short(one.journeys_per_sec)) }
                td class="n" { (short(one.asked_per_sec)) }
                td class="n" { (short(one.answered_per_sec)) }
                td class="n" { (ms(one.p99_ms)) }
                td class="n" { (one.server_cpu.map_or_else(|| "\u{2013}".to_owned(), short)) }
                td class="n" { (short(one.generator_cpu)) }
                td { @if one.missed.is_empty() { span class="good" { "none" } } @else { (one.missed.join("; ")) } }
            } } }
        } }
    }
}

/// What campaigns will need.
pub fn capacity(report: &Report) -> Markup {
    html! {
        @if !report.capacity.is_empty() { h2 { "Capacity and cost" } }
        @for one in &report.capacity {
            h3 { (one.campaign) }
            div class="wide" { table { tbody {
                (row("Peak", &format!("{} calls a second: {}", short(one.peak_per_sec), one.peak_from)))
                (row("Calls in all", &count(one.calls.max(0.0).round() as u64)))
                (row("CPU for a call", &known(one.cpu_ms_per_call, "ms")))
                (row("Instances at the peak", &format!("{}, loaded to at most {}", instances(one.instances), percent(one.utilisation))))
                (row("Memory of one", &known(one.memory_mb, "MB")))
                (row("Functions billed", &known(one.function_secs, "s")))
            } } }
            @for price in &one.prices {
                div class="wide" { table {
                    caption { (price.table) }
                    tbody {
                        @for (what, how_much, money) in &price.parts { tr { th scope="row" { (what) } td class="n" { (how_much) } td class="n" { (money) " " (price.currency) } } }
                        tr { th scope="row" { b { "In all" } } td {} td class="n" { b { (price.total) " " (price.currency) } } }
                    }
                } }
            }
            @if !one.assumed.is_empty() { p class="soft" { "Assumed:" } ul class="soft" { @for assumed in &one.assumed { li { (assumed) } } } }
        }
    }
}

/// Why a figure is not there.
const UNSEEN: &str = "not known, since the target's side was not seen";

/// A figure that is there only where the target's side was seen.
fn known(figure: impl Into<Option<f64>>, unit: &str) -> String {
    let figure = figure.into();
    figure.map_or_else(
        || UNSEEN.to_owned(),
        |figure| format!("{} {unit}", short(figure)),
    )
}

fn instances(many: impl Into<Option<u32>>) -> String {
    let many = many.into();
    many.map_or_else(|| UNSEEN.to_owned(), |many| count(u64::from(many)))
}
