//! What a change by staff does to a world: all of it, with its entry in the audit and the answer that is remembered, or nothing.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::admin::{Action, Admin, AdminOutcome, Done, Publication, Refused};
use super::audit::AuditEntry;
use super::change::{Answer, CounterKey};
use super::delivery::Parking;
use super::lists::List;
use super::measure;
use super::pools::{CodesPut, Pool};
use super::revise;
use super::state::{CampaignWorld, Remembered, TenantWorld, World, find, remember};

/// How many admin answers are remembered for a tenant.
const REMEMBER_ADMIN: usize = 256;

/// Makes a change true, or says why not.
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
            pools: BTreeMap::new(),
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
    pub codes: Option<CodesPut>,
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
        Action::Publish(new) => Ok(Effect {
            revision: Some(publish(world, change, new)?),
            ..effect(&new.campaign)
        }),
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
        Action::PublishDraft(new, from) => {
            let campaign = &new.campaign;
            let place = world.tenants.get(tenant);
            let place = place.and_then(|known| known.drafts.get(campaign)).cloned();
            let key = (tenant.clone(), campaign.clone(), new.edition);
            let newest = world.campaigns.get(&key).and_then(CampaignWorld::newest);
            let place = place.unwrap_or_default();
            let place = place.published(campaign, from, newest.unwrap_or(0))?;
            let revision = publish(world, change, new)?;
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
        Action::PutCodes {
            pool, codes, lines, ..
        } => {
            let after = pool_after(world, change, pool)?;
            let put = CodesPut {
                added: *codes,
                known: lines.known,
                codes: after,
            };
            Ok(Effect {
                codes: Some(put),
                ..Effect::default()
            })
        }
        Action::BindPool { pool, .. } => {
            pool_after(world, change, pool)?;
            Ok(Effect::default())
        }
        Action::FillStock {
            campaign,
            edition,
            reward,
            units,
        } => {
            let found = known(world, tenant, campaign, *edition)?;
            if !revise::fill(found, reward, *units) {
                return Err(AdminOutcome::Already);
            }
            Ok(effect(campaign))
        }
        Action::PurgeTest {
            campaign, edition, ..
        } => {
            known(world, tenant, campaign, *edition)?.test_lane.empty();
            Ok(effect(campaign))
        }
        Action::CloseEntries {
            campaign,
            edition,
            lane,
            draw,
        } => {
            let found = known(world, tenant, campaign, *edition)?;
            let counters = &mut found.lane_mut(*lane).counters;
            let Some(counter) = counters.get_mut(&CounterKey::Entries(draw.clone())) else {
                return Err(AdminOutcome::Refused(Refused::NoSuchDraw(draw.clone())));
            };
            if counter.withdraw(None) == 0 {
                return Err(AdminOutcome::Already);
            }
            Ok(Effect {
                ceiling: Some(counter.ceiling),
                ..effect(campaign)
            })
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

/// Makes a change to a pool; how many codes it has then.
fn pool_after(world: &mut World, change: &Admin, pool: &Arc<str>) -> Result<u64, AdminOutcome> {
    let no = || AdminOutcome::Refused(Refused::NoSuchTenant(change.tenant.clone()));
    let known = world.tenants.get_mut(&change.tenant).ok_or_else(no)?;
    let after = Pool::after(known.pools.get(pool), change)?;
    let codes = after.codes();
    known.pools.insert(pool.clone(), after);
    Ok(codes)
}

/// The next revision of an edition that is there, or begins with it; one that was purged never does.
fn publish(world: &mut World, change: &Admin, new: &Publication) -> Result<u32, AdminOutcome> {
    let key = (change.tenant.clone(), new.campaign.clone(), new.edition);
    if world.purged.contains(&key) {
        let no = Refused::Purged(new.campaign.clone(), new.edition);
        return Err(AdminOutcome::Refused(no));
    }
    let begin = || CampaignWorld::new(&new.seeds, change.at);
    let found = world.campaigns.entry(key).or_insert_with(begin);
    let figures = revise::Figures {
        stock: &new.stock,
        budget: new.budget,
    };
    revise::publish(found, change, &new.definition, &figures)
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
        codes: effect.codes,
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
