//! Rewards that are given together: the block `pack`.

use blocks::Promise;
use blocks::pack::{KIND, Params, signature};
use machine::model::RewardKind;

use crate::check::Check;
use crate::codes;
use crate::document::Node;
use crate::source::Place;
use crate::tables::Terms;

/// What `pack` says for all rewards, in the order of the table.
pub(crate) const ALL: &str = "all";

/// Reads the campaign's `pack`, else the one that its activity ships.
pub(crate) fn read(shipped: Option<&Node>, check: &mut Check<'_>) {
    let root = check.root;
    let Some(node) = root.get("pack").or(shipped) else {
        return;
    };
    // What could not be read is reported already: the pack is empty only if nothing was written.
    let written;
    let listed: Vec<(u16, Place)> = if node.scalar() == Some(ALL) {
        let all = check.tables.rewards.iter().enumerate();
        let given = all.filter(|(_, reward)| reward.what.kind != RewardKind::Nothing);
        written = check.out.has_errors();
        given
            .map(|(at, reward)| (at as u16, reward.place.clone()))
            .collect()
    } else {
        let Some(items) = node.list(&mut check.out) else {
            return;
        };
        written = !items.is_empty();
        items
            .iter()
            .filter_map(|item| check.promised(item).map(|at| (at, item.place.clone())))
            .collect()
    };
    check
        .tables
        .given
        .extend(listed.iter().map(|(reward, _)| *reward));
    let place = if root.has("pack") {
        root.key_place("pack")
    } else {
        root.key_place("rewards")
    };
    if listed.is_empty() && !written {
        check
            .out
            .error(codes::NOTHING_GIVEN, place, "there is nothing in the pack")
            .help("name the rewards it gives");
    }
    let mut gives = Vec::new();
    for (reward, place) in listed {
        let id = check
            .tables
            .reward_at(reward)
            .map_or_else(String::new, |reward| format!("pack-{}", reward.id));
        let rule = check
            .tables
            .promise(&id, Vec::new(), Terms::Block, &place, &mut check.out);
        gives.push(Promise { rule, reward });
    }
    check.add_block(KIND, &Params { gives }, signature(), place);
}
