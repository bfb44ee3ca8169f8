//! What is served, kept up to date: configs from disk become revisions in the store, and the store's live revisions
//! become the [`Snapshot`] that requests look at.
//!
//! With the embedded store a changed file is checked and becomes the next revision. A file with errors changes nothing:
//! what was live stays live, and `/readyz` counts the file. With a remote store the folder only seeds what has no revision
//! yet: other processes share what the store holds, and a file that differs from it is named and changes nothing. What such
//! a store has lost is never seeded again by a process that served it.

mod folder;
mod keys;
mod publish;
mod revise;
mod served;
mod shared;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use campaign::{Activity, Diagnostic, Diagnostics, Files, Loaded, LoadedTenant, codes};
use store::Store;
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::served::Snapshot;

pub use folder::{Stamp, read, stamp};
pub use keys::{KeyMaterialError, material};
pub use revise::{Checked, NotPublished, edition, publication, rollback};

/// What is served, and how it is loaded.
pub struct Registry {
    dir: PathBuf,
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
    /// Files that differ from the newest revision in a remote store, which they do not change. Nothing is wrong with that.
    pub differs: Vec<String>,
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
            differs: ArcSwap::default(),
            seen: parking_lot::Mutex::default(),
            loaded: Mutex::new(None),
            seeds: true,
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
        let before = self.snapshot();
        let publishes = self.seeds || !self.store.is_remote();
        for tenant in loaded.tenants.iter().filter(|_| publishes) {
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
        report.diagnostics = std::mem::take(&mut loaded.diagnostics);
        report.problems.extend(unsound(&report.diagnostics));
        if let Some(before) = held.take() {
            loaded.tenants.extend(unreadable(before, &loaded, &files));
        }
        let served = self.serve(held.insert(loaded)).await?;
        self.problems.store(Arc::new(Problems {
            folder: std::mem::take(&mut report.problems),
            served,
        }));
        report.problems = self.problems();
        report.differs = self.differs();
        *self.seen.lock() = Some(stamp);
        Ok(report)
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
    async fn serve_again(&self, loaded: &Loaded) -> Result<(), LoadError> {
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
    async fn serve(&self, loaded: &Loaded) -> Result<Vec<String>, LoadError> {
        let mut problems = Vec::new();
        let before = self.snapshot();
        let mut tenants = HashMap::new();
        let published = self.store.published().await?;
        for tenant in &loaded.tenants {
            let id = tenant.tenant.id.clone();
            let known = before.tenants.get(&id);
            match self
                .tenant_shell(tenant, known, &published, &mut problems)
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
        let snapshot = Snapshot { tenants };
        if self.store.is_remote() {
            self.differs
                .store(Arc::new(shared::differs(loaded, &snapshot)));
        }
        self.snapshot.store(Arc::new(snapshot));
        Ok(problems)
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
