//! The tenant's pools of codes: codes put into one from a file, all that are new or none; and what is left. No code is ever told here.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use function::fingerprint::Fingerprint;
use function::idempotency::Key;
use function::pools;
use function::problem::{Code, Problem, Words};
use futures_util::StreamExt as _;
use machine::ids::{CampaignKey, Lane, hex, is_id};
use machine::world::{Action, Admin, AdminOutcome, CodeLines, CounterKey, Done, Owner};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};
use store::Later;
use store::codes::LONGEST;

use super::gate::{Visit, json as answer};
use super::ledger::reader;
use super::row::utc;
use super::write::{IDEMPOTENCY_REPLAYED, invalid, refused};

use read::Reading;

mod read;

/// How long the next piece of a file may take.
const PIECE: Duration = Duration::from_secs(30);

/// How long the store may take to have all of it.
const WHOLE: Duration = Duration::from_mins(5);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Puts codes into a pool: the file is read as it comes, and then all of its codes that no pool has are in the pool, or nothing has
/// changed.
pub(super) async fn put(visit: &Visit, body: Body) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let Nothing {} = visit.query()?;
    let name = visit.param("pool");
    if !is_id(name) {
        return Err(invalid("/pool", "1 to 64 of `a-z`, `0-9` and `-`"));
    }
    // A file may take hundreds of megabytes in memory: few at once.
    let _permit = reader(visit)?;
    let most = u64::from(visit.tenant.tenant.quotas.pool_codes);
    let mut reading = Reading::default();
    let mut hash = Sha256::new();
    let mut bytes = 0_u64;
    let mut pieces = body.into_data_stream();
    loop {
        let piece = tokio::time::timeout(PIECE, pieces.next()).await;
        let piece = match piece {
            Ok(None) => break,
            Ok(Some(Ok(piece))) => piece,
            Ok(Some(Err(_))) | Err(_) => {
                return Err(Problem::new(Code::BadRequest).saying(CUT_OFF));
            }
        };
        bytes += piece.len() as u64;
        hash.update(&piece);
        reading.take(&piece);
        if reading.rows() > most || bytes > most.saturating_mul(LONGEST as u64 + 2) {
            return Err(Problem::new(Code::PayloadTooLarge)
                .saying(TOO_MUCH)
                .with("pool_codes", most));
        }
    }
    let sha256: [u8; 32] = hash.finalize().into();
    let read = reading.end();
    if read.codes.is_empty() {
        return Err(Problem::new(Code::InvalidPayload)
            .saying(NOTHING)
            .with("rejected", read.lines.rejected)
            .with("rejects", json!(read.rejects)));
    }
    let mut said = json!({
        "pool": name,
        "rows": read.lines.rows,
        "duplicates": read.lines.duplicates,
        "rejected": read.lines.rejected,
        "rejects": read.rejects,
        "sha256": hex(&sha256),
    });
    let what: Map<String, Json> = Map::from_iter([("sha256".to_owned(), json!(hex(&sha256)))]);
    let fingerprint = Fingerprint::of(&format!("codes {name}"), &what);
    let admin = Admin {
        tenant: visit.tenant_id().into(),
        by: visit.by.as_str().into(),
        at: visit.now,
        key: Some((key.as_str().into(), *fingerprint.as_bytes())),
        action: Action::PutCodes {
            pool: name.into(),
            // These are the store's to say.
            version: "".into(),
            codes: 0,
            lines: CodeLines {
                lines: read.lines,
                known: 0,
            },
            sha256,
        },
        why: None,
    };
    // In a task of its own: a caller that goes away stops nothing half-way.
    let (store, codes) = (visit.desk.store.clone(), read.codes);
    let (registry, tenant, now) = (
        visit.desk.registry.clone(),
        visit.tenant_id().to_owned(),
        visit.now,
    );
    let work = tokio::spawn(async move {
        let outcome = store.put_codes(Box::new(admin), codes).await?;
        // Also of a repeat: what came after the codes may not have been done the first time.
        let snapshot = registry.snapshot();
        let served = snapshot.tenants.get(&tenant);
        for served in served
            .into_iter()
            .flat_map(|tenant| tenant.campaigns.values())
        {
            let Some(newest) = served.newest().filter(|newest| pools::any(newest)) else {
                continue;
            };
            if let Err(error) = pools::tend(&*store, newest, now).await {
                tracing::warn!(%error, campaign = %served.key(Lane::Live), "its stock does not follow its pools yet");
            }
        }
        Ok::<_, store::Error>(outcome)
    });
    let Ok(Ok(outcome)) = tokio::time::timeout(WHOLE, work).await else {
        return Err(Problem::new(Code::OutcomeUnknown));
    };
    let (done, replayed) = match outcome.map_err(|error| visit.store_failed(&error))? {
        AdminOutcome::Done(done) => (done, false),
        AdminOutcome::Replayed(body) => {
            let done: Done =
                serde_json::from_slice(&body).map_err(|_| Problem::new(Code::Internal))?;
            (done, true)
        }
        AdminOutcome::Already => return Err(Problem::new(Code::Internal)),
        AdminOutcome::KeyReused => return Err(Problem::new(Code::IdempotencyKeyReused)),
        AdminOutcome::Refused(no) => return Err(refused(&no)),
    };
    let put = done.codes.unwrap_or_default();
    said["added"] = json!(put.added);
    said["known"] = json!(put.known);
    said["codes"] = json!(put.codes);
    said["audit"] = json!(done.audit);
    let mut response = answer(&said);
    if replayed {
        let yes = axum::http::HeaderValue::from_static("true");
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, yes);
    }
    Ok(response)
}

/// All pools: whose each is, what was put into it, and what is left.
pub(super) async fn all(visit: &Visit) -> Result<Response, Problem> {
    let Nothing {} = visit.query()?;
    let pools = visit.soon(visit.store().pools(visit.tenant_id())).await?;
    let mut told = Vec::new();
    for (name, pool) in pools {
        let handed_out = match pool.owner() {
            Some(owner) => {
                let gone = gone(visit.store(), visit.tenant_id(), owner);
                visit.soon(gone).await?
            }
            None => 0,
        };
        let codes = pool.codes();
        let puts = pool.segments.iter();
        let puts: Vec<Json> = puts
            .map(|put| {
                json!({
                    "codes": put.codes, "sha256": hex(&put.sha256), "at": utc(put.at), "by": put.by,
                })
            })
            .collect();
        let owner = pool.owner().map(|owner| {
            json!({
                "campaign": owner.campaign, "edition": owner.edition, "reward": owner.reward,
            })
        });
        told.push(json!({
            "pool": name,
            "codes": codes,
            "handed_out": handed_out,
            "left": codes.saturating_sub(handed_out),
            "owner": owner,
            "puts": puts,
        }));
    }
    Ok(answer(&json!({ "pools": told })))
}

/// How many codes of a pool its owner has handed out, and those before it.
pub(super) fn gone<'a>(
    store: &'a dyn store::Store,
    tenant: &'a str,
    owner: &'a Owner,
) -> Later<'a, u64> {
    Box::pin(async move {
        let key = CampaignKey {
            tenant: tenant.into(),
            campaign: owner.campaign.clone(),
            edition: owner.edition,
            lane: Lane::Live,
        };
        let lane = store.lane(&key).await?;
        let stock = CounterKey::Stock(owner.reward.clone());
        let counters = lane.map(|lane| lane.counters).unwrap_or_default();
        let issued = counters.iter().find(|(known, _)| *known == stock);
        let issued = issued.map_or(0, |(_, counter)| counter.issued.unsigned_abs());
        Ok(owner.from.saturating_add(issued))
    })
}

const TOO_MUCH: Words = Words {
    en: "The file has more codes than one put may have for this tenant (`quotas.pool_codes`). Nothing was changed.",
    zh: "文件超过该租户单次导入的上限（quotas.pool_codes），未作任何更改。",
};

const CUT_OFF: Words = Words {
    en: "The file did not come to its end. Nothing was changed.",
    zh: "文件未完整上传，未作任何更改。",
};

const NOTHING: Words = Words {
    en: "No line of this file is a code: one code a line, of visible ASCII characters. Nothing was changed.",
    zh: "文件中没有有效的兑换码：每行一个，仅限可见 ASCII 字符。未作任何更改。",
};
