//! How often one participant draws: today, this week, in all.

use machine::Value;
use machine::block::Look;
use machine::calendar::{Calendar, Day};
use machine::expr::Fault;
use machine::turn::Turn;
use serde::{Deserialize, Serialize};

/// More draws than anybody makes: what is left where nothing is limited.
pub const PLENTY: i64 = 1_000_000_000;

/// Where counters begin: a day that nobody draws on.
pub(super) const NEVER: i64 = i64::MIN;

/// The variables that count, in the order of [`Counted::new`].
pub(super) const VARS: [&str; 3] = ["$wheel.day", "$wheel.today", "$wheel.week"];

/// How often at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtMost {
    /// On one calendar day.
    pub day: Option<u32>,
    /// In one week from Monday.
    pub week: Option<u32>,
    /// In the edition.
    pub edition: Option<u32>,
}

impl AtMost {
    /// Whether nothing is limited.
    pub fn is_free(&self) -> bool {
        !self.counts() && self.edition.is_none()
    }

    /// Whether draws are counted by the day or week.
    pub fn counts(&self) -> bool {
        self.day.is_some() || self.week.is_some()
    }

    /// How many more draws there may be after so many today and this week, and so many in all.
    pub fn left(&self, (today, week): (i64, i64), all: u64) -> i64 {
        let all = i64::try_from(all).unwrap_or(i64::MAX);
        let limits = [(self.day, today), (self.week, week), (self.edition, all)];
        let left = limits.into_iter().filter_map(|(most, made)| {
            most.map(|most| i64::from(most).saturating_sub(made).max(0))
        });
        left.min().unwrap_or(PLENTY)
    }

    /// The first day on which there may be more draws again, one or, where one is not too many already, so many at once; none
    /// where there never may.
    pub fn lifted(&self, made: (i64, i64), all: u64, now: Day, at_once: i64) -> Option<Day> {
        let times = if self.left(made, all) < 1 { 1 } else { at_once };
        let all = i64::try_from(all).unwrap_or(i64::MAX);
        let short = |most: Option<u32>, made: i64| {
            most.is_some_and(|most| made.saturating_add(times) > i64::from(most))
        };
        // What a whole day or week has no room for, no later one has.
        let never = |most: Option<u32>| short(most, 0);
        if short(self.edition, all) || never(self.day) || never(self.week) {
            return None;
        }
        if short(self.week, made.1) {
            return Some(Calendar::week(now).saturating_add(7));
        }
        short(self.day, made.0).then(|| now.saturating_add(1))
    }
}

/// Where draws are counted in the record: the day of the last one, how many on it, how many in its week.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted {
    day: u16,
    today: u16,
    week: u16,
}

impl Counted {
    pub fn new([day, today, week]: [u16; 3]) -> Self {
        Self { day, today, week }
    }

    /// How many today and this week.
    pub fn of(self, look: &Look<'_>) -> Result<(i64, i64), Fault> {
        let today = look.today();
        let last = look.int(self.day)?;
        // Time never runs backwards for a participant; a count whose day is to come counts all the same.
        let since = |start: Day| last >= i64::from(start);
        let count = |slot| look.int(slot).map(|count| count.max(0));
        Ok((
            if since(today) { count(self.today)? } else { 0 },
            if since(Calendar::week(today)) {
                count(self.week)?
            } else {
                0
            },
        ))
    }

    /// Counts one more.
    pub fn count(self, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let (today, week) = self.of(&turn.look())?;
        let day = i64::from(turn.today());
        turn.set(self.day, Value::Int(day))?;
        turn.set(self.today, Value::Int(today.saturating_add(1)))?;
        turn.set(self.week, Value::Int(week.saturating_add(1)))
    }
}
