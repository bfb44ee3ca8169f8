//! A scenario: who comes, what they do, how many a second, and what must hold. The model; `read` makes it of YAML.

mod read;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::limit::Limit;

pub use read::{Mistake, Mistakes, read};

/// A checked scenario: every name in it means something, every share adds up.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The file's name without `.yaml`, or what it says of itself.
    pub name: String,
    /// What it is about, in one line.
    pub title: String,
    /// What chance is drawn from; `--seed` wins.
    pub seed: u64,
    /// The campaigns that are played. [`crate::call::Call::campaign`] counts in these.
    pub campaigns: Vec<Campaign>,
    /// Who comes.
    pub population: Population,
    /// What they do; shares are parts of their sum.
    pub journeys: Vec<Journey>,
    /// How many a second begin a journey, phase by phase.
    pub arrivals: Vec<Phase>,
    /// What must hold. The truth must always hold.
    pub limits: Vec<Limit>,
    /// What the judge provokes.
    pub provoke: Provoke,
    /// How long an answer is waited for.
    pub patience: Duration,
    /// Most connections at once, over all threads.
    pub connections: u32,
}

/// A campaign of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// The tenant's id.
    pub tenant: String,
    /// The campaign's id.
    pub campaign: String,
}

/// Who comes.
#[derive(Debug, Clone, PartialEq)]
pub struct Population {
    /// How many there are.
    pub users: u64,
    /// How they are picked for a journey.
    pub picked: Picked,
    /// The share (0 to 1) of users who are bots: the last ones by number. A journey says whether people or bots go on it.
    pub bots: f64,
    /// From how many addresses they come, in groups of neighbours (a school is one address): sent as `X-Forwarded-For`, which the target
    /// must trust this machine for. `None`: all from this machine's own.
    pub addresses: Option<u32>,
    /// What the member ids begin with: with the same mark, users come back in a later run.
    pub mark: String,
    /// Claims of their tokens: the same for everyone; `{n}` in a text is the user's number.
    pub claims: BTreeMap<String, Value>,
}

/// How users are picked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Picked {
    /// Each once, in a shuffled order, then again from the beginning: everybody comes.
    InTurn,
    /// Any, as likely as any other: some come back.
    Evenly,
    /// A few come all the time: Zipf with this exponent (above 0), over a shuffled order.
    Zipf(f64),
}

/// What a user does, step by step.
#[derive(Debug, Clone, PartialEq)]
pub struct Journey {
    /// Its name.
    pub name: String,
    /// How often it is taken, as a part of the sum of all shares.
    pub share: f64,
    /// Which campaign (an index).
    pub campaign: usize,
    /// Whether bots take it instead of people.
    pub bots: bool,
    /// The steps.
    pub steps: Vec<Step>,
}

/// A step of a journey.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Waits, evenly between these.
    Think(Duration, Duration),
    /// Asks once.
    Call(Ask),
    /// Goes through steps again, between these many times, until a rejection.
    Repeat(u32, u32, Vec<Step>),
}

/// What a step asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// The public page data.
    Page,
    /// The view.
    View,
    /// An event with a payload; `{n}` in a text is the user's number, `{random}` eight random letters and digits.
    Event {
        /// The event's id.
        event: String,
        /// The payload, an object.
        payload: Value,
    },
    /// What they were given.
    Grants,
    /// A poster in a format (`jpeg`, `png`, `webp`).
    Poster {
        /// The template.
        template: String,
        /// The format.
        format: String,
    },
    /// A browser's question before an event from another origin.
    Preflight {
        /// The event's id.
        event: String,
        /// The page's origin.
        origin: String,
    },
}

/// A phase of the arrivals.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// How many begin a journey when.
    pub shape: Shape,
}

/// How many begin a journey when.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// From one rate to another, evenly (the same: constant); journeys a second.
    Ramp {
        /// At its beginning.
        from: f64,
        /// At its end.
        to: f64,
        /// How long.
        lasts: Duration,
    },
    /// So many at once: all are due within `within`, from its beginning on.
    Spike {
        /// How many.
        journeys: u64,
        /// Within which time.
        within: Duration,
        /// How long the phase lasts in all.
        lasts: Duration,
    },
    /// A day in small: relative weights of equal parts of it, scaled to a peak; journeys a second.
    Curve {
        /// The weights.
        weights: Vec<f64>,
        /// What the largest weight is.
        peak: f64,
        /// How long.
        lasts: Duration,
    },
    /// Stairs, until limits are missed or the last one is done; journeys a second.
    Steps {
        /// The first.
        from: f64,
        /// By how much each is higher.
        by: f64,
        /// The last.
        to: f64,
        /// How long each is.
        each: Duration,
    },
}

/// What the judge provokes on purpose, as shares (0 to 1) of events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Provoke {
    /// Sent once more after their answer: the bytes must be the same.
    pub replay: f64,
    /// Sent, and the connection dropped before the answer; then sent again with the same key.
    pub drop: f64,
}
