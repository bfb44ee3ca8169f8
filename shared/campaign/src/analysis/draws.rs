//! How often a user can draw, and what a draw gives on average.

use blocks::wheel::{KIND, Odds, Params, Pity};
use machine::expr::{Expr, IntExpr};
use machine::model::{Action, Definition, RewardKind};

use super::figures::Figures;
use super::programs;
use super::ranges::{self, Kind};

/// What a draw costs, where each takes the same number of chances; nothing where some take none, or what can't be told.
pub(super) fn price(figures: Figures<'_>) -> Option<i64> {
    let definition = figures.definition;
    let wheel = block(definition, KIND)?;
    let chances = block(definition, blocks::chances::KIND)?;
    let spec = definition.blocks.get(usize::from(chances))?;
    let balance = *spec.vars.first()?;
    let draws = |action: &Action| matches!(action, Action::Block { block, .. } if *block == wheel);
    let times = |action: &&Action| match action {
        Action::Block { args, .. } => match args.as_slice() {
            [] => 1,
            [Expr::Int(IntExpr::Lit(times))] => *times,
            // More than can be told: no price.
            _ => i64::MAX,
        },
        _ => 1,
    };
    let mut prices = Vec::new();
    programs::transitions(definition, &mut |transition| {
        let made = transition.actions.iter().filter(|action| draws(action));
        let (count, times) = (made.clone().count(), made.map(|each| times(&each)).sum::<i64>());
        let then = transition
            .then
            .iter()
            .flat_map(|(_, branch)| &branch.actions);
        let more = then.filter(|action| draws(action)).count();
        let taken = transition.actions.iter().filter_map(|action| match action {
            Action::Take(slot, IntExpr::Lit(amount)) if *slot == balance => Some(*amount),
            _ => None,
        });
        match (count, more) {
            (0, 0) => {}
            (1, 0) => {
                let taken = taken.sum::<i64>();
                prices.push(if taken % times == 0 { taken / times } else { 0 });
            }
            _ => prices.push(0),
        }
    });
    let alone = definition.machine.states.iter();
    let alone = alone.flat_map(|state| state.entry.iter().chain(&state.exit));
    if alone.into_iter().any(draws) {
        return None;
    }
    let first = *prices.first()?;
    (first > 0 && prices.iter().all(|price| *price == first)).then_some(first)
}

/// The most draws of one user within the window, where only the days give chances.
pub(super) fn most(figures: Figures<'_>) -> Option<i64> {
    let price = price(figures)?;
    let chances = block(figures.definition, blocks::chances::KIND)?;
    let spec = figures.definition.blocks.get(usize::from(chances))?;
    let balance = *spec.vars.first()?;
    let tasks = ranges::earned(figures.definition);
    let mut earned = tasks.iter().any(|(slot, _)| *slot == balance);
    programs::actions(figures.definition, &mut |action| {
        earned |= matches!(action, Action::Add(slot, _) if *slot == balance);
    });
    let Kind::Chances(params) = figures.kinds.get(usize::from(chances))? else {
        return None;
    };
    let all = params
        .each_day
        .saturating_mul(figures.length())
        .saturating_add(params.first_visit);
    (!earned).then_some(all / price)
}

/// How likely a draw ends the count of pity; with a wheel without pity, how likely it wins. Where the first draws have other odds,
/// by those that do so least.
pub(super) fn over(params: &Params, definition: &Definition) -> f64 {
    let wins = |reward: u16| match &params.pity {
        Some(Pity {
            any_win: false,
            reward: wanted,
            ..
        }) => reward == *wanted,
        _ => definition
            .rewards
            .get(usize::from(reward))
            .is_some_and(|reward| reward.kind != RewardKind::Nothing),
    };
    let all = params.all_odds().map(|odds| {
        let won = shares(odds).into_iter().filter(|(reward, _)| wins(*reward));
        won.map(|(_, share)| share).sum()
    });
    all.fold(1.0, f64::min)
}

/// What a roll comes up with, pity apart.
fn shares(odds: Odds<'_>) -> Vec<(u16, f64)> {
    let whole = odds.whole.max(1) as f64;
    let share = |(reward, parts): (u16, u64)| (reward, parts as f64 / whole);
    odds.parts().map(share).collect()
}

/// What a draw gives on average, pity included, as long as nothing is gone; nothing where that differs from draw to draw.
pub(super) fn rates(params: &Params, definition: &Definition) -> Vec<(u16, f64)> {
    if !params.tiers.is_empty() {
        return Vec::new();
    }
    let mut rates = shares(params.odds());
    let Some(pity) = &params.pity else {
        return rates;
    };
    let over = over(params, definition);
    let reached = (1.0 - over).max(0.0).powf(f64::from(pity.losses));
    // Draws from one end of the count to the next: those before pity, and pity's own.
    let before = if over > 0.0 {
        (1.0 - reached) / over
    } else {
        f64::from(pity.losses)
    };
    let by_pity = reached / (before + reached);
    for (_, rate) in &mut rates {
        *rate *= 1.0 - by_pity;
    }
    rates.push((pity.reward, by_pity));
    rates
}

fn block(definition: &Definition, kind: &str) -> Option<u16> {
    let at = definition
        .blocks
        .iter()
        .position(|spec| spec.kind == kind)?;
    u16::try_from(at).ok()
}
