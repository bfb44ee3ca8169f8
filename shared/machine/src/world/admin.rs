//! What ops staff change: publish, pause, top up. Each change leaves an entry in the tenant's audit, which is a hash
//! chain: an entry that is altered, dropped or moved no longer fits the next one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::change::{Answer, CounterKey};
use super::state::{
    CampaignWorld, Counter, LaneWorld, Live, Pause, Remembered, Revision, TenantWorld, World, find,
    remember,
};
use crate::calendar::Millis;
use crate::ids::{Lane, hex};
use crate::luck::Seed;

/// How many admin answers are remembered for a tenant.
const REMEMBER_ADMIN: usize = 256;

/// A change by ops staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admin {
    /// Whose.
    pub tenant: Arc<str>,
    /// Who.
    pub by: Arc<str>,
    /// When.
    pub at: Millis,
    /// The caller's idempotency key and the fingerprint of what it asks.
    pub key: Option<(Arc<str>, [u8; 32])>,
    /// What.
    pub action: Action,
}

/// What ops staff can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Makes the tenant known. Nothing happens if it is.
    CreateTenant {
        /// What its pseudonyms will be made with.
        secret: Seed,
    },
    /// Publishes a definition as the next revision and makes it the live one. The first revision creates seeds and
    /// counters; a later one moves a counter's ceiling by what the config's figure moved.
    Publish {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// The definition as JSON.
        definition: Arc<[u8]>,
        /// The stock of each limited reward.
        stock: Vec<(Arc<str>, u32)>,
        /// The budget in all, in minor units.
        budget: Option<i64>,
        /// Seeds for the live and the test lane, used by the first revision only.
        seeds: (Seed, Seed),
    },
    /// Stops the live lane, or one event of it.
    Pause {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// The stop.
        pause: Pause,
    },
    /// Ends a stop.
    Resume {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
    },
    /// Raises a ceiling.
    AddStock {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// Which lane.
        lane: Lane,
        /// Which reward.
        reward: Arc<str>,
        /// By how many units; at least 1.
        add: u32,
    },
    /// Moves the test lane's clock.
    MoveClock {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// How far from the real clock, in milliseconds.
        offset: i64,
    },
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminOutcome {
    /// Done.
    Done(Done),
    /// Nothing to do: it is so already.
    Already,
    /// It was done before under this key: this was answered.
    Replayed(Answer),
    /// The key was used for something else.
    KeyReused,
    /// It can't be done.
    Refused(Refused),
}

/// What was done, in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The audit entry's number.
    pub audit: u64,
    /// The revision now live, after a publish.
    pub revision: Option<u32>,
    /// The ceiling now, after a top-up.
    pub ceiling: Option<i64>,
}

/// Why it can't be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The tenant was never created.
    #[error("tenant `{0}` is not known to this store")]
    NoSuchTenant(Arc<str>),
    /// The campaign has no revision.
    #[error("campaign `{0}` has no published edition {1}")]
    NoSuchCampaign(Arc<str>, u32),
    /// The reward has no stock.
    #[error("reward `{0}` has no limited stock")]
    NoSuchStock(Arc<str>),
    /// A number beyond what a counter holds.
    #[error("that is more than a counter holds")]
    TooMuch,
}

/// An entry of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number, from 0.
    pub number: u64,
    /// When.
    pub at: Millis,
    /// Who.
    pub by: Arc<str>,
    /// What, in one word.
    pub action: String,
    /// On which campaign.
    pub campaign: Option<Arc<str>>,
    /// What exactly, as JSON.
    pub details: String,
    /// SHA-256 over the entry before and this one.
    pub hash: [u8; 32],
}

impl AuditEntry {
    /// What the hash of this entry must be after one with `previous`.
    pub fn expected_hash(&self, previous: [u8; 32]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(previous);
        let campaign = self.campaign.as_deref().unwrap_or("");
        for field in [
            &*self.number.to_string(),
            &self.at.to_string(),
            &self.by,
            &self.action,
            campaign,
            &self.details,
        ] {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field.as_bytes());
        }
        hash.finalize().into()
    }
}

/// Where an audit was tampered with: the number of the first entry that does not fit.
pub fn first_tampered(audit: &[AuditEntry]) -> Option<u64> {
    let mut previous = [0; 32];
    for (place, entry) in audit.iter().enumerate() {
        if entry.number != place as u64 || entry.expected_hash(previous) != entry.hash {
            return Some(place as u64);
        }
        previous = entry.hash;
    }
    None
}

pub(super) fn admin(world: &mut World, change: &Admin) -> AdminOutcome {
    if let Action::CreateTenant { secret } = &change.action {
        if world.tenants.contains_key(&change.tenant) {
            return AdminOutcome::Already;
        }
        let tenant = TenantWorld {
            secret: secret.clone(),
            audit: Vec::new(),
            remembered: VecDeque::new(),
        };
        world.tenants.insert(change.tenant.clone(), tenant);
        return finish(world, change, None, None, None);
    }
    let Some(tenant) = world.tenants.get(&change.tenant) else {
        return AdminOutcome::Refused(Refused::NoSuchTenant(change.tenant.clone()));
    };
    if let Some((key, fingerprint)) = &change.key {
        match find(&tenant.remembered, key, fingerprint, change.at) {
            Some(Ok(answer)) => return AdminOutcome::Replayed(answer),
            Some(Err(_)) => return AdminOutcome::KeyReused,
            None => {}
        }
    }
    match carry_out(world, change) {
        Ok(Effect {
            campaign,
            revision,
            ceiling,
        }) => finish(world, change, campaign, revision, ceiling),
        Err(no) => no,
    }
}

struct Effect {
    campaign: Option<Arc<str>>,
    revision: Option<u32>,
    ceiling: Option<i64>,
}

fn carry_out(world: &mut World, change: &Admin) -> Result<Effect, AdminOutcome> {
    let tenant = &change.tenant;
    let effect = |campaign: &Arc<str>| Effect {
        campaign: Some(campaign.clone()),
        revision: None,
        ceiling: None,
    };
    match &change.action {
        Action::CreateTenant { .. } => Err(AdminOutcome::Already),
        Action::Publish {
            campaign,
            edition,
            definition,
            stock,
            budget,
            seeds,
        } => {
            let sha256: [u8; 32] = Sha256::digest(definition).into();
            let slot = world
                .campaigns
                .entry((tenant.clone(), campaign.clone(), *edition));
            let found = slot.or_insert_with(|| CampaignWorld {
                revisions: BTreeMap::new(),
                live: Vec::new(),
                pause: None,
                granted_rules: BTreeSet::new(),
                live_lane: LaneWorld::new(seeds.0.clone(), change.at),
                test_lane: LaneWorld::new(seeds.1.clone(), change.at),
            });
            let newest = found
                .revisions
                .last_key_value()
                .map(|(number, revision)| (*number, revision.sha256));
            let live = found
                .live
                .iter()
                .any(|live| Some(live.revision) == newest.map(|(number, _)| number));
            if live && newest.is_some_and(|(_, known)| known == sha256) {
                return Err(AdminOutcome::Already);
            }
            let number = newest.map_or(1, |(number, _)| number + 1);
            let revision = Revision {
                sha256,
                definition: definition.clone(),
                at: change.at,
                by: change.by.clone(),
            };
            found.revisions.insert(number, revision);
            found.live = vec![Live {
                revision: number,
                share: 10_000,
            }];
            for lane in [&mut found.live_lane, &mut found.test_lane] {
                for (reward, units) in stock {
                    configure(lane, CounterKey::Stock(reward.clone()), i64::from(*units));
                }
                if let Some(total) = budget {
                    configure(lane, CounterKey::Budget, *total);
                }
            }
            Ok(Effect {
                revision: Some(number),
                ..effect(campaign)
            })
        }
        Action::Pause {
            campaign,
            edition,
            pause,
        } => {
            known(world, tenant, campaign, *edition)?.pause = Some(pause.clone());
            Ok(effect(campaign))
        }
        Action::Resume { campaign, edition } => {
            let found = known(world, tenant, campaign, *edition)?;
            if found.pause.take().is_none() {
                return Err(AdminOutcome::Already);
            }
            Ok(effect(campaign))
        }
        Action::AddStock {
            campaign,
            edition,
            lane,
            reward,
            add,
        } => {
            let found = known(world, tenant, campaign, *edition)?;
            let counters = &mut found.lane_mut(*lane).counters;
            let Some(counter) = counters.get_mut(&CounterKey::Stock(reward.clone())) else {
                return Err(AdminOutcome::Refused(Refused::NoSuchStock(reward.clone())));
            };
            let Some(ceiling) = counter.ceiling.checked_add(i64::from(*add)) else {
                return Err(AdminOutcome::Refused(Refused::TooMuch));
            };
            counter.ceiling = ceiling;
            Ok(Effect {
                ceiling: Some(ceiling),
                ..effect(campaign)
            })
        }
        Action::MoveClock {
            campaign,
            edition,
            offset,
        } => {
            known(world, tenant, campaign, *edition)?
                .test_lane
                .clock_offset = *offset;
            Ok(effect(campaign))
        }
    }
}

fn known<'a>(
    world: &'a mut World,
    tenant: &Arc<str>,
    campaign: &Arc<str>,
    edition: u32,
) -> Result<&'a mut CampaignWorld, AdminOutcome> {
    world
        .campaigns
        .get_mut(&(tenant.clone(), campaign.clone(), edition))
        .ok_or_else(|| AdminOutcome::Refused(Refused::NoSuchCampaign(campaign.clone(), edition)))
}

/// Creates a counter, or moves its ceiling by what the configured figure moved; never below what is gone already. What a
/// lowering could not take back, a later raise makes up for first: top-ups stay exact, and no unit comes twice.
fn configure(lane: &mut LaneWorld, key: CounterKey, figure: i64) {
    let counter = lane.counters.entry(key).or_insert(Counter {
        issued: 0,
        ceiling: figure,
        configured: figure,
        shortfall: 0,
    });
    let moved = figure.saturating_sub(counter.configured);
    let made_up = counter.shortfall.min(moved.max(0));
    counter.shortfall -= made_up;
    let wanted = counter.ceiling.saturating_add(moved - made_up);
    counter.ceiling = wanted.max(counter.issued);
    counter.shortfall = counter
        .shortfall
        .saturating_add(counter.ceiling.saturating_sub(wanted));
    counter.configured = figure;
}

impl LaneWorld {
    fn new(seed: Seed, at: Millis) -> Self {
        Self {
            seed,
            epoch: at.unsigned_abs().max(1),
            clock_offset: 0,
            counters: BTreeMap::new(),
            participants: BTreeMap::new(),
            timers: BTreeSet::new(),
            rows: 0,
        }
    }
}

/// Writes the audit entry and remembers the answer.
fn finish(
    world: &mut World,
    change: &Admin,
    campaign: Option<Arc<str>>,
    revision: Option<u32>,
    ceiling: Option<i64>,
) -> AdminOutcome {
    let Some(tenant) = world.tenants.get_mut(&change.tenant) else {
        return AdminOutcome::Refused(Refused::NoSuchTenant(change.tenant.clone()));
    };
    let number = tenant.audit.len() as u64;
    let done = Done {
        audit: number,
        revision,
        ceiling,
    };
    let (action, details) = change.action.told(&done);
    let mut entry = AuditEntry {
        number,
        at: change.at,
        by: change.by.clone(),
        action,
        campaign,
        details,
        hash: [0; 32],
    };
    entry.hash = entry.expected_hash(tenant.audit.last().map_or([0; 32], |last| last.hash));
    tenant.audit.push(entry);
    if let Some((key, fingerprint)) = &change.key {
        let answer: Answer = serde_json::to_vec(&done).unwrap_or_default().into();
        let new = Remembered {
            key: key.clone(),
            fingerprint: *fingerprint,
            at: change.at,
            answer,
        };
        remember(&mut tenant.remembered, new, REMEMBER_ADMIN);
    }
    AdminOutcome::Done(done)
}

impl Action {
    /// The campaign and the edition that it is about, if it is about one.
    pub fn campaign(&self) -> Option<(&Arc<str>, u32)> {
        match self {
            Self::CreateTenant { .. } => None,
            Self::Publish {
                campaign, edition, ..
            }
            | Self::Pause {
                campaign, edition, ..
            }
            | Self::Resume { campaign, edition }
            | Self::AddStock {
                campaign, edition, ..
            }
            | Self::MoveClock {
                campaign, edition, ..
            } => Some((campaign, *edition)),
        }
    }

    /// The action in one word, and its particulars as JSON; secrets left out.
    pub fn told(&self, done: &Done) -> (String, String) {
        let (word, details) = match self {
            Self::CreateTenant { .. } => ("create-tenant", serde_json::json!({})),
            Self::Publish {
                edition,
                definition,
                ..
            } => (
                "publish",
                serde_json::json!({
                    "edition": edition,
                    "revision": done.revision,
                    "sha256": hex(&Sha256::digest(definition)),
                }),
            ),
            Self::Pause { edition, pause, .. } => (
                "pause",
                serde_json::json!({ "edition": edition, "pause": pause }),
            ),
            Self::Resume { edition, .. } => ("resume", serde_json::json!({ "edition": edition })),
            Self::AddStock {
                edition,
                lane,
                reward,
                add,
                ..
            } => (
                "add-stock",
                serde_json::json!({
                    "edition": edition, "lane": lane, "reward": reward, "add": add, "ceiling": done.ceiling,
                }),
            ),
            Self::MoveClock {
                edition, offset, ..
            } => (
                "move-clock",
                serde_json::json!({ "edition": edition, "offset_ms": offset }),
            ),
        };
        (word.to_owned(), details.to_string())
    }
}
