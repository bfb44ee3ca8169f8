//! What the judge found, as tables: the truth, and how draws came up.

use maud::{Markup, html};

use super::super::text::{count, part, short, some};
use crate::judge::Example;
use crate::judge::odds::Odds;
use crate::judge::truth::{Basis, Truth};
use crate::report::Report;

/// The truth.
pub fn truth(report: &Report) -> Markup {
    html! {
        h2 { "Truth" }
        @match &report.truth {
            Some(truth) => (table(truth)),
            None => p class="bad" { "Not judged: " (report.unjudged.as_deref().unwrap_or("no reason is given")) }
        }
    }
}

fn table(truth: &Truth) -> Markup {
    let unknown = &truth.unknown;
    html! {
        p class="soft" { @match truth.basis {
            Basis::Ledger => "An independent judge kept books of every answer and held them against the target's ledger and counters.",
            Basis::Answers => "An independent judge kept books of every answer and held them against some users\u{2019} /grants. It had no ledger: what needs one is not judged.",
        } }
        div class="wide" { table {
            thead { tr { th { "Must be 0" } th class="n" { "Found" } th { "Looked at" } } }
            tbody { @for check in &truth.checks { tr {
                th scope="row" { (check.id.title()) @for example in &check.examples { (fault(example)) } }
                @match &check.not_made {
                    Some(why) if check.faults == 0 => { td class="n soft" { "not judged" } td class="soft" { (why) } }
                    _ => {
                        td class="n" { @if check.faults == 0 { span class="good" { "0" } } @else { span class="bad" { (count(check.faults)) } } }
                        td { (count(check.looked_at)) " " (check.id.of()) }
                    }
                }
            } } }
        } }
        @if unknown.keys > 0 {
            p class="soft" {
                (count(unknown.keys)) " calls have an unknown outcome: every try was lost or answered with 5xx. "
                @if let Some(done) = unknown.done { "The ledger shows " (count(done)) " of them done. " }
                "That is no fault: users were told to ask again with the same key."
            }
        }
        @if let Some(late) = unknown.refused_and_done.filter(|late| *late > 0) {
            p class="soft" { (count(late)) " calls were refused when they came again, and the try that was lost was done after that." }
        }
    }
}

fn fault(example: &Example) -> Markup {
    html! { small {
        (example.campaign) ": " (example.says)
        @for (what, id) in &example.ids { "; " (what) " " code { (id) } }
    } }
}

/// How draws came up.
pub fn odds(report: &Report) -> Markup {
    html! {
        @if !report.odds.is_empty() {
            h2 { "Odds" }
            p class="soft" { "What came up in the draws of this run, before anything was found to be gone or had, and without what pity decided, against the odds of the public page: Pearson\u{2019}s chi-square test. A p-value below 0.001 is a warning: one sound wheel in a thousand has one." }
            @for odds in &report.odds { (wheel(odds)) }
        }
    }
}

fn wheel(odds: &Odds) -> Markup {
    html! {
        h3 { (odds.campaign) ", " (odds.wheel) @if let Some(tier) = odds.tier { ", tier " (tier) } }
        p { @match (&odds.test, &odds.not_made) {
            (Some(test), _) => {
                "n = " (count(odds.n)) ", "
                @match test.chi_square {
                    Some(chi_square) => { "\u{3c7}\u{b2} = " (format!("{chi_square:.2}")) " with " (some(u64::from(test.freedom), "degree", "degrees")) " of freedom, " }
                    None => { "something came up that cannot, " }
                }
                span class=(if odds.suspect() { "warn" } else { "good" }) { (p(test.p)) }
                @if !odds.pooled.is_empty() { ". Tested as one, since few were expected of each: " (odds.pooled.join(", ")) }
                "."
            }
            (None, Some(why)) => { "Not tested: " (why) "." }
            (None, None) => {}
        } }
        @if !odds.prizes.is_empty() { div class="wide" { table {
            thead { tr { th { "Prize" } th class="n" { "Odds" } th class="n" { "Expected" } th class="n" { "Came up" } th class="n" { "Share" } } }
            tbody { @for prize in &odds.prizes { tr {
                th scope="row" { (prize.reward) }
                td class="n" { (count(prize.parts)) " of " (count(prize.of)) }
                td class="n" { (if prize.expected >= 1000.0 { count(prize.expected.round() as u64) } else { short(prize.expected) }) }
                td class="n" { (count(prize.drawn)) }
                td class="n" { (part(prize.drawn, odds.n)) }
            } } }
        } } }
    }
}

/// A p-value, as far as it says something.
fn p(value: f64) -> String {
    if value < 0.0001 {
        "p < 0.0001".to_owned()
    } else {
        format!("p = {value:.4}")
    }
}
