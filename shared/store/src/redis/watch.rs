//! That something was published, paused or changed reaches every process: by a message at once, and by a look at a counter
//! that a lost message only delays.

use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::Value;
use tokio::time::Instant;

use super::keys;
use super::link::{LinkError, Topic};
use super::shared::Shared;

/// How often the counter is looked at: with what a registry takes to load, a second is kept even when a message is lost.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What [`Shared::seen_changes`] holds before the first look.
pub(super) const UNSEEN: i64 = -1;

/// Tells everyone that something has changed. A failure only delays: the next change is told, and whoever commits under a
/// revision that is not live any more finds out by it.
pub(super) async fn tell(shared: &Shared) {
    let count = redis::cmd("INCR").arg(keys::changes()).to_owned();
    let counted = shared.links.send(&count).await;
    if let Ok(Value::Int(number)) = counted {
        // Known here already: the message that comes back brings no news.
        shared.seen_changes.fetch_max(number, Ordering::Relaxed);
    }
    let message = redis::cmd("PUBLISH")
        .arg(keys::changes())
        .arg("changed")
        .to_owned();
    let told = shared.links.send(&message).await;
    if let Err(error) = counted.and(told) {
        tracing::warn!(%error, "a change could not be told to the other processes; they find out by themselves");
    }
    shared.changes.send_modify(|number| *number += 1);
}

/// Takes the counter as it is: from here on, changes are news.
pub(super) async fn begin(shared: &Shared) -> Result<(), LinkError> {
    let look = redis::cmd("GET").arg(keys::changes()).to_owned();
    if let Some(now) = counted(shared.links.send(&look).await?) {
        shared.seen_changes.fetch_max(now, Ordering::Relaxed);
    }
    Ok(())
}

/// Opens the connections that the start did not wait for, then listens and looks until the store is gone. It begins by waiting:
/// a start has more urgent things to do, and what changes since [`begin`] is seen by the first look.
pub(super) async fn run(shared: Weak<Shared>) {
    let mut every = tokio::time::interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut topic: Option<Topic> = None;
    let mut is_wide = false;
    loop {
        tokio::select! {
            () = next(&mut topic) => {}
            _ = every.tick() => {}
        }
        let Some(shared) = shared.upgrade() else {
            return;
        };
        if !is_wide {
            is_wide = shared.links.widen().await.is_ok();
        }
        if topic.is_none() {
            topic = shared
                .links
                .subscribe(&keys::changes().to_string())
                .await
                .ok();
        }
        if let Some(now) = count(&shared).await {
            // It only grows: a look that was overtaken by a change of this process brings no news. (A store that was emptied
            // counts anew; what is then served is read again every few seconds anyway.)
            let before = shared.seen_changes.fetch_max(now, Ordering::Relaxed);
            if before != UNSEEN && before < now {
                shared.changes.send_modify(|number| *number += 1);
            }
        }
    }
}

/// Resolves when something was heard, or may have been missed.
async fn next(topic: &mut Option<Topic>) {
    let heard = match topic {
        Some(topic) => topic.next().await,
        None => std::future::pending().await,
    };
    if heard.is_none() {
        *topic = None;
    }
}

async fn count(shared: &Shared) -> Option<i64> {
    let look = redis::cmd("GET").arg(keys::changes()).to_owned();
    let told = shared.links.send(&look).await;
    shared
        .lookout
        .note(told.as_ref().err().map(ToString::to_string));
    counted(told.ok()?)
}

fn counted(told: Value) -> Option<i64> {
    match told {
        Value::BulkString(bytes) => std::str::from_utf8(&bytes).ok()?.parse().ok(),
        Value::Nil => Some(0),
        _ => None,
    }
}
