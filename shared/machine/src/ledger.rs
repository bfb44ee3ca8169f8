//! What the ledger keeps: every grant, every draw (one that wins nothing has its row too), every message, and what staff did
//! to single grants by hand. Rows are only ever added: what is taken back has a row that says so.
//!
//! A row names its reward by id and its revision; the log that holds the rows holds each revision's definition too, so
//! the books close without any config file. Serials are stamped by the commit, not by the step.

use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::calendar::{Day, Millis};
use crate::ids::{Period, Pseudonym};
use crate::model::RewardKind;
use crate::participant::Status;
use crate::world::CounterKey;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Read")]
pub enum Row {
    /// A reward was given.
    Grant(GrantRow),
    /// A draw was made.
    Draw(DrawRow),
    /// A message goes out.
    Message(MessageRow),
    /// For which ticket the grants before it were given by hand.
    Hand(HandRow),
    /// A grant was held, let go on, or taken back.
    Amended(AmendedRow),
    /// Somebody entered a draw.
    Entry(EntryRow),
    /// A draw was made from all who entered.
    Raffle(RaffleRow),
}

/// A row as it is written. The terms of a draw came later than draws: a draw that has none of its own looks as it always did, and
/// one that has is of another form. A form may be added at the end and nowhere else: logs hold their numbers.
#[derive(Serialize)]
enum Written<'a> {
    Grant(&'a GrantRow),
    Draw(&'a DrawRow),
    Message(&'a MessageRow),
    Hand(&'a HandRow),
    Amended(&'a AmendedRow),
    DrawOnTerms(&'a DrawRow, &'a Terms),
    Entry(&'a EntryRow),
    Raffle(&'a RaffleRow),
}

/// A row as it is read.
#[derive(Deserialize)]
enum Read {
    Grant(GrantRow),
    Draw(DrawRow),
    Message(MessageRow),
    Hand(HandRow),
    Amended(AmendedRow),
    DrawOnTerms(DrawRow, Terms),
    Entry(EntryRow),
    Raffle(RaffleRow),
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match self {
            Self::Grant(row) => Written::Grant(row),
            Self::Draw(row) if row.terms == Terms::default() => Written::Draw(row),
            Self::Draw(row) => Written::DrawOnTerms(row, &row.terms),
            Self::Message(row) => Written::Message(row),
            Self::Hand(row) => Written::Hand(row),
            Self::Amended(row) => Written::Amended(row),
            Self::Entry(row) => Written::Entry(row),
            Self::Raffle(row) => Written::Raffle(row),
        };
        written.serialize(serializer)
    }
}

impl From<Read> for Row {
    fn from(read: Read) -> Self {
        match read {
            Read::Grant(row) => Self::Grant(row),
            Read::Draw(row) => Self::Draw(row),
            Read::Message(row) => Self::Message(row),
            Read::Hand(row) => Self::Hand(row),
            Read::Amended(row) => Self::Amended(row),
            Read::Entry(row) => Self::Entry(row),
            Read::Raffle(row) => Self::Raffle(row),
            Read::DrawOnTerms(row, terms) => Self::Draw(DrawRow { terms, ..row }),
        }
    }
}

/// The rule that all that is given by hand stands under. No config can name a rule like this.
pub const BY_HAND: &str = "by-hand/ticket";

/// Whether a rule is that one: it is no promise of a revision, and no revision need keep it.
pub fn is_by_hand(rule: &str) -> bool {
    rule == BY_HAND
}

/// Rewards given by hand, in one commit with their grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandRow {
    /// Which reward.
    pub reward: Arc<str>,
    /// How many times.
    pub n: u32,
    /// For which ticket.
    pub ticket: Arc<str>,
    /// By whom.
    pub by: Arc<str>,
    /// Why.
    pub why: Arc<str>,
}

/// What became of a grant, which these name: its user's, under this rule, within this period, the `n`-th.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmendedRow {
    /// Under which rule it was given, by the name that the rule has now.
    pub rule: Arc<str>,
    /// Which reward.
    pub reward: Arc<str>,
    /// Within which period.
    pub period: Period,
    /// The how-many-th within it.
    pub n: u32,
    /// Its status before.
    pub was: Status,
    /// Its status from now on.
    pub now: Status,
    /// How much of its amount was taken out of the user's balance again.
    pub taken: i64,
    /// By whom.
    pub by: Arc<str>,
    /// Why.
    pub why: Arc<str>,
}

/// A grant, as booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRow {
    /// Under which rule.
    pub rule: Arc<str>,
    /// Which reward.
    pub reward: Arc<str>,
    /// What it is.
    pub kind: RewardKind,
    /// Within which period.
    pub period: Period,
    /// The how-many-th within it.
    pub n: u32,
    /// How much.
    pub amount: i64,
    /// What it is worth, in minor units.
    pub value: i64,
    /// What is booked against the budget, in minor units.
    pub cost: i64,
    /// Until when it can be used.
    pub expires: Option<Millis>,
    /// Which unit of stock, from 0; stamped by the commit.
    pub serial: Option<u64>,
}

/// A draw, with everything needed to make it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawRow {
    /// The participant's draw index.
    pub index: u64,
    /// What the draw was for: the block's name.
    pub purpose: Arc<str>,
    /// What came up.
    pub rolled: Rolled,
    /// Draws without a win in a row before this one.
    pub misses: i64,
    /// What was given in the end; none: missed.
    pub given: Option<Arc<str>>,
    /// Which counters were taken to be exhausted.
    pub exhausted: Vec<CounterKey>,
    /// Rewards passed over because this participant had had their `per_user`.
    pub had: Vec<Arc<str>>,
    /// What else it was made under.
    #[serde(skip)]
    pub terms: Terms,
}

/// What a draw was made under, where its campaign has more than odds: nothing of it for most draws.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Which tier's odds it had, from 1; none: the odds that hold after all tiers.
    pub tier: Option<u16>,
    /// The calendar day it counts on, where something is limited by the day or week.
    pub day: Option<Day>,
    /// Rewards passed over because they are not for this participant.
    pub excluded: Vec<Arc<str>>,
    /// How many draws the participant had made of this wheel before it, where days had drawn something too; none: as many as its
    /// index says.
    pub made: Option<u64>,
}

impl DrawRow {
    /// How many draws the participant had made of this wheel before it.
    pub fn made(&self) -> u64 {
        self.terms.made.unwrap_or(self.index)
    }
}

/// What came up in a draw, before anything was found to be gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rolled {
    /// The number drawn, in `[0, of)`; 0 of 0 where pity decided without a roll.
    pub pick: u64,
    /// Below what.
    pub of: u64,
    /// The reward it stands for.
    pub reward: Arc<str>,
    /// Whether pity decided.
    pub pity: bool,
}

/// The message that a member's first sign-in of a day is to their team's tally, with the fields `team` (a hash) and `day`. No
/// config can emit one of this name.
pub const TEAM_DAY: &str = "team/day";

/// The message that a code was used, with the fields `of` (which kind), `code` (its digest) and `uses` (how often it may be used; 0:
/// without end). No config can emit one of this name.
pub const CODE_USED: &str = "code/used";

/// An entry for a draw from a list of entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRow {
    /// Which draw: the block's name.
    pub draw: Arc<str>,
    /// Its number among the draw's entries, from 0 without gaps; stamped by the commit.
    pub number: Option<u64>,
}

/// A draw from a list of entries, with everything needed to make it again. It stands under nobody's pseudonym
/// ([`crate::raffle::nobody`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaffleRow {
    /// Which draw: the block's name.
    pub draw: Arc<str>,
    /// How many entries there were: those with the numbers below this.
    pub entries: u64,
    /// SHA-256 of the list of entries.
    pub sha256: [u8; 32],
    /// The rewards, in order, and how many of each there are to win.
    pub prizes: Vec<(Arc<str>, u32)>,
    /// How many alternates were to be drawn.
    pub alternates: u32,
    /// For how long a prize can be claimed, in milliseconds; none: it is given at once.
    pub claim_within: Option<i64>,
    /// Who was drawn, in order, each once: the winners first, a prize each, then the alternates. Fewer where fewer entered.
    pub order: Vec<Pseudonym>,
}

impl RaffleRow {
    /// How many can win.
    pub fn winners(&self) -> u32 {
        let winners = self.prizes.iter().map(|(_, winners)| *winners);
        winners.fold(0, u32::saturating_add)
    }
}

/// A message, as emitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// Its name.
    pub message: Arc<str>,
    /// Its fields.
    pub fields: Vec<(Arc<str>, crate::value::Value)>,
}
