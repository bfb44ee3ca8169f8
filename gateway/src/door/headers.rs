//! What of a call's headers goes on to a function elsewhere, and what of its answer's comes back: everything but what belongs
//! to one connection (RFC 9110, 7.6.1), and nothing that a client says of where it came from.

use axum::http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use function::signed::{GALA_CLIENT, GatewayKey, forget_forwarding};
use function::trace::Trace;

use super::client::Client;

/// Headers of one connection, whether or not `Connection` names them. `HTTP2-Settings` asks for an upgrade as `Upgrade` does.
const OF_ONE_CONNECTION: [HeaderName; 10] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("http2-settings"),
];
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Makes of a client's headers those that go on. `Host` and the body's length are the connection's to write.
pub(super) fn onward(
    headers: &mut HeaderMap,
    client: &Client,
    trace: &Trace,
    key: Option<&GatewayKey>,
    now: i64,
) {
    forget_connection(headers);
    forget_forwarding(headers);
    headers.remove(CONTENT_LENGTH);
    // The body has been read: who waited to be told to send it has been told.
    headers.remove(EXPECT);
    let host = headers.remove(HOST);
    if let Ok(address) = HeaderValue::try_from(client.address.to_string()) {
        headers.insert(FORWARDED_FOR, address);
    }
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(client.proto));
    if let Some(host) = client.host.clone().or(host) {
        headers.insert(FORWARDED_HOST, host);
    }
    trace.write(headers);
    headers.remove(GALA_CLIENT);
    if let Some(key) = key {
        let signed = key.sign(client.address, now, &trace.request_id);
        headers.insert(GALA_CLIENT, signed);
    }
}

/// Removes what belongs to one connection: the usual headers, and those that `Connection` names.
pub(super) fn forget_connection(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .collect();
    for name in named.iter().chain(&OF_ONE_CONNECTION) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn shown(headers: &HeaderMap) -> Vec<String> {
        let mut lines: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn what_belongs_to_a_connection_ends_with_it() {
        let mut headers = map(&[
            ("connection", "close, X-Hop ,,"),
            ("connection", "keep-alive, x-hop-2"),
            ("x-hop", "1"),
            ("x-hop-2", "2"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("proxy-authorization", "Basic eA=="),
            ("proxy-authenticate", "Basic"),
            ("te", "trailers"),
            ("trailer", "x-sum"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAMAAABk"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
            ("authorization", "Bearer x"),
        ]);
        forget_connection(&mut headers);
        assert_eq!(
            shown(&headers),
            [
                "authorization: Bearer x",
                "set-cookie: a=1",
                "set-cookie: b=2"
            ]
        );
    }

    #[test]
    fn where_a_call_comes_from_is_the_gateways_word() {
        let mut headers = map(&[
            ("host", "gala.example"),
            ("forwarded", "for=1.2.3.4"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-prefix", "/admin"),
            ("x-real-ip", "1.2.3.4"),
            ("gala-client", "v1;ip=1.2.3.4;at=1;sig=00"),
            ("content-length", "999"),
            ("expect", "100-continue"),
            ("x-request-id", "r-1"),
            ("cookie", "a=1"),
            ("cookie", "b=2"),
        ]);
        let client = Client {
            address: "203.0.113.9".parse().unwrap(),
            proto: "http",
            host: None,
        };
        let trace = Trace::from_headers(&headers);
        onward(&mut headers, &client, &trace, None, 0);
        headers.remove("traceparent").unwrap();
        assert_eq!(
            shown(&headers),
            [
                "cookie: a=1",
                "cookie: b=2",
                "x-forwarded-for: 203.0.113.9",
                "x-forwarded-host: gala.example",
                "x-forwarded-proto: http",
                "x-request-id: r-1",
            ]
        );
        let key = GatewayKey::new(&[1; 32]).unwrap();
        onward(&mut headers, &client, &trace, Some(&key), 7);
        assert_eq!(key.verify(&headers, 7), Ok(client.address));
    }
}
