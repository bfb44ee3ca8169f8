//! A store that other processes share: what the folder may do to it, and what happens where it is not what it was.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::files::{ALL, QUEST};
use crate::world::World;

const LEARN: &str = "/v1/acme/quest/events/learn";
const CLAIM: &str = "/v1/acme/pack/events/claim";

#[tokio::test]
async fn the_folder_only_seeds() {
    let world = World::remote(ALL).await;
    assert!(world.report.published.is_empty() && world.report.differs.is_empty());
    let next = QUEST.replace("at_most: 500", "at_most: 5");
    let report = world.rewrite("acme/quest.yaml", &next).await;
    assert!(
        report.published.is_empty() && report.problems.is_empty(),
        "{report:?}"
    );
    let said = "acme/quest.yaml differs from revision 1 in the store: `gala publish acme/quest` publishes it";
    assert_eq!(report.differs, [said]);
    assert_eq!(world.registry.differs(), [said]);
    let ready = world.ask("GET", "/readyz").send().await;
    assert_eq!(
        (ready.status, &ready.json()["not_loaded"]),
        (200, &json!(0))
    );
    world
        .post("ann", LEARN, "a", json!({ "words": 400 }))
        .await
        .done();
    // What has no revision yet is published, another edition too.
    let report = world.rewrite("acme/second.yaml", QUEST).await;
    assert_eq!(
        report.published,
        [("acme".to_owned(), "second".to_owned(), 1)]
    );
    world.get("ann", "/v1/acme/second").await.done();
    let report = world.rewrite("acme/quest.yaml", QUEST).await;
    assert!(report.differs.is_empty() && report.published.is_empty());
    let report = world
        .rewrite("acme/quest.yaml", &(QUEST.to_owned() + "edition: 2\n"))
        .await;
    assert_eq!(
        report.published,
        [("acme".to_owned(), "quest".to_owned(), 1)]
    );
}

#[tokio::test]
async fn what_the_store_has_lost_is_shown_and_not_created_anew() {
    let world = World::remote(ALL).await;
    world.post("ann", CLAIM, "a", json!({})).await.done();
    world.store.loses("acme/pack", true);
    // Before anybody has noticed, the store itself refuses.
    world
        .post("bob", CLAIM, "a", json!({}))
        .await
        .no(503, "stock-frozen");
    world.registry.refresh().await.unwrap();
    let problems = world.registry.problems();
    assert!(
        problems.len() == 1 && problems[0].contains("`pack`: the store has lost it"),
        "{problems:?}"
    );
    let report = world.registry.load().await.unwrap();
    assert_eq!(
        (report.published.len(), report.problems.len()),
        (0, 1),
        "{report:?}"
    );
    let ready = world.ask("GET", "/readyz").send().await;
    assert_eq!(
        (ready.status, &ready.json()["not_loaded"]),
        (200, &json!(1))
    );
    world.store.cost();
    world
        .post("bob", CLAIM, "a", json!({}))
        .await
        .no(503, "stock-frozen");
    world
        .post("bob", "/v1/acme/pack/events/nothing", "a", json!({}))
        .await
        .no(503, "stock-frozen");
    assert_eq!(world.store.cost(), (0, 0));
    world.get("ann", "/v1/acme/pack").await.done();
    world.get("ann", "/v1/acme/pack/grants").await.done();
    assert_eq!(
        world.ask("GET", "/v1/acme/pack/public").send().await.status,
        200
    );
    world
        .post("ann", LEARN, "a", json!({ "words": 1 }))
        .await
        .done();
    // It was only away.
    world.store.loses("acme/pack", false);
    world.registry.refresh().await.unwrap();
    assert!(world.registry.problems().is_empty());
    world.post("bob", CLAIM, "a", json!({})).await.done();
}

#[tokio::test]
async fn a_store_that_came_back_empty_or_as_another_takes_no_event() {
    let world = World::remote(ALL).await;
    world
        .post("ann", LEARN, "a", json!({ "words": 1 }))
        .await
        .done();
    world.store.loses_tenants(true);
    let report = world.registry.load().await.unwrap();
    assert!(report.published.is_empty(), "{report:?}");
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.contains("tenant `acme`: the store has lost it")),
        "{report:?}"
    );
    assert_eq!(report.problems.len(), 2, "once a tenant: {report:?}");
    world
        .post("ann", LEARN, "b", json!({ "words": 1 }))
        .await
        .no(503, "stock-frozen");
    world.get("ann", "/v1/acme/quest").await.done();
    world.store.loses_tenants(false);
    // Another process has begun it all again.
    world.store.has_other_seeds(true);
    world.registry.refresh().await.unwrap();
    let problems = world.registry.problems();
    assert!(
        problems
            .iter()
            .all(|problem| problem.contains("other seeds")),
        "{problems:?}"
    );
    world
        .post("ann", LEARN, "b", json!({ "words": 1 }))
        .await
        .no(503, "stock-frozen");
    world.store.has_other_seeds(false);
    world.registry.refresh().await.unwrap();
    world
        .post("ann", LEARN, "b", json!({ "words": 1 }))
        .await
        .done();
}

#[tokio::test]
async fn a_campaign_is_not_answered_below_its_durability() {
    let world = World::remote(ALL).await;
    let claimed = world.post("ann", CLAIM, "a", json!({})).await;
    claimed.done();
    world
        .store
        .falls_short_of_strict(Some("1 of 2 replicas is at /secret/place"));
    world.store.cost();
    // Neither anew nor again, and nothing is asked of the store.
    for key in ["a", "b"] {
        let no = world.post("ann", CLAIM, key, json!({})).await;
        no.no(503, "store-unavailable");
        assert!(!no.text().contains("secret"));
    }
    assert_eq!(world.store.cost(), (0, 0));
    assert_eq!(function::sweep::sweep(&world.shell).await, 0);
    world.get("ann", "/v1/acme/pack").await.done();
    // Where nothing can run out, less is declared.
    world
        .post("ann", LEARN, "a", json!({ "words": 1 }))
        .await
        .done();
    let ready = world.ask("GET", "/readyz").send().await;
    assert_eq!(
        (
            ready.status,
            &ready.json()["under_durable"],
            &ready.json()["not_loaded"]
        ),
        (200, &json!(3), &json!(0)),
        "{}",
        ready.text()
    );
    let named = world.registry.under_durable();
    let names: Vec<&str> = named
        .iter()
        .filter_map(|said| said.split(':').next())
        .collect();
    assert_eq!(names, ["acme/daily", "acme/pack", "acme/wheel"]);
    world.store.falls_short_of_strict(None);
    let again = world.post("ann", CLAIM, "a", json!({})).await;
    assert!(again.replayed() && again.bytes == claimed.bytes);
}

#[tokio::test]
async fn a_clock_that_is_off_gives_no_days() {
    let world = World::remote(ALL).await;
    for (ahead_ms, fine) in [
        (2000, true),
        (2001, false),
        (-2000, true),
        (-120_000, false),
        (0, true),
    ] {
        world.store.ahead_ms.store(ahead_ms, Ordering::SeqCst);
        let ready = world.ask("GET", "/readyz").send().await;
        let answer = world
            .post(
                "ann",
                LEARN,
                &format!("key{ahead_ms}"),
                json!({ "words": 1 }),
            )
            .await;
        if fine {
            assert_eq!(
                (ready.status, &ready.json()["clock"]),
                (200, &json!("ok")),
                "{ahead_ms}"
            );
            answer.done();
        } else {
            assert_eq!(
                (ready.status, &ready.json()["clock"]),
                (503, &json!("off")),
                "{ahead_ms}"
            );
            assert_eq!(ready.header("retry-after"), Some("2"));
            answer.no(503, "store-unavailable");
        }
        world.get("ann", "/v1/acme/quest").await.done();
    }
}
