//! The hosts that the table runs over: each hands a call to the same app in its own form, and reads the answer back from it.

// What stands in front of a Lambda function, as its own tests play it; they use more of it.
#[allow(dead_code)]
#[path = "../../lambda/fronts.rs"]
mod aws;
mod events;
mod http;
mod lambda;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::post;
use host::App;
use host::event::Event;
use serde_json::Value;

pub use self::events::{Form, ScfEvents};
pub use self::http::Http;
pub use self::lambda::LambdaEvents;
use crate::call::{Answer, Call};
use crate::echo;

/// The most bytes of a body that the app takes here.
pub const BODY_BYTES: usize = 64 * 1024;
/// The key for events over HTTP.
pub const EVENT_KEY: &str = "a key of events / 50%";
/// What each host says of who called, where it says it.
pub const CLIENT: &str = "203.0.113.7";

/// A host with the app on it.
pub trait Front: Sync {
    /// The column's name.
    fn name(&self) -> &'static str;
    /// Hands a call over.
    fn call(&self, call: &Call) -> Answer;
    /// Whether the host carries request bodies that are no text.
    fn carries_bytes(&self) -> bool {
        true
    }
    /// The call as the host's own event, where it has such; and one handed over as it is.
    fn event(&self, _call: &Call) -> Option<Value> {
        None
    }
    /// Hands an event over and reads its answer.
    fn raw(&self, _event: &Value) -> Answer {
        panic!("{} has no events", self.name())
    }
    /// The address that the app sees as the client's.
    fn client(&self) -> &'static str {
        CLIENT
    }
    /// Whether it ends calls that take too long, after what it is told here, in milliseconds.
    fn set_time_limit(&self, _millis: u64) -> bool {
        false
    }
    /// About how many bytes of an answer it carries, in base64 where they are no text.
    fn carries_answers_of(&self) -> usize {
        6 * 1024 * 1024
    }
    /// Whether it names calls.
    fn names_calls(&self) -> bool {
        true
    }
    /// What was delivered to the app's events.
    fn delivered(&self) -> Vec<Event>;
}

/// What the events' router was given.
#[derive(Debug, Clone, Default)]
pub struct Inbox(Arc<Mutex<Vec<Event>>>);

impl Inbox {
    pub fn taken(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    fn router(&self) -> Router {
        let inbox = self.clone();
        let take = move |request: Request| {
            let inbox = inbox.clone();
            async move {
                let event = request.extensions().get::<Event>().unwrap().clone();
                match event.data.as_slice() {
                    b"poison" => StatusCode::UNPROCESSABLE_ENTITY,
                    b"again" => StatusCode::SERVICE_UNAVAILABLE,
                    _ => {
                        inbox.0.lock().unwrap().push(event);
                        StatusCode::NO_CONTENT
                    }
                }
            }
        };
        let parking = self.clone();
        let park = move |request: Request| {
            let parking = parking.clone();
            async move {
                let mut event = request.extensions().get::<Event>().unwrap().clone();
                event.kind = format!("parked {}", event.kind);
                parking.0.lock().unwrap().push(event);
                StatusCode::NO_CONTENT
            }
        };
        Router::new()
            .route(host::event::PATH, post(take))
            .route(host::event::PARKED_PATH, post(park))
    }
}

/// The app that every host runs, below a path where that is asked for.
pub fn app(inbox: &Inbox, below: &str) -> App {
    App::new(echo::router())
        .with_events(inbox.router())
        .with_body_bytes(BODY_BYTES)
        .with_event_key(EVENT_KEY)
        .below(below.parse().unwrap())
}

/// All hosts, the app below a path.
pub fn all(below: &str) -> Vec<Box<dyn Front>> {
    vec![
        Box::new(Http::start(host::Host::Http, below)),
        Box::new(Http::start(host::Host::ScfWeb, below)),
        Box::new(ScfEvents::start(Form::Url, below)),
        Box::new(ScfEvents::start(Form::Gateway, below)),
        Box::new(ScfEvents::start(Form::Clb, below)),
        Box::new(LambdaEvents::start(aws::Front::Rest("prod"), below)),
        Box::new(LambdaEvents::start(aws::Front::Http("prod"), below)),
        Box::new(LambdaEvents::start(aws::Front::Url, below)),
        Box::new(LambdaEvents::start(aws::Front::Alb { multi: true }, below)),
    ]
}
