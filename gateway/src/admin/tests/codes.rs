//! Pools of codes, from the file to the user: each code is one user's, is told to that user alone, and comes from no other pool.

use std::collections::BTreeSet;

use function::identity::Role;
use function::pools::Keeper;
use serde_json::{Value as Json, json};

use super::house::{Answer, House, WHEEL as FILE};

const POOL: &str = "/admin/v1/acme/codes/course";

/// The wheel, as good as always winning one of four codes.
fn wheel() -> String {
    FILE.replace(
        "kind: coupon, stock: 3, cost: 10.00, odds: 50%",
        "kind: code, stock: 4, pool: course, low_water: 50%, odds: 99.999999%",
    )
    .replace(
        "budget: { total: 100.00, per_day: 50.00, when_spent: nothing }\n",
        "",
    )
}

async fn put(house: &House, key: &str, text: &str) -> Answer {
    let token = house.staff("acme", Role::Editor);
    house.post(&token, POOL, key, text).await
}

async fn publish(house: &House, text: &str, key: &str) -> Answer {
    let token = house.staff("acme", Role::Publisher);
    let body = json!({ "document": text, "reason": "a test" }).to_string();
    let path = "/admin/v1/acme/campaigns/wheel/publish";
    let answer = house.post(&token, path, key, &body).await;
    house.registry.refresh().await.unwrap();
    Keeper::default().round(&house.shell()).await;
    answer
}

async fn pools(house: &House) -> Json {
    let token = house.staff("acme", Role::Viewer);
    house.get(&token, "/admin/v1/acme/codes").await.json()["pools"].clone()
}

/// The codes that a user is shown.
async fn codes(house: &House, member: &str) -> Vec<String> {
    let view = house.view("acme", member).await.json();
    let grants = view["grants"].as_array().unwrap().iter();
    let text = |grant: &Json| grant["code"].as_str().unwrap_or("-").to_owned();
    grants.map(text).collect()
}

#[tokio::test]
async fn a_code_is_one_users_and_told_to_that_user_alone() {
    for house in House::of_each_store().await {
        // A campaign of people is not published without codes.
        let early = publish(&house, &wheel(), "p-0").await;
        assert_eq!(early.status, 409, "{early:?}");
        assert_eq!(early.json()["pools"], json!(["course"]));
        let first = put(&house, "k-1", "code\nRED-1\nBLUE-2\n\nRED-1\nno code\n").await;
        assert_eq!(first.status, 200, "{first:?}");
        let told = first.json();
        for (field, expected) in [
            ("rows", 4),
            ("added", 2),
            ("duplicates", 1),
            ("known", 0),
            ("rejected", 1),
            ("codes", 2),
        ] {
            assert_eq!(told[field], json!(expected), "{field}: {told}");
        }
        let done = publish(&house, &wheel(), "p-1").await;
        assert_eq!(done.status, 200, "{done:?}");
        let (mut given, mut bodies) = (BTreeSet::new(), Vec::new());
        for member in ["ann", "bob", "carl"] {
            let played = house.play("acme", member, &format!("k-{member}")).await;
            assert_eq!(played.status, 200, "{played:?}");
            let shown = codes(&house, member).await;
            assert_eq!(shown, codes(&house, member).await);
            given.extend(shown);
            bodies.push(played.body);
        }
        let two: BTreeSet<String> = ["RED-1", "BLUE-2"].map(str::to_owned).into();
        assert_eq!(given, two);
        // The same key again: the same bytes, and no second code.
        let again = house.play("acme", "ann", "k-ann").await;
        assert_eq!(again.body, bodies[0]);
        assert_eq!(codes(&house, "ann").await.len(), 1);
        assert!(codes(&house, "carl").await.is_empty());
        // More codes: what is known is left out, and the wheel goes on at once.
        let more = put(&house, "k-2", "BLUE-2\nGREEN-3\nGOLD-4\nGRAY-5\n")
            .await
            .json();
        assert_eq!((&more["added"], &more["known"]), (&json!(3), &json!(1)));
        for member in ["dan", "eve", "fay"] {
            house.play("acme", member, &format!("k-{member}")).await;
        }
        assert_eq!(codes(&house, "dan").await, ["GREEN-3"]);
        assert_eq!(codes(&house, "eve").await, ["GOLD-4"]);
        // No more than the campaign gives, whatever is in the pool.
        assert!(codes(&house, "fay").await.is_empty());
        let all = pools(&house).await;
        let told = &all[0];
        assert_eq!(
            (&told["codes"], &told["handed_out"], &told["left"]),
            (&json!(5), &json!(4), &json!(1))
        );
        assert_eq!(told["owner"]["reward"], "coupon");
        nobody_else_is_told(&house, &all, &bodies).await;
        a_voided_code_is_nobodys(&house).await;
    }
}

/// The same codes stand in no answer, ledger or audit.
async fn nobody_else_is_told(house: &House, pools: &Json, bodies: &[axum::body::Bytes]) {
    let finance = house.staff("acme", Role::Finance);
    let ledger = house
        .get(&finance, "/admin/v1/acme/ledger?campaign=wheel")
        .await;
    let audit = house.get(&finance, "/admin/v1/acme/audit").await;
    let mut all = vec![pools.to_string()];
    all.extend(
        bodies
            .iter()
            .chain([&ledger.body, &audit.body])
            .map(|body| {
                assert!(!body.is_empty());
                String::from_utf8_lossy(body).into_owned()
            }),
    );
    for text in all {
        for code in ["RED-1", "BLUE-2", "GREEN-3", "GOLD-4", "GRAY-5"] {
            assert!(!text.contains(code), "{text}");
        }
    }
}

async fn a_voided_code_is_nobodys(house: &House) {
    let view = house.view("acme", "dan").await.json();
    let id = view["grants"][0]["id"].as_str().unwrap().to_owned();
    let risk = house.staff("acme", Role::Risk);
    for (deed, shown) in [("hold", "-"), ("release", "GREEN-3"), ("void", "-")] {
        let path = format!("/admin/v1/acme/users/dan/grants/{id}/{deed}");
        let body = r#"{"reason":"a test","campaign":"wheel"}"#;
        let done = house.post(&risk, &path, deed, body).await;
        assert_eq!(done.status, 200, "{done:?}");
        assert_eq!(codes(house, "dan").await, [shown], "{deed}");
    }
    house.play("acme", "gil", "k-gil").await;
    assert!(codes(house, "gil").await.is_empty());
}

#[tokio::test]
async fn a_pool_stays_its_rewards() {
    let house = House::open().await;
    put(&house, "k-1", "A-1\nA-2\n").await;
    assert_eq!(publish(&house, &wheel(), "p-1").await.status, 200);
    // Neither another pool for the reward, nor the pool for another edition.
    put_into(&house, "other", "B-1\n").await;
    let moved = wheel().replace("pool: course", "pool: other");
    let no = publish(&house, &moved, "p-2").await;
    assert_eq!(no.status, 409, "{no:?}");
    assert!(
        no.json()["problem"]
            .as_str()
            .unwrap()
            .contains("pool `course`"),
        "{no:?}"
    );
    let next = wheel().replace("opens:", "edition: 2\nopens:");
    let no = publish(&house, &next, "p-3").await;
    assert_eq!(no.status, 409, "{no:?}");
    assert!(
        no.json()["problem"].as_str().unwrap().contains("edition 1"),
        "{no:?}"
    );
    // Added stock would be units without a code.
    let token = house.staff("acme", Role::Publisher);
    let path = "/admin/v1/acme/campaigns/wheel/stock";
    let no = house
        .post(&token, path, "s-1", r#"{"reward":"coupon","add":1}"#)
        .await;
    assert_eq!(no.status, 422, "{no:?}");
}

async fn put_into(house: &House, pool: &str, text: &str) {
    let token = house.staff("acme", Role::Editor);
    let path = format!("/admin/v1/acme/codes/{pool}");
    let done = house
        .post(&token, &path, &format!("into-{pool}"), text)
        .await;
    assert_eq!(done.status, 200, "{done:?}");
}
