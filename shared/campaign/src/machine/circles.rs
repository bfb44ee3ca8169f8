//! Where a machine leads without anybody: circles of `always`, delayed transitions that fire too often, states that
//! nothing leads to.

use std::collections::BTreeSet;

use machine::model::{Machine, State, Transition, Window};
use machine::step::{CATCH_UP, MICROSTEPS};

use crate::check::Check;
use crate::codes;
use crate::source::Place;

/// Reports all of it.
pub(super) fn find(machine: &Machine, window: Window, check: &mut Check<'_>) {
    let eventless: Vec<BTreeSet<usize>> = machine
        .states
        .iter()
        .map(|state| targets(&state.always))
        .collect();
    let sound = always(&eventless, check);
    if sound {
        delayed(machine, &eventless, window, check);
    }
    unreachable(machine, check);
}

/// The states that transitions lead to.
fn targets<'t>(transitions: impl IntoIterator<Item = &'t Transition>) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for transition in transitions {
        found.extend(transition.to.map(usize::from));
        found.extend(
            transition
                .then
                .iter()
                .filter_map(|(_, branch)| branch.to)
                .map(usize::from),
        );
    }
    found
}

/// Circles of `always`, and chains longer than a step follows. True if there are none.
fn always(next: &[BTreeSet<usize>], check: &mut Check<'_>) -> bool {
    // The longest chain from each state, worked out by repeated relaxation: one that grows beyond the number of states
    // has a circle in it.
    let mut longest = vec![0usize; next.len()];
    for _ in 0..=next.len() {
        for (at, targets) in next.iter().enumerate() {
            let beyond = targets
                .iter()
                .filter_map(|to| longest.get(*to))
                .max()
                .map_or(0, |beyond| beyond + 1);
            if let Some(known) = longest.get_mut(at) {
                *known = beyond.min(next.len() + 1);
            }
        }
    }
    let mut sound = true;
    let mut told = BTreeSet::new();
    for (at, length) in longest.iter().enumerate() {
        let Some(place) = place_of(at, check) else {
            continue;
        };
        if *length > next.len() && reaches_itself(next, at) {
            sound = false;
            let circle = circle_from(next, at);
            // Each circle once, at the first of its states.
            if !circle.iter().any(|state| told.contains(state)) {
                let message = format!("`always` leads in a circle: {}", named(&circle, check));
                check
                    .out
                    .error(codes::ALWAYS_CYCLE, &place, message)
                    .help("let an event or `after` be one of its steps");
            }
            told.extend(circle);
        } else if *length >= MICROSTEPS && *length <= next.len() {
            sound = false;
            let message = format!(
                "`always` leads on through {length} states: at most {} in one step",
                MICROSTEPS - 1
            );
            check.out.error(codes::ALWAYS_CYCLE, &place, message);
        }
    }
    sound
}

/// All states that `always` may lead to from a state, itself included.
fn closure(next: &[BTreeSet<usize>], from: usize) -> BTreeSet<usize> {
    let mut seen = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        for to in next.get(at).into_iter().flatten() {
            if seen.insert(*to) {
                open.push(*to);
            }
        }
    }
    seen
}

fn reaches_itself(next: &[BTreeSet<usize>], from: usize) -> bool {
    next.get(from)
        .into_iter()
        .flatten()
        .any(|to| closure(next, *to).contains(&from))
}

/// A circle from a state back to itself.
fn circle_from(next: &[BTreeSet<usize>], from: usize) -> Vec<usize> {
    let mut path = vec![from];
    let mut at = from;
    for _ in 0..next.len() {
        let onward = next
            .get(at)
            .into_iter()
            .flatten()
            .find(|to| closure(next, **to).contains(&from));
        let Some(to) = onward else { break };
        path.push(*to);
        at = *to;
        if at == from {
            break;
        }
    }
    path
}

fn named(path: &[usize], check: &Check<'_>) -> String {
    let names = path
        .iter()
        .filter_map(|at| check.tables.states.get(*at))
        .map(|state| &*state.what);
    names.collect::<Vec<_>>().join(" -> ")
}

/// A way that time alone may take: how long it takes, and how many firings it costs at most.
struct Way {
    from: usize,
    to: usize,
    /// Firings in the window beyond what one step catches up on, in proportion: above 0 on a circle is too many.
    excess: i128,
}

/// Circles of delayed transitions that could fire more often within the window than one step catches up on.
fn delayed(
    machine: &Machine,
    eventless: &[BTreeSet<usize>],
    window: Window,
    check: &mut Check<'_>,
) {
    let span = i128::from(window.claim_until.saturating_sub(window.opens).max(0));
    let mut ways = Vec::new();
    for (from, state) in machine.states.iter().enumerate() {
        for after in &state.after {
            // While this one waited, all that are shorter had their turn, too.
            let firings = state
                .after
                .iter()
                .filter(|other| other.delay <= after.delay)
                .count() as i128;
            let excess = firings * span - CATCH_UP as i128 * i128::from(after.delay);
            for to in landing(state, &after.transition, from, eventless) {
                ways.push(Way { from, to, excess });
            }
        }
    }
    // Longest ways by relaxation: one that still grows after as many rounds as there are states is on or after a
    // circle of positive excess.
    let mut best = vec![0i128; machine.states.len()];
    let mut growing = None;
    for _ in 0..=machine.states.len() {
        growing = None;
        for way in &ways {
            let reached = best.get(way.from).copied().unwrap_or(0) + way.excess;
            if let Some(known) = best.get_mut(way.to).filter(|known| **known < reached) {
                *known = reached;
                growing = Some(way.from);
            }
        }
        if growing.is_none() {
            return;
        }
    }
    if let Some(place) = growing.and_then(|at| place_of(at, check)) {
        check
            .out
            .error(codes::AFTER_CYCLE, &place, format!("delayed transitions lead in a circle that could turn more than {CATCH_UP} times within the window"))
            .help("make the delays longer, or end the circle with a state that time does not leave");
    }
}

/// Where a delayed transition may land, once `always` has come to rest.
fn landing(
    state: &State,
    transition: &Transition,
    from: usize,
    eventless: &[BTreeSet<usize>],
) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for to in targets([transition]) {
        found.extend(closure(eventless, to));
    }
    if transition.to.is_none() && !state.always.is_empty() {
        // It stays, but what it did may let `always` lead on.
        found.extend(
            closure(eventless, from)
                .into_iter()
                .filter(|to| *to != from),
        );
    }
    found
}

fn unreachable(machine: &Machine, check: &mut Check<'_>) {
    let wide = targets(machine.events.iter().flat_map(|on| &on.transitions));
    let mut seen = BTreeSet::from([usize::from(machine.initial)]);
    let mut open = vec![usize::from(machine.initial)];
    while let Some(state) = open.pop().and_then(|at| machine.states.get(at)) {
        let own = state.events.iter().flat_map(|on| &on.transitions);
        let all = own
            .chain(&state.always)
            .chain(state.after.iter().map(|after| &after.transition));
        let mut next = targets(all);
        if !state.last {
            next.extend(&wide);
        }
        open.extend(next.into_iter().filter(|to| seen.insert(*to)));
    }
    for at in (0..machine.states.len()).filter(|at| !seen.contains(at)) {
        let Some(state) = check.tables.states.get(at) else {
            continue;
        };
        // A state that earlier revisions' participants move to is reached by them.
        let moved = check
            .root
            .get("moves")
            .is_some_and(|moves| holds_value(moves, &state.what));
        if !moved {
            let (place, name) = (state.place.clone(), state.what.clone());
            check
                .out
                .warn(
                    codes::UNREACHABLE,
                    &place,
                    format!("nothing leads to the state `{name}`"),
                )
                .help("let a transition lead there, or take it out");
        }
    }
}

fn holds_value(map: &crate::document::Node, wanted: &str) -> bool {
    match &map.kind {
        crate::document::Kind::Map(entries) => entries
            .iter()
            .any(|entry| entry.value.scalar() == Some(wanted)),
        _ => false,
    }
}

fn place_of(at: usize, check: &Check<'_>) -> Option<Place> {
    check.tables.states.get(at).map(|state| state.place.clone())
}
