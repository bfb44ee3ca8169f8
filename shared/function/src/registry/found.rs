//! One look at the configs, wherever they are.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use campaign::{Activity, Configs, bundle};
#[cfg(feature = "yaml")]
use campaign::{Diagnostic, Diagnostics, Loaded, codes};
use tokio::task::JoinHandle;

#[cfg(feature = "yaml")]
use super::folder;
use super::{ConfigsChoice, LoadError};

/// What tells two states of the configs apart: each file's path, size and time of change.
pub type Stamp = BTreeMap<String, (u64, Option<SystemTime>)>;

/// What a look found.
#[derive(Debug)]
pub(super) struct Found {
    /// What can be served.
    pub configs: Configs,
    /// All there is to say about the files.
    #[cfg(feature = "yaml")]
    pub diagnostics: Diagnostics,
    /// The hashes of campaigns that other functions serve.
    pub foreign: Vec<[u8; 32]>,
    /// The tenants that are there, whether their settings can be used or not.
    pub there: BTreeSet<String>,
}

/// A look, and when it was made.
#[derive(Debug)]
pub(super) struct Look {
    /// What the configs looked like just before: what changes meanwhile is seen by the next look.
    pub stamp: Option<Stamp>,
    /// What was found.
    pub found: Result<Found, LoadError>,
    /// How long it took.
    pub took: Duration,
}

/// A look that is under way while something else is waited for.
#[derive(Debug)]
pub struct EarlyLook(pub(super) JoinHandle<Look>);

impl EarlyLook {
    /// Begins to look; within a runtime.
    pub fn begin(choice: &ConfigsChoice, activities: &[&'static dyn Activity]) -> Self {
        Self(tokio::spawn(look(choice.clone(), activities.to_vec())))
    }
}

/// Looks at the configs.
pub(super) async fn look(choice: ConfigsChoice, activities: Vec<&'static dyn Activity>) -> Look {
    let begun = Instant::now();
    let path = PathBuf::from(choice.to_string());
    let is_one_file = choice.is_one_file();
    let both = move || (stamp(&choice).ok(), find(&choice, &activities));
    let (stamp, found) = if is_one_file {
        both()
    } else {
        let looked = tokio::task::spawn_blocking(both).await;
        looked.unwrap_or_else(|error| {
            let error = LoadError::Folder(path, io::Error::other(error));
            (None, Err(error))
        })
    };
    Look {
        stamp,
        found,
        took: begun.elapsed(),
    }
}

/// Stamps the configs without reading them.
pub(super) fn stamp(choice: &ConfigsChoice) -> io::Result<Stamp> {
    match choice {
        #[cfg(feature = "yaml")]
        ConfigsChoice::Folder(dir) => folder::stamp(dir),
        #[cfg(not(feature = "yaml"))]
        ConfigsChoice::Folder(_) => Ok(Stamp::new()),
        ConfigsChoice::Bundle { file, .. } => {
            let meta = std::fs::metadata(file)?;
            Ok([(bundle::FILE.to_owned(), (meta.len(), meta.modified().ok()))].into())
        }
    }
}

/// Reads the configs.
fn find(choice: &ConfigsChoice, activities: &[&'static dyn Activity]) -> Result<Found, LoadError> {
    match choice {
        #[cfg(feature = "yaml")]
        ConfigsChoice::Folder(dir) => {
            let files = folder::read(dir).map_err(|error| LoadError::Folder(dir.clone(), error))?;
            let root = dir.display().to_string();
            let of = |path: &String| path.strip_suffix("/tenant.yaml").map(str::to_owned);
            let there = files.keys().filter_map(of).collect();
            let mut loaded = campaign::load(&root, &files, &activities.to_vec());
            crate::posters::check(&mut loaded, &root, crate::posters::Care::Usual);
            Ok(of_folder(loaded, there, activities.len() == 1))
        }
        #[cfg(not(feature = "yaml"))]
        ConfigsChoice::Folder(dir) => Err(LoadError::NoParser(dir.clone())),
        ConfigsChoice::Bundle { file, .. } => of_bundle(file, activities),
    }
}

#[cfg(feature = "yaml")]
fn of_folder(loaded: Loaded, there: BTreeSet<String>, is_of_one: bool) -> Found {
    // The function of one activity passes over the others' files.
    let mine = |found: &Diagnostic| !is_of_one || found.code != codes::UNKNOWN_ACTIVITY;
    Found {
        configs: Configs {
            tenants: loaded.tenants.into_iter().map(Into::into).collect(),
        },
        diagnostics: loaded.diagnostics.into_iter().filter(mine).collect(),
        foreign: Vec::new(),
        there,
    }
}

fn of_bundle(file: &Path, activities: &[&'static dyn Activity]) -> Result<Found, LoadError> {
    let bytes =
        std::fs::read(file).map_err(|error| LoadError::BundleFile(file.to_owned(), error))?;
    let read = bundle::read(&bytes).map_err(|error| LoadError::Bundle(file.to_owned(), error))?;
    let mut configs = read.configs;
    let mut foreign = Vec::new();
    let mine = |id: &str| activities.iter().any(|activity| activity.id() == id);
    for tenant in &mut configs.tenants {
        // As with a folder: what another function serves is named, and not looked into.
        for campaign in &mut tenant.campaigns {
            let theirs = campaign.compiled.take_if(|found| !mine(&found.activity));
            foreign.extend(theirs.map(|theirs| theirs.sha256));
        }
        // A bundle for other activities than this program's names some that are its own.
        let others = (tenant.others.iter()).filter(|other| !mine(&other.activity));
        foreign.extend(others.map(|other| other.sha256));
    }
    let there = configs.tenants.iter().map(|found| found.tenant.id.clone());
    Ok(Found {
        foreign,
        there: there.collect(),
        #[cfg(feature = "yaml")]
        diagnostics: Diagnostics::new(),
        configs,
    })
}
