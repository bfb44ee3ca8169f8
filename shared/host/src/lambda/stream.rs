//! An answer bit by bit, for function URLs whose invoke mode is `RESPONSE_STREAM`: a prelude of JSON, eight NULs, the body as it
//! comes; what breaks off on the way is told in trailers.

use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream::unfold;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;

use super::answer::joined_with_cookies;
use super::api::{ERROR_BODY, ERROR_TYPE, failure};
use crate::answer::{has_no_body, sent};
use crate::guard::in_time;
use crate::trouble::Trouble;

/// Between the prelude and the body.
const NULS: [u8; 8] = [0; 8];

/// Where a stream is.
enum At {
    Prelude(Bytes, Option<Body>),
    Body(Body),
    End,
}

/// What goes to the platform. `id` is the call's name, for the log.
pub(super) fn body(
    response: Response,
    method: &Method,
    id: Option<String>,
    deadline: Option<Instant>,
) -> Body {
    let (parts, body) = response.into_parts();
    let headers = sent(parts.headers, method);
    let mut prelude = joined_with_cookies(&headers);
    prelude.insert("statusCode".to_owned(), parts.status.as_u16().into());
    let mut begin = serde_json::Value::Object(prelude).to_string().into_bytes();
    begin.extend_from_slice(&NULS);
    let empty = has_no_body(parts.status) || *method == Method::HEAD;
    let first = At::Prelude(begin.into(), Some(body).filter(|_| !empty));
    Body::new(StreamBody::new(unfold(first, move |at| {
        let id = id.clone();
        async move {
            let (frame, at) = match at {
                At::Prelude(begin, body) => (Frame::data(begin), body.map_or(At::End, At::Body)),
                At::Body(body) => more(body, deadline, id.as_deref()).await?,
                At::End => return None,
            };
            Some((Ok::<_, std::convert::Infallible>(frame), at))
        }
    })))
}

/// The next bytes; none at the end.
async fn more(
    mut body: Body,
    deadline: Option<Instant>,
    id: Option<&str>,
) -> Option<(Frame<Bytes>, At)> {
    loop {
        let broken = match in_time(body.frame(), deadline).await {
            Ok(None) => return None,
            Ok(Some(Ok(frame))) => match frame.into_data() {
                // An empty chunk would be the end.
                Ok(bytes) if bytes.is_empty() => continue,
                Ok(bytes) => return Some((Frame::data(bytes), At::Body(body))),
                // A function URL has no trailers of its own.
                Err(_) => continue,
            },
            Ok(Some(Err(error))) => error.to_string(),
            Err(Trouble::Late) => "the answer is not whole in time".to_owned(),
            Err(_) => "the handler broke".to_owned(),
        };
        tracing::error!(request_id = id, broken, "an answer broke off");
        return Some((Frame::trailers(trailers(&broken)), At::End));
    }
}

fn trailers(why: &str) -> HeaderMap {
    let kind = "Function.StreamError";
    let mut trailers = HeaderMap::new();
    trailers.insert(ERROR_TYPE, HeaderValue::from_static(kind));
    // Base64 is printable.
    if let Ok(told) = HeaderValue::try_from(STANDARD.encode(failure(kind, why))) {
        trailers.insert(ERROR_BODY, told);
    }
    trailers
}
