//! What can be given, under which promises, up to what cost.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::text::Text;

/// What a reward is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RewardKind {
    /// Points of this campaign or the tenant.
    Points,
    /// A coupon.
    Coupon,
    /// A code.
    Code,
    /// A thing that is sent.
    Physical,
    /// Money.
    Cash,
    /// A right: a course, a badge.
    Entitlement,
    /// What a draw gives that gives nothing.
    Nothing,
}

/// A reward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reward {
    /// Its id.
    pub id: Arc<str>,
    /// Shown to users.
    pub title: Text,
    /// What it is.
    pub kind: RewardKind,
    /// The address of its picture.
    pub image: Option<String>,
    /// How much of it is given at once (points, minor units of cash).
    pub amount: i64,
    /// How many units there are when the edition is first published; none: without limit.
    pub stock: Option<u32>,
    /// What it is worth, in minor units; shown.
    pub value: i64,
    /// What it costs, in minor units; booked against the budget.
    pub cost: i64,
    /// Who hands it over.
    pub deliver: Deliver,
    /// How long after the grant it can be used, in milliseconds.
    pub expires: Option<i64>,
    /// The most one participant is given.
    pub per_user: Option<u32>,
    /// The balance it adds to: an amount without stock.
    pub balance: Option<u16>,
    /// What is given instead when there is none left.
    pub when_gone: Option<u16>,
}

/// Who hands a reward over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliver {
    /// The tenant's connector; `manual` when nobody does.
    pub connector: String,
    /// What the connector calls the reward.
    pub reference: String,
}

/// A promise by name: part of the grant id, stable over revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its id.
    pub id: Arc<str>,
    /// The ids it had in earlier revisions.
    pub was: Vec<String>,
}

/// The cap on the summed cost of grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// In all, in minor units.
    pub total: i64,
    /// On one calendar day, in minor units.
    pub per_day: Option<i64>,
    /// What is given instead when it is spent; must cost nothing.
    pub when_spent: Option<u16>,
}
