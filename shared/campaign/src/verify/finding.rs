//! What a verification says.

use serde::Serialize;

/// What was looked at, and what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many rows the ledger has.
    pub rows: u64,
    /// How many draws were computed again.
    pub draws: u64,
    /// How many draws from a list of entries were, and how many entries those had.
    pub raffles: u64,
    /// How many entries.
    pub entries: u64,
    /// How many of the draws gave something.
    pub wins: u64,
    /// How many participants drew.
    pub participants: u64,
    /// How many findings there are; of very many, only the first are kept.
    pub wrong: u64,
    /// What is wrong, in the order of the ledger.
    pub findings: Vec<Finding>,
}

impl Report {
    /// How many findings are kept: a wrong seed makes every draw wrong, and nobody reads a million lines.
    pub const KEPT: usize = 1000;

    /// Whether everything is as it must be.
    pub fn holds(&self) -> bool {
        self.wrong == 0
    }

    pub(super) fn add(&mut self, finding: Finding) {
        self.wrong += 1;
        if self.findings.len() < Self::KEPT {
            self.findings.push(finding);
        }
    }
}

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The row's number; none for what concerns the whole.
    pub row: Option<u64>,
    /// The participant.
    pub user: Option<String>,
    /// Of which kind.
    pub kind: Kind,
    /// What differs, in plain words.
    pub message: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.row, &self.user) {
            (Some(row), Some(user)) => {
                write!(f, "row {row} (participant {user}): {}", self.message)
            }
            (Some(row), None) => write!(f, "row {row}: {}", self.message),
            _ => f.write_str(&self.message),
        }
    }
}

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The seed is not the one that was promised.
    Seed,
    /// A definition is missing, unreadable, or not the one that was published.
    Config,
    /// A row does not belong to this ledger.
    Foreign,
    /// The rows' numbers do not count up by one.
    Number,
    /// A participant's draw indices do not count up by one.
    Index,
    /// The revision has no such wheel.
    Purpose,
    /// The number or the reward that came up.
    Rolled,
    /// The pity count.
    Misses,
    /// What was given in the end.
    Given,
    /// What a participant is said to have had.
    Had,
    /// What is said to be exhausted.
    Exhausted,
    /// An entry for a draw: its number, its time.
    Entry,
    /// A draw from a list of entries: the list, who was drawn, what they were given.
    Raffle,
    /// A win without its grant, a grant without its draw, or one that differs.
    Grant,
    /// A day that can't be a draw's own.
    Day,
    /// A reward that is for everybody, and was passed over as if it were not.
    Excluded,
    /// More draws than one may make.
    Limit,
}
