//! Rewards that are given together: the block `pack`.

use blocks::Promise;
use blocks::pack::{KIND, Params, signature};
use machine::model::RewardKind;

use crate::check::Check;
use crate::codes;
use crate::source::Place;
use crate::tables::Terms;

/// The activity that packs all its rewards unless told otherwise.
const PACKS_ALL: &str = "gift-pack";

pub(crate) fn read(activity: &str, check: &mut Check<'_>) {
    let root = check.root;
    let listed: Vec<(u16, Place)> = match root.get("pack") {
        Some(node) => {
            let Some(items) = node.list(&mut check.out) else {
                return;
            };
            items
                .iter()
                .filter_map(|item| check.promised(item).map(|at| (at, item.place.clone())))
                .collect()
        }
        None if activity == PACKS_ALL => {
            let all = check.tables.rewards.iter().enumerate();
            let given = all.filter(|(_, reward)| reward.what.kind != RewardKind::Nothing);
            given
                .map(|(at, reward)| (at as u16, reward.place.clone()))
                .collect()
        }
        None => return,
    };
    let place = if root.has("pack") {
        root.key_place("pack")
    } else {
        root.key_place("rewards")
    };
    if listed.is_empty() {
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
