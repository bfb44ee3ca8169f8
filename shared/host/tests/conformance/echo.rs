//! The one router that all hosts run here: it says what it saw, and answers in every form that a host could get wrong.

use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Path, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream;
use host::Invocation;
use http_body_util::BodyExt as _;
use serde_json::{Map, Value, json};

use crate::call::decoded;

/// The bytes of a picture, and of nothing that is text.
pub const BYTES: [u8; 8] = [0x89, b'P', b'N', b'G', 0, 0xff, 0xfe, b'\n'];

pub fn router() -> Router {
    Router::new()
        .route("/segments/{one}/{two}", get(segments))
        .route("/cookies", get(cookies))
        .route("/redirect", get(redirect))
        .route("/status/{code}", get(status))
        .route("/typed/{*kind}", get(typed))
        .route("/untyped", get(untyped))
        .route("/coded/{coding}", get(coded))
        .route("/late", get(late))
        .route("/late-body", get(late_body))
        .route("/panic", get(broken))
        .route("/big/{bytes}", get(big))
        .route("/named", get(named))
        .route("/bits", get(bits))
        .fallback(echo)
}

async fn echo(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return (StatusCode::PAYLOAD_TOO_LARGE, error.to_string()).into_response(),
    };
    let mut headers = Map::new();
    for name in parts.headers.keys() {
        let all = parts.headers.get_all(name).iter();
        let all: Value = all
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        headers.insert(name.to_string(), all);
    }
    let mut query = Map::new();
    for pair in parts
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
    {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let all = query.entry(decoded(name)).or_insert_with(|| json!([]));
        all.as_array_mut().unwrap().push(json!(decoded(value)));
    }
    let client = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let invocation = parts.extensions.get::<Invocation>();
    axum::Json(json!({
        "method": parts.method.as_str(),
        "path": parts.uri.path(),
        "absolute": parts.uri.authority().is_some(),
        "query": query,
        "headers": headers,
        "client": client.map(|client| client.0.ip().to_string()),
        "invocation": invocation.and_then(|invocation| invocation.id.clone()),
        "body": STANDARD.encode(&body),
    }))
    .into_response()
}

async fn segments(Path((one, two)): Path<(String, String)>) -> axum::Json<Value> {
    axum::Json(json!([one, two]))
}

async fn cookies() -> Response {
    let mut response = "two".into_response();
    for cookie in ["a=1; Path=/", "b=2; Expires=Wed, 09 Jun 2027 10:18:14 GMT"] {
        response
            .headers_mut()
            .append(header::SET_COOKIE, HeaderValue::from_static(cookie));
    }
    response
}

async fn redirect() -> impl IntoResponse {
    (
        StatusCode::FOUND,
        [(header::LOCATION, "https://example.com/a?b=%26")],
    )
}

async fn status(Path(code): Path<u16>) -> Response {
    StatusCode::from_u16(code).unwrap().into_response()
}

async fn typed(Path(kind): Path<String>) -> Response {
    let text = "<svg>春</svg>".as_bytes().to_vec();
    let bytes = if kind.starts_with("image/png") {
        BYTES.to_vec()
    } else {
        text
    };
    ([(header::CONTENT_TYPE, kind)], bytes).into_response()
}

async fn untyped() -> Response {
    Response::new(Body::from(BYTES.to_vec()))
}

/// Not really coded: a host must not look into it.
async fn coded(Path(coding): Path<String>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html".to_owned()),
        (header::CONTENT_ENCODING, coding),
    ];
    (headers, BYTES.to_vec()).into_response()
}

async fn late() -> &'static str {
    std::future::pending().await
}

async fn late_body() -> Body {
    let first =
        stream::once(async { Ok::<_, std::convert::Infallible>(Bytes::from_static(b"first")) });
    Body::from_stream(futures_util::StreamExt::chain(first, stream::pending()))
}

async fn broken() -> &'static str {
    tokio::task::yield_now().await;
    panic!("as asked")
}

async fn big(Path(bytes): Path<usize>) -> Vec<u8> {
    vec![b'x'; bytes]
}

async fn named() -> Response {
    let mut response = "a,b".into_response();
    let name = HeaderValue::from_bytes("attachment; filename=\"春.csv\"".as_bytes()).unwrap();
    response
        .headers_mut()
        .insert(header::CONTENT_DISPOSITION, name);
    response
}

async fn bits() -> Body {
    let bits =
        (0..10).map(|number| Ok::<_, std::convert::Infallible>(Bytes::from(format!("{number} "))));
    Body::from_stream(stream::iter(bits))
}
