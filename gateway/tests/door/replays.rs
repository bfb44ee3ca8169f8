//! The same key gives the same answer again, byte for byte, whatever happened in between.

use futures_util::future::join_all;
use machine::world::{Action, Pause};
use serde_json::json;

use crate::faults::Fault;
use crate::files::ALL;
use crate::world::World;

const LEARN: &str = "/v1/acme/quest/events/learn";
const SIGN: &str = "/v1/acme/daily/events/sign-in";

#[tokio::test]
async fn the_meaning_counts_and_not_the_bytes() {
    let world = World::of(ALL).await;
    let first = world
        .ask("POST", LEARN)
        .by("ann")
        .key("k")
        .body(r#"{"words":5,"note":"a"}"#)
        .send()
        .await;
    first.done();
    let same = [
        r#"{"words":5,"note":"a"}"#,
        r#"{"note":"a","words":5}"#,
        "\n{ \"words\" : 5.0 ,\t\"note\":\"\\u0061\" }\r\n",
    ];
    for body in same {
        let again = world
            .ask("POST", LEARN)
            .by("ann")
            .key("k")
            .body(body)
            .send()
            .await;
        assert!(again.replayed(), "{body}: {}", again.text());
        assert_eq!(again.bytes, first.bytes);
        assert_eq!(again.header("cache-control"), Some("no-store"));
    }
    // In another language, from another place: what was said stays said.
    let path = format!("{LEARN}?lang=en&channel=app");
    let english = world
        .ask("POST", &path)
        .by("ann")
        .key("k")
        .body(same[0])
        .send()
        .await;
    assert_eq!(
        (english.replayed(), english.bytes == first.bytes),
        (true, true)
    );
    // Another meaning, or another event, under the same key.
    for body in [
        r#"{"words":6,"note":"a"}"#,
        r#"{"words":5}"#,
        r#"{"words":"5","note":"a"}"#,
    ] {
        world
            .ask("POST", LEARN)
            .by("ann")
            .key("k")
            .body(body)
            .send()
            .await
            .no(422, "idempotency-key-reused");
    }
    world
        .post("ann", "/v1/acme/quest/events/divide", "k", json!({}))
        .await
        .no(422, "idempotency-key-reused");
    // Another user's key is another key, and so is another campaign's.
    world
        .post("bob", LEARN, "k", json!({ "words": 6 }))
        .await
        .done();
    world.post("ann", SIGN, "k", json!({})).await.done();
    assert_eq!(
        world.get("ann", "/v1/acme/quest").await.json()["context"]["words"],
        5
    );
}

#[tokio::test]
async fn they_outlast_restart_pause_and_closing() {
    let world = World::of(ALL).await;
    let first = world.post("ann", SIGN, "k", json!({})).await;
    first.done();
    let world = world.again().await;
    let again = world.post("ann", SIGN, "k", json!({})).await;
    assert_eq!((again.replayed(), again.bytes == first.bytes), (true, true));
    let pause = Pause {
        reason: "checking".into(),
        notice: Some("Back soon".into()),
        until: None,
        event: None,
    };
    world
        .admin(
            "acme",
            Action::Pause {
                campaign: "daily".into(),
                edition: 1,
                pause,
            },
        )
        .await;
    assert!(world.post("ann", SIGN, "k", json!({})).await.replayed());
    let no = world
        .post("ann", SIGN, "new", json!({}))
        .await
        .no(409, "paused");
    assert_eq!(no["notice"], "Back soon");
    world
        .admin(
            "acme",
            Action::Resume {
                campaign: "daily".into(),
                edition: 1,
            },
        )
        .await;
    // The last day, played; then the campaign closes under the retry.
    world.clock.set("2026-11-30T23:59:59+08:00");
    let last = world.post("ann", SIGN, "last", json!({})).await;
    last.done();
    world.clock.set("2026-12-01T00:00:00+08:00");
    let again = world.post("ann", SIGN, "last", json!({})).await;
    assert_eq!((again.replayed(), again.bytes == last.bytes), (true, true));
    let no = world
        .post("ann", SIGN, "new", json!({}))
        .await
        .no(409, "closed");
    assert_eq!(no["closes"], "2026-12-01T00:00:00+08:00");
}

#[tokio::test]
async fn a_day_and_sixteen_answers_are_remembered() {
    let world = World::of(ALL).await;
    for n in 0..17 {
        world
            .post("ann", LEARN, &format!("k{n}"), json!({ "words": 1 }))
            .await
            .done();
    }
    assert!(
        world
            .post("ann", LEARN, "k1", json!({ "words": 1 }))
            .await
            .replayed()
    );
    assert!(
        world
            .post("ann", LEARN, "k16", json!({ "words": 1 }))
            .await
            .replayed()
    );
    // The seventeenth newest is forgotten, so this is a new call.
    world
        .post("ann", LEARN, "k0", json!({ "words": 1 }))
        .await
        .done();
    world.clock.set("2026-11-23T11:59:00+08:00");
    assert!(
        world
            .post("ann", LEARN, "k16", json!({ "words": 1 }))
            .await
            .replayed()
    );
    world.clock.set("2026-11-23T12:01:00+08:00");
    let later = world
        .post("ann", LEARN, "k16", json!({ "words": 1 }))
        .await
        .done();
    assert_eq!(later["context"]["words"], 19);
}

#[tokio::test]
async fn a_no_is_not_remembered() {
    let world = World::of(ALL).await;
    world.post("ann", SIGN, "first", json!({})).await.done();
    let no = world
        .post("ann", SIGN, "k", json!({}))
        .await
        .no(409, "already-signed");
    assert_eq!(no["message"], "这一天已经签过到了");
    world.clock.set("2026-11-23T00:00:00+08:00");
    world.post("ann", SIGN, "k", json!({})).await.done();
    // Nor is anything else that changed nothing.
    world
        .post("ann", LEARN, "p", json!({ "words": 0 }))
        .await
        .no(422, "invalid-payload");
    world
        .post("ann", LEARN, "p", json!({ "words": 1 }))
        .await
        .done();
}

#[tokio::test]
async fn of_twins_one_is_carried_out() {
    let world = World::of(ALL).await;
    for round in 0..5 {
        let key = format!("twin-{round}");
        let twins =
            join_all((0..24).map(|_| world.post("ann", LEARN, &key, json!({ "words": 1 })))).await;
        assert_eq!(
            twins
                .iter()
                .filter(|twin| twin.status == 200 && !twin.replayed())
                .count(),
            1
        );
        assert!(
            twins
                .iter()
                .all(|twin| twin.status == 200 && twin.bytes == twins[0].bytes)
        );
    }
    // Many keys at once: the record moves on under each, and nothing is lost.
    let many: Vec<String> = (0..8).map(|n| format!("many-{n}")).collect();
    for answer in join_all(
        many.iter()
            .map(|key| world.post("ann", LEARN, key, json!({ "words": 1 }))),
    )
    .await
    {
        answer.done();
    }
    let view = world.get("ann", "/v1/acme/quest").await.json();
    assert_eq!(
        (&view["context"]["words"], &view["version"]),
        (&json!(13), &json!(13))
    );
}

#[tokio::test]
async fn what_the_store_could_not_say_the_same_key_finds_out() {
    let world = World::of(ALL).await;
    let try_under = async |fault: Fault, key: &str| {
        world.store.commits([fault]);
        world.post("ann", LEARN, key, json!({ "words": 1 })).await
    };
    let retry = async |key: &str| world.post("ann", LEARN, key, json!({ "words": 1 })).await;
    try_under(Fault::Lost, "lost")
        .await
        .no(503, "outcome-unknown");
    assert!(retry("lost").await.replayed());
    try_under(Fault::Vanished, "vanished")
        .await
        .no(503, "outcome-unknown");
    retry("vanished").await.done();
    try_under(Fault::NotWritten, "not-written")
        .await
        .no(503, "store-unavailable");
    retry("not-written").await.done();
    try_under(Fault::Busy, "busy").await.no(503, "overloaded");
    retry("busy").await.done();
    let began = std::time::Instant::now();
    try_under(Fault::Hangs, "hangs")
        .await
        .no(503, "outcome-unknown");
    assert!(began.elapsed() < std::time::Duration::from_secs(4));
    assert!(retry("hangs").await.replayed());
    world.store.recalls([Fault::Busy]);
    retry("read").await.no(503, "store-unavailable");
    world.store.recalls([Fault::Busy]);
    world
        .get("ann", "/v1/acme/quest")
        .await
        .no(503, "store-unavailable");
    assert_eq!(
        world.get("ann", "/v1/acme/quest").await.json()["context"]["words"],
        5
    );
}

#[tokio::test]
async fn if_match() {
    let world = World::of(ALL).await;
    let send = async |key: &str, version: &str| {
        let body = json!({ "words": 1 });
        world
            .ask("POST", LEARN)
            .by("ann")
            .key(key)
            .header("if-match", version)
            .json(&body)
            .send()
            .await
    };
    assert_eq!(send("a", "\"0\"").await.done()["version"], 1);
    assert_eq!(send("b", "1").await.done()["version"], 2);
    let stale = send("c", "\"1\"").await.no(412, "stale-page");
    assert_eq!(stale["version"], 2);
    send("c", "\"3\"").await.no(412, "stale-page");
    for malformed in [
        "",
        "\"",
        "\"2",
        "2\"",
        "two",
        "+2",
        "-1",
        "*",
        "W/\"2\"",
        "\"2\", \"3\"",
        "99999999999999999999999",
    ] {
        send("c", malformed).await.no(400, "bad-request");
    }
    // An answer that was given is given again, however old the page is that asks.
    assert!(send("a", "\"0\"").await.replayed());
    assert!(send("a", "\"77\"").await.replayed());
    send("c", "\"2\"").await.done();
}
