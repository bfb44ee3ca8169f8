//! An HTTP server on this machine as a router: what `gala wrap` runs on every host. Bodies pass in both directions as they come; only
//! what belongs to a connection, or says where a call came from, is written anew.
//!
//! Each call has a connection of its own. On loopback that costs little, and none can have died while the platform had the two
//! processes frozen.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::headers::drop_hop_by_hop;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What clients write of where they come from: none of it goes on.
const CLAIMED: [HeaderName; 3] = [
    header::FORWARDED,
    FORWARDED_FOR,
    HeaderName::from_static("x-real-ip"),
];

/// A router that hands every call to the server on this port of 127.0.0.1. One that can't be reached is 503, one that breaks off
/// before it answers 502.
pub fn proxy(port: u16) -> Router {
    Router::new()
        .fallback(hand_on)
        .with_state(Target { port, path: None })
}

/// The same for events: each goes to this path there.
pub fn event_proxy(port: u16, path: &str) -> Router {
    let path = Some(path.into());
    Router::new()
        .fallback(hand_on)
        .with_state(Target { port, path })
}

#[derive(Debug, Clone)]
struct Target {
    port: u16,
    path: Option<std::sync::Arc<str>>,
}

async fn hand_on(State(target): State<Target>, mut request: Request) -> Response {
    let client = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let client = client.map(|client| client.0.ip());
    let headers = request.headers_mut();
    drop_hop_by_hop(headers);
    for name in CLAIMED {
        headers.remove(name);
    }
    if let Some(Ok(client)) = client.map(|client| HeaderValue::try_from(client.to_string())) {
        headers.insert(FORWARDED_FOR, client);
    }
    if !headers.contains_key(header::HOST) {
        headers.insert(header::HOST, HeaderValue::from_static("localhost"));
    }
    if let Some(path) = &target.path {
        match path.parse::<Uri>() {
            Ok(uri) => *request.uri_mut() = uri,
            Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
    *request.version_mut() = axum::http::Version::HTTP_11;
    match answered(target.port, request).await {
        Ok(response) => response,
        Err((status, why)) => {
            tracing::error!(why, "the wrapped server gave no answer");
            let again = [(header::RETRY_AFTER, "1")];
            (
                status,
                again,
                "the server behind this function gave no answer\n",
            )
                .into_response()
        }
    }
}

async fn answered(port: u16, request: Request) -> Result<Response, (StatusCode, String)> {
    let away = |error: &dyn std::fmt::Display| (StatusCode::SERVICE_UNAVAILABLE, error.to_string());
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
    let stream = stream.map_err(|error| away(&error))?;
    stream.set_nodelay(true).map_err(|error| away(&error))?;
    let shaken = handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|error| away(&error))?;
    // Ends with the answer's body; whoever reads that is told of its error.
    tokio::spawn(connection);
    let sent = sender.send_request(request).await;
    let answer = sent.map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))?;
    let (mut parts, body) = answer.into_parts();
    drop_hop_by_hop(&mut parts.headers);
    Ok(Response::from_parts(parts, Body::new(body)))
}
