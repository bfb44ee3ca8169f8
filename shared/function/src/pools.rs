//! Codes that rewards take from a tenant's pools: a pool is given to its reward, the reward's stock follows what is put into the pool,
//! and whoever was given a code is shown it.
//!
//! A pool lies in its tenant's place and stock in its campaign's, which no store changes in one step. So the pool comes first: a
//! reward's stock is at most what the pool has for it, and is raised after codes were put. What fails in between leaves too little stock,
//! until the next look finds it.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use machine::ids::{CampaignKey, Lane, Pseudonym};
use machine::model::{CodePool, Reward};
use machine::participant::{Grant, Status};
use machine::world::{Action, Admin, AdminOutcome, CounterKey, Owner, Refused, Unit};
use machine::{Definition, Millis};
use parking_lot::Mutex;
use store::codes::Named;
use store::{Later, Store};

use crate::http::Shell;
use crate::served::Served;

/// Who gives a pool to its reward, and raises stock after codes were put.
const BY: &str = "code-pools";

/// What the test lane's codes begin with. They are made up: testers are never given what users are to have.
const TEST: &str = "TEST";

/// The rewards of a definition whose codes come from a pool.
fn pooled(definition: &Definition) -> impl Iterator<Item = (&Reward, &CodePool)> {
    let rewards = definition.rewards.iter();
    rewards.filter_map(|reward| Some((reward, reward.pool.as_ref()?)))
}

/// Whether any reward of a definition takes codes from a pool.
pub fn any(definition: &Definition) -> bool {
    pooled(definition).next().is_some()
}

fn named<'a>(pools: &'a [Named], name: &str) -> Option<&'a Named> {
    pools.iter().find(|(known, _)| **known == *name)
}

/// How many units a pooled reward has: as many as it may give, and no more than its pool has for it.
fn units(pools: &[Named], definition: &Definition, reward: &Reward, pool: &CodePool) -> u32 {
    let (campaign, edition) = (&definition.campaign, definition.edition);
    let held = named(pools, &pool.name);
    let held = held.map_or(0, |(_, held)| held.units(campaign, edition, &reward.id));
    u32::try_from(held)
        .unwrap_or(u32::MAX)
        .min(reward.stock.unwrap_or(0))
}

/// Stock, by reward; and what else a publish makes counters of.
type Figures = Vec<(Arc<str>, u32)>;

/// The figures that a publish of the definition asks for ([`blocks::figures`]), a pooled reward's as far as there are codes; refused
/// where a pool is another reward's.
pub fn stock<'a>(
    store: &'a dyn Store,
    definition: &'a Definition,
) -> Later<'a, Result<Figures, Refused>> {
    Box::pin(async move {
        let pools = if any(definition) {
            store.pools(&definition.tenant).await?
        } else {
            Vec::new()
        };
        for (reward, pool) in pooled(definition) {
            let owner = named(&pools, &pool.name).and_then(|(_, pool)| pool.owner());
            let is_own =
                |owner: &&Owner| owner.is(&definition.campaign, definition.edition, &reward.id);
            if let Some(other) = owner.filter(|owner| !is_own(owner)) {
                return Ok(Err(Refused::PoolTaken(pool.name.clone(), other.clone())));
            }
        }
        let mut figures = blocks::figures(definition);
        for (reward, pool) in pooled(definition) {
            let of_it = figures.iter_mut().find(|(id, _)| *id == reward.id);
            if let Some((_, figure)) = of_it {
                *figure = units(&pools, definition, reward, pool);
            }
        }
        Ok(Ok(figures))
    })
}

/// The pools that a definition names and the store does not have: nothing is given of those rewards.
pub fn missing<'a>(store: &'a dyn Store, definition: &'a Definition) -> Later<'a, Vec<Arc<str>>> {
    Box::pin(async move {
        if !any(definition) {
            return Ok(Vec::new());
        }
        let pools = store.pools(&definition.tenant).await?;
        let missing = pooled(definition).map(|(_, pool)| &pool.name);
        Ok(missing
            .filter(|name| named(&pools, name).is_none_or(|(_, pool)| pool.segments.is_empty()))
            .cloned()
            .collect())
    })
}

/// Gives each pool of a published definition to its reward, and lets the reward's stock follow what is in it.
pub fn tend<'a>(store: &'a dyn Store, definition: &'a Definition, now: Millis) -> Later<'a, ()> {
    Box::pin(async move {
        let admin = |action| {
            Box::new(Admin {
                tenant: definition.tenant.clone(),
                by: BY.into(),
                at: now,
                key: None,
                action,
                why: None,
            })
        };
        // Collected, since an iterator with a closure in it can't be held while the store answers.
        let all: Vec<(&Reward, &CodePool)> = pooled(definition).collect();
        for (reward, pool) in &all {
            let owner = Owner {
                campaign: definition.campaign.clone(),
                edition: definition.edition,
                reward: reward.id.clone(),
                from: 0,
            };
            let bind = Action::BindPool {
                pool: pool.name.clone(),
                owner,
            };
            let bound = store.admin(admin(bind)).await?;
            if let AdminOutcome::Refused(no) = bound {
                tracing::error!(
                    tenant = %definition.tenant, campaign = %definition.campaign, reward = %reward.id,
                    "nothing is given of this reward: {no}"
                );
            }
        }
        // Looked at after they are given: what another was quicker to get has nothing for this one.
        let pools = store.pools(&definition.tenant).await?;
        for (reward, pool) in all {
            let fill = Action::FillStock {
                campaign: definition.campaign.clone(),
                edition: definition.edition,
                reward: reward.id.clone(),
                units: units(&pools, definition, reward, pool),
            };
            store.admin(admin(fill)).await?;
        }
        Ok(())
    })
}

/// The codes of a participant's grants at the places `shown`, by their place: of those that are their user's to have.
pub async fn codes(
    store: &dyn Store,
    definition: &Definition,
    key: &CampaignKey,
    user: Pseudonym,
    grants: &[Grant],
    shown: Range<usize>,
) -> Result<HashMap<usize, Arc<str>>, store::Error> {
    let pool_of = |grant: &Grant| {
        let reward = definition.rewards.get(usize::from(grant.reward))?;
        Some((reward, reward.pool.as_ref()?))
    };
    let mut codes = HashMap::new();
    let some = grants.get(shown.clone()).unwrap_or_default();
    if !some.iter().any(|grant| pool_of(grant).is_some()) {
        return Ok(codes);
    }
    let mut left = store.units(key, user).await?;
    let mut wanted: HashMap<&str, Vec<(usize, u64)>> = HashMap::new();
    let mut owners: HashMap<&str, (&Reward, &CodePool)> = HashMap::new();
    for (place, grant) in grants.iter().enumerate() {
        let Some((reward, pool)) = pool_of(grant) else {
            continue;
        };
        // Taken in order, also where the code is not shown: what comes after is another one.
        let serial = Unit::take(&mut left, &reward.id, grant.period, grant.n);
        let is_shown = shown.contains(&place) && is_shown(grant.status);
        if let Some(serial) = serial.filter(|_| is_shown) {
            wanted.entry(&reward.id).or_default().push((place, serial));
            owners.insert(&reward.id, (reward, pool));
        }
    }
    for (id, places) in wanted {
        let Some((reward, pool)) = owners.get(id) else {
            continue;
        };
        if key.lane == Lane::Test {
            let made_up = |serial: u64| format!("{TEST}-{}-{serial:06}", id.to_ascii_uppercase());
            codes.extend(
                places
                    .iter()
                    .map(|(place, serial)| (*place, made_up(*serial).into())),
            );
            continue;
        }
        let owner = Owner {
            campaign: key.campaign.clone(),
            edition: key.edition,
            reward: reward.id.clone(),
            from: 0,
        };
        let serials: Vec<u64> = places.iter().map(|(_, serial)| *serial).collect();
        let found = store
            .codes(&key.tenant, &pool.name, &owner, &serials)
            .await?;
        let found = places.iter().zip(found);
        codes.extend(found.filter_map(|((place, _), code)| Some((*place, code?))));
    }
    Ok(codes)
}

/// Whether the code of a grant is shown: not while it is held or to be claimed, and not once it is taken back.
fn is_shown(status: Status) -> bool {
    match status {
        Status::Pending | Status::Sent | Status::Confirmed | Status::Failed | Status::Expired => {
            true
        }
        Status::Held | Status::NeedsClaim | Status::Forfeited | Status::Reversed => false,
    }
}

/// Of each pooled reward of a campaign, in order, what its pool was like.
type Seen = Vec<Option<(u64, bool)>>;

/// Looks after the pools of all campaigns that are served, and remembers what it said.
#[derive(Debug, Default)]
pub struct Keeper {
    /// What was seen of a campaign's pools when they were tended last.
    tended: Mutex<HashMap<CampaignKey, Seen>>,
    /// The rewards whose pools are low.
    low: Mutex<HashSet<(CampaignKey, Arc<str>)>>,
}

impl Keeper {
    /// One look at all of them.
    pub async fn round(&self, shell: &Shell) {
        let snapshot = shell.registry.snapshot();
        let tenants = snapshot.tenants.values();
        for served in tenants.flat_map(|tenant| tenant.campaigns.values()) {
            let Some(definition) = served.newest().filter(|newest| any(newest)) else {
                continue;
            };
            if served.lost {
                continue;
            }
            if let Err(error) = self
                .one(shell, served, definition, definition.revision)
                .await
            {
                tracing::warn!(%error, campaign = %served.key(Lane::Live), "its pools of codes could not be looked at");
            }
        }
    }

    async fn one(
        &self,
        shell: &Shell,
        served: &Served,
        definition: &Definition,
        revision: u32,
    ) -> Result<(), store::Error> {
        let (store, key) = (&*shell.store, served.key(Lane::Live));
        let pools = store.pools(&served.tenant).await?;
        let seen: Vec<Option<(u64, bool)>> = pooled(definition)
            .map(|(_, pool)| named(&pools, &pool.name))
            .map(|found| found.map(|(_, pool)| (pool.codes(), pool.owner().is_some())))
            .chain([Some((u64::from(revision), true))])
            .collect();
        let tended = self.tended.lock().get(&key) == Some(&seen);
        if !tended {
            tend(store, definition, shell.clock.now()).await?;
            self.tended.lock().insert(key.clone(), seen);
        }
        let Some(lane) = store.lane(&key).await? else {
            return Ok(());
        };
        for (reward, pool) in pooled(definition) {
            let stock = CounterKey::Stock(reward.id.clone());
            let counter = lane.counters.iter().find(|(known, _)| *known == stock);
            let Some(((_, counter), low_water)) = counter.zip(pool.low_water) else {
                continue;
            };
            let left = counter.ceiling.saturating_sub(counter.issued).max(0);
            self.told(&key, reward, pool, left, left <= i64::from(low_water));
        }
        Ok(())
    }

    /// Says once that a pool has run low, and once that it is not any more.
    fn told(&self, key: &CampaignKey, reward: &Reward, pool: &CodePool, left: i64, is_low: bool) {
        let name = (key.clone(), reward.id.clone());
        if is_low && self.low.lock().insert(name.clone()) {
            tracing::warn!(
                tenant = %key.tenant, campaign = %key.campaign, reward = %reward.id, pool = %pool.name, left,
                "a pool of codes runs low: put more into it (`gala codes put`)"
            );
        } else if !is_low && self.low.lock().remove(&name) {
            tracing::info!(
                tenant = %key.tenant, campaign = %key.campaign, reward = %reward.id, pool = %pool.name, left,
                "a pool of codes was filled up"
            );
        }
    }
}
