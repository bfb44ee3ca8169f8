//! That something was published, paused or changed reaches every process: by a message at once, and by a look at a counter
//! that a lost message only delays.

use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::Value;

use super::keys;
use super::shared::Shared;

/// How often the counter is looked at. With the half second that a registry takes at most, a second is kept.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Tells everyone that something has changed. A failure only delays: the next change is told, and whoever commits under a
/// revision that is not live any more finds out by it.
pub(super) async fn tell(shared: &Shared) {
    let count = redis::cmd("INCR").arg(keys::changes()).to_owned();
    if let Err(error) = shared.links.send(&count).await {
        tracing::warn!(%error, "a change could not be told to the other processes; they find out by themselves");
    }
    shared.changes.send_modify(|number| *number += 1);
}

/// Looks at the counter until the store is gone.
pub(super) async fn run(shared: Weak<Shared>) {
    let mut every = tokio::time::interval(LOOK_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen: Option<i64> = None;
    loop {
        every.tick().await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let now = count(&shared).await;
        if let (Some(now), Some(before)) = (now, seen)
            && now != before
        {
            shared.changes.send_modify(|number| *number += 1);
        }
        seen = now.or(seen);
    }
}

async fn count(shared: &Arc<Shared>) -> Option<i64> {
    let look = redis::cmd("GET").arg(keys::changes()).to_owned();
    match shared.links.send(&look).await.ok()? {
        Value::BulkString(bytes) => std::str::from_utf8(&bytes).ok()?.parse().ok(),
        Value::Nil => Some(0),
        _ => None,
    }
}
