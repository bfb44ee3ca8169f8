//! All programs and actions of a definition, one after the other, and the constants that stand in them.

use std::collections::BTreeSet;
use std::sync::Arc;

use machine::expr::{BoolExpr, Expr, IntExpr, Source, StrExpr};
use machine::model::{Action, Definition, State, Transition};

/// Calls `each` with every transition.
pub(super) fn transitions<'d>(definition: &'d Definition, each: &mut dyn FnMut(&'d Transition)) {
    let machine = &definition.machine;
    let own = |state: &'d State| {
        let events = state.events.iter().flat_map(|on| &on.transitions);
        events
            .chain(&state.always)
            .chain(state.after.iter().map(|after| &after.transition))
    };
    let wide = machine.events.iter().flat_map(|on| &on.transitions);
    machine
        .states
        .iter()
        .flat_map(own)
        .chain(wide)
        .for_each(each);
}

/// Calls `each` with every action.
pub(super) fn actions<'d>(definition: &'d Definition, each: &mut dyn FnMut(&'d Action)) {
    transitions(definition, &mut |transition| {
        let branches = transition
            .then
            .iter()
            .flat_map(|(_, branch)| &branch.actions);
        transition
            .actions
            .iter()
            .chain(branches)
            .for_each(&mut *each);
    });
    for state in &definition.machine.states {
        state.entry.iter().chain(&state.exit).for_each(&mut *each);
    }
}

/// The numbers that programs name, with their neighbours, in order.
pub(super) fn numbers(definition: &Definition) -> Vec<i64> {
    let mut found = Constants::default();
    found.of(definition);
    let near = |number: &i64| [number.saturating_sub(1), *number, number.saturating_add(1)];
    let mut all: BTreeSet<i64> = found.numbers.iter().flat_map(near).collect();
    all.extend([-1, 0, 1]);
    all.into_iter().collect()
}

/// Whether anything is calculated that could fail when it runs.
pub(super) fn calculates(definition: &Definition) -> bool {
    let mut found = Constants::default();
    found.of(definition);
    let mut varies = false;
    actions(definition, &mut |action| {
        if let Action::Add(_, amount) | Action::Take(_, amount) = action {
            varies |= !matches!(amount, IntExpr::Lit(_));
        }
    });
    found.calculates || varies
}

/// What stands in programs: their constants, and what they read.
#[derive(Debug, Default)]
pub(super) struct Constants {
    pub numbers: BTreeSet<i64>,
    pub texts: BTreeSet<Arc<str>>,
    /// Whether anything is calculated.
    pub calculates: bool,
    /// The variables that are read.
    pub vars: BTreeSet<u16>,
}

impl Constants {
    /// Collects them.
    pub fn of(&mut self, definition: &Definition) {
        for guard in [&definition.audience, &definition.testers]
            .into_iter()
            .flatten()
        {
            self.bool(guard);
        }
        transitions(definition, &mut |transition| {
            if let Some(guard) = &transition.when {
                self.bool(guard);
            }
        });
        actions(definition, &mut |action| match action {
            Action::Set(slots) => slots.iter().for_each(|(_, program)| self.any(program)),
            Action::Add(_, amount) | Action::Take(_, amount) => self.int(amount),
            Action::Emit(emit) => emit
                .fields
                .iter()
                .for_each(|(_, program)| self.any(program)),
            Action::Block { args, .. } => args.iter().for_each(|program| self.any(program)),
            Action::Give(_) => {}
        });
    }

    fn source(&mut self, source: Source) {
        if let Source::Var(slot) = source {
            self.vars.insert(slot);
        }
    }

    fn any(&mut self, program: &Expr) {
        match program {
            Expr::Bool(program) => self.bool(program),
            Expr::Int(program) => self.int(program),
            Expr::Str(program) => self.text(program),
        }
    }

    pub fn bool(&mut self, program: &BoolExpr) {
        match program {
            BoolExpr::Get(source) => self.source(*source),
            BoolExpr::Lit(_) | BoolExpr::Fact(_) => {}
            BoolExpr::Not(inner) => self.bool(inner),
            BoolExpr::All(parts) | BoolExpr::Any(parts) => {
                for part in parts {
                    self.bool(part);
                }
            }
            BoolExpr::Compare(_, left, right) => {
                self.int(left);
                self.int(right);
            }
            BoolExpr::SameStr(left, right) => {
                self.text(left);
                self.text(right);
            }
            BoolExpr::SameBool(left, right) => {
                self.bool(left);
                self.bool(right);
            }
            BoolExpr::IntIn(needle, list) => {
                self.int(needle);
                for item in list {
                    self.int(item);
                }
            }
            BoolExpr::StrIn(needle, list) => {
                self.text(needle);
                for item in list {
                    self.text(item);
                }
            }
            BoolExpr::Has(needle, _) => self.text(needle),
            BoolExpr::If(parts) => {
                self.bool(&parts.0);
                self.bool(&parts.1);
                self.bool(&parts.2);
            }
            BoolExpr::Call(call) => call.args.iter().for_each(|arg| self.any(arg)),
        }
    }

    fn int(&mut self, program: &IntExpr) {
        match program {
            IntExpr::Lit(value) => {
                self.numbers.insert(*value);
            }
            IntExpr::Get(source) => self.source(*source),
            IntExpr::Now
            | IntExpr::Today
            | IntExpr::Given(_)
            | IntExpr::CountToday(_)
            | IntExpr::CountTotal(_) => {}
            IntExpr::DayOf(inner) => self.int(inner),
            IntExpr::Neg(inner) => {
                self.calculates = true;
                self.int(inner);
            }
            IntExpr::Arith(_, parts) => {
                self.calculates = true;
                self.int(&parts.0);
                self.int(&parts.1);
            }
            IntExpr::If(parts) => {
                self.bool(&parts.0);
                self.int(&parts.1);
                self.int(&parts.2);
            }
            IntExpr::Size(text) => self.text(text),
            IntExpr::Call(call) => call.args.iter().for_each(|arg| self.any(arg)),
        }
    }

    fn text(&mut self, program: &StrExpr) {
        match program {
            StrExpr::Lit(value) => {
                self.texts.insert(value.clone());
            }
            StrExpr::Get(source) => self.source(*source),
            StrExpr::If(parts) => {
                self.bool(&parts.0);
                self.text(&parts.1);
                self.text(&parts.2);
            }
        }
    }
}
