//! Tasks that nobody can finish: what reports them is always taken by something else.

use blocks::tasks::{KIND, Params};
use machine::expr::{Expr, IntExpr};
use machine::model::{Action, Definition, On, Transition};

use crate::codes;
use crate::diagnostic::Diagnostics;

use super::figures::Figures;
use super::places::entries;
use super::programs;

/// Reports them.
pub(super) fn report(figures: Figures<'_>, out: &mut Diagnostics) {
    let definition = figures.definition;
    let found = definition.blocks.iter().position(|spec| spec.kind == KIND);
    let Some((block, spec)) = found.and_then(|at| Some((at as u16, definition.blocks.get(at)?)))
    else {
        return;
    };
    let Ok(params) = serde_json::from_str::<Params>(&spec.params) else {
        return;
    };
    for task in &params.tasks {
        if is_reported(definition, block, task.event) || !is_taken(definition, block, task.event) {
            continue;
        }
        let Some(event) = definition.events.get(usize::from(task.event)) else {
            continue;
        };
        let list = figures.at(&["tasks"]).map_or(&[][..], entries);
        let written = list.iter().find(|entry| entry.name() == &*task.id);
        let place = written.map_or(figures.place(&["tasks"]), |entry| &entry.key.place);
        let message = format!(
            "nobody can finish `{}`: wherever `{}` comes, the machine's own transitions take it, and none of them reports it",
            task.id, event.name
        );
        out.error(codes::TASK_NEVER, place, message)
            .help("report it where the event is taken: `do: [{ report: tasks }]`");
    }
}

/// Whether an action reports this event to the tasks: from a transition of the machine's own, or from that which is only
/// there for them.
fn reports(action: &Action, block: u16, event: u16, own: bool) -> bool {
    let Action::Block {
        block: of,
        action: 0,
        args,
    } = action
    else {
        return false;
    };
    let literal = |number: i64| Expr::Int(IntExpr::Lit(number));
    *of == block && **args == [literal(i64::from(event)), literal(i64::from(!own))]
}

/// Whether a transition of the machine's own reports it.
fn is_reported(definition: &Definition, block: u16, event: u16) -> bool {
    let mut found = false;
    programs::actions(definition, &mut |action| {
        found |= reports(action, block, event, true);
    });
    found
}

fn is_for_tasks(on: &On, block: u16) -> bool {
    let mut actions = on.transitions.iter().flat_map(|transition| &transition.actions);
    actions.any(|action| reports(action, block, on.event, false))
}

/// Whether something else takes the event, whatever the values are, in every state in which anything can happen.
fn is_taken(definition: &Definition, block: u16, event: u16) -> bool {
    let catches = |on: &On| {
        let always = |transition: &Transition| transition.when.is_none();
        on.event == event && !is_for_tasks(on, block) && on.transitions.iter().any(always)
    };
    // The machine's own come before what is there for the tasks.
    if definition.machine.events.iter().any(catches) {
        return true;
    }
    let open = definition.machine.states.iter().filter(|state| !state.last);
    let mut any = false;
    let all = open
        .inspect(|_| any = true)
        .all(|state| state.events.iter().any(catches));
    any && all
}
