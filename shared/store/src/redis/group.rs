//! Group commit: commits of one lane that are ready at the same moment travel as one script call. Nobody waits for company:
//! while fewer calls than [`Grouping::in_flight`] are under way, what is ready goes at once; what becomes ready meanwhile goes together
//! with the next.
//!
//! A batch runs in a task of its own: whoever asked may go away, and changes nothing by it.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use machine::ids::CampaignKey;
use machine::world::Outcome;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::batch::{self, Common, Ready};
use super::keys::{OfCampaign, OfLane};
use super::shared::{Shared, not_written};
use crate::Error;

/// How commits travel together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grouping {
    /// How many calls of one lane may be under way. One would leave the server idle for a round trip; more split what could
    /// travel together.
    pub in_flight: usize,
    /// The most commits of one call: the script must stay far below a millisecond.
    pub most_commits: usize,
}

impl Default for Grouping {
    fn default() -> Self {
        Self {
            in_flight: 2,
            most_commits: 32,
        }
    }
}

/// The most bytes of one call, about.
const MOST_BYTES: usize = 256 * 1024;

/// How many commits of one lane may wait.
const MOST_WAITING: usize = 8192;

/// How long a batch may take with everything, a second try too.
const PATIENCE: Duration = Duration::from_millis(1800);

/// A second try is made only where the first failed this quickly: a connection that was cut, not a server that hangs.
const QUICKLY: Duration = Duration::from_millis(250);

/// How long replicas may take.
const WAIT: Duration = Duration::from_secs(1);

/// What a commit comes to.
pub(super) type Said = Result<Outcome, Error>;

/// The commits of one lane that wait.
#[derive(Debug)]
pub(super) struct Group {
    shared: Arc<Shared>,
    key: CampaignKey,
    campaign: OfCampaign,
    keys: OfLane,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    in_flight: usize,
    /// The rules that the store knows to have granted, as of this epoch.
    known_rules: HashSet<Arc<str>>,
    rules_of: Option<u64>,
}

#[derive(Debug)]
struct Waiting {
    ready: Ready,
    done: oneshot::Sender<Said>,
}

impl Group {
    /// An empty one.
    pub fn new(shared: Arc<Shared>, key: CampaignKey) -> Arc<Self> {
        let campaign = OfCampaign::new(&key.tenant, &key.campaign, key.edition);
        let keys = campaign.lane(key.lane);
        Arc::new(Self {
            shared,
            key,
            campaign,
            keys,
            state: Mutex::default(),
        })
    }

    /// The lane's keys.
    pub fn keys(&self) -> &OfLane {
        &self.keys
    }

    /// Hands a commit over; what becomes of it comes later.
    pub fn hand_over(self: &Arc<Self>, ready: Ready) -> Result<oneshot::Receiver<Said>, Error> {
        let (done, said) = oneshot::channel();
        let mut state = self.state.lock();
        if state.waiting.len() >= MOST_WAITING {
            return Err(Error::Busy);
        }
        state.waiting.push_back(Waiting { ready, done });
        if state.in_flight < self.shared.grouping.in_flight {
            state.in_flight += 1;
            let guard = Flight(self.clone());
            drop(state);
            tokio::spawn(async move { guard.0.run().await });
        }
        Ok(said)
    }

    /// Sends batches until nothing waits.
    async fn run(&self) {
        loop {
            let batch = take(
                &mut self.state.lock().waiting,
                self.shared.grouping.most_commits,
            );
            if batch.is_empty() {
                return;
            }
            self.send(batch).await;
        }
    }

    async fn send(&self, batch: Vec<Waiting>) {
        let ready: Vec<&Ready> = batch.iter().map(|one| &one.ready).collect();
        let told = self.call(&ready).await;
        match told {
            Ok(told) => {
                for (one, said) in batch.into_iter().zip(told) {
                    // Whoever asked may have gone away; what was done stays done.
                    let _ = one.done.send(said);
                }
            }
            Err(error) => {
                for one in batch {
                    let _ = one.done.send(Err(error.clone()));
                }
            }
        }
    }

    /// One call, and a second one where the first was cut: a commit that was made is then replayed, not made again.
    async fn call(&self, ready: &[&Ready]) -> Result<Vec<Said>, Error> {
        let began = Instant::now();
        match self.try_call(ready).await {
            Err(Error::Unknown(_)) if began.elapsed() < QUICKLY => {
                let left = PATIENCE.saturating_sub(began.elapsed());
                tokio::time::timeout(left, self.try_call(ready))
                    .await
                    .unwrap_or_else(|_| Err(Error::Unknown("no reply in time".to_owned())))
                    // The first may have been carried out: what the second did not reach is still open.
                    .map_err(|error| match error {
                        Error::NotWritten(why) => Error::Unknown(why),
                        other => other,
                    })
            }
            other => other,
        }
    }

    async fn try_call(&self, ready: &[&Ready]) -> Result<Vec<Said>, Error> {
        let known = self.shared.known(&self.key);
        let epoch = known.map(|known| known.epoch);
        let replicas = self.shared.address.replicas;
        let waits = replicas > 0 && known.is_none_or(|known| known.strict);
        let common = Common {
            campaign: &self.campaign,
            lane: self.key.lane,
            keys: &self.keys,
            epoch,
            waited: waits,
        };
        let unknown = |ready: &Ready| self.unknown_rules(ready, epoch);
        let script = &self.shared.scripts.commit;
        let (call, counters) = batch::call(script, &common, ready, unknown);
        let links = &self.shared.links;
        let (value, acked) = if waits {
            call.run_and_wait(links, replicas, WAIT).await
        } else {
            call.run(links).await.map(|value| (value, replicas))
        }
        .map_err(|error| not_written(&error))?;
        let mut told = batch::outcomes(value, ready, &counters)?;
        for (ready, said) in ready.iter().zip(&mut told) {
            if matches!(said, Ok(Outcome::Committed(_))) {
                self.learn_rules(ready, epoch);
            }
            let promises = matches!(said, Ok(Outcome::Committed(_) | Outcome::Replayed(_)));
            if promises && acked < replicas {
                *said = Err(Error::Unknown(format!(
                    "{acked} of {replicas} replicas have it so far"
                )));
            }
        }
        Ok(told)
    }

    /// The rules of a commit that the store may not know yet.
    fn unknown_rules(&self, ready: &Ready, epoch: Option<u64>) -> Vec<Arc<str>> {
        if ready.rules.is_empty() {
            return Vec::new();
        }
        let state = self.state.lock();
        let new = |rule: &&Arc<str>| state.rules_of != epoch || !state.known_rules.contains(*rule);
        ready.rules.iter().filter(new).cloned().collect()
    }

    fn learn_rules(&self, ready: &Ready, epoch: Option<u64>) {
        if ready.rules.is_empty() {
            return;
        }
        let mut state = self.state.lock();
        if state.rules_of != epoch {
            state.known_rules.clear();
            state.rules_of = epoch;
        }
        for rule in &ready.rules {
            if !state.known_rules.contains(rule) {
                state.known_rules.insert(rule.clone());
            }
        }
    }
}

/// A call under way; counted off however it ends.
struct Flight(Arc<Group>);

impl Drop for Flight {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.in_flight -= 1;
        // Whoever came between the last look and now found the place taken.
        if !state.waiting.is_empty()
            && state.in_flight < self.0.shared.grouping.in_flight
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            state.in_flight += 1;
            drop(state);
            let next = Flight(self.0.clone());
            runtime.spawn(async move { next.0.run().await });
        }
    }
}

/// The next batch: of one revision, no user twice, in the order of arrival.
fn take(waiting: &mut VecDeque<Waiting>, most_commits: usize) -> Vec<Waiting> {
    let Some(first) = waiting.front() else {
        return Vec::new();
    };
    let revision = first.ready.revision;
    let mut batch: Vec<Waiting> = Vec::with_capacity(waiting.len().min(most_commits));
    let mut users = HashSet::new();
    let mut bytes = 0;
    let mut later = VecDeque::new();
    while let Some(next) = waiting.pop_front() {
        let full =
            batch.len() >= most_commits || (bytes > 0 && bytes + next.ready.bytes > MOST_BYTES);
        if full {
            later.push_back(next);
            break;
        }
        // A later commit of a user must not overtake an earlier one that was left behind.
        if !users.insert(next.ready.user) || next.ready.revision != revision {
            later.push_back(next);
            continue;
        }
        bytes += next.ready.bytes;
        batch.push(next);
    }
    while let Some(next) = later.pop_back() {
        waiting.push_front(next);
    }
    batch
}
