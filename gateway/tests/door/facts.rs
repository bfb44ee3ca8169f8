//! Facts that the tenant's own service is asked for: what it says decides and is kept with the decision; when it is late,
//! wrong, silent, too long or elsewhere, the campaign's own word for "unknown" decides, within the time that is declared.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use function::ask::{SIGNATURE, Signer, TIME};
use machine::input::Used;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::world::World;

const CLAIM: &str = "/v1/acme/pack/events/claim";
const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// How the service behaves.
#[derive(Debug, Clone)]
enum Mood {
    Says(Value),
    Sends(StatusCode, String),
    Redirects(String),
    /// Never answers.
    Sleeps,
    /// Begins an answer and never ends it.
    Stalls,
}

/// A tenant's service on a free port. It checks each signature, as a tenant would.
struct Crm {
    port: u16,
    mood: Arc<Mutex<Mood>>,
    asked: Arc<Mutex<Vec<Value>>>,
    calls: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct Desk {
    mood: Arc<Mutex<Mood>>,
    asked: Arc<Mutex<Vec<Value>>>,
    calls: Arc<AtomicUsize>,
}

impl Crm {
    async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let desk = Desk {
            mood: Arc::new(Mutex::new(Mood::Says(json!({})))),
            asked: Arc::default(),
            calls: Arc::default(),
        };
        let router = Router::new().fallback(answer).with_state(desk.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            port,
            mood: desk.mood,
            asked: desk.asked,
            calls: desk.calls,
        }
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock() = mood;
    }

    fn says(&self, said: Value) {
        self.is(Mood::Says(said));
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// A house whose tenant has this service, with a pack for newcomers.
    async fn house(&self, connector: &str, campaign: &str, remote: bool) -> World {
        let tenant = format!(
            "name: {{ en: Acme }}\ntimezone: Asia/Shanghai\nlanguages: [en]\n\
             keys: [{{ kid: users, alg: HS256, dev: true }}]\n\
             service_keys: [{{ kid: backend, alg: HS256, dev: true }}]\n\
             connectors:\n  crm: {{ kind: http, url: \"http://127.0.0.1:{}/gala/facts\", secret: {{ file: crm.key }}, private: true{connector} }}\n",
            self.port
        );
        let files = [
            ("acme/tenant.yaml", tenant.as_str()),
            ("acme/crm.key", SECRET),
            ("acme/pack.yaml", campaign),
        ];
        if remote {
            World::remote(&files).await
        } else {
            World::of(&files).await
        }
    }
}

async fn answer(
    State(desk): State<Desk>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    desk.calls.fetch_add(1, Ordering::SeqCst);
    let time: i64 = headers[TIME].to_str().unwrap().parse().unwrap();
    let signed = Signer::new(SECRET.as_bytes()).sign("POST", uri.path(), time, &body);
    assert_eq!(headers[SIGNATURE], signed);
    desk.asked
        .lock()
        .push(serde_json::from_slice(&body).unwrap());
    let mood = desk.mood.lock().clone();
    let response = Response::builder();
    match mood {
        Mood::Says(said) => response.body(Body::from(said.to_string())),
        Mood::Sends(status, text) => response.status(status).body(Body::from(text)),
        Mood::Redirects(to) => response
            .status(302)
            .header("location", to)
            .body(Body::empty()),
        Mood::Sleeps => std::future::pending().await,
        Mood::Stalls => response.body(Body::from_stream(futures_util::stream::pending::<
            Result<Bytes, std::io::Error>,
        >())),
    }
    .unwrap()
}

/// For newcomers, and of them only those of level 3 may take part; who is unknown is no newcomer, and of level 5.
const PACK: &str = "
activity: gift-pack
title: { en: Welcome }
opens: 2026-11-01
closes: 2026-12-31
facts:
  newcomer: { ask: crm, type: bool, when_unknown: false }
  level: { ask: crm, field: member.level, type: int, when_unknown: 5 }
audience: { all_of: [{ fact: newcomer }, { when: facts.level >= 3 }] }
rewards: { book: { title: { en: Book }, kind: coupon } }
";

/// Anyone may draw; only the claim reads a fact, and takes strangers.
const MACHINE: &str = "
activity: custom
title: { en: Welcome }
opens: 2026-11-01
closes: 2026-12-31
facts: { newcomer: { ask: crm, type: bool, when_unknown: true } }
rewards: { book: { title: { en: Book }, kind: coupon, per_user: 1 } }
machine:
  initial: a
  states:
    a:
      events:
        look: [{}]
        claim:
          - { when: \"!facts.newcomer\", reject: not-new }
          - { do: [{ give: book }] }
messages: { not-new: { en: For newcomers } }
";

async fn claim(world: &World, user: &str) -> crate::world::Answer {
    world.post(user, CLAIM, "k", json!({})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_says_decides_and_is_kept_with_the_decision() {
    for remote in [false, true] {
        let crm = Crm::open().await;
        let world = crm.house("", PACK, remote).await;
        crm.says(json!({ "newcomer": true, "member": { "level": 3 }, "name": "Ann" }));
        assert_eq!(claim(&world, "ann").await.rewards(), ["book"]);
        assert_eq!(
            crm.asked.lock().as_slice(),
            [json!({ "tenant": "acme", "member": "ann", "fields": ["member.level", "newcomer"] })]
        );
        let rows = world.rows("pack").await;
        let used = &rows[0].attribution.facts;
        assert_eq!(*used, [Used::Yes, Used::Found(machine::Value::Int(3))]);
        // A retry is answered as it was, whatever the service says by now.
        crm.says(json!({ "newcomer": false }));
        assert!(claim(&world, "ann").await.replayed());
        for said in [
            json!({ "newcomer": false, "member": { "level": 9 } }),
            json!({ "newcomer": true, "member": { "level": 2 } }),
            // Of another type is as good as nothing.
            json!({ "newcomer": "true", "member": { "level": 9 } }),
            json!({ "newcomer": null }),
        ] {
            crm.says(said);
            claim(&world, "bob").await.no(403, "not-eligible");
        }
        // The level is unknown, and counts as 5.
        crm.says(json!({ "newcomer": true, "member": [3] }));
        assert_eq!(claim(&world, "cid").await.rewards(), ["book"]);
        let rows = world.rows("pack").await;
        let used = &rows[1].attribution.facts;
        assert_eq!(*used, [Used::Yes, Used::Declared(machine::Value::Int(5))]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_fails_is_unknown_within_its_time_and_then_left_alone() {
    let crm = Crm::open().await;
    let elsewhere = Crm::open().await;
    elsewhere.says(json!({ "newcomer": false }));
    let there = format!("http://127.0.0.1:{}/gala/facts", elsewhere.port);
    for (mood, calls) in [
        (Mood::Sleeps, 1),
        (Mood::Stalls, 1),
        (
            Mood::Sends(
                StatusCode::INTERNAL_SERVER_ERROR,
                "{\"newcomer\":false}".to_owned(),
            ),
            1,
        ),
        (Mood::Sends(StatusCode::OK, "not JSON".to_owned()), 1),
        (Mood::Sends(StatusCode::OK, "[false]".to_owned()), 1),
        (
            Mood::Sends(
                StatusCode::OK,
                format!("{{\"newcomer\":false,\"x\":\"{}\"}}", "x".repeat(20_000)),
            ),
            1,
        ),
        (Mood::Redirects(there.clone()), 1),
    ] {
        let world = crm.house(", timeout: 200 ms", MACHINE, false).await;
        let before = crm.calls();
        crm.is(mood.clone());
        // Unknown counts as a newcomer.
        let answer = tokio::time::timeout(Duration::from_secs(20), claim(&world, "ann")).await;
        assert_eq!(answer.unwrap().rewards(), ["book"], "{mood:?}");
        assert_eq!(crm.calls() - before, calls, "{mood:?}");
        let used = &world.rows("pack").await[0].attribution.facts;
        assert_eq!(
            *used,
            [Used::Declared(machine::Value::Bool(true))],
            "{mood:?}"
        );
        // Five in a row, and it is left alone.
        for user in ["b", "c", "d", "e", "f", "g", "h"] {
            assert_eq!(claim(&world, user).await.rewards(), ["book"]);
        }
        assert_eq!(crm.calls() - before, 5, "{mood:?}");
    }
    assert_eq!(elsewhere.calls(), 0, "nobody follows a redirect");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_for_what_an_event_does_not_read() {
    let crm = Crm::open().await;
    let world = crm.house("", MACHINE, true).await;
    crm.says(json!({ "newcomer": false }));
    let look = world
        .post("ann", "/v1/acme/pack/events/look", "look", json!({}))
        .await;
    look.done();
    let view = world.get("ann", "/v1/acme/pack").await;
    assert_eq!(
        view.event("claim")["possible"],
        true,
        "a look asks nobody, and so promises"
    );
    claim(&world, "ann").await.no(409, "not-new");
    assert_eq!(crm.calls(), 1, "only the claim asked, and a no asked once");
    // Before it opens, and for a body that is refused anyway, nobody is asked.
    world
        .post("ann", CLAIM, "k2", json!({ "x": 1 }))
        .await
        .no(422, "invalid-payload");
    world.clock.set("2027-01-01T00:00:00+08:00");
    claim(&world, "ann").await.no(409, "closed");
    assert_eq!(crm.calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_is_used_again_for_as_long_as_is_declared() {
    let crm = Crm::open().await;
    let world = crm.house(", keep: 1 minute", PACK, false).await;
    crm.says(json!({ "newcomer": false, "member": { "level": 3 } }));
    for _ in 0..3 {
        assert_eq!(
            world.get("ann", "/v1/acme/pack").await.json()["eligible"]["ok"],
            false
        );
    }
    claim(&world, "ann").await.no(403, "not-eligible");
    assert_eq!(
        crm.calls(),
        1,
        "the view asks for the audience's sake, once"
    );
    world.get("bob", "/v1/acme/pack").await;
    assert_eq!(crm.calls(), 2, "another member is another question");
    // What was not said is asked for again.
    crm.says(json!({ "newcomer": true }));
    world.get("cid", "/v1/acme/pack").await;
    world.get("cid", "/v1/acme/pack").await;
    assert_eq!(crm.calls(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_of_our_own_network_is_called_only_where_that_is_said() {
    let crm = Crm::open().await;
    crm.says(json!({ "newcomer": false }));
    // Its name is looked up when it is called, and stands for this machine.
    let tenant = format!(
        "name: {{ en: Acme }}\ntimezone: Asia/Shanghai\nlanguages: [en]\n\
         keys: [{{ kid: users, alg: HS256, dev: true }}]\n\
         connectors:\n  crm: {{ kind: http, url: \"https://localhost.localdomain:{}/facts\", secret: {{ dev: true }} }}\n",
        crm.port
    );
    let files = [
        ("acme/tenant.yaml", tenant.as_str()),
        ("acme/pack.yaml", MACHINE),
    ];
    let world = World::of(&files).await;
    assert_eq!(claim(&world, "ann").await.rewards(), ["book"]);
    assert_eq!(crm.calls(), 0);
}
