//! What the ledger keeps: every grant, every draw (one that wins nothing has its row too), every message.
//!
//! A row names its reward by id and its revision; the log that holds the rows holds each revision's definition too, so
//! the books close without any config file. Serials are stamped by the commit, not by the step.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::calendar::Millis;
use crate::ids::Period;
use crate::model::RewardKind;
use crate::world::CounterKey;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Row {
    /// A reward was given.
    Grant(GrantRow),
    /// A draw was made.
    Draw(DrawRow),
    /// A message goes out.
    Message(MessageRow),
}

/// A grant, as booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRow {
    /// Under which rule.
    pub rule: Arc<str>,
    /// Which reward.
    pub reward: Arc<str>,
    /// What it is.
    pub kind: RewardKind,
    /// Within which period.
    pub period: Period,
    /// The how-many-th within it.
    pub n: u32,
    /// How much.
    pub amount: i64,
    /// What it is worth, in minor units.
    pub value: i64,
    /// What is booked against the budget, in minor units.
    pub cost: i64,
    /// Until when it can be used.
    pub expires: Option<Millis>,
    /// Which unit of stock, from 0; stamped by the commit.
    pub serial: Option<u64>,
}

/// A draw, with everything needed to make it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawRow {
    /// The participant's draw index.
    pub index: u64,
    /// What the draw was for: the block's name.
    pub purpose: Arc<str>,
    /// What came up.
    pub rolled: Rolled,
    /// Draws without a win in a row before this one.
    pub misses: i64,
    /// What was given in the end; none: missed.
    pub given: Option<Arc<str>>,
    /// Which counters were taken to be exhausted.
    pub exhausted: Vec<CounterKey>,
    /// Rewards passed over because this participant had had their `per_user`.
    pub had: Vec<Arc<str>>,
}

/// What came up in a draw, before anything was found to be gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rolled {
    /// The number drawn, in `[0, of)`; 0 of 0 where pity decided without a roll.
    pub pick: u64,
    /// Below what.
    pub of: u64,
    /// The reward it stands for.
    pub reward: Arc<str>,
    /// Whether pity decided.
    pub pity: bool,
}

/// A message, as emitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// Its name.
    pub message: Arc<str>,
    /// Its fields.
    pub fields: Vec<(Arc<str>, crate::value::Value)>,
}
