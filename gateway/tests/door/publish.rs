//! Changed files and ops staff's changes, while calls come in.

use std::sync::Arc;

use function::registry::Registry;
use machine::world::{Action, Pause};
use serde_json::json;
use store::Store;

use crate::files::{ALL, QUEST, WHEEL, with};
use crate::world::{ACTIVITIES, World, write};

const LEARN: &str = "/v1/acme/quest/events/learn";

#[tokio::test]
async fn a_changed_file_is_the_next_revision() {
    let world = World::of(ALL).await;
    assert_eq!(world.report.published.len(), 5);
    world
        .post("ann", LEARN, "k", json!({ "words": 5 }))
        .await
        .done();
    let report = world.registry.load().await.unwrap();
    assert!(report.published.is_empty(), "the same file is no news");
    // A variable more, which records that were written before get at its default.
    let next = QUEST.replace(
        "  secret: 7\n",
        "  secret: 7\n  level: { type: int, default: 3, show: true }\n",
    );
    let report = world.rewrite("acme/quest.yaml", &next).await;
    assert_eq!(
        report.published,
        [("acme".to_owned(), "quest".to_owned(), 2)]
    );
    let view = world.get("ann", "/v1/acme/quest").await.done();
    assert_eq!(
        (&view["context"], &view["version"]),
        (&json!({ "words": 5, "level": 3 }), &json!(1))
    );
    let more = world
        .post("ann", LEARN, "l", json!({ "words": 2 }))
        .await
        .done();
    assert_eq!(
        (&more["context"], &more["version"]),
        (&json!({ "words": 7, "level": 3 }), &json!(2))
    );
    assert_eq!(
        world
            .ask("GET", "/v1/acme/quest/public")
            .send()
            .await
            .json()["revision"],
        2
    );
    assert!(
        world
            .post("ann", LEARN, "k", json!({ "words": 5 }))
            .await
            .replayed()
    );
    // And away again.
    world.rewrite("acme/quest.yaml", QUEST).await;
    let view = world.get("ann", "/v1/acme/quest").await.done();
    assert_eq!(view["context"], json!({ "words": 7 }));
    let world = world.again().await;
    assert_eq!(
        world.get("ann", "/v1/acme/quest").await.done()["context"],
        json!({ "words": 7 })
    );
}

#[tokio::test]
async fn a_broken_file_changes_nothing() {
    let world = World::of(ALL).await;
    for broken in [
        "",
        "activity: custom\n",
        &QUEST.replace("closes: 2026-12-01", "closes: 2025-12-01"),
        "\u{0}\u{1}",
    ] {
        let report = world.rewrite("acme/quest.yaml", broken).await;
        assert!(report.published.is_empty());
        assert!(
            report
                .problems
                .iter()
                .any(|problem| problem.contains("quest.yaml")),
            "{:?}",
            report.problems
        );
        world.get("ann", "/v1/acme/quest").await.done();
        let ready = world.ask("GET", "/readyz").send().await;
        assert_eq!(
            (ready.status, &ready.json()["not_loaded"]),
            (200, &json!(1))
        );
    }
    let report = world.rewrite("acme/tenant.yaml", "name: [").await;
    assert!(!report.problems.is_empty());
    world.get("ann", "/v1/acme/quest").await.done();
    world
        .rewrite("acme/tenant.yaml", crate::files::TENANT)
        .await;
    let report = world.rewrite("acme/quest.yaml", QUEST).await;
    assert!(report.problems.is_empty(), "{:?}", report.problems);
}

/// Drawn at noon of the day after the tests begin, claimed within a week.
const RAFFLE: &str = "
activity: custom
title: { en: Raffle }
opens: 2026-11-01
closes: 2026-12-01
claim_until: 2027-01-01
rewards:
  laptop: { title: { en: Laptop }, kind: physical, stock: 1 }
  mug: { title: { en: Mug }, kind: physical, stock: 1 }
raffle: { entries_close: 2026-11-23 10:00, draw_at: 2026-11-23 12:00, prizes: [{ reward: laptop }, { reward: mug }], claim_within: 7 days }
machine:
  initial: a
  states:
    a:
      events:
        enter: [{ do: [{ enter: raffle }] }]
        claim-prize: [{ do: [{ claim_prize: raffle }] }]
";

#[tokio::test]
async fn who_entered_a_raffle_or_won_in_it_is_not_stranded() {
    let world = World::of(&with(&[("acme/raffle.yaml", RAFFLE)])).await;
    let without_mug = RAFFLE.replace(", { reward: mug }", "");
    let block = RAFFLE
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("raffle:"));
    let no_raffle: String = block.collect();
    let no_raffle = no_raffle
        .replace("enter: raffle", "give: laptop")
        .replace("claim_prize: raffle", "give: mug");
    let refused = async |text: &str, why: &str| {
        let report = world.rewrite("acme/raffle.yaml", text).await;
        assert!(report.published.is_empty(), "{why}");
        let said = report.problems.iter().any(|problem| problem.contains(why));
        assert!(said, "{why}: {:?}", report.problems);
    };
    refused(&no_raffle, "users have entered it").await;
    // Before the draw, what there is to win may change.
    let report = world.rewrite("acme/raffle.yaml", &without_mug).await;
    assert_eq!(report.published.len(), 1, "{:?}", report.problems);
    let report = world.rewrite("acme/raffle.yaml", RAFFLE).await;
    assert_eq!(report.published.len(), 1, "{:?}", report.problems);
    world.clock.set("2026-11-23T12:00:00+08:00");
    refused(&without_mug, "prize `mug` has been drawn").await;
    refused(
        &RAFFLE.replace("draw_at: 2026-11-23 12:00", "draw_at: 2026-11-23 13:00"),
        "its `draw_at` stays",
    )
    .await;
    refused(
        &RAFFLE.replace(", claim_within: 7 days", ""),
        "to be claimed",
    )
    .await;
}

#[tokio::test]
async fn nobody_is_stranded() {
    let world = World::of(ALL).await;
    world
        .report("/v1/acme/quest/users/ann/events/paid", "o", json!({}))
        .await
        .done();
    let gone = QUEST
        .replace("    waiting:", "    resting:")
        .replace("to: waiting", "to: resting");
    let report = world.rewrite("acme/quest.yaml", &gone).await;
    assert!(report.published.is_empty());
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.contains("waiting")),
        "{:?}",
        report.problems
    );
    assert_eq!(
        world.get("ann", "/v1/acme/quest").await.done()["state"],
        "waiting"
    );
    let moved = gone + "moves: { waiting: resting }\n";
    let report = world.rewrite("acme/quest.yaml", &moved).await;
    assert_eq!(report.published.len(), 1, "{:?}", report.problems);
    assert_eq!(
        world.get("ann", "/v1/acme/quest").await.done()["state"],
        "resting"
    );
}

#[tokio::test]
async fn a_file_that_is_gone_is_served_no_longer() {
    let world = World::of(ALL).await;
    std::fs::remove_file(world.configs().join("acme/quest.yaml")).unwrap();
    world.registry.load().await.unwrap();
    world
        .get("ann", "/v1/acme/quest")
        .await
        .no(404, "no-such-campaign");
    world.rewrite("acme/quest.yaml", QUEST).await;
    world.get("ann", "/v1/acme/quest").await.done();
}

#[tokio::test]
async fn a_pause_holds_from_the_next_answer_on() {
    let world = World::of(ALL).await;
    world
        .post("ann", LEARN, "k", json!({ "words": 5 }))
        .await
        .done();
    let until = crate::world::millis("2026-11-22T14:00:00+08:00");
    let pause = Pause {
        reason: "r".into(),
        notice: Some("Back at two".into()),
        until: Some(until),
        event: None,
    };
    // No function has heard of it yet: the commit knows.
    world
        .admin_unheard(
            "acme",
            Action::Pause {
                campaign: "quest".into(),
                edition: 1,
                pause,
            },
        )
        .await;
    let no = world
        .post("ann", LEARN, "l", json!({ "words": 1 }))
        .await
        .no(409, "paused");
    assert_eq!(no["notice"], "Back at two");
    assert_eq!(crate::world::millis(no["until"].as_str().unwrap()), until);
    assert_eq!(
        world.get("ann", "/v1/acme/quest").await.done()["phase"],
        "paused"
    );
    world
        .report("/v1/acme/quest/users/ann/events/paid", "o", json!({}))
        .await
        .no(409, "paused");
    assert_eq!(
        world.get("ann", "/v1/acme/quest").await.done()["version"],
        1
    );
    world
        .admin_unheard(
            "acme",
            Action::Resume {
                campaign: "quest".into(),
                edition: 1,
            },
        )
        .await;
    world
        .post("ann", LEARN, "l", json!({ "words": 1 }))
        .await
        .done();
}

/// Another function on the same store publishes; this one finds out by the call that comes next.
#[tokio::test]
async fn a_function_that_is_behind_catches_up_within_the_call() {
    let world = World::of(ALL).await;
    world
        .post("ann", LEARN, "k", json!({ "words": 5 }))
        .await
        .done();
    let store: Arc<dyn Store> = world.store.clone();
    let other = Registry::new(&world.configs(), &ACTIVITIES, store, world.clock.clone());
    for (n, limit) in [400, 300, 200].into_iter().enumerate() {
        let next = QUEST.replace("at_most: 500", &format!("at_most: {limit}"));
        write(&world.configs().join("acme/quest.yaml"), &next);
        assert_eq!(other.load().await.unwrap().published.len(), 1);
        // Looks and events alike, many at once.
        let over = json!({ "words": limit + 1 });
        let keys: Vec<String> = (0..8).map(|call| format!("{n}-{call}")).collect();
        for answer in futures_util::future::join_all(
            keys.iter()
                .map(|key| world.post("ann", LEARN, key, over.clone())),
        )
        .await
        {
            answer.no(422, "invalid-payload");
        }
    }
    let next = QUEST.replace("at_most: 500", "at_most: 77");
    write(&world.configs().join("acme/quest.yaml"), &next);
    other.load().await.unwrap();
    assert_eq!(
        world.get("ann", "/v1/acme/quest").await.event("learn")["payload"]["words"]["at_most"],
        77
    );
}

#[tokio::test]
async fn stock_follows_the_file() {
    let less = WHEEL
        .replace("stock: 20000", "stock: 1")
        .replace("odds: 40%", "odds: 99.998%");
    let world = World::of(&with(&[("acme/wheel.yaml", &less)])).await;
    let draw = async |user: &str| {
        world
            .post(user, "/v1/acme/wheel/events/draw", "k", json!({}))
            .await
            .done()["outcome"]
            .clone()
    };
    assert_eq!(draw("ann").await, "won");
    assert_eq!(draw("bob").await, "missed");
    world
        .rewrite("acme/wheel.yaml", &less.replace("stock: 1,", "stock: 2,"))
        .await;
    assert_eq!(draw("cid").await, "won");
    assert_eq!(draw("dan").await, "missed");
}

#[tokio::test]
async fn a_change_is_noticed_until_it_is_loaded() {
    let world = World::of(ALL).await;
    let seen = async || {
        let stamp = world.registry.stamp().await.unwrap();
        world.registry.has_seen(&stamp)
    };
    assert!(seen().await);
    write(
        &world.configs().join("acme/rules/wheel.en.md"),
        "# Other rules\n",
    );
    assert!(!seen().await);
    assert_eq!(world.registry.load().await.unwrap().published.len(), 1);
    assert!(seen().await);
    let rules = world
        .ask("GET", "/v1/acme/wheel/rules?lang=en")
        .send()
        .await;
    assert_eq!(rules.text(), "# Other rules\n");
}

#[tokio::test]
async fn over_is_over_though_it_was_paused() {
    let world = World::of(ALL).await;
    let pause = Pause {
        reason: "r".into(),
        notice: None,
        until: None,
        event: None,
    };
    world
        .admin(
            "acme",
            Action::Pause {
                campaign: "quest".into(),
                edition: 1,
                pause,
            },
        )
        .await;
    world.clock.set("2026-12-01T00:00:00+08:00");
    world
        .post("ann", LEARN, "k", json!({ "words": 1 }))
        .await
        .no(409, "closed");
    let view = world.get("ann", "/v1/acme/quest").await;
    assert_eq!(
        (&view.json()["phase"], &view.event("learn")["code"]),
        (&json!("ended"), &json!("closed"))
    );
}
