//! Transitions: guards, rejections, what is done, where it leads, what follows an outcome.

use machine::model::{Action, Branch, On, Sender, Transition};

use crate::check::Check;
use crate::codes;
use crate::diagnostic::meant;
use crate::document::{Entry, Fields, Key, Keys, Node, Shape};
use crate::machine::actions::{self, Lowered, When};
use crate::read::events;
use crate::reserved::is_reserved;
use crate::scope::{Scope, Setting};

pub(super) const WHEN: Key = Key::optional(
    "when",
    Shape::Expr,
    "Its guard; it always holds unless said.",
);
pub(super) const DO: Key = Key::optional("do", actions::DO, "What is done, in order.");
pub(super) const TO: Key = Key::optional(
    "to",
    Shape::Id,
    "The state it leads to; it stays unless said.",
);
pub(super) const THEN: Key = Key::optional(
    "then",
    Shape::MapOf(&BRANCH_SHAPE),
    "What follows the outcome of its last action, by outcome.",
);

/// The keys of a transition.
static TRANSITION: Keys = Keys {
    name: "transition",
    doc: "A transition: the first of an event's whose guard holds fires.",
    keys: &[
        WHEN,
        Key::optional(
            "reject",
            Shape::Id,
            "Says no, with this code; nothing else stands beside it but `when`.",
        ),
        DO,
        TO,
        THEN,
    ],
};

/// The keys of a transition without an event.
pub(super) static ALWAYS: Keys = Keys {
    name: "transition without an event",
    doc: "Tried whenever the machine has come to a state.",
    keys: &[WHEN, DO, TO, THEN],
};

static BRANCH_SHAPE: Shape = Shape::Keys(&BRANCH);

static BRANCH: Keys = Keys {
    name: "branch",
    doc: "What follows an outcome.",
    keys: &[DO, TO],
};

/// An event in a machine: its transitions, or its declaration with them.
pub(super) const EVENT: Shape =
    Shape::Either(&[Shape::List(&Shape::Keys(&TRANSITION)), Shape::Keys(&LONG)]);

static LONG: Keys = Keys {
    name: "machine's event",
    doc: "An event, declared where it is taken.",
    keys: &[
        events::FROM,
        events::PAYLOAD,
        events::WHILE,
        Key::required(
            "transitions",
            Shape::List(&Shape::Keys(&TRANSITION)),
            "Its transitions, tried in order.",
        ),
    ],
};

/// A transition with what the check learned of it.
pub(super) struct Found {
    pub transition: Transition,
    /// Whether its guard or its figures read what the sender says of itself.
    reported: bool,
}

/// Lowers the events of a state or of the campaign.
pub(super) fn events(node: &Node, check: &mut Check<'_>) -> Vec<On> {
    let Some(entries) = node.map(&mut check.out) else {
        return Vec::new();
    };
    entries
        .iter()
        .filter_map(|entry| on(entry, check))
        .collect()
}

fn on(entry: &Entry, check: &mut Check<'_>) -> Option<On> {
    let event = events::named(entry, check)?;
    check.tables.taken.insert(event);
    let list = if entry.value.is_map() {
        let fields = entry.value.fields(&LONG, &mut check.out)?;
        // Transitions alone declare nothing: the event may be declared elsewhere.
        if ["from", "payload", "while"]
            .iter()
            .any(|key| fields.has(key))
        {
            events::declare(event, entry, &fields, check);
        }
        fields.get("transitions")?
    } else {
        &entry.value
    };
    let items = list.list(&mut check.out)?;
    if items.is_empty() {
        check
            .out
            .error(
                codes::EMPTY,
                &list.place,
                "an event without transitions is never possible",
            )
            .help("leave the event out");
    }
    let mut transitions = Vec::new();
    let mut always: Option<&Node> = None;
    let (mut reported, mut earns) = (false, false);
    for item in items {
        let Some(fields) = item.fields(&TRANSITION, &mut check.out) else {
            continue;
        };
        never_tried(always, item, check);
        if !fields.has("when") {
            always = always.or(Some(item));
        }
        let found = one(&fields, Setting::Event(event), check);
        reported |= found.reported;
        earns |= reported && earns_something(&found.transition);
        transitions.push(found.transition);
    }
    if earns
        && check
            .tables
            .event_at(event)
            .is_some_and(|event| event.from.contains(&Sender::User))
    {
        check
            .out
            .warn(
                codes::ANYONE,
                &entry.key.place,
                format!(
                    "anyone can send `{}` with any payload, and it earns something of value",
                    entry.name()
                ),
            )
            .help("let your own back end report it: `from: backend`");
    }
    Some(On { event, transitions })
}

/// Lowers what a state always tries.
pub(super) fn always(node: &Node, check: &mut Check<'_>) -> Vec<Transition> {
    let Some(items) = node.list(&mut check.out) else {
        return Vec::new();
    };
    let mut before: Option<&Node> = None;
    let mut found = Vec::new();
    for item in items {
        let Some(fields) = item.fields(&ALWAYS, &mut check.out) else {
            continue;
        };
        never_tried(before, item, check);
        if !fields.has("when") {
            before = before.or(Some(item));
        }
        found.push(one(&fields, Setting::Nobody, check).transition);
    }
    found
}

fn never_tried(before: Option<&Node>, item: &Node, check: &mut Check<'_>) {
    if let Some(before) = before {
        check
            .out
            .warn(
                codes::NEVER_TRIED,
                &item.place,
                "this transition is never tried",
            )
            .related(&before.place, "this one always fires")
            .help("put the one without `when` last");
    }
}

/// Lowers one transition.
pub(super) fn one(fields: &Fields<'_>, setting: Setting, check: &mut Check<'_>) -> Found {
    let mut scope = Scope::new(&mut check.tables, setting);
    let when = fields
        .get("when")
        .and_then(|node| scope.lower_bool(node, &mut check.out));
    let guard_reported = scope.reads_report();
    if let Some(node) = fields.get("reject") {
        let reject = reject(node, fields, check);
        let transition = Transition {
            when,
            reject: reject.map(Into::into),
            ..Transition::default()
        };
        return Found {
            transition,
            reported: guard_reported,
        };
    }
    let done = fields
        .get("do")
        .map(|node| {
            actions::lower(
                node,
                When {
                    setting,
                    drawn: false,
                },
                check,
            )
        })
        .unwrap_or_default();
    let to = fields.get("to").and_then(|node| super::state(node, check));
    let then = fields
        .get("then")
        .map(|node| branches(node, &done, setting, check))
        .unwrap_or_default();
    let reported = guard_reported || done.reported;
    Found {
        transition: Transition {
            when,
            reject: None,
            actions: done.actions,
            to,
            then,
        },
        reported,
    }
}

fn reject<'n>(node: &'n Node, fields: &Fields<'_>, check: &mut Check<'_>) -> Option<&'n str> {
    for key in ["do", "to", "then"]
        .into_iter()
        .filter(|key| fields.has(key))
    {
        check
            .out
            .error(
                codes::REJECT_AND_MORE,
                fields.key_place(key),
                format!("a rejection changes nothing: `{key}` can't stand beside `reject`"),
            )
            .help("split it into two transitions");
    }
    let code = node.string(&mut check.out)?;
    if is_reserved(code) {
        check
            .out
            .error(
                codes::RESERVED_CODE,
                &node.place,
                format!(
                    "`{code}` is a code of our own answers: clients could not tell the two apart"
                ),
            )
            .help(format!("choose another, such as `{code}-today`"));
        return None;
    }
    let code = node.id("rejection", &mut check.out)?;
    check.rejects(code, &node.place);
    Some(code)
}

fn branches(
    node: &Node,
    done: &Lowered,
    setting: Setting,
    check: &mut Check<'_>,
) -> Vec<(u16, Branch)> {
    let Some(entries) = node.map(&mut check.out) else {
        return Vec::new();
    };
    let Some(outcomes) = done.outcomes else {
        // An action that could not be read was reported; it may have been the one.
        if done.complete {
            check
                .out
                .error(codes::NO_OUTCOME, &node.place, "nothing before this raises an outcome")
                .help("end `do` with an action that does: `{ draw: wheel }`, `{ sign: streak }`, `{ claim: pack }`");
        }
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries {
        let at = outcomes.iter().position(|outcome| *outcome == entry.name());
        if at.is_none() {
            let help = meant(entry.name(), outcomes.iter().copied()).unwrap_or_else(|| {
                format!(
                    "its outcomes are {}",
                    outcomes
                        .iter()
                        .map(|name| format!("`{name}`"))
                        .collect::<Vec<_>>()
                        .join(", ")
                )
            });
            check
                .out
                .error(
                    codes::UNKNOWN_OUTCOME,
                    &entry.key.place,
                    format!("the last action does not raise `{}`", entry.name()),
                )
                .help(help);
        }
        let Some(fields) = entry.value.fields(&BRANCH, &mut check.out) else {
            continue;
        };
        let when = When {
            setting,
            drawn: done.draws,
        };
        let actions = fields
            .get("do")
            .map(|node| actions::lower(node, when, check).actions)
            .unwrap_or_default();
        let to = fields.get("to").and_then(|node| super::state(node, check));
        found.extend(at.map(|at| (at as u16, Branch { actions, to })));
    }
    found
}

/// Whether a transition gives, or adds to a balance.
fn earns_something(transition: &Transition) -> bool {
    let earns = |action: &Action| {
        matches!(
            action,
            Action::Give(_) | Action::Add(..) | Action::Block { .. }
        )
    };
    transition.actions.iter().any(earns)
        || transition
            .then
            .iter()
            .any(|(_, branch)| branch.actions.iter().any(earns))
}
