//! Counters that staff move: raised, lowered, read. What others move meanwhile is the script's to look at.

use std::sync::Arc;

use machine::ids::Lane;
use machine::world::{AdminOutcome, Counter, CounterKey, Done, Refused};
use redis::Value;

use super::admin::{Found, Plan};
use super::shared::{Shared, strange};
use crate::Error;

/// A ceiling lowered from where it is now, as far as what is gone leaves it: the script looks whether both still are so far.
pub(super) async fn withdraw(
    shared: &Shared,
    found: &Found,
    lane: Lane,
    reward: &Arc<str>,
    units: Option<u32>,
) -> Result<Result<Plan, AdminOutcome>, Error> {
    let key = CounterKey::Stock(reward.clone());
    let Some(seen) = counter(shared, found, lane, &key).await? else {
        let no = Refused::NoSuchStock(reward.clone());
        return Ok(Err(AdminOutcome::Refused(no)));
    };
    let mut after = seen;
    let withdrawn = after.withdraw(units);
    if withdrawn == 0 {
        return Ok(Err(AdminOutcome::Already));
    }
    let figure = format!("{} {}", seen.ceiling, after.ceiling);
    Ok(Ok(Plan {
        counters: vec![(lane, key, "take", figure)],
        done: Done {
            ceiling: Some(after.ceiling),
            withdrawn: Some(withdrawn),
            ..Done::default()
        },
        ..Plan::default()
    }))
}

async fn counter(
    shared: &Shared,
    found: &Found,
    lane: Lane,
    key: &CounterKey,
) -> Result<Option<Counter>, Error> {
    let counter = found.keys.lane(lane).counter(key);
    let command = redis::cmd("GET").arg(counter).to_owned();
    Ok(match shared.tell(&command).await? {
        Value::BulkString(bytes) => super::read::counter_of(&bytes),
        _ => None,
    })
}

/// The counters of the test lane that a publish made, with the figures that it asked for. Nobody else publishes meanwhile: that
/// would leave another head, or a note.
pub(super) async fn configured(
    shared: &Shared,
    found: &Found,
) -> Result<Vec<(String, u64)>, Error> {
    let lane = found.keys.lane(Lane::Test);
    let names = redis::cmd("SMEMBERS").arg(lane.counters()).to_owned();
    let names: Vec<String> = match shared.tell(&names).await? {
        Value::Array(names) | Value::Set(names) => names
            .into_iter()
            .filter_map(|name| match name {
                Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
                _ => None,
            })
            .collect(),
        other => return Err(strange(&other)),
    };
    let mut made = Vec::new();
    for name in names {
        let key = super::read::counter_key(&name);
        // What is of a day begins by itself.
        let Some(key) = key.filter(|key| key.day().is_none()) else {
            continue;
        };
        let command = redis::cmd("GET").arg(lane.counter(&key)).to_owned();
        if let Value::BulkString(bytes) = shared.tell(&command).await?
            && let Some(counter) = super::read::counter_of(&bytes)
        {
            made.push((name, counter.configured.unsigned_abs()));
        }
    }
    Ok(made)
}

/// A ceiling raised from where it is now: the script looks whether it still is.
pub(super) async fn add_stock(
    shared: &Shared,
    found: &Found,
    lane: Lane,
    reward: &Arc<str>,
    add: u32,
) -> Result<Result<Plan, AdminOutcome>, Error> {
    let key = CounterKey::Stock(reward.clone());
    let Some(counter) = counter(shared, found, lane, &key).await? else {
        let no = Refused::NoSuchStock(reward.clone());
        return Ok(Err(AdminOutcome::Refused(no)));
    };
    Ok(Ok(Plan {
        counters: vec![(lane, key, "add", format!("{add} {}", counter.ceiling))],
        done: Done {
            ceiling: Some(counter.ceiling + i64::from(add)),
            ..Done::default()
        },
        ..Plan::default()
    }))
}
