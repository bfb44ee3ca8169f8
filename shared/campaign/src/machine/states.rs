//! States: what each takes, what time does in it, what is done on entering and leaving.

use machine::model::{After, State};

use crate::check::Check;
use crate::codes;
use crate::document::{Entry, Fields, Key, Keys, Node, Shape};
use crate::machine::actions::{self, When};
use crate::machine::transitions;
use crate::scope::Setting;
use crate::tables::Placed;

/// The most states of one machine.
const MOST_STATES: usize = 200;

/// The most delayed transitions of one state: a record keeps a bit for each.
const MOST_AFTER: usize = 64;

/// The keys of a state.
pub(super) static KEYS: Keys = Keys {
    name: "state",
    doc: "A state.",
    keys: &[
        Key::optional(
            "events",
            Shape::MapOf(&transitions::EVENT),
            "What it takes.",
        ),
        Key::optional(
            "always",
            Shape::List(&Shape::Keys(&transitions::ALWAYS)),
            "Tried in order whenever the machine has come here.",
        ),
        Key::optional(
            "after",
            Shape::List(&Shape::Keys(&AFTER)),
            "What time does.",
        ),
        Key::optional("entry", actions::DO, "Done on entering."),
        Key::optional("exit", actions::DO, "Done on leaving."),
        Key::optional("final", Shape::Bool, "Nothing more happens here."),
    ],
};

static AFTER: Keys = Keys {
    name: "delayed transition",
    doc: "What happens when a participant has been in a state for a while.",
    keys: &[
        Key::required(
            "in",
            Shape::Duration,
            "How long after entering the state; at least a minute.",
        ),
        transitions::WHEN,
        transitions::DO,
        transitions::TO,
        transitions::THEN,
    ],
};

/// Names all states, so that any may lead to any.
pub(super) fn name_all(fields: &Fields<'_>, check: &mut Check<'_>) {
    let Some(node) = fields.get("states") else {
        check
            .out
            .error(
                codes::NO_MACHINE,
                &fields.node.place,
                "this machine has no states",
            )
            .help("write `initial` and `states`, or extend the activity's: `extends: default`");
        return;
    };
    let Some(entries) = node.map(&mut check.out) else {
        return;
    };
    if entries.is_empty() {
        check
            .out
            .error(codes::NO_MACHINE, &node.place, "this machine has no states");
    }
    if entries.len() > MOST_STATES {
        check.out.error(
            codes::TOO_MANY,
            &node.place,
            format!(
                "a machine has at most {MOST_STATES} states, this one has {}",
                entries.len()
            ),
        );
    }
    for entry in entries.iter().take(MOST_STATES) {
        let name = entry
            .key
            .id("state", &mut check.out)
            .unwrap_or_else(|| entry.name());
        check.tables.states.push(Placed {
            what: name.into(),
            place: entry.key.place.clone(),
        });
    }
}

/// Where a participant starts.
pub(super) fn initial(fields: &Fields<'_>, check: &mut Check<'_>) -> Option<u16> {
    let Some(node) = fields.get("initial") else {
        if fields.has("states") {
            check
                .out
                .error(
                    codes::MISSING_KEY,
                    fields.key_place("states"),
                    "`initial` is missing: the state in which a participant starts",
                )
                .help("name one of the states: `initial: ..`");
        }
        return None;
    };
    super::state(node, check)
}

/// Lowers all states.
pub(super) fn lower(fields: &Fields<'_>, check: &mut Check<'_>) -> Vec<State> {
    let Some(entries) = fields
        .get("states")
        .and_then(|node| node.map(&mut check.out))
    else {
        return Vec::new();
    };
    entries
        .iter()
        .take(MOST_STATES)
        .map(|entry| one(entry, check))
        .collect()
}

fn one(entry: &Entry, check: &mut Check<'_>) -> State {
    let name = entry.name().into();
    let Some(fields) = entry.value.fields(&KEYS, &mut check.out) else {
        return State {
            name,
            ..State::default()
        };
    };
    let last = fields
        .get("final")
        .and_then(|node| node.bool(&mut check.out))
        .unwrap_or(false);
    if last {
        for key in ["events", "always", "after", "exit"]
            .into_iter()
            .filter(|key| fields.has(key))
        {
            check
                .out
                .error(
                    codes::FINAL_STATE,
                    fields.key_place(key),
                    format!("`{name}` is final: its `{key}` could never happen"),
                )
                .help("leave it out, or take `final` away");
        }
    }
    State {
        name,
        events: fields
            .get("events")
            .map(|node| transitions::events(node, check))
            .unwrap_or_default(),
        always: fields
            .get("always")
            .map(|node| transitions::always(node, check))
            .unwrap_or_default(),
        after: fields
            .get("after")
            .map(|node| delayed(node, check))
            .unwrap_or_default(),
        entry: fields
            .get("entry")
            .map(|node| unattended(node, check))
            .unwrap_or_default(),
        exit: fields
            .get("exit")
            .map(|node| unattended(node, check))
            .unwrap_or_default(),
        last,
    }
}

/// Entry and exit: time may be what brings or takes a participant, so nobody is there.
fn unattended(node: &Node, check: &mut Check<'_>) -> Vec<machine::model::Action> {
    actions::lower(
        node,
        When {
            setting: Setting::Nobody,
            drawn: false,
        },
        check,
    )
    .actions
}

fn delayed(node: &Node, check: &mut Check<'_>) -> Vec<After> {
    let Some(items) = node.list(&mut check.out) else {
        return Vec::new();
    };
    if items.len() > MOST_AFTER {
        check.out.error(
            codes::TOO_MANY,
            &node.place,
            format!(
                "a state has at most {MOST_AFTER} delayed transitions, this one has {}",
                items.len()
            ),
        );
    }
    let mut found = Vec::new();
    for item in items.iter().take(MOST_AFTER) {
        let Some(fields) = item.fields(&AFTER, &mut check.out) else {
            continue;
        };
        let delay = fields.get("in").and_then(|node| delay(node, check));
        let transition = transitions::one(&fields, Setting::Nobody, check);
        found.extend(delay.map(|delay| After {
            delay,
            transition: transition.transition,
        }));
    }
    found
}

fn delay(node: &Node, check: &mut Check<'_>) -> Option<i64> {
    let delay = node.duration(&mut check.out)?;
    if delay < After::LEAST_MS {
        check
            .out
            .error(
                codes::TOO_SHORT,
                &node.place,
                "a delay is at least a minute",
            )
            .help("write `1 minute` or more");
    }
    Some(delay)
}
