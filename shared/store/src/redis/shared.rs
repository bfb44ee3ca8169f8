//! What all parts of the Redis store share: the way to the server, the scripts, what is known of each lane.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use machine::ids::CampaignKey;
use parking_lot::RwLock;
use redis::{Cmd, Value};
use tokio::sync::watch;

use super::address::Address;
use super::group::Grouping;
use super::link::{LinkError, Links};
use super::lookout::Lookout;
use super::script::{Call, Script};

use crate::Error;

/// Shared.
#[derive(Debug)]
pub(super) struct Shared {
    pub links: Arc<Links>,
    pub address: Address,
    pub scripts: Scripts,
    pub grouping: Grouping,
    pub changes: watch::Sender<u64>,
    /// The counter of changes as it was last seen.
    pub seen_changes: AtomicI64,
    pub lookout: Lookout,
    lanes: RwLock<HashMap<CampaignKey, Known>>,
}

/// The scripts.
#[derive(Debug)]
pub(super) struct Scripts {
    pub commit: Script,
    pub change: Script,
    pub book: Script,
    pub create: Script,
    pub forget: Script,
    pub wipe: Script,
    pub renew: Script,
    pub touch: Script,
    pub scan: Script,
    pub mark: Script,
    pub park: Script,
    pub unpark: Script,
    pub draft: Script,
    pub measure: Script,
    pub list: Script,
    pub listed: Script,
    pub pool: Script,
}

/// What is known of a lane from the last look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// Its epoch: a store with another one has lost what this process was told.
    pub epoch: u64,
    /// Whether its newest revision asks for `strict`.
    pub strict: bool,
}

impl Default for Scripts {
    fn default() -> Self {
        Self {
            commit: Script::new(include_str!("scripts/commit.lua")),
            change: Script::new(include_str!("scripts/change.lua")),
            book: Script::new(include_str!("scripts/book.lua")),
            create: Script::new(include_str!("scripts/create.lua")),
            forget: Script::new(include_str!("scripts/forget.lua")),
            wipe: Script::new(include_str!("scripts/wipe.lua")),
            renew: Script::new(include_str!("scripts/renew.lua")),
            touch: Script::new(include_str!("scripts/touch.lua")),
            scan: Script::new(include_str!("scripts/scan.lua")),
            mark: Script::new(include_str!("scripts/mark.lua")),
            park: Script::new(include_str!("scripts/park.lua")),
            unpark: Script::new(include_str!("scripts/unpark.lua")),
            draft: Script::new(include_str!("scripts/draft.lua")),
            measure: Script::new(include_str!("scripts/measure.lua")),
            list: Script::new(include_str!("scripts/list.lua")),
            listed: Script::new(include_str!("scripts/listed.lua")),
            pool: Script::new(include_str!("scripts/pool.lua")),
        }
    }
}

impl Shared {
    pub fn new(links: Links, address: Address, grouping: Grouping, scripts: Scripts) -> Self {
        Self {
            links: Arc::new(links),
            address,
            scripts,
            grouping,
            changes: watch::channel(0).0,
            seen_changes: AtomicI64::new(super::watch::UNSEEN),
            lookout: Lookout::default(),
            lanes: RwLock::default(),
        }
    }

    /// Asks; where there is no answer, nothing is known.
    pub async fn ask(&self, command: &Cmd) -> Result<Value, Error> {
        let answer = self.links.send(command).await;
        answer.map_err(|error| not_read(&error))
    }

    /// Writes, or asks on the way to a write.
    pub async fn tell(&self, command: &Cmd) -> Result<Value, Error> {
        let answer = self.links.send(command).await;
        answer.map_err(|error| not_written(&error))
    }

    /// Runs a script that writes.
    pub async fn run(&self, call: &Call<'_>) -> Result<Value, Error> {
        let answer = call.run(&self.links).await;
        answer.map_err(|error| not_written(&error))
    }

    pub fn known(&self, key: &CampaignKey) -> Option<Known> {
        self.lanes.read().get(key).copied()
    }

    pub fn learn(&self, key: &CampaignKey, known: Known) {
        if self.known(key) != Some(known) {
            self.lanes.write().insert(key.clone(), known);
        }
    }
}

/// What a failed link lets a writer conclude.
pub(super) fn not_written(error: &LinkError) -> Error {
    match error {
        LinkError::Lost(_) => Error::Unknown(error.to_string()),
        LinkError::Away(_) | LinkError::Refused { .. } => Error::NotWritten(error.to_string()),
    }
}

/// What a failed link is to a reader.
pub(super) fn not_read(error: &LinkError) -> Error {
    Error::Read(error.to_string())
}

/// An answer that no script of ours gives.
pub(super) fn strange(answer: &Value) -> Error {
    Error::Unknown(format!("a script answered {answer:?}"))
}
