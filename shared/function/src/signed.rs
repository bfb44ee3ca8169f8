//! The client's address as the gateway saw it, signed: how it is written, how it is believed, and what a function without
//! that signature does not look at. Not a user's identity: that is in the token, which the function checks for itself.
//!
//! `gala-client: v1;ip=203.0.113.9;at=1764230400;sig=<64 hexadecimal digits>`
//!
//! The signature is HMAC-SHA256 with the key of `GALA_GATEWAY_KEY` over `gala-client`, then, each after its length in bytes (32
//! bits, big-endian), everything before `;sig=` as it was sent, and the value of `X-Request-Id`. So a header taken from one
//! call is worth nothing on another, and nothing on the same one a minute later.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::FORWARDED;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::map_request_with_state;
use hmac::{Hmac, KeyInit, Mac};
use machine::ids::{hex, unhex};
use sha2::Sha256;

use crate::clock::Clock;
use crate::trace::{RequestId, X_REQUEST_ID};

/// The header that carries the client's address from the gateway to a function.
pub const GALA_CLIENT: HeaderName = HeaderName::from_static("gala-client");
/// Where gateway and functions find their key.
pub const KEY_VARIABLE: &str = "GALA_GATEWAY_KEY";
/// The shortest key, in bytes: as long as the signature.
pub const MIN_KEY_BYTES: usize = 32;
/// How long a signature is believed, in seconds.
pub const VALID_SECS: i64 = 60;
/// How far the gateway's clock may be ahead of the function's, in seconds.
pub const SKEW_SECS: i64 = 5;

/// Longer than any that we write; what is longer is not read.
const MAX_HEADER_BYTES: usize = 192;
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// What the gateway signs with, and its functions check with. Never shown, not even in a debug print.
#[derive(Clone)]
pub struct GatewayKey(Hmac<Sha256>);

impl GatewayKey {
    /// A key of at least [`MIN_KEY_BYTES`] bytes.
    pub fn new(key: &[u8]) -> Result<Self, KeyError> {
        if key.len() < MIN_KEY_BYTES {
            return Err(KeyError::Short(key.len()));
        }
        // A MAC of this kind takes a key of any length; the error exists because the trait does not know that.
        Hmac::new_from_slice(key)
            .map(Self)
            .map_err(|_| KeyError::Short(key.len()))
    }

    /// The key of the environment, without the white space around it that files leave; `None` where there is none. One that is
    /// too short is an error and not "none": whoever set it believes that it is used.
    pub fn from_env() -> Result<Option<Self>, KeyError> {
        match std::env::var(KEY_VARIABLE) {
            Ok(key) => Self::new(key.trim().as_bytes()).map(Some),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(KeyError::NotText),
        }
    }

    /// The header's value for a call of `client`, made at `now` (seconds since 1970).
    pub fn sign(&self, client: IpAddr, now: i64, request_id: &RequestId) -> HeaderValue {
        let said = format!("v1;ip={};at={now}", client.to_canonical());
        let mac = self.mac(said.as_bytes(), request_id.as_str().as_bytes());
        let signature = hex(&mac.finalize().into_bytes());
        // Addresses and digits are legal in a header; the branch exists because the type does not know that.
        HeaderValue::try_from(format!("{said};sig={signature}"))
            .unwrap_or(HeaderValue::from_static("v1"))
    }

    /// The client's address as a gateway with this key signed it for the call with these headers, at `now` (seconds since 1970).
    pub fn verify(&self, headers: &HeaderMap, now: i64) -> Result<IpAddr, NotBelieved> {
        let value = only(headers, &GALA_CLIENT)?.ok_or(NotBelieved::Absent)?;
        let request_id = only(headers, &X_REQUEST_ID)?.ok_or(NotBelieved::NoRequestId)?;
        let text = value
            .to_str()
            .ok()
            .filter(|text| text.len() <= MAX_HEADER_BYTES)
            .ok_or(NotBelieved::Malformed)?;
        let (said, signature) = text.split_once(";sig=").ok_or(NotBelieved::Malformed)?;
        let signature = unhex(signature).ok_or(NotBelieved::Malformed)?;
        self.mac(said.as_bytes(), request_id.as_bytes())
            .verify_slice(&signature)
            .map_err(|_| NotBelieved::Forged)?;
        // What is read now was written by whoever has the key.
        let (client, at) = read(said).ok_or(NotBelieved::Malformed)?;
        let age = now.saturating_sub(at);
        if (-SKEW_SECS..=VALID_SECS).contains(&age) {
            Ok(client)
        } else {
            Err(NotBelieved::Old(age))
        }
    }

    fn mac(&self, said: &[u8], request_id: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(b"gala-client");
        for part in [said, request_id] {
            mac.update(&(part.len() as u32).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl fmt::Debug for GatewayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GatewayKey")
    }
}

/// Why a key can't be used. Says nothing of what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Too few bytes.
    #[error(
        "the key in {KEY_VARIABLE} has {0} bytes and needs {MIN_KEY_BYTES}: make one with `openssl rand -hex 32`, the same for the gateway and its functions"
    )]
    Short(usize),
    /// Not UTF-8.
    #[error("the key in {KEY_VARIABLE} is not text: make one with `openssl rand -hex 32`")]
    NotText,
}

/// Why an address is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotBelieved {
    /// There is no such header: the call did not come through a gateway.
    #[error("there is no signed address")]
    Absent,
    /// There are several: one of them is not the gateway's.
    #[error("there are several signed addresses, or request ids")]
    Several,
    /// The call has no request id, which the signature covers.
    #[error("there is no request id")]
    NoRequestId,
    /// It can't be read.
    #[error("the signed address can't be read")]
    Malformed,
    /// The signature does not hold: another key, another call, or a changed address.
    #[error("the signature does not hold")]
    Forged,
    /// It held once, this many seconds ago; negative: it comes from the future.
    #[error("the signature is {0} seconds old")]
    Old(i64),
}

fn only<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a HeaderValue>, NotBelieved> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(NotBelieved::Several),
    }
}

fn read(said: &str) -> Option<(IpAddr, i64)> {
    let (client, at) = said.strip_prefix("v1;ip=")?.split_once(";at=")?;
    Some((client.parse().ok()?, at.parse().ok()?))
}

/// Removes every header in which a proxy says where a call came from: `Forwarded`, `X-Forwarded-*`, `X-Real-Ip`. Anyone can
/// write them.
pub fn forget_forwarding(headers: &mut HeaderMap) {
    let said: Vec<HeaderName> = headers
        .keys()
        .filter(|name| {
            name.as_str().starts_with("x-forwarded-") || [FORWARDED, REAL_IP].contains(name)
        })
        .cloned()
        .collect();
    for name in said {
        headers.remove(name);
    }
}

/// A function's routes as they stand behind a gateway: where a signature of its key holds, the peer
/// (`ConnectInfo<SocketAddr>`, with port 0) is the client that it names; where none does, or there is no key, the peer stays
/// what it was and forwarding headers are removed. The signed header itself goes no further in either case.
pub fn behind_gateway(router: Router, key: Option<GatewayKey>, clock: Arc<dyn Clock>) -> Router {
    let trust = Trust {
        key,
        clock,
        complained: Arc::default(),
    };
    router.layer(map_request_with_state(trust, believe))
}

#[derive(Clone)]
struct Trust {
    key: Option<GatewayKey>,
    clock: Arc<dyn Clock>,
    complained: Arc<AtomicBool>,
}

async fn believe(State(trust): State<Trust>, mut request: Request) -> Request {
    let now = trust.clock.now() / 1000;
    let client = match &trust.key {
        Some(key) => key.verify(request.headers(), now),
        None => Err(NotBelieved::Absent),
    };
    request.headers_mut().remove(GALA_CLIENT);
    match client {
        Ok(client) => {
            let peer = ConnectInfo(SocketAddr::new(client, 0));
            request.extensions_mut().insert(peer);
        }
        Err(why) => {
            forget_forwarding(request.headers_mut());
            // Anyone can send a wrong one, so it is told once: enough for whoever has given the two different keys.
            if why != NotBelieved::Absent && !trust.complained.swap(true, Ordering::Relaxed) {
                tracing::warn!(%why, "a call's address is not believed; have gateway and function the same {KEY_VARIABLE}, and the same time? Said once");
            }
        }
    }
    request
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    const NOW: i64 = 1_764_230_400;
    const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn key() -> GatewayKey {
        GatewayKey::new(KEY).unwrap()
    }

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn request_id(text: &str) -> RequestId {
        RequestId::from_headers(&headers(&[("x-request-id", text)]))
    }

    fn signed(ip: &str, at: i64, id: &str) -> String {
        let value = key().sign(ip.parse().unwrap(), at, &request_id(id));
        value.to_str().unwrap().to_owned()
    }

    #[test]
    fn written_so_and_no_other_way() {
        // From another implementation: Python's hmac, by the words at the head of this file.
        assert_eq!(
            signed("203.0.113.9", NOW, "r-1"),
            "v1;ip=203.0.113.9;at=1764230400;sig=5f7a10bd73aa5b25689179958c3e6f301166a647ba11da197a63ed11e372ef8d"
        );
    }

    #[test]
    fn believed_only_as_it_was_signed() {
        let good = signed("203.0.113.9", NOW, "r-1");
        let six = signed("2001:db8::5", NOW, "r-1");
        let mapped = signed("::ffff:203.0.113.9", NOW, "r-1");
        let other_key = GatewayKey::new(&[7; 32]).unwrap();
        let other = other_key.sign("203.0.113.9".parse().unwrap(), NOW, &request_id("r-1"));
        let ip = |text: &str| Ok(text.parse::<IpAddr>().unwrap());
        let forged = Err(NotBelieved::Forged);
        let malformed = Err(NotBelieved::Malformed);
        let one = |value: &str, id: &str, now: i64| {
            let lines = headers(&[("gala-client", value), ("x-request-id", id)]);
            key().verify(&lines, now)
        };
        let rows: [(&str, &str, i64, Result<IpAddr, NotBelieved>); 19] = [
            (&good, "r-1", NOW, ip("203.0.113.9")),
            (&six, "r-1", NOW, ip("2001:db8::5")),
            (&mapped, "r-1", NOW, ip("203.0.113.9")),
            (&good, "r-1", NOW + 60, ip("203.0.113.9")),
            (&good, "r-1", NOW + 61, Err(NotBelieved::Old(61))),
            (&good, "r-1", NOW - 5, ip("203.0.113.9")),
            (&good, "r-1", NOW - 6, Err(NotBelieved::Old(-6))),
            (
                &good,
                "r-1",
                i64::MAX,
                Err(NotBelieved::Old(i64::MAX - NOW)),
            ),
            // Moved to another call.
            (&good, "r-2", NOW, forged),
            (other.to_str().unwrap(), "r-1", NOW, forged),
            (&good.replace("113.9", "113.8"), "r-1", NOW, forged),
            (&good.replace("at=17", "at=18"), "r-1", NOW, forged),
            (&good.replace("v1;", "v2;"), "r-1", NOW, forged),
            (&good.replace(";at", "; at"), "r-1", NOW, forged),
            (&good.to_uppercase(), "r-1", NOW, malformed),
            (&good[..good.len() - 1], "r-1", NOW, malformed),
            (&format!("{good}0"), "r-1", NOW, malformed),
            ("", "r-1", NOW, malformed),
            (&"v".repeat(4096), "r-1", NOW, malformed),
        ];
        for (value, id, now, expected) in rows {
            assert_eq!(one(value, id, now), expected, "{value} {id} {now}");
        }
        let lines = |lines: &[(&'static str, &str)]| key().verify(&headers(lines), NOW);
        let id = ("x-request-id", "r-1");
        assert_eq!(lines(&[id]), Err(NotBelieved::Absent));
        assert_eq!(
            lines(&[id, ("gala-client", &good), ("gala-client", &good)]),
            Err(NotBelieved::Several)
        );
        assert_eq!(
            lines(&[id, id, ("gala-client", &good)]),
            Err(NotBelieved::Several)
        );
        assert_eq!(
            lines(&[("gala-client", &good)]),
            Err(NotBelieved::NoRequestId)
        );
    }

    #[test]
    fn short_keys_are_refused_and_no_key_is_shown() {
        assert_eq!(GatewayKey::new(b"").unwrap_err(), KeyError::Short(0));
        let error = GatewayKey::new(&KEY[..31]).unwrap_err();
        assert_eq!(error, KeyError::Short(31));
        assert!(error.to_string().contains("has 31 bytes and needs 32"));
        assert_eq!(format!("{:?}", key()), "GatewayKey");
    }

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> machine::Millis {
            NOW * 1000
        }
    }

    /// What a handler behind the layer sees: its peer, and which of the headers of interest are left.
    async fn seen(key: Option<GatewayKey>, lines: &[(&'static str, &str)]) -> String {
        let show = |request: Request| async move {
            let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
            let peer = peer.map_or("nobody".to_owned(), |peer| peer.0.to_string());
            let mut left: Vec<String> = request.headers().keys().map(ToString::to_string).collect();
            left.sort();
            format!("{peer} {}", left.join(" "))
        };
        let router = Router::new().route("/", get(show));
        let router = behind_gateway(router, key, Arc::new(Noon));
        let mut request = Request::builder().uri("/").body(Body::empty()).unwrap();
        *request.headers_mut() = headers(lines);
        let peer: SocketAddr = "10.0.0.7:4711".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let body = router.oneshot(request).await.unwrap().into_body();
        let bytes = axum::body::to_bytes(body, 1 << 16).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_function_believes_its_gateway_and_nobody_else() {
        let good = signed("203.0.113.9", NOW, "r-1");
        let id = ("x-request-id", "r-1");
        let spoofed = [
            ("forwarded", "for=1.2.3.4"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-proto", "https"),
            ("x-real-ip", "1.2.3.4"),
            ("accept", "*/*"),
        ];
        let signed = [&spoofed[..], &[id, ("gala-client", &good)]].concat();
        let forged = good.replace("113.9", "113.8");
        let forged = [&spoofed[..], &[id, ("gala-client", &forged)]].concat();
        let not_believed = "10.0.0.7:4711 accept x-request-id";
        assert_eq!(
            seen(Some(key()), &signed).await,
            "203.0.113.9:0 accept forwarded x-forwarded-for x-forwarded-proto x-real-ip x-request-id"
        );
        assert_eq!(seen(Some(key()), &forged).await, not_believed);
        assert_eq!(seen(None, &signed).await, not_believed);
        assert_eq!(seen(Some(key()), &spoofed).await, "10.0.0.7:4711 accept");
    }
}
