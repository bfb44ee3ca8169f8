//! What a campaign comes to, for those who close the books: a line for each reward, as JSON or CSV. What does not add up is
//! not given out: it would be booked.

use std::fmt::Write as _;

use axum::http::HeaderValue;
use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::Response;
use function::problem::{Code, Problem, Words};
use machine::ids::Lane;
use machine::model::{Currency, RewardKind};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use store::settlement::{Line, Settlement, settle};

use super::find::{self, Definitions};
use super::gate::{SCAN_TIMEOUT, Visit, bytes, json as answer};
use super::ledger::reader;
use super::row::{money, utc};
use super::write::instant;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    edition: Option<u32>,
    #[serde(default)]
    lane: Lane,
    until: Option<String>,
    #[serde(default)]
    format: Format,
}

/// As what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Csv,
}

/// The columns, in the order of [`cells`].
const COLUMNS: &str = "reward,kind,issued,by_hand,confirmed,reversed,forfeited,expired,held,outstanding,amount,cost,cost_reversed,cost_net,currency";

/// Answers with what each reward comes to, by what was so before `until` (now, where it is not said).
pub(super) async fn settlement(visit: &Visit) -> Result<Response, Problem> {
    let asked: Asked = visit.query()?;
    let until = instant("/until", asked.until.as_deref())?;
    let found = find::campaign(visit, visit.param("campaign"), asked.edition).await?;
    let key = find::key(&found, asked.lane);
    let definition = visit.soon(Definitions::new(visit).newest(&found)).await?;
    let definition = definition.ok_or_else(|| Problem::new(Code::Internal))?;
    let _permit = reader(visit)?;
    let work = settle(visit.store(), &key, until, visit.now);
    let settled = visit.within(SCAN_TIMEOUT * 10, work).await?;
    let mut settled = settled.ok_or_else(|| Problem::new(Code::NoSuchCampaign))?;
    if !settled.differences.is_empty() {
        return Err(differs(visit, &settled));
    }
    // Rewards of which nothing was given have their line too.
    let kinds = definition.rewards.iter();
    let kinds: Vec<_> = kinds
        .filter(|reward| reward.kind != RewardKind::Nothing)
        .collect();
    for reward in &kinds {
        if !settled.lines.iter().any(|line| line.reward == reward.id) {
            settled.lines.push(Line::of(reward.id.clone()));
        }
    }
    let kind = |line: &Line| {
        let found = kinds.iter().find(|reward| reward.id == line.reward);
        found.map_or(Json::Null, |reward| json!(reward.kind))
    };
    let currency = &definition.currency;
    let accepts_csv = visit.parts.headers.get(ACCEPT).is_some_and(|accept| {
        accept
            .to_str()
            .is_ok_and(|accept| accept.contains("text/csv"))
    });
    if asked.format == Format::Csv || accepts_csv {
        let mut out = format!("{COLUMNS}\n");
        for line in &settled.lines {
            let kind = kind(line);
            let cells = cells(
                line,
                &line.reward,
                kind.as_str().unwrap_or_default(),
                currency,
            );
            let _ = writeln!(out, "{}", cells.join(","));
        }
        let total = cells(&settled.total(), "total", "", currency);
        let _ = writeln!(out, "{}", total.join(","));
        let mut response = bytes(out);
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/csv; charset=utf-8"),
        );
        headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
        return Ok(response);
    }
    let lines = settled.lines.iter();
    let lines: Vec<Json> = lines
        .map(|line| told(line, &kind(line), currency))
        .collect();
    Ok(answer(&json!({
        "tenant": key.tenant, "campaign": key.campaign, "edition": key.edition, "lane": key.lane,
        "until": utc(until.unwrap_or(visit.now)), "rows": settled.rows, "currency": currency.code, "adds_up": true,
        "rewards": lines, "total": told(&settled.total(), &Json::Null, currency),
    })))
}

fn differs(visit: &Visit, settled: &Settlement) -> Problem {
    let request_id = &visit.request_id;
    let found = settled.differences.len();
    tracing::error!(request_id, found, "a settlement does not add up");
    let differences = settled.differences.iter().take(100);
    let differences: Vec<_> = differences
        .map(|found| json!({ "kind": found.kind(), "message": found.to_string() }))
        .collect();
    Problem::new(Code::NotPossible)
        .saying(OFF)
        .with(
            "problem",
            settled.differences.first().map(ToString::to_string),
        )
        .with("found", found)
        .with("differences", differences)
}

fn told(line: &Line, kind: &Json, currency: &Currency) -> Json {
    let money = |minor| money(Some(currency), minor);
    json!({
        "reward": (!line.reward.is_empty()).then_some(&line.reward),
        "kind": kind,
        "issued": line.issued,
        "by_hand": line.by_hand,
        "confirmed": line.confirmed,
        "reversed": line.reversed,
        "forfeited": line.forfeited,
        "expired": line.expired,
        "held": line.held,
        "outstanding": line.outstanding,
        "amount": line.amount,
        "cost": money(line.cost),
        "cost_reversed": money(line.cost_reversed),
        "cost_net": money(line.cost - line.cost_reversed),
    })
}

/// A line of the CSV. Ids and numbers only: nothing in it needs quoting, or is a formula to anyone.
fn cells(line: &Line, reward: &str, kind: &str, currency: &Currency) -> Vec<String> {
    let money = |minor| money(Some(currency), minor);
    let mut cells = vec![reward.to_owned(), kind.to_owned()];
    let counts = [
        line.issued,
        line.by_hand,
        line.confirmed,
        line.reversed,
        line.forfeited,
        line.expired,
        line.held,
        line.outstanding,
    ];
    cells.extend(counts.iter().map(ToString::to_string));
    cells.push(line.amount.to_string());
    cells.push(money(line.cost));
    cells.push(money(line.cost_reversed));
    cells.push(money(line.cost - line.cost_reversed));
    cells.push(currency.code.clone());
    cells
}

const OFF: Words = Words {
    en: "The books do not add up, so there is nothing to settle by: `gala reconcile` names what differs.",
    zh: "账目不一致，无法结算；请运行 gala reconcile 查看差异。",
};
