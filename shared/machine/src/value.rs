//! The values that a record, a payload and a claim hold, and their types.
//!
//! Dates, times and durations are integers at run time; their difference lives in [`Type`], which the check uses.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What the check knows of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A 64-bit signed integer.
    Int,
    /// A string.
    Str,
    /// A calendar day in the campaign's timezone: days since 1970-01-01.
    Date,
    /// An instant: milliseconds since 1970-01-01T00:00:00Z.
    Time,
    /// A length of time in milliseconds.
    Duration,
    /// A list of strings.
    Strs,
    /// A set of days (blocks only; no expression reads one directly).
    Days,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Str => "string",
            Self::Date => "date",
            Self::Time => "time",
            Self::Duration => "duration",
            Self::Strs => "list of strings",
            Self::Days => "set of days",
        })
    }
}

impl Type {
    /// The value a variable of this type has when nothing else is said.
    pub fn zero(self) -> Value {
        match self {
            Self::Bool => Value::Bool(false),
            Self::Int | Self::Date | Self::Time | Self::Duration => Value::Int(0),
            Self::Str => Value::Str(Arc::from("")),
            Self::Strs => Value::Strs(Arc::from([])),
            Self::Days => Value::Days(Days::default()),
        }
    }

    /// Whether `value` can stand where this type is asked for.
    pub fn admits(self, value: &Value) -> bool {
        match self {
            Self::Bool => matches!(value, Value::Bool(_)),
            Self::Int | Self::Date | Self::Time | Self::Duration => matches!(value, Value::Int(_)),
            Self::Str => matches!(value, Value::Str(_)),
            Self::Strs => matches!(value, Value::Strs(_)),
            Self::Days => matches!(value, Value::Days(_)),
        }
    }
}

/// A value at run time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// A boolean.
    Bool(bool),
    /// An integer, a date, a time or a duration.
    Int(i64),
    /// A string.
    Str(Arc<str>),
    /// A list of strings.
    Strs(Arc<[Arc<str>]>),
    /// A set of days.
    Days(Days),
}

/// A set of calendar days, packed as a bitmap from its first day: a year of sign-ins takes 52 bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days {
    /// The day of bit 0; meaningless while `words` is empty.
    base: i32,
    words: Vec<u64>,
}

impl Days {
    /// The longest span of days one set holds; a day further away is not stored (64 years: no campaign runs longer).
    pub const MAX_SPAN_DAYS: i32 = 64 * 366;

    /// Whether `day` is in the set.
    pub fn contains(&self, day: i32) -> bool {
        let offset = i64::from(day) - i64::from(self.base);
        usize::try_from(offset)
            .ok()
            .and_then(|bit| {
                self.words
                    .get(bit / 64)
                    .map(|word| word >> (bit % 64) & 1 == 1)
            })
            .unwrap_or(false)
    }

    /// Adds `day`. False when it was there already, or when it lies more than [`Self::MAX_SPAN_DAYS`] from the rest.
    pub fn insert(&mut self, day: i32) -> bool {
        if self.contains(day) {
            return false;
        }
        if self.words.is_empty() {
            self.base = day;
        }
        if day < self.base {
            let missing = i64::from(self.base) - i64::from(day);
            let grow = (missing as usize).div_ceil(64);
            if missing > i64::from(Self::MAX_SPAN_DAYS) {
                return false;
            }
            self.words.splice(0..0, std::iter::repeat_n(0, grow));
            self.base -= (grow * 64) as i32;
        }
        let bit = (i64::from(day) - i64::from(self.base)) as usize;
        if bit > Self::MAX_SPAN_DAYS as usize + 64 {
            return false;
        }
        if bit / 64 >= self.words.len() {
            self.words.resize(bit / 64 + 1, 0);
        }
        if let Some(word) = self.words.get_mut(bit / 64) {
            *word |= 1 << (bit % 64);
        }
        true
    }

    /// The last of them.
    pub fn last(&self) -> Option<i32> {
        let (at, word) = self
            .words
            .iter()
            .enumerate()
            .rev()
            .find(|(_, word)| **word != 0)?;
        Some(self.base + (at * 64) as i32 + 63 - word.leading_zeros() as i32)
    }

    /// How many days are in the set.
    pub fn len(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The days in order.
    pub fn iter(&self) -> impl Iterator<Item = i32> + '_ {
        self.words.iter().enumerate().flat_map(move |(at, word)| {
            (0..64)
                .filter(move |bit| word >> bit & 1 == 1)
                .map(move |bit| self.base + (at * 64) as i32 + bit)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn days_behave_like_a_set(days in proptest::collection::vec(-2000i32..2000, 0..60)) {
            let mut packed = Days::default();
            let mut model = std::collections::BTreeSet::new();
            for day in days {
                prop_assert_eq!(packed.insert(day), model.insert(day));
            }
            prop_assert_eq!(packed.len(), model.len());
            prop_assert_eq!(packed.last(), model.last().copied());
            prop_assert_eq!(packed.iter().collect::<Vec<_>>(), model.iter().copied().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_day_out_of_all_reach_is_refused_and_changes_nothing() {
        let mut days = Days::default();
        assert!(days.insert(0));
        assert!(!days.insert(i32::MAX));
        assert!(!days.insert(i32::MIN));
        assert_eq!(days.iter().collect::<Vec<_>>(), vec![0]);
    }
}
