//! Marks: how far readers of a lane's ledger have come. They lie in the lane's slot, so that a server which loses its last
//! writes loses a mark with the rows it was beyond, and never the rows alone.

use std::sync::Arc;

use machine::ids::CampaignKey;
use redis::Value;

use super::keys::OfCampaign;
use super::shared::{Shared, strange};
use crate::Error;
use crate::delivery::mark_name;

/// [`Store::mark`](crate::Store::mark).
pub(super) async fn mark(
    shared: &Shared,
    key: &CampaignKey,
    name: &str,
    at: u64,
) -> Result<u64, Error> {
    let name = mark_name(name)?;
    let keys = OfCampaign::new(&key.tenant, &key.campaign, key.edition);
    let call = shared.scripts.mark.call();
    let call = call.key(keys.head()).key(keys.lane(key.lane).marks());
    let call = call.arg(name.as_bytes()).arg(format!("{at:020}"));
    let answer = shared.run(&call).await?;
    match &answer {
        Value::BulkString(digits) if digits.is_empty() => Ok(0),
        Value::BulkString(digits) => number(digits).ok_or_else(|| strange(&answer)),
        _ => Err(strange(&answer)),
    }
}

/// [`Store::marks`](crate::Store::marks).
pub(super) async fn all(shared: &Shared, key: &CampaignKey) -> Result<Vec<(Arc<str>, u64)>, Error> {
    let lane = OfCampaign::new(&key.tenant, &key.campaign, key.edition).lane(key.lane);
    let command = redis::cmd("HGETALL").arg(lane.marks()).to_owned();
    let mut marks = super::parked::fields(shared.ask(&command).await?)?
        .into_iter()
        .map(|(name, digits)| {
            let mark = number(&digits).map(|at| (name.into(), at));
            mark.ok_or_else(|| Error::Read("a mark is no number".to_owned()))
        })
        .collect::<Result<Vec<(Arc<str>, u64)>, Error>>()?;
    marks.sort_unstable();
    Ok(marks)
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}
