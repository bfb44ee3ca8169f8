//! A store that fails, counts, and says that it is far away, when a test says so; all else goes to the real one.
//!
//! What it keeps secret is made of names, so that whoever draws wins the same in every run: of a thousand runs of a hundred
//! draws, one would win a prize of 0.001 %.

use std::collections::{BTreeSet, VecDeque};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use machine::ids::{CampaignKey, Pseudonym};
use machine::luck::Seed;
use machine::model::Durability;
use machine::world::{
    Action, Admin, AdminOutcome, AuditEntry, Commit, CounterKey, Draft, Outcome, Parked, Parking,
    Recalled, Revision,
};
use machine::{Day, Millis};
use sha2::{Digest as _, Sha256};
use store::{
    Asked, Copied, Embedded, Error, Health, Lane, Later, Lease, LedgerRow, Page, Published, Store,
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
    /// Every commit that was asked for, carried out or not.
    pub seen: Mutex<Vec<Commit>>,
    /// Whether it says that it is on another machine.
    pub remote: AtomicBool,
    /// How far this machine's clock is ahead of it, in milliseconds.
    pub ahead_ms: AtomicI64,
    recalled: AtomicUsize,
    short: Mutex<Option<String>>,
    lost: Mutex<BTreeSet<String>>,
    tenants_lost: AtomicBool,
    other_seeds: AtomicBool,
    unknowing: AtomicBool,
    looked: AtomicUsize,
    read: AtomicUsize,
}

impl Faulty {
    pub fn new(real: Embedded) -> Self {
        let (commits, recalls, health, seen) = Default::default();
        let (remote, ahead_ms, recalled, short) = Default::default();
        let (lost, tenants_lost, other_seeds) = Default::default();
        let (unknowing, looked, read) = Default::default();
        Self {
            real,
            commits,
            recalls,
            health,
            seen,
            remote,
            ahead_ms,
            recalled,
            short,
            lost,
            tenants_lost,
            other_seeds,
            unknowing,
            looked,
            read,
        }
    }

    /// How many commits and recalls were asked for since this was last asked.
    pub fn cost(&self) -> (usize, usize) {
        let commits = self.seen.lock().unwrap().drain(..).count();
        (commits, self.recalled.swap(0, Ordering::SeqCst))
    }

    /// From now on it can't say who has a record elsewhere; or it can again.
    pub fn knows_nobody(&self, unknowing: bool) {
        self.unknowing.store(unknowing, Ordering::SeqCst);
    }

    /// How often it was asked who has a record elsewhere since this was last asked.
    pub fn looked(&self) -> usize {
        self.looked.swap(0, Ordering::SeqCst)
    }

    /// How many revisions were read since this was last asked.
    pub fn revisions_read(&self) -> usize {
        self.read.swap(0, Ordering::SeqCst)
    }

    /// From now on it gives strict campaigns less than they declare, for this reason; none: all they declare.
    pub fn falls_short_of_strict(&self, why: Option<&str>) {
        *self.short.lock().unwrap() = why.map(str::to_owned);
    }

    /// It has lost this campaign, `tenant/campaign`; or has it again.
    pub fn loses(&self, campaign: &str, lost: bool) {
        let mut all = self.lost.lock().unwrap();
        if lost {
            all.insert(campaign.to_owned());
        } else {
            all.remove(campaign);
        }
    }

    /// It has lost everything, tenants too.
    pub fn loses_tenants(&self, lost: bool) {
        self.tenants_lost.store(lost, Ordering::SeqCst);
    }

    /// Somebody has created its campaigns anew.
    pub fn has_other_seeds(&self, others: bool) {
        self.other_seeds.store(others, Ordering::SeqCst);
    }

    fn has_lost(&self, tenant: &str, campaign: &str) -> bool {
        let name = format!("{tenant}/{campaign}");
        self.tenants_lost.load(Ordering::SeqCst) || self.lost.lock().unwrap().contains(&name)
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

/// A secret that is always the same for these names.
fn secret_of(names: &[&str]) -> Seed {
    Seed(Sha256::digest(names.join("/")).into())
}

impl Store for Faulty {
    fn uses<'a>(&'a self, key: &'a CampaignKey, codes: &'a [Pseudonym]) -> Later<'a, Vec<u32>> {
        self.real.uses(key, codes)
    }

    fn tallies<'a>(
        &'a self,
        key: &'a CampaignKey,
        team: &'a Arc<str>,
        days: RangeInclusive<Day>,
    ) -> Later<'a, Vec<u32>> {
        self.real.tallies(key, team, days)
    }

    fn all_tallies<'a>(&'a self, key: &'a CampaignKey) -> Later<'a, Vec<(Arc<str>, Day, u32)>> {
        self.real.all_tallies(key)
    }

    fn is_known<'a>(&'a self, lanes: &'a [CampaignKey], user: Pseudonym) -> Later<'a, bool> {
        self.looked.fetch_add(1, Ordering::SeqCst);
        if self.unknowing.load(Ordering::SeqCst) {
            return Box::pin(async { Err(Error::Read("not now".to_owned())) });
        }
        self.real.is_known(lanes, user)
    }

    fn commit(&self, commit: Box<Commit>) -> Later<'_, Outcome> {
        self.seen.lock().unwrap().push(Commit::clone(&commit));
        let fault = self.commits.lock().unwrap().pop_front();
        let lost = self.has_lost(&commit.campaign.tenant, &commit.campaign.campaign);
        Box::pin(async move {
            match fault {
                None if lost => Ok(Outcome::Frozen(CounterKey::Budget)),
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
        self.recalled.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            match fault {
                None if self.has_lost(&key.tenant, &key.campaign) => Ok(Recalled {
                    answer: None,
                    participant: None,
                    live: Vec::new(),
                    pause: None,
                    blocked: None,
                }),
                None => self.real.recall(key, user, asked).await,
                Some(Fault::Hangs) => std::future::pending().await,
                Some(_) => Err(Error::Read("gone".into())),
            }
        })
    }

    fn admin(&self, mut change: Box<Admin>) -> Later<'_, AdminOutcome> {
        let tenant = change.tenant.clone();
        match &mut change.action {
            Action::CreateTenant { secret } => *secret = secret_of(&[&tenant]),
            Action::Publish(publication) => {
                let edition = publication.edition.to_string();
                let seed = |lane| secret_of(&[&tenant, &publication.campaign, &edition, lane]);
                publication.seeds = (seed("live"), seed("test"));
            }
            _ => {}
        }
        self.real.admin(change)
    }

    fn tenant_secret<'a>(&'a self, tenant: &'a str) -> Later<'a, Option<Seed>> {
        Box::pin(async move {
            let secret = self.real.tenant_secret(tenant).await?;
            Ok(secret.filter(|_| !self.tenants_lost.load(Ordering::SeqCst)))
        })
    }

    fn published(&self) -> Later<'_, Vec<Published>> {
        Box::pin(async move {
            let mut all = self.real.published().await?;
            all.retain(|found| !self.has_lost(&found.tenant, &found.campaign));
            Ok(all)
        })
    }

    fn revision<'a>(
        &'a self,
        tenant: &'a str,
        campaign: &'a str,
        edition: u32,
        revision: u32,
    ) -> Later<'a, Option<Revision>> {
        self.read.fetch_add(1, Ordering::SeqCst);
        self.real.revision(tenant, campaign, edition, revision)
    }

    fn sha256<'a>(
        &'a self,
        tenant: &'a str,
        campaign: &'a str,
        edition: u32,
        revision: u32,
    ) -> Later<'a, Option<[u8; 32]>> {
        self.real.sha256(tenant, campaign, edition, revision)
    }

    fn lane<'a>(&'a self, key: &'a CampaignKey) -> Later<'a, Option<Lane>> {
        Box::pin(async move {
            let mut lane = self.real.lane(key).await?;
            if let Some(lane) = lane
                .as_mut()
                .filter(|_| self.other_seeds.load(Ordering::SeqCst))
            {
                lane.seed.0[0] ^= 1;
            }
            Ok(lane.filter(|_| !self.has_lost(&key.tenant, &key.campaign)))
        })
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

    fn participants<'a>(
        &'a self,
        key: &'a CampaignKey,
        from: Option<&'a str>,
        most: usize,
    ) -> Later<'a, Page> {
        self.real.participants(key, from, most)
    }

    fn due<'a>(
        &'a self,
        key: &'a CampaignKey,
        now: Millis,
        most: usize,
    ) -> Later<'a, Vec<Pseudonym>> {
        self.real.due(key, now, most)
    }

    fn block<'a>(
        &'a self,
        tenant: &'a str,
        user: Pseudonym,
    ) -> Later<'a, Option<machine::world::Block>> {
        self.real.block(tenant, user)
    }

    fn audit<'a>(&'a self, tenant: &'a str, from: u64) -> Later<'a, Vec<AuditEntry>> {
        self.real.audit(tenant, from)
    }

    fn mark<'a>(&'a self, key: &'a CampaignKey, name: &'a str, at: u64) -> Later<'a, u64> {
        self.real.mark(key, name, at)
    }

    fn marks<'a>(&'a self, key: &'a CampaignKey) -> Later<'a, Vec<(Arc<str>, u64)>> {
        self.real.marks(key)
    }

    fn park<'a>(&'a self, tenant: &'a str, parked: Parked) -> Later<'a, u64> {
        if let Some(why) = self.health().failure {
            return Box::pin(async { Err(Error::NotWritten(why)) });
        }
        self.real.park(tenant, parked)
    }

    fn parking<'a>(&'a self, tenant: &'a str) -> Later<'a, Parking> {
        self.real.parking(tenant)
    }

    fn drafts<'a>(&'a self, tenant: &'a str) -> Later<'a, Vec<Draft>> {
        self.real.drafts(tenant)
    }

    fn draft<'a>(&'a self, tenant: &'a str, campaign: &'a str) -> Later<'a, Option<Draft>> {
        self.real.draft(tenant, campaign)
    }

    fn parked<'a>(&'a self, tenant: &'a str, id: &'a str) -> Later<'a, Option<Parked>> {
        self.real.parked(tenant, id)
    }

    fn backup(&self, dest: PathBuf) -> Later<'_, Copied> {
        self.real.backup(dest)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.real.changes()
    }

    fn health(&self) -> Health {
        let mut health = self.real.health();
        if let Some(why) = &*self.health.lock().unwrap() {
            health.failure = Some(why.clone());
        }
        health
    }

    fn is_remote(&self) -> bool {
        self.remote.load(Ordering::SeqCst)
    }

    fn falls_short(&self, wanted: Durability) -> Option<String> {
        let short = self.short.lock().unwrap().clone();
        short.filter(|_| wanted == Durability::Strict)
    }

    fn clock_ahead_ms(&self) -> Option<i64> {
        Some(self.ahead_ms.load(Ordering::SeqCst))
    }
}
