//! From what the store holds to what requests look at: tenants with their keys and limits, campaigns with their revisions
//! read and linked. What has not changed since the last look is kept.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::http::HeaderValue;
use campaign::TenantConfigs;
use futures_util::future::{try_join, try_join_all};
use limit::{Limiter, MAX_KEYS, Quota, Shared};
use machine::ids::{CampaignKey, Lane};
use machine::luck::Source;
use machine::model::LinkError;
use machine::{Campaign, Definition};
use store::Published;

use super::{LoadError, Registry, keys, shared};
use crate::client::TrustedProxies;
use crate::cors::Origins;
use crate::identity::{Audience, Verifier};
use crate::served::{CampaignMetrics, Served, TenantShell};

impl Registry {
    pub(super) async fn tenant_shell(
        &self,
        configs: &TenantConfigs,
        known: Option<&Arc<TenantShell>>,
        published: &[Published],
        problems: &mut Vec<String>,
    ) -> Result<Option<TenantShell>, LoadError> {
        let tenant = &configs.tenant;
        let mut problem = |what: String| problems.push(format!("tenant `{}`: {what}", tenant.id));
        let mut verifier = |specs, audience: Audience, kept: Option<&Arc<Verifier>>| {
            keys::verifier(self.choice.keys(), &tenant.id, specs, audience, kept).unwrap_or_else(
                |error| {
                    problem(error.to_string());
                    None
                },
            )
        };
        let known_of = |pick: fn(&TenantShell) -> &Arc<Verifier>| known.map(|known| pick(known));
        let (Some(users), Some(admins), Some(services)) = (
            verifier(&tenant.keys, Audience::User, known_of(|shell| &shell.users)),
            verifier(
                &tenant.admin_keys,
                Audience::Admin,
                known_of(|shell| &shell.admins),
            ),
            verifier(
                &tenant.service_keys,
                Audience::Service,
                known_of(|shell| &shell.services),
            ),
        ) else {
            return Ok(None);
        };
        let stored = self.store.tenant_secret(&tenant.id).await?;
        let (secret, lost) = match known.filter(|_| self.store.is_remote()) {
            Some(known) => (known.secret.clone(), stored.as_ref() != Some(&known.secret)),
            None => match stored {
                Some(secret) => (secret, false),
                None => return Ok(None),
            },
        };
        if lost {
            problem(shared::TENANT_LOST.to_owned());
        }
        let mut editions: BTreeMap<&str, Vec<&Published>> = BTreeMap::new();
        for found in published.iter().filter(|found| *found.tenant == *tenant.id) {
            // A campaign whose file is gone is no longer served; its record stays in the store.
            let named = configs.campaign(&found.campaign).is_some();
            if !lost && (named || self.choice.is_open_ended()) {
                editions.entry(&found.campaign).or_default().push(found);
            }
        }
        // All at once: where the store is far, a start takes a few round trips and not a few for each campaign.
        let looks = editions.into_iter().map(|(id, editions)| async move {
            let before = known.and_then(|known| known.campaigns.get(id));
            Ok::<_, LoadError>((id, self.newest_edition(editions, before).await?))
        });
        let mut campaigns = HashMap::new();
        for (id, (served, errors)) in try_join_all(looks).await? {
            for error in errors {
                problem(format!("campaign `{id}`: {error}"));
            }
            campaigns.extend(served.map(|served| (id.to_owned(), served)));
        }
        if let Some(known) = known.filter(|_| self.store.is_remote()) {
            for served in shared::gone(known, configs, &campaigns) {
                if !lost {
                    problem(format!(
                        "campaign `{}`: {}",
                        served.campaign,
                        shared::CAMPAIGN_LOST
                    ));
                }
                campaigns.insert(served.campaign.to_string(), served);
            }
        }
        let quota = |per_second, burst| Quota::new(per_second, burst);
        let quotas = tenant.quotas;
        Ok(Some(TenantShell {
            users,
            admins,
            services,
            origins: Origins::parse(&tenant.origins).unwrap_or_default(),
            proxies: TrustedProxies::parse(&tenant.trusted_proxies).unwrap_or_default(),
            secret,
            lists: configs
                .lists
                .iter()
                .map(|(name, members)| (name.clone(), members.iter().cloned().collect()))
                .collect(),
            user_policy: quota(quotas.user_per_second, quotas.user_burst)
                .and_then(|quota| HeaderValue::try_from(quota.policy("user")).ok()),
            user_limit: keep(
                known.and_then(|known| known.user_limit.as_ref()),
                quota(quotas.user_per_second, quotas.user_burst),
                MAX_KEYS,
            ),
            tenant_limit: self.tenant_limit(
                known.and_then(|known| known.tenant_limit.as_ref()),
                &tenant.id,
                quota(quotas.per_second, quotas.burst),
            ),
            campaigns,
            tenant: tenant.clone(),
        }))
    }

    /// A tenant's limit: the one there is if it has this quota, so that a reload forgives nobody.
    fn tenant_limit(
        &self,
        known: Option<&Arc<Shared>>,
        tenant: &str,
        quota: Option<Quota>,
    ) -> Option<Arc<Shared>> {
        let quota = quota?;
        let known = known.filter(|known| known.quota() == quota).cloned();
        Some(known.unwrap_or_else(|| {
            let limit = match self.store.tokens() {
                Some(source) => Shared::over_all(source, tenant, "calls", quota),
                None => Shared::local(quota),
            };
            Arc::new(limit)
        }))
    }

    /// The newest of a campaign's editions that can be served, and what is wrong with those after it.
    async fn newest_edition(
        &self,
        mut editions: Vec<&Published>,
        before: Option<&Arc<Served>>,
    ) -> Result<(Option<Arc<Served>>, Vec<ServeError>), LoadError> {
        let mut errors = Vec::new();
        editions.sort_by_key(|found| std::cmp::Reverse(found.edition));
        for found in editions {
            match self.served(found, before).await? {
                Ok(served) => return Ok((Some(Arc::new(served)), errors)),
                // Another function's.
                Err(ServeError::Foreign) => return Ok((None, errors)),
                Err(error) => {
                    let same = before.filter(|before| before.edition == found.edition);
                    let shown = same
                        .filter(|_| self.store.is_remote())
                        .map(|before| shared::shown(before, error.is_lost()));
                    errors.push(error);
                    if shown.is_some() {
                        return Ok((shown, errors));
                    }
                }
            }
        }
        Ok((None, errors))
    }

    /// Whether a campaign is of an activity that this process serves.
    fn is_ours(&self, definition: &Definition) -> bool {
        let mut activities = self.activities.iter();
        activities.any(|activity| activity.id() == &*definition.activity)
    }

    async fn served(
        &self,
        found: &Published,
        before: Option<&Arc<Served>>,
    ) -> Result<Result<Served, ServeError>, LoadError> {
        let before = before.filter(|before| before.edition == found.edition);
        let mut revisions: BTreeMap<u32, Arc<Definition>> = BTreeMap::new();
        let known = |number: &u32| before.and_then(|before| before.revisions.get(number));
        let read = |number: u32| {
            let campaign = (&found.tenant, &found.campaign);
            async move {
                let stored = self
                    .store
                    .revision(campaign.0, campaign.1, found.edition, number)
                    .await?;
                Ok::<_, LoadError>((number, stored))
            }
        };
        let decoded = |number, stored: &machine::world::Revision| {
            campaign::codec::decode(&stored.definition)
                .map(Arc::new)
                .map_err(|error| ServeError::Decode(number, error))
        };
        // The newest first: it says whose the campaign is.
        let newest_sha256 = match before.filter(|_| known(&found.newest).is_some()) {
            Some(before) => before.newest_sha256,
            None => match read(found.newest).await?.1 {
                Some(stored) => match decoded(found.newest, &stored) {
                    Ok(definition) if !self.is_ours(&definition) => {
                        return Ok(Err(ServeError::Foreign));
                    }
                    Ok(definition) => {
                        revisions.insert(found.newest, definition);
                        stored.sha256
                    }
                    Err(error) => return Ok(Err(error)),
                },
                None => [0; 32],
            },
        };
        let kept = (1..=found.newest).filter_map(|number| Some((number, known(&number)?.clone())));
        revisions.extend(kept);
        let missing = (1..found.newest).filter(|number| !revisions.contains_key(number));
        for (number, stored) in try_join_all(missing.map(read)).await? {
            let Some(stored) = stored else { continue };
            match decoded(number, &stored) {
                Ok(definition) => {
                    revisions.insert(number, definition);
                }
                Err(error) => return Ok(Err(error)),
            }
        }
        let mut live: Vec<(machine::world::Live, Arc<Campaign>)> = Vec::new();
        for entry in &found.live {
            let kept = before.and_then(|before| {
                before
                    .live
                    .iter()
                    .find(|(known, _)| known.revision == entry.revision)
            });
            if let Some((_, linked)) = kept {
                live.push((*entry, linked.clone()));
                continue;
            }
            let Some(definition) = revisions.get(&entry.revision) else {
                return Ok(Err(ServeError::Missing(entry.revision)));
            };
            match campaign::codec::link(definition.as_ref().clone(), entry.revision) {
                Ok(linked) => live.push((*entry, Arc::new(linked))),
                Err(error) => return Ok(Err(ServeError::Link(entry.revision, error))),
            }
        }
        let key = |lane| CampaignKey {
            tenant: found.tenant.clone(),
            campaign: found.campaign.clone(),
            edition: found.edition,
            lane,
        };
        let (live_key, test_key) = (key(Lane::Live), key(Lane::Test));
        let (live_lane, test_lane) =
            try_join(self.store.lane(&live_key), self.store.lane(&test_key)).await?;
        let (Some(live_lane), Some(test_lane)) = (live_lane, test_lane) else {
            return Ok(Err(ServeError::Lane));
        };
        let is_other = |before: &&Arc<Served>| {
            (&before.seeds.0, &before.seeds.1) != (&live_lane.seed, &test_lane.seed)
        };
        if self.store.is_remote() && before.is_some_and(|before| is_other(&before)) {
            return Ok(Err(ServeError::Another));
        }
        let path = format!("{}/{}", found.tenant, found.campaign);
        let source = |seed| Source::new(seed, &path, found.edition);
        Ok(Ok(Served {
            tenant: found.tenant.clone(),
            campaign: found.campaign.clone(),
            edition: found.edition,
            live,
            revisions,
            newest_sha256,
            pause: found.pause.clone(),
            lost: false,
            sources: (source(&live_lane.seed), source(&test_lane.seed)),
            seeds: (live_lane.seed, test_lane.seed),
            test_clock_offset: test_lane.clock_offset,
            metrics: CampaignMetrics::new(&found.tenant, &found.campaign),
        }))
    }
}

/// Why a published campaign can't be served by this program.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("it is of an activity that this program does not have")]
    Foreign,
    #[error("revision {0} can't be read: {1}")]
    Decode(u32, campaign::codec::DecodeError),
    #[error("revision {0} can't be run: {1}")]
    Link(u32, LinkError),
    #[error("revision {0} is missing in the store")]
    Missing(u32),
    #[error("its seeds and counters are missing in the store")]
    Lane,
    #[error("the store has another one of this name, with other seeds than this process served")]
    Another,
}

impl ServeError {
    /// Whether the store has lost the campaign, and not only this program its way to read it.
    fn is_lost(&self) -> bool {
        matches!(self, Self::Lane | Self::Another)
    }
}

/// A limiter with this quota: the one there is if it has it, so that a reload forgives nobody.
fn keep(
    known: Option<&Arc<Limiter<str>>>,
    quota: Option<Quota>,
    max_keys: usize,
) -> Option<Arc<Limiter<str>>> {
    let quota = quota?;
    let known = known.filter(|known| known.quota() == quota).cloned();
    Some(known.unwrap_or_else(|| Arc::new(Limiter::new(quota, max_keys))))
}
