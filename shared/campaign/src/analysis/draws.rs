//! How often a user can draw, and what a draw gives on average.

use blocks::wheel::{KIND, Params, Pity};
use machine::expr::IntExpr;
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
    let mut prices = Vec::new();
    programs::transitions(definition, &mut |transition| {
        let count = transition
            .actions
            .iter()
            .filter(|action| draws(action))
            .count();
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
            (1, 0) => prices.push(taken.sum::<i64>()),
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

/// How likely a draw ends the count of pity; with a wheel without pity, how likely it wins.
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
    let all = shares(params)
        .into_iter()
        .filter(|(reward, _)| wins(*reward));
    all.map(|(_, share)| share).sum()
}

/// What a roll comes up with, pity apart.
fn shares(params: &Params) -> Vec<(u16, f64)> {
    let whole = params.whole.max(1) as f64;
    let taken: u64 = params.slices.iter().map(|slice| slice.parts).sum();
    let slices = params
        .slices
        .iter()
        .map(|slice| (slice.reward, slice.parts));
    let rest = params
        .rest
        .map(|rest| (rest, params.whole.saturating_sub(taken)));
    let all = slices.chain(rest);
    all.map(|(reward, parts)| (reward, parts as f64 / whole))
        .collect()
}

/// What a draw gives on average, pity included, as long as nothing is gone.
pub(super) fn rates(params: &Params, definition: &Definition) -> Vec<(u16, f64)> {
    let mut rates = shares(params);
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
