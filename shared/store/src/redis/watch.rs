//! That something was published, paused or changed reaches every process: by a message at once, and by a look at a counter
//! that a lost message only delays.

use std::sync::Weak;
use std::time::Duration;

use redis::Value;

use super::keys;
use super::link::Topic;
use super::shared::Shared;

/// How often the counter is looked at: with what a registry takes to load, a second is kept even when a message is lost.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Tells everyone that something has changed. A failure only delays: the next change is told, and whoever commits under a
/// revision that is not live any more finds out by it.
pub(super) async fn tell(shared: &Shared) {
    let count = redis::cmd("INCR").arg(keys::changes()).to_owned();
    let message = redis::cmd("PUBLISH")
        .arg(keys::changes())
        .arg("changed")
        .to_owned();
    for command in [count, message] {
        if let Err(error) = shared.links.send(&command).await {
            tracing::warn!(%error, "a change could not be told to the other processes; they find out by themselves");
        }
    }
    shared.changes.send_modify(|number| *number += 1);
}

/// Listens and looks until the store is gone.
pub(super) async fn run(shared: Weak<Shared>) {
    let mut every = tokio::time::interval(LOOK_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut topic: Option<Topic> = None;
    let mut seen: Option<i64> = None;
    loop {
        let heard = tokio::select! {
            heard = next(&mut topic) => heard,
            _ = every.tick() => false,
        };
        let Some(shared) = shared.upgrade() else {
            return;
        };
        if topic.is_none() {
            topic = shared
                .links
                .subscribe(&keys::changes().to_string())
                .await
                .ok();
        }
        let now = count(&shared).await;
        let moved = matches!((now, seen), (Some(now), Some(before)) if now != before);
        if heard || moved {
            shared.changes.send_modify(|number| *number += 1);
        }
        seen = now.or(seen);
    }
}

/// Resolves when something was heard, or may have been missed.
async fn next(topic: &mut Option<Topic>) -> bool {
    let heard = match topic {
        Some(topic) => topic.next().await,
        None => std::future::pending().await,
    };
    if heard.is_none() {
        *topic = None;
    }
    true
}

async fn count(shared: &Shared) -> Option<i64> {
    let look = redis::cmd("GET").arg(keys::changes()).to_owned();
    let told = shared.links.send(&look).await;
    shared
        .lookout
        .note(told.as_ref().err().map(ToString::to_string));
    match told.ok()? {
        Value::BulkString(bytes) => std::str::from_utf8(&bytes).ok()?.parse().ok(),
        Value::Nil => Some(0),
        _ => None,
    }
}
