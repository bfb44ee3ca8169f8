//! Publish, rollback, purge: what staff make live stays live, what may not follow does not, what is gone stays gone.

use function::identity::Role;
use machine::world::first_tampered;
use serde_json::json;

use super::house::{Answer, Call, House, WHEEL as FILE};

const WHEEL: &str = "/admin/v1/acme/campaigns/wheel";

/// With a reason: what takes from users needs one.
async fn publish(house: &House, key: &str, document: Option<&str>) -> Answer {
    let mut body = json!({ "reason": "a test" });
    if let Some(document) = document {
        body["document"] = json!(document);
    }
    let token = house.staff("acme", Role::Publisher);
    let path = format!("{WHEEL}/publish");
    house.post(&token, &path, key, &body.to_string()).await
}

async fn rollback(house: &House, key: &str, to: u32) -> Answer {
    let token = house.staff("acme", Role::Publisher);
    let path = format!("{WHEEL}/rollback");
    let body = json!({ "revision": to, "reason": "a test" }).to_string();
    house.post(&token, &path, key, &body).await
}

/// The revision that this very process serves.
pub(super) fn served(house: &House) -> u32 {
    let snapshot = house.registry.snapshot();
    snapshot.tenants["acme"].campaigns["wheel"]
        .newest()
        .unwrap()
        .revision
}

pub(super) fn stocked(units: u32) -> String {
    FILE.replace("stock: 3", &format!("stock: {units}"))
}

pub(super) fn rewrite(house: &House, text: &str) {
    std::fs::write(house.configs().join("acme/wheel.yaml"), text).unwrap();
}

async fn left(house: &House) -> i64 {
    let token = house.staff("acme", Role::Viewer);
    let stats = house.get(&token, &format!("{WHEEL}/stats")).await.json();
    stats["lanes"][0]["stock"][0]["left"].as_i64().unwrap()
}

#[tokio::test]
async fn a_document_is_published_and_stays() {
    let house = House::open().await;
    let first = publish(&house, "p-1", Some(&stocked(5))).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(
        (
            first.json()["revision"].as_u64(),
            first.json()["audit"].as_u64()
        ),
        (Some(2), Some(2))
    );
    assert_eq!((served(&house), left(&house).await), (2, 5));
    let again = publish(&house, "p-1", Some(&stocked(5))).await;
    assert_eq!(again.body, first.body);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let same = publish(&house, "p-2", Some(&stocked(5))).await;
    assert_eq!(
        (same.status.as_u16(), same.json()["revision"].is_null()),
        (200, true)
    );
    let other = publish(&house, "p-1", Some(&stocked(6))).await;
    assert_eq!(other.code(), "idempotency-key-reused");
    // The file still says what revision 1 said: a restart, or another file's change, must not bring that back.
    let report = house.registry.load().await.unwrap();
    assert!(report.published.is_empty(), "{report:?}");
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.contains("the file is revision 1")),
        "{report:?}"
    );
    assert_eq!(served(&house), 2);
    // Asked for, it comes back; and a file that says something new publishes itself.
    let back = publish(&house, "p-3", None).await;
    assert_eq!(
        (back.json()["revision"].as_u64(), served(&house)),
        (Some(3), 3)
    );
    rewrite(&house, &stocked(7));
    house.registry.load().await.unwrap();
    assert_eq!((served(&house), left(&house).await), (4, 7));
    let revisions = house
        .get(
            &house.staff("acme", Role::Viewer),
            &format!("{WHEEL}/revisions"),
        )
        .await
        .json();
    let told: Vec<_> = revisions["revisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["revision"].as_u64().unwrap(),
                one["live"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [(4, true), (3, false), (2, false), (1, false)]);
    assert_eq!(revisions["revisions"][2]["by"], "publisher@acme");
}

#[tokio::test]
async fn the_servers_file_is_published_when_it_is_asked_for() {
    let house = House::open().await;
    let nothing = publish(&house, "p-1", None).await;
    assert_eq!(
        nothing.json()["revision"],
        json!(null),
        "it is live already"
    );
    rewrite(&house, &stocked(4));
    assert_eq!(publish(&house, "p-2", None).await.json()["revision"], 2);
    assert_eq!((served(&house), left(&house).await), (2, 4));
    let report = house.registry.load().await.unwrap();
    assert!(
        report.published.is_empty() && report.problems.is_empty(),
        "{report:?}"
    );
}

#[tokio::test]
async fn what_is_not_sound_is_not_published() {
    let house = House::open().await;
    let wrong = FILE.replace("odds: 50%", "odds: 150%");
    let answer = publish(&house, "p-1", Some(&wrong)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (422, "invalid-payload"),
        "{answer:?}"
    );
    let all = answer.json()["diagnostics"].clone();
    let mut all = all.as_array().unwrap().iter();
    let found = all.find(|found| found["severity"] == "error").unwrap();
    assert_eq!(
        (
            found["file"].as_str(),
            found["line"].as_u64(),
            found["severity"].as_str()
        ),
        (Some("configs/acme/wheel.yaml"), Some(7), Some("error")),
        "{found}"
    );
    assert!(found["code"].is_string() && found["column"].is_u64() && found["message"].is_string());
    let token = house.staff("acme", Role::Publisher);
    let chinese = house
        .call(Call {
            method: "POST",
            token: Some(&token),
            path: &format!("{WHEEL}/publish"),
            key: Some("p-zh"),
            headers: &[("accept-language", "zh-CN,zh;q=0.9")],
            body: &json!({ "document": wrong }).to_string(),
            ..Call::default()
        })
        .await;
    let all = chinese.json()["diagnostics"].clone();
    let mut all = all.as_array().unwrap().iter();
    let same = all.find(|each| each["code"] == found["code"]).unwrap();
    assert!(same["message"].as_str().unwrap().contains("概率"), "{same}");
    rewrite(&house, "activity: [");
    let answer = publish(&house, "p-2", None).await;
    assert_eq!(answer.status, 422, "{answer:?}");
    assert!(!answer.json()["diagnostics"].as_array().unwrap().is_empty());
    // A sound document is published though the file is not: it stands in its place.
    assert_eq!(publish(&house, "p-3", Some(&stocked(9))).await.status, 200);
    let token = house.staff("acme", Role::Publisher);
    let none = house
        .post(
            &token,
            "/admin/v1/acme/campaigns/none/publish",
            "p-4",
            &json!({ "document": FILE }).to_string(),
        )
        .await;
    assert_eq!(
        none.code(),
        "no-such-campaign",
        "a campaign begins as a file"
    );
    for (what, body, status) in [
        (
            "an edition",
            r#"{"document":"x","edition":2}"#.to_owned(),
            422,
        ),
        ("a number", r#"{"document":1}"#.to_owned(), 422),
        (
            "large",
            json!({ "document": "x".repeat(1_000_000) }).to_string(),
            422,
        ),
        (
            "too large",
            json!({ "document": "x".repeat(5_300_000) }).to_string(),
            413,
        ),
    ] {
        let key = format!("p-{what}");
        let answer = house
            .post(&token, &format!("{WHEEL}/publish"), &key, &body)
            .await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{what}: {:?}",
            answer.headers
        );
    }
}

#[tokio::test]
async fn a_rollback_stays() {
    let house = House::open().await;
    house.draws("acme", 4).await;
    rewrite(&house, &stocked(30));
    house.registry.load().await.unwrap();
    assert_eq!(served(&house), 2);
    let back = rollback(&house, "r-1", 1).await;
    assert_eq!(
        (back.status.as_u16(), back.json()["revision"].as_u64()),
        (200, Some(3)),
        "{back:?}"
    );
    assert_eq!(
        served(&house),
        3,
        "at once, and not when someone looks next"
    );
    let again = rollback(&house, "r-1", 1).await;
    assert_eq!(again.body, back.body);
    assert!(rollback(&house, "r-2", 1).await.json()["revision"].is_null());
    let report = house.registry.load().await.unwrap();
    assert!(
        report.published.is_empty() && report.problems.len() == 1,
        "what was rolled back does not come back by itself: {report:?}"
    );
    assert_eq!(house.play("acme", "ann", "a-1").await.status, 200);
    let nowhere = rollback(&house, "r-3", 9).await;
    assert_eq!(
        (nowhere.status.as_u16(), nowhere.json()["pointer"].as_str()),
        (422, Some("/revision"))
    );
    let audit = house.store.audit("acme", 0).await.unwrap();
    let last = audit.last().unwrap();
    assert_eq!(
        (last.action.as_str(), &*last.by),
        ("rollback", "publisher@acme")
    );
    assert_eq!(first_tampered(&audit), None);
    rewrite(&house, &stocked(31));
    assert_eq!(house.registry.load().await.unwrap().published.len(), 1);
}

#[tokio::test]
async fn what_would_strand_someone_does_not_follow() {
    let house = House::open().await;
    let more = FILE.replace(
        "rewards:\n",
        "rewards:\n  cup: { title: { en: Cup, zh-CN: 杯 }, kind: coupon, stock: 1, odds: 1% }\n",
    );
    let more = more.replace("{ coupon: nothing }", "{ coupon: nothing, cup: nothing }");
    let answer = publish(&house, "p-1", Some(&more)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    for answer in [
        rollback(&house, "r-1", 1).await,
        publish(&house, "p-2", Some(FILE)).await,
    ] {
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (409, "not-possible")
        );
        let against = answer.json()["against"][0].as_str().unwrap().to_owned();
        assert!(against.contains("reward `cup` is gone"), "{against}");
    }
    assert_eq!(served(&house), 2);
}

#[tokio::test]
async fn a_purge_waits_for_its_time() {
    let house = House::open().await;
    house.draws("acme", 8).await;
    let purge = async |key: &str, query: &str, body: &str| {
        let token = house.staff("acme", Role::Publisher);
        let path = format!("{WHEEL}/purge{query}");
        house.post(&token, &path, key, body).await
    };
    for (what, query, body, status, code) in [
        ("no edition", "", "", 400, "bad-request"),
        ("too early", "?edition=1", "", 409, "not-possible"),
        (
            "a reason alone",
            "?edition=1",
            r#"{"reason":"r"}"#,
            409,
            "not-possible",
        ),
        (
            "force alone",
            "?edition=1",
            r#"{"force":true}"#,
            422,
            "invalid-payload",
        ),
        (
            "no words",
            "?edition=1",
            r#"{"force":true,"reason":" "}"#,
            422,
            "invalid-payload",
        ),
        ("another", "?edition=2", "", 404, "no-such-campaign"),
    ] {
        let answer = purge(what, query, body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (status, code),
            "{what}: {answer:?}"
        );
    }
    house.set("2028-12-01T00:00:00+08:00");
    let early = purge("k-1", "?edition=1", "").await;
    assert_eq!(
        early.json()["kept_until"],
        "2028-12-01T16:00:00.000Z",
        "{early:?}"
    );
    house.set("2028-12-03T00:00:00+08:00");
    let gone = purge("k-2", "?edition=1", "").await;
    assert_eq!(gone.status, 200, "{gone:?}");
    assert_eq!(purge("k-2", "?edition=1", "").await.body, gone.body);
    assert!(purge("k-3", "?edition=1", "").await.json()["audit"].is_null());
    assert!(
        !house.registry.snapshot().tenants["acme"]
            .campaigns
            .contains_key("wheel")
    );
    let token = house.staff("acme", Role::Support);
    let history = house
        .get(&token, "/admin/v1/acme/users/member-0")
        .await
        .json();
    assert_eq!(
        (history["rows"].clone(), history["campaigns"].clone()),
        (json!([]), json!([]))
    );
    // The other tenant's campaign of that name is another campaign.
    assert!(
        house.registry.snapshot().tenants["orchid"]
            .campaigns
            .contains_key("wheel")
    );
    // The file is still there, and its edition is over for good.
    let report = house.registry.load().await.unwrap();
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.contains("was purged")),
        "{report:?}"
    );
    assert_eq!(publish(&house, "p-1", None).await.code(), "not-possible");
    rewrite(
        &house,
        &FILE.replace("activity: demo\n", "activity: demo\nedition: 2\n"),
    );
    let report = house.registry.load().await.unwrap();
    assert_eq!(
        report.published,
        [("acme".to_owned(), "wheel".to_owned(), 1)]
    );
}

#[tokio::test]
async fn the_books_agree() {
    let house = House::open().await;
    house.draws("acme", 40).await;
    let token = house.staff("acme", Role::Finance);
    let answer = house.get(&token, &format!("{WHEEL}/reconcile")).await;
    let report = answer.json();
    assert_eq!(
        (
            answer.status.as_u16(),
            report["found"].as_u64(),
            &report["differences"]
        ),
        (200, Some(0), &json!([])),
        "{report}"
    );
    assert_eq!(
        (
            report["rows"].as_u64(),
            report["draws"].as_u64(),
            report["participants"].as_u64()
        ),
        (Some(43), Some(40), Some(10))
    );
    let test = house
        .get(&token, &format!("{WHEEL}/reconcile?lane=test"))
        .await
        .json();
    assert_eq!(
        (test["rows"].as_u64(), test["found"].as_u64()),
        (Some(0), Some(0))
    );
}

/// A record's grants name their rule and reward by place. A commit under a new revision writes the record's core in the
/// new tables' terms and leaves the older grants in the old ones'.
#[tokio::test]
async fn grants_outlive_a_revision_that_moves_their_places() {
    let house = House::open().await;
    house.draws("acme", 40).await;
    let more = FILE.replace(
        "rewards:\n",
        "rewards:\n  cup: { title: { en: Cup, zh-CN: 杯 }, kind: coupon, stock: 1, odds: 1% }\n",
    );
    let more = more.replace("{ coupon: nothing }", "{ coupon: nothing, cup: nothing }");
    assert_eq!(publish(&house, "p-1", Some(&more)).await.status, 200);
    for number in 0..10 {
        let member = format!("member-{number}");
        assert_eq!(house.play("acme", &member, "more").await.status, 200);
    }
    let token = house.staff("acme", Role::Finance);
    let answer = house.get(&token, &format!("{WHEEL}/reconcile")).await;
    assert_eq!(answer.json()["differences"], json!([]));
}
