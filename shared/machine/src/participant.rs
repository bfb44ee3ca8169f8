//! One user in one campaign: the record that a step reads and a commit replaces.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::calendar::Millis;
use crate::ids::Period;
use crate::ledger::BY_HAND;
use crate::model::{Campaign, Rule};
use crate::value::Value;

/// The whole record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// What a step replaces.
    pub core: Core,
    /// What was given; only ever appended to (a status may change), so that a step need not copy it.
    pub grants: Vec<Grant>,
    /// How far each campaign whose messages come here was heard; one entry a source, none before its first message had an
    /// effect.
    pub heard: Vec<Heard>,
}

/// The last message of a source that had an effect on a participant. Messages of one source come in the order of its ledger,
/// so one with this sequence or a smaller one has had its effect, however late it comes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Which edition of which campaign of the same tenant: `word-checkin/1`.
    pub source: Arc<str>,
    /// The number of the message's row in the source's ledger, in the same lane.
    pub sequence: u64,
}

impl Heard {
    /// The name of a source.
    pub fn source(campaign: &str, edition: u32) -> Arc<str> {
        format!("{campaign}/{edition}").into()
    }
}

/// The part of the record that each step replaces whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Core {
    /// The revision whose tables the indexes below refer to.
    pub revision: u32,
    /// Counts commits; 0: never committed.
    pub version: u64,
    /// Which state.
    pub state: u16,
    /// When the state was entered.
    pub entered_at: Millis,
    /// The last `now`; time never runs backwards for a participant.
    pub now: Millis,
    /// How many draws were committed: the next draw's index.
    pub draws: u64,
    /// Which delayed transitions of this state have had their turn (a bit each).
    pub after_done: u64,
    /// The variables, in the order of the definition.
    pub vars: Vec<Value>,
}

/// A reward that was given, packed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Under which rule.
    pub rule: u16,
    /// Which reward.
    pub reward: u16,
    /// Within which period.
    pub period: Period,
    /// The how-many-th within it, from 1.
    pub n: u32,
    /// How much.
    pub amount: i64,
    /// When.
    pub at: Millis,
    /// Until when it can be used (excluded).
    pub expires: Option<Millis>,
    /// How far its delivery is.
    pub status: Status,
}

/// In place of a rule of its revision: it was given by hand.
pub const BY_HAND_RULE: u16 = u16::MAX - 1;

impl Grant {
    /// The id of the rule that it stands under, by the rules of the record's revision; none: they have no such rule.
    pub fn rule_id<'a>(&self, rules: &'a [Rule]) -> Option<&'a str> {
        if self.rule == BY_HAND_RULE {
            return Some(BY_HAND);
        }
        rules.get(usize::from(self.rule)).map(|rule| &*rule.id)
    }
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Given, not yet handed over.
    Pending,
    /// Risk control looks at it.
    Held,
    /// The user has to claim it.
    NeedsClaim,
    /// Handed over, not yet confirmed.
    Sent,
    /// Theirs.
    Confirmed,
    /// Handing over failed.
    Failed,
    /// Not used in time.
    Expired,
    /// Not claimed in time.
    Forfeited,
    /// Taken back.
    Reversed,
}

impl Core {
    /// Becomes a copy of another, in the room it has: a commit copies a record each time.
    pub fn become_like(&mut self, other: &Self) {
        let mut vars = std::mem::take(&mut self.vars);
        vars.clone_from(&other.vars);
        *self = Self {
            vars,
            revision: other.revision,
            version: other.version,
            state: other.state,
            entered_at: other.entered_at,
            now: other.now,
            draws: other.draws,
            after_done: other.after_done,
        };
    }
}

impl Participant {
    /// Someone who has never been here, at `now`.
    pub fn new(campaign: &Campaign, now: Millis) -> Self {
        Self {
            core: Core {
                revision: campaign.revision,
                version: 0,
                state: campaign.machine.initial,
                entered_at: now,
                now,
                draws: 0,
                after_done: 0,
                vars: campaign
                    .vars
                    .iter()
                    .map(|var| var.default.clone())
                    .collect(),
            },
            grants: Vec::new(),
            heard: Vec::new(),
        }
    }

    /// Whether this message, or a later one of its source, has had its effect here.
    pub fn has_heard(&self, message: &Heard) -> bool {
        let last = self.heard.iter().find(|last| last.source == message.source);
        last.is_some_and(|last| message.sequence <= last.sequence)
    }

    /// What was heard once this message has had its effect, too.
    pub fn hearing(&self, message: &Heard) -> Vec<Heard> {
        let mut heard = self.heard.clone();
        match heard.iter_mut().find(|last| last.source == message.source) {
            Some(last) => last.sequence = last.sequence.max(message.sequence),
            None => heard.push(message.clone()),
        }
        heard
    }
}
