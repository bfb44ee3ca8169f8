//! Newcomers by first sight, over HTTP: who has a record in another campaign of the tenant is none; what was found with the
//! first commit is kept; a look at a page decides nothing; and what the store does not say is what the campaign declares.

use std::time::Duration;

use futures_util::future::join_all;
use machine::input::Used;
use machine::world::{Action, AdminOutcome};
use serde_json::{Value, json};

use crate::world::World;

const TENANT: &str = "
name: { en: Acme }
timezone: Asia/Shanghai
languages: [en]
keys: [{ kid: users, alg: HS256, dev: true }]
service_keys: [{ kid: backend, alg: HS256, dev: true }]
";

const HEAD: &str = "
title: { en: Test }
opens: 2026-11-01
closes: 2026-12-31
testers: [{ list: inner }]
";

const DAYS: &str = "
activity: sign-in
rewards: { points: { title: { en: Points }, kind: points, amount: 10 } }
give: { each_day: points }
";

/// Two stages, so that what was kept is looked at again on another day.
const PACK: &str = "
activity: gift-pack
facts: { newcomer: { by: first-sight, except: [survey], when_unknown: false } }
audience: { all_of: [{ fact: newcomer }] }
rewards:
  book: { title: { en: Book }, kind: coupon }
  pen: { title: { en: Pen }, kind: coupon }
pack: { stages: { 1: book, 2: pen } }
";

/// Anyone may claim, and who is new is only counted.
const SURVEY: &str = "
activity: custom
facts: { stranger: { by: first-sight, when_unknown: true } }
events: { rate: {}, noted: { from: backend } }
rewards:
  gift: { title: { en: Gift }, kind: coupon }
  thanks: { title: { en: Thanks }, kind: coupon }
machine:
  initial: open
  states:
    open:
      events:
        noted: [{ do: [] }]
        rate:
          - { when: facts.stranger, do: [{ give: { reward: gift, at_most: 10 } }] }
          - { do: [{ give: { reward: thanks, at_most: 10 } }] }
";

const CLAIM: &str = "/v1/acme/pack/events/claim";
const SIGN: &str = "/v1/acme/days/events/sign-in";
const RATE: &str = "/v1/acme/survey/events/rate";

async fn house(remote: bool) -> World {
    let all = [("days", DAYS), ("pack", PACK), ("survey", SURVEY)];
    let mut files = vec![
        ("acme/tenant.yaml".to_owned(), TENANT.to_owned()),
        ("acme/lists/inner.csv".to_owned(), "tess\n".to_owned()),
    ];
    let campaigns = all.iter();
    files.extend(campaigns.map(|(id, text)| (format!("acme/{id}.yaml"), format!("{text}{HEAD}"))));
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (&**a, &**b)).collect();
    let world = if remote {
        World::remote(&files).await
    } else {
        World::of(&files).await
    };
    assert!(world.report.problems.is_empty(), "{:?}", world.report);
    world
}

impl World {
    async fn eligible(&self, user: &str) -> bool {
        let view = self.get(user, "/v1/acme/pack").await.done();
        let claim = view["events"][0]["possible"] == true;
        let eligible = view["eligible"]["ok"] == true;
        assert!(eligible || !claim, "{view}");
        eligible
    }

    async fn sends(&self, user: &str, path: &str, key: &str) -> crate::world::Answer {
        self.post(user, path, key, json!({})).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_new_is_decided_with_the_first_commit_and_kept() {
    for remote in [false, true] {
        let world = house(remote).await;
        // Ann is new, and stays so though she signs in elsewhere afterwards.
        assert!(world.eligible("ann").await);
        assert_eq!(world.sends("ann", CLAIM, "1").await.rewards(), ["book"]);
        assert_eq!(world.store.looked(), 2, "the page, the claim");
        world.sends("ann", SIGN, "1").await.done();
        assert!(world.eligible("ann").await);
        world.clock.advance(Duration::from_hours(24));
        assert_eq!(world.sends("ann", CLAIM, "2").await.rewards(), ["pen"]);
        assert_eq!(world.store.looked(), 0, "the record says it");
        let used: Vec<_> = {
            let seen = world.store.seen.lock().unwrap();
            let pack = seen
                .iter()
                .filter(|made| &*made.campaign.campaign == "pack");
            pack.map(|made| made.attribution.facts.clone()).collect()
        };
        assert!(
            used.len() >= 2 && used.iter().all(|used| used[0] == Used::Yes),
            "{used:?}"
        );
        // Bob only looks, signs in elsewhere, and is no newcomer any more.
        assert!(world.eligible("bob").await);
        world.sends("bob", SIGN, "1").await.done();
        assert!(!world.eligible("bob").await);
        world.sends("bob", CLAIM, "1").await.no(403, "not-eligible");
        // To the survey, which leaves nobody out, he is known; to the pack nobody is who was only in the survey.
        assert_eq!(world.sends("bob", RATE, "1").await.rewards(), ["thanks"]);
        assert_eq!(world.sends("cid", RATE, "1").await.rewards(), ["gift"]);
        assert!(world.eligible("cid").await);
        // A lane knows nothing of the other.
        world.sends("tess", SIGN, "1").await.done();
        world
            .sends("tess", CLAIM, "1")
            .await
            .no(403, "not-eligible");
        let test = format!("{CLAIM}?lane=test");
        assert_eq!(world.sends("tess", &test, "1").await.rewards(), ["book"]);
        // Whose records are gone was never here.
        let purge = Action::Purge {
            campaign: "days".into(),
            edition: 1,
            reason: None,
        };
        let purged = world.admin_unheard("acme", purge).await;
        assert!(matches!(purged, AdminOutcome::Done(_)), "{purged:?}");
        assert!(world.eligible("bob").await, "the survey is left out");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_commit_decides_whoever_sends_it() {
    for remote in [false, true] {
        let world = house(remote).await;
        // The back end's note needs no fact, and finds out who is new all the same: it may be the first commit.
        let noted = "/v1/acme/survey/users/ann/events/noted";
        world.report(noted, "n", json!({})).await.done();
        world.sends("ann", SIGN, "1").await.done();
        assert_eq!(world.sends("ann", RATE, "1").await.rewards(), ["gift"]);
        world.sends("bob", SIGN, "1").await.done();
        let noted = "/v1/acme/survey/users/bob/events/noted";
        world.report(noted, "n", json!({})).await.done();
        assert_eq!(world.sends("bob", RATE, "1").await.rewards(), ["thanks"]);
        assert_eq!(world.store.looked(), 2);
        // What was refused has kept nothing.
        world.sends("bob", CLAIM, "1").await.no(403, "not-eligible");
        world.sends("bob", CLAIM, "2").await.no(403, "not-eligible");
        assert!(world.store.looked() >= 2);
        // An edition of its own before this one is another campaign.
        world.sends("eve", CLAIM, "1").await.done();
        let next = format!("{PACK}{HEAD}edition: 2\n");
        let next = next.replace("2026-11-01", "2026-11-20");
        let report = world.rewrite("acme/pack.yaml", &next).await;
        assert!(report.problems.is_empty(), "{report:?}");
        world.sends("eve", CLAIM, "2").await.no(403, "not-eligible");
        assert_eq!(world.sends("fay", CLAIM, "1").await.rewards(), ["book"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_does_not_say_is_what_is_declared_and_is_not_kept() {
    for remote in [false, true] {
        let world = house(remote).await;
        world.store.knows_nobody(true);
        assert!(!world.eligible("ann").await);
        world.sends("ann", CLAIM, "1").await.no(403, "not-eligible");
        world.sends("bob", SIGN, "1").await.done();
        assert_eq!(world.sends("bob", RATE, "1").await.rewards(), ["gift"]);
        let used = {
            let seen = world.store.seen.lock().unwrap();
            seen.last().map(|made| made.attribution.facts[0].clone())
        };
        let declared = Used::Declared(machine::Value::Bool(true));
        assert_eq!(used, Some(declared));
        world.store.knows_nobody(false);
        assert_eq!(world.sends("ann", CLAIM, "1").await.rewards(), ["book"]);
        assert_eq!(world.sends("bob", RATE, "2").await.rewards(), ["thanks"]);
    }
}

/// Of two campaigns that are held against each other each may give where both first events come at once; one after the other
/// only the first does.
#[tokio::test(flavor = "multi_thread")]
async fn at_once_each_may_give_and_one_after_the_other_the_first_does() {
    for remote in [false, true] {
        let world = house(remote).await;
        let second = format!("{PACK}{HEAD}");
        world.rewrite("acme/other.yaml", &second).await;
        let other = "/v1/acme/other/events/claim";
        assert_eq!(world.sends("ann", other, "1").await.rewards(), ["book"]);
        world.sends("ann", CLAIM, "1").await.no(403, "not-eligible");
        assert_eq!(
            world.sends("ann", other, "1").await.rewards(),
            ["book"],
            "again"
        );
        let users: Vec<String> = (0..20).map(|number| format!("u{number}")).collect();
        let both = users.iter().map(async |user| {
            let (here, there) =
                tokio::join!(world.sends(user, CLAIM, "1"), world.sends(user, other, "1"));
            [here.status, there.status]
        });
        for statuses in join_all(both).await {
            assert!(statuses.contains(&200), "{statuses:?}");
            assert!(statuses.iter().all(|status| [200, 403].contains(status)));
        }
        let rows = |rows: Vec<store::LedgerRow>| {
            let mut users: Vec<_> = rows.iter().map(|row| row.user).collect();
            let all = users.len();
            users.sort();
            users.dedup();
            (all, users.len())
        };
        for campaign in ["pack", "other"] {
            let (all, different) = rows(world.rows(campaign).await);
            assert_eq!(all, different, "{campaign} gave somebody twice");
        }
        let _: Value = world.get("u0", "/v1/acme/pack").await.done();
    }
}
