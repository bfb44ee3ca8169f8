//! What staff change. Each change carries its caller's name and key: the store books it in the audit, and answers a
//! repeat with the very bytes of the first answer.

use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use chrono::DateTime;
use function::fingerprint::Fingerprint;
use function::http::CALL_TIMEOUT;
use function::idempotency::Key;
use function::problem::{Code, Problem};
use machine::ids::Lane;
use machine::world::{Action, Admin, AdminOutcome, Pause, Refused};
use serde::Deserialize;
use store::Published;

use super::find::{self, Definitions};
use super::gate::{SCAN_TIMEOUT, Visit, bytes};

/// The longest reason and the longest notice, in characters.
pub(super) const WORDS_MOST: usize = 500;

/// How far the test lane's clock can be moved either way, in seconds: ten years.
const OFFSET_MOST_SECS: i64 = 10 * 366 * 86_400;

pub(super) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfEdition {
    edition: Option<u32>,
}

/// The campaign that a change is for, and the caller's key. The key comes first: a call without one is not looked at.
pub(super) async fn asked(visit: &Visit) -> Result<(Key, Published), Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let asked: OfEdition = visit.query()?;
    let found = find::campaign(visit, visit.param("campaign"), asked.edition).await?;
    Ok((key, found))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stock {
    reward: String,
    add: u32,
    #[serde(default)]
    lane: Lane,
}

/// More units of a reward.
pub(super) async fn add_stock(visit: &Visit) -> Result<Response, Problem> {
    let (key, found) = asked(visit).await?;
    let Stock { reward, add, lane } = visit.body()?;
    if add == 0 {
        return Err(invalid("/add", "at least 1"));
    }
    let action = Action::AddStock {
        campaign: found.campaign.clone(),
        edition: found.edition,
        lane,
        reward: reward.into(),
        add,
    };
    change(visit, &key, "stock", action).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stop {
    reason: String,
    notice: Option<String>,
    until: Option<String>,
    event: Option<String>,
}

/// A stop of the live lane, or of one event.
pub(super) async fn pause(visit: &Visit) -> Result<Response, Problem> {
    let (key, found) = asked(visit).await?;
    let stop: Stop = visit.body()?;
    let words = [
        ("/reason", Some(&stop.reason)),
        ("/notice", stop.notice.as_ref()),
    ];
    for (pointer, words) in words {
        let fits = |words: &String| !words.trim().is_empty() && words.chars().count() <= WORDS_MOST;
        if !words.is_none_or(fits) {
            return Err(invalid(pointer, "1 to 500 characters"));
        }
    }
    let until = match &stop.until {
        None => None,
        Some(text) => match DateTime::parse_from_rfc3339(text).map(|at| at.timestamp_millis()) {
            Ok(until) => Some(until),
            Err(_) => {
                return Err(invalid(
                    "/until",
                    "a time as RFC 3339, such as 2026-12-01T10:00:00+08:00",
                ));
            }
        },
    };
    if let Some(event) = &stop.event {
        let definition = visit.soon(Definitions::new(visit).newest(&found)).await?;
        let knows = definition
            .is_some_and(|definition| definition.events.iter().any(|known| *known.name == **event));
        if !knows {
            return Err(invalid("/event", "an event of this campaign"));
        }
    }
    let pause = Pause {
        reason: stop.reason,
        notice: stop.notice,
        until,
        event: stop.event.map(Arc::from),
    };
    let action = Action::Pause {
        campaign: found.campaign.clone(),
        edition: found.edition,
        pause,
    };
    change(visit, &key, "pause", action).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// The end of a stop.
pub(super) async fn resume(visit: &Visit) -> Result<Response, Problem> {
    let (key, found) = asked(visit).await?;
    let Nothing {} = visit.body()?;
    let action = Action::Resume {
        campaign: found.campaign.clone(),
        edition: found.edition,
    };
    change(visit, &key, "resume", action).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    offset_secs: i64,
}

/// The test lane's clock, so far from the real one.
pub(super) async fn move_clock(visit: &Visit) -> Result<Response, Problem> {
    let (key, found) = asked(visit).await?;
    let Clock { offset_secs } = visit.body()?;
    if !(-OFFSET_MOST_SECS..=OFFSET_MOST_SECS).contains(&offset_secs) {
        return Err(invalid("/offset_secs", "within ten years of now"));
    }
    let action = Action::MoveClock {
        campaign: found.campaign.clone(),
        edition: found.edition,
        offset: offset_secs * 1000,
    };
    change(visit, &key, "clock", action).await
}

pub(super) fn invalid(pointer: &str, problem: &str) -> Problem {
    Problem::new(Code::InvalidPayload)
        .with("pointer", pointer)
        .with("problem", problem)
}

/// Has the store do it, and this process serve what is so then.
pub(super) async fn change(
    visit: &Visit,
    key: &Key,
    what: &str,
    action: Action,
) -> Result<Response, Problem> {
    change_because(visit, key, what, action, None).await
}

/// As [`change`], with a reason for the audit.
pub(super) async fn change_because(
    visit: &Visit,
    key: &Key,
    what: &str,
    action: Action,
    why: Option<String>,
) -> Result<Response, Problem> {
    let subject = action
        .campaign()
        .map_or_else(String::new, |(campaign, edition)| {
            format!("{campaign}/{edition}")
        });
    let fingerprint = Fingerprint::of(&format!("{what} {subject}"), &visit.body);
    // What goes through all of an edition takes longer than a call.
    let most = match action {
        Action::Purge { .. } => SCAN_TIMEOUT,
        _ => CALL_TIMEOUT,
    };
    let admin = Admin {
        tenant: visit.tenant_id().into(),
        by: visit.by.as_str().into(),
        at: visit.now,
        key: Some((key.as_str().into(), *fingerprint.as_bytes())),
        action,
        why: why.map(Into::into),
    };
    // In a task of its own: a caller that goes away stops nothing half-way.
    let (store, registry) = (visit.desk.store.clone(), visit.desk.registry.clone());
    let work = tokio::spawn(async move {
        let outcome = store.admin(Box::new(admin)).await?;
        if matches!(outcome, AdminOutcome::Done(_))
            && let Err(error) = registry.refresh().await
        {
            // It is done all the same: the next look, or the next commit, brings it.
            tracing::warn!(%error, "what staff changed is not served by this process yet");
        }
        Ok(outcome)
    });
    let outcome: Result<Result<Result<_, store::Error>, _>, _> =
        tokio::time::timeout(most, work).await;
    let Ok(Ok(outcome)) = outcome else {
        return Err(Problem::new(Code::OutcomeUnknown));
    };
    match outcome.map_err(|error| visit.store_failed(&error))? {
        // The bytes that the store remembers for this key.
        AdminOutcome::Done(done) => Ok(bytes(serde_json::to_vec(&done).unwrap_or_default())),
        AdminOutcome::Replayed(answer) => {
            let mut response = bytes(axum::body::Bytes::from_owner(answer));
            response
                .headers_mut()
                .insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
            Ok(response)
        }
        // It is so already: nothing was done, and nothing is booked.
        AdminOutcome::Already => Ok(bytes(r#"{"audit":null,"revision":null,"ceiling":null}"#)),
        AdminOutcome::KeyReused => Err(Problem::new(Code::IdempotencyKeyReused)),
        AdminOutcome::Refused(no) => Err(refused(&no)),
    }
}

/// What a store's no means to the caller.
pub(super) fn refused(no: &Refused) -> Problem {
    match no {
        Refused::NoSuchTenant(_) | Refused::NoSuchCampaign(..) => {
            Problem::new(Code::NoSuchCampaign)
        }
        Refused::NoSuchStock(_) => invalid("/reward", &no.to_string()),
        Refused::TooMuch => invalid("/add", &no.to_string()),
        Refused::NoSuchParked(_) | Refused::NoSuchList(_) => {
            Problem::new(Code::NotFound).with("problem", no.to_string())
        }
        Refused::NoSuchRevision(..) => invalid("/revision", &no.to_string()),
        Refused::NoShare | Refused::Narrower(_) => invalid("/share", &no.to_string()),
        Refused::Purged(..) | Refused::TwoAreLive | Refused::OneIsLive | Refused::OthersAreLive => {
            Problem::new(Code::NotPossible).with("problem", no.to_string())
        }
    }
}
