//! Which web pages may call a tenant's campaigns from a browser.
//!
//! Callers show a token in a header and never a cookie, so credentials are never allowed: a page of another
//! origin can send nothing in a user's name that it does not hold itself.

use std::collections::HashSet;

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method};

const METHODS: &str = "GET, POST, OPTIONS";
const REQUEST_HEADERS: &str = "authorization, content-type, idempotency-key, if-match, accept-language, x-request-id, traceparent, channel, scene";
const EXPOSED: &str = "ETag, Retry-After, RateLimit, RateLimit-Policy, Idempotency-Replayed, X-Request-Id, traceparent";
/// How long a browser may remember a preflight, in seconds: a removed origin is out within ten minutes.
const MAX_AGE_SECS: u32 = 600;

/// A tenant's own origins, compared byte for byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(HashSet<String>);

impl Origins {
    /// Reads origins as browsers send them: `https://shop.example`, with a port where it is not the usual one.
    /// No `*`, no `null`, no path, no trailing slash; the first that is none is the error.
    pub fn parse<S: AsRef<str>>(origins: &[S]) -> Result<Self, BadOrigin> {
        let read = |text: &str| {
            if is_origin(text) {
                Ok(text.to_owned())
            } else {
                Err(BadOrigin(text.to_owned()))
            }
        };
        origins
            .iter()
            .map(|text| read(text.as_ref()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether a request is a preflight: `OPTIONS` with an origin and a wish.
    pub fn is_preflight(method: &Method, request: &HeaderMap) -> bool {
        method == Method::OPTIONS
            && request.contains_key(ORIGIN)
            && request.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// The headers of the answer (204, no body) to a preflight. An origin that is not the tenant's gets none
    /// that allow anything.
    pub fn preflight(&self, request: &HeaderMap) -> HeaderMap {
        let mut answer = HeaderMap::new();
        let vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
        answer.insert(VARY, HeaderValue::from_static(vary));
        if let Some(origin) = self.allowed(request) {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            answer.insert(
                ACCESS_CONTROL_ALLOW_METHODS,
                HeaderValue::from_static(METHODS),
            );
            answer.insert(
                ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static(REQUEST_HEADERS),
            );
            answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(MAX_AGE_SECS));
        }
        answer
    }

    /// Adds to any other answer what a browser needs to show it to the page: problems too, or a page would see
    /// a network error instead of "sold out". `Vary: Origin` is added whether or not there was an origin, so
    /// that no cache serves one origin's answer to another.
    pub fn apply(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        answer.append(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.allowed(request) {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            answer.insert(
                ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static(EXPOSED),
            );
        }
    }

    /// The request's origin, when there is exactly one and it is the tenant's.
    fn allowed<'a>(&self, request: &'a HeaderMap) -> Option<&'a HeaderValue> {
        let mut values = request.get_all(ORIGIN).iter();
        match (values.next(), values.next()) {
            (Some(origin), None) if self.0.contains(origin.to_str().ok()?) => Some(origin),
            _ => None,
        }
    }
}

/// `scheme://host` or `scheme://host:port`, in the lower case in which browsers send it.
fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else {
        return false;
    };
    let (host, port) = match authority.rsplit_once(':') {
        // The last colon of `[::1]` is not a port's.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let host_ok = if let Some(rest) = host.strip_prefix('[') {
        rest.strip_suffix(']')
            .is_some_and(|v6| v6.parse::<std::net::Ipv6Addr>().is_ok())
    } else {
        let plain =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
        !host.is_empty() && host.bytes().all(plain)
    };
    let port_ok = port.is_none_or(|port| {
        let usual = if scheme == "https" { "443" } else { "80" };
        port != usual && !port.starts_with('0') && port.parse::<u16>().is_ok()
    });
    matches!(scheme, "https" | "http") && host_ok && port_ok
}

/// A text in a list of origins that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no origin; write it as browsers send it, such as https://shop.example (no path, no `*`, no usual port)"
)]
pub struct BadOrigin(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: &str = "https://shop.example";

    fn asking(origins: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for origin in origins {
            headers.append(ORIGIN, HeaderValue::from_bytes(origin.as_bytes()).unwrap());
        }
        headers.insert(
            ACCESS_CONTROL_REQUEST_METHOD,
            HeaderValue::from_static("POST"),
        );
        headers
    }

    fn shown(headers: &HeaderMap) -> String {
        headers.iter().fold(String::new(), |shown, (name, value)| {
            shown + &format!("{name}: {}\n", value.to_str().unwrap())
        })
    }

    #[test]
    fn what_is_an_origin() {
        for good in [
            SHOP,
            "http://localhost:5173",
            "https://a.b-c.example:8443",
            "http://[::1]:8080",
            "http://[::1]",
            "http://127.0.0.1",
        ] {
            assert!(Origins::parse(&[good]).is_ok(), "{good}");
        }
        for bad in [
            "*",
            "null",
            "",
            "shop.example",
            "https://",
            "https://shop.example/",
            "https://shop.example/x",
            "https://*.example",
            "https://Shop.example",
            "https://shop.example:443",
            "http://a:80",
            "https://u@shop.example",
            "ftp://a",
            "javascript://x",
            "https://a:99999",
            "https://a:",
            "https://[::1",
            "https://a, https://b",
            "https://a\n",
        ] {
            assert_eq!(Origins::parse(&[bad]), Err(BadOrigin(bad.into())));
        }
    }

    #[test]
    fn a_preflight() {
        let origins = Origins::parse(&[SHOP]).unwrap();
        assert!(Origins::is_preflight(&Method::OPTIONS, &asking(&[SHOP])));
        assert!(!Origins::is_preflight(&Method::POST, &asking(&[SHOP])));
        assert!(!Origins::is_preflight(&Method::OPTIONS, &asking(&[])));
        insta::assert_snapshot!(shown(&origins.preflight(&asking(&[SHOP]))), @r"
        vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers
        access-control-allow-origin: https://shop.example
        access-control-allow-methods: GET, POST, OPTIONS
        access-control-allow-headers: authorization, content-type, idempotency-key, if-match, accept-language, x-request-id, traceparent, channel, scene
        access-control-max-age: 600
        ");
        for stranger in [
            &["https://evil.example"] as &[&str],
            &["null"],
            &["*"],
            &[],
            &["https://shop.example.evil.example"],
            &["https://shop.example/"],
            &["HTTPS://shop.example"],
            &[SHOP, SHOP],
            &["é"],
        ] {
            assert_eq!(
                origins.preflight(&asking(stranger)).len(),
                1,
                "only Vary: {stranger:?}"
            );
        }
    }

    #[test]
    fn an_answer() {
        let origins = Origins::parse(&[SHOP]).unwrap();
        let mut answer = HeaderMap::new();
        answer.insert(VARY, HeaderValue::from_static("Accept-Language"));
        origins.apply(&asking(&[SHOP]), &mut answer);
        insta::assert_snapshot!(shown(&answer), @r"
        vary: Accept-Language
        vary: Origin
        access-control-allow-origin: https://shop.example
        access-control-expose-headers: ETag, Retry-After, RateLimit, RateLimit-Policy, Idempotency-Replayed, X-Request-Id, traceparent
        ");
        let mut answer = HeaderMap::new();
        origins.apply(&asking(&["https://evil.example"]), &mut answer);
        assert_eq!(shown(&answer), "vary: Origin\n");
    }
}
