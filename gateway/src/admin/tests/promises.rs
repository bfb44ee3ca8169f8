//! What users were promised, what a publish would do, and who has seen what: the guards before a revision.

use function::identity::Role;
use serde_json::json;

use super::house::{Answer, Call, House, WHEEL as FILE};
use super::revise::{rewrite, served, stocked};

const WHEEL: &str = "/admin/v1/acme/campaigns/wheel";

async fn ask(house: &House, what: &str, key: &str, body: &serde_json::Value) -> Answer {
    let token = house.staff("acme", Role::Publisher);
    let path = format!("{WHEEL}/{what}");
    house.post(&token, &path, key, &body.to_string()).await
}

#[tokio::test]
async fn what_users_rely_on_is_not_taken_in_silence() {
    let house = House::open().await;
    let less = FILE.replace("odds: 50%", "odds: 40%");
    let silent = ask(&house, "publish", "p-1", &json!({ "document": less })).await;
    assert_eq!(
        (silent.status.as_u16(), silent.code().as_str()),
        (409, "not-possible"),
        "{silent:?}"
    );
    assert_eq!(
        silent.json()["changes"][0]["subject"],
        "rewards.coupon.odds"
    );
    assert_eq!(
        silent.json()["changes"][0]["en"],
        "coupon: odds 50 % -> 40 %"
    );
    assert_eq!(served(&house), 1);
    // A changed file says nothing of why: it is not published, and says so.
    rewrite(&house, &less);
    let report = house.registry.load().await.unwrap();
    assert!(report.published.is_empty(), "{report:?}");
    let told = report.problems.join("\n");
    assert!(
        told.contains("odds 50 % -> 40 %") && told.contains("--reason"),
        "{told}"
    );
    // More, and what was not promised, needs none.
    let more = FILE.replace("odds: 50%", "odds: 60%");
    let done = ask(&house, "publish", "p-2", &json!({ "document": more })).await;
    assert_eq!(done.status, 200, "{done:?}");
    // With a reason the other is published, and so is the way back.
    let body = json!({ "document": less, "reason": "the supplier delivers less" });
    assert_eq!(ask(&house, "publish", "p-3", &body).await.status, 200);
    let finance = house.staff("acme", Role::Finance);
    let audit = house.get(&finance, "/admin/v1/acme/audit").await.json();
    let last = audit["entries"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["action"], "publish");
    let details = last["details"].as_str().unwrap();
    assert!(
        details.contains(r#""reason":"the supplier delivers less""#),
        "{details}"
    );
    let blank = ask(&house, "publish", "p-4", &json!({ "reason": " " })).await;
    assert_eq!(blank.status, 422, "{blank:?}");
    rewrite(&house, FILE);
    let back = ask(&house, "rollback", "p-5", &json!({ "revision": 2 })).await;
    assert_eq!(back.status, 200, "better for users: {back:?}");
    let back = ask(&house, "rollback", "p-6", &json!({ "revision": 3 })).await;
    assert_eq!(back.status, 409, "{back:?}");
    // Before it opens nobody relies on it yet, and after the last claim nobody does any more.
    house.set("2026-10-22T12:00:00+08:00");
    let back = ask(&house, "rollback", "p-7", &json!({ "revision": 3 })).await;
    assert_eq!(back.status, 200, "{back:?}");
}

/// The house's wheel with rules that say what Chinese law wants to be said.
fn with_rules() -> String {
    FILE.replace("opens:", "rules: rules/wheel.{lang}.md\nopens:")
}

/// Puts the tenant under Chinese law, with rules that are `words` and the sentences that are wanted.
async fn under_law(house: &House, words: &str) {
    let acme = house.configs().join("acme");
    std::fs::create_dir_all(acme.join("rules")).unwrap();
    for language in ["en", "zh-CN"] {
        let text = format!("{words} {{{{ odds.coupon }}}} {{{{ when_gone }}}} {{{{ budget }}}}");
        std::fs::write(acme.join(format!("rules/wheel.{language}.md")), text).unwrap();
    }
    rewrite(house, &with_rules());
    let path = acme.join("tenant.yaml");
    let tenant = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{tenant}\nlaw: CN\norganizer: Acme Ltd.\n")).unwrap();
    house.registry.load().await.unwrap();
    // The rules are new: that takes a reason, once.
    let first = ask(
        house,
        "publish",
        "p-law",
        &json!({ "reason": "its first rules" }),
    )
    .await;
    assert_eq!(first.status, 200, "{first:?}");
}

/// Rules that are sent lie in no file of the server's, and what they say is served.
#[tokio::test]
async fn rules_are_sent_with_the_document() {
    let house = House::open().await;
    let text = "Odds: {{ odds.coupon }}, until {{ closes }}.";
    let mut body = json!({ "document": with_rules(), "rules": { "en": text, "zh-CN": text } });
    let check = ask(&house, "check", "", &body).await.json();
    assert_eq!(check["ok"], true, "{check}");
    let done = ask(&house, "publish", "p-1", &body).await;
    assert_eq!(done.status, 200, "{done:?}");
    let served = house.registry.snapshot().tenants["acme"].campaigns["wheel"].clone();
    assert_eq!(
        served.newest().unwrap().rules.pick("en", "en"),
        "Odds: 50%, until 1 December 2026, 00:00 (Asia/Shanghai)."
    );
    // What is wrong in them has its line there.
    body["rules"]["en"] = json!("Fine.\nOdds: {{ odds.cupon }}");
    let wrong = ask(&house, "publish", "p-2", &body).await;
    assert_eq!(wrong.status, 422, "{wrong:?}");
    let found = &wrong.json()["diagnostics"][0];
    assert_eq!(
        (
            &found["code"],
            &found["file"],
            &found["line"],
            &found["column"]
        ),
        (
            &json!("E1201"),
            &json!("configs/acme/rules/wheel.en.md"),
            &json!(2),
            &json!(10)
        )
    );
    // They take the place of rules alone: neither the tenant's file nor another language's is theirs.
    let elsewhere = FILE.replace("opens:", "rules: tenant.yaml\nopens:");
    let body = json!({ "document": elsewhere, "rules": { "en": "name: Nobody" } });
    let check = ask(&house, "check", "", &body).await.json();
    assert_eq!(check["ok"], true, "{check}");
    assert!(!house.configs().join("acme/rules").exists());
}

/// The words of the rules are a promise that no program can read: under Chinese law somebody must stand for a change of them.
/// What only their figures change is judged by the figures.
#[tokio::test]
async fn rules_are_not_reworded_in_silence_under_chinese_law() {
    let house = House::open().await;
    under_law(&house, "Rules.").await;
    let better = with_rules().replace("odds: 50%", "odds: 60%");
    let done = ask(&house, "publish", "p-1", &json!({ "document": better })).await;
    assert_eq!(done.status, 200, "only figures: {done:?}");
    let words = "New words. {{ when_gone }} {{ budget }}";
    let mut body = json!({ "document": better, "rules": { "en": words } });
    let silent = ask(&house, "publish", "p-2", &body).await;
    assert_eq!(silent.status, 409, "{silent:?}");
    assert_eq!(silent.json()["changes"][0]["subject"], "rules.en");
    let check = ask(&house, "check", "", &body).await.json();
    assert_eq!(
        (&check["ok"], &check["needs_reason"], &check["reworded"]),
        (&json!(true), &json!(true), &json!(true))
    );
    body["reason"] = json!("a typing error");
    let done = ask(&house, "publish", "p-3", &body).await;
    assert_eq!(done.status, 200, "{done:?}");
}

/// What the tenant itself lacks by its law stands in the way of each of its campaigns, whatever these say.
#[tokio::test]
async fn nobody_publishes_for_a_tenant_that_names_no_organizer() {
    let house = House::open().await;
    under_law(&house, "Rules.").await;
    let path = house.configs().join("acme/tenant.yaml");
    let tenant = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, tenant.replace("organizer:", "# organizer:")).unwrap();
    let better = with_rules().replace("odds: 50%", "odds: 60%");
    let no = ask(&house, "publish", "p-1", &json!({ "document": better })).await;
    assert_eq!(no.status, 422, "{no:?}");
    let found = &no.json()["diagnostics"][0];
    assert_eq!(
        (&found["code"], &found["file"]),
        (&json!("E1305"), &json!("configs/acme/tenant.yaml"))
    );
}

#[tokio::test]
async fn under_chinese_law_it_is_not_taken_at_all() {
    let house = House::open().await;
    under_law(&house, "Rules.").await;
    let less = with_rules().replace("odds: 50%", "odds: 40%");
    let body = json!({ "document": less, "reason": "the supplier delivers less" });
    let forbidden = ask(&house, "publish", "p-1", &body).await;
    assert_eq!(forbidden.status, 409, "{forbidden:?}");
    let problem = forbidden.json()["problem"].as_str().unwrap().to_owned();
    assert!(
        problem.contains("law of CN") && problem.contains("pause"),
        "{problem}"
    );
    let check = ask(&house, "check", "", &json!({ "document": less })).await;
    assert_eq!(check.json()["forbidden_by_law"], "CN", "{check:?}");
    assert_eq!(check.json()["ok"], false);
    // Pausing it remains.
    let pause = ask(
        &house,
        "pause",
        "p-2",
        &json!({ "reason": "we look into it" }),
    )
    .await;
    assert_eq!(pause.status, 200, "{pause:?}");
}

#[tokio::test]
async fn a_check_says_what_a_publish_would_do_and_does_nothing() {
    let house = House::open().await;
    let wrong = FILE.replace("odds: 50%", "odds: 150%");
    let found = ask(&house, "check", "", &json!({ "document": wrong })).await;
    assert_eq!(found.status, 200, "{found:?}");
    assert_eq!(found.json()["ok"], false);
    assert!(found.json()["diagnostics"][0]["line"].is_u64());
    let stranding = FILE
        .replace("    playing:", "    played:")
        .replace("initial: playing", "initial: played");
    let found = ask(&house, "check", "", &json!({ "document": stranding })).await;
    assert_eq!(found.json()["ok"], false);
    let against = found.json()["against"][0].as_str().unwrap().to_owned();
    assert!(against.contains("state `playing` is gone"), "{against}");
    let less = stocked(2).replace("odds: 50%", "odds: 55%");
    let found = ask(&house, "check", "", &json!({ "document": less }))
        .await
        .json();
    assert_eq!(
        (&found["ok"], &found["needs_reason"]),
        (&json!(true), &json!(true))
    );
    let told: Vec<&str> = found["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["en"].as_str().unwrap())
        .collect();
    assert_eq!(
        told,
        [
            "coupon: stock 3 -> 2",
            "coupon: odds 50 % -> 55 %",
            "nothing: odds 50 % -> 45 %"
        ]
    );
    assert_eq!(served(&house), 1);
    assert_eq!(
        ask(&house, "check", "", &json!({})).await.json()["changes"],
        json!([])
    );
}

#[tokio::test]
async fn who_has_not_seen_the_newest_is_told() {
    let house = House::open().await;
    let token = house.staff("acme", Role::Publisher);
    let path = format!("{WHEEL}/publish");
    let send = async |key: &str, seen: &str, units: u32| {
        let body = json!({ "document": stocked(units) }).to_string();
        let call = Call {
            method: "POST",
            path: &path,
            token: Some(&token),
            key: Some(key),
            body: &body,
            headers: &[("if-match", seen)],
            ..Call::default()
        };
        house.call(call).await
    };
    assert_eq!(send("p-1", "\"1\"", 5).await.status, 200);
    let late = send("p-2", "\"1\"", 6).await;
    assert_eq!(
        (late.status.as_u16(), late.json()["revision"].as_u64()),
        (412, Some(2)),
        "{late:?}"
    );
    assert_eq!(send("p-3", "2", 6).await.status, 200);
    assert_eq!(send("p-4", "newest", 7).await.status, 400);
    assert_eq!(served(&house), 3);
}
