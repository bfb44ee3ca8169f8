//! The runtime interface of a Tencent SCF event function, as far as its pages and samples tell: what a function on a custom runtime
//! asks for events and answers to. One event is under way at a time; the first answer to it is final.

use std::collections::VecDeque;
use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::{Notify, oneshot};

const PATIENCE: Duration = Duration::from_mins(1);
/// The most that the platform takes for an answer.
const ANSWER_BYTES: usize = 6 * 1024 * 1024;

/// The interface on 127.0.0.1; ends when dropped.
#[derive(Debug)]
pub struct ScfRuntime {
    port: u16,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
}

/// What a function answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScfOutcome {
    /// To `/runtime/invocation/response`.
    Response(Vec<u8>),
    /// To `/runtime/invocation/error`.
    Error(String),
}

/// How events are handed over.
#[derive(Debug, Clone)]
pub struct ScfManner {
    /// How the header that names a call is written; none: it is missing.
    pub request_id: Option<&'static str>,
    /// What a function is told of its time, in milliseconds.
    pub time_limit_ms: u64,
    /// Whether asking for an event is answered 500.
    pub next_fails: bool,
}

impl Default for ScfManner {
    fn default() -> Self {
        Self {
            request_id: Some("request_id"),
            time_limit_ms: 20_000,
            next_fails: false,
        }
    }
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<Told>,
    /// Told whenever an event waits.
    waits: Notify,
    /// Told whenever the function has said something.
    said: Condvar,
}

#[derive(Debug, Default)]
struct Told {
    manner: ScfManner,
    ready: Vec<Vec<u8>>,
    asked: u64,
    /// Polls that wait for an event.
    open: u64,
    number: u64,
    queue: VecDeque<(u64, Vec<u8>)>,
    current: Option<(u64, Vec<u8>)>,
    done: Vec<(u64, ScfOutcome)>,
    late: u64,
}

impl ScfRuntime {
    /// Starts it.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        listener
            .set_nonblocking(true)
            .expect("a listener that does not block");
        let shared = Arc::new(Shared::default());
        let router = Router::new()
            .route("/runtime/init/ready", post(ready))
            .route("/runtime/invocation/next", get(next))
            .route("/runtime/invocation/response", post(response))
            .route("/runtime/invocation/error", post(error))
            .layer(DefaultBodyLimit::max(ANSWER_BYTES))
            .with_state(shared.clone());
        let (stop, stopped) = oneshot::channel::<()>();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                tokio::select! {
                    served = async { axum::serve(listener, router).await } => served.expect("it serves"),
                    _ = stopped => {}
                }
            });
        });
        Self {
            port,
            shared,
            stop: Some(stop),
        }
    }

    /// Its port on 127.0.0.1: `SCF_RUNTIME_API_PORT`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Hands events over in another manner from now on.
    pub fn set(&self, manner: ScfManner) {
        self.state().manner = manner;
    }

    /// Hands an event over and waits for what the function answers.
    pub fn invoke(&self, event: impl Into<Vec<u8>>) -> ScfOutcome {
        let number = self.push(event);
        self.outcome(number)
    }

    /// Hands an event over; its number.
    pub fn push(&self, event: impl Into<Vec<u8>>) -> u64 {
        let mut state = self.state();
        state.number += 1;
        let number = state.number;
        state.queue.push_back((number, event.into()));
        self.shared.waits.notify_one();
        number
    }

    /// Waits for what became of an event.
    pub fn outcome(&self, number: u64) -> ScfOutcome {
        self.wait("an answer", |state| {
            let place = state.done.iter().position(|(done, _)| *done == number)?;
            Some(state.done.remove(place).1)
        })
    }

    /// Waits until the function said that it is ready, and has asked for an event; what it said, each time.
    pub fn ready(&self) -> Vec<Vec<u8>> {
        self.wait("a function that is ready", |state| {
            (!state.ready.is_empty() && state.asked > 0).then(|| state.ready.clone())
        })
    }

    /// Waits until it asks for the next event, and none waits or is under way.
    pub fn idle(&self) {
        self.wait("a function that asks for more", |state| {
            (state.open > 0 && state.current.is_none() && state.queue.is_empty()).then_some(())
        });
    }

    /// How often it said that it is ready, by now.
    pub fn said_ready(&self) -> usize {
        self.state().ready.len()
    }

    /// Answers that came too late, to an event that was answered.
    pub fn late_answers(&self) -> u64 {
        self.state().late
    }

    fn wait<T>(&self, what: &str, mut seen: impl FnMut(&mut Told) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        let mut state = self.state();
        loop {
            if let Some(found) = seen(&mut state) {
                return found;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{what} did not come in {PATIENCE:?}");
            state = self
                .shared
                .said
                .wait_timeout(state, left)
                .expect("no poison")
                .0;
        }
    }

    fn state(&self) -> MutexGuard<'_, Told> {
        self.shared.state.lock().expect("no poison")
    }
}

impl Drop for ScfRuntime {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

async fn ready(State(shared): State<Arc<Shared>>, body: Bytes) -> StatusCode {
    shared
        .state
        .lock()
        .expect("no poison")
        .ready
        .push(body.to_vec());
    shared.said.notify_all();
    StatusCode::OK
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    let _open = Open::new(&shared);
    loop {
        let waits = shared.waits.notified();
        {
            let mut state = shared.state.lock().expect("no poison");
            state.asked += 1;
            shared.said.notify_all();
            if state.manner.next_fails {
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
            // Asked again within one event, it hands over the same.
            if state.current.is_none() {
                state.current = state.queue.pop_front();
            }
            if let Some((number, event)) = state.current.clone() {
                return (headers(&state.manner, number), event).into_response();
            }
        }
        waits.await;
    }
}

/// A poll that waits; over when its connection is, too.
struct Open<'a>(&'a Shared);

impl<'a> Open<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.state.lock().expect("no poison").open += 1;
        Self(shared)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.state.lock().expect("no poison").open -= 1;
    }
}

fn headers(manner: &ScfManner, number: u64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(name) = manner.request_id {
        let name = HeaderName::try_from(name).expect("a name");
        let id = HeaderValue::try_from(format!("scf-{number}")).expect("an id");
        headers.insert(name, id);
    }
    let limit = HeaderValue::from(manner.time_limit_ms);
    headers.insert("time_limit_in_ms", limit);
    headers.insert("memory_limit_in_mb", HeaderValue::from_static("128"));
    headers
}

async fn response(State(shared): State<Arc<Shared>>, body: Bytes) -> StatusCode {
    answered(&shared, ScfOutcome::Response(body.to_vec()))
}

async fn error(State(shared): State<Arc<Shared>>, body: Bytes) -> StatusCode {
    let words = String::from_utf8_lossy(&body).into_owned();
    answered(&shared, ScfOutcome::Error(words))
}

fn answered(shared: &Shared, outcome: ScfOutcome) -> StatusCode {
    let mut state = shared.state.lock().expect("no poison");
    match state.current.take() {
        Some((number, _)) => state.done.push((number, outcome)),
        None => state.late += 1,
    }
    shared.said.notify_all();
    StatusCode::OK
}
