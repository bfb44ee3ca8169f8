//! The lane in which testers play: before the window opens, with stock and clock of its own.

use machine::ids::{CampaignKey, Lane};
use machine::world::{Action, CounterKey, Pause};
use serde_json::json;
use store::Store as _;

use crate::files::{ALL, WHEEL, with};
use crate::world::World;

const DRAW: &str = "/v1/acme/wheel/events/draw";

fn key(lane: Lane) -> CampaignKey {
    CampaignKey {
        tenant: "acme".into(),
        campaign: "wheel".into(),
        edition: 1,
        lane,
    }
}

#[tokio::test]
async fn testers_play_before_it_opens() {
    let wheel = WHEEL
        .replace("odds: 40%", "odds: 99.998%")
        .replace("stock: 20000", "stock: 2");
    let world = World::of(&with(&[("acme/wheel.yaml", &wheel)])).await;
    world.clock.set("2026-10-15T12:00:00+08:00");
    let no = world
        .post("ann", DRAW, "k", json!({}))
        .await
        .no(409, "not-open");
    assert_eq!(no["opens"], "2026-11-01T10:00:00+08:00");
    world
        .ask("POST", &format!("{DRAW}?lane=test"))
        .by("ann")
        .key("k")
        .send()
        .await
        .no(403, "forbidden");
    world
        .get("ann", "/v1/acme/wheel?lane=test")
        .await
        .no(403, "forbidden");
    world
        .get("ann", "/v1/acme/wheel?lane=moon")
        .await
        .no(400, "bad-request");
    // Testers need not ask for it while nothing else is open.
    let view = world.get("tess", "/v1/acme/wheel").await.done();
    assert_eq!(
        (
            &view["lane"],
            &view["phase"],
            &view["events"][0]["possible"]
        ),
        (&json!("test"), &json!("preview"), &json!(true))
    );
    for n in 0..2 {
        let won = world
            .post("tess", DRAW, &n.to_string(), json!({}))
            .await
            .done();
        assert_eq!(
            (&won["lane"], &won["outcome"]),
            (&json!("test"), &json!("won"))
        );
    }
    assert_eq!(
        world.post("tess", DRAW, "2", json!({})).await.done()["outcome"],
        "missed",
        "its stock is its own"
    );
    let issued = async |lane: Lane| {
        let counters = world
            .store
            .lane(&key(lane))
            .await
            .unwrap()
            .unwrap()
            .counters;
        counters
            .iter()
            .find(|(key, _)| *key == CounterKey::Stock("coupon".into()))
            .unwrap()
            .1
            .issued
    };
    assert_eq!((issued(Lane::Test).await, issued(Lane::Live).await), (2, 0));
    assert!(world.rows("wheel").await.is_empty());

    // Open: testers are users like others, unless they ask.
    world.clock.set("2026-11-22T12:00:00+08:00");
    let live = world.post("tess", DRAW, "2", json!({})).await.done();
    assert_eq!(
        (&live["lane"], &live["outcome"]),
        (&json!("live"), &json!("won"))
    );
    assert_eq!(
        world.get("tess", "/v1/acme/wheel").await.json()["grants"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let test = world.get("tess", "/v1/acme/wheel?lane=test").await.json();
    assert_eq!(
        (&test["lane"], test["grants"].as_array().unwrap().len()),
        (&json!("test"), 2)
    );
    let token = world.service("acme");
    let path = "/v1/acme/wheel/users/tess/events/order-paid?lane=test";
    let earned = world
        .ask("POST", path)
        .bearer(&token)
        .key("o")
        .send()
        .await
        .done();
    assert_eq!(earned["lane"], "test");
    let path = "/v1/acme/wheel/users/ann/events/order-paid?lane=test";
    world
        .ask("POST", path)
        .bearer(&token)
        .key("o")
        .send()
        .await
        .no(403, "forbidden");
}

#[tokio::test]
async fn its_clock_can_be_moved() {
    let world = World::of(ALL).await;
    let day = 24 * 3600 * 1000;
    world
        .admin(
            "acme",
            Action::MoveClock {
                campaign: "wheel".into(),
                edition: 1,
                offset: 30 * day,
            },
        )
        .await;
    let view = world.get("tess", "/v1/acme/wheel?lane=test").await.done();
    assert_eq!(
        (&view["now"], &view["phase"]),
        (&json!("2026-12-22T12:00:00+08:00"), &json!("ended"))
    );
    world
        .ask("POST", &format!("{DRAW}?lane=test"))
        .by("tess")
        .key("k")
        .send()
        .await
        .no(409, "closed");
    let live = world.get("tess", "/v1/acme/wheel").await.done();
    assert_eq!(
        (&live["now"], &live["phase"]),
        (&json!("2026-11-22T12:00:00+08:00"), &json!("open"))
    );
}

#[tokio::test]
async fn a_pause_stops_the_live_lane_only() {
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
                campaign: "wheel".into(),
                edition: 1,
                pause,
            },
        )
        .await;
    world
        .post("tess", DRAW, "k", json!({}))
        .await
        .no(409, "paused");
    world
        .ask("POST", &format!("{DRAW}?lane=test"))
        .by("tess")
        .key("k")
        .send()
        .await
        .done();
    assert_eq!(
        world.get("tess", "/v1/acme/wheel?lane=test").await.json()["phase"],
        "open"
    );
}

#[tokio::test]
async fn its_luck_is_its_own() {
    let world = World::of(ALL).await;
    for (lane, path) in [
        ("live", DRAW.to_owned()),
        ("test", format!("{DRAW}?lane=test")),
    ] {
        for n in 0..5 {
            let key = format!("{lane}-{n}");
            world
                .ask("POST", &path)
                .by("tess")
                .key(&key)
                .send()
                .await
                .done();
        }
    }
    let seen = world.store.seen.lock().unwrap();
    let picks: Vec<u64> = seen
        .iter()
        .flat_map(|commit| &commit.rows)
        .filter_map(|row| match row {
            machine::ledger::Row::Draw(draw) => Some(draw.rolled.pick),
            _ => None,
        })
        .collect();
    let (live, test) = picks.split_at(5);
    assert_ne!(live, test, "who rehearses learns nothing of the live draws");
}
