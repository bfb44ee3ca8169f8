//! Who comes, how often, and what they do there: the assumptions of a forecast. They are printed with it, since a forecast
//! is worth what its assumptions are.

mod read;

use std::collections::BTreeMap;

use machine::Value;
use serde::{Serialize, Serializer};

use super::dice::Rate;

pub use read::{KEYS, read};

/// The assumptions. As JSON it is a profile file that can be read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Profile {
    /// How many take part in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<u32>,
    /// For how many days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// On which day people come for the first time.
    pub arrivals: Arrivals,
    /// How the visits of a day spread over the hours of the wall clock: a weight each, from midnight.
    pub hours: [u32; 24],
    /// How people come back.
    pub returns: Returns,
    /// The share of visits in which somebody presses a button that the page says is not possible now.
    pub presses_anyway: Rate,
    /// Passing it on.
    pub share: Share,
    /// What users do, by event, where it is not the usual.
    pub events: BTreeMap<String, Habit>,
    /// How often the back end sends an event: per visit.
    pub backend: BTreeMap<String, Rate>,
    /// How often the back end sends each event that is not named in `backend`.
    pub backend_else: Rate,
    /// What payload fields hold, each with equal chance: by event and field.
    pub payload: BTreeMap<String, BTreeMap<String, Vec<Written>>>,
    /// What claims hold, by claim: each value with its share, the rest the default.
    pub claims: BTreeMap<String, Vec<Claimed>>,
    /// The share of people who are on a list; on those not named nobody is.
    pub lists: BTreeMap<String, Rate>,
    /// What is found out about people, by fact; one that is missing is unknown of everybody, and by first sight everybody is new.
    pub facts: BTreeMap<String, Found>,
    /// The share of the codes typed in that are of a kind; the others are wrong. Where none is named, nine of ten are right, as many of
    /// each kind.
    pub codes: BTreeMap<String, Rate>,
}

/// What is found out about people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Found {
    /// A truth value: it holds for this share, and does not for the others.
    Holds(Rate),
    /// These values, each for its share; of the others it is unknown.
    OneOf(Vec<Claimed>),
}

/// On which day people come for the first time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrivals {
    /// Most with the opening, each day a quarter less, down to a trickle.
    Launch,
    /// As many on each day.
    Even,
    /// By these weights, a day each; nobody later.
    #[serde(untagged)]
    Days(Vec<u32>),
}

/// How people come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Returns {
    /// Once more on the same day, after each visit.
    pub same_day: Rate,
    /// On the day after a visit.
    pub next_day: Rate,
    /// On each later day, of those who stayed away.
    pub later: Rate,
}

/// Passing it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The share of visits in which somebody shares.
    pub rate: Rate,
    /// The share of those that bring somebody new, on the next day; they come on top of `users`.
    pub brings: Rate,
}

/// What users do with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Habit {
    /// The share of visits in which it is tried where it is possible.
    pub rate: Rate,
    /// How often at most in one visit.
    pub tries: u32,
}

/// A claim's value and the share of people who have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claimed {
    /// The value.
    pub value: Written,
    /// The share.
    pub share: Rate,
}

/// A value as the profile wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// What it is.
    pub value: Value,
    /// Its text, where its type (a date, a length of time) is not one that JSON has.
    pub text: String,
}

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Strs(items) => serializer.collect_seq(items.iter().map(|item| &**item)),
            Value::Int(value) if value.to_string() == self.text => serializer.serialize_i64(*value),
            Value::Int(_) | Value::Str(_) | Value::Days(_) => serializer.serialize_str(&self.text),
        }
    }
}

/// Evenings are busy, and four in the morning is not.
const HOURS: [u32; 24] = [
    4, 2, 1, 1, 1, 2, 4, 6, 8, 8, 9, 10, 12, 10, 8, 8, 8, 9, 11, 13, 15, 16, 13, 8,
];

impl Default for Profile {
    /// What is assumed where nothing is said: not measured anywhere, and a measured profile (`--fit`) is better.
    fn default() -> Self {
        Self {
            users: None,
            days: None,
            arrivals: Arrivals::Launch,
            hours: HOURS,
            returns: Returns {
                same_day: Rate::percent(10),
                next_day: Rate::percent(40),
                later: Rate::percent(4),
            },
            presses_anyway: Rate::percent(5),
            share: Share {
                rate: Rate::percent(5),
                brings: Rate::NEVER,
            },
            events: BTreeMap::new(),
            backend: BTreeMap::new(),
            backend_else: Rate::percent(10),
            payload: BTreeMap::new(),
            claims: BTreeMap::new(),
            lists: BTreeMap::new(),
            facts: BTreeMap::new(),
            codes: BTreeMap::new(),
        }
    }
}

impl Arrivals {
    /// The weights of so many days.
    pub fn weights(&self, days: usize) -> Vec<u64> {
        match self {
            Self::Even => vec![1; days],
            Self::Days(weights) => (0..days)
                .map(|day| weights.get(day).copied().map_or(0, u64::from))
                .collect(),
            Self::Launch => {
                const FIRST: u64 = 1_000_000;
                const TRICKLE: u64 = 40_000;
                std::iter::successors(Some(FIRST), |weight| Some(weight * 3 / 4))
                    .map(|weight| weight + TRICKLE)
                    .take(days)
                    .collect()
            }
        }
    }
}

impl std::fmt::Display for Arrivals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Launch => f.write_str("most at the opening, a quarter fewer each day"),
            Self::Even => f.write_str("as many on each day"),
            Self::Days(_) => f.write_str("as the profile says, day by day"),
        }
    }
}
