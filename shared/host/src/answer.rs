//! An answer as JSON that SCF turns back into one: the integrated response.

use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::app::collected;
use crate::binary::as_text;
use crate::headers::drop_hop_by_hop;
use crate::trouble::Trouble;

/// The integrated response (Tencent, function URL and gateway triggers): `isBase64Encoded`, `statusCode`, `headers` with a list
/// for each name that comes more than once, `body`. At most `most` bytes.
pub(crate) async fn integrated(
    response: Response,
    method: &Method,
    most: usize,
) -> Result<Vec<u8>, Trouble> {
    let carried = Carried::of(response, method).await?;
    let answer = json!({
        "isBase64Encoded": carried.encoded,
        "statusCode": carried.status.as_u16(),
        "headers": lists(&carried.headers),
        "body": carried.body,
    });
    within(answer.to_string().into_bytes(), most)
}

/// An answer whose body is text, as JSON carries it.
#[derive(Debug)]
pub(crate) struct Carried {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
    /// Whether the body is in base64.
    pub encoded: bool,
}

impl Carried {
    /// Collects an answer. What asked for it tells whether it has a body.
    pub async fn of(response: Response, method: &Method) -> Result<Self, Trouble> {
        let (parts, bytes) = collected(response).await?;
        let (status, headers) = (parts.status, sent(parts.headers, method));
        let empty = has_no_body(status) || *method == Method::HEAD;
        let bytes = if empty { &[][..] } else { &bytes[..] };
        let (body, encoded) = match as_text(&headers, bytes) {
            Some(text) => (text.to_owned(), false),
            None if bytes.is_empty() => (String::new(), false),
            None => (STANDARD.encode(bytes), true),
        };
        Ok(Self {
            status,
            headers,
            body,
            encoded,
        })
    }
}

/// The headers that go to the host.
pub(crate) fn sent(mut headers: HeaderMap, method: &Method) -> HeaderMap {
    drop_hop_by_hop(&mut headers);
    // The host counts for itself what it sends; only an answer without its body still says how long that would be.
    if *method != Method::HEAD {
        headers.remove(header::CONTENT_LENGTH);
    }
    headers
}

/// An answer in its host's form, where the host carries that much.
pub(crate) fn within(answer: Vec<u8>, most: usize) -> Result<Vec<u8>, Trouble> {
    if answer.len() > most {
        return Err(Trouble::AnswerTooLarge { most });
    }
    Ok(answer)
}

/// Whether an answer of this status never has a body (RFC 9110, 6.4.1).
pub(crate) fn has_no_body(status: StatusCode) -> bool {
    status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED
}

fn lists(headers: &HeaderMap) -> Map<String, Value> {
    let line = |name| {
        let all: Vec<Value> = headers
            .get_all(name)
            .iter()
            .map(|value| Value::from(String::from_utf8_lossy(value.as_bytes())))
            .collect();
        match <[Value; 1]>::try_from(all) {
            Ok([one]) => one,
            Err(all) => Value::from(all),
        }
    };
    headers
        .keys()
        .map(|name| (name.to_string(), line(name)))
        .collect()
}
