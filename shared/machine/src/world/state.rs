//! All campaigns' state, in memory.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::audit::AuditEntry;
use super::change::{Answer, CounterKey, KeyWasUsed, Recalled};
use super::delivery::Parking;
use super::draft::DraftPlace;
use super::lists::List;
use super::measure::{Block, Blocked, Notice};
use crate::calendar::{HOUR_MS, Millis};
use crate::ids::{CampaignKey, Lane, Pseudonym};
use crate::luck::Seed;
use crate::participant::Participant;

/// How long an answer is remembered, in milliseconds.
pub const REMEMBER_MS: i64 = 24 * HOUR_MS;

/// How many answers of one participant are remembered.
pub const REMEMBER_MOST: usize = 16;

/// Everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct World {
    /// The tenants.
    pub tenants: BTreeMap<Arc<str>, TenantWorld>,
    /// The campaigns, by tenant, id and edition.
    pub campaigns: BTreeMap<(Arc<str>, Arc<str>, u32), CampaignWorld>,
    /// The editions that were purged, named as above: none of them ever begins again.
    pub purged: BTreeSet<(Arc<str>, Arc<str>, u32)>,
}

/// A tenant's secrets and audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantWorld {
    /// What pseudonyms are made with. Losing it loses who anyone is.
    pub secret: Seed,
    /// What ops staff did, each entry hashed over the one before.
    pub audit: Vec<AuditEntry>,
    /// The answers to admin calls by their idempotency keys, newest last.
    pub remembered: VecDeque<Remembered>,
    /// The events that could not be delivered.
    pub parking: Parking,
    /// Its campaigns' drafts, and where one was.
    pub drafts: BTreeMap<Arc<str>, DraftPlace>,
    /// Whether the live lanes of all of its campaigns are stopped.
    pub pause: Option<Pause>,
    /// Who is kept from taking part.
    pub blocks: BTreeMap<Pseudonym, Block>,
    /// The lists that staff have put here, by name; their members lie elsewhere.
    pub lists: BTreeMap<Arc<str>, List>,
}

/// One edition of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignWorld {
    /// Its revisions, from 1.
    pub revisions: BTreeMap<u32, Revision>,
    /// Which of them are live: one as a rule; while a revision is released to a share of users two, the older first.
    pub live: Vec<Live>,
    /// Whether the live lane is stopped.
    pub pause: Option<Pause>,
    /// The rule ids that have granted; a revision may not lose them.
    pub granted_rules: BTreeSet<Arc<str>>,
    /// What users play in.
    pub live_lane: LaneWorld,
    /// What testers play in.
    pub test_lane: LaneWorld,
    /// The rewards of which nothing is given in the live lane.
    pub stopped: BTreeSet<Arc<str>>,
    /// What users are told.
    pub notice: Option<Notice>,
}

/// A published version: never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// SHA-256 of the definition.
    pub sha256: [u8; 32],
    /// The definition as JSON.
    pub definition: Arc<[u8]>,
    /// When it was published.
    pub at: Millis,
    /// By whom.
    pub by: Arc<str>,
}

/// A live revision and its share of users, in parts of 10,000 ([`arm`](super::arm) says whose it is).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// Which.
    pub revision: u32,
    /// Its share.
    pub share: u32,
}

/// A stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Why; for staff.
    pub reason: String,
    /// What users are told.
    pub notice: Option<String>,
    /// When it is meant to end; for users.
    pub until: Option<Millis>,
    /// Only this event; none: all of it.
    pub event: Option<Arc<str>>,
}

impl Pause {
    /// Whether it stops this event.
    pub fn stops(&self, event: Option<&str>) -> bool {
        self.event.as_deref().is_none_or(|only| Some(only) == event)
    }
}

/// One lane of an edition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneWorld {
    /// The secret of its draws.
    pub seed: Seed,
    /// Set when its counters were created; a store that lost it has lost them.
    pub epoch: u64,
    /// How far its clock is moved, in milliseconds; 0 in the live lane.
    pub clock_offset: i64,
    /// Stock and budget.
    pub counters: BTreeMap<CounterKey, Counter>,
    /// Who takes part.
    pub participants: BTreeMap<Pseudonym, Entry>,
    /// Whom time changes next, and when.
    pub timers: BTreeSet<(Millis, Pseudonym)>,
    /// How many rows its ledger has.
    pub rows: u64,
    /// How far those have come who read its ledger.
    pub marks: BTreeMap<Arc<str>, u64>,
}

impl LaneWorld {
    /// Makes it what it was when the newest revision was published, before anybody played: nobody took part, nothing is given.
    /// Seed and epoch stay.
    pub fn empty(&mut self) {
        self.clock_offset = 0;
        self.participants.clear();
        self.timers.clear();
        self.rows = 0;
        self.marks.clear();
        // What begins at 0 by itself is gone; the others are created by a publish alone.
        self.counters.retain(|key, _| key.day().is_none());
        for counter in self.counters.values_mut() {
            *counter = Counter {
                issued: 0,
                ceiling: counter.configured,
                configured: counter.configured,
                shortfall: 0,
            };
        }
    }
}

/// A bounded counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// How much is gone; only grows. For stock: the next serial.
    pub issued: i64,
    /// The bound.
    pub ceiling: i64,
    /// The bound the last published config asked for, top-ups apart.
    pub configured: i64,
    /// How much of a lowered figure could not be taken back because it was gone already. A later raise pays this first, or
    /// lowering and raising again would make units out of nothing.
    pub shortfall: i64,
}

/// A participant with what goes with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The record.
    pub participant: Arc<Participant>,
    /// The newest answers.
    pub remembered: VecDeque<Remembered>,
    /// When time alone changes the record next.
    pub timer: Option<Millis>,
}

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The caller's key.
    pub key: Arc<str>,
    /// What it was used for.
    pub fingerprint: [u8; 32],
    /// When.
    pub at: Millis,
    /// The bytes.
    pub answer: Answer,
}

impl World {
    /// One edition of a campaign.
    pub fn campaign(&self, key: &CampaignKey) -> Option<&CampaignWorld> {
        self.campaigns
            .get(&(key.tenant.clone(), key.campaign.clone(), key.edition))
    }

    /// One lane of an edition.
    pub fn lane(&self, key: &CampaignKey) -> Option<&LaneWorld> {
        self.campaign(key).map(|campaign| campaign.lane(key.lane))
    }

    /// What is known about a caller and a key.
    pub fn recall(
        &self,
        key: &CampaignKey,
        user: &Pseudonym,
        idempotency: Option<(&str, &[u8; 32], Millis)>,
    ) -> Recalled {
        let Some(campaign) = self.campaign(key) else {
            return Recalled {
                answer: None,
                participant: None,
                live: Vec::new(),
                pause: None,
                blocked: None,
            };
        };
        let tenant = self.tenants.get(&key.tenant);
        let halt = tenant.and_then(|tenant| tenant.pause.as_ref());
        let block = tenant.and_then(|tenant| tenant.blocks.get(user));
        let entry = campaign.lane(key.lane).participants.get(user);
        let answer = entry
            .zip(idempotency)
            .and_then(|(entry, (key, fingerprint, now))| {
                find(&entry.remembered, key, fingerprint, now)
            });
        Recalled {
            answer,
            participant: entry.map(|entry| entry.participant.clone()),
            live: campaign.live.clone(),
            pause: halt
                .or(campaign.pause.as_ref())
                .filter(|_| key.lane == Lane::Live)
                .cloned(),
            blocked: block.map(|block| Blocked { until: block.until }),
        }
    }
}

impl CampaignWorld {
    /// The newest revision's number; none before the first.
    pub fn newest(&self) -> Option<u32> {
        self.revisions.last_key_value().map(|(number, _)| *number)
    }

    /// One lane.
    pub fn lane(&self, lane: Lane) -> &LaneWorld {
        match lane {
            Lane::Live => &self.live_lane,
            Lane::Test => &self.test_lane,
        }
    }

    pub(super) fn lane_mut(&mut self, lane: Lane) -> &mut LaneWorld {
        match lane {
            Lane::Live => &mut self.live_lane,
            Lane::Test => &mut self.test_lane,
        }
    }
}

impl World {
    /// Participants of a lane whose time has come by `now`, at most `most` of them. Whoever is blocked is passed over.
    pub fn due(&self, key: &CampaignKey, now: Millis, most: usize) -> Vec<Pseudonym> {
        let (tenant, lane) = (self.tenants.get(&key.tenant), self.lane(key));
        let blocked =
            |user: &Pseudonym| tenant.is_some_and(|tenant| tenant.blocked(user, now).is_some());
        lane.into_iter()
            .flat_map(|lane| &lane.timers)
            .take_while(|(due, _)| *due <= now)
            .map(|(_, user)| *user)
            .filter(|user| !blocked(user))
            .take(most)
            .collect()
    }
}

/// The answer remembered for a key, if it is not too old.
pub(super) fn find(
    remembered: &VecDeque<Remembered>,
    key: &str,
    fingerprint: &[u8; 32],
    now: Millis,
) -> Option<Result<Answer, KeyWasUsed>> {
    let found = remembered
        .iter()
        .find(|known| &*known.key == key && now.saturating_sub(known.at) < REMEMBER_MS)?;
    Some(if found.fingerprint == *fingerprint {
        Ok(found.answer.clone())
    } else {
        Err(KeyWasUsed)
    })
}

/// Remembers an answer and forgets what is too old or too many.
pub(super) fn remember(remembered: &mut VecDeque<Remembered>, new: Remembered, most: usize) {
    remembered
        .retain(|known| new.at.saturating_sub(known.at) < REMEMBER_MS && known.key != new.key);
    remembered.push_back(new);
    while remembered.len() > most {
        remembered.pop_front();
    }
}
