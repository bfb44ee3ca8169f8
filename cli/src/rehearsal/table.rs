//! A rehearsal for people: the verdict first, then forecast and outcome side by side.

use std::fmt::Write as _;

use super::Rehearsal;
use super::compare::{Figure, Kind};
use crate::columns::columns;
use crate::forecast::words::{band, count, money, range};

/// The page.
pub fn table(rehearsal: &Rehearsal) -> String {
    let forecast = &rehearsal.forecast;
    let (plan, definition) = (&forecast.plan, &forecast.plan.definition);
    let mut page = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        page,
        "{}/{}, edition {}: rehearsed with {} people over {} days",
        definition.tenant,
        definition.campaign,
        definition.edition,
        count(u64::from(plan.users)),
        forecast.days.len()
    );
    let truth = if rehearsal.is_true() {
        "The books are true."
    } else {
        "THE BOOKS ARE NOT TRUE."
    };
    let surprises: Vec<&str> = rehearsal
        .surprises()
        .map(|figure| figure.name.as_str())
        .collect();
    let outcome = if surprises.is_empty() {
        "It came as forecast.".to_owned()
    } else {
        format!("It did not come as forecast: {}.", surprises.join(", "))
    };
    let _ = writeln!(page, "{truth} {outcome}\n");
    for (kind, head) in [
        (Kind::People, "People"),
        (Kind::Reward, "Rewards"),
        (Kind::Cost, "Cost"),
        (Kind::Day, "Day by day"),
        (Kind::Rejection, "Rejections"),
    ] {
        let rows: Vec<Vec<String>> = figures(rehearsal, kind)
            .map(|figure| row(rehearsal, figure))
            .collect();
        if rows.is_empty() {
            continue;
        }
        let title = if kind.is_money() {
            format!("{head} ({})", definition.currency.code)
        } else {
            head.to_owned()
        };
        let _ = writeln!(page, "{title}");
        for line in columns(&["what", "forecast", "came", ""], &rows) {
            let _ = writeln!(page, "  {}", line.trim_end());
        }
        page.push('\n');
    }
    truths(rehearsal, &mut page);
    let told = &rehearsal.told;
    let _ = writeln!(
        page,
        "\n  {} calls, {} of them sent again for their answer, {} put off by a rate limit; {} rows, {} draws; {:.1} s",
        count(told.calls),
        count(told.replayed),
        count(told.put_off),
        count(rehearsal.books.rows),
        count(rehearsal.books.draws),
        rehearsal.secs
    );
    let _ = writeln!(
        page,
        "  (forecast: the middle one of {} runs, seed {}; {}. A figure holds within that range widened by its own width, or by what\n  chance does to a count or the dearest reward given to a sum, whichever is more.)",
        plan.runs,
        plan.seed,
        range(plan.runs)
    );
    page
}

fn figures(rehearsal: &Rehearsal, kind: Kind) -> impl Iterator<Item = &Figure> {
    rehearsal
        .figures
        .iter()
        .filter(move |figure| figure.kind == kind)
}

fn row(rehearsal: &Rehearsal, figure: &Figure) -> Vec<String> {
    let currency = &rehearsal.forecast.plan.definition.currency;
    let say = |value: i64| {
        if figure.kind.is_money() {
            money(currency, value)
        } else {
            count(value.unsigned_abs())
        }
    };
    let holds = if figure.holds() {
        ""
    } else {
        "<- not as forecast"
    };
    vec![
        figure.name.clone(),
        band(figure.forecast, say),
        say(figure.came),
        holds.to_owned(),
    ]
}

fn truths(rehearsal: &Rehearsal, page: &mut String) {
    let truth = &rehearsal.truth;
    let currency = &rehearsal.forecast.plan.definition.currency;
    let rows = [
        ("oversold", count(truth.oversold)),
        ("given twice", count(truth.doubles)),
        ("beyond the budget", money(currency, truth.over_budget)),
        ("promised and not in the ledger", count(truth.missing)),
        (
            "differences between ledger, counters and records",
            count(truth.differences),
        ),
        (
            "calls that failed, or had another answer when sent again",
            count(truth.failed),
        ),
    ];
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(what, value)| vec![what.to_owned(), value])
        .collect();
    let _ = writeln!(page, "Truth (each must be 0)");
    for line in columns(&["what", "found"], &rows) {
        let _ = writeln!(page, "  {}", line.trim_end());
    }
    for words in &truth.words {
        let _ = writeln!(page, "  ! {words}");
    }
    if let (Some(before), Some(after)) = (&rehearsal.before, &rehearsal.after) {
        let _ = writeln!(
            page,
            "  a call before the opening: {before}; after the end: {after}"
        );
    }
}
