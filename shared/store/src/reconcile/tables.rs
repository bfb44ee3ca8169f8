//! The few tables of a definition that books are read with. The rest of a definition may change its form without these
//! noticing.

use std::sync::Arc;

use machine::calendar::Calendar;
use machine::model::{Budget, CodePool, Rule};
use serde::Deserialize;

/// Of one revision.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Tables {
    pub rules_of_giving: Vec<Rule>,
    pub rewards: Vec<Reward>,
    pub budget: Option<Budget>,
    pub calendar: Calendar,
}

/// A reward: its name, whether its units are numbered, whether it is added to a balance at once, and the pool its codes come from.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Reward {
    pub id: Arc<str>,
    pub stock: Option<u32>,
    #[serde(default)]
    pub balance: Option<u16>,
    #[serde(default)]
    pub pool: Option<CodePool>,
}

impl Tables {
    /// Those of a definition's bytes; none where this program can't read them.
    pub fn read(definition: &[u8]) -> Option<Self> {
        serde_json::from_slice(definition).ok()
    }

    /// Whether a reward's units are numbered.
    pub fn is_limited(&self, reward: &str) -> bool {
        let found = self.rewards.iter().find(|known| *known.id == *reward);
        found.is_some_and(|found| found.stock.is_some())
    }

    /// Whether a reward is added to a balance at once.
    pub fn is_balance(&self, reward: &str) -> bool {
        let found = self.rewards.iter().find(|known| *known.id == *reward);
        found.is_some_and(|found| found.balance.is_some())
    }

    /// The names that a rule had in earlier revisions.
    pub fn names_before(&self, rule: &str) -> &[String] {
        let found = self.rules_of_giving.iter().find(|known| *known.id == *rule);
        found.map_or(&[], |found| &found.was)
    }
}
