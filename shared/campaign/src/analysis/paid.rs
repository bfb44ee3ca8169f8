//! Entries that cost something and can still end in a rejection: nothing is lost then, but what was to be spent can't be.

use machine::model::{Action, Definition, RewardKind, Transition};

use crate::codes;
use crate::diagnostic::Diagnostics;

use super::flow::{Found, List};
use super::guards;
use super::places::Places;

/// Reports them.
pub(super) fn report(
    definition: &Definition,
    found: &Found,
    places: Places<'_>,
    out: &mut Diagnostics,
) {
    for ((list, place), tried) in &found.tried {
        // Where time moves the machine, nothing is rejected.
        if !tried.may_fire || matches!(list, List::Always(_) | List::After(_)) {
            continue;
        }
        let transition = guards::transitions(definition, *list);
        let Some(transition) = transition.and_then(|all| all.get(*place).copied()) else {
            continue;
        };
        let Some((paid, reward, why)) = refused(definition, transition) else {
            continue;
        };
        if spent_otherwise(definition, found, paid) {
            continue;
        }
        let Some(paid) = definition.vars.get(usize::from(paid)).map(|var| &var.name) else {
            continue;
        };
        let Some(spot) = places
            .transition(*list, *place)
            .filter(|spot| places.own(spot.item))
        else {
            continue;
        };
        let message = format!("this takes `{paid}`, and is refused where `{reward}` {why}");
        let said = out.warn(codes::PAID_REJECTED, spot.item, message);
        said.help("let something that is never gone stand in for it (`when_gone`, `when_spent`), so that what was earned can be spent");
        let entry = places.root.get("rewards").and_then(|node| {
            super::places::entries(node)
                .iter()
                .find(|entry| entry.name() == reward)
        });
        if let Some(entry) = entry {
            said.related(&entry.key.place, "what may be gone");
        }
    }
}

/// The balance that is taken, the reward that may then be refused, and why.
fn refused<'d>(
    definition: &'d Definition,
    transition: &'d Transition,
) -> Option<(u16, &'d str, &'static str)> {
    let paid = taken(transition).next()?;
    // Once a draw was made nothing is rejected any more.
    let drawn = transition
        .actions
        .last()
        .is_some_and(|action| draws(definition, action));
    let then = transition
        .then
        .iter()
        .flat_map(|(_, branch)| &branch.actions);
    let then = then.filter(|_| !drawn);
    for action in transition.actions.iter().chain(then) {
        let rewards: Vec<u16> = match action {
            Action::Give(give) => vec![give.reward],
            Action::Block { block, .. } => packed(definition, *block),
            _ => continue,
        };
        for reward in rewards {
            if let Some(why) = gone(definition, reward, definition.rewards.len()) {
                let reward = definition.rewards.get(usize::from(reward))?;
                return Some((paid, &reward.id, why));
            }
        }
    }
    None
}

/// The balances that a transition takes from.
fn taken(transition: &Transition) -> impl Iterator<Item = u16> {
    transition.actions.iter().filter_map(|action| match action {
        Action::Take(slot, _) => Some(*slot),
        _ => None,
    })
}

/// Whether another transition takes this balance alone, for something that is never refused: then it can always be spent.
fn spent_otherwise(definition: &Definition, found: &Found, paid: u16) -> bool {
    found.tried.iter().any(|((list, place), tried)| {
        let transition = guards::transitions(definition, *list)
            .and_then(|all| all.get(*place).copied())
            .filter(|_| tried.may_fire);
        transition.is_some_and(|transition| {
            let mut slots = taken(transition);
            slots.next() == Some(paid)
                && slots.all(|slot| slot == paid)
                && refused(definition, transition).is_none()
        })
    })
}

fn draws(definition: &Definition, action: &Action) -> bool {
    let Action::Block { block, .. } = action else {
        return false;
    };
    let Some(spec) = definition.blocks.get(usize::from(*block)) else {
        return false;
    };
    match spec.kind.as_str() {
        blocks::wheel::KIND => true,
        // What only some days draw is no reason to be silent about the others.
        blocks::streak::KIND => serde_json::from_str::<blocks::streak::Params>(&spec.params)
            .is_ok_and(|params| {
                let mut lots = params.lots.iter();
                lots.any(|lot| lot.due == blocks::streak::Due::EachDay)
            }),
        _ => false,
    }
}

/// What a pack gives; nothing for another block, which leaves out what is gone.
fn packed(definition: &Definition, block: u16) -> Vec<u16> {
    let spec = definition.blocks.get(usize::from(block));
    let Some(spec) = spec.filter(|spec| spec.kind == blocks::pack::KIND) else {
        return Vec::new();
    };
    let params: Option<blocks::pack::Params> = serde_json::from_str(&spec.params).ok();
    params.map_or_else(Vec::new, |params| params.rewards().collect())
}

/// Why a reward, and all that stands in for it, may be gone; nothing if something is always there.
fn gone(definition: &Definition, reward: u16, links: usize) -> Option<&'static str> {
    let found = definition.rewards.get(usize::from(reward))?;
    if found.kind == RewardKind::Nothing || links == 0 {
        return Some("is gone");
    }
    let next = |to: Option<u16>, why: &'static str| match to {
        None => Some(why),
        Some(to) => gone(definition, to, links - 1).map(|_| why),
    };
    let stock = found
        .stock
        .and_then(|_| next(found.when_gone, "is sold out"));
    let had = || {
        found
            .per_user
            .and_then(|_| next(found.when_gone, "was given as often as it may be"))
    };
    let spent = || {
        let budget = definition.budget.as_ref().filter(|_| found.cost > 0)?;
        next(budget.when_spent, "costs more than the budget has left")
    };
    stock.or_else(had).or_else(spent)
}
