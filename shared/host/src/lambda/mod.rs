//! An AWS Lambda function on a custom runtime: asks for an invocation by long poll, answers it exactly once, and asks for the
//! next. One at a time.
//!
//! | file | holds |
//! |---|---|
//! | `settings` | where the runtime API is, and whether function URLs stream |
//! | `api` | the runtime API, as a client |
//! | `request` | an HTTP request as what is in front tells it: REST API, HTTP API, function URL, load balancer |
//! | `answer` | an answer in the form of what is in front |
//! | `stream` | an answer bit by bit |
//! | `trace` | the platform's name of a trace, as everyone else writes it |
//! | `triggers` | SQS and EventBridge |
//!
//! Not there: SnapStart, which Lambda has for no custom runtime, and several invocations at once in one instance (Managed Instances).

mod answer;
mod api;
mod request;
mod settings;
mod stream;
mod trace;
mod triggers;

use std::future::Future;

use axum::http::Method;
use serde_json::Value;

pub use self::api::ApiError as Error;
use self::api::{Api, Call};
use self::request::Front;
pub use self::settings::Settings;
use crate::app::{App, Invocation};
use crate::guard::in_time;
use crate::trouble::Trouble;

/// What goes back to the platform.
enum Reply {
    Whole(Vec<u8>),
    Bits(axum::body::Body),
}

/// Runs the app: call this once it is ready. Returns when `stop` comes while no invocation is under way; an error means that the
/// platform's own interface failed, and the process should end.
pub async fn run(
    app: App,
    settings: &Settings,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let mut api = Api::new(settings);
    let mut stop = std::pin::pin!(stop);
    loop {
        let call = tokio::select! {
            () = &mut stop => return Ok(()),
            next = api.next() => next?,
        };
        match reply(&app, settings, &call).await {
            Ok(Reply::Whole(answer)) => api.respond(&call, answer).await?,
            Ok(Reply::Bits(body)) => api.stream(&call, body).await?,
            Err(why) => {
                tracing::error!(request_id = call.id, why, "an invocation failed");
                api.fail(&call, &why).await?;
            }
        }
    }
}

/// Tells the platform why the program can't begin. Call this instead of [`run`], and end.
pub async fn fail_to_begin(settings: &Settings, why: &str) -> Result<(), Error> {
    Api::new(settings).fail_to_begin(why).await
}

/// The answer to what the platform handed over; an error is told as one, so that whoever invoked may try again.
async fn reply(app: &App, settings: &Settings, call: &Call) -> Result<Reply, String> {
    let invocation = Invocation {
        id: Some(call.id.clone()),
        deadline: call.deadline,
        traceparent: call.trace.as_deref().and_then(trace::traceparent),
    };
    let event: Value = serde_json::from_slice(&call.event)
        .map_err(|error| format!("the event is no JSON: {error}"))?;
    if let Some(front) = Front::of(&event) {
        return Ok(called(app, settings, front, &event, invocation).await);
    }
    let batch = triggers::read(&event)
        .ok_or("the event is of no trigger that is known, nor an HTTP request")?;
    triggers::deliver(app, batch, &invocation)
        .await
        .map(Reply::Whole)
}

/// Answers an HTTP request in the form of what is in front. It never fails: what goes wrong is an answer, too.
async fn called(
    app: &App,
    settings: &Settings,
    front: Front,
    event: &Value,
    invocation: Invocation,
) -> Reply {
    let (id, deadline) = (invocation.id.clone(), invocation.deadline);
    let (response, method) = match request::read(front, event) {
        Ok(request) => {
            let method = request.method().clone();
            (app.call(request, invocation).await, method)
        }
        Err(why) => (
            app.say(&Trouble::BadRequest(why), id.as_deref()),
            Method::GET,
        ),
    };
    if settings.stream && front == Front::Url {
        return Reply::Bits(stream::body(response, &method, id, deadline));
    }
    // A body that is made bit by bit may be late, too.
    let whole = in_time(answer::whole(front, response, &method), deadline).await;
    Reply::Whole(match whole.and_then(|whole| whole) {
        Ok(answer) => answer,
        Err(trouble) => {
            let said = app.say(&trouble, id.as_deref());
            answer::whole(front, said, &method)
                .await
                .unwrap_or_else(|trouble| answer::bare(front, trouble.status()))
        }
    })
}
