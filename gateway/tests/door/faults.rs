//! A store that fails when a test says so; all else goes to the real one.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use machine::Millis;
use machine::ids::{CampaignKey, Pseudonym};
use machine::luck::Seed;
use machine::world::{
    Admin, AdminOutcome, AuditEntry, Commit, CounterKey, Outcome, Recalled, Revision,
};
use store::{
    Asked, Copied, Embedded, Error, Health, Lane, Later, Lease, LedgerRow, Published, Store,
};
use tokio::sync::watch;

/// What happens to the next commit.
pub enum Fault {
    /// Nothing was written, and the store says so.
    NotWritten,
    /// It was written, and the store can't say so.
    Lost,
    /// It was not written, and the store can't say so.
    Vanished,
    /// The queue is full.
    Busy,
    /// It is written, and no answer ever comes.
    Hangs,
    /// A counter is missing.
    Frozen,
    /// The record has always just moved on.
    AlwaysStale,
}

pub struct Faulty {
    real: Embedded,
    commits: Mutex<VecDeque<Fault>>,
    recalls: Mutex<VecDeque<Fault>>,
    health: Mutex<Option<String>>,
    remote: AtomicBool,
    /// Every commit that was asked for, carried out or not.
    pub seen: Mutex<Vec<Commit>>,
}

impl Faulty {
    pub fn new(real: Embedded) -> Self {
        let (commits, recalls, health, remote, seen) = Default::default();
        Self {
            real,
            commits,
            recalls,
            health,
            remote,
            seen,
        }
    }

    /// The next commits meet these.
    pub fn commits(&self, faults: impl IntoIterator<Item = Fault>) {
        self.commits.lock().unwrap().extend(faults);
    }

    /// The next recalls meet these.
    pub fn recalls(&self, faults: impl IntoIterator<Item = Fault>) {
        self.recalls.lock().unwrap().extend(faults);
    }

    /// From now on it says that other processes share it.
    pub fn is_shared(&self) {
        self.remote.store(true, Ordering::Release);
    }

    pub fn fails(&self, why: &str) {
        *self.health.lock().unwrap() = Some(why.to_owned());
    }
}

impl Store for Faulty {
    fn commit(&self, commit: Box<Commit>) -> Later<'_, Outcome> {
        self.seen.lock().unwrap().push(Commit::clone(&commit));
        let fault = self.commits.lock().unwrap().pop_front();
        Box::pin(async move {
            match fault {
                None => self.real.commit(commit).await,
                Some(Fault::NotWritten) => Err(Error::NotWritten("no room".into())),
                Some(Fault::Vanished) => Err(Error::Unknown("who knows".into())),
                Some(Fault::Lost) => {
                    self.real.commit(commit).await?;
                    Err(Error::Unknown("who knows".into()))
                }
                Some(Fault::Busy) => Err(Error::Busy),
                Some(Fault::Hangs) => {
                    self.real.commit(commit).await?;
                    std::future::pending().await
                }
                Some(Fault::Frozen) => Ok(Outcome::Frozen(CounterKey::Stock("laptop".into()))),
                Some(Fault::AlwaysStale) => {
                    self.commits.lock().unwrap().push_front(Fault::AlwaysStale);
                    Ok(Outcome::Stale(None))
                }
            }
        })
    }

    fn commit_under<'a>(&'a self, commit: Box<Commit>, lease: &'a Lease) -> Later<'a, Outcome> {
        self.real.commit_under(commit, lease)
    }

    fn lease<'a>(
        &'a self,
        key: &'a CampaignKey,
        job: &'a str,
        term: Duration,
    ) -> Later<'a, Option<Lease>> {
        self.real.lease(key, job, term)
    }

    fn recall<'a>(
        &'a self,
        key: &'a CampaignKey,
        user: Pseudonym,
        asked: Option<Asked<'a>>,
    ) -> Later<'a, Recalled> {
        let fault = self.recalls.lock().unwrap().pop_front();
        Box::pin(async move {
            match fault {
                None => self.real.recall(key, user, asked).await,
                Some(Fault::Hangs) => std::future::pending().await,
                Some(_) => Err(Error::Read("gone".into())),
            }
        })
    }

    fn admin(&self, change: Box<Admin>) -> Later<'_, AdminOutcome> {
        self.real.admin(change)
    }

    fn tenant_secret<'a>(&'a self, tenant: &'a str) -> Later<'a, Option<Seed>> {
        self.real.tenant_secret(tenant)
    }

    fn published(&self) -> Later<'_, Vec<Published>> {
        self.real.published()
    }

    fn revision<'a>(
        &'a self,
        tenant: &'a str,
        campaign: &'a str,
        edition: u32,
        revision: u32,
    ) -> Later<'a, Option<Revision>> {
        self.real.revision(tenant, campaign, edition, revision)
    }

    fn lane<'a>(&'a self, key: &'a CampaignKey) -> Later<'a, Option<Lane>> {
        self.real.lane(key)
    }

    fn ledger<'a>(
        &'a self,
        key: &'a CampaignKey,
        from: u64,
        most: usize,
    ) -> Later<'a, Vec<LedgerRow>> {
        self.real.ledger(key, from, most)
    }

    fn history<'a>(
        &'a self,
        tenant: &'a str,
        user: Pseudonym,
        most: usize,
    ) -> Later<'a, Vec<LedgerRow>> {
        self.real.history(tenant, user, most)
    }

    fn due<'a>(
        &'a self,
        key: &'a CampaignKey,
        now: Millis,
        most: usize,
    ) -> Later<'a, Vec<Pseudonym>> {
        self.real.due(key, now, most)
    }

    fn audit<'a>(&'a self, tenant: &'a str, from: u64) -> Later<'a, Vec<AuditEntry>> {
        self.real.audit(tenant, from)
    }

    fn backup(&self, dest: PathBuf) -> Later<'_, Copied> {
        self.real.backup(dest)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.real.changes()
    }

    fn is_remote(&self) -> bool {
        self.remote.load(Ordering::Acquire)
    }

    fn health(&self) -> Health {
        let mut health = self.real.health();
        if let Some(why) = &*self.health.lock().unwrap() {
            health.failure = Some(why.clone());
        }
        health
    }
}
