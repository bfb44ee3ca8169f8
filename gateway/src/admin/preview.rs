//! A link into a campaign's test lane, for someone without an account of the staff's. What it is and can do is
//! `function::preview`'s; here is who may have one made, for whom and for how long.

use axum::response::Response;
use chrono::DateTime;
use function::identity::token::MAX_SUB_BYTES;
use function::preview::{self, LIFE_MOST_SECS, MAX_BYTES, Preview};
use function::problem::{Code, Problem};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::gate::{Visit, json as answer};
use super::row::utc;
use super::write::invalid;

/// How long a link is good unless said, in seconds.
const LIFE_SECS: i64 = 2 * 3600;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// How long it is good, in seconds.
    for_secs: Option<i64>,
    /// As which member they play; a new one unless said.
    #[serde(rename = "as")]
    member: Option<String>,
    /// What time it is for them now; the test lane's unless said.
    at: Option<String>,
    /// What is said about them, as in a user's token.
    #[serde(default)]
    claims: Map<String, Json>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Makes a link. Nothing is changed by it, and whoever has the address can use it until it ends.
pub(super) fn link(visit: &Visit) -> Result<Response, Problem> {
    let Nothing {} = visit.query()?;
    let asked: Asked = visit.body()?;
    let served = visit
        .tenant
        .campaigns
        .get(visit.param("campaign"))
        .ok_or_else(|| Problem::new(Code::NoSuchCampaign))?;
    let life = asked.for_secs.unwrap_or(LIFE_SECS);
    if !(1..=LIFE_MOST_SECS).contains(&life) {
        return Err(invalid("/for_secs", "from a second to thirty days"));
    }
    let member = match asked.member {
        Some(member) => member,
        None => preview::somebody().map_err(|_| Problem::new(Code::Internal))?,
    };
    if !(1..=MAX_SUB_BYTES).contains(&member.len()) || member.chars().any(char::is_control) {
        return Err(invalid(
            "/as",
            "a member id has 1 to 255 bytes and no control characters",
        ));
    }
    let declared = &visit.tenant.tenant.claims;
    if let Some(name) = asked
        .claims
        .keys()
        .find(|name| !declared.iter().any(|known| known.name == **name))
    {
        let problem = format!("the tenant declares no claim `{name}`");
        return Err(invalid("/claims", &problem));
    }
    let lane_now = visit.now.saturating_add(served.test_clock_offset);
    let ahead_ms = match &asked.at {
        None => 0,
        Some(text) => {
            let at = DateTime::parse_from_rfc3339(text).map_err(|_| {
                invalid(
                    "/at",
                    "a time as RFC 3339, such as 2026-12-01T10:00:00+08:00",
                )
            })?;
            at.timestamp_millis().saturating_sub(lane_now)
        }
    };
    if ahead_ms < 0 {
        // No record goes back in time, and one that is made behind the lane's clock would meet it at the next sweep.
        let problem = format!(
            "the test lane's clock is past it, at {}: move that one (`clock`), or name a later time",
            utc(lane_now)
        );
        return Err(invalid("/at", &problem));
    }
    let link = Preview {
        member,
        expires_secs: visit.now / 1000 + life,
        ahead_ms,
        claims: asked.claims,
    };
    let token = link.sign(served);
    if token.len() > MAX_BYTES {
        return Err(invalid("/claims", "more than an address can carry"));
    }
    let path = format!("/v1/{}/{}", served.tenant, served.campaign);
    Ok(answer(&json!({
        "address": format!("{path}?preview={token}"),
        "token": token,
        "lane": "test",
        "edition": served.edition,
        "user": link.member,
        "now": utc(lane_now.saturating_add(ahead_ms)),
        "expires": utc(link.expires_secs.saturating_mul(1000)),
    })))
}
