//! Rate limits in Redis: one bucket a limit, by the server's clock.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redis::Value;

use super::keys::OfTenant;
use super::link::Links;
use super::script::Script;
use super::shared::{not_written, strange};
use crate::rate::{Rate, TokenSource, Tokens};
use crate::{Error, Later};

static RATE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/rate.lua")));

/// The one that a call runs.
pub(super) fn script() -> &'static Script {
    &RATE
}

/// Where a tenant's limit is kept.
pub fn rate_key(tenant: &str, name: &str) -> String {
    OfTenant(tenant).rate(name).to_string()
}

/// Takes up to `want` tokens, at least one, by the server's clock.
pub async fn take(
    links: &Links,
    tenant: &str,
    name: &str,
    rate: Rate,
    want: u32,
) -> Result<Tokens, Error> {
    ask(links, tenant, name, rate, i64::from(want.max(1)), None).await
}

/// Gives tokens back.
pub async fn give_back(
    links: &Links,
    tenant: &str,
    name: &str,
    rate: Rate,
    tokens: u32,
) -> Result<(), Error> {
    let back = -i64::from(tokens.max(1));
    ask(links, tenant, name, rate, back, None).await.map(drop)
}

/// As [`take`], by a clock of the caller's in microseconds: for tests that hold the script against another GCRA.
#[doc(hidden)]
pub async fn take_at(
    links: &Links,
    tenant: &str,
    name: &str,
    rate: Rate,
    want: u32,
    now_us: u64,
) -> Result<Tokens, Error> {
    let want = i64::from(want.max(1));
    ask(links, tenant, name, rate, want, Some(now_us)).await
}

async fn ask(
    links: &Links,
    tenant: &str,
    name: &str,
    rate: Rate,
    want: i64,
    now_us: Option<u64>,
) -> Result<Tokens, Error> {
    let call = RATE
        .call()
        .key(OfTenant(tenant).rate(name))
        .arg(want.to_string())
        .arg(rate.cell_nanos.max(1).to_string())
        .arg(rate.burst.max(1).to_string())
        .args(now_us.map(|now| now.to_string()));
    let answer = call.run(links).await.map_err(|error| not_written(&error))?;
    read(&answer).ok_or_else(|| strange(&answer))
}

fn read(answer: &Value) -> Option<Tokens> {
    let Value::Array(parts) = answer else {
        return None;
    };
    let [
        Value::Int(granted),
        Value::Int(left),
        Value::Int(wait_ms),
        Value::Int(total),
    ] = parts.as_slice()
    else {
        return None;
    };
    Some(Tokens {
        granted: u32::try_from(*granted).ok()?,
        left: u32::try_from(*left).ok()?,
        wait: Duration::from_millis(u64::try_from(*wait_ms).ok()?),
        total: u64::try_from(*total).ok()?,
    })
}

/// The buckets of one Redis.
#[derive(Debug, Clone)]
pub struct Buckets(pub Arc<Links>);

impl TokenSource for Buckets {
    fn take<'a>(
        &'a self,
        tenant: &'a str,
        name: &'a str,
        rate: Rate,
        want: u32,
    ) -> Later<'a, Tokens> {
        Box::pin(take(&self.0, tenant, name, rate, want))
    }

    fn give_back<'a>(
        &'a self,
        tenant: &'a str,
        name: &'a str,
        rate: Rate,
        tokens: u32,
    ) -> Later<'a, ()> {
        Box::pin(give_back(&self.0, tenant, name, rate, tokens))
    }
}
