//! Walks over the keys of one campaign: all participants of a lane, for those who reconcile or purge. Each step is short, and
//! what is written meanwhile is met or not.

use std::collections::BTreeMap;
use std::sync::Arc;

use machine::Day;
use machine::ids::CampaignKey;
use machine::world::CounterKey;
use redis::Value;

use super::admin::values;
use super::keys::{Key, OfCampaign, OfLane};
use super::read::{counter_key, counter_of};
use super::record;
use super::shared::{Shared, not_read};
use crate::{Error, Page};

/// How many keys a step looks at, at least: most of a server's keys may be another campaign's.
const LEAST: usize = 1000;

/// One step: where to go on, and the keys met.
pub(super) async fn step(
    shared: &Shared,
    near: Key,
    cursor: &str,
    pattern: &str,
    count: usize,
) -> Result<(Option<String>, Vec<Key>), Error> {
    let odd = || Error::Read("a walk's answer is of an unknown form".to_owned());
    let call = shared.scripts.scan.call().key(near);
    let call = call.arg(cursor).arg(pattern).arg(count.to_string());
    let told = call
        .run(&shared.links)
        .await
        .map_err(|error| not_read(&error))?;
    let Value::Array(parts) = told else {
        return Err(odd());
    };
    let [Value::BulkString(next), Value::Array(found)] = parts.as_slice() else {
        return Err(odd());
    };
    let next = String::from_utf8(next.clone()).map_err(|_| odd())?;
    let keys = found.iter().filter_map(|key| match key {
        Value::BulkString(name) => String::from_utf8(name.clone()).ok().map(Key::named),
        _ => None,
    });
    Ok(((next != "0").then_some(next), keys.collect()))
}

/// Some participants of a lane.
pub(super) async fn participants(
    shared: &Shared,
    key: &CampaignKey,
    from: Option<&str>,
    most: usize,
) -> Result<Page, Error> {
    let keys = OfLane::new(key);
    let near = OfCampaign::new(&key.tenant, &key.campaign, key.edition).head();
    let pattern = format!("{}*", keys.participants());
    let cursor = from.unwrap_or("0");
    let (next, found) = step(shared, near, cursor, &pattern, most.max(LEAST)).await?;
    let mut participants = Vec::with_capacity(found.len());
    if !found.is_empty() {
        let mut command = redis::cmd("MGET");
        for key in &found {
            command.arg(key);
        }
        let told = shared.ask(&command).await?;
        for (key, value) in found.iter().zip(values(told)?) {
            let name = key.to_string();
            let user = name
                .get(name.len().saturating_sub(32)..)
                .and_then(|user| user.parse().ok())
                .ok_or_else(|| Error::Read(format!("`{name}` names no participant")))?;
            let Some(value) = value else { continue };
            let record = record::Value::of(&value).and_then(|value| value.participant());
            let record =
                record.map_err(|error| Error::Read(format!("participant {user}: {error}")))?;
            participants.push((user, Arc::new(record)));
        }
    }
    Ok(Page { participants, next })
}

/// Every tally of a lane.
pub(super) async fn tallies(
    shared: &Shared,
    key: &CampaignKey,
) -> Result<Vec<(Arc<str>, Day, u32)>, Error> {
    let keys = OfLane::new(key);
    let near = OfCampaign::new(&key.tenant, &key.campaign, key.edition).head();
    let begin = keys.counter_named("").to_string();
    let pattern = format!("{}*", keys.counter_named("tally/"));
    let mut tallies = BTreeMap::new();
    let mut cursor = "0".to_owned();
    loop {
        let (next, found) = step(shared, near.clone(), &cursor, &pattern, LEAST).await?;
        if !found.is_empty() {
            let mut command = redis::cmd("MGET");
            for key in &found {
                command.arg(key);
            }
            let told = shared.ask(&command).await?;
            for (key, value) in found.iter().zip(values(told)?) {
                let name = key.to_string();
                let counter = value.as_deref().and_then(counter_of);
                let named = name.strip_prefix(&begin).and_then(counter_key);
                if let (Some(CounterKey::Tally(team, day)), Some(counter)) = (named, counter) {
                    let issued = u32::try_from(counter.issued).unwrap_or(u32::MAX);
                    tallies.insert((team, day), issued);
                }
            }
        }
        match next {
            Some(next) => cursor = next,
            None => break,
        }
    }
    let tallies = tallies.into_iter();
    Ok(tallies
        .map(|((team, day), issued)| (team, day, issued))
        .collect())
}
