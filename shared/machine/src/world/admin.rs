//! What ops staff change: publish, pause, top up. Each change leaves an entry in the tenant's audit, which is a hash
//! chain: an entry that is altered, dropped or moved no longer fits the next one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::arms::{WHOLE, share_percent};
use super::change::{Answer, CounterKey};
use super::delivery::Parking;
use super::draft::{DraftDeed, FromDraft};
use super::lists::{Lines, List};
use super::measure::{self, Measure};
use super::revise;
use super::state::{CampaignWorld, Pause, Remembered, TenantWorld, World, find, remember};
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
    /// Why, in the words of whoever does it; the audit keeps it.
    pub why: Option<Arc<str>>,
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
    /// Makes an earlier revision's definition the next revision and the live one; ceilings move as by a publish of it.
    Rollback {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// The revision whose definition is taken, from 1.
        to: u32,
        /// The stock of each limited reward in that definition.
        stock: Vec<(Arc<str>, u32)>,
        /// Its budget in all, in minor units.
        budget: Option<i64>,
    },
    /// Removes everything of an edition, both lanes, for good: the audit and a mark that the edition was there are all
    /// that stays. Whether it is time to is for the caller to know.
    Purge {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// Why; for the audit.
        reason: Option<Arc<str>>,
    },
    /// Takes a parked event away.
    Unpark {
        /// Which: its name among the tenant's parked events.
        id: Arc<str>,
        /// Why it is given up; none: it was told again, and taken.
        reason: Option<Arc<str>>,
    },
    /// Does something with a campaign's draft. The campaign need not have a revision yet.
    Draft {
        /// Which campaign.
        campaign: Arc<str>,
        /// What.
        deed: DraftDeed,
    },
    /// Publishes what a campaign's draft says, as [`Action::Publish`] would, and drops the draft: both, or neither.
    PublishDraft {
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
        /// Which draft, and under what.
        from: FromDraft,
    },
    /// What is done when something is wrong.
    Measure(Measure),
    /// Publishes a definition as the next revision for a share of the users; the others keep the one that is live. Ceilings
    /// move as by a publish: stock and budget are those of both.
    Release {
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
        /// The one that is live, which this was held against.
        over: u32,
        /// The share, in parts of 10,000: at least 1, less than all.
        share: u32,
    },
    /// Gives the newer of two live revisions another share of the users.
    Share {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// The two, the older first: those that were looked at before this was asked for.
        arms: (u32, u32),
        /// The newer one's share, in parts of 10,000: more than it has; 10,000 leaves it alone, 0 the older one.
        share: u32,
        /// The stock of each limited reward, where ceilings are to move: the older revision's, when it is left alone.
        stock: Vec<(Arc<str>, u32)>,
        /// The budget in all, likewise.
        budget: Option<i64>,
    },
    /// Puts a list in the place of the one of its name, or beside the others; its members were put where the store keeps them.
    PutList {
        /// Its name.
        list: Arc<str>,
        /// Names its members; the store's to say.
        version: Arc<str>,
        /// How many they are; the store's to say.
        members: u64,
        /// What became of the file's lines.
        lines: Lines,
        /// SHA-256 of the file.
        sha256: [u8; 32],
    },
    /// Takes a list away.
    DropList {
        /// Its name.
        list: Arc<str>,
    },
    /// Empties the test lane of an edition: participants, ledger, timers, what its counters gave. Stock and budget are again what
    /// the newest revision says, its clock is the real one. Its seed stays, so that what is played again comes out the same; the
    /// live lane is not looked at.
    PurgeTest {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// Why; for the audit.
        reason: Option<Arc<str>>,
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The audit entry's number.
    pub audit: u64,
    /// The revision now live, after a publish or a rollback; after a release and what becomes of it, the one that it gave more.
    pub revision: Option<u32>,
    /// The ceiling now, after a top-up or a withdrawal.
    pub ceiling: Option<i64>,
    /// The draft's version now, after something was done with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<u64>,
    /// How many units were withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<i64>,
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
    /// The edition has no such revision.
    #[error("campaign `{0}` has no revision {1}")]
    NoSuchRevision(Arc<str>, u32),
    /// There is no such parked event (any more).
    #[error("no parked event `{0}` is kept")]
    NoSuchParked(Arc<str>),
    /// The edition was purged, and an edition that is over never begins again.
    #[error("edition {1} of campaign `{0}` was purged and never reopens: write `edition: {next}` for the next run", next = .1.saturating_add(1))]
    Purged(Arc<str>, u32),
    /// The campaign has no draft.
    #[error("campaign `{0}` has no draft")]
    NoSuchDraft(Arc<str>),
    /// The draft is of another version than the caller has seen.
    #[error("the draft of campaign `{0}` is at version {1} now: look at it again")]
    DraftMoved(Arc<str>, u64),
    /// Who wrote a draft is not who approves of it.
    #[error("{1} wrote in the draft of campaign `{0}`: somebody else approves it")]
    OwnDraft(Arc<str>, Arc<str>),
    /// Somebody asks for changes.
    #[error(
        "{1} asks for changes in the draft of campaign `{0}`: it waits until {1} approves, or takes that back"
    )]
    Objected(Arc<str>, Arc<str>),
    /// Too few approve.
    #[error("the draft of campaign `{campaign}` has {has} of the {wants} approvals that it needs")]
    NotApproved {
        /// The campaign.
        campaign: Arc<str>,
        /// How many approve.
        has: u32,
        /// How many must.
        wants: u32,
    },
    /// What the draft was written over is not the newest any more.
    #[error(
        "revision {1} of campaign `{0}` is the newest, and the draft was written over another: look at what it changes now, and save it again over the newest"
    )]
    BaseMoved(Arc<str>, u32),
    /// The schedule was cancelled, or is another.
    #[error("the draft of campaign `{0}` is not to be published at that time any more")]
    NotScheduled(Arc<str>),
    /// The texts are longer than what is kept, or too many people wrote them.
    #[error("the draft of campaign `{0}` is longer than a draft may be")]
    TooLong(Arc<str>),
    /// Two revisions are live already.
    #[error("two revisions are live: finish the release or take it back first (`gala release`)")]
    TwoAreLive,
    /// One revision is live for all: there is no share to change.
    #[error("one revision is live for all users: no release is under way")]
    OneIsLive,
    /// Others are live than those that the caller looked at.
    #[error("other revisions are live than those that were looked at: look again")]
    OthersAreLive,
    /// No share of the users.
    #[error("a share is more than 0 % and less than 100 %")]
    NoShare,
    /// Less than the revision has: users would be moved back.
    #[error("the revision has {} % of the users, and a share only grows: take the release back as a whole (`--back`)", share_percent(*.0))]
    Narrower(u32),
    /// The store has no such list.
    #[error("no list `{0}` is in the store")]
    NoSuchList(Arc<str>),
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
            parking: Parking::default(),
            drafts: BTreeMap::new(),
            pause: None,
            blocks: BTreeMap::new(),
            lists: BTreeMap::new(),
        };
        world.tenants.insert(change.tenant.clone(), tenant);
        return finish(world, change, Effect::default());
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
        Ok(effect) => finish(world, change, effect),
        Err(no) => no,
    }
}

/// What a change comes to.
#[derive(Default)]
pub(super) struct Effect {
    pub campaign: Option<Arc<str>>,
    pub revision: Option<u32>,
    pub ceiling: Option<i64>,
    pub draft: Option<u64>,
    pub withdrawn: Option<i64>,
}

impl Effect {
    /// One on a campaign.
    pub fn of(campaign: &Arc<str>) -> Self {
        Self {
            campaign: Some(campaign.clone()),
            ..Self::default()
        }
    }
}

fn carry_out(world: &mut World, change: &Admin) -> Result<Effect, AdminOutcome> {
    let tenant = &change.tenant;
    let effect = Effect::of;
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
            let figures = revise::Figures {
                stock,
                budget: *budget,
            };
            let found = begun(world, change, campaign, *edition, seeds)?;
            Ok(Effect {
                revision: Some(revise::publish(found, change, definition, &figures)?),
                ..effect(campaign)
            })
        }
        Action::Draft { campaign, deed } => {
            let known = world.tenants.get_mut(tenant);
            let drafts = known.map(|known| &mut known.drafts);
            let no = || AdminOutcome::Refused(Refused::NoSuchTenant(tenant.clone()));
            let drafts = drafts.ok_or_else(no)?;
            let place = drafts.get(campaign).cloned().unwrap_or_default();
            let next = place.after(change, campaign, deed)?;
            let version = next.versions;
            drafts.insert(campaign.clone(), next);
            Ok(Effect {
                draft: Some(version),
                ..effect(campaign)
            })
        }
        Action::PublishDraft {
            campaign,
            edition,
            definition,
            stock,
            budget,
            seeds,
            from,
        } => {
            let figures = revise::Figures {
                stock,
                budget: *budget,
            };
            let place = world.tenants.get(tenant);
            let place = place.and_then(|known| known.drafts.get(campaign)).cloned();
            let key = (tenant.clone(), campaign.clone(), *edition);
            let newest = world.campaigns.get(&key).and_then(CampaignWorld::newest);
            let place = place.unwrap_or_default();
            let place = place.published(campaign, from, newest.unwrap_or(0))?;
            let found = begun(world, change, campaign, *edition, seeds)?;
            let revision = revise::publish(found, change, definition, &figures)?;
            if let Some(known) = world.tenants.get_mut(tenant) {
                known.drafts.insert(campaign.clone(), place);
            }
            Ok(Effect {
                revision: Some(revision),
                draft: Some(from.version),
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
        Action::Rollback {
            campaign,
            edition,
            to,
            stock,
            budget,
        } => {
            let found = known(world, tenant, campaign, *edition)?;
            let Some(earlier) = found.revisions.get(to) else {
                let no = Refused::NoSuchRevision(campaign.clone(), *to);
                return Err(AdminOutcome::Refused(no));
            };
            let definition = earlier.definition.clone();
            let figures = revise::Figures {
                stock,
                budget: *budget,
            };
            Ok(Effect {
                revision: Some(revise::publish(found, change, &definition, &figures)?),
                ..effect(campaign)
            })
        }
        Action::Release {
            campaign,
            edition,
            definition,
            stock,
            budget,
            over,
            share,
        } => {
            let found = known(world, tenant, campaign, *edition)?;
            let figures = revise::Figures {
                stock,
                budget: *budget,
            };
            let parts = (*over, *share);
            Ok(Effect {
                revision: Some(revise::release(found, change, definition, &figures, parts)?),
                ..effect(campaign)
            })
        }
        Action::Share {
            campaign,
            edition,
            arms,
            share,
            stock,
            budget,
        } => {
            let found = known(world, tenant, campaign, *edition)?;
            let figures = revise::Figures {
                stock,
                budget: *budget,
            };
            Ok(Effect {
                revision: Some(revise::share(found, *arms, *share, &figures)?),
                ..effect(campaign)
            })
        }
        Action::Purge {
            campaign, edition, ..
        } => {
            let key = (tenant.clone(), campaign.clone(), *edition);
            if world.purged.contains(&key) {
                return Err(AdminOutcome::Already);
            }
            known(world, tenant, campaign, *edition)?;
            world.campaigns.remove(&key);
            world.purged.insert(key);
            Ok(effect(campaign))
        }
        Action::PutList { list, .. } => {
            let new = List::put(change);
            let known = world.tenants.get_mut(tenant).zip(new);
            let refused = || AdminOutcome::Refused(Refused::NoSuchTenant(tenant.clone()));
            let (known, new) = known.ok_or_else(refused)?;
            known.lists.insert(list.clone(), new);
            Ok(Effect::default())
        }
        Action::DropList { list } => {
            let known = world.tenants.get_mut(tenant);
            let gone = known.and_then(|known| known.lists.remove(list));
            let refused = || AdminOutcome::Refused(Refused::NoSuchList(list.clone()));
            gone.map(|_| Effect::default()).ok_or_else(refused)
        }
        Action::PurgeTest {
            campaign, edition, ..
        } => {
            known(world, tenant, campaign, *edition)?.test_lane.empty();
            Ok(effect(campaign))
        }
        Action::Unpark { id, .. } => {
            let known = world.tenants.get_mut(tenant);
            let gone = known.and_then(|known| known.parking.take(id));
            let refused = || AdminOutcome::Refused(Refused::NoSuchParked(id.clone()));
            gone.map(|_| Effect::default()).ok_or_else(refused)
        }
        Action::Measure(measure) => measure::take(world, change, measure),
    }
}

/// An edition that is there, or begins with the revision to come; one that was purged never does.
fn begun<'a>(
    world: &'a mut World,
    change: &Admin,
    campaign: &Arc<str>,
    edition: u32,
    seeds: &(Seed, Seed),
) -> Result<&'a mut CampaignWorld, AdminOutcome> {
    let key = (change.tenant.clone(), campaign.clone(), edition);
    if world.purged.contains(&key) {
        let no = Refused::Purged(campaign.clone(), edition);
        return Err(AdminOutcome::Refused(no));
    }
    let new = || CampaignWorld::new(seeds, change.at);
    Ok(world.campaigns.entry(key).or_insert_with(new))
}

pub(super) fn known<'a>(
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

/// Writes the audit entry and remembers the answer.
fn finish(world: &mut World, change: &Admin, effect: Effect) -> AdminOutcome {
    let Some(tenant) = world.tenants.get_mut(&change.tenant) else {
        return AdminOutcome::Refused(Refused::NoSuchTenant(change.tenant.clone()));
    };
    let number = tenant.audit.len() as u64;
    let done = Done {
        audit: number,
        revision: effect.revision,
        ceiling: effect.ceiling,
        draft: effect.draft,
        withdrawn: effect.withdrawn,
    };
    let (action, details) = change.told(&done);
    let mut entry = AuditEntry {
        number,
        at: change.at,
        by: change.by.clone(),
        action,
        campaign: effect.campaign,
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

impl Admin {
    /// The action in one word, and its particulars as JSON, the reason among them; secrets left out.
    pub fn told(&self, done: &Done) -> (String, String) {
        let (action, mut details) = self.action.told(done);
        if let (Some(why), Some(fields)) = (&self.why, details.as_object_mut()) {
            fields.insert("reason".to_owned(), (**why).into());
        }
        (action.to_owned(), details.to_string())
    }
}

impl Action {
    /// The campaign and the edition that it is about, if it is about one; a draft is of edition 0, which no campaign has.
    pub fn campaign(&self) -> Option<(&Arc<str>, u32)> {
        match self {
            Self::CreateTenant { .. }
            | Self::Unpark { .. }
            | Self::PutList { .. }
            | Self::DropList { .. } => None,
            Self::Draft { campaign, .. } => Some((campaign, 0)),
            Self::PublishDraft {
                campaign, edition, ..
            }
            | Self::Publish {
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
            }
            | Self::Rollback {
                campaign, edition, ..
            }
            | Self::Purge {
                campaign, edition, ..
            }
            | Self::Release {
                campaign, edition, ..
            }
            | Self::PurgeTest {
                campaign, edition, ..
            }
            | Self::Share {
                campaign, edition, ..
            } => Some((campaign, *edition)),
            Self::Measure(measure) => measure.campaign(),
        }
    }

    /// The action in one word, and its particulars; secrets left out.
    fn told(&self, done: &Done) -> (&'static str, serde_json::Value) {
        match self {
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
            Self::Rollback { edition, to, .. } => (
                "rollback",
                serde_json::json!({ "edition": edition, "to": to, "revision": done.revision }),
            ),
            Self::Purge {
                edition, reason, ..
            } => (
                "purge",
                serde_json::json!({ "edition": edition, "reason": reason }),
            ),
            Self::Release {
                edition,
                definition,
                over,
                share,
                ..
            } => (
                "publish",
                serde_json::json!({
                    "edition": edition,
                    "revision": done.revision,
                    "sha256": hex(&Sha256::digest(definition)),
                    "share": share,
                    "over": over,
                }),
            ),
            Self::Share {
                edition,
                arms: (old, new),
                share,
                ..
            } => (
                "share",
                serde_json::json!({
                    "edition": edition,
                    "live": { old.to_string(): WHOLE.saturating_sub(*share), new.to_string(): share },
                }),
            ),
            Self::PutList {
                list,
                members,
                lines,
                sha256,
                ..
            } => (
                "put-list",
                serde_json::json!({
                    "list": list, "members": members, "rows": lines.rows, "duplicates": lines.duplicates,
                    "rejected": lines.rejected, "sha256": hex(sha256),
                }),
            ),
            Self::DropList { list } => ("drop-list", serde_json::json!({ "list": list })),
            Self::PurgeTest {
                edition, reason, ..
            } => (
                "purge-test",
                serde_json::json!({ "edition": edition, "lane": "test", "reason": reason }),
            ),
            Self::Unpark { id, reason: None } => {
                ("retry-parked", serde_json::json!({ "parked": id }))
            }
            Self::Unpark { id, reason } => (
                "drop-parked",
                serde_json::json!({ "parked": id, "reason": reason }),
            ),
            Self::Draft { deed, .. } => deed.told(done.draft),
            Self::PublishDraft {
                edition,
                definition,
                from,
                ..
            } => (
                "publish",
                serde_json::json!({
                    "edition": edition,
                    "revision": done.revision,
                    "sha256": hex(&Sha256::digest(definition)),
                    "draft": from.version,
                    "scheduled_ms": from.scheduled,
                }),
            ),
            Self::Measure(measure) => measure.told(done),
        }
    }
}
