//! Days, delays and machines of one's own.

use std::time::Duration;

use machine::ids::{CampaignKey, Lane};
use serde_json::json;
use store::Store;

use crate::files::ALL;
use crate::world::World;

const SIGN: &str = "/v1/acme/daily/events/sign-in";
const MAKE_UP: &str = "/v1/acme/daily/events/make-up";

#[tokio::test]
async fn a_day_ends_at_midnight_there() {
    let world = World::of(ALL).await;
    world.clock.set("2026-11-22T23:59:59+08:00");
    let first = world.post("ann", SIGN, "1", json!({})).await;
    first.done();
    assert_eq!(
        first.event("sign-in")["next_at"],
        "2026-11-23T00:00:00+08:00"
    );
    world
        .post("ann", SIGN, "2", json!({}))
        .await
        .no(409, "already-signed");
    world.clock.set("2026-11-23T00:00:00+08:00");
    assert_eq!(
        world.post("ann", SIGN, "2", json!({})).await.done()["context"]["streak"],
        2
    );
    world.clock.set("2026-11-24T23:00:00+08:00");
    let third = world.post("ann", SIGN, "3", json!({})).await;
    third.done();
    assert_eq!(third.rewards(), ["points", "coupon"]);
    // A clock that runs backwards opens no day again.
    world.clock.set("2026-11-23T12:00:00+08:00");
    world
        .post("ann", SIGN, "4", json!({}))
        .await
        .no(409, "already-signed");
    world.clock.set("2026-11-26T12:00:00+08:00");
    assert_eq!(
        world.post("ann", SIGN, "5", json!({})).await.done()["context"]["streak"],
        1
    );
    let made = world
        .post("ann", MAKE_UP, "6", json!({ "day": "2026-11-25" }))
        .await
        .done();
    assert_eq!(
        (&made["outcome"], &made["context"]["streak"]),
        (&json!("made-up"), &json!(5))
    );
    world
        .post("ann", MAKE_UP, "7", json!({ "day": "2026-11-25" }))
        .await
        .no(409, "already-signed");
    world
        .post("ann", MAKE_UP, "7", json!({ "day": "2026-11-01" }))
        .await
        .no(409, "cannot-make-up");
    world
        .post("ann", MAKE_UP, "7", json!({ "day": "yesterday" }))
        .await
        .no(422, "invalid-payload");
    world
        .post("ann", MAKE_UP, "7", json!({}))
        .await
        .no(422, "invalid-payload");
}

#[tokio::test]
async fn sign_in_three_days_then_draw() {
    let file = include_str!("../../../configs/acme/sign-then-draw.yaml");
    // Its posters say what other claims hold.
    let (file, _) = file.split_once("share:").unwrap();
    let combined = file
        .replace("rules: rules", "# rules: rules")
        .replace(", deliver: warehouse", "");
    let world = World::of(&crate::files::with(&[("acme/both.yaml", &combined)])).await;
    let draw = async |key: &str| {
        world
            .post("ann", "/v1/acme/both/events/draw", key, json!({}))
            .await
    };
    for day in 22..=24 {
        world.clock.set(&format!("2026-11-{day}T09:00:00+08:00"));
        draw(&format!("draw-{day}")).await.no(409, "sign-first");
        world
            .post(
                "ann",
                "/v1/acme/both/events/sign-in",
                &day.to_string(),
                json!({}),
            )
            .await
            .done();
    }
    assert_eq!(
        world.get("ann", "/v1/acme/both").await.json()["state"],
        "drawing"
    );
    let drawn = draw("draw").await.done();
    assert!(drawn["outcome"] == "won" || drawn["outcome"] == "missed");
    assert_eq!(drawn["state"], "signing");
    draw("draw-again").await.no(409, "sign-first");
    assert!(draw("draw").await.replayed());
}

#[tokio::test]
async fn a_delay_is_seen_at_once_and_committed_by_the_sweep() {
    let world = World::of(ALL).await;
    let paid = world
        .report("/v1/acme/quest/users/ann/events/paid", "order-1", json!({}))
        .await;
    assert_eq!(
        (&paid.done()["state"], paid.rewards()),
        (&json!("waiting"), vec!["badge".to_owned()])
    );
    assert_eq!(function::sweep::sweep(&world.shell).await, 0);
    world.clock.advance(Duration::from_hours(2));
    // A look commits nothing.
    for _ in 0..3 {
        let view = world.get("ann", "/v1/acme/quest").await.done();
        assert_eq!(
            (&view["state"], &view["context"]["words"], &view["version"]),
            (&json!("done"), &json!(1000), &json!(1))
        );
    }
    assert_eq!(function::sweep::sweep(&world.shell).await, 1);
    assert_eq!(function::sweep::sweep(&world.shell).await, 0);
    let view = world.get("ann", "/v1/acme/quest").await.done();
    assert_eq!(
        (&view["state"], &view["version"]),
        (&json!("done"), &json!(2))
    );
    // The back end's answer is still remembered, and nobody can take the sweep's key.
    assert!(
        world
            .report("/v1/acme/quest/users/ann/events/paid", "order-1", json!({}))
            .await
            .replayed()
    );
    let world = world.again().await;
    assert_eq!(world.get("ann", "/v1/acme/quest").await.done(), view);
}

#[tokio::test]
async fn of_processes_that_share_a_store_one_sweeps() {
    let world = World::of(ALL).await;
    world
        .report("/v1/acme/quest/users/ann/events/paid", "order-1", json!({}))
        .await
        .done();
    world.clock.advance(Duration::from_hours(2));
    world.store.is_shared();
    let key = CampaignKey {
        tenant: "acme".into(),
        campaign: "quest".into(),
        edition: 1,
        lane: Lane::Live,
    };
    let other = world.store.lease(&key, "sweep", Duration::from_mins(10));
    let other = other.await.unwrap().expect("nobody sweeps yet");
    assert_eq!(function::sweep::sweep(&world.shell).await, 0);
    assert!(other.release().await.unwrap());
    assert_eq!(function::sweep::sweep(&world.shell).await, 1);
}

#[tokio::test]
async fn no_client_can_take_the_key_of_a_sweep() {
    let world = World::of(ALL).await;
    for n in 0..4 {
        let (key, words) = (format!("timer-{n}"), json!({ "words": 1 }));
        world
            .post("ann", "/v1/acme/quest/events/learn", &key, words)
            .await
            .done();
    }
    world
        .report("/v1/acme/quest/users/ann/events/paid", "timer-5", json!({}))
        .await
        .done();
    world.clock.advance(Duration::from_hours(2));
    assert_eq!(function::sweep::sweep(&world.shell).await, 1);
}

/// A rule that breaks while the answer is made (here the guard of another event) refuses the event: nothing is committed
/// that could not be answered.
#[tokio::test]
async fn what_cannot_be_answered_is_not_done() {
    let fragile = "
activity: custom
title: { en: Fragile }
opens: 2026-11-01
closes: 2026-12-01
context: { words: { type: int, default: 1, show: true }, way: 1 }
machine:
  initial: going
  states:
    going:
      events:
        zero: [{ do: [{ set: { words: 0 } }] }]
        # Fails later than a check looks: the ways of turning left and right are too many.
        ratio: [{ when: \"(today < date('2026-11-15') ? 1 : 100 / words) > 0\", do: [{ set: { words: 2 } }] }]
        left: [{ do: [{ set: { way: 2 * way } }] }]
        right: [{ do: [{ set: { way: 2 * way + 1 } }] }]
";
    let world = World::of(&crate::files::with(&[("acme/fragile.yaml", fragile)])).await;
    let zero = world
        .post("ann", "/v1/acme/fragile/events/zero", "k", json!({}))
        .await;
    zero.no(500, "rule-failed");
    assert!(world.store.seen.lock().unwrap().is_empty());
    let view = world.get("ann", "/v1/acme/fragile").await.done();
    assert_eq!(
        (&view["context"]["words"], &view["version"]),
        (&json!(1), &json!(0))
    );
}
