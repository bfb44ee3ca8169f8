//! The embedded store: the whole world in memory, every change in a log on disk before it is answered.
//!
//! One thread writes. It takes all changes that wait, applies them to the world one after another, appends those that
//! succeeded to the log with one flush (group commit), and only then answers any of them. A reader never sees what is
//! not durable: where a change is under way, the writer makes the read right after that change's flush (so a read waits for
//! one flush, however busy the store is). One process opens the folder. When a flush fails the store stops: nobody can
//! know what the disk holds until it is opened again.
//!
//! A purge takes an edition out of the world and out of every reader's sight at once. Its old bytes stay in the log's
//! segments, which are never rewritten, and in backups made before: whoever must be rid of those too copies what is to stay
//! into a new folder, which nothing here does yet.
//!
//! Why a log of our own and not a library: `docs/decisions/0001-embedded-store.md`.

mod codes;
mod history;
mod lease;
mod lists;
mod open;
mod put;
mod record;
mod state;
mod writer;

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::thread::JoinHandle;
use std::time::Duration;

use machine::ids::{CampaignKey, Pseudonym};
use machine::luck::Seed;
use machine::model::Durability;
use machine::world::{
    Action, Admin, AdminOutcome, AuditEntry, Block, Commit, Draft, Keep, Kept, Outcome, Owner,
    Parked, Parking, Recalled, Revision, Unit,
};
use machine::{Day, Millis};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{oneshot, watch};

pub(crate) use codes::FOLDER as CODES;
pub(crate) use lists::FOLDER as LISTS;
pub use open::{OpenError, Options, open, open_on, open_with};

use crate::delivery;
use crate::lease::Wish;
use crate::log::{Disk, Reader};
use crate::{Asked, Copied, Error, Health, Lane, Later, Lease, LedgerRow, Page, Published, Store};
use codes::Pools;
use lease::Leases;
use lists::Lists;
use state::State;
use writer::Request;

/// How many requests may wait for the writer before new ones are refused.
const QUEUE: usize = 16_384;

/// What is said after the writer has gone without saying why.
const ENDED: &str = "the writer has ended";

/// The embedded store. Dropping it waits until everything handed over is durable.
#[derive(Debug)]
pub struct Embedded {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    state: Arc<RwLock<State>>,
    reader: Reader,
    /// Emptied on drop, which ends the writer.
    queue: Option<SyncSender<Request>>,
    writer: Option<JoinHandle<()>>,
    failure: Arc<Failure>,
    leases: Arc<Leases>,
    lists: Arc<Lists>,
    pools: Arc<Pools>,
    changes: watch::Receiver<u64>,
}

/// What made the store stop, once something did.
#[derive(Debug, Default)]
pub(crate) struct Failure {
    stopped: AtomicBool,
    why: Mutex<Option<String>>,
}

impl Failure {
    fn set(&self, why: &str) {
        self.why.lock().get_or_insert_with(|| why.to_owned());
        self.stopped.store(true, Ordering::Release);
    }

    fn get(&self) -> Option<String> {
        if self.stopped.load(Ordering::Acquire) {
            self.why.lock().clone()
        } else {
            None
        }
    }

    /// An error for someone who reads after it stopped.
    fn check(&self) -> Result<(), Error> {
        self.get().map_or(Ok(()), |why| {
            Err(Error::Read(format!("the store has stopped: {why}")))
        })
    }
}

impl Embedded {
    /// The folder it keeps everything in.
    pub fn folder(&self) -> &Path {
        &self.dir
    }

    fn send(&self, request: Request) -> Result<(), Error> {
        if let Some(why) = self.failure.get() {
            return Err(Error::NotWritten(format!("the store has stopped: {why}")));
        }
        let Some(queue) = &self.queue else {
            return Err(Error::NotWritten("the store is closed".to_owned()));
        };
        queue.try_send(request).map_err(|error| match error {
            TrySendError::Full(_) => Error::Busy,
            TrySendError::Disconnected(_) => Error::NotWritten(self.why()),
        })
    }

    fn why(&self) -> String {
        self.failure.get().unwrap_or_else(|| ENDED.to_owned())
    }

    // Handed over here and not when a future is first polled: nothing is undone by dropping it.
    fn hand_over(&self, commit: Box<Commit>, under: Option<Lease>) -> Later<'_, Outcome> {
        let (done, answer) = oneshot::channel();
        let sent = Request::commit(commit, under, done).and_then(|request| self.send(request));
        Box::pin(async move {
            sent?;
            self.answer(answer).await
        })
    }

    async fn keep(&self, keep: Keep) -> Result<Kept, Error> {
        let (done, answer) = oneshot::channel();
        self.send(Request::keep(keep, done)?)?;
        self.answer(answer).await
    }

    async fn answer<T>(&self, answer: oneshot::Receiver<Result<T, Error>>) -> Result<T, Error> {
        // A writer that ended without answering had taken the request: what became of it is on the disk, if anywhere.
        answer
            .await
            .unwrap_or_else(|_| Err(Error::Unknown(self.why())))
    }

    /// Reads the world when what is read is not ahead of the disk: now if it is not, else right after the flush that is
    /// under way, by the writer itself. (To wait for that flush and look again would, in a busy store, find the next
    /// batch under way each time.)
    async fn settled<T: Send + 'static>(
        &self,
        ahead: impl FnOnce(&State) -> bool + Send,
        read: impl FnOnce(&State) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let answer = {
            let state = self.state.read();
            // Asked under the lock: a store that fails is marked before a reader can see what was left behind.
            self.failure.check()?;
            if !ahead(&state) {
                return Ok(read(&state));
            }
            let (done, answer) = oneshot::channel();
            let look = Request::Look(Box::new(move |state| drop(done.send(read(state)))));
            self.send(look).map_err(|error| match error {
                Error::NotWritten(why) | Error::Unknown(why) => Error::Read(why),
                Error::Busy | Error::LeaseLost | Error::Read(_) => error,
            })?;
            answer
        };
        answer.await.map_err(|_| Error::Read(self.why()))
    }

    /// Reads the world once nothing of it is ahead of the disk.
    async fn durable<T: Send + 'static>(
        &self,
        read: impl FnOnce(&State) -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.settled(State::ahead, read).await
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the store's writer panicked");
        }
    }
}

impl Store for Embedded {
    fn commit(&self, commit: Box<Commit>) -> Later<'_, Outcome> {
        self.hand_over(commit, None)
    }

    fn commit_under<'a>(&'a self, commit: Box<Commit>, lease: &'a Lease) -> Later<'a, Outcome> {
        if let Err(no) = lease.covers(&commit.campaign) {
            return Box::pin(async { Err(no) });
        }
        self.hand_over(commit, Some(lease.clone()))
    }

    fn lease<'a>(
        &'a self,
        key: &'a CampaignKey,
        job: &'a str,
        term: Duration,
    ) -> Later<'a, Option<Lease>> {
        Box::pin(async move { Ok(self.leases.take(Wish::new(key, job, term)?)) })
    }

    fn recall<'a>(
        &'a self,
        key: &'a CampaignKey,
        user: Pseudonym,
        asked: Option<Asked<'a>>,
    ) -> Later<'a, Recalled> {
        let campaign = key.clone();
        let asked = asked.map(|asked| (Arc::<str>::from(asked.key), *asked.fingerprint, asked.now));
        let read = move |state: &State| {
            let asked = asked
                .as_ref()
                .map(|(key, fingerprint, now)| (&**key, fingerprint, *now));
            state.world.recall(&campaign, &user, asked)
        };
        Box::pin(self.settled(move |state| state.changing(&user), read))
    }

    fn admin(&self, change: Box<Admin>) -> Later<'_, AdminOutcome> {
        let (done, answer) = oneshot::channel();
        let drops = matches!(change.action, Action::DropList { .. });
        let sent = Request::admin(change, done).and_then(|request| self.send(request));
        Box::pin(async move {
            sent?;
            let outcome = self.answer(answer).await;
            if drops && outcome.is_ok() {
                self.settle_lists(None).await;
            }
            outcome
        })
    }

    fn put_list(&self, change: Box<Admin>, members: Vec<Pseudonym>) -> Later<'_, AdminOutcome> {
        Box::pin(self.list_put(change, members))
    }

    fn lists<'a>(&'a self, tenant: &'a str) -> Later<'a, Vec<crate::lists::Named>> {
        let tenant = tenant.to_owned();
        Box::pin(self.durable(move |state| {
            let known = state.world.tenants.get(tenant.as_str());
            let lists = known.into_iter().flat_map(|known| &known.lists);
            lists
                .map(|(name, list)| (name.clone(), list.clone()))
                .collect()
        }))
    }

    fn listed<'a>(
        &'a self,
        _tenant: &'a str,
        versions: &'a [Arc<str>],
        user: Pseudonym,
    ) -> Later<'a, Vec<Option<bool>>> {
        Box::pin(async move {
            self.failure.check()?;
            Ok(self.lists.listed(versions, &user))
        })
    }

    fn tallies<'a>(
        &'a self,
        key: &'a CampaignKey,
        team: &'a Arc<str>,
        days: RangeInclusive<Day>,
    ) -> Later<'a, Vec<u32>> {
        let (key, team) = (key.clone(), team.clone());
        Box::pin(self.durable(move |state| state.tallies(&key, &team, days)))
    }

    fn uses<'a>(&'a self, key: &'a CampaignKey, codes: &'a [Pseudonym]) -> Later<'a, Vec<u32>> {
        let (key, codes) = (key.clone(), codes.to_vec());
        Box::pin(self.durable(move |state| state.uses(&key, &codes)))
    }

    fn all_tallies<'a>(&'a self, key: &'a CampaignKey) -> Later<'a, Vec<(Arc<str>, Day, u32)>> {
        let key = key.clone();
        Box::pin(self.durable(move |state| state.all_tallies(&key)))
    }

    fn is_known<'a>(&'a self, lanes: &'a [CampaignKey], user: Pseudonym) -> Later<'a, bool> {
        let lanes = lanes.to_vec();
        let read = move |state: &State| {
            let mut lanes = lanes.iter().filter_map(|key| state.world.lane(key));
            lanes.any(|lane| lane.participants.contains_key(&user))
        };
        Box::pin(self.settled(move |state| state.changing(&user), read))
    }

    fn put_codes(&self, change: Box<Admin>, codes: crate::codes::Codes) -> Later<'_, AdminOutcome> {
        Box::pin(self.codes_put(change, codes))
    }

    fn pools<'a>(&'a self, tenant: &'a str) -> Later<'a, Vec<crate::codes::Named>> {
        let tenant = tenant.to_owned();
        Box::pin(self.durable(move |state| {
            let known = state.world.tenants.get(tenant.as_str());
            let pools = known.into_iter().flat_map(|known| &known.pools);
            pools
                .map(|(name, pool)| (name.clone(), pool.clone()))
                .collect()
        }))
    }

    fn codes<'a>(
        &'a self,
        tenant: &'a str,
        pool: &'a str,
        owner: &'a Owner,
        serials: &'a [u64],
    ) -> Later<'a, Vec<Option<Arc<str>>>> {
        Box::pin(self.codes_of(tenant, pool, owner, serials))
    }

    fn units<'a>(&'a self, key: &'a CampaignKey, user: Pseudonym) -> Later<'a, Vec<Unit>> {
        let key = key.clone();
        let read = move |state: &State| state.world.units(&key, &user);
        Box::pin(self.settled(move |state| state.changing(&user), read))
    }

    fn tenant_secret<'a>(&'a self, tenant: &'a str) -> Later<'a, Option<Seed>> {
        let tenant = tenant.to_owned();
        Box::pin(self.durable(move |state| {
            state
                .world
                .tenants
                .get(tenant.as_str())
                .map(|known| known.secret.clone())
        }))
    }

    fn published(&self) -> Later<'_, Vec<Published>> {
        Box::pin(self.durable(State::published))
    }

    fn revision<'a>(
        &'a self,
        tenant: &'a str,
        campaign: &'a str,
        edition: u32,
        revision: u32,
    ) -> Later<'a, Option<Revision>> {
        let key = (Arc::from(tenant), Arc::from(campaign), edition);
        Box::pin(self.durable(move |state| {
            state
                .world
                .campaigns
                .get(&key)
                .and_then(|found| found.revisions.get(&revision))
                .cloned()
        }))
    }

    fn lane<'a>(&'a self, key: &'a CampaignKey) -> Later<'a, Option<Lane>> {
        let key = key.clone();
        Box::pin(self.durable(move |state| state.lane(&key)))
    }

    fn ledger<'a>(
        &'a self,
        key: &'a CampaignKey,
        from: u64,
        most: usize,
    ) -> Later<'a, Vec<LedgerRow>> {
        Box::pin(async move {
            // The index may be ahead of the disk; the log's reader never is.
            let start = {
                let state = self.state.read();
                self.failure.check()?;
                state.index.change_of(key, from)
            };
            let (reader, key) = (self.reader.clone(), key.clone());
            blocking(move || history::ledger(&reader, &key, start, from, most)).await
        })
    }

    fn history<'a>(
        &'a self,
        tenant: &'a str,
        user: Pseudonym,
        most: usize,
    ) -> Later<'a, Vec<LedgerRow>> {
        Box::pin(async move {
            // A purge that is not yet durable hides its rows already: it is under way, and nobody misses them.
            let purged: Vec<_> = {
                let state = self.state.read();
                self.failure.check()?;
                let ours = state.world.purged.iter().filter(|(of, ..)| **of == *tenant);
                ours.map(|(_, campaign, edition)| (campaign.clone(), *edition))
                    .collect()
            };
            let (reader, tenant) = (self.reader.clone(), tenant.to_owned());
            blocking(move || history::of_user(&reader, &tenant, &purged, user, most)).await
        })
    }

    fn participants<'a>(
        &'a self,
        key: &'a CampaignKey,
        from: Option<&'a str>,
        most: usize,
    ) -> Later<'a, Page> {
        let key = key.clone();
        Box::pin(async move {
            let from = from
                .map(str::parse)
                .transpose()
                .map_err(|_| Error::Read("this is no place in a walk".to_owned()))?;
            self.durable(move |state| state.participants(&key, from, most))
                .await
        })
    }

    fn due<'a>(
        &'a self,
        key: &'a CampaignKey,
        now: Millis,
        most: usize,
    ) -> Later<'a, Vec<Pseudonym>> {
        Box::pin(async move {
            let state = self.state.read();
            self.failure.check()?;
            // Whoever is due now is stepped and committed with a version: a look ahead of the disk does no harm.
            Ok(state.world.due(key, now, most))
        })
    }

    fn block<'a>(&'a self, tenant: &'a str, user: Pseudonym) -> Later<'a, Option<Block>> {
        let tenant = tenant.to_owned();
        Box::pin(self.durable(move |state| {
            let known = state.world.tenants.get(tenant.as_str())?;
            known.blocks.get(&user).cloned()
        }))
    }

    fn audit<'a>(&'a self, tenant: &'a str, from: u64) -> Later<'a, Vec<AuditEntry>> {
        let tenant = tenant.to_owned();
        Box::pin(self.durable(move |state| {
            let known = state.world.tenants.get(tenant.as_str());
            let audit = known
                .map(|known| known.audit.as_slice())
                .unwrap_or_default();
            audit
                .get(usize::try_from(from).unwrap_or(usize::MAX)..)
                .unwrap_or_default()
                .to_vec()
        }))
    }

    fn mark<'a>(&'a self, key: &'a CampaignKey, name: &'a str, at: u64) -> Later<'a, u64> {
        Box::pin(async move {
            let keep = Keep::Mark {
                campaign: key.clone(),
                name: delivery::mark_name(name)?,
                at,
            };
            Ok(delivery::stands(self.keep(keep).await?))
        })
    }

    fn marks<'a>(&'a self, key: &'a CampaignKey) -> Later<'a, Vec<(Arc<str>, u64)>> {
        let key = key.clone();
        Box::pin(self.durable(move |state| {
            let marks = state.world.lane(&key).map(|lane| lane.marks.clone());
            marks.unwrap_or_default().into_iter().collect()
        }))
    }

    fn park<'a>(&'a self, tenant: &'a str, parked: Parked) -> Later<'a, u64> {
        Box::pin(async move {
            let keep = Keep::Park {
                tenant: tenant.into(),
                parked: Box::new(parked),
            };
            delivery::parked(self.keep(keep).await?, tenant)
        })
    }

    fn parking<'a>(&'a self, tenant: &'a str) -> Later<'a, Parking> {
        let tenant = tenant.to_owned();
        Box::pin(self.durable(move |state| {
            let known = state.world.tenants.get(tenant.as_str());
            known.map_or_else(Parking::default, |known| known.parking.outline())
        }))
    }

    fn parked<'a>(&'a self, tenant: &'a str, id: &'a str) -> Later<'a, Option<Parked>> {
        let (tenant, id) = (tenant.to_owned(), id.to_owned());
        Box::pin(self.durable(move |state| {
            let known = state.world.tenants.get(tenant.as_str())?;
            known.parking.find(&id).cloned()
        }))
    }

    fn drafts<'a>(&'a self, tenant: &'a str) -> Later<'a, Vec<Draft>> {
        let tenant = tenant.to_owned();
        Box::pin(self.durable(move |state| {
            let known = state.world.tenants.get(tenant.as_str());
            let places = known.into_iter().flat_map(|known| known.drafts.values());
            let drafts = places.filter_map(|place| place.draft.as_ref());
            drafts.map(Draft::outline).collect()
        }))
    }

    fn draft<'a>(&'a self, tenant: &'a str, campaign: &'a str) -> Later<'a, Option<Draft>> {
        let (tenant, campaign) = (tenant.to_owned(), campaign.to_owned());
        Box::pin(self.durable(move |state| {
            let known = state.world.tenants.get(tenant.as_str())?;
            known.drafts.get(campaign.as_str())?.draft.clone()
        }))
    }

    fn backup(&self, dest: PathBuf) -> Later<'_, Copied> {
        Box::pin(async move {
            self.failure.check()?;
            let (disk, dir) = (self.disk.clone(), self.dir.clone());
            let durable = self.reader.durable_seq();
            let (lists, pools) = (self.lists.clone(), self.pools.clone());
            blocking(move || {
                // What a list or a pool names in the copy of the log must not go away before it is copied, too.
                lists.hold(|| pools.hold(|| history::backup(disk.as_ref(), &dir, dest, durable)))
            })
            .await
        })
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }

    fn health(&self) -> Health {
        Health {
            durability: Durability::Strict,
            failure: self.failure.get(),
        }
    }
}

/// Runs what reads files on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Error::Read(error.to_string())))
}
