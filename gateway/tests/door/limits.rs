//! How often one may call: users, tenants, addresses, and all together.

use std::sync::Arc;
use std::time::Duration;

use gateway::door::Bounds;
use serde_json::json;

use crate::faults::Fault;
use crate::files::{ALL, OTHER, TENANT, with};
use crate::world::{Answer, World};

const VIEW: &str = "/v1/acme/quest";

fn limited(answer: &Answer, policy: &str) {
    answer.no(429, "rate-limited");
    let wait: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    if policy.is_empty() {
        assert_eq!(
            (
                answer.header("ratelimit"),
                answer.header("ratelimit-policy")
            ),
            (None, None)
        );
    } else {
        assert_eq!(answer.header("ratelimit-policy"), Some(policy));
        assert!(
            answer.header("ratelimit").unwrap().contains(";r=0;t="),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_user_in_a_hurry() {
    let tight = TENANT.replace(
        "user_per_second: 1000, user_burst: 1000",
        "user_per_second: 1, user_burst: 3",
    );
    let world = World::of(&with(&[("acme/tenant.yaml", &tight)])).await;
    for left in [2, 1, 0] {
        let answer = world.get("ann", VIEW).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("ratelimit-policy"), Some("\"user\";q=3;w=3"));
        let state = answer.header("ratelimit").unwrap().to_owned();
        assert!(
            state.starts_with(&format!("\"user\";r={left};t=")),
            "{state}"
        );
    }
    limited(&world.get("ann", VIEW).await, "\"user\";q=3;w=3");
    limited(
        &world
            .post(
                "ann",
                "/v1/acme/quest/events/learn",
                "k",
                json!({ "words": 1 }),
            )
            .await,
        "\"user\";q=3;w=3",
    );
    // Nobody else is touched by it: not another user, not the public page, not the back end.
    assert_eq!(world.get("bob", VIEW).await.status, 200);
    assert_eq!(
        world
            .ask("GET", "/v1/acme/quest/public")
            .send()
            .await
            .status,
        200
    );
    world
        .report("/v1/acme/quest/users/ann/events/paid", "k", json!({}))
        .await
        .done();
    // A reload of the same file forgives nobody; another limit is another limit.
    world.registry.load().await.unwrap();
    limited(&world.get("ann", VIEW).await, "\"user\";q=3;w=3");
    world
        .rewrite(
            "acme/tenant.yaml",
            &tight.replace("user_burst: 3", "user_burst: 5"),
        )
        .await;
    assert_eq!(
        world.get("ann", VIEW).await.header("ratelimit-policy"),
        Some("\"user\";q=5;w=5")
    );
}

#[tokio::test]
async fn a_tenant_over_its_quota_harms_no_other() {
    let tight = TENANT.replace(
        "per_second: 100000, burst: 200000",
        "per_second: 1, burst: 3",
    );
    let world = World::of(&with(&[
        ("acme/tenant.yaml", &tight),
        ("other/tenant.yaml", OTHER),
    ]))
    .await;
    for _ in 0..3 {
        world.ask("GET", "/v1/acme/quest/public").send().await;
    }
    let no = world
        .ask("GET", "/v1/acme/quest/public?lang=en")
        .header("origin", "https://app.acme.example")
        .send()
        .await;
    limited(&no, "\"tenant\";q=3;w=3");
    assert_eq!(
        no.header("access-control-allow-origin"),
        Some("https://app.acme.example"),
        "pages can read it"
    );
    assert_eq!(
        no.json()["message"],
        "Too fast. Please wait a moment and try again."
    );
    limited(&world.get("ann", VIEW).await, "\"tenant\";q=3;w=3");
    for _ in 0..20 {
        assert_eq!(
            world
                .ask("GET", "/v1/other/pack/public")
                .send()
                .await
                .status,
            200
        );
    }
    assert_eq!(world.ask("GET", "/healthz").send().await.status, 200);
}

#[tokio::test]
async fn an_address_that_floods() {
    let world = World::within(
        ALL,
        Bounds {
            flood: (1, 4),
            ..Bounds::default()
        },
    )
    .await;
    let from = async |peer: &str, forwarded: &str| {
        let ask = world.ask("GET", "/v1/acme/quest/public").from(peer);
        let ask = if forwarded.is_empty() {
            ask
        } else {
            ask.header("x-forwarded-for", forwarded)
        };
        ask.send().await
    };
    for _ in 0..4 {
        assert_eq!(from("203.0.113.1", "").await.status, 200);
    }
    limited(&from("203.0.113.1", "").await, "");
    // What a stranger says of where it comes from is not believed.
    limited(&from("203.0.113.1", "198.51.100.7").await, "");
    assert_eq!(from("203.0.113.2", "").await.status, 200);
    // Behind a trusted proxy the last hop that is not one counts.
    for _ in 0..4 {
        assert_eq!(from("10.0.0.1", "1.1.1.1, 198.51.100.1").await.status, 200);
    }
    limited(
        &from("10.0.0.2", "2.2.2.2, 198.51.100.1, 10.0.0.9").await,
        "",
    );
    assert_eq!(from("10.0.0.1", "198.51.100.2").await.status, 200);
    // Another tenant does not trust that proxy: to it, all behind it is one address.
    let other = async |forwarded: &str| {
        let ask = world
            .ask("GET", "/v1/other/pack/public")
            .from("10.9.9.9")
            .header("x-forwarded-for", forwarded);
        ask.send().await
    };
    for n in 0..4 {
        assert_eq!(other(&format!("198.51.100.{n}")).await.status, 200);
    }
    limited(&other("198.51.100.9").await, "");
    // One network of IPv6 is one address.
    for n in 0..4 {
        assert_eq!(from(&format!("2001:db8::{n}"), "").await.status, 200);
    }
    limited(&from("2001:db8::99", "").await, "");
}

#[tokio::test]
async fn too_many_at_once_are_turned_away_at_once() {
    let world = Arc::new(
        World::within(
            ALL,
            Bounds {
                under_way: 2,
                ..Bounds::default()
            },
        )
        .await,
    );
    world.store.commits([Fault::Hangs, Fault::Hangs]);
    let held: Vec<_> = ["ann", "bob"]
        .into_iter()
        .map(|user| {
            let world = world.clone();
            tokio::spawn(async move {
                world
                    .post(
                        user,
                        "/v1/acme/quest/events/learn",
                        "k",
                        json!({ "words": 1 }),
                    )
                    .await
            })
        })
        .collect();
    while world.store.seen.lock().unwrap().len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let began = std::time::Instant::now();
    world.get("cid", VIEW).await.no(503, "overloaded");
    assert!(began.elapsed() < Duration::from_millis(500));
    // One that goes away gives its place back.
    held[0].abort();
    let free = async {
        while world.get("cid", VIEW).await.status == 503 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(1), free)
        .await
        .expect("its place is free at once");
    for held in held {
        if let Ok(answer) = held.await {
            answer.no(503, "outcome-unknown");
        }
    }
    world.get("cid", VIEW).await.done();
}
