//! The report as one page: no scripts, nothing from elsewhere, light and dark, and fit for A4. The verdict comes first. All that comes from
//! a target or a scenario goes through `maud`, which escapes it.

mod chart;
mod figures;
mod judged;
mod timeline;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Report;
use super::text::span;
use super::verdict::{Says, Verdict};

const STYLE: &str = include_str!("style.css");

/// The page.
pub(super) fn page(report: &Report) -> String {
    let run = &report.run;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (report.verdict.says.words()) ": " (run.scenario) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Load test: " (run.title) }
                    p class="soft" { (run.scenario) " against " (run.target) ", " (run.began_at) ", " (span(run.secs)) }
                }
                (verdict(&report.verdict))
                (figures::tiles(run))
                (figures::limits(report))
                (figures::stairs(run))
                (figures::times(run))
                section {
                    h2 { "Over time" }
                    @for chart in timeline::charts(report) { (chart.draw()) }
                    @let each = timeline::each(run);
                    @if !each.is_empty() {
                        h3 { "Each call: time from due to answered, ms" }
                        div class="each" { @for chart in &each { (chart.draw()) } }
                    }
                }
                (figures::outcomes(run))
                (judged::truth(report))
                (judged::odds(report))
                (figures::found(report))
                (figures::server(report))
                (figures::generator(run))
                (figures::capacity(report))
                (reproduce(report))
                footer { (report.reproduce.program) @if let Some(commit) = &report.reproduce.commit { ", " (commit) } }
            }
        }
    };
    page.into_string()
}

/// Go or no-go, and why.
pub(super) fn verdict(verdict: &Verdict) -> Markup {
    let class = match verdict.says {
        Says::Go => "verdict go",
        Says::NoGo => "verdict no-go",
    };
    html! {
        section class=(class) {
            strong { (verdict.says.words()) }
            @match &*verdict.reasons {
                [only] => p { (only.says) },
                reasons => ol { @for reason in reasons { li { (reason.says) } } },
            }
            @for caution in &verdict.cautions { p class="caution" { (caution) } }
        }
    }
}

fn reproduce(report: &Report) -> Markup {
    let (run, how) = (&report.run, &report.reproduce);
    html! {
        h2 { "How to do it again" }
        pre { (how.command) }
        div class="wide" { table { tbody {
            (figures::row("Scenario", &run.scenario))
            tr { th scope="row" { "Its SHA-256" } td { code { (how.scenario_sha256) } } }
            (figures::row("Seed", &run.seed.to_string()))
            @if let Some((part, of)) = run.part { (figures::row("Part", &format!("{part} of {of}"))) }
            (figures::row("Program", &how.program))
            (figures::row("Commit", how.commit.as_deref().unwrap_or("not told")))
            @for played in &how.campaigns {
                tr { th scope="row" { (played.campaign) } td { "revision " (played.revision) ", " code { (played.digest) } } }
            }
            @for phase in &run.phases {
                tr { th scope="row" { "Phase " (phase.name) } td { "from " (span(phase.from_secs)) " to " (span(phase.to_secs)) } }
            }
        } } }
    }
}
