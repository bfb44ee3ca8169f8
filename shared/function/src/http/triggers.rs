//! What triggers tell, as far as campaigns care: a timer lets time do what it does and takes messages from campaign to campaign,
//! and a message of a tenant's own systems is an event of a campaign ("order paid": one more chance). Never reached from
//! outside: hosts hand events over here and nowhere else.
//!
//! A message is a JSON object: `tenant`, `campaign`, `user`, `event`, and where there are any `payload` and `occurred_at`. Its
//! source and id are its idempotency key, so that what a queue delivers twice has one effect.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use host::event::{Event, PARKED_PATH, PATH};
use machine::Millis;
use machine::model::Sender;
use machine::world::{Attribution, Parked};
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use tokio::sync::Mutex;

use super::context::{Context, Identified};
use super::events::{carry, is_member};
use super::parked::park;
use super::{Shared, Shell};
use crate::fingerprint::{Fingerprint, parse_payload};
use crate::identity::Claims;
use crate::problem::{Code, Problem};
use crate::raffle::Raffles;
use crate::redeem;
use crate::relay::Relay;
use crate::sweep::sweep;

/// Timers of the hosts.
const TIMERS: [&str; 2] = ["com.tencent.scf.timer", "com.amazonaws.scheduled"];

/// The router that takes events.
pub fn events_router(shell: Arc<Shell>) -> Router {
    Router::new()
        .route(PATH, post(take))
        .route(PARKED_PATH, post(park))
        // An instance that stays warm reads again only what has something to do.
        .layer(Extension(Arc::new(Mutex::new(Raffles::default()))))
        .with_state(shell)
}

async fn take(
    State(shell): Shared,
    Extension(raffles): Extension<Arc<Mutex<Raffles>>>,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    let Some(event) = parts.extensions.remove::<Event>() else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if TIMERS.contains(&event.kind.as_str()) {
        crate::pools::Keeper::default().round(&shell).await;
        let moved = sweep(&shell).await;
        let told = Relay::default().round(&shell).await;
        let drawn = raffles.lock().await.round(&shell).await;
        #[cfg(feature = "yaml")]
        crate::schedule::Timetable::default().round(&shell).await;
        tracing::info!(
            source = event.source,
            moved,
            told,
            drawn,
            "a timer let time pass"
        );
        return StatusCode::NO_CONTENT.into_response();
    }
    let mut context = Context::new(&shell, &parts, "trigger");
    let mut found = None;
    let key = key(&Parked::id_of(&event.source, &event.id));
    let outcome = told(&mut context, &event, &key, &mut found).await;
    let problem = match outcome {
        Ok(done) => return done,
        Err(problem) => problem,
    };
    let status = verdict(problem.kind());
    let request_id = context.trace.request_id.as_str().to_owned();
    let problem = problem.finish(&request_id, "en");
    if status.is_success() {
        let (source, id, code) = (&event.source, &event.id, problem.code());
        tracing::info!(
            request_id,
            source,
            id,
            code,
            "an event was told no by the rules"
        );
    }
    (status, problem.body()).into_response()
}

/// What a host makes of a problem: a no of the rules is the event's end, what may go better comes again, all else never will.
fn verdict(code: Code) -> StatusCode {
    match code {
        Code::Rejected
        | Code::NotOpen
        | Code::Closed
        | Code::SoldOut
        | Code::BudgetSpent
        | Code::NotPossible
        | Code::NotEligible => StatusCode::NO_CONTENT,
        code if matches!(code, Code::Paused | Code::RateLimited)
            || code.status() == StatusCode::SERVICE_UNAVAILABLE =>
        {
            StatusCode::SERVICE_UNAVAILABLE
        }
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// A message.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    tenant: String,
    campaign: String,
    user: String,
    event: String,
    #[serde(default)]
    payload: Map<String, Json>,
    occurred_at: Option<String>,
}

impl Told {
    fn read(event: &Event) -> Result<Self, Problem> {
        let wrong = |why: String| Problem::new(Code::InvalidPayload).with("problem", why);
        // Strictly, so that a name that stands twice means nothing by chance.
        let read = parse_payload(&event.data).map_err(|error| wrong(error.to_string()))?;
        serde_json::from_value(Json::Object(read)).map_err(|error| wrong(error.to_string()))
    }

    fn occurred_at(&self, event: &Event) -> Result<Option<Millis>, Problem> {
        let Some(text) = self.occurred_at.as_ref().or(event.time.as_ref()) else {
            return Ok(None);
        };
        match chrono::DateTime::parse_from_rfc3339(text) {
            Ok(at) => Ok(Some(at.timestamp_millis())),
            // A queue's own words for its time are no reason to lose the message.
            Err(_) if self.occurred_at.is_none() => Ok(None),
            Err(_) => Err(Problem::new(Code::InvalidPayload)
                .with("problem", "occurred_at takes an RFC 3339 time")),
        }
    }
}

/// Makes a campaign's event of a message, under this idempotency key.
pub(super) async fn told(
    context: &mut Context<'_>,
    event: &Event,
    key: &str,
    found: &mut Option<Identified>,
) -> Result<Response, Problem> {
    let mut told = Told::read(event)?;
    if !is_member(&told.user) {
        let what = "a member id has 1 to 255 bytes and no control characters";
        return Err(Problem::new(Code::InvalidPayload).with("problem", what));
    }
    let occurred_at = told.occurred_at(event)?;
    let tenant = context.tenant(&told.tenant)?;
    let served = context.campaign(&tenant, &told.campaign)?;
    let who = found.insert(Identified {
        tenant,
        served,
        claims: Arc::new(Claims::of_nobody()),
        preview: None,
    });
    let code = redeem::seal(&who.tenant, &who.served, &told.event, &mut told.payload);
    let fingerprint = Fingerprint::of(&told.event, &told.payload);
    let sent = crate::engine::Sent {
        event: &told.event,
        sender: Sender::Backend,
        body: &told.payload,
        key,
        fingerprint: fingerprint.as_bytes(),
        code: code.as_ref(),
        if_match: None,
        attribution: Attribution {
            request_id: context.trace.request_id.as_str().into(),
            channel: Some("trigger".into()),
            occurred_at,
            ..Attribution::default()
        },
    };
    carry(context, who, &told.user, &sent).await
}

/// The idempotency key of an event, by the name that it is parked under: the same however often it comes, and from where.
pub(super) fn key(parked_id: &str) -> String {
    format!("ce-{parked_id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_event_has_the_same_key() {
        let key = |source: &str, id: &str| key(&Parked::id_of(source, id));
        // As it was always made: a queue may deliver again what was taken before an upgrade.
        assert_eq!(key("/q", "1"), "ce-a2e384c7b7fc8ca243684ca2944f8992");
        assert_ne!(key("/q", "1"), key("/q1", ""));
        assert_ne!(key("/q", "1"), key("/q", "2"));
    }

    #[test]
    fn a_message_is_read_strictly() {
        let read = |text: &str| Told::read(&Event::new("/q", "1", "t").with_text(text)).is_ok();
        assert!(read(
            r#"{"tenant":"a","campaign":"b","user":"u","event":"e"}"#
        ));
        assert!(read(
            r#"{"tenant":"a","campaign":"b","user":"u","event":"e","payload":{"n":1},"occurred_at":"2026-12-01T00:00:00Z"}"#
        ));
        for bad in [
            "",
            "[]",
            "hello",
            r#"{"tenant":"a","campaign":"b","user":"u"}"#,
            r#"{"tenant":"a","campaign":"b","user":"u","event":"e","more":1}"#,
            r#"{"tenant":"a","tenant":"c","campaign":"b","user":"u","event":"e"}"#,
        ] {
            assert!(!read(bad), "{bad}");
        }
    }
}
