//! Events that could not be delivered: what is kept of them, and their two ways out. One is told again, and goes when it has
//! had its effect; or it is given up with a reason. Both stand in the audit.

use axum::response::Response;
use function::http::retell;
use function::idempotency::Key;
use function::problem::{Code, Problem};
use machine::world::{Action, Parked, ParkedFrom};
use serde::{Deserialize, Serialize};

use super::gate::{Visit, json};
use super::row::utc;
use super::write::{Nothing, WORDS_MOST, change, invalid};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoQuery {}

/// The list.
#[derive(Debug, Serialize)]
struct List<'a> {
    /// The one that was parked last at the end.
    parked: Vec<Shown<'a>>,
    /// How many were let go because newer ones came.
    dropped: u64,
}

/// A parked event.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    id: &'a str,
    source: &'a str,
    event_id: &'a str,
    kind: &'a str,
    time: Option<&'a str>,
    first_at: String,
    last_at: String,
    times: u64,
    code: &'a str,
    detail: &'a str,
    from: ParkedFrom,
    campaign: Option<&'a str>,
    bytes: u64,
    /// Whether only the beginning of its data is kept: then it can't be told again.
    cut: bool,
    /// What it says, as text; left out of the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
}

impl<'a> Shown<'a> {
    fn of(parked: &'a Parked) -> Self {
        Self {
            id: &parked.id,
            source: &parked.source,
            event_id: &parked.event_id,
            kind: &parked.kind,
            time: parked.time.as_deref(),
            first_at: utc(parked.at),
            last_at: utc(parked.last_at),
            times: parked.times,
            code: &parked.code,
            detail: &parked.detail,
            from: parked.from,
            campaign: parked.campaign.as_deref(),
            bytes: parked.bytes,
            cut: parked.is_cut(),
            data: None,
        }
    }
}

/// Answers with all that are kept, without what they say.
pub(super) async fn list(visit: &Visit) -> Result<Response, Problem> {
    let NoQuery {} = visit.query()?;
    let parking = visit.soon(visit.store().parking(visit.tenant_id())).await?;
    Ok(json(&List {
        parked: parking.events.iter().map(Shown::of).collect(),
        dropped: parking.dropped,
    }))
}

/// Answers with one of them, and what it says.
pub(super) async fn one(visit: &Visit) -> Result<Response, Problem> {
    let NoQuery {} = visit.query()?;
    let parked = found(visit).await?;
    let parked = parked.ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(json(&Shown {
        data: Some(String::from_utf8_lossy(&parked.data).into_owned()),
        ..Shown::of(&parked)
    }))
}

async fn found(visit: &Visit) -> Result<Option<Parked>, Problem> {
    let store = visit.store();
    visit
        .soon(store.parked(visit.tenant_id(), visit.param("id")))
        .await
}

/// Tells one of them again. It has its effect first and is taken away then: a crash in between leaves it to be told once more,
/// which the same idempotency key makes a repeat.
pub(super) async fn retry(visit: &Visit) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let Nothing {} = visit.body()?;
    // One that is gone may have been taken away under this very key: the store knows.
    if let Some(parked) = found(visit).await? {
        retell(&visit.desk.shell(), &parked, &visit.parts.headers).await?;
    }
    take_away(visit, &key, "retry", None).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: String,
}

/// Gives one of them up.
pub(super) async fn give_up(visit: &Visit) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let Why { reason } = visit.body()?;
    if reason.trim().is_empty() || reason.chars().count() > WORDS_MOST {
        return Err(invalid("/reason", "1 to 500 characters"));
    }
    take_away(visit, &key, "drop", Some(&reason)).await
}

async fn take_away(
    visit: &Visit,
    key: &Key,
    what: &str,
    reason: Option<&str>,
) -> Result<Response, Problem> {
    let id = visit.param("id");
    let action = Action::Unpark {
        id: id.into(),
        reason: reason.map(Into::into),
    };
    change(visit, key, &format!("{what} parked {id}"), action).await
}
