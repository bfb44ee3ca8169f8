//! Which headers no handler may ever see, and what hosts tell in headers.

use std::net::{IpAddr, SocketAddr};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// The header in which a request id comes and goes.
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Where SCF writes the client's address.
pub(crate) const SCF_REMOTE_ADDR: HeaderName = HeaderName::from_static("x-scf-remote-addr");
/// Where SCF writes its name of a call.
pub(crate) const SCF_REQUEST_ID: HeaderName = HeaderName::from_static("x-scf-request-id");

/// Only hosts write these, and adapters have read them by now: what is left is a secret (`x-scf-secret-id`, `x-scf-session-token`),
/// a host's word that a client made up, or an event's attribute where no event is.
const ONLY_HOSTS: [&str; 6] = [
    "x-scf-",
    "x-amz-security-token",
    "x-amzn-request-context",
    "x-amzn-lambda-context",
    "lambda-runtime-",
    "ce-",
];

/// Takes out what no handler, echo or log may see.
pub(crate) fn clean(headers: &mut HeaderMap) {
    let found: Vec<HeaderName> = headers
        .keys()
        .filter(|name| ONLY_HOSTS.iter().any(|own| name.as_str().starts_with(own)))
        .cloned()
        .collect();
    for name in found {
        headers.remove(name);
    }
}

/// Headers of one connection, whether or not `Connection` names them. `HTTP2-Settings` asks for an upgrade as `Upgrade` does.
const OF_ONE_CONNECTION: [HeaderName; 10] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("http2-settings"),
];

/// Removes what says nothing beyond one connection (RFC 9110, 7.6.1): the usual headers, and those that `Connection` names.
pub fn forget_connection(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .collect();
    for name in named.iter().chain(&OF_ONE_CONNECTION) {
        headers.remove(name);
    }
}

/// Whether a `Host` header, if there is one, can be a host: one, and of the form that a uri has.
pub(crate) fn has_sound_host(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let sound = |host: &HeaderValue| {
        let text = host.to_str().unwrap_or(" ");
        text.is_empty()
            || text
                .parse::<Authority>()
                .is_ok_and(|known| !text.contains('@') && known.as_str() == text)
    };
    hosts.next().is_none_or(sound) && hosts.next().is_none()
}

/// Reads an address as hosts write it: alone, or with a port.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let alone = bare.unwrap_or(text).parse::<IpAddr>();
    alone
        .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()))
        .map(|address| address.to_canonical())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| {
                (
                    name.parse::<HeaderName>().unwrap(),
                    value.parse::<HeaderValue>().unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn secrets_and_borrowed_words_go() {
        let mut all = headers(&[
            ("X-Scf-Secret-Key", "s"),
            ("x-scf-session-token", "s"),
            ("x-scf-remote-addr", "1.2.3.4"),
            ("ce-id", "1"),
            ("x-amzn-request-context", "{}"),
            ("x-amz-security-token", "s"),
            ("x-amzn-trace-id", "t"),
            ("authorization", "Bearer b"),
        ]);
        clean(&mut all);
        let mut left: Vec<&str> = all.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["authorization", "x-amzn-trace-id"]);
    }

    #[test]
    fn a_connections_own_headers_go() {
        let mut all = headers(&[
            ("connection", "close, X-Own"),
            ("x-own", "1"),
            ("transfer-encoding", "chunked"),
            ("set-cookie", "a=1"),
        ]);
        forget_connection(&mut all);
        assert_eq!(all.len(), 1, "{all:?}");
    }

    #[test]
    fn hosts_and_addresses() {
        let sound = |hosts: &[&str]| {
            let lines: Vec<(&str, &str)> = hosts.iter().map(|host| ("host", *host)).collect();
            has_sound_host(&headers(&lines))
        };
        assert!(sound(&[]) && sound(&["a.b:80"]) && sound(&["[::1]:80"]));
        assert!(!sound(&["a b"]) && !sound(&["a/b"]) && !sound(&["u@h"]) && !sound(&["a", "b"]));
        assert_eq!(address(" 1.2.3.4:5 "), "1.2.3.4".parse().ok());
        assert_eq!(address("[::1]"), "::1".parse().ok());
        assert_eq!(address("::ffff:1.2.3.4"), "1.2.3.4".parse().ok());
        assert_eq!(address("unknown"), None);
    }
}
