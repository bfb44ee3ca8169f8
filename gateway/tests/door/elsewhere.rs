//! Functions that run elsewhere: what goes on to them and what comes back.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use function::clock::SystemClock;
use function::http::router;
use function::signed::{GatewayKey, behind_gateway};
use serde_json::{Value, json};
use testbed::tls::{acceptor, certificates};

use crate::files::ALL;
use crate::upstreams::{Mirror, Pieces, Served, Speaks, front, patient};
use crate::world::{Answer, Ask, World};

pub const DRAW: &str = "/v1/acme/wheel/events/draw";
pub const VIEW: &str = "/v1/acme/wheel";
pub const SIGN: &str = "/v1/acme/daily/events/sign-in";

pub async fn send(door: &Router, ask: Ask<'_>) -> Answer {
    Answer::to(door.clone(), ask.request()).await
}

pub fn keyed(world: &World) -> Ask<'_> {
    world.ask("POST", DRAW).by("ann").key("k")
}

fn key() -> GatewayKey {
    GatewayKey::new(&[7; 32]).unwrap()
}

fn values(shown: &Value, name: &str) -> Vec<String> {
    let headers = shown["headers"].as_array().unwrap();
    headers
        .iter()
        .filter(|header| header[0] == name)
        .map(|header| header[1].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn what_goes_on_and_what_comes_back() {
    let world = World::of(ALL).await;
    for (speaks, scheme) in [(Speaks::Http1, "http"), (Speaks::Http2, "h2c")] {
        let mirror = Mirror::default();
        let served = Served::routes(mirror.router(), speaks).await;
        let url = format!("{}/base/", served.url(scheme));
        let door = front(&world, &[("lottery", &[&url])], None, patient());
        let ask = world
            .ask("POST", "/v1/acme/wheel/events/draw?channel=a%20b&x")
            .bearer("token.as.it.is")
            .key("k")
            .header("host", "gala.example")
            .header("connection", "close, x-mine")
            .header("x-mine", "1")
            .header("te", "trailers")
            .header("proxy-authorization", "Basic eA==")
            .header("forwarded", "for=1.2.3.4")
            .header("x-forwarded-for", "1.2.3.4")
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-host", "evil.example")
            .header("x-real-ip", "1.2.3.4")
            .header("gala-client", "v1;ip=1.2.3.4;at=1;sig=00")
            .header("x-request-id", "r-1")
            .header(
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            )
            .header("cookie", "a=1")
            .header("cookie", "b=2")
            .header("x-two", "1")
            .header("x-two", "2")
            .body("{\"n\":1}")
            .from("203.0.113.9");
        let answer = send(&door, ask).await;
        assert_eq!(answer.status, 418, "{}", answer.text());
        let shown = answer.json();
        let path = "/base/v1/acme/wheel/events/draw?channel=a%20b&x";
        let uri = match speaks {
            Speaks::Http1 => path.to_owned(),
            Speaks::Http2 => format!("http://{}{path}", served.address),
        };
        assert_eq!(
            (&shown["method"], &shown["uri"]),
            (&json!("POST"), &json!(uri))
        );
        assert_eq!(shown["body"], "{\"n\":1}");
        let version = if speaks == Speaks::Http1 {
            "HTTP/1.1"
        } else {
            "HTTP/2.0"
        };
        assert_eq!(shown["version"], version);
        let host = served.address.to_string();
        let same: [(&str, &[&str]); 11] = [
            ("authorization", &["Bearer token.as.it.is"]),
            ("idempotency-key", &["k"]),
            ("content-length", &["7"]),
            ("x-request-id", &["r-1"]),
            ("x-two", &["1", "2"]),
            ("x-forwarded-for", &["203.0.113.9"]),
            ("x-forwarded-proto", &["http"]),
            ("x-forwarded-host", &["gala.example"]),
            (
                "host",
                if speaks == Speaks::Http1 {
                    &[&host]
                } else {
                    &[]
                },
            ),
            ("gala-client", &[]),
            ("x-real-ip", &[]),
        ];
        for (name, expected) in same {
            assert_eq!(values(&shown, name), expected, "{name} {speaks:?}");
        }
        let gone = [
            "forwarded",
            "connection",
            "x-mine",
            "te",
            "proxy-authorization",
        ];
        for name in gone {
            assert_eq!(values(&shown, name), [""; 0], "{name} {speaks:?}");
        }
        assert_eq!(values(&shown, "cookie").join("; "), "a=1; b=2");
        let trace = values(&shown, "traceparent").remove(0);
        assert!(
            trace.starts_with("00-0af7651916cd43dd8448eb211c80319c-")
                && !trace.contains("b7ad6b7169203331"),
            "{trace}"
        );

        let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=1", "b=2"]);
        assert_eq!(answer.header("x-kept"), Some("1"));
        for name in [
            "connection",
            "keep-alive",
            "proxy-authenticate",
            "transfer-encoding",
        ] {
            assert_eq!(answer.header(name), None, "{name} {speaks:?}");
        }
        if speaks == Speaks::Http1 {
            assert_eq!(answer.header("x-hop"), None);
        }
        // What does not lead to the campaign stays here.
        for path in ["/healthz", "/readyz", "/openapi.json"] {
            assert_eq!(send(&door, world.ask("GET", path)).await.status, 200);
        }
        send(&door, world.ask("GET", "/v1/acme/nothing").by("ann"))
            .await
            .no(404, "no-such-campaign");
        send(&door, world.ask("GET", "/v1/acme/wheel/%2e%2e/x"))
            .await
            .no(404, "not-found");
        assert_eq!(mirror.calls(), 1);
        // A trusted proxy's word is taken on.
        let ask = keyed(&world)
            .header("x-forwarded-for", "203.0.113.8")
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-host", "shop.example")
            .from("10.0.0.1");
        let shown = send(&door, ask).await.json();
        for (name, expected) in [
            ("x-forwarded-for", "203.0.113.8"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "shop.example"),
        ] {
            assert_eq!(values(&shown, name), [expected]);
        }
    }
}

#[tokio::test]
async fn no_more_of_a_body_than_a_function_would_read() {
    let world = World::of(ALL).await;
    let mirror = Mirror::default();
    let served = Served::routes(mirror.router(), Speaks::Http1).await;
    let url = served.url("http");
    let door = front(&world, &[("lottery", &[&url])], None, patient());
    let full = send(&door, keyed(&world).body(vec![b' '; 16 * 1024])).await;
    assert_eq!(full.json()["body"].as_str().unwrap().len(), 16 * 1024);
    let more = send(&door, keyed(&world).body(vec![b' '; 16 * 1024 + 1])).await;
    assert_eq!(more.no(413, "payload-too-large")["limit"], 16 * 1024);
    // Its length is not said, or said wrongly: it would go on for a gigabyte.
    for length in [None, Some("5")] {
        let mut ask = keyed(&world);
        if let Some(length) = length {
            ask = ask.header("content-length", length);
        }
        let request = ask.request().map(|_| Body::new(Pieces(1 << 20)));
        Answer::to(door.clone(), request)
            .await
            .no(413, "payload-too-large");
    }
    // What a read carries along is not read.
    let request = world.ask("GET", VIEW).request();
    let request = request.map(|_| Body::new(Pieces(1 << 20)));
    assert_eq!(Answer::to(door, request).await.json()["body"], "");
    assert_eq!(mirror.calls(), 2);
}

#[tokio::test]
async fn a_function_believes_the_address_that_its_gateway_signed() {
    let world = World::of(ALL).await;
    let mirror = Mirror::default();
    let behind = |key| behind_gateway(mirror.router(), key, Arc::new(SystemClock));
    let trusting = Served::routes(behind(Some(key())), Speaks::Http1).await;
    let keyless = Served::routes(behind(None), Speaks::Http1).await;
    let other_key = GatewayKey::new(&[8; 32]).unwrap();
    let rows = [
        (&trusting, Some(key()), "203.0.113.9", true),
        (&trusting, Some(other_key), "127.0.0.1", false),
        (&trusting, None, "127.0.0.1", false),
        (&keyless, Some(key()), "127.0.0.1", false),
    ];
    for (served, key, peer, believed) in rows {
        let door = front(
            &world,
            &[("lottery", &[&served.url("http")])],
            key.as_ref(),
            patient(),
        );
        let ask = keyed(&world)
            .header("x-forwarded-for", "1.2.3.4")
            .header("gala-client", "v1;ip=1.2.3.4;at=1;sig=00")
            .from("203.0.113.9");
        let shown = send(&door, ask).await.json();
        assert_eq!(shown["peer"], peer);
        assert_eq!(values(&shown, "gala-client"), [""; 0]);
        let forwarded: &[&str] = if believed { &["203.0.113.9"] } else { &[] };
        assert_eq!(values(&shown, "x-forwarded-for"), forwarded);
    }
}

/// Two houses with the same past: one answers in process, the other through a gateway and over TCP. What differs is what one hop
/// adds: its own span, and the connection's own headers.
#[tokio::test]
async fn the_answers_are_those_of_a_function_in_process() {
    let (here, there) = World::twins(ALL).await;
    let routes = behind_gateway(
        router(there.shell.clone()),
        Some(key()),
        there.clock.clone(),
    );
    let one = Served::routes(routes.clone(), Speaks::Http1).await;
    let two = Served::routes(routes, Speaks::Http2).await;
    let (one, two) = (one.url("http"), two.url("h2c"));
    let door = front(
        &there,
        &[
            ("lottery", &[&one, &two]),
            ("sign-in", &[&one]),
            ("custom", &[&two]),
        ],
        Some(&key()),
        patient(),
    );
    let big = "x".repeat(20_000);
    let learn = "/v1/acme/quest/events/learn";
    let calls: [(&str, &str, Option<&str>, &str); 24] = [
        ("GET", "/v1/acme/wheel/public", None, ""),
        ("HEAD", "/v1/acme/wheel/public", None, ""),
        ("GET", "/v1/acme/wheel/rules?lang=en", None, ""),
        ("GET", VIEW, None, ""),
        ("POST", DRAW, Some("a"), ""),
        ("POST", DRAW, Some("a"), ""),
        ("POST", DRAW, Some("a"), "{\"other\":1}"),
        ("POST", DRAW, Some("b"), "{}"),
        ("POST", DRAW, Some("c"), ""),
        ("POST", DRAW, Some("d"), ""),
        ("POST", DRAW, Some("e"), ""),
        ("POST", DRAW, None, ""),
        ("POST", DRAW, Some("f"), "not json"),
        ("POST", DRAW, Some("g"), &big),
        ("PUT", DRAW, Some("h"), "x"),
        ("OPTIONS", DRAW, None, ""),
        ("GET", "/v1/acme/wheel/grants", None, ""),
        ("POST", SIGN, Some("a"), ""),
        ("POST", SIGN, Some("b"), ""),
        ("POST", learn, Some("a"), "{\"words\":400}"),
        ("POST", learn, Some("b"), "{\"words\":0}"),
        ("POST", learn, Some("c"), "{\"words\":13}"),
        ("POST", "/v1/acme/quest/events/no%20such", Some("d"), ""),
        ("GET", "/v1/acme/quest/no/such/page", None, ""),
    ];
    for (method, path, key, body) in calls {
        let answer = async |world: &World, door: &Router| {
            let mut ask = world
                .ask(method, path)
                .by("ann")
                .header("x-request-id", "r-1")
                .header("origin", "https://app.acme.example")
                .body(body);
            if let Some(key) = key {
                ask = ask.key(key);
            }
            send(door, ask).await
        };
        let (near, far) = (answer(&here, &here.door).await, answer(&there, &door).await);
        let shown = |answer: &Answer| {
            let mut headers = answer.headers.clone();
            for name in ["date", "content-length", "traceparent"] {
                headers.remove(name);
            }
            // How much is left comes back with time.
            if let Some(left) = headers.get_mut("ratelimit") {
                assert!(left.as_bytes().starts_with(b"\"user\";r="));
                *left = axum::http::HeaderValue::from_static("left");
            }
            let mut lines: Vec<String> = headers
                .iter()
                .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
                .collect();
            lines.sort();
            (answer.status, lines, answer.text())
        };
        assert_eq!(shown(&near), shown(&far), "{method} {path} {key:?}");
        assert!(far.status < 500, "{}", far.text());
    }
}

#[tokio::test]
async fn over_tls_the_named_authority_is_trusted_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    certificates(dir);
    let mirror = Mirror::default();
    let served = Served::tls(mirror.router(), acceptor(dir)).await;
    let at = |ca: &str| format!("{}/?ca={}", served.url("https"), dir.join(ca).display());
    let world = World::of(ALL).await;
    let door = front(&world, &[("lottery", &[&at("ca.pem")])], None, patient());
    assert_eq!(send(&door, keyed(&world)).await.status, 418);
    let door = front(&world, &[("lottery", &[&at("other.pem")])], None, patient());
    send(&door, keyed(&world)).await.no(503, "overloaded");
    assert_eq!(mirror.calls(), 1);
    for (wrong, says) in [("none.pem", "none.pem"), ("ca.key", "no certificate")] {
        let address = at(wrong).parse().unwrap();
        let started = gateway::door::Remote::start("lottery", vec![address], None, patient());
        let error = started.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}
