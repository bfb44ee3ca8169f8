//! The traffic that a campaign is planned for: `expected`. Only the check reads it; nothing of it is published.

use crate::check::Check;
use crate::document::{Key, Keys, Shape};

/// More than any campaign has.
const MOST: i64 = 10_000_000_000;

/// The keys of `expected`.
pub(crate) static KEYS: Keys = Keys {
    name: "expected traffic",
    doc: "The traffic that the campaign is planned for: the check says when stock or budget will not last.",
    keys: &[
        Key::required(
            "users",
            Shape::Int(1, MOST),
            "How many users take part in all.",
        ),
        Key::required(
            "visits_per_day",
            Shape::Int(1, MOST),
            "How many of them are there on an average day.",
        ),
    ],
};

/// The expected traffic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    /// How many users take part in all.
    pub users: i64,
    /// How many of them are there on an average day.
    pub visits_per_day: i64,
}

pub(crate) fn read(check: &mut Check<'_>) -> Option<Expected> {
    let fields = check.root.get("expected")?.fields(&KEYS, &mut check.out)?;
    let out = &mut check.out;
    let mut int = |key: &str| fields.get(key).and_then(|node| node.int(1..=MOST, out));
    let (users, visits_per_day) = (int("users"), int("visits_per_day"));
    Some(Expected {
        users: users?,
        visits_per_day: visits_per_day?,
    })
}
