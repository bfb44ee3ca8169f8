//! The books of a lane, worked out again from its ledger.

use axum::response::Response;
use function::problem::{Code, Problem};
use machine::ids::Lane;
use serde::Deserialize;
use serde_json::json;

use super::find;
use super::gate::{SCAN_TIMEOUT, Visit, json as answer};
use super::ledger::reader;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    edition: Option<u32>,
    #[serde(default)]
    lane: Lane,
}

/// Answers with every difference there is between ledger, counters and records; reads all of them.
pub(super) async fn reconcile(visit: &Visit) -> Result<Response, Problem> {
    let asked: Asked = visit.query()?;
    let found = find::campaign(visit, visit.param("campaign"), asked.edition).await?;
    let key = find::key(&found, asked.lane);
    let _permit = reader(visit)?;
    let work = store::reconcile::reconcile(visit.store(), &key);
    let report = visit.within(SCAN_TIMEOUT * 10, work).await?;
    let report = report.ok_or_else(|| Problem::new(Code::NoSuchCampaign))?;
    if !report.agrees() {
        let request_id = &visit.request_id;
        tracing::error!(request_id, campaign = %key, found = report.found, "the books do not agree");
    }
    let differences = report.differences.iter();
    let differences = differences
        .map(|found| json!({ "kind": found.kind(), "message": found.to_string() }))
        .collect::<Vec<_>>();
    Ok(answer(&json!({
        "tenant": key.tenant,
        "campaign": key.campaign,
        "edition": key.edition,
        "lane": asked.lane,
        "rows": report.rows,
        "grants": report.grants,
        "draws": report.draws,
        "participants": report.participants,
        "found": report.found,
        "differences": differences,
    })))
}
