//! What can be given, under which promises, up to what cost.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, Day, Millis};
use crate::expr::BoolExpr;
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
    /// When how many of them are to be had; none: all from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
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
    /// The most one participant is given within a day or a week; none: only `per_user` counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Within>,
    /// Whom it is not for; none: it is for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_for: Option<BoolExpr>,
    /// The balance it adds to: an amount without stock.
    pub balance: Option<u16>,
    /// What is given instead when there is none left.
    pub when_gone: Option<u16>,
}

/// Stock that is set free bit by bit. Worked out when the campaign is checked, so that neither a step nor a verification
/// needs a calendar for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// How many units are to be had from the beginning.
    pub first: u32,
    /// From which instant on how many in all: both grow from one to the next.
    pub later: Vec<(Millis, u32)>,
}

impl Release {
    /// How many units have been set free by `now`.
    pub fn by(&self, now: Millis) -> u32 {
        let after = self.later.partition_point(|(at, _)| *at <= now);
        let last = after.checked_sub(1).and_then(|last| self.later.get(last));
        last.map_or(self.first, |(_, units)| *units)
    }

    /// When the next units are set free.
    pub fn next(&self, now: Millis) -> Option<Millis> {
        let next = self.later.partition_point(|(at, _)| *at <= now);
        self.later.get(next).map(|(at, _)| *at)
    }
}

impl Reward {
    /// How many units of its stock wait for a later release.
    pub fn held(&self, now: Millis) -> u32 {
        let free = self.release.as_ref().map(|release| release.by(now));
        free.map_or(0, |free| self.stock.unwrap_or(0).saturating_sub(free))
    }
}

/// How often something may be within a day or a week.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Within {
    /// On one calendar day.
    pub day: Option<u32>,
    /// In one week from Monday.
    pub week: Option<u32>,
}

impl Within {
    /// Whether neither is limited.
    pub fn is_free(&self) -> bool {
        self.day.is_none() && self.week.is_none()
    }

    /// Whether what happened on these days leaves no room on `today`.
    pub fn is_full(&self, days: impl Iterator<Item = Day> + Clone, today: Day) -> bool {
        let week = Calendar::week(today);
        let full =
            |most: Option<u32>, count: usize| most.is_some_and(|most| count >= most as usize);
        full(self.day, days.clone().filter(|day| *day == today).count())
            || full(
                self.week,
                days.filter(|day| Calendar::week(*day) == week).count(),
            )
    }
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
