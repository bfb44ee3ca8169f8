//! In which order a call is judged, and what each judge refuses.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use function::identity::Ticket;
use serde_json::{Value, json};

use crate::files::{ALL, TENANT, with};
use crate::world::World;

const DRAW: &str = "/v1/acme/wheel/events/draw";

#[tokio::test]
async fn the_first_of_several_wrongs_is_told() {
    let tight = TENANT.replace(
        "user_per_second: 1000, user_burst: 1000",
        "user_per_second: 1, user_burst: 1",
    );
    let world = World::of(&with(&[("acme/tenant.yaml", &tight)])).await;
    let (big, none) = ("x".repeat(17 * 1024), "/v1/acme/nothing/events/draw");
    world
        .post(
            "ann",
            "/v1/acme/quest/events/learn",
            "spends-the-limit",
            json!({ "words": 1 }),
        )
        .await
        .done();

    // From everything wrong at once to nothing wrong, one wrong less each time.
    world
        .ask("POST", none)
        .body(&*big)
        .send()
        .await
        .no(400, "idempotency-key-required");
    world
        .ask("POST", none)
        .key("k")
        .body(&*big)
        .send()
        .await
        .no(401, "unauthenticated");
    world
        .ask("POST", none)
        .key("k")
        .by("ann")
        .body(&*big)
        .send()
        .await
        .no(404, "no-such-campaign");
    world
        .ask("POST", DRAW)
        .key("k")
        .by("ann")
        .body(&*big)
        .send()
        .await
        .no(413, "payload-too-large");
    world
        .ask("POST", DRAW)
        .key("k")
        .by("ann")
        .send()
        .await
        .no(429, "rate-limited");
    world
        .ask("POST", DRAW)
        .key("k")
        .by("bob")
        .send()
        .await
        .done();

    world
        .ask("POST", DRAW)
        .header("if-match", "x")
        .body(&*big)
        .send()
        .await
        .no(400, "idempotency-key-required");
    world
        .ask("POST", DRAW)
        .key("k")
        .header("if-match", "x")
        .send()
        .await
        .no(400, "bad-request");
    world
        .ask("POST", "/v1/nobody/x/events/y")
        .key("k")
        .send()
        .await
        .no(401, "unauthenticated");
    world
        .ask("POST", "/v1/nobody/x/events/y")
        .key("k")
        .by("ann")
        .send()
        .await
        .no(404, "no-such-tenant");
    world
        .ask("GET", "/v1/nobody/x/public")
        .send()
        .await
        .no(404, "no-such-tenant");
    world
        .ask("GET", "/v1/acme/x/public")
        .send()
        .await
        .no(404, "no-such-campaign");
    world
        .ask("POST", "/v1/acme/wheel/events/dance")
        .key("k")
        .by("cid")
        .send()
        .await
        .no(404, "no-such-event");
    // A campaign of another tenant is nobody's here.
    world
        .ask("GET", "/v1/other/wheel/public")
        .send()
        .await
        .no(404, "no-such-campaign");
}

#[tokio::test]
async fn keys() {
    let world = World::of(ALL).await;
    let long = "k".repeat(256);
    let rows: [(&[u8], u16, &str); 10] = [
        (b"", 400, "bad-request"),
        (b"\"\"", 400, "bad-request"),
        (b"\"open", 400, "bad-request"),
        (b"\"a\"b", 400, "bad-request"),
        (b"\"a\\nb\"", 400, "bad-request"),
        (long.as_bytes(), 400, "bad-request"),
        ("schlüssel".as_bytes(), 400, "bad-request"),
        (b"a\tb", 400, "bad-request"),
        (b"order 1 of 2!", 200, ""),
        (&long.as_bytes()[..255], 200, ""),
    ];
    for (key, status, code) in rows {
        let answer = world
            .ask("POST", DRAW)
            .by("ann")
            .header("idempotency-key", key)
            .send()
            .await;
        if status == 200 {
            answer.done();
        } else {
            answer.no(status, code);
        }
    }
    world
        .ask("POST", DRAW)
        .by("ann")
        .key("a")
        .key("b")
        .send()
        .await
        .no(400, "bad-request");
    // Both spellings of one key are one key.
    world
        .ask("POST", DRAW)
        .by("ann")
        .key("one")
        .send()
        .await
        .done();
    assert!(
        world
            .ask("POST", DRAW)
            .by("ann")
            .key("\"one\"")
            .send()
            .await
            .replayed()
    );
}

#[tokio::test]
async fn methods_and_paths() {
    let world = World::of(ALL).await;
    let rows = [
        ("GET", DRAW, "OPTIONS,POST"),
        ("DELETE", DRAW, "OPTIONS,POST"),
        (
            "GET",
            "/v1/acme/wheel/users/ann/events/order-paid",
            "OPTIONS,POST",
        ),
        ("POST", "/v1/acme/wheel", "GET,HEAD,OPTIONS"),
        ("PUT", "/v1/acme/wheel/public", "GET,HEAD,OPTIONS"),
        ("PATCH", "/v1/acme/wheel/grants", "GET,HEAD,OPTIONS"),
        ("POST", "/healthz", "GET,HEAD"),
    ];
    for (method, path, allow) in rows {
        let answer = world.ask(method, path).send().await;
        answer.no(405, "method-not-allowed");
        let mut said: Vec<&str> = answer
            .header("allow")
            .unwrap()
            .split(',')
            .map(str::trim)
            .collect();
        said.sort_unstable();
        assert_eq!(said.join(","), allow, "{method} {path}");
    }
    for path in [
        "/",
        "/v1",
        "/v1/acme",
        "/v2/acme/wheel",
        "/v1/acme/wheel/",
        "/metrics",
        "/admin/v1/acme/audit",
    ] {
        world.ask("GET", path).send().await.no(404, "not-found");
    }
    world
        .ask("GET", "/v1/acme/%ff")
        .by("ann")
        .send()
        .await
        .no(400, "bad-request");
    world
        .ask("POST", "/v1/acme/wheel/events/%ff")
        .by("ann")
        .key("k")
        .send()
        .await
        .no(400, "bad-request");
    world
        .ask("GET", "/v1/acme/%ff/public")
        .send()
        .await
        .no(400, "bad-request");
    let head = world.ask("HEAD", "/v1/acme/wheel/public").send().await;
    assert_eq!((head.status, head.bytes.len()), (200, 0));
}

#[tokio::test]
async fn tokens() {
    let world = World::of(ALL).await;
    let (users, now) = (world.minter("acme", "users"), world.clock.secs());
    let ann = Ticket::user("acme", "ann");
    let sign = |ticket: &Ticket| users.sign(ticket, now).unwrap();
    let with_claims = |claims: Value| Ticket {
        extra: claims.as_object().cloned().unwrap(),
        ..ann.clone()
    };
    let plain = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let body = plain(&json!({ "sub": "ann", "aud": "acme", "exp": now + 3600 }));
    let good = sign(&ann);
    let other = world.minter("other", "users");
    let mut tampered = good.clone();
    tampered.replace_range(good.len() - 6..good.len() - 4, "zz");

    let refused: Vec<(&str, String)> = vec![
        (
            "expired",
            sign(&Ticket {
                ttl_secs: -60,
                ..ann.clone()
            }),
        ),
        ("not yet", sign(&with_claims(json!({ "nbf": now + 600 })))),
        (
            "no algorithm",
            format!("{}.{body}.", plain(&json!({ "alg": "none", "typ": "JWT" }))),
        ),
        (
            "no algorithm, with the key's id",
            format!(
                "{}.{body}.",
                plain(&json!({ "alg": "none", "kid": "users" }))
            ),
        ),
        (
            "another algorithm",
            format!(
                "{}.{body}.c2ln",
                plain(&json!({ "alg": "RS256", "kid": "users" }))
            ),
        ),
        ("tampered with", tampered),
        ("no subject", sign(&Ticket::user("acme", ""))),
        (
            "too long a subject",
            sign(&Ticket::user("acme", &"a".repeat(256))),
        ),
        ("for another tenant", sign(&Ticket::user("other", "ann"))),
        (
            "another tenant's",
            other.sign(&Ticket::user("other", "ann"), now).unwrap(),
        ),
        (
            "another tenant's, in our name",
            other.sign(&ann, now).unwrap(),
        ),
        ("a back end's", world.service("acme")),
        ("no token", "not-a-token".into()),
    ];
    for (what, token) in &refused {
        for path in ["/v1/acme/wheel", "/v1/acme/wheel/grants"] {
            let answer = world.ask("GET", path).bearer(token).send().await;
            answer.no(401, "unauthenticated");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{what}");
        }
        world
            .ask("POST", DRAW)
            .key("k")
            .bearer(token)
            .send()
            .await
            .no(401, "unauthenticated");
    }
    for header in ["", "Bearer", "Basic YTpi", &good] {
        let answer = world
            .ask("GET", "/v1/acme/wheel")
            .header("authorization", header)
            .send()
            .await;
        answer.no(401, "unauthenticated");
    }
    world
        .ask("GET", "/v1/acme/wheel")
        .bearer(&good)
        .bearer(&good)
        .send()
        .await
        .no(401, "unauthenticated");
    world
        .ask("GET", "/v1/acme/wheel")
        .bearer(&good)
        .send()
        .await
        .done();
    // A token that was good is not remembered beyond its end.
    world
        .clock
        .advance(std::time::Duration::from_secs(3600 + 31));
    world
        .ask("GET", "/v1/acme/wheel")
        .bearer(&good)
        .send()
        .await
        .no(401, "unauthenticated");
    assert!(world.rows("wheel").await.is_empty());
}

#[tokio::test]
async fn users_and_back_ends_keep_to_their_routes() {
    let world = World::of(ALL).await;
    let now = world.clock.secs();
    let path = "/v1/acme/wheel/users/ann/events/order-paid";
    // A user sends what only the back end may.
    world
        .post("ann", "/v1/acme/wheel/events/order-paid", "k", json!({}))
        .await
        .no(403, "forbidden");
    // A user's token on the back ends' route.
    world
        .post("ann", path, "k", json!({}))
        .await
        .no(401, "unauthenticated");
    // A back end without the scope.
    let narrow = Ticket {
        scopes: vec!["events:read".into()],
        ..Ticket::service("acme", "shop")
    };
    let narrow = world.minter("acme", "backend").sign(&narrow, now).unwrap();
    let refused = world
        .ask("POST", path)
        .bearer(&narrow)
        .key("k")
        .send()
        .await
        .no(403, "forbidden");
    assert_eq!(refused["scope"], "events:write");
    // A back end of another tenant.
    let stranger = world.service("other");
    world
        .ask("POST", path)
        .bearer(&stranger)
        .key("k")
        .send()
        .await
        .no(401, "unauthenticated");
    // A back end sends what only a user may.
    world
        .report("/v1/acme/wheel/users/ann/events/draw", "k", json!({}))
        .await
        .no(403, "forbidden");
    world
        .report(
            "/v1/acme/wheel/users/a%0Ab/events/order-paid",
            "k",
            json!({}),
        )
        .await
        .no(400, "bad-request");
    let long = format!("/v1/acme/wheel/users/{}/events/order-paid", "a".repeat(256));
    world
        .report(&long, "k", json!({}))
        .await
        .no(400, "bad-request");
    world
        .report(&format!("{path}?occurred_at=yesterday"), "k", json!({}))
        .await
        .no(400, "bad-request");
    world
        .report(
            &format!("{path}?occurred_at=2026-11-22T11:59:00%2B08:00&channel=till"),
            "k",
            json!({}),
        )
        .await
        .done();
    assert_eq!(
        world.get("ann", "/v1/acme/wheel").await.json()["context"]["chances"],
        302
    );
    // The same id of the same order.
    assert!(world.report(path, "k", json!({})).await.replayed());
    world
        .report(path, "another", json!({}))
        .await
        .no(409, "already-earned-today");
}
