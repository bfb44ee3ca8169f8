//! What a world is asked to change, and what it answers.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::admin::Admin;
use super::delivery::Keep;
use super::measure::Blocked;
use super::state::{Live, Pause};
use crate::calendar::{Day, Millis, date, day_number};
use crate::facts::Used;
use crate::ids::{CampaignKey, Period, Pseudonym};
use crate::ledger::{GrantRow, Row};
use crate::model::Sender;
use crate::participant::{Core, Grant, Heard, Participant};

/// A change: a line of the embedded store's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// One participant's step.
    Commit(Box<Commit>),
    /// Something ops staff did.
    Admin(Box<Admin>),
    /// What is kept for deliveries.
    Keep(Keep),
}

/// One participant's step, with everything that must become true at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Which campaign, edition, lane.
    pub campaign: CampaignKey,
    /// The revision that decided.
    pub revision: u32,
    /// Who.
    pub user: Pseudonym,
    /// The record's version that the step saw; 0 for none.
    pub expected: u64,
    /// Which event; none where only time passed.
    pub event: Option<Arc<str>>,
    /// Who sent it.
    pub sender: Sender,
    /// The caller's idempotency key.
    pub key: Arc<str>,
    /// SHA-256 of the event and the meaning of the body.
    pub fingerprint: [u8; 32],
    /// The clock of the shell that decided.
    pub at: Millis,
    /// Where it came from.
    pub attribution: Attribution,
    /// The record as it will be.
    pub core: Core,
    /// The new grants.
    pub grants: Vec<Grant>,
    /// The counters to move.
    pub moves: Vec<CounterMove>,
    /// Counters to report on if one of `moves` is exhausted.
    pub alternatives: Vec<CounterMove>,
    /// The ledger's new rows; `apply` stamps their serials.
    pub rows: Vec<Row>,
    /// The number of the first of them in the campaign's ledger; stamped by `apply`.
    pub first_row: u64,
    /// When time alone changes this record next.
    pub timer: Option<Millis>,
    /// The bytes of the answer.
    pub answer: Answer,
    /// The grants from before, where the record was written under another revision: each by its place in the tables of
    /// this one. They replace those of the record; none: they stay as they are. (Written to logs since form 2.)
    pub carried: Option<Vec<Grant>>,
    /// How far other campaigns' messages were heard, as the record will have it. (Written to logs since form 4.)
    pub heard: Vec<Heard>,
    /// The record that the step was made on, where it may be a guess. Of a store that can lose its last writes a version may
    /// name two records: such a store holds this one against its own, and says `Stale` where they differ. Never in a log.
    #[serde(skip)]
    pub seen: Option<Arc<Participant>>,
}

impl Commit {
    /// Whether somebody was given its answer, and may ask for it again with the same key. A message of another campaign is
    /// known by its sequence instead.
    pub fn is_answered(&self) -> bool {
        self.event.is_some() && self.sender != Sender::Campaign
    }

    /// Whether staff amend what was given, and give nothing: that goes on while a campaign is stopped and a user is blocked.
    pub fn is_amendment(&self) -> bool {
        let gives = |row: &Row| matches!(row, Row::Grant(_));
        self.sender == Sender::Staff && !self.rows.iter().any(gives)
    }

    /// A counter of stock that moves by another number than the rows give units of: such a commit would give a serial twice
    /// or lose one, so a store takes it for a sign that something is broken.
    pub fn unsound(&self) -> Option<&CounterKey> {
        self.moves.iter().map(|counter| &counter.key).find(|key| {
            if !key.is_numbered() {
                return false;
            }
            let same = self.moves.iter().filter(|other| other.key == **key);
            let units = same.fold(0_i64, |sum, other| sum.saturating_add(other.add));
            units != self.rows.iter().filter(|row| key.is_unit(row)).count() as i64
        })
    }
}

/// The bytes of an answer's body.
pub type Answer = Arc<[u8]>;

/// Where a call came from, for the ledger and for funnels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribution {
    /// The request's id.
    pub request_id: Arc<str>,
    /// The channel the client named.
    pub channel: Option<Arc<str>>,
    /// The scene the client named.
    pub scene: Option<Arc<str>>,
    /// The arm of an experiment, if the live set has several.
    pub variant: Option<Arc<str>>,
    /// When it happened, as the tenant's back end says.
    pub occurred_at: Option<Millis>,
    /// Whose it is apart from the account: hashes of device, phone, payee or household that the token's issuer signed,
    /// by kind. For limits that one person with ten accounts cannot pass. Under `sharer`, whose link or poster brought them: the
    /// beginning of that user's pseudonym, checked by the function.
    pub subjects: Vec<(Arc<str>, Arc<str>)>,
    /// What was looked up for the decision, in the order the revision declares its facts.
    pub facts: Vec<Used>,
}

/// A counter with a bound.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CounterKey {
    /// The units of a reward; what is counted is the next serial.
    Stock(Arc<str>),
    /// The cost of all grants, in minor units.
    Budget,
    /// The cost of one day's grants, in minor units. Begins at 0 by itself: its bound comes with the move.
    BudgetDay(Day),
    /// No counter, and nothing moves it: what stands among the exhausted where staff have stopped a reward, or withdrawn so much of
    /// its stock that less is left than was published.
    Stopped(Arc<str>),
    /// How many users a rule has given to within a day of its own: the grants with that rule, that day as their period and
    /// `n` 1. (Of a span of several days the day is the first.) Begins at 0 by itself: its bound comes with the move.
    Quota(Arc<str>, Day),
    /// How many members of a team signed in on a day; the team by a hash. Begins at 0 by itself, grows without a bound that
    /// could be met, and is let go of [`TALLY_DAYS`] later.
    Tally(Arc<str>, Day),
    /// The entries of a draw, by the draw's name; what is counted is the next entry's number. None is left once the list is closed.
    Entries(Arc<str>),
    /// How often a code was used, the code by its digest ([`crate::redeem`]). Begins at 0 by itself: its bound, which says how
    /// often one may be, comes with the move. Kept as long as the edition, and told by no look at a lane: they are many.
    Code(Pseudonym),
}

impl CounterKey {
    /// Whether each unit of it has a number, and a row of its own.
    pub fn is_numbered(&self) -> bool {
        matches!(self, Self::Stock(_) | Self::Entries(_))
    }

    /// Whether a row is a unit of it, and has its number.
    pub fn is_unit(&self, row: &Row) -> bool {
        match (self, row) {
            (Self::Stock(reward), Row::Grant(grant)) => grant.reward == *reward,
            (Self::Entries(draw), Row::Entry(entry)) => entry.draw == *draw,
            _ => false,
        }
    }

    /// The day that it is of, where it is of one and is forgotten some days later. (A tally is kept for months, and counts as none.)
    pub fn day(&self) -> Option<Day> {
        match self {
            Self::BudgetDay(day) | Self::Quota(_, day) => Some(*day),
            Self::Stock(_)
            | Self::Budget
            | Self::Stopped(_)
            | Self::Tally(..)
            | Self::Entries(_)
            | Self::Code(_) => None,
        }
    }

    /// Whether it begins by itself at 0 and takes its bound from the move: no publish makes it.
    pub fn begins_by_itself(&self) -> bool {
        self.day().is_some() || self.is_apart()
    }

    /// Whether there may be as many of it as there are users or codes: such counters are read one by one, and stand in no list of them.
    pub fn is_apart(&self) -> bool {
        matches!(self, Self::Tally(..) | Self::Code(_))
    }

    /// Whether it is a quota that counts this grant.
    pub fn counts(&self, grant: &GrantRow) -> bool {
        let Self::Quota(rule, day) = self else {
            return false;
        };
        grant.n == 1 && grant.period == Period::Day(*day) && *rule == grant.rule
    }

    /// The counter with this name, as [`fmt::Display`] writes it.
    pub fn parse(name: &str) -> Option<Self> {
        let day = |text: &str| text.parse().ok().map(day_number);
        match name.split_once('/') {
            None => (name == "budget").then_some(Self::Budget),
            Some(("stock", reward)) => Some(Self::Stock(reward.into())),
            Some(("entries", draw)) => Some(Self::Entries(draw.into())),
            Some(("stopped", reward)) => Some(Self::Stopped(reward.into())),
            Some(("code", digest)) => Some(Self::Code(digest.parse().ok()?)),
            Some(("budget", on)) => Some(Self::BudgetDay(day(on)?)),
            Some(("quota", rest)) => {
                let (rule, on) = rest.rsplit_once('/')?;
                Some(Self::Quota(rule.into(), day(on)?))
            }
            // A team's name may have slashes in it.
            Some(("tally", rest)) => {
                let (team, on) = rest.rsplit_once('/')?;
                Some(Self::Tally(team.into(), day(on)?))
            }
            Some(_) => None,
        }
    }
}

/// What no tally reaches.
pub const TALLY_MOST: i64 = 1_000_000_000;

/// For how many days a tally is kept: longer than any streak that may give something, and than a member may be late for it.
pub const TALLY_DAYS: i32 = 150;

impl fmt::Display for CounterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stock(reward) => write!(f, "stock/{reward}"),
            Self::Budget => f.write_str("budget"),
            Self::BudgetDay(day) => write!(f, "budget/{}", date(*day)),
            Self::Stopped(reward) => write!(f, "stopped/{reward}"),
            Self::Quota(rule, day) => write!(f, "quota/{rule}/{}", date(*day)),
            Self::Tally(team, day) => write!(f, "tally/{team}/{}", date(*day)),
            Self::Entries(draw) => write!(f, "entries/{draw}"),
            Self::Code(digest) => write!(f, "code/{digest}"),
        }
    }
}

/// A counter to move, up to its bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterMove {
    /// Which.
    pub key: CounterKey,
    /// By how much; never negative.
    pub add: i64,
    /// Up to what.
    pub bound: Bound,
}

/// Up to what a counter is moved. Logs of before releases hold the first two, in the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bound {
    /// Its own ceiling.
    Own,
    /// This figure, for a counter that has no ceiling of its own: a day's budget, a day's quota. A counter that has one keeps to that.
    Given(i64),
    /// Its own ceiling less so many units, which wait for a later release. What is topped up is there at once.
    Held(i64),
}

impl Bound {
    /// How many units of the counter's own ceiling are not to be had yet.
    pub fn held(self) -> i64 {
        match self {
            Self::Own | Self::Given(_) => 0,
            Self::Held(units) => units.max(0),
        }
    }
}

/// How much is left of an exhausted counter: less than was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Which.
    pub key: CounterKey,
    /// How much.
    pub left: i64,
}

impl Left {
    /// Notes what an answer says is left: it replaces what was known of the same counters before.
    pub fn learn(known: &mut Vec<Self>, news: Vec<Self>) {
        for left in news {
            match known.iter_mut().find(|old| old.key == left.key) {
                Some(old) => *old = left,
                None => known.push(left),
            }
        }
    }
}

/// What became of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is true now.
    Committed(Applied),
    /// It was true already: this is what was answered.
    Replayed(Answer),
    /// The key was used for another event or body.
    KeyReused,
    /// The record has moved on; none: there is none.
    Stale(Option<Arc<Participant>>),
    /// Too little is left: of all counters named, these; and all rewards that are stopped, after them.
    Exhausted(Vec<Left>),
    /// The revision is not live (any more).
    Superseded,
    /// Ops staff paused it.
    Paused(Pause),
    /// The user is kept from taking part.
    Blocked(Blocked),
    /// A counter that should exist does not: nothing is sold until someone has looked.
    Frozen(CounterKey),
}

/// What `apply` stamped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// The record's new version.
    pub version: u64,
    /// The number of the commit's first row in the campaign's ledger.
    pub first_row: u64,
}

/// What is known about a caller and a key: the read that confirms a rejection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recalled {
    /// The remembered answer to this key, or that the key was used for something else.
    pub answer: Option<Result<Answer, KeyWasUsed>>,
    /// The record.
    pub participant: Option<Arc<Participant>>,
    /// The live revisions.
    pub live: Vec<Live>,
    /// Whether it is paused, by itself or with all of its tenant.
    pub pause: Option<Pause>,
    /// Whether the user is kept from taking part, now or until it was.
    pub blocked: Option<Blocked>,
}

/// A key that was used for another event or body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyWasUsed;
