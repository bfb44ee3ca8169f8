//! From what the store holds to what requests look at: tenants with their keys and limits, campaigns with their revisions
//! read and linked. What has not changed since the last look is kept.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use axum::http::HeaderValue;
use campaign::{Compiled, TenantConfigs};
use futures_util::future::{try_join_all, try_join3};
use limit::{Limiter, MAX_KEYS, Quota, Shared, Tries};
use machine::ids::{CampaignKey, Lane};
use machine::luck::Source;
use machine::model::LinkError;
use machine::{Campaign, Definition};
use store::Published;

use super::{LoadError, Registry, keys, shared};
use crate::ask::Services;
use crate::client::TrustedProxies;
use crate::cors::Origins;
use crate::identity::{Audience, Verifier};
use crate::lists::Stored;
use crate::poster::scenes::TenantFonts;
use crate::served::{CampaignMetrics, Served, TenantShell};

impl Registry {
    pub(super) async fn tenant_shell(
        &self,
        configs: &TenantConfigs,
        known: Option<&Arc<TenantShell>>,
        published: &[Published],
    ) -> Result<(Option<TenantShell>, Vec<String>), LoadError> {
        let tenant = &configs.tenant;
        let mut problems = Vec::new();
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
            return Ok((None, problems));
        };
        let asked = Services::after(
            known.map(|known| &known.asked),
            tenant,
            self.choice.keys(),
            &mut problem,
        );
        let storage = keys::storage(
            self.choice.keys(),
            tenant,
            known.and_then(|known| known.storage.as_ref()),
        );
        let storage = storage.unwrap_or_else(|error| {
            problem(format!("posters.storage: {error}"));
            None
        });
        let lists = self.store.lists(&tenant.id).await?;
        let stored = self.store.tenant_secret(&tenant.id).await?;
        let (secret, lost) = match known.filter(|_| self.store.is_remote()) {
            Some(known) => (known.secret.clone(), stored.as_ref() != Some(&known.secret)),
            None => match stored {
                Some(secret) => (secret, false),
                None => return Ok((None, problems)),
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
            let packed = configs
                .campaign(id)
                .and_then(|found| found.compiled.as_ref());
            let found = self.newest_edition(editions, before, packed).await?;
            Ok::<_, LoadError>((id, found))
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
        let folder: HashMap<String, HashSet<String>> = configs
            .lists
            .iter()
            .map(|(name, members)| (name.clone(), members.iter().cloned().collect()))
            .collect();
        let quota = |per_second, burst| Quota::new(per_second, burst);
        let quotas = tenant.quotas;
        let shell = TenantShell {
            users,
            admins,
            services,
            origins: Origins::parse(&tenant.origins).unwrap_or_default(),
            proxies: TrustedProxies::parse(&tenant.trusted_proxies).unwrap_or_default(),
            codes: crate::redeem::digests(
                campaigns.values(),
                &folder,
                &secret.0,
                known.map(|known| &**known),
            ),
            tries: known.map_or_else(
                || Arc::new(Tries::new(self.store.tokens())),
                |known| known.tries.clone(),
            ),
            secret,
            lists: folder,
            asked,
            storage,
            fonts: TenantFonts::new(configs.fonts.values().cloned().collect()),
            stored: Stored::after(known.map(|known| &known.stored), lists),
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
            editions: published
                .iter()
                .filter(|found| *found.tenant == *tenant.id)
                .map(|found| (found.campaign.clone(), found.edition))
                .collect(),
            tenant: tenant.clone(),
        };
        Ok((Some(shell), problems))
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
        packed: Option<&Compiled>,
    ) -> Result<(Option<Arc<Served>>, Vec<ServeError>), LoadError> {
        let mut errors = Vec::new();
        editions.sort_by_key(|found| std::cmp::Reverse(found.edition));
        for found in editions {
            match self.served(found, before, packed).await? {
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

    async fn served(
        &self,
        found: &Published,
        before: Option<&Arc<Served>>,
        packed: Option<&Compiled>,
    ) -> Result<Result<Served, ServeError>, LoadError> {
        let before = before.filter(|before| before.edition == found.edition);
        let key = |lane| CampaignKey {
            tenant: found.tenant.clone(),
            campaign: found.campaign.clone(),
            edition: found.edition,
            lane,
        };
        // The newest's hash first: it says whose the campaign is, and whether its definition is at hand.
        let newest = self.newest_sha256(found, before).await?;
        if newest.is_some_and(|newest| self.foreign.lock().contains(&newest)) {
            return Ok(Err(ServeError::Foreign));
        }
        let (live_key, test_key) = (key(Lane::Live), key(Lane::Test));
        let (read, live_lane, test_lane) = try_join3(
            self.revisions(found, before, packed, newest),
            async { Ok(self.store.setup(&live_key).await?) },
            async { Ok(self.store.setup(&test_key).await?) },
        )
        .await?;
        let Revisions {
            definitions: revisions,
            hashes,
        } = match read {
            Ok(read) => read,
            Err(error) => return Ok(Err(error)),
        };
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
            let definition = definition.as_ref().clone();
            let linked = match hashes.get(&entry.revision) {
                Some(hash) => campaign::codec::link_as(definition, entry.revision, *hash),
                None => campaign::codec::link(definition, entry.revision),
            };
            match linked {
                Ok(linked) => live.push((*entry, Arc::new(linked))),
                Err(error) => return Ok(Err(ServeError::Link(entry.revision, error))),
            }
        }
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
            newest_sha256: newest.unwrap_or_default(),
            pause: found.stop().cloned(),
            notice: found.notice.clone(),
            lost: false,
            sources: (source(&live_lane.seed), source(&test_lane.seed)),
            seeds: (live_lane.seed, test_lane.seed),
            test_clock_offset: test_lane.clock_offset,
            metrics: CampaignMetrics::new(&found.tenant, &found.campaign),
        }))
    }

    /// The hash of a campaign's newest revision; none where the store does not have it.
    async fn newest_sha256(
        &self,
        found: &Published,
        before: Option<&Arc<Served>>,
    ) -> Result<Option<[u8; 32]>, LoadError> {
        let known = before.filter(|before| before.revisions.contains_key(&found.newest));
        if let Some(known) = known {
            return Ok(Some(known.newest_sha256));
        }
        let (tenant, campaign) = (&found.tenant, &found.campaign);
        let hash = self
            .store
            .sha256(tenant, campaign, found.edition, found.newest);
        Ok(hash.await?)
    }

    /// All of a campaign's revisions. What was read before is kept; the newest is taken from the bundle or the folder where
    /// that has it, which its hash says; the others are read from the store, all at once.
    async fn revisions(
        &self,
        found: &Published,
        before: Option<&Arc<Served>>,
        packed: Option<&Compiled>,
        newest: Option<[u8; 32]>,
    ) -> Result<Result<Revisions, ServeError>, LoadError> {
        let mut all = Revisions::default();
        if let Some(before) = before {
            let kept = before.revisions.range(..=found.newest);
            all.definitions = kept.map(|(at, kept)| (*at, kept.clone())).collect();
        }
        let packed = packed.filter(|packed| newest == Some(packed.sha256));
        // Where it can't be read, the store's own may be.
        let packed = packed.and_then(|packed| Some((packed.sha256, packed.definition().ok()?)));
        if let Some((sha256, definition)) = packed
            && !all.definitions.contains_key(&found.newest)
        {
            all.insert(found.newest, sha256, definition);
        }
        let is_missing = |number: &u32| !all.definitions.contains_key(number);
        let missing = (1..=found.newest).filter(is_missing);
        let reads = missing.map(|number| async move {
            let (tenant, campaign) = (&found.tenant, &found.campaign);
            let read = self.store.revision(tenant, campaign, found.edition, number);
            Ok::<_, LoadError>((number, read.await?))
        });
        for (number, stored) in try_join_all(reads).await?.into_iter().rev() {
            let Some(stored) = stored else { continue };
            let unreadable = |error| ServeError::Decode(number, error);
            if number == found.newest {
                match campaign::codec::activity(&stored.definition) {
                    Ok(activity) if !self.serves(&activity) => {
                        self.foreign.lock().insert(stored.sha256);
                        return Ok(Err(ServeError::Foreign));
                    }
                    Ok(_) => {}
                    Err(error) => return Ok(Err(unreadable(error))),
                }
            }
            match campaign::codec::decode(&stored.definition) {
                Ok(definition) => all.insert(number, stored.sha256, definition),
                Err(error) => return Ok(Err(unreadable(error))),
            }
        }
        Ok(Ok(all))
    }

    /// Whether this process serves an activity.
    fn serves(&self, activity: &str) -> bool {
        self.activities.iter().any(|known| known.id() == activity)
    }
}

/// A campaign's revisions.
#[derive(Default)]
struct Revisions {
    definitions: BTreeMap<u32, Arc<Definition>>,
    /// The hashes of those that were read now.
    hashes: BTreeMap<u32, [u8; 32]>,
}

impl Revisions {
    fn insert(&mut self, number: u32, sha256: [u8; 32], definition: Definition) {
        self.definitions.insert(number, Arc::new(definition));
        self.hashes.insert(number, sha256);
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
