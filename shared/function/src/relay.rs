//! The relay: what one campaign of a tenant emits reaches those that listen for it. A source's ledger is read in order, each
//! listener at its own pace: how far it has come is a mark of the listener's lane. Where several processes share a store, one
//! of them relays to a lane at a time, under a lease.
//!
//! Neither the mark nor the lease is what keeps a message from having two effects: the listener's record is
//! (`machine::step::hear`). A mark that is lost, or two processes at once, cost work and nothing else.

mod deliver;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use machine::Millis;
use machine::ids::{CampaignKey, Lane};
use machine::model::Phase;
use machine::participant::Heard;
use store::lease::Held;
use store::{Error, Published, Store};
use tokio::time::Instant;

use crate::http::Shell;
use crate::served::Served;
use crate::sweep::clock;
use crate::telemetry::meters::relay_behind;
use deliver::{Batch, Listener};

/// How often sources are looked at.
pub const EVERY: Duration = Duration::from_secs(1);

/// How many rows of a ledger are read at once.
const MOST: usize = 512;

/// How many times that is done for one listener and source in one round, so that a long backlog holds nobody else up.
const BATCHES: usize = 16;

/// How many rows that are nobody's message are passed before that is noted: to read them again is cheaper than to write.
const MARK_EVERY: u64 = 1024;

/// The job that the lease is for.
const JOB: &str = "relay";

/// How long the lease on a lane lasts; it is left to end, as the sweep's.
const TERM: Duration = Duration::from_millis(900);

/// How long one round of a lane may hold up the others'.
const HELD_AT_MOST: Duration = Duration::from_secs(30);

/// How long what is published is believed when nothing is heard of a change.
const PUBLISHED_FOR: Duration = Duration::from_secs(5);

/// Relays from round to round, remembering how far each listener has come: a source that has not grown costs one look at how
/// long it is.
#[derive(Debug, Default)]
pub struct Relay {
    published: Option<Editions>,
    positions: HashMap<(CampaignKey, CampaignKey), Position>,
    /// Whether marks are not believed.
    anew: bool,
}

/// What a store has published, and when it was asked.
#[derive(Debug)]
struct Editions {
    change: u64,
    asked: Instant,
    all: Vec<Published>,
}

/// How far a listener has come in a source's ledger.
#[derive(Debug, Clone, Copy)]
struct Position {
    /// The next row's number.
    next: u64,
    /// Where its mark stands.
    marked: u64,
}

/// A source that has grown, and how long it is.
struct Grown {
    source: CampaignKey,
    rows: u64,
}

impl Relay {
    /// One that begins with the first row of every source, whatever the marks say: for who fears that a mark is too far. All
    /// that had its effect has none again; what a listener was told no to, or what was emitted before it was there, it may take now.
    pub fn from_the_beginning() -> Self {
        Self {
            anew: true,
            ..Self::default()
        }
    }

    /// Relays what there is, once, to every campaign that this shell serves; how many messages had an effect.
    pub async fn round(&mut self, shell: &Shell) -> usize {
        let snapshot = shell.registry.snapshot();
        let mut lengths = HashMap::new();
        let (mut told, mut failures, mut last) = (0, 0_u32, None);
        for tenant in snapshot.tenants.values() {
            for served in tenant.campaigns.values() {
                let sources = sources(shell, served);
                if sources.is_empty() {
                    continue;
                }
                for lane in [Lane::Live, Lane::Test] {
                    let to = Listener {
                        shell,
                        tenant,
                        served,
                        lane,
                        now: clock(shell, served, lane),
                    };
                    match self.lane(&to, &sources, &mut lengths).await {
                        Ok(taken) => told += taken,
                        // One campaign's server may be away while the others' are there: go on.
                        Err(error) => {
                            failures += 1;
                            last = Some((error, served.key(lane)));
                        }
                    }
                }
            }
        }
        if let Some((error, campaign)) = last {
            tracing::warn!(%error, %campaign, failures, "the relay could not read or note how far it is");
        }
        told
    }

    /// Relays to one lane, unless another process does.
    async fn lane(
        &mut self,
        to: &Listener<'_>,
        sources: &BTreeSet<Arc<str>>,
        lengths: &mut HashMap<CampaignKey, u64>,
    ) -> Result<usize, Error> {
        if !listens_now(to) {
            return Ok(0);
        }
        let store = &*to.shell.store;
        let key = to.served.key(to.lane);
        let mut grown = Vec::new();
        for source in self.editions(store, to, sources).await? {
            let rows = if let Some(rows) = lengths.get(&source) {
                *rows
            } else {
                let rows = store.lane(&source).await?.map_or(0, |lane| lane.rows);
                lengths.insert(source.clone(), rows);
                rows
            };
            let known = self.positions.get(&(key.clone(), source.clone()));
            if rows > known.map_or(0, |known| known.next) {
                grown.push(Grown { source, rows });
            }
        }
        if grown.is_empty() {
            return Ok(0);
        }
        let held = if store.is_remote() {
            let Some(lease) = store.lease(&key, JOB, TERM).await? else {
                return Ok(0);
            };
            Some(Held::keep(lease, HELD_AT_MOST))
        } else {
            None
        };
        // Another process may have gone on since this one last did.
        let marks = store.marks(&key).await?;
        let mut told = 0;
        for grown in grown {
            let name = mark_of(&grown.source);
            let mut marks = marks.iter();
            let marked = marks.find(|(known, _)| **known == *name).map(|(_, at)| *at);
            told += self.pair(to, &grown, &name, marked, held.as_ref()).await?;
        }
        Ok(told)
    }

    /// Relays from one source to one listener.
    async fn pair(
        &mut self,
        to: &Listener<'_>,
        from: &Grown,
        name: &str,
        marked: Option<u64>,
        held: Option<&Held>,
    ) -> Result<usize, Error> {
        let store = &*to.shell.store;
        let key = to.served.key(to.lane);
        let place = (key.clone(), from.source.clone());
        let known = self.positions.get(&place).copied();
        let mut position = match (marked, known) {
            (_, None) if self.anew => Position { next: 0, marked: 0 },
            (None, None) => {
                let next = start(to, from).await?;
                let marked = store.mark(&key, name, next).await?;
                Position { next, marked }
            }
            (marked, known) => {
                let marked = marked.unwrap_or(0);
                let next = known.map_or(marked, |known| known.next.max(marked));
                Position { next, marked }
            }
        };
        let mut told = 0;
        for _ in 0..BATCHES {
            if held.is_some_and(|held| !held.is_held()) {
                // Another process goes on from here, or this one next time.
                break;
            }
            let rows = store.ledger(&from.source, position.next, MOST).await?;
            let Some(end) = rows.last().map(|row| row.number + 1) else {
                break;
            };
            let batch = Batch {
                source: &from.source,
                rows: &rows,
            };
            let done = batch.deliver(to, held.map(Held::lease)).await;
            told += done.told;
            position.next = done.held.unwrap_or(end);
            let passed = position.next.saturating_sub(position.marked);
            if passed >= MARK_EVERY || (passed > 0 && done.met > 0) {
                position.marked = store.mark(&key, name, position.next).await?;
            }
            self.positions.insert(place.clone(), position);
            if done.held.is_some() || rows.len() < MOST {
                break;
            }
        }
        self.positions.insert(place, position);
        if to.lane == Lane::Live {
            let behind = from.rows.saturating_sub(position.next);
            relay_behind(&key.tenant, &key.campaign, &from.source.campaign, behind);
        }
        Ok(told)
    }

    /// The editions of the sources that the store has. An old one may have said something that was not relayed yet.
    async fn editions(
        &mut self,
        store: &dyn Store,
        to: &Listener<'_>,
        sources: &BTreeSet<Arc<str>>,
    ) -> Result<Vec<CampaignKey>, Error> {
        let change = *store.changes().borrow();
        let fresh =
            |known: &Editions| known.change == change && known.asked.elapsed() < PUBLISHED_FOR;
        if !self.published.as_ref().is_some_and(fresh) {
            let (asked, all) = (Instant::now(), store.published().await?);
            self.published = Some(Editions { change, asked, all });
        }
        let all = self.published.iter().flat_map(|known| &known.all);
        let tenant = &to.served.tenant;
        let found =
            all.filter(|found| found.tenant == *tenant && sources.contains(&found.campaign));
        Ok(found
            .map(|found| CampaignKey {
                tenant: tenant.clone(),
                campaign: found.campaign.clone(),
                edition: found.edition,
                lane: to.lane,
            })
            .collect())
    }
}

/// The campaigns that one listens to under any of its live revisions; none where this shell does not serve it.
fn sources(shell: &Shell, served: &Served) -> BTreeSet<Arc<str>> {
    let activity = served.newest().map(|campaign| &*campaign.activity);
    if served.lost || shell.activity.is_some_and(|only| activity != Some(only)) {
        return BTreeSet::new();
    }
    let live = served.live.iter().flat_map(|(_, live)| live.sources());
    live.cloned().collect()
}

/// Whether messages are taken to a listener now: before it opens they wait, once all is over nobody hears them.
fn listens_now(to: &Listener<'_>) -> bool {
    let phase = to.served.newest().map(|live| live.window.phase(to.now));
    match phase {
        Some(Phase::Preview) => to.lane == Lane::Test,
        Some(Phase::Open | Phase::Paused | Phase::Claiming) => true,
        Some(Phase::Ended) | None => false,
    }
}

/// The name of the mark of how far a source was relayed.
fn mark_of(source: &CampaignKey) -> String {
    format!("relay/{}", Heard::source(&source.campaign, source.edition))
}

/// Where a listener that is new to a source begins: with what was emitted since it was published that it listens. In the test
/// lane, whose clocks are moved, from the beginning.
async fn start(to: &Listener<'_>, from: &Grown) -> Result<u64, Error> {
    let store = &*to.shell.store;
    if to.lane == Lane::Test {
        return Ok(0);
    }
    let Some(since) = listening_since(store, to.served, &from.source.campaign).await? else {
        return Ok(0);
    };
    // Rows are in the order of their times, but for what processes' clocks are apart.
    let (mut low, mut high) = (0, from.rows);
    while low < high {
        let middle = low + (high - low) / 2;
        let row = store.ledger(&from.source, middle, 1).await?;
        if row.first().is_some_and(|row| row.at < since) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// When the first revision was published that listens to this source.
async fn listening_since(
    store: &dyn Store,
    served: &Served,
    source: &str,
) -> Result<Option<Millis>, Error> {
    let mut revisions = served.revisions.iter();
    let listens = revisions.find(|(_, revision)| {
        let mut sources = revision.sources().into_iter();
        sources.any(|known| **known == *source)
    });
    let Some((number, _)) = listens else {
        return Ok(None);
    };
    let found = store
        .revision(&served.tenant, &served.campaign, served.edition, *number)
        .await?;
    Ok(found.map(|revision| revision.at))
}

/// Relays for ever.
pub async fn run(shell: Arc<Shell>) {
    let mut relay = Relay::default();
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        relay.round(&shell).await;
    }
}
