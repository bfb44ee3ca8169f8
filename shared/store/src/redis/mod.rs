//! The Redis store: many processes, one truth. What a commit means is one Lua script that checks all and then moves all
//! (`scripts/commit.lua`); everything it touches lies in one slot ([`keys`]), so that it runs unchanged on a cluster.
//!
//! No rule and no wording is known here, and nothing of HTTP. Connections are [`link`]'s.

pub mod address;
pub mod link;

mod admin;
mod batch;
mod group;
mod head;
pub mod keys;
mod note;
mod read;
mod record;
mod script;
pub mod server;
mod shared;
mod watch;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use machine::Millis;
use machine::ids::{CampaignKey, Pseudonym};
use machine::luck::Seed;
use machine::model::Durability;
use machine::world::{Admin, AdminOutcome, AuditEntry, Commit, Outcome, Recalled, Revision};
use parking_lot::RwLock;
use redis::Value;

use crate::{Asked, Copied, Error, Health, Lane, Later, LedgerRow, Published, Store};
use address::Address;
use batch::Ready;
use group::Group;
use keys::{OfCampaign, OfLane, OfTenant};
use link::Links;
use shared::{Shared, not_read};

/// Why a Redis can't be used as a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It can't be reached, or does not answer.
    #[error("the store at {address} can't be used")]
    Link {
        /// Where, without its password.
        address: String,
        /// Why.
        source: link::LinkError,
    },
}

/// A store in Redis. Cheap to share; dropping it cancels nothing that was handed over.
#[derive(Debug)]
pub struct Redis {
    shared: Arc<Shared>,
    groups: RwLock<HashMap<CampaignKey, Arc<Group>>>,
}

/// Connects to a Redis.
pub async fn open(address: &Address) -> Result<Redis, OpenError> {
    let links = Links::open(address)
        .await
        .map_err(|source| OpenError::Link {
            address: address.to_string(),
            source,
        })?;
    let shared = Arc::new(Shared::new(links, address.clone()));
    tokio::spawn(watch::run(Arc::downgrade(&shared)));
    Ok(Redis {
        shared,
        groups: RwLock::default(),
    })
}

impl Redis {
    /// The commits of one lane.
    fn group(&self, key: &CampaignKey) -> Arc<Group> {
        if let Some(known) = self.groups.read().get(key) {
            return known.clone();
        }
        self.groups
            .write()
            .entry(key.clone())
            .or_insert_with(|| Group::new(self.shared.clone(), key.clone()))
            .clone()
    }
}

impl Store for Redis {
    fn commit(&self, commit: Box<Commit>) -> Later<'_, Outcome> {
        // Handed over here and not when the future is first polled: nothing is undone by dropping it.
        let group = self.group(&commit.campaign);
        let said = Ready::new(group.keys(), &commit, None).and_then(|ready| group.hand_over(ready));
        Box::pin(async move {
            said?
                .await
                .unwrap_or_else(|_| Err(Error::Unknown("the call ended without a word".to_owned())))
        })
    }

    fn recall<'a>(
        &'a self,
        key: &'a CampaignKey,
        user: Pseudonym,
        asked: Option<Asked<'a>>,
    ) -> Later<'a, Recalled> {
        let group = self.group(key);
        Box::pin(async move { read::recall(&self.shared, group.keys(), key, user, asked).await })
    }

    fn admin(&self, change: Box<Admin>) -> Later<'_, AdminOutcome> {
        let shared = self.shared.clone();
        // In a task of its own: whoever asked may go away, and leaves no change without its place in the audit.
        let made = tokio::spawn(async move { admin::admin(&shared, &change).await });
        Box::pin(async move {
            made.await
                .unwrap_or_else(|error| Err(Error::Unknown(error.to_string())))
        })
    }

    fn tenant_secret<'a>(&'a self, tenant: &'a str) -> Later<'a, Option<Seed>> {
        Box::pin(async move {
            let command = redis::cmd("GET").arg(OfTenant(tenant).secret()).to_owned();
            match self
                .shared
                .links
                .send(&command)
                .await
                .map_err(|error| not_read(&error))?
            {
                Value::BulkString(bytes) => <[u8; 32]>::try_from(bytes)
                    .map(|secret| Some(Seed(secret)))
                    .map_err(|_| Error::Read("a tenant's secret has not 32 bytes".to_owned())),
                _ => Ok(None),
            }
        })
    }

    fn published(&self) -> Later<'_, Vec<Published>> {
        Box::pin(read::published(&self.shared))
    }

    fn revision<'a>(
        &'a self,
        tenant: &'a str,
        campaign: &'a str,
        edition: u32,
        revision: u32,
    ) -> Later<'a, Option<Revision>> {
        let keys = OfCampaign::new(tenant, campaign, edition);
        Box::pin(async move { admin::revision(&self.shared, &keys, revision).await })
    }

    fn lane<'a>(&'a self, key: &'a CampaignKey) -> Later<'a, Option<Lane>> {
        Box::pin(read::lane(&self.shared, key))
    }

    fn ledger<'a>(
        &'a self,
        key: &'a CampaignKey,
        from: u64,
        most: usize,
    ) -> Later<'a, Vec<LedgerRow>> {
        Box::pin(read::ledger(&self.shared, key, from, most))
    }

    fn history<'a>(
        &'a self,
        tenant: &'a str,
        user: Pseudonym,
        most: usize,
    ) -> Later<'a, Vec<LedgerRow>> {
        Box::pin(read::history(&self.shared, tenant, user, most))
    }

    fn due<'a>(
        &'a self,
        key: &'a CampaignKey,
        now: Millis,
        most: usize,
    ) -> Later<'a, Vec<Pseudonym>> {
        Box::pin(async move { read::due(&self.shared, &OfLane::new(key), now, most).await })
    }

    fn audit<'a>(&'a self, tenant: &'a str, from: u64) -> Later<'a, Vec<AuditEntry>> {
        Box::pin(note::audit(&self.shared, tenant, from))
    }

    fn backup(&self, _dest: PathBuf) -> Later<'_, Copied> {
        Box::pin(std::future::ready(Err(Error::Read(
            "a Redis is backed up by its own means (BGSAVE, a copy of the AOF): docs/OPERATIONS.md says how"
                .to_owned(),
        ))))
    }

    fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    fn health(&self) -> Health {
        Health {
            durability: Durability::Strict,
            failure: None,
        }
    }

    fn is_remote(&self) -> bool {
        true
    }
}
