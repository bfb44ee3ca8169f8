//! What is served, kept up to date: configs from disk (a folder, or a bundle) become revisions in the store, and the store's
//! live revisions become the [`Snapshot`] that requests look at.
//!
//! With the embedded store a changed file is checked and becomes the next revision. A file with errors changes nothing:
//! what was live stays live, and `/readyz` counts the file. With a remote store the folder only seeds what has no revision
//! yet: other processes share what the store holds, and a file that differs from it is named and changes nothing. What such
//! a store has lost is never seeded again by a process that served it.

#[cfg(feature = "yaml")]
mod check;
mod choice;
#[cfg(feature = "yaml")]
mod draft;
#[cfg(feature = "yaml")]
mod folder;
mod found;
mod keys;
mod publish;
mod release;
mod revise;
mod served;
mod shared;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use campaign::bundle::BundleError;
use campaign::{Activity, Configs, TenantConfigs};
#[cfg(feature = "yaml")]
use campaign::{Diagnostics, Severity};
use futures_util::future::try_join_all;
use store::Store;
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::poster::Posters;
use crate::raffle::Known;
use crate::served::Snapshot;

#[cfg(feature = "yaml")]
pub use check::{Checked, Sent, first_red};
pub use choice::ConfigsChoice;
#[cfg(feature = "yaml")]
pub use draft::{DraftRefused, draft_publication, newest, red};
#[cfg(feature = "yaml")]
pub use folder::read;
pub use found::{EarlyLook, Stamp};
#[cfg(feature = "yaml")]
pub(crate) use keys::alg;
pub(crate) use keys::connector_secret;
pub use keys::{KeyMaterialError, material};
pub use release::{Shift, release, shift};
pub use revise::{Judged, NotPublished, Terms, edition, judge, publication, rollback};

/// What is served, and how it is loaded.
pub struct Registry {
    choice: ConfigsChoice,
    /// The only tenants that are served; none: all.
    only: Option<BTreeSet<String>>,
    activities: Vec<&'static dyn Activity>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    snapshot: ArcSwap<Snapshot>,
    problems: ArcSwap<Problems>,
    /// Files that differ from what a remote store holds, in words.
    differs: ArcSwap<Vec<String>>,
    /// What the folder looked like when it was last loaded.
    seen: parking_lot::Mutex<Option<Stamp>>,
    /// Whether it publishes what a remote store has no revision of.
    seeds: bool,
    /// A look at the configs that the first load takes.
    early: parking_lot::Mutex<Option<EarlyLook>>,
    /// The hashes of definitions that are other functions' business: named once, they are not read again. Grows with what is
    /// published beside this function, by a few bytes each.
    foreign: parking_lot::Mutex<HashSet<[u8; 32]>>,
    /// The draws from entries that this process knows of.
    raffles: Known,
    /// What posters are made with.
    posters: Posters,
    /// What the last load found on disk; held while loading, so that two loads never interleave.
    loaded: Mutex<Option<Configs>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry")
            .field("choice", &self.choice)
            .finish_non_exhaustive()
    }
}

/// What a load did.
#[derive(Debug, Default)]
pub struct Report {
    /// Everything the check had to say.
    #[cfg(feature = "yaml")]
    pub diagnostics: Diagnostics,
    /// Campaigns that became a new revision: tenant, campaign, revision.
    pub published: Vec<(String, String, u32)>,
    /// Campaigns that are not served, or served as they were, and why.
    pub problems: Vec<String>,
    /// Where the configs and a remote store differ, which they do not change. Nothing is wrong with that.
    pub differs: Vec<String>,
    /// Tenants that this process is limited to and that the configs do not have.
    pub unknown_tenants: Vec<String>,
    /// How long the configs took to read.
    pub configs_took: Duration,
    /// How long the store took to say what is live, and that to be made ready.
    pub live_took: Duration,
}

/// What keeps campaigns from being served as they should be, in words.
#[derive(Debug, Default)]
struct Problems {
    /// With what stands in the folder, as the last load found it.
    folder: Vec<String>,
    /// With keys and with what the store holds, as the last look found it.
    served: Vec<String>,
}

/// Why nothing could be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The folder can't be read.
    #[error("the configs folder {0} can't be read: give another with --configs DIR")]
    Folder(PathBuf, #[source] std::io::Error),
    /// The bundle can't be read.
    #[error("the bundle {0} can't be read: is GALA_BUNDLE right?")]
    BundleFile(PathBuf, #[source] std::io::Error),
    /// What was read is no bundle for this program.
    #[error("the bundle {0} can't be used")]
    Bundle(PathBuf, #[source] BundleError),
    /// This program was built without the parser.
    #[error(
        "this program was built without the YAML parser (feature `yaml`) and can't read the configs folder {0}: compile it \
         (`gala compile {0} --out gala.bundle`), and name the bundle in GALA_BUNDLE or lay it beside the program"
    )]
    NoParser(PathBuf),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] store::Error),
}

impl Registry {
    /// A registry of the configs in the folder `dir`; nothing is served until [`Self::load`].
    pub fn new(
        dir: &Path,
        activities: &[&'static dyn Activity],
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let choice = ConfigsChoice::Folder(dir.to_owned());
        Self::of(choice, activities, store, clock)
    }

    /// A registry of configs from anywhere; nothing is served until [`Self::load`].
    pub fn of(
        choice: ConfigsChoice,
        activities: &[&'static dyn Activity],
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            choice,
            only: None,
            activities: activities.to_vec(),
            store,
            clock,
            snapshot: ArcSwap::default(),
            problems: ArcSwap::default(),
            differs: ArcSwap::default(),
            seen: parking_lot::Mutex::default(),
            early: parking_lot::Mutex::default(),
            foreign: parking_lot::Mutex::default(),
            raffles: Known::default(),
            posters: Posters::default(),
            loaded: Mutex::new(None),
            seeds: true,
        }
    }

    /// The same, serving these tenants only; none: all.
    #[must_use]
    pub fn limited_to(self, only: Option<BTreeSet<String>>) -> Self {
        Self { only, ..self }
    }

    /// The same, of which the first load takes what an early look found.
    #[must_use]
    pub fn looked_at(self, early: EarlyLook) -> Self {
        Self {
            early: parking_lot::Mutex::new(Some(early)),
            ..self
        }
    }

    /// The same, publishing nothing into a remote store.
    #[must_use]
    pub fn without_seeding(self) -> Self {
        Self {
            seeds: false,
            ..self
        }
    }

    /// The draws from entries that this process knows of.
    pub fn raffles(&self) -> &Known {
        &self.raffles
    }

    /// What this process makes posters with.
    pub fn drawing(&self) -> &Posters {
        &self.posters
    }

    /// The same, making posters with these.
    #[must_use]
    pub fn drawing_with(self, posters: Posters) -> Self {
        Self { posters, ..self }
    }

    /// What is served now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// What is not served, or served as it was, and why, in words.
    pub fn problems(&self) -> Vec<String> {
        let problems = self.problems.load();
        let all = problems.folder.iter().chain(&problems.served);
        all.cloned().collect()
    }

    /// The files that differ from the newest revision in a remote store, in words.
    pub fn differs(&self) -> Vec<String> {
        self.differs.load().to_vec()
    }

    /// The campaigns whose declared durability the store does not give now, and why, in words.
    pub fn under_durable(&self) -> Vec<String> {
        let snapshot = self.snapshot();
        let campaigns = snapshot
            .tenants
            .values()
            .flat_map(|tenant| &tenant.campaigns);
        let short = campaigns.filter_map(|(_, served)| {
            let why = self.store.falls_short(served.durability())?;
            Some(format!("{}/{}: {why}", served.tenant, served.campaign))
        });
        let mut short: Vec<String> = short.collect();
        short.sort();
        short
    }

    /// What the configs look like on disk now, without reading them; none if they can't be looked at.
    pub async fn stamp(&self) -> Option<Stamp> {
        if self.choice.is_one_file() {
            return found::stamp(&self.choice).ok();
        }
        let choice = self.choice.clone();
        let look = tokio::task::spawn_blocking(move || found::stamp(&choice).ok());
        look.await.ok().flatten()
    }

    /// Whether the configs still look as they did when they were last loaded. A load that failed did not see them.
    pub fn has_seen(&self, stamp: &Stamp) -> bool {
        self.seen.lock().as_ref() == Some(stamp)
    }

    /// Has whoever watches the configs read them again, though no file has changed: a file may say what is live by now.
    pub fn look_again(&self) {
        *self.seen.lock() = None;
    }

    /// Reads the configs, publishes what has changed, and serves them.
    pub async fn load(&self) -> Result<Report, LoadError> {
        let mut held = self.loaded.lock().await;
        let early = self.early.lock().take();
        let look = match early {
            Some(early) => early.0.await.ok(),
            None => None,
        };
        let look = match look {
            Some(look) => look,
            None => found::look(self.choice.clone(), self.activities.clone()).await,
        };
        let mut found = look.found?;
        self.foreign.lock().extend(found.foreign.drain(..));
        let mut report = Report {
            configs_took: look.took,
            unknown_tenants: self.limit(&mut found),
            ..Report::default()
        };
        let before = self.snapshot();
        let publishes = self.seeds || !self.store.is_remote();
        for tenant in found.configs.tenants.iter().filter(|_| publishes) {
            let known = before.tenants.get(&tenant.tenant.id);
            publish::tenant(
                &*self.store,
                tenant,
                known.map(|known| &**known),
                self.clock.now(),
                &mut report,
            )
            .await?;
        }
        #[cfg(feature = "yaml")]
        {
            report.problems.extend(unsound(&found.diagnostics));
            report.diagnostics = found.diagnostics;
        }
        let mut configs = found.configs;
        if let Some(before) = held.take() {
            let kept = unreadable(before, &configs, &found.there);
            configs.tenants.extend(kept);
        }
        let started = Instant::now();
        let served = self.serve(held.insert(configs)).await?;
        report.live_took = started.elapsed();
        self.problems.store(Arc::new(Problems {
            folder: std::mem::take(&mut report.problems),
            served,
        }));
        report.problems = self.problems();
        report.differs = self.differs();
        *self.seen.lock() = look.stamp;
        Ok(report)
    }

    /// Leaves the tenants that this process is limited to; those that are not there.
    fn limit(&self, found: &mut found::Found) -> Vec<String> {
        let Some(only) = &self.only else {
            return Vec::new();
        };
        let wanted = |tenant: &TenantConfigs| only.contains(&tenant.tenant.id);
        found.configs.tenants.retain(wanted);
        only.difference(&found.there).cloned().collect()
    }

    /// Serves what the store says is live now, with the tenants of the last load.
    pub async fn refresh(&self) -> Result<(), LoadError> {
        let held = self.loaded.lock().await;
        match &*held {
            Some(loaded) => self.serve_again(loaded).await,
            None => Ok(()),
        }
    }

    /// What is served now, if that is newer than `seen`; else what the store says is live. Of many calls that find
    /// themselves behind, one asks the store and the others wait for it.
    pub async fn catch_up(&self, seen: &Arc<Snapshot>) -> Result<Arc<Snapshot>, LoadError> {
        let held = self.loaded.lock().await;
        let now = self.snapshot();
        if let (Some(loaded), true) = (&*held, Arc::ptr_eq(&now, seen)) {
            self.serve_again(loaded).await?;
        }
        Ok(self.snapshot())
    }

    /// Serves what the store says now, and says what is newly wrong with it.
    async fn serve_again(&self, loaded: &Configs) -> Result<(), LoadError> {
        let served = self.serve(loaded).await?;
        let before = self.problems.load_full();
        for problem in served.iter().filter(|new| !before.served.contains(new)) {
            tracing::error!("{problem}");
        }
        let folder = before.folder.clone();
        self.problems.store(Arc::new(Problems { folder, served }));
        Ok(())
    }

    /// Serves what the store says now; what is wrong with it.
    async fn serve(&self, loaded: &Configs) -> Result<Vec<String>, LoadError> {
        let mut problems = Vec::new();
        let before = self.snapshot();
        let mut tenants = HashMap::new();
        let published = self.store.published().await?;
        // All at once: where the store is far, a start takes a few round trips and not a few for each tenant.
        let looks = loaded.tenants.iter().map(|tenant| {
            let known = before.tenants.get(&tenant.tenant.id);
            self.tenant_shell(tenant, known, &published)
        });
        let looks = try_join_all(looks).await?;
        for (tenant, (shell, found)) in loaded.tenants.iter().zip(looks) {
            let id = &tenant.tenant.id;
            problems.extend(found);
            let shell = shell.map(Arc::new);
            if let Some(shell) = shell.or_else(|| before.tenants.get(id).cloned()) {
                tenants.insert(id.clone(), shell);
            }
        }
        let snapshot = Snapshot { tenants };
        if release_ended(&before, &snapshot) {
            // A file that waited for it is looked at again.
            *self.seen.lock() = None;
        }
        if self.store.is_remote() {
            let differs = shared::differs(loaded, &snapshot, &self.choice, self.seeds);
            self.differs.store(Arc::new(differs));
        }
        self.snapshot.store(Arc::new(snapshot));
        Ok(problems)
    }
}

/// Whether a campaign had two live revisions and has one.
fn release_ended(before: &Snapshot, now: &Snapshot) -> bool {
    let all = before.tenants.iter();
    let mut shared = all.flat_map(|(id, tenant)| {
        let campaigns = tenant.campaigns.iter();
        let shared = campaigns.filter(|(_, served)| served.live.len() > 1);
        shared.map(move |(campaign, _)| (id, campaign))
    });
    shared.any(|(tenant, campaign)| {
        let now = now.tenants.get(tenant);
        now.and_then(|now| now.campaigns.get(campaign))
            .is_some_and(|served| served.live.len() == 1)
    })
}

/// The tenants whose settings are there and can't be used any more: what was served of them stays served. One that is gone
/// is gone.
fn unreadable(before: Configs, now: &Configs, there: &BTreeSet<String>) -> Vec<TenantConfigs> {
    let known = |id: &str| now.tenants.iter().any(|tenant| tenant.tenant.id == id);
    before
        .tenants
        .into_iter()
        .filter(|old| !known(&old.tenant.id) && there.contains(&old.tenant.id))
        .collect()
}

/// The files with errors, in words.
#[cfg(feature = "yaml")]
fn unsound(diagnostics: &Diagnostics) -> Vec<String> {
    let errors = diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error);
    let mut files: Vec<&str> = errors.map(|error| error.place.source.name()).collect();
    files.dedup();
    files
        .iter()
        .map(|file| format!("{file} has errors and is not loaded: `gala check` shows them"))
        .collect()
}
