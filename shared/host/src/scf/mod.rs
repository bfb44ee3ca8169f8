//! A Tencent SCF event function on a custom runtime: tells the platform that it is ready, asks for an event by long poll, answers
//! it exactly once, and asks for the next. One event at a time.
//!
//! Protocol: Tencent Cloud, "Custom Runtime" (583/47274) and its bash sample; what is not written there is said where it is used.

mod api;
mod request;
mod triggers;

use std::future::Future;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, Method};
use serde_json::{Value, json};

use self::api::Api;
pub use self::api::{ApiError, Settings};
use crate::answer::integrated;
use crate::app::{App, Invocation};
use crate::event::Delivered;
use crate::guard::in_time;
use crate::trouble::Trouble;

/// The most bytes that SCF takes for an answer.
pub const ANSWER_BYTES: usize = 6 * 1024 * 1024;

/// Runs the app: call this once it is ready. Returns when `stop` comes while no event is under way; an error means that the
/// platform's own interface failed, and the process should end.
pub async fn run(
    app: App,
    settings: &Settings,
    stop: impl Future<Output = ()>,
) -> Result<(), ApiError> {
    let mut api = Api::new(settings);
    api.ready().await?;
    let mut stop = std::pin::pin!(stop);
    loop {
        let (headers, body) = tokio::select! {
            () = &mut stop => return Ok(()),
            next = api.next() => next?,
        };
        match answer(&app, &headers, &body).await {
            Ok(answer) => api.respond(answer).await?,
            Err(why) => {
                tracing::error!(request_id = request_id(&headers), why, "an event failed");
                api.fail(why).await?;
            }
        }
    }
}

/// The answer to what the platform handed over; an error is told as one, so that it may try again.
async fn answer(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<Vec<u8>, String> {
    let id = request_id(headers).ok_or("the event came without a request_id")?;
    let invocation = Invocation {
        id: Some(id.to_owned()),
        deadline: deadline(headers),
        ..Invocation::default()
    };
    let value: Value =
        serde_json::from_slice(body).map_err(|error| format!("the event is no JSON: {error}"))?;
    if request::is_one(&value) {
        return Ok(called(app, &value, invocation).await);
    }
    let batch = triggers::read(&value, id)
        .ok_or("the event is of no trigger that is known, nor an HTTP request")?;
    let (mut taken, mut parked, mut failed) = (0, 0, Vec::new());
    for event in &batch.events {
        match app.deliver(event, &invocation).await {
            Delivered::Done => taken += 1,
            Delivered::Never(_) => parked += 1,
            Delivered::Again(why) => {
                failed.push(format!("{} {}: {why}", event.source, event.id));
                // What comes after it in its order must not be taken before it.
                if batch.in_order {
                    break;
                }
            }
        }
    }
    if failed.is_empty() {
        Ok(json!({ "taken": taken, "parked": parked })
            .to_string()
            .into_bytes())
    } else {
        Err(failed.join("; "))
    }
}

/// Answers an HTTP request in the integrated form. It never fails: what goes wrong is an answer, too.
async fn called(app: &App, value: &Value, invocation: Invocation) -> Vec<u8> {
    let (id, deadline) = (invocation.id.clone(), invocation.deadline);
    let (response, method) = match request::read(value) {
        Ok(request) => {
            let method = request.method().clone();
            (app.call(request, invocation).await, method)
        }
        Err(why) => (
            app.say(&Trouble::BadRequest(why), id.as_deref()),
            Method::GET,
        ),
    };
    // A body that is made bit by bit may be late, too.
    let whole = in_time(integrated(response, &method, ANSWER_BYTES), deadline).await;
    match whole.and_then(|whole| whole) {
        Ok(answer) => answer,
        Err(trouble) => {
            let said = app.say(&trouble, id.as_deref());
            integrated(said, &method, ANSWER_BYTES).await.unwrap_or_else(|trouble| {
                let status = trouble.status().as_u16();
                json!({ "isBase64Encoded": false, "statusCode": status, "headers": {}, "body": "" })
                    .to_string()
                    .into_bytes()
            })
        }
    }
}

/// The platform's name of the call; pages write it `request_id` and `Request_Id`.
fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers
        .get("request_id")?
        .to_str()
        .ok()
        .filter(|id| !id.is_empty())
}

/// When to answer at the latest: a little before the platform would end the instance. It names a length of time, which runs from now.
fn deadline(headers: &HeaderMap) -> Option<Instant> {
    let limit: u64 = headers
        .get("time_limit_in_ms")?
        .to_str()
        .ok()?
        .parse()
        .ok()?;
    let spare = (limit / 10).clamp(20, 1000);
    Instant::now().checked_add(Duration::from_millis(limit.saturating_sub(spare)))
}
