//! A settlement adds up over whatever users and staff did, in either store.

use std::collections::BTreeMap;

use function::identity::Role;
use serde_json::json;

use super::super::house::House;
use super::{ACME, WHEEL};

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settlement_adds_up_over_whatever_was_played() {
    for house in House::of_each_store().await {
        let mut dice = Dice(7);
        let add = json!({ "reward": "coupon", "add": 12 });
        house
            .done(Role::Publisher, &format!("{WHEEL}/stock"), "add", &add)
            .await;
        // What is known of each grant here, by its id: whose, and its status.
        let mut known: BTreeMap<String, (String, String)> = BTreeMap::new();
        let (mut by_hand, mut switched) = (0, false);
        for turn in 0..150 {
            if turn == 60 {
                house.set("2026-11-23T12:00:00+08:00");
            }
            let (key, member) = (format!("k-{turn}"), format!("m-{}", dice.below(6)));
            match dice.below(10) {
                0..5 => {
                    let answer = house.play("acme", &member, &key).await.json();
                    for grant in answer["grants"].as_array().into_iter().flatten() {
                        let id = grant["id"].as_str().unwrap().to_owned();
                        known.insert(id, (member.clone(), "pending".to_owned()));
                    }
                }
                5 => {
                    let asks = json!({ "campaign": "wheel", "reward": "coupon", "ticket": key, "reason": "r" });
                    let path = format!("{ACME}/users/{member}/grants");
                    let (status, told) = house.does(Role::Support, &path, &key, &asks).await;
                    assert!(status == 200 || status == 409, "{told}");
                    for grant in told["grants"].as_array().into_iter().flatten() {
                        by_hand += 1;
                        let id = grant["id"].as_str().unwrap().to_owned();
                        known.insert(id, (member.clone(), "pending".to_owned()));
                    }
                }
                6 if dice.below(3) == 0 => {
                    let what = if switched { "start" } else { "stop" };
                    let body = if switched {
                        json!({})
                    } else {
                        json!({ "reason": "r" })
                    };
                    let path = format!("{WHEEL}/rewards/coupon/{what}");
                    house.done(Role::Publisher, &path, &key, &body).await;
                    switched = !switched;
                }
                _ if known.is_empty() => {}
                _ => {
                    let place = dice.below(known.len() as u64) as usize;
                    let id = known.keys().nth(place).unwrap().clone();
                    let (member, was) = known[&id].clone();
                    let voids = known.values().filter(|(_, now)| now == "reversed").count();
                    let most = if voids < 3 { 4 } else { 3 };
                    let what = ["hold", "hold", "release", "void"][dice.below(most) as usize];
                    let path = format!("{ACME}/users/{member}/grants/{id}/{what}");
                    let (status, told) = house
                        .does(Role::Risk, &path, &key, &json!({ "reason": "r" }))
                        .await;
                    let now = match (what, &*was) {
                        (_, "reversed") => "reversed",
                        ("hold", _) => "held",
                        ("release", _) => "pending",
                        _ => "reversed",
                    };
                    let possible = was != "reversed" || what == "void";
                    assert_eq!(
                        status,
                        if possible { 200 } else { 409 },
                        "{what} {was}: {told}"
                    );
                    known.insert(id, (member, now.to_owned()));
                }
            }
        }
        let count = |status: &str| known.values().filter(|(_, now)| now == status).count();
        assert!(
            count("reversed") > 0 && count("held") > 0 && by_hand > 0,
            "{known:?}"
        );
        let settled = house
            .read(Role::Finance, &format!("{WHEEL}/settlement"))
            .await;
        let line = &settled["rewards"][0];
        let money = |units: usize| format!("{units}0.00");
        assert_eq!(
            [
                &line["issued"],
                &line["by_hand"],
                &line["reversed"],
                &line["held"],
                &line["outstanding"]
            ],
            [
                &json!(known.len()),
                &json!(by_hand),
                &json!(count("reversed")),
                &json!(count("held")),
                &json!(count("pending"))
            ],
            "{settled}"
        );
        assert_eq!(line["cost"], money(known.len()));
        assert_eq!(line["cost_net"], money(known.len() - count("reversed")));
        assert_eq!(settled["total"]["issued"], line["issued"]);
        let stats = house.read(Role::Viewer, &format!("{WHEEL}/stats")).await;
        assert_eq!(stats["lanes"][0]["stock"][0]["issued"], line["issued"]);
        assert_eq!(stats["lanes"][0]["budget"]["spent"], line["cost"]);
        // Before anything was given nothing was.
        let path = format!("{WHEEL}/settlement?until=2026-11-22T12:00:00%2B08:00");
        assert_eq!(house.read(Role::Finance, &path).await["total"]["issued"], 0);
        let path = format!("{WHEEL}/settlement?format=csv");
        let csv = house.get(&house.staff("acme", Role::Finance), &path).await;
        let csv = String::from_utf8(csv.body.to_vec()).unwrap();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines.len(), 3, "{csv}");
        assert!(
            lines[1].starts_with(&format!("coupon,coupon,{},{by_hand},", known.len())),
            "{csv}"
        );
        assert!(lines[2].starts_with("total,,"), "{csv}");
        house.is_sound().await;
    }
}
