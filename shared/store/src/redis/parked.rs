//! Parked events: kept in their tenant's slot, beside its audit, so that taking one away and booking that is one step.

use std::time::Duration;

use machine::world::{Action, Admin, AdminOutcome, Kept, PARKED_MOST, Parked, Parking, Refused};
use redis::Value;

use super::form;
use super::keys::OfTenant;
use super::note;
use super::shared::{Shared, not_written, strange};
use crate::Error;
use crate::delivery;

/// For how long replicas may take to have a parked event.
const WAIT: Duration = Duration::from_secs(1);

/// What an entry is called where it can't be read.
const ENTRY: &str = "a parked event";

/// [`Store::park`](crate::Store::park). Where the address states replicas, it is kept once they have it: the host forgets
/// an event that it was told is kept.
pub(super) async fn park(shared: &Shared, tenant: &str, parked: Parked) -> Result<u64, Error> {
    let keys = OfTenant(tenant);
    let data = parked.data.clone();
    let record = Parked {
        data: std::sync::Arc::from([]),
        ..parked
    };
    let call = shared.scripts.park.call();
    let call = call
        .key(keys.secret())
        .key(keys.parked())
        .key(keys.parked_data())
        .key(keys.parked_order())
        .key(keys.parked_tally())
        .arg(record.id.as_bytes())
        .arg(record.at.to_string())
        .arg(form::encode(&record)?)
        .arg(&*data)
        .arg(PARKED_MOST.to_string());
    let replicas = shared.address.replicas;
    let (answer, acked) = if replicas > 0 {
        call.run_and_wait(&shared.links, replicas, WAIT).await
    } else {
        call.run(&shared.links).await.map(|answer| (answer, 0))
    }
    .map_err(|error| not_written(&error))?;
    let kept = match answer {
        Value::Int(0) => Kept::Nowhere,
        Value::Int(times) => Kept::Done(times.unsigned_abs()),
        other => return Err(strange(&other)),
    };
    if acked < replicas {
        return Err(Error::Unknown(format!(
            "{acked} of {replicas} replicas have it so far"
        )));
    }
    delivery::parked(kept, tenant)
}

/// [`Store::parking`](crate::Store::parking).
pub(super) async fn all(shared: &Shared, tenant: &str) -> Result<Parking, Error> {
    let keys = OfTenant(tenant);
    let entries = redis::cmd("HGETALL").arg(keys.parked()).to_owned();
    let mut found = fields(shared.ask(&entries).await?)?
        .into_iter()
        .map(|(_, value)| read(&value))
        .collect::<Result<Vec<_>, _>>()?;
    found.sort_unstable_by_key(|(place, _)| *place);
    let tally = redis::cmd("GET").arg(keys.parked_tally()).to_owned();
    let dropped = match shared.ask(&tally).await? {
        Value::BulkString(tally) => std::str::from_utf8(&tally)
            .ok()
            .and_then(|tally| tally.split_once(' ')?.1.parse().ok())
            .ok_or_else(|| Error::Read("the tally of parked events is damaged".to_owned()))?,
        _ => 0,
    };
    Ok(Parking {
        events: found.into_iter().map(|(_, parked)| parked).collect(),
        dropped,
    })
}

/// [`Store::parked`](crate::Store::parked).
pub(super) async fn one(shared: &Shared, tenant: &str, id: &str) -> Result<Option<Parked>, Error> {
    let keys = OfTenant(tenant);
    let get = |key| redis::cmd("HGET").arg(key).arg(id).to_owned();
    // First what it says: one that is parked again meanwhile says the same.
    let data = shared.ask(&get(keys.parked_data())).await?;
    let entry = shared.ask(&get(keys.parked())).await?;
    let (Value::BulkString(data), Value::BulkString(entry)) = (data, entry) else {
        return Ok(None);
    };
    let (_, parked) = read(&entry)?;
    Ok(Some(Parked {
        data: data.into(),
        ..parked
    }))
}

/// [`Action::Unpark`].
pub(super) async fn unpark(shared: &Shared, change: &Admin) -> Result<AdminOutcome, Error> {
    let Action::Unpark { id, .. } = &change.action else {
        return Ok(AdminOutcome::Already);
    };
    let keys = OfTenant(&change.tenant);
    let script = &shared.scripts.unpark;
    let keys = [keys.parked(), keys.parked_data(), keys.parked_order()];
    let made = note::make_booked(shared, change, script, &keys, &[id.as_bytes()]).await?;
    Ok(made.unwrap_or_else(|| AdminOutcome::Refused(Refused::NoSuchParked(id.clone()))))
}

/// An entry with its place in the order.
fn read(value: &[u8]) -> Result<(u64, Parked), Error> {
    let damaged = || Error::Read(format!("{ENTRY} is damaged"));
    let mut parts = value.splitn(4, |byte| *byte == b' ');
    let mut number = || {
        let word = parts.next().and_then(|word| std::str::from_utf8(word).ok());
        word.and_then(|word| word.parse::<i64>().ok())
            .ok_or_else(damaged)
    };
    let (times, at, place) = (number()?, number()?, number()?);
    let parked: Parked = form::decode(ENTRY, parts.next().ok_or_else(damaged)?)?;
    Ok((
        place.unsigned_abs(),
        Parked {
            times: times.unsigned_abs(),
            at,
            ..parked
        },
    ))
}

/// The fields of a hash.
pub(super) fn fields(value: Value) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let odd = |value: &dyn std::fmt::Debug| Error::Read(format!("a hash is {value:?}"));
    let text = |value: Value| match value {
        Value::BulkString(bytes) => Ok(bytes),
        other => Err(odd(&other)),
    };
    let pairs = match value {
        Value::Map(pairs) => pairs,
        Value::Array(flat) => {
            let mut flat = flat.into_iter();
            let mut pairs = Vec::new();
            while let (Some(name), Some(value)) = (flat.next(), flat.next()) {
                pairs.push((name, value));
            }
            pairs
        }
        other => return Err(odd(&other)),
    };
    pairs
        .into_iter()
        .map(|(name, value)| {
            let name = String::from_utf8(text(name)?);
            Ok((name.map_err(|error| odd(&error))?, text(value)?))
        })
        .collect()
}
