//! The machine: from `machine` to states, transitions and actions. Which machine it is (the activity's, the campaign's
//! own, or one extended by the other) is decided first ([`choose`]); from then on there is one tree, in which each
//! value still knows the file it came from.

mod actions;
mod circles;
mod merge;
mod of_blocks;
mod optional;
mod states;
mod transitions;

use std::borrow::Cow;

use machine::model::{Machine, On, Window};

use crate::activity::Activity;
use crate::check::Check;
use crate::codes;
use crate::diagnostic::{Diagnostics, meant};
use crate::document::{Fields, Key, Keys, Node, Shape, parse};
use crate::read::raffle as read_raffle;
use crate::source::Source;

/// The keys of `machine`.
pub(crate) static KEYS: Keys = Keys {
    name: "machine",
    doc: "The states and transitions.",
    keys: &[
        Key::optional(
            "extends",
            Shape::OneOf(&["default"]),
            "`default`: the activity's default machine, with the states and events here over it.",
        ),
        Key::optional(
            "initial",
            Shape::Id,
            "The state in which a participant starts.",
        ),
        Key::optional(
            "events",
            Shape::MapOf(&transitions::EVENT),
            "What every state takes, after its own events.",
        ),
        Key::optional(
            "states",
            Shape::MapOf(&Shape::Keys(&states::KEYS)),
            "The states, by name.",
        ),
    ],
};

/// The keys of the file that an activity ships.
static SHIPPED: Keys = Keys {
    name: "default machine's file",
    doc: "An activity's default machine and what its rejections say.",
    keys: &[
        Key::required("machine", Shape::Keys(&KEYS), "The machine."),
        Key::optional(
            "messages",
            Shape::MapOf(&Shape::Text),
            "What its rejections say.",
        ),
        Key::optional(
            "raffle",
            Shape::Keys(&KEYS),
            "The machine of campaigns with a raffle whose rewards have no odds.",
        ),
        Key::optional(
            "pack",
            Shape::OneOf(&[crate::read::pack::ALL]),
            "What its campaigns pack when they don't say.",
        ),
    ],
};

/// The file that the activity ships, as it is for the campaign with this root.
pub(crate) fn shipped(activity: &dyn Activity, root: &Node, out: &mut Diagnostics) -> Option<Node> {
    let source = Source::new(
        format!("{}'s default machine", activity.id()),
        activity.machine()?,
    );
    let node = optional::fitted(&parse(&source, out)?, root);
    node.fields(&SHIPPED, out)?;
    Some(node)
}

/// The machine that the campaign runs.
pub(crate) fn choose<'n>(
    shipped: Option<&'n Node>,
    root: Fields<'n>,
    activity: &dyn Activity,
    out: &mut Diagnostics,
) -> Option<Cow<'n, Node>> {
    let raffle = shipped.filter(|_| read_raffle::is_alone(&root));
    let raffle = raffle.and_then(|node| node.get("raffle"));
    let default = raffle.or_else(|| shipped.and_then(|node| node.get("machine")));
    let Some(own) = root.get("machine") else {
        if default.is_none() {
            let place = root
                .get("activity")
                .map_or(&root.node.place, |node| &node.place);
            out.error(
                codes::NO_MACHINE,
                place,
                format!(
                    "there is no `machine`, and `{}` has no default one",
                    activity.id()
                ),
            )
            .help("write one: `machine: { initial: .., states: { .. } }`");
        }
        return default.map(Cow::Borrowed);
    };
    let Some(extends) = own.get("extends") else {
        return Some(Cow::Borrowed(own));
    };
    extends.one_of(&["default"], out)?;
    let Some(default) = default else {
        out.error(
            codes::NO_MACHINE,
            &extends.place,
            format!("`{}` has no default machine to extend", activity.id()),
        )
        .help("leave `extends` out, and write all states");
        return None;
    };
    Some(Cow::Owned(merge::merged(default, own)))
}

/// Lowers the machine; `earned` are events of the whole campaign from elsewhere.
pub(crate) fn lower(
    node: &Node,
    earned: Vec<On>,
    window: Window,
    check: &mut Check<'_>,
) -> Machine {
    let Some(fields) = node.fields(&KEYS, &mut check.out) else {
        return Machine::default();
    };
    states::name_all(&fields, check);
    let initial = states::initial(&fields, check);
    let mut events = fields
        .get("events")
        .map(|node| transitions::events(node, check))
        .unwrap_or_default();
    events.extend(earned);
    let states = states::lower(&fields, check);
    let machine = Machine {
        initial: initial.unwrap_or(0),
        states,
        events,
    };
    circles::find(&machine, window, check);
    machine
}

/// Where participants of states that are gone move to.
pub(crate) fn moves(check: &mut Check<'_>) -> Vec<(String, u16)> {
    let Some(entries) = check
        .root
        .get("moves")
        .and_then(|node| node.map(&mut check.out))
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries {
        if check.tables.state(entry.name()).is_some() {
            check
                .out
                .error(
                    codes::NAME_TAKEN,
                    &entry.key.place,
                    format!(
                        "state `{}` still exists: its participants stay in it",
                        entry.name()
                    ),
                )
                .help("leave this line out, or take the state out of the machine");
        }
        if let Some(to) = state(&entry.value, check) {
            found.push((entry.name().to_owned(), to));
        }
    }
    found
}

/// The state with this name.
fn state(node: &Node, check: &mut Check<'_>) -> Option<u16> {
    let name = node.string(&mut check.out)?;
    let found = check.tables.state(name);
    if found.is_none() {
        let known = check.tables.states.iter().map(|state| &*state.what);
        let names: Vec<_> = known
            .clone()
            .take(12)
            .map(|name| format!("`{name}`"))
            .collect();
        let all = (!names.is_empty()).then(|| format!("the states are {}", names.join(", ")));
        let help = meant(name, known).or(all);
        check
            .out
            .error(
                codes::UNKNOWN_STATE,
                &node.place,
                format!("there is no state `{name}`"),
            )
            .maybe_help(help);
    }
    found
}
