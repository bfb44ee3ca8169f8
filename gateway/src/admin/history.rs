//! One user across a tenant's campaigns: the newest rows, and the records as they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::Response;
use function::problem::{Code, Problem};
use machine::Definition;
use machine::ids::{CampaignKey, Lane, Pseudonym, grant_id};
use machine::model::VarKind;
use machine::participant::{Grant, Participant, Status};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::find::{self, Definitions};
use super::gate::{SCAN_TIMEOUT, Visit, json as answer};
use super::ledger::reader;
use super::row::{Line, json_of, rfc3339, utc};

/// How many rows are shown unless asked otherwise.
const ROWS: usize = 200;
/// The most that may be asked for.
const ROWS_MOST: usize = 1000;
/// How many of a record's grants are shown: the newest.
const GRANTS: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    limit: Option<usize>,
}

/// The answer. The member id that was asked for is not in it: what leaves here can be filed and forwarded.
#[derive(Debug, Serialize)]
struct History<'a> {
    user: String,
    /// Whether the user is kept from taking part; also where that has ended by itself.
    blocked: Option<Json>,
    campaigns: Vec<Record<'a>>,
    /// Oldest first.
    rows: Vec<Line<'a>>,
}

/// A user's record in one campaign.
#[derive(Debug, Serialize)]
struct Record<'a> {
    campaign: &'a str,
    edition: u32,
    lane: Lane,
    activity: &'a str,
    title: BTreeMap<&'a str, &'a str>,
    revision: u32,
    version: u64,
    state: &'a str,
    entered_at: String,
    context: Map<String, Json>,
    draws: u64,
    grants_in_all: usize,
    grants: Vec<Given<'a>>,
}

/// A grant as the record has it, with how far its delivery is.
#[derive(Debug, Serialize)]
struct Given<'a> {
    id: String,
    rule: &'a str,
    reward: &'a str,
    amount: i64,
    status: Status,
    at: String,
    expires: Option<String>,
}

/// Answers with a user's history.
pub(super) async fn history(visit: &Visit) -> Result<Response, Problem> {
    let asked: Asked = visit.query()?;
    let most = asked.limit.unwrap_or(ROWS);
    if !(1..=ROWS_MOST).contains(&most) {
        return Err(
            Problem::new(Code::BadRequest).with("problem", format!("limit is 1 to {ROWS_MOST}"))
        );
    }
    let user = visit.user();
    let block = visit
        .soon(visit.store().block(visit.tenant_id(), user))
        .await?;
    let _permit = reader(visit)?;
    let mut definitions = Definitions::new(visit);
    let rows = visit
        .within(
            SCAN_TIMEOUT,
            visit.store().history(visit.tenant_id(), user, most),
        )
        .await?;
    let mut of_rows = Vec::with_capacity(rows.len());
    for row in &rows {
        let of = visit
            .soon(definitions.of(&row.campaign.campaign, row.campaign.edition, row.revision))
            .await?;
        of_rows.push(of);
    }
    let records = records(visit, user, &mut definitions).await?;
    Ok(answer(&History {
        user: user.to_string(),
        blocked: block.map(|block| {
            json!({
                "holds": block.until.is_none_or(|until| visit.now < until),
                "until": block.until.map(utc),
                "at": utc(block.at),
                "by": block.by,
                "reason": block.why,
            })
        }),
        campaigns: records
            .iter()
            .map(|(key, record, definition)| shown(key, &user, record, definition))
            .collect(),
        rows: rows
            .iter()
            .zip(&of_rows)
            .map(|(row, definition)| Line::new(row, definition.as_deref()))
            .collect(),
    }))
}

type Found = (CampaignKey, Arc<Participant>, Arc<Definition>);

async fn records(
    visit: &Visit,
    user: Pseudonym,
    definitions: &mut Definitions,
) -> Result<Vec<Found>, Problem> {
    let mut records = Vec::new();
    let published = visit.soon(visit.store().published()).await?;
    for found in published
        .iter()
        .filter(|found| *found.tenant == *visit.tenant_id())
    {
        for lane in [Lane::Live, Lane::Test] {
            let key = find::key(found, lane);
            let recalled = visit.soon(visit.store().recall(&key, user, None)).await?;
            let Some(record) = recalled.participant else {
                continue;
            };
            let of = visit
                .soon(definitions.of(&key.campaign, key.edition, record.core.revision))
                .await?;
            if let Some(definition) = of {
                records.push((key, record, definition));
            }
        }
    }
    Ok(records)
}

fn shown<'a>(
    key: &'a CampaignKey,
    user: &Pseudonym,
    record: &'a Participant,
    definition: &'a Definition,
) -> Record<'a> {
    let core = &record.core;
    let calendar = Some(&definition.calendar);
    let vars = definition
        .vars
        .iter()
        .zip(&core.vars)
        .filter(|(var, _)| var.kind != VarKind::Hidden);
    let newest = record.grants.len().saturating_sub(GRANTS);
    Record {
        campaign: &key.campaign,
        edition: key.edition,
        lane: key.lane,
        activity: &definition.activity,
        title: definition
            .title
            .0
            .iter()
            .map(|(language, words)| (language.as_str(), words.as_str()))
            .collect(),
        revision: core.revision,
        version: core.version,
        state: definition
            .machine
            .states
            .get(usize::from(core.state))
            .map_or("", |state| &state.name),
        entered_at: rfc3339(calendar, core.entered_at),
        context: vars
            .map(|(var, value)| (var.name.clone(), json_of(calendar, var.ty, value)))
            .collect(),
        draws: core.draws,
        grants_in_all: record.grants.len(),
        grants: record
            .grants
            .iter()
            .skip(newest)
            .map(|grant| given(key, user, grant, definition))
            .collect(),
    }
}

fn given<'a>(
    key: &CampaignKey,
    user: &Pseudonym,
    grant: &Grant,
    definition: &'a Definition,
) -> Given<'a> {
    let rule = grant.rule_id(&definition.rules_of_giving).unwrap_or("");
    let reward = definition.rewards.get(usize::from(grant.reward));
    let calendar = Some(&definition.calendar);
    Given {
        id: grant_id(key, user, rule, grant.period, grant.n),
        rule,
        reward: reward.map_or("", |reward| &reward.id),
        amount: grant.amount,
        status: grant.status,
        at: rfc3339(calendar, grant.at),
        expires: grant.expires.map(|at| rfc3339(calendar, at)),
    }
}
