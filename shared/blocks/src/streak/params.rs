//! The parameters of a streak, as a checked campaign holds them. What an earlier revision did not have is left out where it
//! is not used, so that its definitions read, and hash, as they did.

use machine::Text;
use machine::calendar::Day;
use serde::{Deserialize, Serialize};

use crate::odds::Odds;
use crate::promise::Promise;

/// The parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// When the streak begins again by itself.
    pub cycle: Cycle,
    /// Whether missed days can be made up.
    pub makeup: Option<Makeup>,
    /// What each day gives.
    pub each_day: Vec<Promise>,
    /// What so many days in a row give.
    pub streak: Vec<(u32, Promise)>,
    /// What so many days in all give.
    pub total: Vec<(u32, Promise)>,
    /// What signing on a date gives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<(Day, Promise)>,
    /// What is drawn, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lots: Vec<Lot>,
    /// Missed days that are forgiven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgive: Option<Forgive>,
    /// Cards that freeze a streak over a missed day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freeze: Option<Cards>,
    /// What a day must bring to count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
    /// When whoever has a streak to lose is reminded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind: Option<Remind>,
}

/// When a streak begins again by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cycle {
    /// Never.
    #[default]
    None,
    /// With each calendar month.
    Month,
    /// After this many days; at least 1.
    Days(u32),
}

/// Make-up sign-ins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Makeup {
    /// How many days back.
    pub days_back: u32,
    /// How many in the whole edition; [`Makeup::WITHOUT_LIMIT`]: as many as can be paid.
    pub at_most: u32,
    /// How many in a calendar month, by the day on which they are made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_month: Option<u32>,
    /// What each costs: so much of this balance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<(u16, i64)>,
    /// Whether each takes a card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cards: Option<Cards>,
}

impl Makeup {
    /// No limit for the edition.
    pub const WITHOUT_LIMIT: u32 = u32::MAX;

    /// Make-ups that cost nothing.
    pub const fn free(days_back: u32, at_most: u32) -> Self {
        Self {
            days_back,
            at_most,
            per_month: None,
            cost: None,
            cards: None,
        }
    }
}

/// A balance of cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cards {
    /// How many everybody begins with.
    pub start: i64,
    /// The most that one participant holds; further ones are lost.
    pub hold_at_most: i64,
}

/// Missed days that neither break nor count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgive {
    /// So many ...
    pub days: u32,
    /// ... within each of these.
    pub every: Span,
}

/// What days are counted within.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Span {
    /// A calendar month.
    Month,
    /// A week from Monday.
    Week,
    /// So many days, counted from the day of the opening.
    Days(u32),
}

impl Span {
    /// Which one of them `day` is in, where the campaign opens on the day `opens`.
    pub fn of(self, day: Day, opens: Day) -> i32 {
        match self {
            Self::Month => machine::Calendar::month(day),
            Self::Week => machine::Calendar::week(day),
            Self::Days(length) => {
                let length = i32::try_from(length.max(1)).unwrap_or(i32::MAX);
                day.saturating_sub(opens).div_euclid(length)
            }
        }
    }
}

/// What must come together on a day for it to count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// At least this much; at least 1.
    pub at_least: i64,
    /// What is summed up: the name of the event's field.
    pub field: String,
    /// What users read it is counted in.
    pub unit: Text,
}

/// A message to the tenant for whoever has a streak to lose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remind {
    /// At which time of the day, in seconds after midnight by the wall clock; before `day_starts` it is the night that
    /// still belongs to the day.
    pub at_secs: u32,
    /// Which message.
    pub message: String,
    /// From how long a streak on; at least 1.
    pub from_streak: u32,
}

/// One reward of several, drawn when a day is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    /// When.
    pub due: Due,
    /// Its name: `each-day`, `streak-7`; the part of its draws' purpose behind the block's name. Unique.
    pub name: String,
    /// What comes up how likely.
    pub odds: Odds,
}

/// When something is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Due {
    /// For each signed day.
    EachDay,
    /// For so many days in a row.
    Streak(u32),
    /// For so many days in all.
    Total(u32),
    /// For signing on this date.
    Date(Day),
}

impl Lot {
    /// What its draws are for, in a block of this name: what stands in the ledger.
    pub fn purpose(&self, block: &str) -> String {
        format!("{block}/{}", self.name)
    }
}
