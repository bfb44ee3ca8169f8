//! Leases in Redis: one key each, with a term, and beside it the number of the last taking, without.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use machine::ids::CampaignKey;
use redis::Value;

use super::keys::OfLane;
use super::link::Links;
use super::script::{Call, Script};
use super::shared::{not_written, strange};
use crate::lease::{Keeper, Lease, Wish};
use crate::{Error, Later};

static TAKE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("scripts/lease_take.lua")));
static RENEW: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("scripts/lease_renew.lua")));
/// A lease is given up by deleting its key, where the key still holds the owner's value.
static RELEASE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("scripts/forget.lua")));

/// Those that a sweep runs.
pub(super) fn scripts() -> [&'static Script; 3] {
    [&TAKE, &RENEW, &RELEASE]
}

/// Where a lease is kept: in its campaign's slot, so that the commit script can look at it. The value is [`Lease::value`].
pub fn lease_key(campaign: &CampaignKey, job: &str) -> String {
    OfLane::new(campaign).lease(job).to_string()
}

/// [`Store::lease`](crate::Store::lease). When the reply is lost the lease may have been taken, by nobody: it ends with its
/// term.
pub async fn take(
    links: &Arc<Links>,
    key: &CampaignKey,
    job: &str,
    term: Duration,
) -> Result<Option<Lease>, Error> {
    let wish = Wish::new(key, job, term)?;
    let lane = OfLane::new(key);
    let call = TAKE.call().key(lane.lease(job)).key(lane.fence(job));
    let call = call
        .arg(wish.token.to_string())
        .arg(wish.term.as_millis().to_string());
    let answer = call.run(links).await.map_err(|error| not_written(&error))?;
    let fence = match &answer {
        Value::Nil => return Ok(None),
        Value::BulkString(bytes) => std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| text.parse().ok()),
        _ => None,
    };
    let fence = fence.ok_or_else(|| strange(&answer))?;
    Ok(Some(wish.granted(links.clone(), fence)))
}

impl Keeper for Links {
    fn renew<'a>(&'a self, lease: &'a Lease) -> Later<'a, bool> {
        Box::pin(async move {
            let term = lease.term().as_millis().to_string();
            owners(self, RENEW.call(), lease, Some(term)).await
        })
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> Later<'a, bool> {
        Box::pin(owners(self, RELEASE.call(), lease, None))
    }
}

/// Runs what only a lease's owner may do; false when it is not the owner's any more.
async fn owners(
    links: &Links,
    call: Call<'_>,
    lease: &Lease,
    term: Option<String>,
) -> Result<bool, Error> {
    let place = OfLane::new(lease.campaign()).lease(lease.job());
    let call = call.key(place).arg(lease.value()).args(term);
    match call.run(links).await.map_err(|error| not_written(&error))? {
        Value::Int(done) => Ok(done == 1),
        other => Err(strange(&other)),
    }
}
