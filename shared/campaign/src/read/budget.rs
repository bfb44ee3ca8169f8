//! The cap on the summed cost of what is given.

use machine::model::Budget;

use crate::check::Check;
use crate::codes;
use crate::document::{Key, Keys, Shape};

/// The keys of `budget`.
pub(crate) static KEYS: Keys = Keys {
    name: "budget",
    doc: "The cap on the summed cost of what is given.",
    keys: &[
        Key::required("total", Shape::Money, "The most in all."),
        Key::optional("per_day", Shape::Money, "The most on one calendar day."),
        Key::optional(
            "when_spent",
            Shape::Id,
            "The reward that is given instead once it is spent; it must cost nothing.",
        ),
    ],
};

pub(crate) fn read(check: &mut Check<'_>) -> Option<Budget> {
    let fields = check.root.get("budget")?.fields(&KEYS, &mut check.out)?;
    let digits = check.input.tenant.currency.digits;
    let total_node = fields.get("total")?;
    let total = total_node.decimal(digits, &mut check.out);
    let per_day = fields
        .get("per_day")
        .and_then(|node| node.decimal(digits, &mut check.out));
    let when_spent = fields
        .get("when_spent")
        .and_then(|node| check.reward(node).map(|reward| (node, reward)));
    if let Some((node, reward)) = when_spent {
        costs_nothing(node, reward, check);
    }
    let total = total?;
    if total == 0 {
        check
            .out
            .error(
                codes::NEVER_REACHED,
                &total_node.place,
                "a budget of nothing pays for nothing",
            )
            .help("leave `budget` out for no cap");
    }
    let least = per_day.map_or(total, |per_day| per_day.min(total));
    for reward in &check.tables.rewards {
        if reward.what.cost > least && total > 0 {
            let money = |minor| check.input.tenant.currency.decimal(minor);
            check.out.warn(
                codes::BUDGET_TOO_SMALL,
                &reward.place,
                format!(
                    "`{}` costs {}: more than the budget of {} ever has",
                    reward.what.id,
                    money(reward.what.cost),
                    money(least)
                ),
            );
        }
    }
    Some(Budget {
        total,
        per_day,
        when_spent: when_spent.map(|(_, reward)| reward),
    })
}

/// What stands in for the budget costs nothing, and neither does what stands in for that.
fn costs_nothing(node: &crate::document::Node, first: u16, check: &mut Check<'_>) {
    let mut at = Some(first);
    // Chains were checked to end; the bound is for those that were not.
    for _ in 0..check.tables.rewards.len() {
        let Some(reward) = at.and_then(|at| check.tables.reward_at(at)) else {
            return;
        };
        if reward.cost > 0 {
            let message = if at == Some(first) {
                format!(
                    "`{}` costs something itself, so it can't be paid for when the budget is spent",
                    reward.id
                )
            } else {
                format!(
                    "`{}` stands in for it when it is gone, and costs something: nobody could pay for it",
                    reward.id
                )
            };
            check
                .out
                .error(codes::WHEN_SPENT_COSTS, &node.place, message)
                .help("name a reward without `cost`");
            return;
        }
        at = reward.when_gone;
    }
}
