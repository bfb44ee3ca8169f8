//! How the engine's results read in HTTP.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use machine::step::Rejection;

use super::context::Context;
use crate::engine::{Answered, Failed};
use crate::problem::{Code, Problem, Words};
use crate::render;

/// Says that an answer was given before.
pub(super) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// JSON bytes that nobody may keep.
pub(super) fn json(body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The answer to an event.
pub(super) fn answered(answered: Answered) -> Response {
    let mut response = json(axum::body::Bytes::from_owner(answered.body));
    *response.status_mut() = StatusCode::OK;
    if answered.replayed {
        response
            .headers_mut()
            .insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// Why there is none.
pub(super) fn failed(failed: Failed, context: &Context<'_>, language: &str) -> Problem {
    let request_id = context.trace.request_id.as_str();
    match failed {
        Failed::Rejected(rejection, campaign) => {
            let words = render::message(&campaign, &rejection, language);
            match &rejection {
                Rejection::Custom(code) => Problem::rejected(code, &words),
                Rejection::Later { code, next_at } => {
                    let problem = Problem::rejected(code, &words);
                    match next_at {
                        Some(at) => problem.with("next_at", campaign.calendar.rfc3339(*at)),
                        None => problem,
                    }
                }
                Rejection::NotOpen => Problem::new(Code::NotOpen)
                    .with("opens", campaign.calendar.rfc3339(campaign.window.opens)),
                Rejection::Closed => Problem::new(Code::Closed)
                    .with("closes", campaign.calendar.rfc3339(campaign.window.closes)),
                Rejection::NotEligible => Problem::new(Code::NotEligible),
                Rejection::Forbidden => Problem::new(Code::Forbidden),
                Rejection::NotPossible => Problem::new(Code::NotPossible),
                Rejection::SoldOut { next_at } => {
                    let problem = Problem::new(Code::SoldOut);
                    match next_at {
                        Some(at) => problem.with("next_at", campaign.calendar.rfc3339(*at)),
                        None => problem,
                    }
                }
                Rejection::BudgetSpent => Problem::new(Code::BudgetSpent),
            }
        }
        Failed::Paused(pause) => {
            let mut problem = Problem::new(Code::Paused);
            if let Some(notice) = pause.notice {
                problem = problem.with("notice", notice);
            }
            match pause
                .until
                .and_then(chrono::DateTime::from_timestamp_millis)
            {
                Some(until) => problem.with("until", until.to_rfc3339()),
                None => problem,
            }
        }
        Failed::Blocked => Problem::new(Code::RiskRefused),
        Failed::NoSuchEvent => Problem::new(Code::NoSuchEvent),
        Failed::Payload(error) => Problem::new(Code::InvalidPayload)
            .with("pointer", error.pointer)
            .with("problem", error.message),
        Failed::StalePage(version) => Problem::new(Code::StalePage).with("version", version),
        Failed::KeyReused => Problem::new(Code::IdempotencyKeyReused),
        Failed::Rule(fault) => {
            tracing::error!(request_id, error = %fault, "a rule failed: the event was refused");
            Problem::new(Code::RuleFailed)
        }
        Failed::Frozen(counter) => {
            tracing::error!(
                request_id,
                counter,
                "a counter is missing: its stock is frozen"
            );
            Problem::new(Code::StockFrozen)
        }
        Failed::TooManyTries(wait) => {
            let secs = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            Problem::new(Code::RateLimited)
                .retry_after(u32::try_from(secs.max(1)).unwrap_or(u32::MAX))
                .saying(TOO_MANY_TRIES)
        }
        Failed::Contended => Problem::new(Code::Overloaded),
        Failed::Behind => Problem::new(Code::StoreUnavailable).saying(Words {
            en: "This activity is being updated. Please try again.",
            zh: "活动更新中，请重试。",
        }),
        // Every call meets these while they last: the watch says so once, for all of them.
        Failed::UnderDurable(why) => {
            tracing::debug!(request_id, why, "the declared durability is not met");
            Problem::new(Code::StoreUnavailable)
        }
        Failed::ClockOff(ahead_ms) => {
            tracing::debug!(request_id, ahead_ms, "this clock is off the store's");
            Problem::new(Code::StoreUnavailable)
        }
        Failed::Slow => Problem::new(Code::StoreUnavailable),
        Failed::Store(error) => store_problem(&error, request_id),
    }
}

/// What a failure of the store means to a client.
pub(super) fn store_problem(error: &store::Error, request_id: &str) -> Problem {
    match error {
        store::Error::Busy => Problem::new(Code::Overloaded),
        store::Error::Unknown(_) => {
            tracing::error!(request_id, %error, "the outcome of a commit is unknown");
            Problem::new(Code::OutcomeUnknown)
        }
        store::Error::NotWritten(_) | store::Error::LeaseLost | store::Error::Read(_) => {
            tracing::error!(request_id, %error, "the store is not available");
            Problem::new(Code::StoreUnavailable)
        }
    }
}

const TOO_MANY_TRIES: Words = Words {
    en: "Too many wrong codes. Please try again later.",
    zh: "输错次数过多，请稍后再试。",
};
