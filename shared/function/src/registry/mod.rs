//! What is served, kept up to date: configs from disk become revisions in the store, and the store's live revisions
//! become the [`Snapshot`] that requests look at.
//!
//! With the embedded store a changed file is checked and becomes the next revision. A file with errors changes nothing:
//! what was live stays live, and `/readyz` names the file.

mod folder;
mod keys;
mod publish;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::http::HeaderValue;
use campaign::{Activity, Diagnostic, Diagnostics, Files, Loaded, LoadedTenant, codes};
use limit::{Limiter, MAX_KEYS, Quota, Shared};
use machine::ids::{CampaignKey, Lane};
use machine::luck::Source;
use machine::model::LinkError;
use machine::{Campaign, Definition};
use store::{Published, Store};
use tokio::sync::Mutex;

use crate::client::TrustedProxies;
use crate::clock::Clock;
use crate::cors::Origins;
use crate::identity::{Audience, Verifier};
use crate::served::{CampaignMetrics, Served, Snapshot, TenantShell};

pub use folder::{Stamp, read, stamp};
pub use keys::{KeyMaterialError, material};
pub use publish::NotPublished;

/// What is served, and how it is loaded.
pub struct Registry {
    dir: PathBuf,
    activities: Vec<&'static dyn Activity>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    snapshot: ArcSwap<Snapshot>,
    problems: ArcSwap<Vec<String>>,
    /// What the folder looked like when it was last loaded.
    seen: parking_lot::Mutex<Option<Stamp>>,
    /// What the last load found on disk; held while loading, so that two loads never interleave.
    loaded: Mutex<Option<Loaded>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

/// What a load did.
#[derive(Debug, Default)]
pub struct Report {
    /// Everything the check had to say.
    pub diagnostics: Diagnostics,
    /// Campaigns that became a new revision: tenant, campaign, revision.
    pub published: Vec<(String, String, u32)>,
    /// Campaigns that are not served, or served as they were, and why.
    pub problems: Vec<String>,
}

/// Why nothing could be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The folder can't be read.
    #[error("the configs folder {0} can't be read: give another with --configs DIR")]
    Folder(PathBuf, #[source] std::io::Error),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] store::Error),
}

impl Registry {
    /// A registry of the configs in `dir`; nothing is served until [`Self::load`].
    pub fn new(
        dir: &Path,
        activities: &[&'static dyn Activity],
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            dir: dir.to_owned(),
            activities: activities.to_vec(),
            store,
            clock,
            snapshot: ArcSwap::default(),
            problems: ArcSwap::default(),
            seen: parking_lot::Mutex::default(),
            loaded: Mutex::new(None),
        }
    }

    /// What is served now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// What is on disk and not served, in words.
    pub fn problems(&self) -> Vec<String> {
        self.problems.load().to_vec()
    }

    /// The folder that is served.
    pub fn folder(&self) -> &Path {
        &self.dir
    }

    /// Whether the folder still looks as it did when it was last loaded. A load that failed did not see it.
    pub fn has_seen(&self, stamp: &Stamp) -> bool {
        self.seen.lock().as_ref() == Some(stamp)
    }

    /// Reads the folder, publishes what has changed, and serves it.
    pub async fn load(&self) -> Result<Report, LoadError> {
        let mut held = self.loaded.lock().await;
        let dir = self.dir.clone();
        let (stamp, files) = tokio::task::spawn_blocking(move || {
            // Before the files are read: what changes meanwhile is seen by the next look.
            let stamp = stamp(&dir)?;
            Ok((stamp, read(&dir)?))
        })
        .await
        .map_err(|error| LoadError::Folder(self.dir.clone(), std::io::Error::other(error)))?
        .map_err(|error| LoadError::Folder(self.dir.clone(), error))?;
        let root = self.dir.display().to_string();
        let mut loaded = campaign::load(&root, &files, &self.activities);
        if self.activities.len() == 1 {
            // The function of one activity passes over the others' files.
            let mine = |found: &Diagnostic| found.code != codes::UNKNOWN_ACTIVITY;
            loaded.diagnostics = loaded.diagnostics.into_iter().filter(mine).collect();
        }
        let mut report = Report::default();
        for tenant in &loaded.tenants {
            publish::tenant(&*self.store, tenant, self.clock.now(), &mut report).await?;
        }
        report.diagnostics = std::mem::take(&mut loaded.diagnostics);
        report.problems.extend(unsound(&report.diagnostics));
        if let Some(before) = held.take() {
            loaded.tenants.extend(unreadable(before, &loaded, &files));
        }
        self.serve(held.insert(loaded), &mut report.problems)
            .await?;
        self.problems.store(Arc::new(report.problems.clone()));
        *self.seen.lock() = Some(stamp);
        Ok(report)
    }

    /// Serves what the store says is live now, with the tenants of the last load.
    pub async fn refresh(&self) -> Result<(), LoadError> {
        let held = self.loaded.lock().await;
        let Some(loaded) = &*held else { return Ok(()) };
        self.serve(loaded, &mut Vec::new()).await
    }

    /// What is served now, if that is newer than `seen`; else what the store says is live. Of many calls that find
    /// themselves behind, one asks the store and the others wait for it.
    pub async fn catch_up(&self, seen: &Arc<Snapshot>) -> Result<Arc<Snapshot>, LoadError> {
        let held = self.loaded.lock().await;
        let now = self.snapshot();
        if let (Some(loaded), true) = (&*held, Arc::ptr_eq(&now, seen)) {
            self.serve(loaded, &mut Vec::new()).await?;
        }
        Ok(self.snapshot())
    }

    async fn serve(&self, loaded: &Loaded, problems: &mut Vec<String>) -> Result<(), LoadError> {
        let before = self.snapshot();
        let mut tenants = HashMap::new();
        let published = self.store.published().await?;
        for tenant in &loaded.tenants {
            let id = tenant.tenant.id.clone();
            let known = before.tenants.get(&id);
            match self
                .tenant_shell(tenant, known, &published, problems)
                .await?
            {
                Some(shell) => {
                    tenants.insert(id, Arc::new(shell));
                }
                None => {
                    if let Some(known) = known {
                        tenants.insert(id, known.clone());
                    }
                }
            }
        }
        self.snapshot.store(Arc::new(Snapshot { tenants }));
        Ok(())
    }

    async fn tenant_shell(
        &self,
        loaded: &LoadedTenant,
        known: Option<&Arc<TenantShell>>,
        published: &[Published],
        problems: &mut Vec<String>,
    ) -> Result<Option<TenantShell>, LoadError> {
        let tenant = &loaded.tenant;
        let mut problem = |what: String| problems.push(format!("tenant `{}`: {what}", tenant.id));
        let mut verifier = |specs, audience: Audience, kept: Option<&Arc<Verifier>>| {
            keys::verifier(&self.dir, &tenant.id, specs, audience, kept).unwrap_or_else(|error| {
                problem(error.to_string());
                None
            })
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
        let Some(secret) = self.store.tenant_secret(&tenant.id).await? else {
            return Ok(None);
        };
        let mut campaigns = HashMap::new();
        for found in published.iter().filter(|found| *found.tenant == *tenant.id) {
            // Of several editions the newest is served.
            let newer = campaigns
                .get(&*found.campaign)
                .is_some_and(|served: &Arc<Served>| served.edition > found.edition);
            // A campaign whose file is gone is no longer served; its record stays in the store.
            if newer
                || !loaded
                    .campaigns
                    .iter()
                    .any(|file| *file.id == *found.campaign)
            {
                continue;
            }
            let before = known.and_then(|known| known.campaigns.get(&*found.campaign));
            match self.served(found, before).await? {
                Ok(served) => {
                    campaigns.insert(found.campaign.to_string(), Arc::new(served));
                }
                Err(error) => problem(format!("campaign `{}`: {error}", found.campaign)),
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
            lists: loaded
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

    async fn served(
        &self,
        found: &Published,
        before: Option<&Arc<Served>>,
    ) -> Result<Result<Served, ServeError>, LoadError> {
        let before = before.filter(|before| before.edition == found.edition);
        let mut revisions: BTreeMap<u32, Arc<Definition>> = BTreeMap::new();
        for number in 1..=found.newest {
            if let Some(kept) = before.and_then(|before| before.revisions.get(&number)) {
                revisions.insert(number, kept.clone());
                continue;
            }
            let stored = self
                .store
                .revision(&found.tenant, &found.campaign, found.edition, number)
                .await?;
            let Some(stored) = stored else { continue };
            match campaign::codec::decode(&stored.definition) {
                Ok(definition) => {
                    revisions.insert(number, Arc::new(definition));
                }
                Err(error) => return Ok(Err(ServeError::Decode(number, error))),
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
        let (live_lane, test_lane) = (
            self.store.lane(&key(Lane::Live)).await?,
            self.store.lane(&key(Lane::Test)).await?,
        );
        let (Some(live_lane), Some(test_lane)) = (live_lane, test_lane) else {
            return Ok(Err(ServeError::Missing(found.newest)));
        };
        let path = format!("{}/{}", found.tenant, found.campaign);
        let source = |seed| Source::new(seed, &path, found.edition);
        Ok(Ok(Served {
            tenant: found.tenant.clone(),
            campaign: found.campaign.clone(),
            edition: found.edition,
            live,
            revisions,
            pause: found.pause.clone(),
            sources: (source(&live_lane.seed), source(&test_lane.seed)),
            seeds: (live_lane.seed, test_lane.seed),
            test_clock_offset: test_lane.clock_offset,
            metrics: CampaignMetrics::new(&found.tenant, &found.campaign),
        }))
    }
}

/// The tenants whose `tenant.yaml` is there and can't be used any more: what was served of them stays served. One whose
/// file is gone is gone.
fn unreadable(before: Loaded, now: &Loaded, files: &Files) -> Vec<LoadedTenant> {
    let known = |id: &str| now.tenants.iter().any(|tenant| tenant.tenant.id == id);
    let there = |id: &str| files.contains_key(&format!("{id}/tenant.yaml"));
    before
        .tenants
        .into_iter()
        .filter(|old| !known(&old.tenant.id) && there(&old.tenant.id))
        .collect()
}

/// The files with errors, in words.
fn unsound(diagnostics: &Diagnostics) -> Vec<String> {
    let errors = diagnostics
        .iter()
        .filter(|found| found.severity == campaign::Severity::Error);
    let mut files: Vec<&str> = errors.map(|error| error.place.source.name()).collect();
    files.dedup();
    files
        .iter()
        .map(|file| format!("{file} has errors and is not loaded: `gala check` shows them"))
        .collect()
}

/// Why a published campaign can't be served by this program.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("revision {0} can't be read: {1}")]
    Decode(u32, campaign::codec::DecodeError),
    #[error("revision {0} can't be run: {1}")]
    Link(u32, LinkError),
    #[error("revision {0} is missing in the store")]
    Missing(u32),
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
