//! Drafts: nothing that somebody typed is lost or overwritten, and what is published is what was looked at.

use function::identity::{Role, Ticket};
use machine::world::first_tampered;
use serde_json::{Value as Json, json};

use super::house::{Answer, Call, House, WHEEL as FILE};
use super::revise::{served, stocked};

pub const WHEEL: &str = "/admin/v1/acme/campaigns/wheel";

/// Staff of acme by name.
pub fn staff(house: &House, name: &str, role: Role) -> String {
    house.ticket("acme", "staff", &Ticket::admin("acme", name, role))
}

/// An edit over a version; 0: the first.
pub async fn save(house: &House, name: &str, key: &str, over: u64, body: &Json) -> Answer {
    let tag = format!("\"{over}\"");
    let headers = [if over == 0 {
        ("if-none-match", "*")
    } else {
        ("if-match", tag.as_str())
    }];
    let token = staff(house, name, Role::Editor);
    let body = body.to_string();
    let call = Call {
        method: "PUT",
        token: Some(&token),
        path: WHEEL,
        key: Some(key),
        headers: &headers,
        body: &body,
        ..Call::default()
    };
    house.call(call).await
}

pub async fn show(house: &House) -> Json {
    let token = house.staff("acme", Role::Viewer);
    let answer = house.get(&token, WHEEL).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

pub async fn post(house: &House, name: &str, what: &str, key: &str, body: &Json) -> Answer {
    let token = staff(house, name, Role::Publisher);
    let path = format!("{WHEEL}/{what}");
    house.post(&token, &path, key, &body.to_string()).await
}

#[tokio::test]
async fn what_somebody_typed_is_kept_with_its_errors() {
    let house = House::open().await;
    let begun = show(&house).await;
    assert!(begun["draft"].is_null());
    assert_eq!(begun["live"]["revision"], 1);
    let wrong = FILE.replace("odds: 50%", "odds: 150%");
    let answer = save(&house, "ed", "s-1", 0, &json!({ "yaml": wrong })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.headers["etag"], "\"1\"");
    let told = answer.json();
    assert_eq!((&told["draft"], &told["ok"]), (&json!(1), &json!(false)));
    assert_eq!(told["base"], json!({ "edition": 1, "revision": 1 }));
    let first = &told["diagnostics"][0];
    assert_eq!(
        (&first["line"], &first["severity"]),
        (&json!(7), &json!("error"))
    );
    assert!(first["code"].is_string() && first["column"].is_u64());
    let kept = show(&house).await;
    assert_eq!(kept["draft"]["yaml"], wrong);
    assert_eq!(kept["draft"]["by"], "ed");
    assert_eq!(kept["draft"]["diagnostics"], told["diagnostics"]);
    // A repeat tells the same and is no edit.
    let again = save(&house, "ed", "s-1", 0, &json!({ "yaml": wrong })).await;
    assert_eq!(
        (again.status.as_u16(), &again.json()["draft"]),
        (200, &json!(1))
    );
    assert_eq!(again.headers["idempotency-replayed"], "true");
    // Not even YAML, as a file: kept all the same. What it would change is told once it can be read.
    let token = staff(&house, "flo", Role::Publisher);
    let call = Call {
        method: "PUT",
        token: Some(&token),
        path: WHEEL,
        key: Some("s-2"),
        headers: &[
            ("if-match", "\"1\""),
            ("content-type", "application/yaml; charset=utf-8"),
        ],
        body: "activity: [",
        ..Call::default()
    };
    let answer = house.call(call).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["etag"]),
        (200, &"\"2\"".parse().unwrap())
    );
    let answer = save(&house, "ed", "s-3", 2, &json!({ "yaml": stocked(5) }))
        .await
        .json();
    assert_eq!((&answer["draft"], &answer["ok"]), (&json!(3), &json!(true)));
    assert_eq!(answer["changes"][0]["subject"], "rewards.coupon.stock");
    assert_eq!(served(&house), 1, "nothing is published by that");
    let names = &show(&house).await["draft"]["authors"];
    assert_eq!(*names, json!(["ed", "flo"]));
    let audit = house.store.audit("acme", 0).await.unwrap();
    assert_eq!(first_tampered(&audit), None);
    let saved = audit.iter().filter(|entry| entry.action == "save-draft");
    assert_eq!(saved.count(), 3);
}

#[tokio::test]
async fn a_stale_edit_gets_theirs_and_overwrites_nothing() {
    let house = House::open().await;
    save(&house, "ed", "s-1", 0, &json!({ "yaml": stocked(5) })).await;
    save(&house, "flo", "s-2", 1, &json!({ "yaml": stocked(6) })).await;
    for (key, over) in [("s-3", 0), ("s-4", 1), ("s-5", 7)] {
        let answer = save(&house, "ed", key, over, &json!({ "yaml": stocked(9) })).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (412, "stale-page"),
            "{answer:?}"
        );
        assert_eq!(answer.headers["etag"], "\"2\"");
        let theirs = &answer.json()["draft"];
        assert_eq!(
            (&theirs["yaml"], &theirs["by"]),
            (&json!(stocked(6)), &json!("flo"))
        );
    }
    let token = staff(&house, "ed", Role::Editor);
    let body = json!({ "yaml": "x" }).to_string();
    let put = |headers, key| Call {
        method: "PUT",
        token: Some(token.as_str()),
        path: WHEEL,
        key,
        headers,
        body: &body,
        ..Call::default()
    };
    // Without any word of what was seen there must be nothing to see.
    assert_eq!(house.call(put(&[], Some("s-6"))).await.status, 412);
    assert_eq!(
        house
            .call(put(&[("if-match", "*")], Some("s-7")))
            .await
            .status,
        400
    );
    let none = house.call(put(&[("if-match", "\"2\"")], None)).await;
    assert_eq!(none.code(), "idempotency-key-required");
    let none = house
        .call(Call {
            path: "/admin/v1/acme/campaigns/none",
            ..put(&[], Some("s-8"))
        })
        .await;
    assert_eq!(none.code(), "no-such-campaign");
    assert_eq!(show(&house).await["draft"]["version"], 2);
    // Dropped; and a version never comes back.
    let drop = |tag: &'static [(&'static str, &'static str)], key| Call {
        method: "DELETE",
        token: Some(token.as_str()),
        path: WHEEL,
        key: Some(key),
        headers: tag,
        ..Call::default()
    };
    assert_eq!(house.call(drop(&[], "d-1")).await.status, 400);
    assert_eq!(
        house
            .call(drop(&[("if-match", "\"1\"")], "d-2"))
            .await
            .status,
        412
    );
    assert_eq!(
        house
            .call(drop(&[("if-match", "\"2\"")], "d-3"))
            .await
            .status,
        200
    );
    assert!(show(&house).await["draft"].is_null());
    let answer = save(&house, "ed", "s-9", 2, &json!({ "yaml": "x" })).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["draft"]),
        (412, &Json::Null)
    );
    let answer = save(&house, "ed", "s-10", 0, &json!({ "yaml": "x" })).await;
    assert_eq!(answer.json()["draft"], 3);
    let long = save(
        &house,
        "ed",
        "s-11",
        3,
        &json!({ "yaml": "x".repeat((1 << 20) + 1) }),
    )
    .await;
    assert_eq!(long.code(), "payload-too-large");
}

#[tokio::test]
async fn just_what_was_looked_at_is_published() {
    let house = House::open().await;
    save(&house, "ed", "s-1", 0, &json!({ "yaml": stocked(5) })).await;
    save(&house, "ed", "s-2", 1, &json!({ "yaml": stocked(6) })).await;
    let answer = post(&house, "pub", "publish", "p-1", &json!({ "draft": 1 })).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["draft"]["version"]),
        (412, &json!(2))
    );
    let done = post(&house, "pub", "publish", "p-2", &json!({ "draft": 2 })).await;
    assert_eq!(
        (done.status.as_u16(), &done.json()["revision"]),
        (200, &json!(2)),
        "{done:?}"
    );
    assert_eq!(served(&house), 2);
    assert!(show(&house).await["draft"].is_null());
    let again = post(&house, "pub", "publish", "p-2", &json!({ "draft": 2 })).await;
    assert_eq!(again.body, done.body);
    let other = post(&house, "pub", "publish", "p-2", &json!({ "draft": 3 })).await;
    assert_eq!(other.code(), "idempotency-key-reused");
    let gone = post(&house, "pub", "publish", "p-3", &json!({ "draft": 2 })).await;
    assert_eq!(
        (gone.status.as_u16(), &gone.json()["draft"]),
        (412, &Json::Null)
    );
    // Somebody publishes under a draft: it says so, and waits until somebody has looked and says so.
    save(&house, "ed", "s-3", 0, &json!({ "yaml": stocked(8) })).await;
    let body = json!({ "document": stocked(7) });
    assert_eq!(
        post(&house, "pub", "publish", "p-4", &body).await.json()["revision"],
        3
    );
    let moved = post(&house, "pub", "publish", "p-5", &json!({ "draft": 3 })).await;
    assert_eq!(moved.code(), "not-possible");
    assert_eq!(
        moved.json()["newest"],
        json!({ "edition": 1, "revision": 3 })
    );
    let kept = show(&house).await;
    assert_eq!(kept["draft"]["base_is_newest"], false);
    save(&house, "ed", "s-4", 3, &json!({ "yaml": stocked(8) })).await;
    let moved = post(&house, "pub", "publish", "p-6", &json!({ "draft": 4 })).await;
    assert_eq!(moved.code(), "not-possible", "an edit alone is no look");
    let future = json!({ "yaml": stocked(8), "base": { "edition": 1, "revision": 4 } });
    assert_eq!(
        save(&house, "ed", "s-5", 4, &future).await.code(),
        "invalid-payload"
    );
    let looked = json!({ "yaml": stocked(8), "base": { "edition": 1, "revision": 3 } });
    assert_eq!(
        save(&house, "ed", "s-6", 4, &looked).await.json()["base_is_newest"],
        true
    );
    let done = post(&house, "pub", "publish", "p-7", &json!({ "draft": 5 })).await;
    assert_eq!(done.json()["revision"], 4);
    // What takes from users needs a reason here, too; and what is wrong stays a draft.
    let less = FILE
        .replace("odds: 50%", "odds: 40%")
        .replace("stock: 3", "stock: 8");
    save(&house, "ed", "s-7", 0, &json!({ "yaml": less })).await;
    let silent = post(&house, "pub", "publish", "p-8", &json!({ "draft": 6 })).await;
    assert_eq!(
        silent.json()["changes"][0]["subject"],
        "rewards.coupon.odds"
    );
    let body = json!({ "draft": 6, "reason": "the supplier delivers less" });
    assert_eq!(
        post(&house, "pub", "publish", "p-9", &body).await.status,
        200
    );
    save(&house, "ed", "s-8", 0, &json!({ "yaml": "activity: [" })).await;
    let wrong = post(&house, "pub", "publish", "p-10", &json!({ "draft": 7 })).await;
    assert_eq!(wrong.code(), "invalid-payload");
    assert_eq!(show(&house).await["draft"]["version"], 7);
}

const GREEN: &str = "
- story: somebody draws
  steps:
    - { at: 2026-11-22 10:00, event: draw }
";

const RED: &str = "
- story: somebody draws
  steps:
    - { at: 2026-11-22 10:00, event: draw }
- story: a draw before the opening is taken
  steps:
    - { at: 2026-10-22 10:00, event: draw }
";

#[tokio::test]
async fn stories_are_green_or_nothing_is_published() {
    let house = House::open().await;
    let sent =
        |stories: &str| json!({ "document": stocked(5), "stories": { "wheel.yaml": stories } });
    let red = post(&house, "pub", "publish", "p-1", &sent(RED)).await;
    assert_eq!(red.status, 422, "{red:?}");
    let told = red.json();
    assert_eq!(told["story"], "a draw before the opening is taken");
    assert!(
        told["problem"].as_str().unwrap().contains("not-open"),
        "{told}"
    );
    assert_eq!(
        told["diagnostics"][0]["file"],
        "configs/acme/stories/wheel.yaml"
    );
    assert_eq!(told["diagnostics"][0]["line"], 7);
    let check = post(&house, "pub", "check", "c-1", &sent(RED)).await.json();
    assert_eq!(
        (&check["ok"], &check["stories"]["played"]),
        (&json!(false), &json!(2))
    );
    assert_eq!(
        check["stories"]["failed"],
        json!(["a draw before the opening is taken"])
    );
    // The folder's are played where none are sent, of the file there and of what is sent.
    let folder = house.configs().join("acme/stories");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("wheel.yaml"), RED).unwrap();
    let red = post(
        &house,
        "pub",
        "publish",
        "p-2",
        &json!({ "document": stocked(5) }),
    )
    .await;
    assert_eq!(red.json()["story"], "a draw before the opening is taken");
    save(&house, "ed", "s-1", 0, &json!({ "yaml": stocked(5) })).await;
    let red = post(&house, "pub", "publish", "p-3", &json!({ "draft": 1 })).await;
    assert_eq!(red.json()["story"], "a draw before the opening is taken");
    // Those that are sent take their place.
    let body = json!({ "yaml": stocked(5), "stories": { "wheel.yaml": GREEN } });
    let saved = save(&house, "ed", "s-2", 1, &body).await.json();
    assert_eq!(
        saved["stories"],
        json!({ "played": 1, "failed": [], "diagnostics": [] })
    );
    let done = post(&house, "pub", "publish", "p-4", &json!({ "draft": 2 })).await;
    assert_eq!(done.json()["revision"], 2, "{done:?}");
    let wrong = post(&house, "pub", "publish", "p-5", &sent("- story: [")).await;
    assert_eq!(
        (wrong.status.as_u16(), &wrong.json()["story"]),
        (422, &Json::Null)
    );
    let name = json!({ "document": stocked(5), "stories": { "../x.yaml": GREEN } });
    let name = post(&house, "pub", "publish", "p-6", &name).await;
    assert_eq!(name.json()["pointer"], "/stories");
    // The way back needs none: what it brings was live before.
    let back = post(
        &house,
        "pub",
        "rollback",
        "r-1",
        &json!({ "revision": 1, "reason": "a test" }),
    )
    .await;
    assert_eq!(back.json()["revision"], 3, "{back:?}");
}

#[tokio::test]
async fn what_is_approved_is_what_users_read() {
    let house = House::open().await;
    let rules = house.dir.path().join("configs/acme/rules");
    std::fs::create_dir_all(&rules).unwrap();
    let lie_there = |words: &str| {
        for language in ["en", "zh-CN"] {
            std::fs::write(rules.join(format!("wheel.{language}.md")), words).unwrap();
        }
    };
    let document = FILE.replace("opens:", "rules: rules/wheel.{lang}.md\nopens:");
    // Those of the folder, as they were when it was saved.
    lie_there("As it was looked at.");
    let saved = save(&house, "ed", "s-1", 0, &json!({ "yaml": document })).await;
    assert_eq!(saved.json()["ok"], json!(true), "{saved:?}");
    lie_there("Slipped in afterwards.");
    let kept = &show(&house).await["draft"]["rules"];
    assert_eq!(kept["en"], "As it was looked at.");
    let done = post(&house, "flo", "publish", "p-1", &json!({ "draft": 1 })).await;
    assert_eq!(done.status, 200, "{done:?}");
    let text = async |revision| {
        let found = house.store.revision("acme", "wheel", 1, revision).await;
        String::from_utf8_lossy(&found.unwrap().unwrap().definition).into_owned()
    };
    let published = text(2).await;
    assert!(published.contains("As it was looked at.") && !published.contains("Slipped"));
    // And those that are sent with it.
    let sent = json!({ "yaml": document, "rules": { "en": "Sent.", "zh-CN": "Sent too." } });
    let saved = save(&house, "ed", "s-2", 0, &sent).await;
    assert_eq!(saved.json()["ok"], json!(true), "{saved:?}");
    let done = post(&house, "flo", "publish", "p-2", &json!({ "draft": 2 })).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert!(text(3).await.contains("Sent too."));
}
