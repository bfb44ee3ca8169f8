//! Looks at the server at the start, every half minute and after each new connection, and keeps what it gives: the durability
//! that campaigns may count on, and how far this machine's clock is from its own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::RwLock;
use tokio::time::Instant;

use super::link::LinkError;
use super::server::{Gives, Server, look};
use super::shared::Shared;

/// How often the server is looked at.
const EVERY: Duration = Duration::from_secs(30);

/// How often it is seen whether there are new connections.
const GLANCE_EVERY: Duration = Duration::from_millis(500);

/// What the last look found.
#[derive(Debug, Default)]
pub(super) struct Lookout {
    last: RwLock<Option<Arc<Seen>>>,
    /// Why the last small call failed, if it did.
    trouble: RwLock<Option<String>>,
    /// How often the server's history was found to be another.
    rewinds: AtomicU64,
}

/// One look.
#[derive(Debug)]
pub(super) struct Seen {
    pub server: Server,
    pub gives: Gives,
}

impl Lookout {
    pub fn last(&self) -> Option<Arc<Seen>> {
        self.last.read().clone()
    }

    /// Why the store takes no calls now, as far as the last one tells.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.read().clone()
    }

    /// How often the server's history was found to be another.
    pub fn rewinds(&self) -> u64 {
        self.rewinds.load(Ordering::Relaxed)
    }

    pub fn note(&self, trouble: Option<String>) {
        if *self.trouble.read() != trouble {
            *self.trouble.write() = trouble;
        }
    }
}

/// Looks once, and says what has changed.
pub(super) async fn look_now(shared: &Shared) -> Result<Arc<Seen>, LinkError> {
    let server = look(&shared.links, &shared.address).await?;
    let gives = server.gives(&shared.address);
    let seen = Arc::new(Seen { server, gives });
    let before = shared.lookout.last.write().replace(seen.clone());
    if let Some(before) = before {
        if before.server.replication_id != seen.server.replication_id {
            shared.lookout.rewinds.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                before = before.server.replication_id,
                now = seen.server.replication_id,
                "the store's history is another: it was started anew or a replica was promoted. What was answered in the last \
                 moments before may be gone unless campaigns are `strict`; `gala reconcile` compares ledger and records"
            );
        }
        if before.gives != seen.gives {
            tracing::warn!(best = ?seen.gives.best, because = ?seen.gives.because, "the store gives another durability");
        }
    }
    Ok(seen)
}

/// Looks until the store is gone, the first time a moment after whoever opened it looked.
pub(super) async fn run(shared: Weak<Shared>) {
    let mut every = tokio::time::interval_at(Instant::now() + GLANCE_EVERY, GLANCE_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut generation, mut glances) = (None, 0_u32);
    loop {
        every.tick().await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        glances += 1;
        let now = shared.links.generation();
        let due = u128::from(glances) * GLANCE_EVERY.as_millis() >= EVERY.as_millis();
        if generation == Some(now) && !due {
            continue;
        }
        // What can't be looked at is looked at again; until then the last look stands.
        if look_now(&shared).await.is_ok() {
            (generation, glances) = (Some(shared.links.generation()), 0);
        }
    }
}
