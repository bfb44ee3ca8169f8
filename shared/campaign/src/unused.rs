//! What was written and does nothing: warnings, since a file under work has such parts, and ops staff should see them
//! before they launch.

use machine::model::{Budget, RewardKind};

use crate::check::Check;
use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::tables::{MOST_VARS, Tables};

/// Reports all of it, and a record that has grown too large.
pub(crate) fn report(check: &mut Check<'_>, budget: Option<&Budget>) {
    rewards(&check.tables, budget, &mut check.out);
    blocks(&check.tables, &mut check.out);
    events(&check.tables, &mut check.out);
    let vars = check.tables.vars.len();
    if vars > MOST_VARS {
        let message = format!(
            "a record holds at most {MOST_VARS} variables, blocks and counts included: this one needs {vars}"
        );
        check
            .out
            .error(codes::TOO_MANY, &check.root.node.place, message);
    }
}

fn rewards(tables: &Tables, budget: Option<&Budget>, out: &mut Diagnostics) {
    for (at, reward) in tables.rewards.iter().enumerate() {
        let id = &reward.what.id;
        if !tables.given.contains(&(at as u16)) {
            out.warn(
                codes::UNUSED_REWARD,
                &reward.place,
                format!("nothing gives `{id}`"),
            )
            .help("give it odds, or name it where something is given");
        }
        let costs = reward.what.kind == RewardKind::Nothing
            || reward.what.balance.is_some()
            || reward.what.cost > 0;
        if budget.is_some_and(|budget| budget.when_spent != Some(at as u16)) && !costs {
            let message = format!("`{id}` costs nothing against the budget");
            out.warn(codes::BUDGET_NO_COST, &reward.place, message)
                .help("add `cost`, if it costs anything");
        }
    }
}

fn blocks(tables: &Tables, out: &mut Diagnostics) {
    for (at, block) in tables.blocks.iter().enumerate() {
        let acts = block.what.signature.actions.first();
        if let Some(action) = acts.filter(|_| !tables.used_blocks.contains(&(at as u16))) {
            let kind = &block.what.spec.kind;
            let message = format!("the machine never uses the {kind} that this makes");
            out.warn(codes::UNUSED_BLOCK, &block.place, message)
                .help(format!(
                    "use it in a transition: `do: [{{ {}: {kind} }}]`",
                    action.name
                ));
        }
    }
}

fn events(tables: &Tables, out: &mut Diagnostics) {
    for (at, event) in tables.events.iter().enumerate() {
        if !tables.taken.contains(&(at as u16)) {
            let message = format!("no state takes the event `{}`", event.what.name);
            out.warn(codes::UNUSED_EVENT, &event.place, message)
                .help("give it transitions under `machine`");
        }
    }
}
