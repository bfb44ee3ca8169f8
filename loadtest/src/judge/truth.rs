//! What must hold whatever the load: a table of checks, each with how much was looked at and what was found. How they are made: `reckon`.

use serde::{Deserialize, Serialize};

use super::books::Pages;
use super::promise::{Example, Faults, State};

/// What the judge found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// What was looked at.
    pub basis: Basis,
    /// One for each promise of the product.
    pub checks: Vec<Check>,
    /// Calls of which nobody knows what they did: named, and no fault.
    pub unknown: Unknown,
}

/// What the judge could look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The answers, and the target's ledger and counters.
    Ledger,
    /// The answers and some users' `/grants`.
    Answers,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its id.
    pub id: Id,
    /// How many were looked at.
    pub looked_at: u64,
    /// How many are wrong.
    pub faults: u64,
    /// At most ten of them.
    pub examples: Vec<Example>,
    /// Why it could not be made, if it could not.
    pub not_made: Option<String>,
}

/// The checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Id {
    /// More units are given than there are.
    Oversold,
    /// One unit is given to two.
    Serials,
    /// The ledger has a grant twice, by its id or by what it is for.
    DoubleGrants,
    /// Two answers gave the same grant.
    PromisedTwice,
    /// An answer named a grant that the ledger (`/grants`) does not have.
    PromisedMissing,
    /// The ledger has a grant whose call was answered without it.
    GivenUnsaid,
    /// More is spent than the budget, in all or on a day.
    Budget,
    /// An idempotent replay is not the first answer.
    Replays,
}

/// Calls of which nobody knows what they did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// Keys whose every try was lost or answered with 5xx.
    pub keys: u64,
    /// Those that the ledger shows to have been done; absent without the ledger.
    pub done: Option<u64>,
    /// Keys whose first try was lost, that were refused when they came again, and that the ledger shows to have been done: the lost try was
    /// the later one. Absent without the ledger.
    pub refused_and_done: Option<u64>,
}

/// Why a check was not made.
const NEEDS_LEDGER: &str = "it needs the target's ledger: run with `--admin URL --token T`";

impl Id {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Oversold,
        Self::Serials,
        Self::DoubleGrants,
        Self::PromisedTwice,
        Self::PromisedMissing,
        Self::GivenUnsaid,
        Self::Budget,
        Self::Replays,
    ];

    /// What must be 0, in words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Oversold => "Units given beyond the stock",
            Self::Serials => "Units given to two",
            Self::DoubleGrants => "Grants given twice",
            Self::PromisedTwice => "Grants promised twice",
            Self::PromisedMissing => "Promised, but missing",
            Self::GivenUnsaid => "Given, but never said",
            Self::Budget => "Budgets overrun",
            Self::Replays => "Replays that differ",
        }
    }

    /// What was looked at, as a plural.
    pub fn of(self) -> &'static str {
        match self {
            Self::Oversold | Self::Serials => "units in the ledger",
            Self::DoubleGrants => "grants in the ledger",
            Self::PromisedTwice | Self::PromisedMissing => "grants named by answers",
            Self::GivenUnsaid => "ledger rows of this run's calls",
            Self::Budget => "grants with a cost in the ledger",
            Self::Replays => "replayed answers",
        }
    }

    /// Whether it is about the target's whole ledger, so that the parts of a run find the same; otherwise about what one process heard.
    pub fn whole(self) -> bool {
        match self {
            Self::Oversold | Self::Serials | Self::DoubleGrants | Self::Budget => true,
            Self::PromisedTwice | Self::PromisedMissing | Self::GivenUnsaid | Self::Replays => {
                false
            }
        }
    }

    fn needs_ledger(self) -> bool {
        self.whole() || self == Self::GivenUnsaid
    }
}

impl Truth {
    /// Nothing looked at yet.
    pub fn new(basis: Basis) -> Self {
        let check = |id: Id| Check {
            id,
            looked_at: 0,
            faults: 0,
            examples: Vec::new(),
            not_made: (basis == Basis::Answers && id.needs_ledger())
                .then(|| NEEDS_LEDGER.to_owned()),
        };
        let known = (basis == Basis::Ledger).then_some(0);
        Self {
            basis,
            checks: Id::ALL.map(check).into(),
            unknown: Unknown {
                keys: 0,
                done: known,
                refused_and_done: known,
            },
        }
    }

    /// Whether nothing is wrong.
    pub fn holds(&self) -> bool {
        self.faults() == 0
    }

    /// How much is wrong, over all checks.
    pub fn faults(&self) -> u64 {
        self.checks.iter().map(|check| check.faults).sum()
    }

    /// Notes that so many were looked at, and what was found wrong with them.
    pub(super) fn found(&mut self, id: Id, looked_at: u64, faults: Faults) {
        if let Some(check) = self.checks.iter_mut().find(|check| check.id == id) {
            let mut all = Faults {
                count: check.faults,
                examples: std::mem::take(&mut check.examples),
            };
            all.add(faults);
            check.looked_at += looked_at;
            (check.faults, check.examples) = (all.count, all.examples);
        }
    }

    /// What was wrong with answers alone.
    pub(super) fn heard(&mut self, pages: &Pages) {
        self.found(Id::Replays, pages.replays, pages.unlike.clone());
        let promises = pages.promises.len() as u64;
        self.found(Id::PromisedTwice, promises, pages.twice.clone());
        // A yes that can't be read promises something, and nobody knows what.
        self.found(Id::PromisedMissing, 0, pages.unread.clone());
        let open = pages.keys.values().filter(|kept| kept.state == State::Open);
        self.unknown.keys += open.count() as u64;
    }

    /// Says of checks that found nothing to look at why that is.
    pub(super) fn settle(&mut self) {
        for check in &mut self.checks {
            if check.looked_at == 0 && check.faults == 0 && check.not_made.is_none() {
                check.not_made = Some(match check.id {
                    Id::GivenUnsaid => {
                        "no row of the ledger names a call of this run as its request".to_owned()
                    }
                    id => format!("there are no {}", id.of()),
                });
            }
        }
    }

    /// Takes in what the judge of another part of the same run found: what each process heard adds up; of the ledger, which is the same for
    /// both, the later look counts.
    pub fn merge(&mut self, other: &Self) {
        for check in &mut self.checks {
            let Some(more) = other.checks.iter().find(|more| more.id == check.id) else {
                continue;
            };
            if check.id.whole() {
                let later = (more.looked_at, more.faults) > (check.looked_at, check.faults);
                if check.not_made.is_some() || (later && more.not_made.is_none()) {
                    *check = more.clone();
                }
                continue;
            }
            let mut all = Faults {
                count: check.faults,
                examples: std::mem::take(&mut check.examples),
            };
            all.add(Faults {
                count: more.faults,
                examples: more.examples.clone(),
            });
            (check.faults, check.examples) = (all.count, all.examples);
            check.looked_at += more.looked_at;
            if more.not_made.is_none() {
                check.not_made = None;
            }
        }
        if other.basis == Basis::Answers {
            self.basis = Basis::Answers;
        }
        let sum = |one: Option<u64>, two: Option<u64>| Some(one? + two?);
        self.unknown.keys += other.unknown.keys;
        self.unknown.done = sum(self.unknown.done, other.unknown.done);
        self.unknown.refused_and_done = sum(
            self.unknown.refused_and_done,
            other.unknown.refused_and_done,
        );
    }
}
