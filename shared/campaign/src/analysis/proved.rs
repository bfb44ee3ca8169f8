//! What the analysis proves of a definition, for others to hold it against: tests, and whoever draws a machine.

use machine::Value;
use machine::model::Definition;

use super::flow::{self, Found, List};
use super::range::Known;
use super::ranges::Ranges;

/// What is proved of all participants who begin under a definition.
#[derive(Debug)]
pub struct Proved {
    found: Found,
}

impl Proved {
    /// Proves what can be proved. The definition must come from a check.
    pub fn of(definition: &Definition) -> Self {
        let ranges = Ranges::new(definition);
        Self {
            found: flow::explore(&ranges),
        }
    }

    /// The transitions that are tried and never fire, each by its list and its place in it.
    pub fn never_fire(&self) -> impl Iterator<Item = (List, usize)> {
        let never = self.found.tried.iter().filter(|(_, tried)| !tried.may_fire);
        never.map(|(at, _)| *at)
    }

    /// Whether anybody may be in a state, by its place.
    pub fn reaches(&self, state: usize) -> bool {
        self.found
            .reached
            .get(state)
            .is_some_and(|reached| *reached)
    }

    /// Whether a variable, by its slot, may have a value in a state.
    pub fn admits(&self, state: usize, slot: usize, value: &Value) -> bool {
        let vars = self.found.vars.get(state).and_then(Option::as_ref);
        match (vars.and_then(|vars| vars.get(slot)), value) {
            (None, _) => false,
            (Some(Known::Int(range)), Value::Int(value)) => {
                (range.low..=range.high).contains(value)
            }
            (Some(Known::Bool(truth)), Value::Bool(value)) => truth.may(*value),
            (Some(Known::Text(Some(texts))), Value::Str(value)) => texts.contains(value),
            (Some(_), _) => true,
        }
    }

    /// How many variables are bounded, counted in each state that can be reached.
    pub fn bounded(&self) -> usize {
        let says = |known: &&Known| match known {
            Known::Int(range) => range.low > i64::MIN || range.high < i64::MAX,
            Known::Bool(truth) => !(truth.yes && truth.no),
            Known::Text(texts) => texts.is_some(),
            Known::Other => false,
        };
        let vars = self.found.vars.iter().flatten();
        vars.map(|vars| vars.iter().filter(says).count()).sum()
    }
}
