//! A Lambda function behind what stands in front of one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use host::event::Event;
use host::lambda;
use serde_json::Value;
use testbed::lambda::{Lambda, Outcome};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::{Front, Inbox, app, aws};
use crate::call::{Answer, Call};

/// The app on Lambda's runtime API.
pub struct LambdaEvents {
    before: aws::Front,
    api: Lambda,
    limit_ms: AtomicU64,
    inbox: Inbox,
    _runtime: Runtime,
    _stop: oneshot::Sender<()>,
}

impl LambdaEvents {
    pub fn start(before: aws::Front, below: &str) -> Self {
        let api = Lambda::start();
        let inbox = Inbox::default();
        let settings = lambda::Settings {
            api: api.api(),
            stream: false,
        };
        let app = app(&inbox, below);
        let runtime = Runtime::new().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        runtime.spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            lambda::run(app, &settings, stopped).await
        });
        Self {
            before,
            api,
            limit_ms: AtomicU64::new(20_000),
            inbox,
            _runtime: runtime,
            _stop: stop,
        }
    }
}

impl Front for LambdaEvents {
    fn name(&self) -> &'static str {
        match self.before {
            aws::Front::Rest(_) | aws::Front::HttpV1(_) => "Lambda REST",
            aws::Front::Http(_) => "Lambda HTTP",
            aws::Front::Url => "Lambda URL",
            aws::Front::Alb { .. } => "Lambda ALB",
        }
    }

    fn call(&self, call: &Call) -> Answer {
        self.raw(&self.event(call).unwrap())
    }

    fn event(&self, call: &Call) -> Option<Value> {
        let mut told = aws::Call::get(call.path);
        call.method.clone_into(&mut told.method);
        call.query.clone_into(&mut told.query);
        told.body.clone_from(&call.body);
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let given: Vec<(String, String)> = call.headers.iter().map(own).collect();
        if given
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"))
        {
            told.headers.clear();
        }
        told.headers.extend(given);
        Some(self.before.event(&told))
    }

    fn raw(&self, event: &Value) -> Answer {
        let limit = Duration::from_millis(self.limit_ms.load(Ordering::Relaxed));
        let id = self.api.push_with(event.to_string(), limit, &[]);
        match self.api.outcome(&id) {
            Outcome::Answered(bytes) => {
                let aws::Answer {
                    status,
                    headers,
                    body,
                } = self.before.answer(&bytes);
                Answer {
                    status,
                    headers,
                    body,
                }
            }
            other => panic!("{} failed: {other:?}", self.name()),
        }
    }

    fn set_time_limit(&self, millis: u64) -> bool {
        self.limit_ms.store(millis, Ordering::Relaxed);
        true
    }

    fn carries_answers_of(&self) -> usize {
        let mib = 1024 * 1024;
        match self.before {
            aws::Front::Alb { .. } => mib,
            _ => 6 * mib,
        }
    }

    fn delivered(&self) -> Vec<Event> {
        self.inbox.taken()
    }
}
