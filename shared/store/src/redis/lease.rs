//! Leases in Redis: one key each, with a term, and beside it the number of the last taking, without.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use machine::ids::CampaignKey;
use redis::{Script, Value};

use super::eval::{eval, strange, written};
use super::keys::OfLane;
use super::link::Links;
use crate::lease::{Keeper, Lease, Wish};
use crate::{Error, Later};

const TAKE: &str = include_str!("scripts/lease_take.lua");
const RENEW: &str = include_str!("scripts/lease_renew.lua");
const RELEASE: &str = include_str!("scripts/lease_release.lua");

static TAKE_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(TAKE));
static RENEW_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(RENEW));
static RELEASE_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(RELEASE));

/// Where a lease is kept: in its campaign's slot, so that the commit script can look at it. The value is [`Lease::value`].
pub fn lease_key(campaign: &CampaignKey, job: &str) -> String {
    OfLane::new(campaign).lease(job).to_string()
}

/// Where the number of its last taking is kept.
fn fence_key(campaign: &CampaignKey, job: &str) -> String {
    OfLane::new(campaign).fence(job).to_string()
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
    let keys = [lease_key(key, job), fence_key(key, job)];
    let term = wish.term.as_millis().to_string();
    let answer = eval(
        links,
        &TAKE_SCRIPT,
        TAKE,
        &keys.each_ref().map(String::as_str),
        &[&wish.token.to_string(), &term],
    )
    .await
    .map_err(|error| written(&error))?;
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
            owners(self, lease, &RENEW_SCRIPT, RENEW, &[&lease.value(), &term]).await
        })
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> Later<'a, bool> {
        Box::pin(async move {
            let value = lease.value();
            owners(self, lease, &RELEASE_SCRIPT, RELEASE, &[&value]).await
        })
    }
}

/// Runs what only a lease's owner may do; false when it is not the owner's any more.
async fn owners(
    links: &Links,
    lease: &Lease,
    script: &Script,
    text: &str,
    args: &[&str],
) -> Result<bool, Error> {
    let key = lease_key(lease.campaign(), lease.job());
    let answer = eval(links, script, text, &[&key], args).await;
    match answer.map_err(|error| written(&error))? {
        Value::Int(done) => Ok(done == 1),
        other => Err(strange(&other)),
    }
}
