//! What does not agree, each with what is needed to find it.

use std::sync::Arc;

use machine::ids::Pseudonym;
use machine::participant::Status;
use machine::world::CounterKey;

/// Two of a lane's books that say different things.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// Rows are not there.
    #[error("ledger: {count} rows are missing from row {from} on")]
    RowsMissing {
        /// The first of them.
        from: u64,
        /// How many.
        count: u64,
    },
    /// A row's number came before.
    #[error("ledger: row {0} stands there more than once, or out of order")]
    RowTwice(u64),
    /// A unit was given twice.
    #[error("stock: unit {serial} of `{reward}` was given twice, the second time by row {row}")]
    SerialTwice {
        /// The reward.
        reward: Arc<str>,
        /// The unit.
        serial: u64,
        /// The row that gave it again.
        row: u64,
    },
    /// Units below the highest that was given are in no row.
    #[error("stock: {count} units of `{reward}` are in no row, the first is unit {first}")]
    SerialsMissing {
        /// The reward.
        reward: Arc<str>,
        /// The first of them.
        first: u64,
        /// How many.
        count: u64,
    },
    /// A unit beyond all that can have been given.
    #[error("stock: row {row} gives unit {serial} of `{reward}`, and only {issued} were issued")]
    SerialBeyond {
        /// The reward.
        reward: Arc<str>,
        /// The unit.
        serial: u64,
        /// The row.
        row: u64,
        /// What the counter says.
        issued: i64,
    },
    /// More units were given than there are codes for them.
    #[error("pool `{pool}` has {codes} codes for `{reward}`, and {issued} units of it were given")]
    NoCode {
        /// The reward.
        reward: Arc<str>,
        /// Its pool.
        pool: Arc<str>,
        /// How many codes the pool has for it.
        codes: u64,
        /// What the counter says.
        issued: i64,
    },
    /// A grant of limited stock without a serial.
    #[error("stock: row {row} gives `{reward}` without the number of its unit")]
    NoSerial {
        /// The reward.
        reward: Arc<str>,
        /// The row.
        row: u64,
    },
    /// A counter does not say what the ledger's rows add up to.
    #[error("{counter}: the counter says {counted}, the ledger's rows make {booked}")]
    CounterDiffers {
        /// The counter.
        counter: CounterKey,
        /// What it says is gone.
        counted: i64,
        /// What the rows make.
        booked: i64,
    },
    /// More is gone than there was.
    #[error("{counter}: {issued} are gone, and there were {ceiling}")]
    Overdrawn {
        /// The counter.
        counter: CounterKey,
        /// How much is gone.
        issued: i64,
        /// The bound.
        ceiling: i64,
    },
    /// A grant that was given twice.
    #[error("grant {id:032x} of {user} stands in the ledger twice, the second time as row {row}")]
    GrantTwice {
        /// Whose.
        user: Pseudonym,
        /// The grant's id.
        id: u128,
        /// The second row.
        row: u64,
    },
    /// A grant of the ledger that its user's record lacks.
    #[error("grant {id:032x} of {user} is booked as row {row}, and the record lacks it")]
    NotInRecord {
        /// Whose.
        user: Pseudonym,
        /// The grant's id.
        id: u128,
        /// Its row.
        row: u64,
    },
    /// A grant of a record that was never booked.
    #[error("grant {id:032x} stands in the record of {user}, and was never booked")]
    NotInLedger {
        /// Whose.
        user: Pseudonym,
        /// The grant's id.
        id: u128,
    },
    /// A grant of another reward than was booked.
    #[error("grant {id:032x} of {user}: booked as `{booked}`, and the record says `{recorded}`")]
    OtherReward {
        /// Whose.
        user: Pseudonym,
        /// The grant's id.
        id: u128,
        /// The ledger's word.
        booked: Arc<str>,
        /// The record's.
        recorded: Arc<str>,
    },
    /// Something was made of a grant that was never booked.
    #[error("row {row} amends a grant of {user} that was never booked")]
    AmendsNothing {
        /// Whose.
        user: Pseudonym,
        /// The row.
        row: u64,
    },
    /// A grant whose record says another status than the ledger.
    #[error("grant {id:032x} of {user} is {booked:?} by the ledger and {recorded:?} by the record")]
    StatusDiffers {
        /// Whose.
        user: Pseudonym,
        /// The grant's id.
        id: u128,
        /// The ledger's word.
        booked: Status,
        /// The record's.
        recorded: Status,
    },
    /// A grant in a record that names no rule or reward of its revision.
    #[error(
        "the record of {user} has a grant that revision {revision} has no rule or no reward for"
    )]
    Nameless {
        /// Whose.
        user: Pseudonym,
        /// The record's revision.
        revision: u32,
    },
    /// A draw that is not the next of its user.
    #[error("row {row} is draw {found} of {user}, and the next was draw {expected}")]
    DrawIndex {
        /// Whose.
        user: Pseudonym,
        /// The row.
        row: u64,
        /// Which it should be.
        expected: u64,
        /// Which it says it is.
        found: u64,
    },
    /// A record that counts other draws than were booked.
    #[error("{user} has made {booked} draws by the ledger and {recorded} by the record")]
    DrawsDiffer {
        /// Whose.
        user: Pseudonym,
        /// The ledger's count.
        booked: u64,
        /// The record's.
        recorded: u64,
    },
    /// Someone with rows and without a record.
    #[error("{user} has rows in the ledger, row {row} first, and no record")]
    NoRecord {
        /// Whose.
        user: Pseudonym,
        /// The first of the rows.
        row: u64,
    },
    /// A revision that books refer to and that can't be read: what depends on it was not compared.
    #[error("revision {revision} can't be read: what was decided by it is compared in part only")]
    UnknownRevision {
        /// Which.
        revision: u32,
    },
}

impl Difference {
    /// Its kind in stable words, for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RowsMissing { .. } => "rows-missing",
            Self::RowTwice(_) => "row-twice",
            Self::SerialTwice { .. } => "serial-twice",
            Self::SerialsMissing { .. } => "serials-missing",
            Self::SerialBeyond { .. } => "serial-beyond",
            Self::NoCode { .. } => "no-code",
            Self::NoSerial { .. } => "no-serial",
            Self::CounterDiffers { .. } => "counter-differs",
            Self::Overdrawn { .. } => "overdrawn",
            Self::GrantTwice { .. } => "grant-twice",
            Self::NotInRecord { .. } => "not-in-record",
            Self::NotInLedger { .. } => "not-in-ledger",
            Self::OtherReward { .. } => "other-reward",
            Self::AmendsNothing { .. } => "amends-nothing",
            Self::StatusDiffers { .. } => "status-differs",
            Self::Nameless { .. } => "nameless",
            Self::DrawIndex { .. } => "draw-index",
            Self::DrawsDiffer { .. } => "draws-differ",
            Self::NoRecord { .. } => "no-record",
            Self::UnknownRevision { .. } => "unknown-revision",
        }
    }
}

/// What was found: so many named, all counted.
#[derive(Debug, Default)]
pub(super) struct Findings {
    named: Vec<Difference>,
    found: u64,
}

impl Findings {
    pub fn add(&mut self, difference: Difference) {
        self.found += 1;
        if self.named.len() < super::NAMED {
            self.named.push(difference);
        }
    }

    pub fn told(self) -> (Vec<Difference>, u64) {
        (self.named, self.found)
    }
}
