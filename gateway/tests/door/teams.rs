//! A class that signs in together, over HTTP: the tally is read before a step and moved with it, what was used is kept, and
//! the books agree.

use std::time::Duration;

use futures_util::future::join_all;
use machine::ids::{CampaignKey, Lane};
use machine::input::Used;
use serde_json::{Value, json};

use crate::world::World;

const TENANT: &str = "
name: { en: Acme }
timezone: Asia/Shanghai
languages: [en]
keys: [{ kid: users, alg: HS256, dev: true }]
claims: { class: { type: string }, class_size: { type: int } }
";

const CLASS: &str = "
activity: sign-in
title: { en: Class }
opens: 2026-11-01
closes: 2026-12-31
rewards:
  points: { title: { en: Points }, kind: points, amount: 10 }
  extra: { title: { en: Extra }, kind: coupon }
  badge: { title: { en: Badge }, kind: entitlement }
give: { each_day: points }
team:
  of: user.class
  day_needs: 60% of user.class_size
  give: { each_day: extra, streak: { 2: badge } }
";

const SIGN: &str = "/v1/acme/class/events/sign-in";

struct Class {
    world: World,
}

impl Class {
    async fn of(remote: bool) -> Self {
        let files = [("acme/tenant.yaml", TENANT), ("acme/class.yaml", CLASS)];
        let world = if remote {
            World::remote(&files).await
        } else {
            World::of(&files).await
        };
        Self { world }
    }

    async fn sign(&self, user: &str, class: &str, key: &str) -> Vec<String> {
        let token = self.token(user, class);
        let ask = self.world.ask("POST", SIGN).bearer(&token).key(key);
        let mut rewards = ask.json(&json!({})).send().await.rewards();
        rewards.sort();
        rewards
    }

    fn token(&self, user: &str, class: &str) -> String {
        let claims = json!({ "class": class, "class_size": 5 });
        self.world.token("acme", user, &claims)
    }

    async fn team(&self, user: &str, class: &str) -> Value {
        let ask = self
            .world
            .ask("GET", "/v1/acme/class")
            .bearer(&self.token(user, class));
        let view = ask.send().await.json();
        view["team"].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_class_signs_in_together() {
    for remote in [false, true] {
        let class = Class::of(remote).await;
        let begun = class.team("ann", "3b").await;
        assert_eq!(
            (
                &begun["today"],
                &begun["needs"],
                &begun["streak"],
                &begun["next"]["days"]
            ),
            (&json!(0), &json!(3), &json!(0), &json!(2)),
            "{begun}"
        );
        assert_eq!(class.sign("ann", "3b", "1").await, ["points"]);
        assert_eq!(class.sign("bob", "3b", "1").await, ["points"]);
        assert_eq!(
            class.sign("zoe", "4a", "1").await,
            ["points"],
            "another class"
        );
        assert_eq!(class.sign("max", "", "1").await, ["points"], "no class");
        // The third makes the day count; the first two have theirs when they come next.
        assert_eq!(class.sign("cid", "3b", "1").await, ["extra", "points"]);
        let shown = class.team("ann", "3b").await;
        assert_eq!(
            (&shown["today"], &shown["counts_today"], &shown["streak"]),
            (&json!(3), &json!(true), &json!(1))
        );
        assert_eq!(class.team("zoe", "4a").await["today"], 1);
        assert_eq!(class.team("max", "").await, Value::Null);
        class.world.clock.advance(Duration::from_hours(24));
        assert_eq!(class.sign("ann", "3b", "2").await, ["extra", "points"]);
        assert_eq!(
            class.sign("cid", "3b", "2").await,
            ["points"],
            "has had yesterday's"
        );
        let third = class.sign("bob", "3b", "2").await;
        assert_eq!(
            third,
            ["badge", "extra", "extra", "points"],
            "two days in a row"
        );
        assert_eq!(
            class.sign("dan", "3b", "2").await,
            ["badge", "extra", "points"],
            "one of the two days is enough"
        );
        let rows = class.world.rows("class").await;
        let last = rows.last().unwrap();
        let Some(Used::Tallies(tallies)) = last.attribution.facts.first() else {
            panic!("{last:?}");
        };
        assert_eq!(
            tallies.counts.last(),
            Some(&3),
            "what was seen: dan is the fourth"
        );
        // (By chance a hash may have `3b` in it.)
        let hashed =
            tallies.team.len() >= 32 && tallies.team.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(hashed, "a team is known by a hash: {}", tallies.team);
        let key = CampaignKey {
            tenant: "acme".into(),
            campaign: "class".into(),
            edition: 1,
            lane: Lane::Live,
        };
        let report = store::reconcile::reconcile(&*class.world.store, &key).await;
        let report = report.unwrap().unwrap();
        assert!(report.agrees(), "{:?}", report.differences);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tally_moves_once_a_member_and_day_however_many_press_at_once() {
    let class = Class::of(true).await;
    let presses = (0..20).flat_map(|member| (0..3).map(move |press| (member, press)));
    let calls = presses.map(|(member, press)| {
        let class = &class;
        async move {
            let token = class.token(&format!("m{member}"), "3b");
            let ask = class
                .world
                .ask("POST", SIGN)
                .bearer(&token)
                .key(&format!("k{press}"));
            ask.json(&json!({})).send().await.status
        }
    });
    let done = join_all(calls)
        .await
        .into_iter()
        .filter(|status| *status == 200)
        .count();
    assert_eq!(done, 20);
    assert_eq!(class.team("m0", "3b").await["today"], 20);
}
