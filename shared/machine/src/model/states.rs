//! States, transitions, actions.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::calendar::HOUR_MS;
use crate::expr::{BoolExpr, Expr, IntExpr};

/// The states and transitions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Where a participant starts.
    pub initial: u16,
    /// The states.
    pub states: Vec<State>,
    /// What every state takes, after its own.
    pub events: Vec<On>,
}

/// A state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Its name; unique.
    pub name: Arc<str>,
    /// What it takes.
    pub events: Vec<On>,
    /// Tried in order whenever the machine has come here.
    pub always: Vec<Transition>,
    /// What time does.
    pub after: Vec<After>,
    /// Done on entering.
    pub entry: Vec<Action>,
    /// Done on leaving.
    pub exit: Vec<Action>,
    /// Nothing more happens here.
    pub last: bool,
}

/// The transitions of an event, in the order they are tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct On {
    /// Which event.
    pub event: u16,
    /// Tried in order; the first whose guard holds fires.
    pub transitions: Vec<Transition>,
}

/// A delayed transition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct After {
    /// How long after entering the state, in milliseconds; at least [`After::LEAST_MS`].
    pub delay: i64,
    /// Tried once, when due.
    pub transition: Transition,
}

impl After {
    /// The shortest delay a config may ask for: a minute.
    pub const LEAST_MS: i64 = HOUR_MS / 60;
}

/// A transition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// Its guard; absent: always.
    pub when: Option<BoolExpr>,
    /// A no, with its code. The rest is empty then.
    pub reject: Option<Arc<str>>,
    /// What is done.
    pub actions: Vec<Action>,
    /// Where to go; absent: stay, without leaving and entering.
    pub to: Option<u16>,
    /// What follows an outcome that a block's action raised, by its index in the block's signature.
    pub then: Vec<(u16, Branch)>,
}

/// What follows an outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// What is done.
    pub actions: Vec<Action>,
    /// Where to go.
    pub to: Option<u16>,
}

/// An action. All expressions of one list read the record as it was before the list began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Sets variables, all at once.
    Set(Vec<(u16, Expr)>),
    /// Adds to a balance, up to what it holds at most. A negative amount is refused as a fault.
    Add(u16, IntExpr),
    /// Takes from a balance; too little there is a rejection (`not-possible`).
    Take(u16, IntExpr),
    /// Gives a reward.
    Give(Give),
    /// Puts a message into the outbox.
    Emit(Emit),
    /// Has a block act; at most one of a list, and last, if it can raise an outcome.
    Block {
        /// Which block.
        block: u16,
        /// Which of its actions, in the order of its signature.
        action: u16,
        /// Its arguments.
        args: Vec<Expr>,
    },
}

/// How often a rule gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Every {
    /// Within the edition.
    Ever,
    /// Within a calendar day.
    Day,
    /// Within a week from Monday.
    Week,
    /// Within a month.
    Month,
}

/// Gives a reward under a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Give {
    /// Which rule.
    pub rule: u16,
    /// Which reward.
    pub reward: u16,
    /// Within what.
    pub every: Every,
    /// How often within it.
    pub at_most: u32,
}

/// A message to the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emit {
    /// Its name.
    pub message: Arc<str>,
    /// Its fields.
    pub fields: Vec<(Arc<str>, Expr)>,
}
