//! The wheel: nothing re-rolls it, nothing over-issues it.

use machine::ledger::Row;
use machine::world::Commit;
use serde_json::{Value, json};

use crate::faults::Fault;
use crate::files::{ALL, WHEEL, with};
use crate::world::World;

const DRAW: &str = "/v1/acme/wheel/events/draw";

/// A wheel that always wins the coupon, with these lines changed or added.
fn sure(changes: &[(&str, &str)], more: &str) -> String {
    let mut wheel = WHEEL
        .replace("odds: 0.001%", "odds: 0.001%, expires: 1 day")
        .replace("odds: 40%", "odds: 99.998%")
        .replace("first_visit: 300", "first_visit: 3");
    for (from, to) in changes {
        assert!(wheel.contains(from), "{from}");
        wheel = wheel.replace(from, to);
    }
    wheel + more
}

#[tokio::test]
async fn won_and_missed() {
    let world = World::of(ALL).await;
    let (mut won, mut missed) = (0, 0);
    for n in 0..100 {
        let answer = world.post("ann", DRAW, &format!("k{n}"), json!({})).await;
        let body = answer.done();
        match body["outcome"].as_str() {
            Some("won") => {
                won += 1;
                assert_eq!(answer.rewards(), ["coupon"]);
                assert_eq!(body["context"]["misses"], 0);
            }
            Some("missed") => {
                missed += 1;
                assert_eq!(body["grants"], json!([]));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(body["context"]["chances"], 300 - n);
    }
    // 40 % of a hundred, within six standard deviations.
    assert!((11..=69).contains(&won), "{won}");
    assert_eq!(won + missed, 100);
    let draws: Vec<u64> = world
        .rows("wheel")
        .await
        .into_iter()
        .filter_map(|row| match row.row {
            Row::Draw(draw) => Some(draw.index),
            _ => None,
        })
        .collect();
    assert_eq!(
        draws,
        (0..100).collect::<Vec<u64>>(),
        "a draw that wins nothing has its row too"
    );
}

/// What a commit would have drawn and given.
fn drawn(commit: &Commit) -> String {
    let row = |row: &Row| match row {
        Row::Draw(draw) => format!("{}: {:?} -> {:?}", draw.index, draw.rolled, draw.given),
        Row::Grant(grant) => format!("{} x {}", grant.reward, grant.n),
        _ => String::new(),
    };
    commit.rows.iter().map(row).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn nothing_rolls_again() {
    let world = World::of(ALL).await;
    for round in 0..12 {
        let before = world.store.seen.lock().unwrap().len();
        // Refused, lost on the way, the client gone, the same key, other keys, another restart.
        for (n, fault) in [Fault::NotWritten, Fault::Vanished, Fault::Busy]
            .into_iter()
            .enumerate()
        {
            world.store.commits([fault]);
            assert_eq!(
                world
                    .post("ann", DRAW, &format!("{round}-{n}"), json!({}))
                    .await
                    .status,
                503
            );
        }
        world.get("ann", "/v1/acme/wheel").await.done();
        world
            .post("ann", "/v1/acme/wheel/events/nothing", "x", json!({}))
            .await
            .no(404, "no-such-event");
        world
            .post("ann", DRAW, "x", json!({ "luck": 1 }))
            .await
            .no(422, "invalid-payload");
        let answer = world
            .post("ann", DRAW, &format!("{round}-done"), json!({}))
            .await;
        answer.done();
        let seen = world.store.seen.lock().unwrap();
        let tries: Vec<String> = seen[before..].iter().map(drawn).collect();
        assert_eq!(tries.len(), 4);
        assert!(tries.iter().all(|one| *one == tries[0]), "{tries:?}");
    }
}

#[tokio::test]
async fn a_restart_does_not_roll_again() {
    let world = World::of(ALL).await;
    world.store.commits([Fault::NotWritten]);
    assert_eq!(world.post("ann", DRAW, "a", json!({})).await.status, 503);
    let before = drawn(&world.store.seen.lock().unwrap()[0]);
    let world = world.again().await;
    world.post("ann", DRAW, "b", json!({})).await.done();
    assert_eq!(drawn(&world.store.seen.lock().unwrap()[0]), before);
}

#[tokio::test]
async fn what_is_gone_is_not_promised() {
    let wheel = sure(&[("stock: 20000", "stock: 1")], "");
    let world = World::of(&with(&[("acme/wheel.yaml", &wheel)])).await;
    assert_eq!(
        world.post("ann", DRAW, "k", json!({})).await.rewards(),
        ["coupon"]
    );
    // The spin is not made again: it ends as missed, and costs its chance.
    let next = world.post("bob", DRAW, "k", json!({})).await.done();
    assert_eq!(
        (
            &next["outcome"],
            &next["grants"],
            &next["context"]["chances"]
        ),
        (&json!("missed"), &json!([]), &json!(3))
    );
    let seen = world.store.seen.lock().unwrap();
    let [first, second] = &seen[1..] else {
        panic!("{}", seen.len())
    };
    let roll = |commit: &Commit| {
        let mut draws = commit.rows.iter().filter_map(|row| match row {
            Row::Draw(draw) => Some(draw.rolled.clone()),
            _ => None,
        });
        draws.next().unwrap()
    };
    assert_eq!(roll(first), roll(second));
}

#[tokio::test]
async fn a_budget_that_is_spent() {
    let wheel = sure(
        &[],
        "budget: { total: 20000.00, per_day: 10.00, when_spent: nothing }\n",
    );
    let world = World::of(&with(&[("acme/wheel.yaml", &wheel)])).await;
    assert_eq!(
        world.post("ann", DRAW, "1", json!({})).await.done()["outcome"],
        "won"
    );
    assert_eq!(
        world.post("ann", DRAW, "2", json!({})).await.done()["outcome"],
        "missed"
    );
    world.clock.set("2026-11-23T00:00:00+08:00");
    assert_eq!(
        world.post("ann", DRAW, "3", json!({})).await.done()["outcome"],
        "won"
    );
}

#[tokio::test]
async fn chances() {
    let world = World::of(&with(&[("acme/wheel.yaml", &sure(&[], ""))])).await;
    for n in 0..4 {
        world
            .post("ann", DRAW, &format!("k{n}"), json!({}))
            .await
            .done();
    }
    let no = world
        .post("ann", &format!("{DRAW}?lang=en"), "k4", json!({}))
        .await
        .no(409, "no-chances");
    assert_eq!(no["message"], "You have no chances left");
    let view = world.get("ann", "/v1/acme/wheel").await;
    let draw = view.event("draw");
    assert_eq!(
        (&draw["possible"], &draw["code"]),
        (&json!(false), &json!("no-chances"))
    );
    assert_eq!(draw["next_at"], "2026-11-23T00:00:00+08:00");
    world
        .report(
            "/v1/acme/wheel/users/ann/events/order-paid",
            "order-1",
            json!({}),
        )
        .await
        .done();
    world
        .report(
            "/v1/acme/wheel/users/ann/events/order-paid",
            "order-2",
            json!({}),
        )
        .await
        .no(409, "already-earned-today");
    world.post("ann", DRAW, "k4", json!({})).await.done();
    world
        .post("ann", DRAW, "k5", json!({}))
        .await
        .no(409, "no-chances");
    world.clock.set("2026-11-23T00:00:00+08:00");
    world.post("ann", DRAW, "k5", json!({})).await.done();
}

#[tokio::test]
async fn many_at_once_get_no_more_than_there_is() {
    let wheel = sure(&[("stock: 20000", "stock: 7")], "");
    let world = World::of(&with(&[("acme/wheel.yaml", &wheel)])).await;
    let users: Vec<String> = (0..40).map(|n| format!("u{n}")).collect();
    let answers = futures_util::future::join_all(
        users
            .iter()
            .map(|user| world.post(user, DRAW, "k", json!({}))),
    )
    .await;
    let outcomes: Vec<Value> = answers
        .iter()
        .map(|answer| answer.done()["outcome"].clone())
        .collect();
    assert_eq!(
        outcomes.iter().filter(|outcome| **outcome == "won").count(),
        7,
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn a_counter_that_is_missing_freezes_its_stock() {
    let world = World::of(ALL).await;
    world.store.commits([Fault::Frozen]);
    let no = world.post("ann", DRAW, "k", json!({})).await;
    no.no(503, "stock-frozen");
    assert_eq!(no.header("retry-after"), Some("30"));
    world.store.commits([Fault::AlwaysStale]);
    world
        .post("ann", DRAW, "k", json!({}))
        .await
        .no(503, "overloaded");
    assert!(
        world.store.seen.lock().unwrap().len() < 20,
        "tries are bounded"
    );
}
