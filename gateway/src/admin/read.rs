//! What staff look at: campaigns, revisions, the audit, the seed.

use axum::http::header::ETAG;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use function::problem::{Code, Problem, Words};
use machine::ids::{Lane, hex};
use serde::Deserialize;
use serde_json::json;

use super::figures::{phase, shares, told};
use super::find::{self, Definitions};
use super::gate::{Visit, bytes, json as answer};
use super::row::utc;

/// SHA-256 of a revision in hexadecimal: `config_hash` of the public page.
const GALA_SHA256: HeaderName = HeaderName::from_static("gala-sha256");
/// The same as RFC 9530 writes it.
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// How many audit entries are sent at once.
const ENTRIES: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfEdition {
    edition: Option<u32>,
}

/// All campaigns and editions of the tenant.
pub(super) async fn campaigns(visit: &Visit) -> Result<Response, Problem> {
    let Nothing {} = visit.query()?;
    let mut definitions = Definitions::new(visit);
    let mut campaigns = Vec::new();
    let published = visit.soon(visit.store().published()).await?;
    for found in published
        .iter()
        .filter(|found| *found.tenant == *visit.tenant_id())
    {
        let definition = visit.soon(definitions.newest(found)).await?;
        let Some(definition) = definition else {
            continue;
        };
        let calendar = &definition.calendar;
        let served = visit.tenant.campaigns.get(&*found.campaign);
        campaigns.push(json!({
            "campaign": found.campaign,
            "edition": found.edition,
            "activity": definition.activity,
            "title": definition.title.0,
            "revision": found.newest,
            "live": shares(&found.live),
            "phase": phase(&definition, visit.now, found.stop()),
            "paused": found.pause.as_ref().map(told),
            "tenant_paused": found.tenant_pause.as_ref().map(told),
            "stopped": found.stopped,
            "opens": calendar.rfc3339(definition.window.opens),
            "closes": calendar.rfc3339(definition.window.closes),
            "claim_until": calendar.rfc3339(definition.window.claim_until),
            "served": served.is_some_and(|served| served.edition == found.edition),
        }));
    }
    Ok(answer(&json!({ "campaigns": campaigns })))
}

/// A campaign's revisions, newest first.
pub(super) async fn revisions(visit: &Visit) -> Result<Response, Problem> {
    let asked: OfEdition = visit.query()?;
    let found = find::campaign(visit, visit.param("campaign"), asked.edition).await?;
    let mut revisions = Vec::new();
    for number in (1..=found.newest).rev() {
        let read = visit
            .store()
            .revision(&found.tenant, &found.campaign, found.edition, number);
        let Some(revision) = visit.soon(read).await? else {
            continue;
        };
        let live = found.live.iter().find(|live| live.revision == number);
        revisions.push(json!({
            "revision": number,
            "sha256": hex(&revision.sha256),
            "at": utc(revision.at),
            "by": revision.by,
            "live": live.is_some(),
            "share": live.map(|live| live.share),
            "bytes": revision.definition.len(),
        }));
    }
    Ok(answer(
        &json!({ "campaign": found.campaign, "edition": found.edition, "revisions": revisions }),
    ))
}

/// A revision's definition exactly as it is stored, so that its SHA-256 can be taken of the body.
pub(super) async fn revision(visit: &Visit) -> Result<Response, Problem> {
    let asked: OfEdition = visit.query()?;
    let number: u32 = visit
        .param("revision")
        .parse()
        .map_err(|_| Problem::new(Code::NotFound))?;
    let found = find::campaign(visit, visit.param("campaign"), asked.edition).await?;
    let read = visit
        .store()
        .revision(&found.tenant, &found.campaign, found.edition, number);
    let revision = visit
        .soon(read)
        .await?
        .ok_or_else(|| Problem::new(Code::NotFound))?;
    let mut response = bytes(axum::body::Bytes::from_owner(revision.definition));
    let sha256 = hex(&revision.sha256);
    let digest = format!("sha-256=:{}:", STANDARD.encode(revision.sha256));
    for (name, value) in [
        (ETAG, format!("\"{sha256}\"")),
        (CONTENT_DIGEST, digest),
        (GALA_SHA256, sha256),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfLane {
    edition: Option<u32>,
    #[serde(default)]
    lane: Lane,
}

/// The secret of a lane's draws: the live lane's once no draw can be made with it any more, the test lane's at any time.
pub(super) async fn seed(visit: &Visit) -> Result<Response, Problem> {
    let asked: OfLane = visit.query()?;
    let found = find::campaign(visit, visit.param("campaign"), asked.edition).await?;
    if asked.lane == Lane::Live {
        let mut definitions = Definitions::new(visit);
        // All revisions, live or not: of one that a later one shortened, somebody may still know a longer window.
        for number in 1..=found.newest {
            let definition = visit
                .soon(definitions.of(&found.campaign, found.edition, number))
                .await?;
            // What cannot be read cannot be known to be over.
            let definition = definition.ok_or_else(|| Problem::new(Code::Internal))?;
            let over = definition.drawn_until();
            if visit.now < over {
                let problem = Problem::new(Code::NotPossible)
                    .saying(SECRET)
                    .with("reveals", definition.calendar.rfc3339(over));
                return Err(problem);
            }
        }
    }
    let lane = visit
        .soon(visit.store().lane(&find::key(&found, asked.lane)))
        .await?;
    let lane = lane.ok_or_else(|| Problem::new(Code::NoSuchCampaign))?;
    Ok(answer(&json!({
        "tenant": found.tenant,
        "campaign": found.campaign,
        "edition": found.edition,
        "lane": asked.lane,
        "seed": hex(&lane.seed.0),
        "seed_hash": hex(&lane.seed.commitment()),
    })))
}

/// Why the seed is not shown.
const SECRET: Words = Words {
    en: "The seed is revealed once no draw can be made with it any more.",
    zh: "种子在无法再抽奖后公布。",
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    after: Option<u64>,
}

/// What staff did, oldest first, from the entry after number `after` on. With `at_ms` and `details` as they are here,
/// anyone can take the hashes again.
pub(super) async fn audit(visit: &Visit) -> Result<Response, Problem> {
    let asked: After = visit.query()?;
    let from = asked.after.map_or(0, |after| after.saturating_add(1));
    let entries = visit
        .soon(visit.store().audit(visit.tenant_id(), from))
        .await?;
    let next = (entries.len() > ENTRIES).then(|| from + ENTRIES as u64 - 1);
    let shown = entries.iter().take(ENTRIES).map(|entry| {
        json!({
            "number": entry.number,
            "at": utc(entry.at),
            "at_ms": entry.at,
            "by": entry.by,
            "action": entry.action,
            "campaign": entry.campaign,
            "details": entry.details,
            "hash": hex(&entry.hash),
        })
    });
    Ok(answer(
        &json!({ "entries": shown.collect::<Vec<_>>(), "next": next }),
    ))
}
