//! Gift packs: all of it or none.

use std::time::Duration;

use futures_util::future::join_all;
use machine::ids::{CampaignKey, Lane};
use machine::ledger::Row;
use machine::world::{Action, CounterKey};
use serde_json::json;
use store::Store as _;

use crate::files::{ALL, PACK, with};
use crate::world::World;

const CLAIM: &str = "/v1/acme/pack/events/claim";

#[tokio::test]
async fn all_or_none() {
    let world = World::of(ALL).await;
    let claim = async |user: &str, key: &str| world.post(user, CLAIM, key, json!({})).await;
    assert_eq!(claim("ann", "k").await.rewards(), ["book", "coupon"]);
    claim("ann", "again").await.no(409, "already-claimed");
    claim("bob", "k").await.done();
    // The coupons are gone, so the books stay, too.
    claim("cid", "k").await.no(409, "sold-out");
    assert_eq!(
        world.get("cid", "/v1/acme/pack").await.json()["grants"],
        json!([])
    );
    let key = CampaignKey {
        tenant: "acme".into(),
        campaign: "pack".into(),
        edition: 1,
        lane: Lane::Live,
    };
    let issued = async |reward: &str| {
        let counters = world.store.lane(&key).await.unwrap().unwrap().counters;
        let found = counters
            .iter()
            .find(|(key, _)| *key == CounterKey::Stock(reward.into()))
            .unwrap()
            .1;
        (found.issued, found.ceiling)
    };
    assert_eq!(
        (issued("book").await, issued("coupon").await),
        ((2, 5), (2, 2))
    );
    assert_eq!(world.rows("pack").await.len(), 4);
    // A top-up: whoever was turned away may come again, with the same key.
    let add = Action::AddStock {
        campaign: "pack".into(),
        edition: 1,
        lane: Lane::Live,
        reward: "coupon".into(),
        add: 1,
    };
    world.admin("acme", add).await;
    claim("cid", "k").await.done();
    claim("dan", "k").await.no(409, "sold-out");
    assert_eq!(
        (issued("book").await, issued("coupon").await),
        ((3, 5), (3, 3))
    );
}

#[tokio::test]
async fn many_at_once() {
    let pack = PACK
        .replace("stock: 5", "stock: 9")
        .replace("stock: 2", "stock: 8");
    let world = World::of(&with(&[("acme/pack.yaml", &pack)])).await;
    let users: Vec<String> = (0..30).map(|n| format!("u{n}")).collect();
    let answers = join_all(
        users
            .iter()
            .map(|user| world.post(user, CLAIM, "k", json!({}))),
    )
    .await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        8
    );
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.no(409, "sold-out");
    }
    let mut serials: Vec<(String, u64)> = world
        .rows("pack")
        .await
        .into_iter()
        .filter_map(|row| match row.row {
            Row::Grant(grant) => Some((grant.reward.to_string(), grant.serial?)),
            _ => None,
        })
        .collect();
    serials.sort();
    serials.dedup();
    assert_eq!(serials.len(), 16, "each unit once");
}

#[tokio::test]
async fn units_are_released_by_the_day() {
    // Open since ten, two coupons each day from ten on.
    let pack = PACK
        .replace("opens: 2026-11-01", "opens: 2026-11-22 10:00")
        .replace(
            "stock: 2",
            "stock: 5, release: { each_day: 2, at: \"10:00\" }",
        );
    let world = World::of(&with(&[("acme/pack.yaml", &pack)])).await;
    let claim = async |user: &str, key: &str| world.post(user, CLAIM, key, json!({})).await;
    claim("a1", "k").await.done();
    claim("a2", "k").await.done();
    let told = claim("a3", "k").await.no(409, "sold-out");
    assert_eq!(told["next_at"], "2026-11-23T10:00:00+08:00");
    world
        .clock
        .advance(Duration::from_hours(22) - Duration::from_millis(1));
    claim("a3", "k").await.no(409, "sold-out");
    world.clock.advance(Duration::from_millis(1));
    // Whoever was turned away may come again, with the same key.
    claim("a3", "k").await.done();
    // What nobody took is there the day after, beside what is left of the stock, and then there is no next time.
    world.clock.advance(Duration::from_hours(24));
    claim("a4", "k").await.done();
    claim("a5", "k").await.done();
    let told = claim("a6", "k").await.no(409, "sold-out");
    assert_eq!(told.get("next_at"), None, "{told}");
}

#[tokio::test]
async fn a_budget_turns_away_when_nothing_stands_in() {
    let pack = PACK.to_owned() + "budget: { total: 100.00 }\n";
    let world = World::of(&with(&[("acme/pack.yaml", &pack)])).await;
    world.post("ann", CLAIM, "k", json!({})).await.done();
    world
        .post("bob", CLAIM, "k", json!({}))
        .await
        .no(409, "budget-spent");
}
