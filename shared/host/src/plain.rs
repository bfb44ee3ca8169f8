//! HTTP on a port: binds when the program is ready, and lets calls under way finish when it is asked to stop. An SCF web function
//! is this, too, behind a host whose headers say who called.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt as _;
use http_body_util::{BodyExt as _, Limited};
use tokio::net::TcpListener;

use crate::app::{App, Invocation};
use crate::event::{Delivered, Event, NotAnEvent};
use crate::headers::{SCF_REMOTE_ADDR, SCF_REQUEST_ID, address};
use crate::kind::Host;
use crate::trouble::Trouble;
use crate::uri::unescape;

/// How long a stop waits for calls under way.
pub const DRAIN: Duration = Duration::from_secs(10);

/// The port of an SCF web function.
pub const SCF_PORT: u16 = 9000;

/// Serves the app until `stop`, as [`listen`] does.
pub async fn serve(
    app: App,
    host: Host,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let router = Router::new().fallback(enter).with_state((app, host));
    listen(listener, router, stop).await
}

/// Serves a router until `stop`, then lets calls under way finish, for at most [`DRAIN`]. Whether all did: what did not was
/// cut off.
pub async fn listen(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let listener = listener.tap_io(|stream| {
        // Answers are small and written whole: waiting to fill a segment only adds latency.
        let _ = stream.set_nodelay(true);
    });
    let served = axum::serve(
        listener,
        router.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(async move {
        stop.await;
        let _ = stopping.send(());
    });
    tokio::select! {
        served = async move { served.await } => served,
        () = async {
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(DRAIN).await;
        } => {
            tracing::warn!("some calls did not finish in time and are cut off");
            Ok(())
        }
    }
}

async fn enter(State((app, host)): State<(App, Host)>, mut request: Request) -> Response {
    let mut invocation = Invocation::default();
    if host == Host::ScfWeb {
        let told = |name| {
            let value: &HeaderValue = request.headers().get(name)?;
            value.to_str().ok()
        };
        invocation.id = told(SCF_REQUEST_ID).map(str::to_owned);
        // Only what SCF itself sends comes here, so its word on who called holds.
        if let Some(client) = told(SCF_REMOTE_ADDR).and_then(address) {
            let client = ConnectInfo(SocketAddr::new(client, 0));
            request.extensions_mut().insert(client);
        }
    }
    let path = app.local(request.uri());
    if let Some(uri) = path
        && uri.path() == crate::event::PATH
        && let Some(key) = app.event_key()
    {
        return events(&app, key, invocation, request).await;
    }
    app.call(request, invocation).await
}

/// CloudEvents over HTTP, from whoever has the key.
async fn events(app: &App, key: &str, invocation: Invocation, request: Request) -> Response {
    if !knows(key, &request) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let id = invocation.id.clone();
    match *request.method() {
        Method::POST => {}
        Method::OPTIONS => return welcome(request.headers()),
        _ => {
            return (
                StatusCode::METHOD_NOT_ALLOWED,
                [(header::ALLOW, "POST, OPTIONS")],
            )
                .into_response();
        }
    }
    let (parts, body) = request.into_parts();
    let most = app.body_bytes();
    let Ok(body) = Limited::new(body, most).collect().await else {
        return app.say(&Trouble::BodyTooLarge { most }, id.as_deref());
    };
    let event = match Event::read(&parts.headers, &body.to_bytes()) {
        Ok(event) => event,
        Err(error) => {
            let status = match error {
                NotAnEvent::Batch | NotAnEvent::Format(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                _ => StatusCode::BAD_REQUEST,
            };
            return (status, format!("{error}\n")).into_response();
        }
    };
    match app.deliver(&event, &invocation).await {
        Delivered::Done => StatusCode::NO_CONTENT.into_response(),
        Delivered::Never(why) => (StatusCode::ACCEPTED, format!("parked: {why}\n")).into_response(),
        Delivered::Again(why) => {
            let again = [(header::RETRY_AFTER, "1")];
            (StatusCode::SERVICE_UNAVAILABLE, again, format!("{why}\n")).into_response()
        }
    }
}

/// Whether the key comes along: as a bearer token, or as `key` in the query, for senders that can only be given an address.
fn knows(key: &str, request: &Request) -> bool {
    let bearer = request.headers().get(header::AUTHORIZATION);
    let bearer = bearer
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .map(str::to_owned);
    let query = request.uri().query().unwrap_or_default().split('&');
    let query = query.filter_map(|pair| unescape(pair.strip_prefix("key=")?));
    bearer
        .into_iter()
        .chain(query)
        .any(|given| same(given.as_bytes(), key.as_bytes()))
}

/// Compares without telling by its time how much is the same.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differing = one
        .iter()
        .zip(other)
        .fold(0, |sum, (one, other)| sum | (one ^ other));
    one.len() == other.len() && std::hint::black_box(differing) == 0
}

/// Says yes to a sender that asks first (CloudEvents, HTTP 1.1 Web Hooks, 4).
fn welcome(headers: &HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    let origin = headers.get("webhook-request-origin").cloned();
    let answer = response.headers_mut();
    answer.insert(header::ALLOW, HeaderValue::from_static("POST"));
    if let Some(origin) = origin {
        answer.insert("webhook-allowed-origin", origin);
        answer.insert("webhook-allowed-rate", HeaderValue::from_static("*"));
    }
    response
}
