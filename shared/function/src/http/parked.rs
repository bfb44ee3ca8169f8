//! Events that can never be taken: kept in the store, where their tenant's staff find them, until they are told again or given
//! up. Never told to the public.
//!
//! An event that names no tenant of this function stays in the log alone: nobody's staff may read it, and there is no
//! campaign that it could be told again.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use host::event::{Event, ParkedFor};
use machine::world::{Parked, ParkedFrom};
use serde::Deserialize;
use serde_json::Value as Json;

use super::context::Context;
use super::triggers::{key, told};
use super::{CALL_TIMEOUT, Shared, Shell};
use crate::problem::{Code, Problem};
use crate::trace::Trace;

/// The most of a message that a log shows.
const SHOWN_BYTES: usize = 4096;

/// What is read of a message that means nothing otherwise.
#[derive(Debug, Deserialize)]
struct Addressed {
    tenant: String,
    campaign: Option<Json>,
}

/// Keeps an event. What can't be kept now fails, so that the host delivers it again: it is never lost.
pub(super) async fn park(State(shell): Shared, request: Request) -> StatusCode {
    let (parts, _) = request.into_parts();
    let Some(event) = parts.extensions.get::<Event>() else {
        return StatusCode::BAD_REQUEST;
    };
    let why = parts.extensions.get::<ParkedFor>();
    let (code, detail) = reason(why.map_or("", |why| &why.0));
    let addressed: Option<Addressed> = serde_json::from_slice(&event.data).ok();
    let known = shell.registry.snapshot();
    let addressed = addressed.filter(|to| known.tenants.contains_key(to.tenant.as_str()));
    let (source, id) = (&event.source, &event.id);
    let Some(Addressed { tenant, campaign }) = addressed else {
        let shown = event.data.get(..SHOWN_BYTES.min(event.data.len()));
        let data = String::from_utf8_lossy(shown.unwrap_or_default());
        tracing::error!(
            source, id, kind = event.kind, time = event.time, code, %data, bytes = event.data.len(),
            "an event that names no tenant of this function is parked in this line alone"
        );
        return StatusCode::NO_CONTENT;
    };
    let parked = Parked::new(ParkedFrom::Trigger, source, id, shell.clock.now())
        .of_kind(&event.kind, event.time.as_deref())
        .because(&code, &detail)
        .meant_for(campaign.as_ref().and_then(Json::as_str))
        .saying(&event.data);
    let name = parked.id.clone();
    let kept = tokio::time::timeout(CALL_TIMEOUT, shell.store.park(&tenant, parked)).await;
    let failed = match kept {
        Ok(Ok(times)) => {
            tracing::error!(
                source,
                id,
                tenant,
                code,
                times,
                parked = &*name,
                "an event is parked: `gala parked {tenant} {name} --retry` tells it again once what was wrong is mended"
            );
            return StatusCode::NO_CONTENT;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer in time".to_owned(),
    };
    tracing::error!(
        source,
        id,
        tenant,
        code,
        error = failed,
        "an event could not be parked: the host is to deliver it again"
    );
    StatusCode::SERVICE_UNAVAILABLE
}

/// A refusal in one word, and its particulars. Our own refusals are problems in JSON behind their status.
fn reason(why: &str) -> (String, String) {
    let problem: Option<Json> = why
        .split_once(": ")
        .and_then(|(_, body)| serde_json::from_str(body).ok());
    let text = |name: &str| problem.as_ref()?.get(name)?.as_str();
    match text("code") {
        Some(code) => {
            let detail = text("problem").or(text("message")).unwrap_or(code);
            (code.to_owned(), detail.to_owned())
        }
        None => ("refused".to_owned(), why.to_owned()),
    }
}

/// Tells a parked event again, as its trigger would and under the same idempotency key; done when it has had its effect, now
/// or before. A no, also one of the rules, is a problem: the event stays parked. `headers` give the request's id and trace.
///
/// It is decided in this process, whichever process serves the campaign's activity: all of them share the store.
pub async fn retell(shell: &Shell, parked: &Parked, headers: &HeaderMap) -> Result<(), Problem> {
    let no = |why: &str| Problem::new(Code::NotPossible).with("problem", why);
    match parked.from {
        ParkedFrom::Trigger => {}
        ParkedFrom::Relay => {
            return Err(no(
                "a message of another campaign can't be told again: what came after it may have been heard",
            ));
        }
    }
    if parked.is_cut() {
        return Err(no(
            "only the beginning of its data is kept: have its source send it again",
        ));
    }
    let mut event = Event::new(&*parked.source, &*parked.event_id, &*parked.kind);
    event.time = parked.time.as_deref().map(str::to_owned);
    event.data = parked.data.to_vec();
    // Of the call of staff, only its name goes on: not their language, and no lane.
    let (mut parts, ()) = axum::http::Request::new(()).into_parts();
    Trace::from_headers(headers).write(&mut parts.headers);
    let mut context = Context::new(shell, &parts, "trigger");
    let mut found = None;
    told(&mut context, &event, &key(&parked.id), &mut found).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_a_word() {
        let of = |why| reason(why);
        let pair = |code: &str, detail: &str| (code.to_owned(), detail.to_owned());
        assert_eq!(
            of(
                "422 Unprocessable Entity: {\"code\":\"invalid-payload\",\"message\":\"m\",\"problem\":\"p\"}"
            ),
            pair("invalid-payload", "p")
        );
        assert_eq!(
            of("422 Unprocessable Entity: {\"code\":\"no-such-campaign\",\"message\":\"m\"}"),
            pair("no-such-campaign", "m")
        );
        for odd in ["", "422", "422: {\"code\":", "410 Gone: bye"] {
            assert_eq!(of(odd), pair("refused", odd));
        }
    }
}
