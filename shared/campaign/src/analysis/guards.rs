//! Transitions that no participant can ever take: guards that never hold, and those that others always come before. And
//! states in which nothing can happen.

use machine::expr::BoolExpr;
use machine::model::{Definition, Transition};

use crate::codes;
use crate::diagnostic::Diagnostics;

use super::flow::{Found, List};
use super::path::Path;
use super::places::Places;
use super::programs::Constants;
use super::range::{Known, Range};
use super::ranges::{Here, Ranges};
use super::trial::Seen;

/// Reports them. True if there is any transition that never fires.
pub(super) fn report(
    ranges: &Ranges<'_>,
    found: &Found,
    seen: &Seen,
    places: Places<'_>,
    out: &mut Diagnostics,
) -> bool {
    let before = out.len();
    let mut covered: Option<List> = None;
    for ((list, place), tried) in &found.tried {
        if tried.may_fire || covered == Some(*list) {
            continue;
        }
        let Some(list_of) = transitions(ranges.definition, *list) else {
            continue;
        };
        let Some(transition) = list_of.get(*place) else {
            continue;
        };
        let ordered = !matches!(list, List::After(_));
        let before = list_of.get(..*place).unwrap_or_default();
        // One without a guard before it was said when the machine was read.
        if ordered && before.iter().any(|other| other.when.is_none()) {
            continue;
        }
        let Some(spot) = places
            .transition(*list, *place)
            .filter(|spot| places.own(spot.item))
        else {
            continue;
        };
        let reading = Reading {
            ranges,
            found,
            list: *list,
        };
        if !tried.may_hold {
            let guard = transition.when.as_ref();
            out.warn(
                codes::NEVER_HOLDS,
                spot.guard(),
                "this guard never holds, so the transition never fires",
            )
            .help(guard.map_or_else(String::new, |guard| reading.because(guard)));
            continue;
        }
        covered = Some(*list);
        let said = out.warn(
            codes::SHADOWED,
            spot.guard(),
            "this transition is never tried: those before it are taken first, whatever the values are",
        );
        said.help("put it before them, or take it out");
        for (other, words) in reading.hiders(transition.when.as_ref(), before) {
            if let Some(other) = places.transition(*list, other) {
                said.related(other.guard(), words);
            }
        }
    }
    let any = out.len() > before;
    stuck(ranges.definition, found, seen, places, out);
    any
}

/// The transitions of a list.
pub(super) fn transitions(definition: &Definition, list: List) -> Option<Vec<&Transition>> {
    let machine = &definition.machine;
    Some(match list {
        List::Own(state, on) => {
            let on = machine.states.get(state)?.events.get(on)?;
            on.transitions.iter().collect()
        }
        List::Wide(on) => machine.events.get(on)?.transitions.iter().collect(),
        List::Always(state) => machine.states.get(state)?.always.iter().collect(),
        List::After(state) => {
            let after = machine.states.get(state)?.after.iter();
            after.map(|after| &after.transition).collect()
        }
    })
}

/// A list where its guards are read: in the states in which it is tried.
struct Reading<'a> {
    ranges: &'a Ranges<'a>,
    found: &'a Found,
    list: List,
}

impl<'a> Reading<'a> {
    fn starts(&self) -> Vec<Path<'a>> {
        let machine = &self.ranges.definition.machine;
        let (state, here) = match self.list {
            List::Own(state, on) => {
                let on = machine
                    .states
                    .get(state)
                    .and_then(|state| state.events.get(on));
                (
                    Some(state),
                    on.map_or(Here::Alone, |on| Here::Event(on.event)),
                )
            }
            List::Wide(on) => {
                let on = machine.events.get(on);
                (None, on.map_or(Here::Alone, |on| Here::Event(on.event)))
            }
            List::Always(state) | List::After(state) => (Some(state), Here::Alone),
        };
        let states = self.found.vars.iter().enumerate();
        let states = states.filter(|(at, _)| state.is_none_or(|state| state == *at));
        states
            .filter_map(|(_, vars)| vars.clone())
            .map(|vars| Path::new(self.ranges, here, vars))
            .collect()
    }

    /// What the guard's variables may be there.
    fn because(&self, guard: &BoolExpr) -> String {
        let mut read = Constants::default();
        read.bool(guard);
        let starts = self.starts();
        let mut words = Vec::new();
        for slot in read.vars.iter().map(|slot| usize::from(*slot)) {
            let Some(var) = self.ranges.definition.vars.get(slot) else {
                continue;
            };
            let known = starts.iter().map(|path| path.var(slot));
            let Some(known) = known.reduce(|one, other| one.or(&other)) else {
                continue;
            };
            words.extend(said(&var.name, var.ty, &known));
        }
        if words.is_empty() {
            "change it, or take the transition out".to_owned()
        } else {
            format!(
                "whenever it is tried, {}: change it, or take the transition out",
                words.join(", ")
            )
        }
    }

    /// Which of the transitions before it hide one: the single one that does, or all.
    fn hiders(
        &self,
        guard: Option<&'a BoolExpr>,
        before: &[&'a Transition],
    ) -> Vec<(usize, &'static str)> {
        let starts = self.starts();
        let holding: Vec<Path<'a>> = match guard {
            Some(guard) => starts
                .iter()
                .flat_map(|path| path.assume(guard, true))
                .collect(),
            None => starts.clone(),
        };
        let guards = || {
            before
                .iter()
                .enumerate()
                .filter_map(|(at, other)| Some((at, other.when.as_ref()?)))
        };
        let never = |paths: &[Path<'a>], guard: &'a BoolExpr| {
            paths
                .iter()
                .all(|path| path.assume(guard, false).is_empty())
        };
        if let Some((at, _)) = guards().find(|(_, other)| never(&starts, other)) {
            return vec![(at, "this one always holds here")];
        }
        if let Some((at, _)) = guards().find(|(_, other)| never(&holding, other)) {
            return vec![(at, "this one holds whenever it does")];
        }
        guards()
            .map(|(at, _)| (at, "this one, or another before it, holds whenever it does"))
            .collect()
    }
}

/// What is known of a variable, in words; nothing if that is nothing.
fn said(name: &str, ty: machine::Type, known: &Known) -> Option<String> {
    let number = |value: i64| match ty {
        machine::Type::Date => machine::calendar::date(i32::try_from(value).ok()?)
            .to_string()
            .into(),
        machine::Type::Int => Some(value.to_string()),
        _ => None,
    };
    match known {
        Known::Int(Range {
            low: i64::MIN,
            high: i64::MAX,
        })
        | Known::Other
        | Known::Text(None) => None,
        Known::Int(range) => Some(match (range.low, range.high) {
            (i64::MIN, high) => format!("`{name}` is at most {}", number(high)?),
            (low, i64::MAX) => format!("`{name}` is at least {}", number(low)?),
            (low, high) if low == high => format!("`{name}` is {}", number(low)?),
            (low, high) => format!("`{name}` is from {} to {}", number(low)?, number(high)?),
        }),
        Known::Bool(truth) if truth.yes && truth.no => None,
        Known::Bool(truth) => Some(format!("`{name}` is {}", truth.yes)),
        Known::Text(Some(texts)) => {
            let texts: Vec<String> = texts.iter().map(|text| format!("\"{text}\"")).collect();
            Some(format!("`{name}` is {}", texts.join(" or ")))
        }
    }
}

/// States that are not final, and in which nothing can happen.
fn stuck(
    definition: &Definition,
    found: &Found,
    seen: &Seen,
    places: Places<'_>,
    out: &mut Diagnostics,
) {
    if !definition.machine.events.is_empty() {
        return;
    }
    for (at, state) in definition.machine.states.iter().enumerate() {
        let nothing = state.events.is_empty() && state.always.is_empty() && state.after.is_empty();
        let reached = found.reached.get(at).is_some_and(|reached| *reached);
        if state.last || !nothing || !reached {
            continue;
        }
        if let Some(place) = places.state(at).filter(|place| places.own(place)) {
            let message = format!(
                "nothing can happen in the state `{}`, and nobody can leave it",
                state.name
            );
            let way = seen.ways.get(&(at as u16)).filter(|way| !way.is_empty());
            let way = way.map_or_else(String::new, |way| format!(" (it is reached with {way})"));
            out.warn(codes::STUCK, place, message).help(format!(
                "add `final: true` if it is the end; else give it `events`, `always` or `after`{way}"
            ));
        }
    }
}
