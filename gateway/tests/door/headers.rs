//! Headers: CORS, request ids, trace context, what keeps browsers safe; and what the log may not hold.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::faults::Fault;
use crate::files::ALL;
use crate::world::World;

const DRAW: &str = "/v1/acme/wheel/events/draw";
const APP: &str = "https://app.acme.example";

#[tokio::test]
async fn preflights() {
    let world = World::of(ALL).await;
    let ask = async |origin: &str, path: &str| {
        let ask = world.ask("OPTIONS", path).header("origin", origin);
        ask.header("access-control-request-method", "POST")
            .send()
            .await
    };
    for path in [
        DRAW,
        "/v1/acme/wheel",
        "/v1/acme/wheel/grants",
        "/v1/acme/wheel/public",
    ] {
        let yes = ask(APP, path).await;
        assert_eq!((yes.status, yes.bytes.len()), (204, 0), "{path}");
        assert_eq!(yes.header("access-control-allow-origin"), Some(APP));
        assert_eq!(
            yes.header("access-control-allow-methods"),
            Some("GET, POST, OPTIONS")
        );
        let allowed = yes.header("access-control-allow-headers").unwrap();
        let ours = [
            "authorization",
            "idempotency-key",
            "if-match",
            "content-type",
            "channel",
            "scene",
            "x-request-id",
            "traceparent",
        ];
        for header in ours {
            assert!(
                allowed.split(", ").any(|one| one == header),
                "{header} in {allowed}"
            );
        }
        let no = ask("https://evil.example", path).await;
        assert_eq!(
            (no.status, no.header("access-control-allow-origin")),
            (204, None)
        );
    }
    assert_eq!(
        ask(APP, "/v1/other/pack")
            .await
            .header("access-control-allow-origin"),
        None,
        "another tenant's page"
    );
    assert_eq!(
        ask(APP, "/v1/nobody/pack")
            .await
            .header("access-control-allow-origin"),
        None
    );
}

#[tokio::test]
async fn pages_can_read_every_answer() {
    let world = World::of(ALL).await;
    let answers = [
        world
            .ask("POST", DRAW)
            .by("ann")
            .key("k")
            .header("origin", APP)
            .send()
            .await,
        world
            .ask("POST", DRAW)
            .by("ann")
            .key("k")
            .header("origin", APP)
            .send()
            .await,
        world.ask("POST", DRAW).header("origin", APP).send().await,
        world
            .ask("GET", "/v1/acme/wheel")
            .header("origin", APP)
            .send()
            .await,
        world
            .ask("GET", "/v1/acme/wheel/public")
            .header("origin", APP)
            .send()
            .await,
        world
            .ask("GET", "/v1/acme/nothing")
            .by("ann")
            .header("origin", APP)
            .send()
            .await,
        world.ask("GET", DRAW).header("origin", APP).send().await,
        world
            .ask("GET", "/v1/acme/wheel/no/such/path")
            .header("origin", APP)
            .send()
            .await,
    ];
    for answer in &answers {
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some(APP),
            "{answer:?}"
        );
        let exposed = answer.header("access-control-expose-headers").unwrap();
        for header in [
            "ETag",
            "Retry-After",
            "RateLimit",
            "RateLimit-Policy",
            "Idempotency-Replayed",
            "X-Request-Id",
        ] {
            assert!(exposed.split(", ").any(|one| one == header), "{header}");
        }
        let vary: Vec<_> = answer.headers.get_all("vary").iter().collect();
        assert!(vary.iter().any(|vary| *vary == "Origin"), "{vary:?}");
    }
    let evil = world
        .ask("GET", "/v1/acme/wheel/public")
        .header("origin", "https://evil.example")
        .send()
        .await;
    assert_eq!(evil.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn every_answer_is_data_only() {
    let world = World::of(ALL).await;
    let answers = [
        world.ask("POST", DRAW).by("ann").key("k").send().await,
        world.ask("POST", DRAW).send().await,
        world.ask("GET", "/v1/acme/wheel/public").send().await,
        world.ask("GET", "/v1/acme/wheel/rules").send().await,
        world.ask("GET", "/healthz").send().await,
        world.ask("GET", "/openapi.json").send().await,
        world.ask("GET", "/nowhere").send().await,
        world.ask("OPTIONS", DRAW).send().await,
    ];
    for answer in answers {
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{answer:?}"
        );
        assert_eq!(
            answer.header("content-security-policy"),
            Some("default-src 'none'; frame-ancestors 'none'")
        );
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    }
}

#[tokio::test]
async fn request_ids_and_traces() {
    let world = World::of(ALL).await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let ask = world
        .ask("POST", DRAW)
        .by("ann")
        .key("k")
        .header("x-request-id", "r-1.a_b");
    let answer = ask.header("traceparent", parent).send().await;
    assert_eq!(answer.header("x-request-id"), Some("r-1.a_b"));
    let trace = answer.header("traceparent").unwrap();
    assert!(
        trace.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && trace.ends_with("-01"),
        "{trace}"
    );
    assert!(!trace.contains("00f067aa0ba902b7"), "our own span");
    // The ledger knows by which request, and from where.
    let path = format!("{DRAW}?channel=wechat&scene=banner");
    let ask = world
        .ask("POST", &path)
        .by("ann")
        .key("l")
        .header("x-request-id", "r-2");
    ask.header("channel", "passed-over").send().await.done();
    let row = world.rows("wheel").await.pop().unwrap();
    let kept = (
        &*row.attribution.request_id,
        row.attribution.channel.as_deref(),
        row.attribution.scene.as_deref(),
    );
    assert_eq!(kept, ("r-2", Some("wechat"), Some("banner")));
    let ask = world
        .ask("POST", DRAW)
        .by("ann")
        .key("m")
        .header("channel", "app")
        .header("scene", "home");
    ask.send().await.done();
    let row = world.rows("wheel").await.pop().unwrap();
    assert_eq!(
        (
            row.attribution.channel.as_deref(),
            row.attribution.scene.as_deref()
        ),
        (Some("app"), Some("home"))
    );
    for bad in ["", "a b", "<script>", &"x".repeat(65)] {
        let answer = world
            .ask("GET", "/nowhere")
            .header("x-request-id", bad)
            .header("traceparent", "00-0-0-0")
            .send()
            .await;
        let id = answer.header("x-request-id").unwrap();
        assert!(
            id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()),
            "{id}"
        );
        assert_eq!(answer.header("traceparent").unwrap().len(), 55);
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn nobody_is_found_in_the_log() {
    let lines = Lines::default();
    let sink = lines.clone();
    let layer = tracing_subscriber::fmt::layer()
        .json()
        .with_writer(move || sink.clone());
    let _logging = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let world = World::of(ALL).await;
    let user = "member-4711-zhang@example.com";
    let token = world.token("acme", user, &json!({ "tags": ["vip-secret-tag"] }));
    let service = world.service("acme");
    let path = format!("/v1/acme/quest/users/{user}/events/paid");
    let secret = "the-secret-note";
    let body = json!({ "words": 5, "note": secret });
    let learn = "/v1/acme/quest/events/learn";
    world
        .ask("POST", learn)
        .bearer(&token)
        .key("key-of-ann")
        .json(&body)
        .from("198.51.100.77")
        .send()
        .await
        .done();
    world
        .ask("POST", learn)
        .bearer(&token)
        .key("key-2")
        .json(&json!({ secret: 1 }))
        .send()
        .await
        .no(422, "invalid-payload");
    world
        .ask("POST", "/v1/acme/quest/events/divide")
        .bearer(&token)
        .key("k3")
        .json(&json!({ "by": 0 }))
        .send()
        .await
        .no(500, "rule-failed");
    world
        .ask("GET", "/v1/acme/quest")
        .bearer(&token[..token.len() - 5])
        .send()
        .await
        .no(401, "unauthenticated");
    for fault in [
        Fault::Vanished,
        Fault::NotWritten,
        Fault::Frozen,
        Fault::Busy,
    ] {
        world.store.commits([fault]);
        assert_eq!(
            world
                .ask("POST", learn)
                .bearer(&token)
                .key("k4")
                .json(&body)
                .send()
                .await
                .status
                / 100,
            5
        );
    }
    world
        .ask("POST", &path)
        .bearer(&service)
        .key("order-9")
        .send()
        .await
        .done();
    world
        .ask("GET", &format!("/v1/acme/quest/{user}"))
        .send()
        .await
        .no(404, "not-found");
    world.clock.advance(std::time::Duration::from_hours(3));
    assert_eq!(function::sweep::sweep(&world.shell).await, 1);
    world.rewrite("acme/quest.yaml", "broken: [").await;

    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("\"route\":\"event\"") && log.contains("\"code\":\"rule-failed\""),
        "{log}"
    );
    let served = world.registry.snapshot().tenants["acme"].clone();
    let pseudonym = machine::ids::hex(&served.pseudonym(user).0);
    let signature = token.rsplit('.').next().unwrap();
    let seed = machine::ids::hex(&served.campaigns["wheel"].seeds.0.0);
    let hidden = [
        user,
        "4711",
        &token[..40],
        signature,
        service.as_str(),
        secret,
        "vip-secret-tag",
        "key-of-ann",
        "order-9",
        "198.51.100.77",
        &*pseudonym,
        &*seed,
    ];
    for word in hidden {
        assert!(!log.contains(word), "{word} in the log");
    }
}
