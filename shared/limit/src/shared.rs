//! A limit that holds over all processes: tokens come from one bucket in the store, a batch at a time.
//!
//! A call is decided from the batch in hand, so it pays no round trip; the next batch is fetched in the background before
//! this one runs out. A batch is what was used in the last 100 ms, at most `B`: a fortieth of the quota's burst, or of what
//! comes back in a second if that is more, and at least 1. Up to `B` more calls are let in on credit while a fetch is under
//! way, and the first tokens then are theirs. A process that gets one call in a while has no batch: it pays afterwards.
//!
//! **How far off it can be.** Over any window of `W` seconds, N processes together let in at most
//! `burst + (W + R) * per_second + N * 2 * B` calls, where R is a round trip to the store: what the bucket gave, what was in
//! hand before, what is on credit after. That is a twentieth of a full bucket for each process. When there are always calls,
//! they let in at least `W * per_second - N * 2 * B`, provided the store answers within the 25 ms or so that a batch lasts and
//! the bucket holds more than comes back meanwhile (else tokens run over before anyone can fetch them). An answer that is lost
//! costs the tokens that were in it; tokens in hand that are not used within a second are thrown away, so an idle process holds
//! back at most one batch, once.
//!
//! **When the store is away** (an error, or no answer within [`FETCH`]) each process limits alone, by a governor of the
//! part of the quota that it used of what all used lately: the parts of all add up to about one quota. One that knows of no
//! other takes the whole. It is tried again twice a second.
//!
//! No call waits for the store, unless nothing is in hand and all credit is used (a burst on a quiet tenant), and then for
//! [`PATIENCE`] at the longest; after that it is decided as if the store were away.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock;
use parking_lot::Mutex;
use store::TokenSource;
use tokio::time::Instant;

use crate::decision::{Decision, Quota, whole_secs};
use crate::hand::{Hand, Step, Verdict, most};
use crate::limiter::Limiter;

/// How long a call waits for tokens at the longest.
pub const PATIENCE: Duration = Duration::from_millis(50);

/// How long a fetch may take before the store counts as away.
pub const FETCH: Duration = Duration::from_millis(250);

/// How long a process that limits alone keeps to the part it had.
const ANEW: Duration = Duration::from_mins(1);

/// The clock of the runtime's timers: governor goes by it too, so that a test turns one clock and not half of it.
#[derive(Debug, Clone)]
struct Ticks(Instant);

impl Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

type Front = Limiter<str, Ticks>;

fn limiter(quota: Quota) -> Front {
    Limiter::with_clock(quota, 1, Ticks(Instant::now()))
}

/// One tenant's limit: by a governor of this process's own in front, and over all processes where there is a source.
pub struct Shared {
    front: Front,
    over: Option<Arc<Over>>,
}

struct Over {
    source: Arc<dyn TokenSource>,
    tenant: String,
    name: String,
    quota: Quota,
    hand: Mutex<Hand>,
    /// Decides while the store is away, and when it was made.
    alone: Mutex<Option<(Instant, Arc<Front>)>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("quota", &self.quota())
            .field("over_all", &self.over.is_some())
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// A limit within this process alone.
    pub fn local(quota: Quota) -> Self {
        Self {
            front: limiter(quota),
            over: None,
        }
    }

    /// The limit `name` of a tenant over all processes that use this source with the same quota.
    pub fn over_all(source: Arc<dyn TokenSource>, tenant: &str, name: &str, quota: Quota) -> Self {
        let over = Over {
            source,
            tenant: tenant.to_owned(),
            name: name.to_owned(),
            quota,
            hand: Mutex::new(Hand::new(quota, Instant::now())),
            alone: Mutex::new(None),
        };
        Self {
            over: Some(Arc::new(over)),
            ..Self::local(quota)
        }
    }

    /// The quota.
    pub fn quota(&self) -> Quota {
        self.front.quota()
    }

    /// By how many calls one process can be off, in hand and on credit together; 0 within one process.
    pub fn margin(&self) -> u32 {
        self.over.as_ref().map_or(0, |over| 2 * most(over.quota))
    }

    /// Counts one call and says whether it may go on. A refused call costs nothing. To be called within a tokio runtime.
    pub async fn check(&self) -> Decision {
        let front = self.front.check("");
        match &self.over {
            Some(over) if front.allowed => over.check(front).await,
            _ => front,
        }
    }

    /// Gives memory back: see [`Limiter::tidy`].
    pub fn tidy(&self) {
        self.front.tidy();
    }
}

impl Over {
    async fn check(self: &Arc<Self>, front: Decision) -> Decision {
        let (step, want) = {
            let mut hand = self.hand.lock();
            let now = Instant::now();
            (hand.ask(now), hand.fetch(now))
        };
        if let Some(want) = want {
            tokio::spawn(self.clone().fetch(want));
        }
        let verdict = match step {
            Step::Done(verdict) => verdict,
            Step::Wait(told) => match tokio::time::timeout(PATIENCE, told).await {
                Ok(Ok(verdict)) => verdict,
                Ok(Err(_)) | Err(_) => Verdict::Alone,
            },
        };
        match verdict {
            Verdict::Allowed => front,
            Verdict::Refused(wait) => {
                let secs = whole_secs(wait);
                Decision {
                    allowed: false,
                    remaining: 0,
                    reset_secs: secs,
                    retry_after_secs: secs,
                    ..front
                }
            }
            Verdict::Alone => self.alone().check(""),
        }
    }

    /// Fetches `want` tokens, and more for as long as more are needed at once.
    async fn fetch(self: Arc<Self>, want: u32) {
        let rate = self.hand.lock().rate();
        let mut want = Some(want);
        while let Some(wanted) = want {
            let take = self.source.take(&self.tenant, &self.name, rate, wanted);
            let failure = match tokio::time::timeout(FETCH, take).await {
                Ok(Ok(got)) => {
                    want = {
                        let mut hand = self.hand.lock();
                        let now = Instant::now();
                        hand.landed(&got, now);
                        hand.fetch(now)
                    };
                    continue;
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("no answer within {} ms", FETCH.as_millis()),
            };
            if self.hand.lock().failed(Instant::now()) {
                tracing::warn!(tenant = %self.tenant, limit = %self.name, error = %failure, "this process limits alone");
            }
            return;
        }
    }

    /// What decides while the store is away. It begins full, so it is made anew at most once in [`ANEW`]: a store that comes
    /// and goes must not fill it each time.
    fn alone(&self) -> Arc<Front> {
        let (now, share) = (Instant::now(), self.hand.lock().share());
        let mut alone = self.alone.lock();
        if let Some((made, limiter)) = &*alone
            && now.saturating_duration_since(*made) < ANEW
        {
            return limiter.clone();
        }
        let limiter = Arc::new(limiter(self.quota.part(share)));
        *alone = Some((now, limiter.clone()));
        limiter
    }
}
