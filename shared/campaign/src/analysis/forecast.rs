//! What the expected traffic makes of stock and budget: the day on which either is used up, if that is before the end.
//! Averages over an even traffic; the simulator knows more, and takes longer.

use blocks::streak::Due;
use machine::calendar::date;
use machine::model::{Action, Definition};

use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::read::expected::Expected;

use super::draws;
use super::figures::Figures;
use super::programs;
use super::ranges::Kind;

/// Reports them.
pub(super) fn report(expected: Expected, figures: Figures<'_>, out: &mut Diagnostics) {
    let visits = expected.visits_per_day.saturating_mul(figures.length());
    if visits < expected.users {
        let message = format!(
            "{} visits a day are {visits} in the whole window: {} users can't all have been there",
            expected.visits_per_day, expected.users
        );
        out.warn(
            codes::LIMITS_CANCEL,
            figures.place(&["expected", "visits_per_day"]),
            message,
        )
        .help("a visit is one user on one day: raise it, or lower `users`");
        return;
    }
    tiers(figures, out);
    let wanted = wanted(expected, figures);
    stock(&wanted, figures, out);
    budget(&wanted, figures, out);
}

/// Says of wheels whose odds change from draw to draw that their part is not in the figures: how many draws fall into which tier depends on
/// how the draws spread over people, and an average does not know that.
fn tiers(figures: Figures<'_>, out: &mut Diagnostics) {
    let tiered = figures
        .kinds
        .iter()
        .any(|kind| matches!(kind, Kind::Wheel(params) if !params.tiers.is_empty()));
    let definition = figures.definition;
    let limited = definition.budget.is_some()
        || definition
            .rewards
            .iter()
            .any(|reward| reward.stock.is_some());
    if tiered && limited {
        let place = figures.place(&["expected"]);
        out.note(
            codes::TIERS_NOT_FORECAST,
            place,
            "what the draws take of stock and budget is not in this forecast: their odds differ by tier",
        )
        .help("`gala simulate` plays every draw with the odds it has");
    }
}

/// How many of each reward an average day asks for.
fn wanted(expected: Expected, figures: Figures<'_>) -> Vec<f64> {
    let (users, visits) = (expected.users as f64, expected.visits_per_day as f64);
    let newcomers = users / figures.length().max(1) as f64;
    let mut wanted = vec![0.0; figures.definition.rewards.len()];
    let mut want = |reward: u16, rate: f64| {
        if let Some(known) = wanted.get_mut(usize::from(reward)) {
            *known += rate;
        }
    };
    let used = used(figures.definition);
    let chances = figures.kinds.iter().find_map(|kind| match kind {
        Kind::Chances(params) => Some(params),
        _ => None,
    });
    for (at, kind) in figures.kinds.iter().enumerate() {
        if !used.contains(&(at as u16)) {
            continue;
        }
        match kind {
            Kind::Wheel(params) => {
                // Without a price nobody can tell how often people draw.
                let (Some(price), Some(chances)) = (draws::price(figures), chances) else {
                    continue;
                };
                let daily =
                    newcomers * chances.first_visit as f64 + visits * chances.each_day as f64;
                for (reward, rate) in draws::rates(params, figures.definition) {
                    want(reward, rate * daily / price as f64);
                }
            }
            Kind::Days(params) => {
                for promise in &params.each_day {
                    want(promise.reward, visits);
                }
                let each = params.lots.iter().filter(|lot| lot.due == Due::EachDay);
                for lot in each {
                    for (reward, parts) in lot.odds.odds().parts() {
                        let rate = parts as f64 / lot.odds.whole.max(1) as f64;
                        want(reward, visits * rate);
                    }
                }
            }
            Kind::Chances(_) => {}
            Kind::Other => {
                let spec = figures.definition.blocks.get(at);
                let pack = spec.filter(|spec| spec.kind == blocks::pack::KIND);
                let params = pack.and_then(|spec| {
                    serde_json::from_str::<blocks::pack::Params>(&spec.params).ok()
                });
                for promise in params.iter().flat_map(blocks::pack::Params::first) {
                    want(promise.reward, newcomers);
                }
            }
        }
    }
    wanted
}

/// The blocks that act somewhere.
fn used(definition: &Definition) -> Vec<u16> {
    let mut used = Vec::new();
    programs::actions(definition, &mut |action| {
        if let Action::Block { block, .. } = action {
            used.push(*block);
        }
    });
    used
}

fn stock(wanted: &[f64], figures: Figures<'_>, out: &mut Diagnostics) {
    let definition = figures.definition;
    let (first, length) = (*figures.days().start(), figures.length());
    for (reward, wanted) in definition.rewards.iter().zip(wanted) {
        let Some(stock) = reward.stock else { continue };
        let lasts = (f64::from(stock) / wanted).ceil();
        if *wanted <= 0.0 || lasts >= length as f64 {
            continue;
        }
        let last = first.saturating_add(lasts as i32 - 1);
        let close = definition.calendar.start_of(last.saturating_add(1));
        // Units that are set free later last longer.
        if reward
            .release
            .as_ref()
            .is_some_and(|release| release.by(close) < stock)
        {
            continue;
        }
        let place = figures.place(&["rewards", &reward.id, "stock"]);
        let message = format!(
            "at the expected figures the {stock} units of `{}` are gone on {}, {} before the end: {:.1} a day are wanted",
            reward.id,
            date(last),
            days(length - lasts as i64),
            wanted
        );
        match reward
            .when_gone
            .and_then(|at| definition.rewards.get(usize::from(at)))
        {
            None => out
                .warn(codes::RUNS_OUT, place, message)
                .help("raise `stock`, lower the odds, or say what is given then (`when_gone`)"),
            Some(other) => out
                .note(codes::STANDS_IN, place, message)
                .help(format!("from then on `{}` is given instead", other.id)),
        }
        .related(figures.place(&["expected"]), "what is expected");
    }
}

fn budget(wanted: &[f64], figures: Figures<'_>, out: &mut Diagnostics) {
    let definition = figures.definition;
    let Some(budget) = &definition.budget else {
        return;
    };
    let mut left: Vec<f64> = definition
        .rewards
        .iter()
        .map(|reward| reward.stock.map_or(f64::INFINITY, f64::from))
        .collect();
    let money = |minor: f64| definition.currency.decimal(minor.round() as i64);
    let (mut spent, mut daily) = (0.0, None);
    for passed in 0..figures.length() {
        let mut today = 0.0;
        for ((reward, wanted), left) in definition.rewards.iter().zip(wanted).zip(&mut left) {
            let given = wanted.min(*left);
            *left -= given;
            today += given * reward.cost as f64;
        }
        let first = *daily.get_or_insert(today);
        if let Some(cap) = budget
            .per_day
            .map(|cap| cap as f64)
            .filter(|cap| first > *cap)
        {
            let message = format!(
                "at the expected figures a day costs {}, and {} of it are paid",
                money(first),
                money(cap)
            );
            tell(message, "per_day", figures, out);
            return;
        }
        spent += today;
        if spent > budget.total as f64 {
            let day = date(figures.days().start().saturating_add(passed as i32));
            let message = format!(
                "at the expected figures the budget is spent on {day}, {} before the end: a day costs {}",
                days(figures.length() - passed - 1),
                money(first)
            );
            tell(message, "total", figures, out);
            return;
        }
    }
}

fn tell(message: String, key: &str, figures: Figures<'_>, out: &mut Diagnostics) {
    let place = figures.place(&["budget", key]);
    let budget = figures.definition.budget.as_ref();
    let instead = budget.and_then(|budget| budget.when_spent);
    match instead.and_then(|at| figures.definition.rewards.get(usize::from(at))) {
        None => out
            .warn(codes::BUDGET_SPENT, place, message)
            .help("raise it, lower the odds, or say what is given then (`when_spent`)"),
        Some(other) => out
            .note(codes::STANDS_IN, place, message)
            .help(format!("from then on `{}` is given instead", other.id)),
    }
    .related(figures.place(&["expected"]), "what is expected");
}

fn days(count: i64) -> String {
    match count {
        0 => "not a day".to_owned(),
        1 => "a day".to_owned(),
        _ => format!("{count} days"),
    }
}
