//! A function under test: an app with an echo and the answers that hosts get wrong, run against the emulator.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Query, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::{any, get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream;
use host::event::Event;
use host::{App, Invocation, lambda};
use serde_json::{Value, json};
use testbed::lambda::{Lambda, Outcome};
use tokio::sync::oneshot;

use crate::fronts::{Answer, Call, Front};

/// Events that the app got, with where: `/events`, or `/events/parked`.
pub type Seen = Arc<Mutex<Vec<(String, Event)>>>;

pub struct Function {
    pub lambda: Lambda,
    pub seen: Seen,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), lambda::Error>>>,
}

impl Function {
    pub fn start() -> Self {
        Self::with(|app| app, false)
    }

    pub fn with(change: impl FnOnce(App) -> App, stream: bool) -> Self {
        let lambda = Lambda::start();
        let seen = Seen::default();
        let app = change(app(&seen));
        let api = lambda.api();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = spawn(move || {
            run(app, &lambda::Settings { api, stream }, async {
                // A sender that is gone asks to stop, too.
                let _ = stopped.await;
            })
        });
        Self {
            lambda,
            seen,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// What becomes of an event.
    pub fn invoke(&self, event: &Value) -> Outcome {
        let id = self.lambda.push(event.to_string());
        self.lambda.outcome(&id)
    }

    pub fn answered(&self, event: &Value) -> Vec<u8> {
        match self.invoke(event) {
            Outcome::Answered(bytes) => bytes,
            other => panic!("no answer: {other:?}"),
        }
    }

    /// What a client gets by way of a front.
    pub fn call(&self, front: Front, call: &Call) -> Answer {
        front.answer(&self.answered(&front.event(call)))
    }

    /// What the echo saw of a call.
    pub fn echo(&self, front: Front, call: &Call) -> Value {
        let answer = self.call(front, call);
        assert_eq!(answer.status, 200, "{front:?}: {answer:?}");
        serde_json::from_slice(&answer.body).expect("JSON of the echo")
    }

    /// Stops it.
    pub fn stop(mut self) -> Result<(), lambda::Error> {
        self.stop.take();
        self.end()
    }

    /// Waits for its end.
    pub fn end(&mut self) -> Result<(), lambda::Error> {
        let thread = self.thread.take().expect("it runs");
        thread.join().expect("no panic")
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub fn run(
    app: App,
    settings: &lambda::Settings,
    stop: impl Future<Output = ()>,
) -> Result<(), lambda::Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(lambda::run(app, settings, stop))
}

/// The app.
pub fn app(seen: &Seen) -> App {
    App::new(public()).with_events(events(seen))
}

fn public() -> Router {
    let html = "text/html; charset=utf-8";
    Router::new()
        .route(
            "/cookies",
            get(|| async {
                AppendHeaders([
                    ("set-cookie", "a=1; Path=/"),
                    ("set-cookie", "b=2; Path=/"),
                    ("x-plain", "1"),
                ])
            }),
        )
        .route(
            "/png",
            get(|| async { typed("image/png", vec![0x89, b'P', 0xff, 0]) }),
        )
        .route(
            "/svg",
            get(|| async { typed("image/svg+xml", "<svg>春</svg>".into()) }),
        )
        .route("/gzip", get(move || async move { coded(html, "gzip") }))
        .route("/br", get(move || async move { coded(html, "br") }))
        .route("/zstd", get(move || async move { coded(html, "zstd") }))
        .route(
            "/gbk",
            get(|| async { typed("text/html; charset=gbk", vec![0xb4, 0xba]) }),
        )
        .route(
            "/bytes",
            get(|| async { Response::new(Body::from(vec![0xff, 0xfe])) }),
        )
        .route("/empty", get(|| async { StatusCode::NO_CONTENT }))
        .route(
            "/same",
            get(|| async { (StatusCode::NOT_MODIFIED, [(header::ETAG, "\"1\"")]) }),
        )
        .route(
            "/away",
            get(|| async { (StatusCode::FOUND, [(header::LOCATION, "/here?a=%26")]) }),
        )
        .route("/panic", get(|| async { broken() }))
        .route(
            "/late",
            get(|| async { std::future::pending::<()>().await }),
        )
        .route(
            "/large/{bytes}",
            get(async |path: axum::extract::Path<usize>| "a".repeat(path.0)),
        )
        .route("/bits", get(|| async { bits(&["one ", "", "two"], false) }))
        .route("/bits/broken", get(|| async { bits(&["one "], true) }))
        .route(
            "/bits/late",
            get(|| async { Body::from_stream(stream::pending::<Result<Bytes, Infallible>>()) }),
        )
        .fallback(any(echo))
}

fn broken() -> StatusCode {
    panic!("a handler broke, as it was asked to")
}

fn typed(kind: &'static str, bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, kind)], bytes).into_response()
}

/// Bytes that happen to be text: only their coding says that they are not.
fn coded(kind: &'static str, coding: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_ENCODING, coding),
    ];
    (headers, "bytes").into_response()
}

fn bits(parts: &'static [&'static str], breaks: bool) -> Response {
    let parts = parts
        .iter()
        .map(|part| Ok(Bytes::from_static(part.as_bytes())));
    let end = breaks.then(|| Err(std::io::Error::other("the well is dry")));
    let cookies = AppendHeaders([("set-cookie", "a=1"), ("set-cookie", "b=2")]);
    let body = Body::from_stream(stream::iter(parts.chain(end)));
    ([(header::CONTENT_TYPE, "text/plain")], cookies, body).into_response()
}

async fn echo(
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    query: Query<Vec<(String, String)>>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let invocation = parts
        .extensions
        .get::<Invocation>()
        .cloned()
        .unwrap_or_default();
    let headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into(),
            )
        })
        .collect();
    axum::Json(json!({
        "method": parts.method.as_str(),
        "uri": parts.uri.to_string(),
        "path": parts.uri.path(),
        "query": query.0,
        "headers": headers,
        "body": STANDARD.encode(&body),
        "client": client.ip().to_string(),
        "id": invocation.id,
        "in_time": invocation.deadline.is_some_and(|end| end > std::time::Instant::now()),
    }))
    .into_response()
}

/// Takes what says `fine`; `again` may go better, `never` never will.
fn events(seen: &Seen) -> Router {
    let take = |seen: Seen, path: &'static str| {
        move |axum::Extension(event): axum::Extension<Event>, headers: HeaderMap| async move {
            assert!(headers.contains_key("ce-id"));
            let text = String::from_utf8_lossy(&event.data).into_owned();
            seen.lock()
                .expect("no poison")
                .push((path.to_owned(), event));
            match path {
                "/events" if text.contains("again") => StatusCode::SERVICE_UNAVAILABLE,
                "/events" if text.contains("never") => StatusCode::UNPROCESSABLE_ENTITY,
                "/events" if text.contains("panic") => broken(),
                "/events" if text.contains("slow") => {
                    tokio::time::sleep(Duration::from_mins(1)).await;
                    StatusCode::NO_CONTENT
                }
                _ => StatusCode::NO_CONTENT,
            }
        }
    };
    Router::new()
        .route("/events", post(take(seen.clone(), "/events")))
        .route("/events/parked", post(take(seen.clone(), "/events/parked")))
}
