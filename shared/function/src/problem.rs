//! What a call is answered when it is not done: one closed list of codes, one shape (RFC 9457).
//!
//! A problem speaks to the client and to nobody else: causes, keys and addresses go to the log.

use std::fmt;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

mod code;
pub use code::{Code, Words, is_reserved};

/// The media type of every problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Members of the shape itself, which an extension cannot replace.
const MEMBERS: [&str; 8] = [
    "type",
    "title",
    "status",
    "code",
    "message",
    "request_id",
    "retryable",
    "detail",
];

/// An answer that says no, or that something broke.
///
/// Built where the reason is known, finished ([`Problem::finish`]) at the edge, where the request's id and the
/// user's language are known. Small on purpose: it is the error of most functions of the request path.
pub struct Problem(Box<Inner>);

struct Inner {
    code: Code,
    /// The campaign's own code and words; `code` is then [`Code::Rejected`].
    own: Option<(String, String)>,
    words: Words,
    lang: String,
    request_id: String,
    retry_after_secs: Option<u32>,
    extensions: Map<String, Value>,
    headers: HeaderMap,
}

impl Problem {
    /// A problem with the code's own words.
    pub fn new(code: Code) -> Self {
        Self(Box::new(Inner {
            code,
            own: None,
            words: code.words(),
            lang: String::new(),
            request_id: String::new(),
            retry_after_secs: code.retry_after_secs(),
            extensions: Map::new(),
            headers: HeaderMap::new(),
        }))
    }

    /// A campaign's own `reject` (409), with its own words in the user's language already chosen.
    pub fn rejected(code: &str, message: &str) -> Self {
        let mut problem = Self::new(Code::Rejected);
        problem.0.own = Some((code.to_owned(), message.to_owned()));
        problem
    }

    /// Says it in other words than the code's: what exactly is wrong and how to put it right.
    #[must_use]
    pub fn saying(mut self, words: Words) -> Self {
        self.0.words = words;
        self
    }

    /// Adds an extension member (`opens`, `limit`, `pointer`). Members of the shape itself are left as they are.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        if !MEMBERS.contains(&name) {
            self.0.extensions.insert(name.to_owned(), value.into());
        }
        self
    }

    /// Adds a header (`Allow`, `RateLimit`), replacing one of the same name.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// Asks the client to wait that many seconds, at least 1, instead of what the code says.
    #[must_use]
    pub fn retry_after(mut self, secs: u32) -> Self {
        self.0.retry_after_secs = Some(secs.max(1));
        self
    }

    /// Puts in the request's id and the user's language, a BCP 47 tag as [`crate::lang::pick`] chose it.
    #[must_use]
    pub fn finish(mut self, request_id: &str, lang: &str) -> Self {
        request_id.clone_into(&mut self.0.request_id);
        lang.clone_into(&mut self.0.lang);
        self
    }

    /// The code as a member of the closed list.
    pub fn kind(&self) -> Code {
        self.0.code
    }

    /// The code as clients, logs and metrics see it.
    pub fn code(&self) -> &str {
        self.0
            .own
            .as_ref()
            .map_or(self.0.code.as_str(), |(code, _)| code)
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.code.status()
    }

    /// The words for the user, in the language set by [`Problem::finish`] (English before that).
    pub fn message(&self) -> &str {
        match &self.0.own {
            Some((_, message)) => message,
            None => self.0.words.pick(&self.0.lang),
        }
    }

    /// The body: members in a fixed order, then the extensions by name.
    pub fn body(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            r#type: String,
            title: &'static str,
            status: u16,
            code: &'a str,
            message: &'a str,
            #[serde(skip_serializing_if = "str::is_empty")]
            request_id: &'a str,
            retryable: bool,
            #[serde(flatten)]
            extensions: &'a Map<String, Value>,
        }
        Body {
            r#type: self.0.code.type_uri(),
            title: self.0.code.title(),
            status: self.status().as_u16(),
            code: self.code(),
            message: self.message(),
            request_id: &self.0.request_id,
            retryable: self.0.code.retryable(),
            extensions: &self.0.extensions,
        }
        .serialize(serializer)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.body();
        let status = self.status();
        let Inner {
            code,
            retry_after_secs,
            mut headers,
            ..
        } = *self.0;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(secs) = retry_after_secs {
            headers.insert(RETRY_AFTER, HeaderValue::from(secs));
        }
        if code == Code::Unauthenticated {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        (status, headers, body).into_response()
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Problem({} {})", self.status().as_u16(), self.code())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.message())
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn shown(problem: Problem) -> String {
        let response = problem.into_response();
        let (parts, body) = response.into_parts();
        let body = read(body);
        let mut shown = format!("{}\n", parts.status.as_u16());
        for (name, value) in &parts.headers {
            writeln!(shown, "{name}: {}", value.to_str().unwrap()).unwrap();
        }
        let pretty: Value = serde_json::from_slice(&body).unwrap();
        assert!(pretty.is_object());
        shown + &String::from_utf8(body).unwrap()
    }

    fn read(body: axum::body::Body) -> Vec<u8> {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(axum::body::to_bytes(body, 1 << 20))
            .unwrap()
            .to_vec()
    }

    #[test]
    fn a_rejection_of_ours() {
        let problem = Problem::new(Code::NotOpen)
            .with("opens", "2026-11-23T10:00:00+08:00")
            .with("code", "forged")
            .finish("r-1", "zh-CN");
        insta::assert_snapshot!(shown(problem), @r#"
        409
        content-type: application/problem+json
        cache-control: no-store
        {"type":"/problems/not-open","title":"Not open yet","status":409,"code":"not-open","message":"活动尚未开始。","request_id":"r-1","retryable":false,"opens":"2026-11-23T10:00:00+08:00"}
        "#);
    }

    #[test]
    fn a_rejection_of_the_campaign() {
        let problem = Problem::rejected("no-chances", "No chances left today.").finish("r-2", "en");
        insta::assert_snapshot!(shown(problem), @r#"
        409
        content-type: application/problem+json
        cache-control: no-store
        {"type":"/problems/rejected","title":"Rejected by the campaign","status":409,"code":"no-chances","message":"No chances left today.","request_id":"r-2","retryable":false}
        "#);
    }

    #[test]
    fn a_store_that_is_away() {
        insta::assert_snapshot!(shown(Problem::new(Code::StoreUnavailable).finish("r-3", "en")), @r#"
        503
        content-type: application/problem+json
        cache-control: no-store
        retry-after: 2
        {"type":"/problems/store-unavailable","title":"Store unavailable","status":503,"code":"store-unavailable","message":"We are busy right now. Nothing was changed. Please try again.","request_id":"r-3","retryable":true}
        "#);
    }

    #[test]
    fn nobody_we_know() {
        insta::assert_snapshot!(shown(Problem::new(Code::Unauthenticated).finish("r-4", "en-GB")), @r#"
        401
        content-type: application/problem+json
        cache-control: no-store
        www-authenticate: Bearer
        {"type":"/problems/unauthenticated","title":"Not signed in","status":401,"code":"unauthenticated","message":"Please sign in and try again.","request_id":"r-4","retryable":false}
        "#);
    }

    #[test]
    fn too_many() {
        let problem = Problem::new(Code::RateLimited)
            .retry_after(0)
            .header(
                HeaderName::from_static("ratelimit"),
                HeaderValue::from_static("\"user\";r=0;t=1"),
            )
            .finish("r-5", "fr");
        insta::assert_snapshot!(shown(problem), @r#"
        429
        content-type: application/problem+json
        ratelimit: "user";r=0;t=1
        cache-control: no-store
        retry-after: 1
        {"type":"/problems/rate-limited","title":"Too many requests","status":429,"code":"rate-limited","message":"Too fast. Please wait a moment and try again.","request_id":"r-5","retryable":true}
        "#);
    }

    #[test]
    fn whoever_may_retry_is_told_when() {
        for code in Code::ALL {
            let response = Problem::new(*code).into_response();
            let told = response.headers().contains_key(RETRY_AFTER);
            assert_eq!(
                told,
                matches!(code.status().as_u16(), 429 | 503),
                "{code:?}"
            );
            assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
            assert_eq!(response.headers()[CONTENT_TYPE], MEDIA_TYPE);
        }
    }

    #[test]
    fn it_stays_small() {
        assert_eq!(size_of::<Problem>(), size_of::<usize>());
    }
}
