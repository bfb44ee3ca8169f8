//! The Redis store: many processes, one truth. What a commit means is one Lua script that checks all and then moves all
//! (`scripts/commit.lua`); everything it touches lies in one slot ([`keys`]), so that it runs unchanged on a cluster.
//!
//! No rule and no wording is known here, and nothing of HTTP. Connections are [`link`]'s.

pub mod address;
pub mod lease;
pub mod link;
pub mod rate;

mod admin;
mod batch;
mod codes;
mod draft;
mod form;
mod group;
mod head;
pub mod keys;
mod lists;
mod lookout;
mod marks;
mod measure;
#[cfg(test)]
mod mutants;
mod note;
mod parked;
mod purge;
mod read;
mod record;
mod revise;
mod rows;
mod script;
pub mod server;
mod shared;
mod stock;
mod walk;
mod watch;

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{try_join_all, try_join3};
use machine::ids::{CampaignKey, Pseudonym};
use machine::luck::Seed;
use machine::model::Durability;
use machine::world::{
    Admin, AdminOutcome, AuditEntry, Block, Commit, Draft, Outcome, Owner, Parked, Parking,
    Recalled, Revision, Unit,
};
use machine::{Day, Millis};
use parking_lot::RwLock;
use redis::Value;

use crate::{
    Asked, Copied, Error, Health, Lane, Later, Lease, LedgerRow, Page, Published, Setup, Store,
    TokenSource,
};
use address::Address;
use batch::Ready;
use group::Group;
pub use group::Grouping;
use keys::{OfCampaign, OfTenant};
use link::{LinkError, Links};
use shared::{Scripts, Shared};

/// Why a Redis can't be used as a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It can't be reached, or does not answer.
    #[error("the store at {address} can't be used")]
    Link {
        /// Where, without its password.
        address: String,
        /// Why.
        source: LinkError,
    },
    /// Its settings would lose what was promised.
    #[error("the store at {address} is refused: {why}")]
    Refused {
        /// Where, without its password.
        address: String,
        /// Why, and the way out.
        why: String,
    },
}

/// A store in Redis. Cheap to share; dropping it cancels nothing that was handed over.
#[derive(Debug)]
pub struct Redis {
    shared: Arc<Shared>,
    id: String,
    groups: RwLock<HashMap<CampaignKey, Arc<Group>>>,
}

/// Connects to a Redis, looks at its settings, and refuses those that would silently lose what was promised.
pub async fn open(address: &Address) -> Result<Redis, OpenError> {
    open_with(address, Grouping::default()).await
}

/// As [`open`], with commits grouped in another way: for measurements.
pub async fn open_with(address: &Address, grouping: Grouping) -> Result<Redis, OpenError> {
    open_scripted(address, grouping, Scripts::default()).await
}

async fn open_scripted(
    address: &Address,
    grouping: Grouping,
    scripts: Scripts,
) -> Result<Redis, OpenError> {
    let failed = |source| OpenError::Link {
        address: address.to_string(),
        source,
    };
    let links = Links::open(address).await.map_err(failed)?;
    let shared = Arc::new(Shared::new(links, address.clone(), grouping, scripts));
    // All at once, since each round trip is waited for. What is published is read after this: a change from here on is news.
    let looks = try_join3(
        lookout::look_now(&shared),
        known_id(&shared),
        watch::begin(&shared),
    );
    let (seen, id, ()) = looks.await.map_err(failed)?;
    if let Some(why) = seen.server.refusal(address) {
        return Err(OpenError::Refused {
            address: address.to_string(),
            why,
        });
    }
    let id = match id {
        Some(id) => id,
        None => new_id(&shared).await.map_err(failed)?,
    };
    tokio::spawn(watch::run(Arc::downgrade(&shared)));
    tokio::spawn(lookout::run(Arc::downgrade(&shared)));
    Ok(Redis {
        shared,
        id,
        groups: RwLock::default(),
    })
}

/// The store's id; none where nothing of ours was ever written to it, or all of it is lost.
async fn known_id(shared: &Shared) -> Result<Option<String>, LinkError> {
    let read = redis::cmd("GET").arg(keys::store()).to_owned();
    match shared.links.send(&read).await? {
        Value::Nil => Ok(None),
        Value::BulkString(id) => String::from_utf8(id)
            .map(Some)
            .map_err(|_| LinkError::Lost("the store's id is no text".to_owned())),
        other => Err(LinkError::Lost(format!("the store's id is {other:?}"))),
    }
}

/// Gives a store an id; the one that another process has given it meanwhile, if so.
async fn new_id(shared: &Shared) -> Result<String, LinkError> {
    let new = note::random_id().map_err(|error| LinkError::Away(error.to_string()))?;
    let make = redis::cmd("SET")
        .arg(keys::store())
        .arg(new)
        .arg("NX")
        .to_owned();
    shared.links.send(&make).await?;
    let made = known_id(shared).await?;
    made.ok_or_else(|| LinkError::Lost("the store's id is gone".to_owned()))
}

impl Redis {
    /// What this store is known by: another id at the same address is another store, or one that lost all it held.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Makes ready what the first call would otherwise wait for: the scripts that users' calls and the sweep run are loaded on
    /// every primary, over the shared connections in turn, so that these are there too; where commits wait for replicas, so
    /// is a connection for that. What fails here is made up for later: a call of a script that the server does not know
    /// sends its text, as staff's changes do.
    pub async fn warm(&self) -> Result<(), LinkError> {
        let links = &*self.shared.links;
        let own = &self.shared.scripts;
        let [take, renew, release] = lease::scripts();
        let scripts = [
            &own.commit,
            &own.touch,
            &own.mark,
            rate::script(),
            take,
            renew,
            release,
        ];
        try_join_all(scripts.map(|script| script.load(links))).await?;
        if self.shared.address.replicas > 0 {
            let key = keys::store();
            let ask = redis::cmd("GET").arg(&key).to_owned();
            links
                .send_and_wait(key.as_bytes(), &ask, 0, Duration::from_millis(1))
                .await?;
        }
        Ok(())
    }

    fn hand_over(
        &self,
        commit: &Commit,
        under: Option<(Arc<str>, String)>,
    ) -> Later<'static, Outcome> {
        // Handed over here and not when the future is first polled: nothing is undone by dropping it.
        let group = self.group(&commit.campaign);
        let said = Ready::new(group.keys(), commit, under).and_then(|ready| group.hand_over(ready));
        Box::pin(async move {
            said?
                .await
                .unwrap_or_else(|_| Err(Error::Unknown("the call ended without a word".to_owned())))
        })
    }

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
        self.hand_over(&commit, None)
    }

    fn commit_under<'a>(&'a self, commit: Box<Commit>, lease: &'a Lease) -> Later<'a, Outcome> {
        if let Err(no) = lease.covers(&commit.campaign) {
            return Box::pin(async { Err(no) });
        }
        self.hand_over(&commit, Some((lease.job().clone(), lease.value())))
    }

    fn lease<'a>(
        &'a self,
        key: &'a CampaignKey,
        job: &'a str,
        term: Duration,
    ) -> Later<'a, Option<Lease>> {
        Box::pin(lease::take(&self.shared.links, key, job, term))
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
            match self.shared.ask(&command).await? {
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

    fn sha256<'a>(
        &'a self,
        tenant: &'a str,
        campaign: &'a str,
        edition: u32,
        revision: u32,
    ) -> Later<'a, Option<[u8; 32]>> {
        let keys = OfCampaign::new(tenant, campaign, edition);
        Box::pin(async move { admin::sha256(&self.shared, &keys, revision).await })
    }

    fn lane<'a>(&'a self, key: &'a CampaignKey) -> Later<'a, Option<Lane>> {
        Box::pin(read::lane(&self.shared, key))
    }

    fn setup<'a>(&'a self, key: &'a CampaignKey) -> Later<'a, Option<Setup>> {
        Box::pin(read::setup(&self.shared, key))
    }

    fn ledger<'a>(
        &'a self,
        key: &'a CampaignKey,
        from: u64,
        most: usize,
    ) -> Later<'a, Vec<LedgerRow>> {
        Box::pin(rows::ledger(&self.shared, key, from, most))
    }

    fn history<'a>(
        &'a self,
        tenant: &'a str,
        user: Pseudonym,
        most: usize,
    ) -> Later<'a, Vec<LedgerRow>> {
        Box::pin(rows::history(&self.shared, tenant, user, most))
    }

    fn participants<'a>(
        &'a self,
        key: &'a CampaignKey,
        from: Option<&'a str>,
        most: usize,
    ) -> Later<'a, Page> {
        Box::pin(walk::participants(&self.shared, key, from, most))
    }

    fn due<'a>(
        &'a self,
        key: &'a CampaignKey,
        now: Millis,
        most: usize,
    ) -> Later<'a, Vec<Pseudonym>> {
        Box::pin(read::due(&self.shared, key, now, most))
    }

    fn audit<'a>(&'a self, tenant: &'a str, from: u64) -> Later<'a, Vec<AuditEntry>> {
        Box::pin(note::audit(&self.shared, tenant, from))
    }

    fn block<'a>(&'a self, tenant: &'a str, user: Pseudonym) -> Later<'a, Option<Block>> {
        Box::pin(measure::block(&self.shared, tenant, user))
    }

    fn mark<'a>(&'a self, key: &'a CampaignKey, name: &'a str, at: u64) -> Later<'a, u64> {
        Box::pin(marks::mark(&self.shared, key, name, at))
    }

    fn marks<'a>(&'a self, key: &'a CampaignKey) -> Later<'a, Vec<(Arc<str>, u64)>> {
        Box::pin(marks::all(&self.shared, key))
    }

    fn park<'a>(&'a self, tenant: &'a str, parked: Parked) -> Later<'a, u64> {
        Box::pin(parked::park(&self.shared, tenant, parked))
    }

    fn parking<'a>(&'a self, tenant: &'a str) -> Later<'a, Parking> {
        Box::pin(parked::all(&self.shared, tenant))
    }

    fn parked<'a>(&'a self, tenant: &'a str, id: &'a str) -> Later<'a, Option<Parked>> {
        Box::pin(parked::one(&self.shared, tenant, id))
    }

    fn drafts<'a>(&'a self, tenant: &'a str) -> Later<'a, Vec<Draft>> {
        Box::pin(draft::all(&self.shared, tenant))
    }

    fn draft<'a>(&'a self, tenant: &'a str, campaign: &'a str) -> Later<'a, Option<Draft>> {
        Box::pin(draft::one(&self.shared, tenant, campaign))
    }

    fn backup(&self, _dest: PathBuf) -> Later<'_, Copied> {
        Box::pin(std::future::ready(Err(Error::Read(
            "a Redis is backed up by its own means (BGSAVE, a copy of the AOF): docs/OPERATIONS.md says how"
                .to_owned(),
        ))))
    }

    fn put_list(&self, change: Box<Admin>, members: Vec<Pseudonym>) -> Later<'_, AdminOutcome> {
        let shared = self.shared.clone();
        let made = tokio::spawn(async move {
            let change = crate::lists::versioned(change, &members)?;
            lists::put(&shared, &change, &members).await
        });
        Box::pin(async move {
            made.await
                .unwrap_or_else(|error| Err(Error::Unknown(error.to_string())))
        })
    }

    fn lists<'a>(&'a self, tenant: &'a str) -> Later<'a, Vec<crate::lists::Named>> {
        Box::pin(lists::all(&self.shared, tenant))
    }

    fn listed<'a>(
        &'a self,
        tenant: &'a str,
        versions: &'a [Arc<str>],
        user: Pseudonym,
    ) -> Later<'a, Vec<Option<bool>>> {
        Box::pin(lists::listed(&self.shared, tenant, versions, user))
    }

    fn tallies<'a>(
        &'a self,
        key: &'a CampaignKey,
        team: &'a Arc<str>,
        days: RangeInclusive<Day>,
    ) -> Later<'a, Vec<u32>> {
        Box::pin(read::tallies(&self.shared, key, team, days))
    }

    fn uses<'a>(&'a self, key: &'a CampaignKey, codes: &'a [Pseudonym]) -> Later<'a, Vec<u32>> {
        Box::pin(read::uses(&self.shared, key, codes))
    }

    fn all_tallies<'a>(&'a self, key: &'a CampaignKey) -> Later<'a, Vec<(Arc<str>, Day, u32)>> {
        Box::pin(walk::tallies(&self.shared, key))
    }

    fn is_known<'a>(&'a self, lanes: &'a [CampaignKey], user: Pseudonym) -> Later<'a, bool> {
        Box::pin(read::is_known(&self.shared, lanes, user))
    }

    fn put_codes(&self, change: Box<Admin>, codes: crate::codes::Codes) -> Later<'_, AdminOutcome> {
        let shared = self.shared.clone();
        let made = tokio::spawn(async move { codes::put(&shared, &change, codes).await });
        Box::pin(async move {
            made.await
                .unwrap_or_else(|error| Err(Error::Unknown(error.to_string())))
        })
    }

    fn pools<'a>(&'a self, tenant: &'a str) -> Later<'a, Vec<crate::codes::Named>> {
        Box::pin(codes::all(&self.shared, tenant))
    }

    fn codes<'a>(
        &'a self,
        tenant: &'a str,
        pool: &'a str,
        owner: &'a Owner,
        serials: &'a [u64],
    ) -> Later<'a, Vec<Option<Arc<str>>>> {
        Box::pin(codes::of_units(&self.shared, tenant, pool, owner, serials))
    }

    fn units<'a>(&'a self, key: &'a CampaignKey, user: Pseudonym) -> Later<'a, Vec<Unit>> {
        Box::pin(read::units(&self.shared, key, user))
    }

    fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    fn health(&self) -> Health {
        let best = self.shared.lookout.last().and_then(|seen| seen.gives.best);
        Health {
            durability: best.unwrap_or(Durability::Standard),
            failure: self.shared.lookout.trouble(),
        }
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn tokens(&self) -> Option<Arc<dyn TokenSource>> {
        Some(Arc::new(rate::Buckets(self.shared.links.clone())))
    }

    fn falls_short(&self, wanted: Durability) -> Option<String> {
        let last = self.shared.lookout.last()?;
        last.gives.falls_short(wanted)
    }

    fn rewinds(&self) -> u64 {
        self.shared.lookout.rewinds()
    }

    fn clock_ahead_ms(&self) -> Option<i64> {
        self.shared
            .lookout
            .last()
            .map(|seen| seen.server.clock_ahead_ms)
    }
}
