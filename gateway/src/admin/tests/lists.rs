//! Lists in the store: put as a whole, above the file of their name, told at once to who may take part.

use std::fmt::Write as _;

use function::identity::Role;
use serde_json::{Value as Json, json};

use super::house::{Answer, Call, House, WHEEL as FILE};

const LIST: &str = "/admin/v1/acme/lists/vip";

async fn put(house: &House, path: &str, key: &str, text: &str) -> Answer {
    let token = house.staff("acme", Role::Editor);
    let call = Call {
        method: "PUT",
        path,
        token: Some(&token),
        key: Some(key),
        body: text,
        ..Call::default()
    };
    house.call(call).await
}

async fn all(house: &House) -> Vec<Json> {
    let token = house.staff("acme", Role::Viewer);
    let found = house.get(&token, "/admin/v1/acme/lists").await.json();
    found["lists"].as_array().unwrap().clone()
}

/// A house whose wheel is for those on `vip`, where a file names eve.
async fn open() -> House {
    let house = House::open().await;
    let folder = house.configs().join("acme");
    std::fs::create_dir(folder.join("lists")).unwrap();
    std::fs::write(folder.join("lists/vip.csv"), "member\neve\n").unwrap();
    let text = FILE.replace(
        "rewards:",
        "audience: { any_of: [{ list: vip }] }\nrewards:",
    );
    let token = house.staff("acme", Role::Publisher);
    let body = json!({ "document": text, "reason": "a test" }).to_string();
    let path = "/admin/v1/acme/campaigns/wheel/publish";
    let done = house.post(&token, path, "p-1", &body).await;
    assert_eq!(done.status, 200, "{done:?}");
    std::fs::write(folder.join("wheel.yaml"), text).unwrap();
    let report = house.registry.load().await.unwrap();
    assert!(report.problems.is_empty(), "{report:?}");
    house
}

/// Who of these may draw now.
async fn may(house: &House, round: &str, members: &[&str]) -> Vec<bool> {
    let mut all = Vec::new();
    for member in members {
        let answer = house
            .play("acme", member, &format!("{round}-{member}"))
            .await;
        let code = answer.json()["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(answer.status == 200 || code == "not-eligible", "{answer:?}");
        all.push(answer.status == 200);
    }
    all
}

#[tokio::test]
async fn a_list_is_put_above_its_file_and_taken_away() {
    let house = open().await;
    let members = ["ann", "bob", "eve"];
    assert_eq!(may(&house, "a", &members).await, [false, false, true]);
    assert_eq!(all(&house).await[0]["from"], "file");
    let text = "\u{feff}member\r\nann\r\nbob\nann\n\nbad,line\n";
    let first = put(&house, LIST, "k-1", text).await;
    assert_eq!(first.status, 200, "{first:?}");
    let told = first.json();
    for (field, expected) in [
        ("rows", json!(4)),
        ("added", json!(2)),
        ("duplicates", json!(1)),
        ("rejected", json!(1)),
    ] {
        assert_eq!(told[field], expected, "{told}");
    }
    assert_eq!(told["rejects"][0]["line"], 6);
    assert_eq!(may(&house, "b", &members).await, [true, true, false]);
    let again = put(&house, LIST, "k-1", text).await;
    assert_eq!(
        (again.body, again.headers["idempotency-replayed"].as_bytes()),
        (first.body, &b"true"[..])
    );
    let other = put(&house, LIST, "k-1", "bob\n").await;
    assert_eq!(other.code(), "idempotency-key-reused");
    // By pseudonym, and after a restart.
    let bob = house.pseudonym("acme", "bob");
    let second = put(&house, &format!("{LIST}?of=pseudonyms"), "k-2", &bob).await;
    assert_eq!(second.json()["added"], 1, "{second:?}");
    assert_eq!(may(&house, "c", &members).await, [false, true, false]);
    let house = house.again().await;
    assert_eq!(may(&house, "d", &members).await, [false, true, false]);
    let list = &all(&house).await[0];
    let told = ["from", "members", "hides_file", "by"].map(|field| list[field].clone());
    let expected = [json!("store"), json!(1), json!(true), json!("editor@acme")];
    assert_eq!(told, expected);
    // Another tenant's is another list.
    let token = house.staff("orchid", Role::Viewer);
    let theirs = house.get(&token, "/admin/v1/orchid/lists").await.json();
    assert_eq!(theirs["lists"], json!([]));
    let token = house.staff("acme", Role::Risk);
    let drop = format!("{LIST}/drop");
    let dropped = house
        .post(&token, &drop, "d-1", r#"{"reason":"a test"}"#)
        .await;
    assert_eq!(dropped.status, 200, "{dropped:?}");
    assert_eq!(may(&house, "e", &members).await, [false, false, true]);
    let gone = house.post(&token, &drop, "d-2", "{}").await;
    assert_eq!(gone.status, 404);
    assert_eq!(all(&house).await[0]["from"], "file");
}

#[tokio::test]
async fn what_is_no_list_changes_nothing() {
    let house = open().await;
    assert_eq!(put(&house, LIST, "k-0", "ann\n").await.status, 200);
    for (key, path, text) in [
        ("k-1", LIST, ""),
        ("k-2", LIST, "member\n"),
        ("k-3", LIST, "a,b\n"),
        ("k-4", "/admin/v1/acme/lists/vip?of=pseudonyms", "ann\n"),
        ("k-5", "/admin/v1/acme/lists/vip?empty=true", "a,b\n"),
        ("k-6", "/admin/v1/acme/lists/V.I.P", "ann\n"),
    ] {
        let refused = put(&house, path, key, text).await;
        assert_eq!(refused.status, 422, "{path} {text} {refused:?}");
    }
    assert_eq!(may(&house, "a", &["ann", "bob"]).await, [true, false]);
    // The tenant's bound, in members.
    let settings = house.configs().join("acme/tenant.yaml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text + "quotas: { list_members: 3 }\n").unwrap();
    house.registry.load().await.unwrap();
    let mut many = String::new();
    (0..4).for_each(|n| writeln!(many, "m-{n}").unwrap());
    let refused = put(&house, LIST, "k-7", &many).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (413, "payload-too-large")
    );
    assert_eq!(may(&house, "b", &["ann", "m-1"]).await, [true, false]);
    let empty = put(&house, &format!("{LIST}?empty=true"), "k-8", "").await;
    assert_eq!(
        (empty.status.as_u16(), &empty.json()["added"]),
        (200, &json!(0))
    );
    assert_eq!(may(&house, "c", &["ann", "eve"]).await, [false, false]);
}

/// A campaign may name a list that only the store has.
#[tokio::test]
async fn a_list_needs_no_file() {
    let house = House::open().await;
    assert_eq!(put(&house, LIST, "k-1", "ann\n").await.status, 200);
    let text = FILE.replace(
        "rewards:",
        "audience: { none_of: [{ list: vip }] }\nrewards:",
    );
    let token = house.staff("acme", Role::Publisher);
    let body = json!({ "document": text, "reason": "a test" }).to_string();
    let path = "/admin/v1/acme/campaigns/wheel/publish";
    let done = house.post(&token, path, "p-1", &body).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(may(&house, "a", &["ann", "bob"]).await, [false, true]);
}
