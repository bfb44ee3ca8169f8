//! A function that runs elsewhere, at one or several addresses: which of them is called, how often, and what a client is told
//! when none answers. How one is called is `upstream`'s.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderName, Response};
use axum::response::Response as Answer;
use function::clock::{Clock as _, SystemClock};
use function::http::{BODY_BYTES, CALL_TIMEOUT, read_body};
use function::problem::{Code, Problem, Words};
use function::signed::GatewayKey;
use function::trace::Trace;
use host::forget_connection;
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout_at};

use super::address::Address;
use super::body::Passed;
use super::client::Client;
use super::headers::onward;
use super::health::Standing;
use super::place::{KeptPlace, Place};
use super::upstream::{Call, Failed, Upstream};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What one function elsewhere may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How long a connection may take.
    pub connect: Duration,
    /// How long a call may take until the head of its answer is there, a second try included; and how long each piece of the
    /// answer's body may then take.
    pub call: Duration,
    /// Which addresses are asked whether they are ready.
    pub ask: Ask,
    /// How often each of them is asked, and how long it may take to say so.
    pub ask_every: Duration,
    /// How often one that is away is asked.
    pub ask_away_every: Duration,
    /// How many calls may be under way to one function: a part of what the door takes, so that one function that hangs leaves
    /// room for the others.
    pub under_way: usize,
    /// The most bytes of a call's body: it is read whole, so that it can be sent again.
    pub body_bytes: usize,
    /// How an address is asked whether it is ready.
    pub asks: Asks,
}

/// Which addresses are asked whether they are ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// All of them.
    Always,
    /// Those that were found not to answer, until they do: a platform that counts calls, or ends what nobody calls, sees no other
    /// than the users'.
    WhenAway,
}

/// How an address is asked whether it is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// `/readyz`, as our functions have it.
    Ready,
    /// Whether it takes a connection: all that one can know of a server that is not ours.
    Connection,
}

impl Patience {
    /// For a server that is not ours: it may take longer, and larger bodies.
    pub fn for_a_server() -> Self {
        Self {
            call: Duration::from_secs(30),
            body_bytes: 6 * 1024 * 1024,
            asks: Asks::Connection,
            ..Self::default()
        }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_millis(500),
            // The function gives itself `CALL_TIMEOUT` and then says what it knows: that must have time to arrive.
            call: CALL_TIMEOUT + Duration::from_millis(500),
            ask: Ask::Always,
            ask_every: Duration::from_secs(1),
            ask_away_every: Duration::from_millis(300),
            under_way: 2048,
            body_bytes: BODY_BYTES,
            asks: Asks::Ready,
        }
    }
}

/// A function that runs elsewhere.
#[derive(Debug)]
pub struct Remote {
    activity: &'static str,
    upstreams: Vec<Arc<Upstream>>,
    /// Where the next choice begins, so that equals take turns.
    next: AtomicUsize,
    under_way: Arc<AtomicUsize>,
    patience: Patience,
    key: Option<GatewayKey>,
}

impl Remote {
    /// The function of `activity` at these addresses, and begins to ask them whether they are ready; within a runtime. Without a
    /// key its clients' addresses are not signed, and so not believed there.
    pub fn start(
        activity: &'static str,
        addresses: Vec<Address>,
        key: Option<GatewayKey>,
        patience: Patience,
    ) -> Result<Arc<Self>, NotCallable> {
        let mut upstreams = Vec::new();
        for address in addresses {
            let shown = address.to_string();
            let upstream =
                Upstream::new(activity, address, patience.connect).map_err(|why| NotCallable {
                    address: shown,
                    why,
                })?;
            upstreams.push(Arc::new(upstream));
        }
        for upstream in &upstreams {
            tokio::spawn(watch(Arc::downgrade(upstream), patience));
        }
        Ok(Arc::new(Self {
            activity,
            upstreams,
            next: AtomicUsize::new(0),
            under_way: Arc::default(),
            patience,
            key,
        }))
    }

    /// Where it is, as the config says it.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.upstreams
            .iter()
            .map(|upstream| upstream.address.as_str())
    }

    /// Carries a call there and its answer back. `parts` keeps its headers for what a problem is told with.
    pub(super) async fn call(
        &self,
        parts: &Parts,
        body: Body,
        client: &Client,
        trace: &Trace,
    ) -> Result<Answer, Problem> {
        // First of all: what is refused here must cost nothing.
        let Some(place) = KeptPlace::take(self.under_way.clone(), self.patience.under_way) else {
            return Err(Problem::new(Code::Overloaded));
        };
        if self
            .upstreams
            .iter()
            .all(|upstream| upstream.health.standing() == Standing::Away)
        {
            return Err(unavailable());
        }
        let path = onward_path(parts)?;
        let body = if parts.method.is_safe() {
            // It means nothing there (RFC 9110, 9.3.1), and is not worth reading.
            axum::body::Bytes::new()
        } else {
            read_body(parts, body, self.patience.body_bytes).await?
        };
        let mut headers = parts.headers.clone();
        let now = SystemClock.now() / 1000;
        onward(&mut headers, client, trace, self.key.as_ref(), now);
        let call = Call {
            method: parts.method.clone(),
            path,
            headers,
            body,
        };
        let (upstream, answer) = self.send(&call, trace).await?;
        Ok(self.back(upstream, answer, place))
    }

    /// Tries once, and once more where that is safe. A call whose first try may have been carried out is not told that it was
    /// not because the second could not be sent.
    async fn send(
        &self,
        call: &Call,
        trace: &Trace,
    ) -> Result<((Arc<Upstream>, KeptPlace), Response<Incoming>), Problem> {
        let began = Instant::now();
        let until = began + self.patience.call;
        let repeatable = call.method.is_safe() || call.headers.contains_key(IDEMPOTENCY_KEY);
        let mut maybe_done = false;
        let mut tried = None;
        for again in [false, true] {
            let Some(at) = self.choose(tried) else {
                break;
            };
            tried = Some(at);
            let upstream = self.upstreams[at].clone();
            let Some(place) = Place::take(upstream.under_way.clone(), usize::MAX) else {
                break;
            };
            let this_until = if repeatable && !again && self.has_another(at) {
                // One that hangs leaves the second its time.
                began + self.patience.call / 2
            } else {
                until
            };
            let (unknown, why) = match timeout_at(this_until, upstream.send(call, again)).await {
                Ok(Ok(answer)) => return Ok(((upstream, place), answer)),
                Ok(Err(Failed::NotSent(why))) => (false, why),
                Ok(Err(Failed::Unknown(why))) => (true, why),
                Err(_) => {
                    upstream.too_slow();
                    (true, "no answer in time".to_owned())
                }
            };
            maybe_done |= unknown;
            let (activity, address) = (self.activity, upstream.address.as_str());
            let request_id = trace.request_id.as_str();
            if unknown {
                tracing::warn!(
                    request_id,
                    activity,
                    address,
                    why,
                    again,
                    "a call of a function has no answer"
                );
            } else {
                // What is the matter with the address is logged where it turns.
                tracing::debug!(
                    request_id,
                    activity,
                    address,
                    why,
                    again,
                    "a call was not sent"
                );
            }
            // What has not been seen there is not sent twice by being sent elsewhere.
            if (unknown && !repeatable) || Instant::now() >= until {
                break;
            }
        }
        if maybe_done && !call.method.is_safe() {
            Err(Problem::new(Code::OutcomeUnknown))
        } else {
            Err(unavailable())
        }
    }

    /// The address to call: of those that answer, the ready before the others, then one that was not just tried, then the one
    /// with the fewest calls under way; equals take turns.
    fn choose(&self, tried: Option<usize>) -> Option<usize> {
        let count = self.upstreams.len();
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let at = (0..count).map(|step| first.wrapping_add(step) % count);
        at.filter_map(|at| {
            let upstream = self.upstreams.get(at)?;
            let standing = upstream.health.standing();
            let under_way = upstream.under_way.load(Ordering::Acquire);
            (standing != Standing::Away).then_some((standing, tried == Some(at), under_way, at))
        })
        .min_by_key(|(standing, tried, under_way, _)| (*standing, *tried, *under_way))
        .map(|(.., at)| at)
    }

    /// Whether a call could go elsewhere, too.
    fn has_another(&self, at: usize) -> bool {
        let others = self.upstreams.iter().enumerate();
        let mut others = others.filter(|(other, _)| *other != at);
        others.any(|(_, upstream)| upstream.health.standing() == Standing::Ready)
    }

    fn back(
        &self,
        (upstream, there): (Arc<Upstream>, KeptPlace),
        answer: Response<Incoming>,
        here: KeptPlace,
    ) -> Answer {
        let (parts, body) = answer.into_parts();
        let body = if body.is_end_stream() {
            Body::empty()
        } else {
            let places = (here, Some(there));
            Body::new(Passed::new(body, upstream, self.patience.call, places))
        };
        let mut back = Answer::new(body);
        *back.status_mut() = parts.status;
        *back.headers_mut() = parts.headers;
        forget_connection(back.headers_mut());
        back
    }
}

/// Asks an address again and again whether it is ready, until nobody calls it any more.
async fn watch(upstream: Weak<Upstream>, patience: Patience) {
    loop {
        let Some(upstream) = upstream.upgrade() else {
            return;
        };
        if patience.ask == Ask::Always || upstream.health.standing() != Standing::Ready {
            upstream.ask(patience.ask_every, patience.asks).await;
        }
        upstream.tidy();
        let away = upstream.health.standing() == Standing::Away;
        drop(upstream);
        let pause = if away {
            patience.ask_away_every
        } else {
            patience.ask_every
        };
        tokio::time::sleep(jittered(pause)).await;
    }
}

/// Nine tenths to eleven tenths of it, so that many gateways do not ask in step.
fn jittered(pause: Duration) -> Duration {
    use std::hash::{BuildHasher as _, RandomState};
    // Each such state is seeded anew: chance enough for this.
    let chance = RandomState::new().hash_one(0) % 201;
    pause * (900 + chance as u32) / 1000
}

/// Path and query as they go on. What has `.` or `..` in its path means something else to whoever tidies paths up on the way.
fn onward_path(parts: &Parts) -> Result<String, Problem> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let dots = |segment: &str| {
        let plain = segment.replace("%2e", ".").replace("%2E", ".");
        plain == "." || plain == ".."
    };
    if !path.starts_with('/') || parts.uri.path().split('/').any(dots) {
        return Err(Problem::new(Code::NotFound));
    }
    Ok(path.to_owned())
}

/// No address of the function can be called.
fn unavailable() -> Problem {
    Problem::new(Code::Overloaded).retry_after(2).saying(Words {
        en: "This activity cannot be reached right now. Nothing was changed. Please try again.",
        zh: "活动暂时无法访问，本次操作未生效，请重试。",
    })
}

/// An address that can't be called as it is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{address}: {why}")]
pub struct NotCallable {
    address: String,
    why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_others_would_tidy_up() {
        let onward = |uri: &str| {
            let request = axum::http::Request::builder().uri(uri).body(()).unwrap();
            onward_path(&request.into_parts().0).ok()
        };
        for fine in [
            "/v1/a/b?x=../y",
            "/v1/a/b/events/a..b",
            "/v1/a/...",
            "/v1/a%2Fb",
        ] {
            assert_eq!(onward(fine).as_deref(), Some(fine));
        }
        for not in ["/v1/a/../b", "/v1/a/%2e%2E/b", "/v1/.", "/v1/a/.%2e?x", "*"] {
            assert_eq!(onward(not), None, "{not}");
        }
    }

    #[test]
    fn pauses_differ_a_little() {
        let pause = Duration::from_secs(1);
        for _ in 0..100 {
            let jittered = jittered(pause);
            assert!((900..=1100).contains(&jittered.as_millis()), "{jittered:?}");
        }
    }
}
