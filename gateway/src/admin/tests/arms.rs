//! A revision for a share of the users: each has one of the two, keeps it, and nothing is done under the other.

use std::collections::BTreeMap;

use function::identity::Role;
use machine::ids::{CampaignKey, Lane};
use machine::world::{Live, arm};
use serde_json::{Value as Json, json};

use super::house::{Answer, House, WHEEL as FILE};
use super::revise::{rewrite, stocked};

const WHEEL: &str = "/admin/v1/acme/campaigns/wheel";

/// The wheel with another event: users of this revision alone may look.
pub(super) fn with_look() -> String {
    FILE.replace("        paid:", "        look: [{}]\n        paid:")
}

/// The wheel with another state, in which the first revision has no place for anybody.
fn with_end() -> String {
    FILE.replace(
        "          - { do: [{ draw: wheel }] }\n",
        "          - { do: [{ draw: wheel }], then: { won: { to: done }, missed: {} } }\n",
    ) + "    done: { final: true }\n"
}

async fn tell(house: &House, what: &str, key: &str, body: Json) -> Answer {
    let token = house.staff("acme", Role::Publisher);
    let path = format!("{WHEEL}/{what}");
    house.post(&token, &path, key, &body.to_string()).await
}

async fn release(house: &House, key: &str, share: &str, document: &str) -> Answer {
    let body = json!({ "share": share, "document": document });
    tell(house, "publish", key, body).await
}

async fn live(house: &House) -> Vec<(u64, String)> {
    let token = house.staff("acme", Role::Viewer);
    let stats = house.get(&token, &format!("{WHEEL}/stats")).await.json();
    let live = stats["live"].as_array().unwrap().iter();
    live.map(|one| {
        let percent = one["percent"].as_str().unwrap().to_owned();
        (one["revision"].as_u64().unwrap(), percent)
    })
    .collect()
}

/// The revision and the variant of each member's newest draw.
async fn drew(house: &House) -> BTreeMap<String, (u64, Option<String>)> {
    let token = house.staff("acme", Role::Finance);
    let path = "/admin/v1/acme/ledger?campaign=wheel";
    let rows = house.get(&token, path).await.lines();
    let draws = rows.iter().filter(|row| row["type"] == "draw");
    draws
        .map(|row| {
            let variant = row["variant"].as_str().map(str::to_owned);
            let user = row["user"].as_str().unwrap().to_owned();
            (user, (row["revision"].as_u64().unwrap(), variant))
        })
        .collect()
}

fn revisions(drew: &BTreeMap<String, (u64, Option<String>)>) -> BTreeMap<String, u64> {
    let one = drew.iter();
    one.map(|(user, (revision, _))| (user.clone(), *revision))
        .collect()
}

async fn all_draw(house: &House, round: &str) {
    for member in 0..40 {
        let name = format!("member-{member}");
        let answer = house
            .play("acme", &name, &format!("{round}-{member}"))
            .await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
    }
}

/// No differences between records, counters and ledger.
async fn adds_up(house: &House) {
    let token = house.staff("acme", Role::Finance);
    let found = house.get(&token, &format!("{WHEEL}/reconcile")).await;
    assert_eq!(found.status, 200, "{found:?}");
    assert_eq!(found.json()["differences"], json!([]), "{found:?}");
}

#[tokio::test]
async fn a_user_keeps_their_revision() {
    let house = House::open().await;
    all_draw(&house, "first").await;
    assert!(drew(&house).await.values().all(|one| *one == (1, None)));
    let done = release(&house, "r-1", "30%", &with_look()).await;
    assert_eq!(
        (done.status.as_u16(), &done.json()["revision"]),
        (200, &json!(2))
    );
    assert_eq!(
        live(&house).await,
        [(1, "70%".to_owned()), (2, "30%".to_owned())]
    );
    all_draw(&house, "second").await;
    let second = drew(&house).await;
    let key = CampaignKey {
        tenant: "acme".into(),
        campaign: "wheel".into(),
        edition: 1,
        lane: Lane::Live,
    };
    let parts = [(1, 7000), (2, 3000)].map(|(revision, share)| Live { revision, share });
    for (user, (revision, variant)) in &second {
        let own = arm(&parts, &key, &user.parse().unwrap());
        assert_eq!(own.map(u64::from), Some(*revision), "{user}");
        assert_eq!(*variant, Some(format!("r{revision}")));
    }
    let newer = second.values().filter(|(revision, _)| *revision == 2);
    assert!((4..25).contains(&newer.count()), "{second:?}");
    // What the other revision has is not there for them, and the page that all see is one.
    for member in 0..40 {
        let name = format!("member-{member}");
        let user = house.pseudonym("acme", &name);
        let look = house.event("acme", &name, "look", "l").await;
        let expected = if second[&user].0 == 2 { 200 } else { 404 };
        assert_eq!(look.status, expected, "{:?}", look.body);
        assert_eq!(house.view("acme", &name).await.status, 200);
    }
    // Another process is told the same.
    let house = house.again().await;
    all_draw(&house, "third").await;
    assert_eq!(drew(&house).await, second);
    // More of them: nobody is moved back.
    let wider = tell(&house, "share", "s-1", json!({ "share": "60%" })).await;
    assert_eq!(wider.status, 200, "{wider:?}");
    all_draw(&house, "fourth").await;
    let (second, fourth) = (revisions(&second), revisions(&drew(&house).await));
    assert!(second.iter().all(|(user, before)| fourth[user] >= *before));
    assert_ne!(second, fourth);
    let narrower = tell(&house, "share", "s-2", json!({ "share": "10%" })).await;
    assert_eq!(narrower.status, 422, "{narrower:?}");
    let again = tell(&house, "share", "s-1", json!({ "share": "60%" })).await;
    assert_eq!(
        (again.body, again.headers["idempotency-replayed"].as_bytes()),
        (wider.body, &b"true"[..])
    );
    let all = tell(&house, "share", "s-3", json!({ "share": "100%" })).await;
    assert_eq!(all.status, 200, "{all:?}");
    assert_eq!(live(&house).await, [(2, "100%".to_owned())]);
    all_draw(&house, "fifth").await;
    assert!(drew(&house).await.values().all(|one| *one == (2, None)));
    adds_up(&house).await;
}

#[tokio::test]
async fn what_is_taken_back_takes_its_users_with_it() {
    let house = House::open().await;
    all_draw(&house, "first").await;
    let done = release(&house, "r-1", "50%", &with_look()).await;
    assert_eq!(done.status, 200, "{done:?}");
    all_draw(&house, "second").await;
    let second = revisions(&drew(&house).await);
    let back = tell(
        &house,
        "share",
        "b-1",
        json!({ "back": true, "reason": "fewer draws" }),
    )
    .await;
    assert_eq!(
        (back.status.as_u16(), &back.json()["revision"]),
        (200, &json!(1))
    );
    assert_eq!(live(&house).await, [(1, "100%".to_owned())]);
    // Before and after their records are touched they are where they were.
    for member in 0..40 {
        let name = format!("member-{member}");
        let view = house.view("acme", &name).await;
        assert_eq!(
            (view.status.as_u16(), &view.json()["state"]),
            (200, &json!("playing"))
        );
        assert_eq!(house.event("acme", &name, "look", "l").await.status, 404);
    }
    let house = house.again().await;
    all_draw(&house, "third").await;
    let third = revisions(&drew(&house).await);
    assert!(second.values().any(|revision| *revision == 2));
    assert!(third.values().all(|revision| *revision == 1));
    adds_up(&house).await;
    // There is nothing to take back any more, and the next release is the next revision.
    let none = tell(&house, "share", "b-2", json!({ "back": true })).await;
    assert_eq!(none.code(), "not-possible");
    let next = release(&house, "r-2", "1%", &with_look()).await;
    assert_eq!(next.json()["revision"], 3);
    let audit = house
        .get(&house.staff("acme", Role::Finance), "/admin/v1/acme/audit")
        .await
        .json();
    let entries = audit["entries"].as_array().unwrap().iter();
    let shares: Vec<_> = entries.filter(|entry| entry["action"] == "share").collect();
    assert_eq!(shares.len(), 1);
    let details = shares[0]["details"].as_str().unwrap();
    assert!(
        details.contains("fewer draws") && details.contains(r#""2":0"#),
        "{details}"
    );
}

#[tokio::test]
async fn a_release_that_cannot_be_taken_back_is_meant() {
    let house = House::open().await;
    let refused = release(&house, "r-1", "50%", &with_end()).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (409, "not-possible")
    );
    assert!(
        refused.json()["problem"]
            .as_str()
            .unwrap()
            .contains("state `done` is gone")
    );
    let body = json!({ "share": "50%", "document": with_end(), "one_way": true });
    assert_eq!(tell(&house, "publish", "r-2", body).await.status, 200);
    all_draw(&house, "first").await;
    let back = tell(&house, "share", "b-1", json!({ "back": true })).await;
    assert_eq!(back.code(), "not-possible");
    assert!(
        back.json()["problem"].as_str().unwrap().contains("`--all`"),
        "{back:?}"
    );
    // Nor can the file, or anything else that lacks the state, take the place of both.
    let over = tell(&house, "publish", "p-1", json!({ "document": stocked(9) })).await;
    assert_eq!(over.code(), "not-possible");
    assert_eq!(live(&house).await.len(), 2);
    let all = tell(&house, "share", "s-1", json!({ "share": "100%" })).await;
    assert_eq!(all.status, 200, "{all:?}");
    adds_up(&house).await;
}

#[tokio::test]
async fn arms_promise_the_same_and_are_two_at_most() {
    let house = House::open().await;
    let other = FILE.replace("odds: 50%", "odds: 51%");
    let apart = release(&house, "r-1", "5%", &other).await;
    assert_eq!(
        (apart.status.as_u16(), apart.code().as_str()),
        (409, "not-possible")
    );
    assert_eq!(apart.json()["changes"][0]["subject"], "rewards.coupon.odds");
    for (n, share) in ["0%", "5", "100.01%", "-1%", "0.001%"].iter().enumerate() {
        let answer = release(&house, &format!("bad-{n}"), share, &with_look()).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["pointer"]),
            (422, &json!("/share"))
        );
    }
    for body in [json!({}), json!({ "share": "5%", "back": true })] {
        assert_eq!(tell(&house, "share", "s-0", body).await.status, 422);
    }
    let done = release(&house, "r-2", "5%", &with_look()).await;
    assert_eq!(done.status, 200, "{done:?}");
    let third = with_look().replace("look:", "gaze:");
    let no = release(&house, "r-3", "5%", &third).await;
    assert_eq!(
        (no.status.as_u16(), no.code().as_str()),
        (409, "not-possible")
    );
    let again = release(&house, "r-2", "5%", &with_look()).await;
    assert_eq!(again.body, done.body);
    let same = release(&house, "r-4", "5%", &with_look()).await;
    assert_eq!(same.json()["revision"], json!(null));
    // A publish is for all: it ends the release.
    let body = json!({ "document": third, "reason": "a test" });
    let all = tell(&house, "publish", "p-1", body).await;
    assert_eq!(all.json()["revision"], 3);
    assert_eq!(live(&house).await, [(3, "100%".to_owned())]);
}

/// Stock is shared, and its figure moves as by a publish; taken back, it is the older one's again.
#[tokio::test]
async fn arms_share_their_stock() {
    let house = House::open().await;
    let left = async || {
        let token = house.staff("acme", Role::Viewer);
        let stats = house.get(&token, &format!("{WHEEL}/stats")).await.json();
        stats["lanes"][0]["stock"][0]["ceiling"].as_i64().unwrap()
    };
    let done = release(&house, "r-1", "5%", &stocked(9)).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(left().await, 9);
    let back = tell(&house, "share", "b-1", json!({ "back": true })).await;
    assert_eq!(back.status, 200, "{back:?}");
    assert_eq!(left().await, 3);
}

#[tokio::test]
async fn a_file_waits_for_the_end_of_a_release() {
    let house = House::open().await;
    let done = release(&house, "r-1", "5%", &with_look()).await;
    assert_eq!(done.status, 200, "{done:?}");
    // The file is one of the two: nothing is to be said.
    let report = house.registry.load().await.unwrap();
    assert!(
        report.published.is_empty() && report.problems.is_empty(),
        "{report:?}"
    );
    rewrite(&house, &stocked(7));
    let report = house.registry.load().await.unwrap();
    assert!(report.published.is_empty(), "{report:?}");
    let waits = |problem: &String| problem.contains("the file waits");
    assert!(report.problems.iter().any(waits), "{report:?}");
    assert_eq!(live(&house).await.len(), 2);
    let stamp = house.registry.stamp().await.unwrap();
    assert!(house.registry.has_seen(&stamp));
    let back = tell(&house, "share", "b-1", json!({ "back": true })).await;
    assert_eq!(back.status, 200, "{back:?}");
    // The next look at the folder publishes it.
    assert!(!house.registry.has_seen(&stamp));
    let report = house.registry.load().await.unwrap();
    assert!(report.problems.is_empty(), "{report:?}");
    assert_eq!(live(&house).await, [(3, "100%".to_owned())]);
    // What was released and taken back does not come back by itself.
    let newer = with_look().replace("stock: 3", "stock: 7");
    let again = release(&house, "r-2", "5%", &newer).await;
    assert_eq!(again.status, 200, "{again:?}");
    let back = tell(&house, "share", "b-2", json!({ "back": true })).await;
    assert_eq!(back.status, 200, "{back:?}");
    rewrite(&house, &newer);
    let report = house.registry.load().await.unwrap();
    let taken = |problem: &String| problem.contains("taken back");
    assert!(report.problems.iter().any(taken), "{report:?}");
    assert_eq!(live(&house).await, [(3, "100%".to_owned())]);
}
