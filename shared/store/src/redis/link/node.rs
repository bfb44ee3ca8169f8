//! One primary: its shared connections, its exclusive ones, its breaker. What is sent, and which primary owns a key, is
//! not known here.
//!
//! Why four shared connections: 64 tasks that EVALSHA a script of one GET ran, against one connection, 1.02 times as fast
//! over two, 1.00 over four and 0.96 over eight (medians of seven interleaved rounds on two busy cores, an unoptimised
//! build, single rounds a fifth up or down): no difference that can be told. So the number is not chosen for speed. With
//! four, a lost connection takes a quarter of the calls on their way with it, a long reply holds up a quarter, and where
//! there are more cores (not measured) the drivers, each a task that runs on one, are not the narrow place.

use std::array;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bb8::{ManageConnection, Pool, PooledConnection};
use futures_util::future::try_join_all;
use parking_lot::Mutex;
use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, Value};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::REPLY_TIMEOUT;
use super::breaker::Breaker;
use super::dial::{CONNECT_TIMEOUT, Dialer, Link};
use super::fault::{LinkError, read};
use super::sentinel::{Sentinels, check_role};

/// Shared connections to a primary.
const LANES: usize = 4;

/// Exclusive connections to a primary: as many calls wait for replicas at a time. Each is a batch of commits, so this is
/// no bound on commits.
const EXCLUSIVE: u32 = 16;

/// What is left of a call's time for replies to arrive after `WAIT` gave up.
const WAY_BACK: Duration = Duration::from_millis(100);

/// Where a primary is.
#[derive(Debug)]
pub(super) enum Place {
    /// Here, always.
    Fixed(String, u16),
    /// Where the sentinels say.
    Watched(Sentinels),
}

/// A primary, or the place where one should be.
#[derive(Debug)]
pub(super) struct Node {
    way: Arc<Way>,
    lanes: [ArcSwapOption<Link>; LANES],
    next_lane: AtomicUsize,
    shared: Pool<Dials>,
    exclusive: Pool<Dials>,
    breaker: Breaker,
    started: Instant,
}

/// How one gets there, and why one didn't.
#[derive(Debug)]
struct Way {
    dialer: Arc<Dialer>,
    place: Place,
    epoch: AtomicU64,
    last_failure: Mutex<String>,
    failed: Notify,
}

impl Node {
    /// Connects nothing yet.
    pub(super) fn new(dialer: Arc<Dialer>, place: Place) -> Self {
        let way = Arc::new(Way {
            dialer,
            place,
            epoch: AtomicU64::new(0),
            last_failure: Mutex::new(String::new()),
            failed: Notify::new(),
        });
        // A connection is checked by its flag and not by a PING; it lives as long as it works; one failed attempt is
        // told to all who wait instead of being repeated behind their backs: the breaker says when to try again.
        let pool = |most: u32| {
            Pool::builder()
                .max_size(most)
                .connection_timeout(CONNECT_TIMEOUT + WAY_BACK)
                .retry_connection(false)
                .test_on_check_out(false)
                .max_lifetime(None)
        };
        let dials = Dials(Arc::clone(&way));
        Self {
            lanes: array::from_fn(|_| ArcSwapOption::empty()),
            next_lane: AtomicUsize::new(0),
            shared: pool(LANES as u32)
                .min_idle(LANES as u32)
                .idle_timeout(None)
                .build_unchecked(dials.clone()),
            exclusive: pool(EXCLUSIVE).build_unchecked(dials),
            breaker: Breaker::default(),
            started: Instant::now(),
            way,
        }
    }

    /// Connects once. All lanes share that connection until [`Self::widen`]: a start waits for one and not for four.
    pub(super) async fn reach(&self) -> Result<(), LinkError> {
        let dialled = Dials(Arc::clone(&self.way)).connect().await;
        if dialled.is_err() {
            self.breaker.open(self.now());
        }
        let link = Arc::new(dialled?);
        for lane in &self.lanes {
            lane.store(Some(Arc::clone(&link)));
        }
        Ok(())
    }

    /// Gives each lane a connection of its own.
    pub(super) async fn widen(&self) -> Result<(), LinkError> {
        let deadline = Instant::now() + CONNECT_TIMEOUT * 2;
        // Held until all are there, so that no two are the same.
        let takes = self
            .lanes
            .each_ref()
            .map(|_| self.take(&self.shared, deadline));
        let links = try_join_all(takes).await?;
        for (lane, link) in self.lanes.iter().zip(&links) {
            lane.store(Some(Arc::new((*link).clone())));
        }
        Ok(())
    }

    /// Sends one command over a shared connection; with `asking`, to a slot that is on its way here.
    pub(super) async fn call(
        &self,
        command: &Cmd,
        asking: bool,
        deadline: Instant,
    ) -> Result<Value, LinkError> {
        self.admit()?;
        let outcome = async {
            let mut link = self.shared_link(deadline).await?;
            let by = reply_by(deadline);
            let reply = if asking {
                let mut both = Pipeline::with_capacity(2);
                both.cmd("ASKING").add_command(command.clone());
                let sent = link.connection.req_packed_commands(&both, 0, 2);
                timeout_at(by, sent)
                    .await
                    .map(|sent| sent.map(|mut replies| replies.pop().unwrap_or(Value::Nil)))
            } else {
                timeout_at(by, link.connection.req_packed_command(command)).await
            };
            let outcome = match reply {
                Ok(Ok(value)) => read(value),
                Ok(Err(error)) => Err(LinkError::after_sending(&error)),
                Err(_) => Err(silence()),
            };
            if let Err(error) = &outcome
                && (matches!(error, LinkError::Lost(_)) || error.means_not_the_primary())
            {
                link.give_up();
            }
            outcome
        }
        .await;
        self.learn(outcome)
    }

    /// Sends a command and `WAIT` as one on an exclusive connection.
    pub(super) async fn call_and_wait(
        &self,
        command: &Cmd,
        asking: bool,
        replicas: u32,
        wait: Duration,
        deadline: Instant,
    ) -> Result<(Value, u32), LinkError> {
        self.admit()?;
        let outcome = async {
            let mut link = self.take(&self.exclusive, deadline).await?;
            let left = deadline.saturating_duration_since(Instant::now() + WAY_BACK);
            // To the server, 0 means forever.
            let wait_ms = wait.min(left).as_millis().max(1);
            let mut sent = Pipeline::with_capacity(3);
            if asking {
                sent.cmd("ASKING");
            }
            sent.add_command(command.clone());
            sent.cmd("WAIT").arg(replicas).arg(wait_ms as u64);
            let count = sent.len();

            link.is_mid_call = true;
            let replies = timeout_at(
                deadline,
                link.connection.req_packed_commands(&sent, 0, count),
            );
            let mut replies = match replies.await {
                Ok(Ok(replies)) => replies,
                Ok(Err(error)) => return Err(LinkError::after_sending(&error)),
                Err(_) => return Err(silence()),
            };
            let (Some(waited), Some(value)) = (replies.pop(), replies.pop()) else {
                return Err(LinkError::Lost("a reply is missing".to_owned()));
            };
            let value = read(value);
            // From here on the connection has nothing left to say, and goes back to the others.
            link.is_mid_call = matches!(&value, Err(error) if error.means_not_the_primary());
            match waited {
                Value::Int(count) => Ok((value?, count as u32)),
                // It was written, and nobody knows where else.
                other => {
                    value?;
                    Err(LinkError::Lost(format!("WAIT: {other:?}")))
                }
            }
        }
        .await;
        self.learn(outcome)
    }

    /// No connection that was made until now is used again.
    pub(super) fn retire(&self) {
        self.way.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// The sentinels, where there are any.
    pub(super) fn sentinels(&self) -> Option<&Sentinels> {
        match &self.way.place {
            Place::Fixed(..) => None,
            Place::Watched(sentinels) => Some(sentinels),
        }
    }

    /// Where the primary is at the moment.
    pub(super) async fn whereabouts(&self) -> Result<(String, u16), LinkError> {
        match &self.way.place {
            Place::Fixed(host, port) => Ok((host.clone(), *port)),
            Place::Watched(sentinels) => sentinels.primary().await,
        }
    }

    /// The host of a place that never changes.
    pub(super) fn fixed_host(&self) -> Option<&str> {
        match &self.way.place {
            Place::Fixed(host, _) => Some(host),
            Place::Watched(_) => None,
        }
    }

    async fn shared_link(&self, deadline: Instant) -> Result<Link, LinkError> {
        let lane = &self.lanes[self.next_lane.fetch_add(1, Ordering::Relaxed) % LANES];
        if let Some(link) = lane.load().as_deref()
            && self.way.is_good(link)
        {
            return Ok(link.clone());
        }
        // The guard goes back at once: held over a call, it would make a multiplexed connection an exclusive one.
        let link = self.take(&self.shared, deadline).await?.clone();
        lane.store(Some(Arc::new(link.clone())));
        Ok(link)
    }

    async fn take<'a>(
        &self,
        pool: &'a Pool<Dials>,
        deadline: Instant,
    ) -> Result<PooledConnection<'a, Dials>, LinkError> {
        loop {
            let failed = self.way.failed.notified();
            tokio::select! {
                biased;
                got = pool.get() => match got {
                    Ok(link) if self.way.is_good(&link) => return Ok(link),
                    // Dropped, it leaves the pool, and the next one is tried.
                    Ok(_) => {}
                    Err(_) => return Err(LinkError::Away("no connection became free in time".to_owned())),
                },
                () = sleep_until(deadline) => {
                    return Err(LinkError::Away("no connection in time".to_owned()));
                }
                () = failed => {
                    self.breaker.open(self.now());
                    return Err(LinkError::Away(self.way.last_failure.lock().clone()));
                }
            }
        }
    }

    fn admit(&self) -> Result<(), LinkError> {
        if self.breaker.lets_pass(self.now()) {
            return Ok(());
        }
        Err(LinkError::Away(format!(
            "left alone for a moment, since: {}",
            self.way.last_failure.lock()
        )))
    }

    fn learn<T>(&self, outcome: Result<T, LinkError>) -> Result<T, LinkError> {
        match &outcome {
            // Whoever got no connection has nothing to tell of the server; if there is none, `take` opened the breaker.
            Err(LinkError::Away(_)) => {}
            Err(error) if error.means_nobody_home() => {
                *self.way.last_failure.lock() = error.to_string();
                if error.means_not_the_primary() && self.sentinels().is_some() {
                    self.retire();
                }
                if self.breaker.failed(self.now()) {
                    tracing::warn!(%error, "the store fails again and again; it is left alone for a moment");
                }
            }
            Ok(_) | Err(_) => self.breaker.succeeded(),
        }
        outcome
    }

    fn now(&self) -> u64 {
        self.started.elapsed().as_millis() as u64 + 1
    }
}

impl Way {
    fn is_good(&self, link: &Link) -> bool {
        !link.is_gone() && link.epoch == self.epoch.load(Ordering::Acquire)
    }

    async fn dial(&self) -> Result<Link, LinkError> {
        let epoch = self.epoch.load(Ordering::Acquire);
        let mut link = match &self.place {
            Place::Fixed(host, port) => self.dialer.dial(host, *port).await?,
            Place::Watched(sentinels) => {
                let (host, port) = sentinels.primary().await?;
                let mut link = self.dialer.dial(&host, port).await?;
                check_role(&mut link, &host, port).await?;
                *sentinels.current.lock() = Some((host, port));
                link
            }
        };
        link.epoch = epoch;
        Ok(link)
    }
}

/// What the pools know of connections.
#[derive(Debug, Clone)]
struct Dials(Arc<Way>);

impl ManageConnection for Dials {
    type Connection = Link;
    type Error = LinkError;

    async fn connect(&self) -> Result<Link, LinkError> {
        let dialled = tokio::time::timeout(CONNECT_TIMEOUT, self.0.dial()).await;
        let outcome = dialled.unwrap_or_else(|_| {
            Err(LinkError::Away(
                "no connection to the primary in time".to_owned(),
            ))
        });
        if let Err(LinkError::Away(why)) = &outcome {
            self.0.last_failure.lock().clone_from(why);
            self.0.failed.notify_waiters();
        }
        outcome
    }

    async fn is_valid(&self, _link: &mut Link) -> Result<(), LinkError> {
        Ok(())
    }

    fn has_broken(&self, link: &mut Link) -> bool {
        link.is_mid_call || !self.0.is_good(link)
    }
}

fn reply_by(deadline: Instant) -> Instant {
    deadline.min(Instant::now() + REPLY_TIMEOUT)
}

fn silence() -> LinkError {
    LinkError::Lost("it came in no time that anyone waits".to_owned())
}
