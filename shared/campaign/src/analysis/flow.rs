//! What the variables may hold in each state: from the start through all transitions, again and again until nothing new
//! is found. Then each transition is known to be possible, or not.

use std::collections::BTreeMap;
use std::rc::Rc;

use machine::model::{Action, Definition, State, Transition};

use super::path::Path;
use super::range::Known;
use super::ranges::{Here, Ranges};

/// After so many new findings about a state its ranges are widened.
const PATIENCE: u32 = 3;

/// The most paths that are followed through one list of transitions.
const MOST_PATHS: usize = 32;

/// A list of transitions of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// A state's event, by its place among the state's.
    Own(usize, usize),
    /// The campaign's event, by its place.
    Wide(usize),
    /// What a state always tries.
    Always(usize),
    /// What time does in a state.
    After(usize),
}

/// What was found out about a transition, over all states in which it is tried.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tried {
    /// Whether its guard may hold, whatever stands before it.
    pub may_hold: bool,
    /// Whether it may be taken.
    pub may_fire: bool,
}

/// What was found out.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The transitions that are tried in a state that can be reached.
    pub tried: BTreeMap<(List, usize), Tried>,
    /// Whether each state can be reached.
    pub reached: Vec<bool>,
    /// What each reached state's variables may hold.
    pub vars: Vec<Option<Rc<[Known]>>>,
}

/// Goes through the machine.
pub(super) fn explore(ranges: &Ranges<'_>) -> Found {
    let states = &ranges.definition.machine.states;
    let mut flow = Flow {
        ranges,
        vars: vec![None; states.len()],
        grown: vec![0; states.len()],
        open: Vec::new(),
    };
    flow.start();
    while let Some(at) = flow.open.pop() {
        flow.state(at, &mut |_, _, _| {});
    }
    let mut found = Found::default();
    for at in 0..states.len() {
        let tried = &mut found.tried;
        flow.state(at, &mut |list, place, now| {
            let known: &mut Tried = tried.entry((list, place)).or_default();
            known.may_hold |= now.may_hold;
            known.may_fire |= now.may_fire;
        });
    }
    found.reached = flow.vars.iter().map(Option::is_some).collect();
    found.vars = flow.vars;
    found
}

struct Flow<'a> {
    ranges: &'a Ranges<'a>,
    vars: Vec<Option<Rc<[Known]>>>,
    grown: Vec<u32>,
    open: Vec<usize>,
}

type Tell<'t> = dyn FnMut(List, usize, Tried) + 't;

impl<'a> Flow<'a> {
    fn definition(&self) -> &'a Definition {
        self.ranges.definition
    }

    /// Where participants begin: newcomers, and those whose state an earlier revision had.
    fn start(&mut self) {
        let definition = self.definition();
        let vars = definition.vars.iter().enumerate();
        let new: Rc<[Known]> = vars
            .map(|(slot, var)| {
                let fixed = self.ranges.fixed(slot).cloned();
                fixed.unwrap_or_else(|| Known::one(&var.default))
            })
            .collect();
        self.enter(
            usize::from(definition.machine.initial),
            &[Path::new(self.ranges, Here::Alone, new)],
        );
        for (_, to) in &definition.moves {
            let vars = definition.vars.iter().enumerate();
            let any: Rc<[Known]> = vars
                .map(|(slot, var)| {
                    let fixed = self.ranges.fixed(slot).cloned();
                    fixed.unwrap_or_else(|| Known::any(var.ty))
                })
                .collect();
            self.come(usize::from(*to), &any);
        }
    }

    fn states(&self) -> &'a [State] {
        &self.definition().machine.states
    }

    /// All that may happen in a state that can be reached.
    fn state(&mut self, at: usize, tell: &mut Tell<'_>) {
        let (Some(state), Some(Some(vars))) = (self.states().get(at), self.vars.get(at).cloned())
        else {
            return;
        };
        let wide = &self.definition().machine.events;
        for event in 0..self.definition().events.len() {
            let own = state.events.iter().enumerate();
            let own = own.map(|(on, found)| (List::Own(at, on), found));
            let wide = wide.iter().enumerate().filter(|_| !state.last);
            let wide = wide.map(|(on, found)| (List::Wide(on), found));
            let lists = own
                .chain(wide)
                .filter(|(_, on)| usize::from(on.event) == event);
            let all = lists.flat_map(|(list, on)| {
                on.transitions
                    .iter()
                    .enumerate()
                    .map(move |(place, transition)| (list, place, transition))
            });
            let here = Here::Event(event as u16);
            self.list(at, &Path::new(self.ranges, here, vars.clone()), all, tell);
        }
        let always = state.always.iter().enumerate();
        let always = always.map(|(place, transition)| (List::Always(at), place, transition));
        self.list(
            at,
            &Path::new(self.ranges, Here::Alone, vars.clone()),
            always,
            tell,
        );
        for (place, after) in state.after.iter().enumerate() {
            let one = [(List::After(at), place, &after.transition)];
            self.list(
                at,
                &Path::new(self.ranges, Here::Alone, vars.clone()),
                one,
                tell,
            );
        }
    }

    /// Transitions that are tried in order.
    fn list(
        &mut self,
        at: usize,
        from: &Path<'a>,
        transitions: impl IntoIterator<Item = (List, usize, &'a Transition)>,
        tell: &mut Tell<'_>,
    ) {
        let mut paths = vec![from.clone()];
        for (list, place, transition) in transitions {
            let Some(guard) = &transition.when else {
                let tried = Tried {
                    may_hold: true,
                    may_fire: !paths.is_empty(),
                };
                tell(list, place, tried);
                self.taken(at, transition, &paths);
                paths.clear();
                continue;
            };
            let holds: Vec<Path<'a>> = paths
                .iter()
                .flat_map(|path| path.assume(guard, true))
                .collect();
            let may_fire = !holds.is_empty();
            let may_hold = may_fire || !from.assume(guard, true).is_empty();
            tell(list, place, Tried { may_hold, may_fire });
            self.taken(at, transition, &holds);
            let passed: Vec<Path<'a>> = paths
                .iter()
                .flat_map(|path| path.assume(guard, false))
                .collect();
            // With too many paths this guard is taken to say nothing.
            if passed.len() <= MOST_PATHS {
                paths = passed;
            }
        }
    }

    fn taken(&mut self, at: usize, transition: &'a Transition, paths: &[Path<'a>]) {
        if transition.reject.is_some() || paths.is_empty() {
            return;
        }
        let done = self.run(&transition.actions, paths);
        let last = transition.actions.last();
        let raises = matches!(last, Some(Action::Block { .. })) && !transition.then.is_empty();
        if raises {
            for (_, branch) in &transition.then {
                let done = self.run(&branch.actions, &done);
                self.go(at, branch.to.or(transition.to), &done);
            }
        }
        // An outcome without a branch, or none raised.
        self.go(at, transition.to, &done);
    }

    fn go(&mut self, at: usize, to: Option<u16>, paths: &[Path<'a>]) {
        let Some(to) = to.map(usize::from) else {
            for path in paths {
                self.come(at, &path.vars);
            }
            return;
        };
        let exit = self.states().get(at).map_or(&[][..], |state| &state.exit);
        let left = self.run(exit, paths);
        self.enter(to, &left);
    }

    fn enter(&mut self, to: usize, paths: &[Path<'a>]) {
        let entry = self.states().get(to).map_or(&[][..], |state| &state.entry);
        for path in self.run(entry, paths) {
            self.come(to, &path.vars);
        }
    }

    /// What a list of actions makes of the paths that lead to it.
    fn run(&self, actions: &'a [Action], paths: &[Path<'a>]) -> Vec<Path<'a>> {
        let after = paths.iter().filter_map(|path| {
            let mut vars: Vec<Known> = (0..path.vars.len())
                .map(|slot| {
                    let fixed = self.ranges.fixed(slot).cloned();
                    fixed.unwrap_or_else(|| path.var(slot))
                })
                .collect();
            for action in actions {
                let Action::Set(slots) = action else { continue };
                for (slot, program) in slots {
                    let value = path.value(program)?;
                    if let Some(place) = vars.get_mut(usize::from(*slot)) {
                        *place = value;
                    }
                }
            }
            // What the event carries is still there for what follows in the same step.
            Some(Path::new(self.ranges, path.here, vars.into()))
        });
        let mut after: Vec<Path<'a>> = after.collect();
        after.dedup_by(|one, other| one.vars == other.vars);
        after
    }

    /// Someone comes to a state, or stays, with these variables.
    fn come(&mut self, at: usize, vars: &Rc<[Known]>) {
        let (Some(known), Some(grown)) = (self.vars.get_mut(at), self.grown.get_mut(at)) else {
            return;
        };
        let next: Rc<[Known]> = match known {
            None => vars.clone(),
            Some(before) => {
                let all = before.iter().zip(vars.iter());
                all.map(|(before, now)| {
                    let both = before.or(now);
                    if *grown < PATIENCE {
                        both
                    } else {
                        both.widened(before, &self.ranges.steps)
                    }
                })
                .collect()
            }
        };
        if known.as_ref() == Some(&next) {
            return;
        }
        *grown += 1;
        *known = Some(next);
        if !self.open.contains(&at) {
            self.open.push(at);
        }
    }
}
