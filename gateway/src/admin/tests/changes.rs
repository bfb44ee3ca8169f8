//! What staff change holds for the next call, is done once for a key, and stands in the audit.

use function::identity::Role;
use machine::ids::{CampaignKey, Lane};
use machine::world::first_tampered;
use store::Store as _;

use super::house::{Call, House};

const WHEEL: &str = "/admin/v1/acme/campaigns/wheel";

#[tokio::test]
async fn stock_is_added_once_for_a_key() {
    let house = House::open().await;
    let token = house.staff("acme", Role::Publisher);
    let path = format!("{WHEEL}/stock");
    let body = r#"{"reward":"coupon","add":5}"#;
    let first = house.post(&token, &path, "k-1", body).await;
    assert_eq!(
        (first.status.as_u16(), first.json()["ceiling"].as_i64()),
        (200, Some(8)),
        "{first:?}"
    );
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let again = house
        .post(
            &token,
            &path,
            "\"k-1\"",
            r#"{ "add": 5.0, "reward": "coupon" }"#,
        )
        .await;
    assert_eq!((again.status.as_u16(), &again.body), (200, &first.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let other = house
        .post(&token, &path, "k-1", r#"{"reward":"coupon","add":6}"#)
        .await;
    assert_eq!(
        (other.status.as_u16(), other.code().as_str()),
        (422, "idempotency-key-reused")
    );
    let elsewhere = house
        .post(
            &token,
            &format!("{WHEEL}/clock"),
            "k-1",
            r#"{"offset_secs":5}"#,
        )
        .await;
    assert_eq!(elsewhere.code(), "idempotency-key-reused");
    let test_lane = house
        .post(
            &token,
            &path,
            "k-2",
            r#"{"reward":"coupon","add":1,"lane":"test"}"#,
        )
        .await;
    assert_eq!(test_lane.json()["ceiling"], 4);
    let key = CampaignKey {
        tenant: "acme".into(),
        campaign: "wheel".into(),
        edition: 1,
        lane: Lane::Live,
    };
    let lane = house.store.lane(&key).await.unwrap().unwrap();
    let stock = lane
        .counters
        .iter()
        .find(|(key, _)| key.to_string() == "stock/coupon")
        .unwrap();
    assert_eq!(stock.1.ceiling, 8);
}

#[tokio::test]
async fn what_is_no_change() {
    let house = House::open().await;
    let token = house.staff("acme", Role::Publisher);
    let long = format!(r#"{{"reason":"{}"}}"#, "x".repeat(501));
    let huge = format!(r#"{{"reason":"{}"}}"#, "x".repeat(20_000));
    let rows: &[(&str, &str, u16, &str)] = &[
        ("stock", "", 422, "invalid-payload"),
        ("stock", "[]", 422, "invalid-payload"),
        ("stock", "{", 400, "bad-request"),
        (
            "stock",
            r#"{"reward":"coupon","add":0}"#,
            422,
            "invalid-payload",
        ),
        (
            "stock",
            r#"{"reward":"coupon","add":-1}"#,
            422,
            "invalid-payload",
        ),
        (
            "stock",
            r#"{"reward":"coupon","add":4294967296}"#,
            422,
            "invalid-payload",
        ),
        (
            "stock",
            r#"{"reward":"coupon","add":1.5}"#,
            422,
            "invalid-payload",
        ),
        (
            "stock",
            r#"{"reward":"coupon","add":1,"more":1}"#,
            422,
            "invalid-payload",
        ),
        (
            "stock",
            r#"{"reward":"nothing","add":1}"#,
            422,
            "invalid-payload",
        ),
        (
            "stock",
            r#"{"reward":"coupon","add":1,"lane":"other"}"#,
            422,
            "invalid-payload",
        ),
        ("pause", "{}", 422, "invalid-payload"),
        ("pause", r#"{"reason":" "}"#, 422, "invalid-payload"),
        ("pause", &long, 422, "invalid-payload"),
        ("pause", &huge, 413, "payload-too-large"),
        (
            "pause",
            r#"{"reason":"r","until":"tomorrow"}"#,
            422,
            "invalid-payload",
        ),
        (
            "pause",
            r#"{"reason":"r","event":"none"}"#,
            422,
            "invalid-payload",
        ),
        (
            "pause",
            r#"{"reason":"r","reson":"s"}"#,
            422,
            "invalid-payload",
        ),
        ("resume", r#"{"x":1}"#, 422, "invalid-payload"),
        ("clock", r#"{"offset_secs":"1"}"#, 422, "invalid-payload"),
        (
            "clock",
            r#"{"offset_secs":9223372036854775807}"#,
            422,
            "invalid-payload",
        ),
    ];
    for (number, (what, body, status, code)) in rows.iter().enumerate() {
        let answer = house
            .post(
                &token,
                &format!("{WHEEL}/{what}"),
                &format!("k-{number}"),
                body,
            )
            .await;
        let known = (answer.status.as_u16(), answer.code());
        // A body that is no object is the body reader's to refuse; which of its two codes it takes is its own.
        let expected = known == (*status, (*code).to_owned())
            || (*body == "[]" && matches!(known.0, 400 | 422));
        assert!(expected, "{what} {body:.60}: {known:?} {:?}", answer.body);
    }
    let bare = house
        .call(Call {
            method: "POST",
            path: &format!("{WHEEL}/resume"),
            token: Some(&token),
            ..Call::default()
        })
        .await;
    assert_eq!(
        (bare.status.as_u16(), bare.code().as_str()),
        (400, "idempotency-key-required")
    );
    let nowhere = house
        .post(
            &token,
            "/admin/v1/acme/campaigns/none/pause",
            "k",
            r#"{"reason":"r"}"#,
        )
        .await;
    assert_eq!(
        (nowhere.status.as_u16(), nowhere.code().as_str()),
        (404, "no-such-campaign")
    );
    assert!(
        house
            .store
            .audit("acme", 0)
            .await
            .unwrap()
            .iter()
            .all(|entry| &*entry.by == "configs-folder"),
        "nothing was done"
    );
}

#[tokio::test]
async fn a_pause_holds_at_once_and_until_it_is_ended() {
    let house = House::open().await;
    let token = house.staff("acme", Role::Publisher);
    let body = r#"{"reason":"odd wins","notice":"Back soon","until":"2026-11-23T10:00:00+08:00","event":"draw"}"#;
    assert_eq!(
        house
            .post(&token, &format!("{WHEEL}/pause"), "p-1", body)
            .await
            .status,
        200
    );
    let played = house.play("acme", "ann", "d-1").await;
    assert_eq!(
        (played.status.as_u16(), played.code().as_str()),
        (409, "paused")
    );
    assert_eq!(played.json()["notice"], "Back soon");
    assert!(
        !String::from_utf8_lossy(&played.body).contains("odd wins"),
        "the reason is for staff"
    );
    let stats = house.get(&token, &format!("{WHEEL}/stats")).await.json();
    assert_eq!(
        (&stats["paused"]["reason"], &stats["phase"]),
        (&"odd wins".into(), &"open".into()),
        "one event is not all"
    );
    assert_eq!(
        house.play("orchid", "ann", "d-1").await.status,
        200,
        "the other tenant plays on"
    );
    assert_eq!(
        house
            .post(&token, &format!("{WHEEL}/resume"), "p-2", "")
            .await
            .status,
        200
    );
    assert_eq!(
        house.play("acme", "ann", "d-1").await.status,
        200,
        "a refused call is not remembered"
    );
    let again = house
        .post(&token, &format!("{WHEEL}/resume"), "p-3", "{}")
        .await;
    assert_eq!(
        (again.status.as_u16(), again.json()["audit"].is_null()),
        (200, true)
    );
    house
        .post(
            &token,
            &format!("{WHEEL}/pause"),
            "p-4",
            r#"{"reason":"all"}"#,
        )
        .await;
    let stats = house.get(&token, &format!("{WHEEL}/stats")).await.json();
    assert_eq!(stats["phase"], "paused");
}

#[tokio::test]
async fn all_of_it_stands_in_the_audit() {
    let house = House::open().await;
    let token = house.staff("acme", Role::Publisher);
    house
        .post(
            &token,
            &format!("{WHEEL}/stock"),
            "a-1",
            r#"{"reward":"coupon","add":5}"#,
        )
        .await;
    house
        .post(
            &token,
            &format!("{WHEEL}/pause"),
            "a-2",
            r#"{"reason":"why"}"#,
        )
        .await;
    house
        .post(&token, &format!("{WHEEL}/resume"), "a-3", "")
        .await;
    house
        .post(
            &token,
            &format!("{WHEEL}/clock"),
            "a-4",
            r#"{"offset_secs":-3600}"#,
        )
        .await;
    house
        .post(
            &token,
            &format!("{WHEEL}/clock"),
            "a-4",
            r#"{"offset_secs":-3600}"#,
        )
        .await;
    let audit = house
        .get(&house.staff("acme", Role::Finance), "/admin/v1/acme/audit")
        .await
        .json();
    let entries = audit["entries"].as_array().unwrap();
    let told: Vec<String> = entries
        .iter()
        .map(|entry| format!("{} {}", entry["action"], entry["by"]))
        .collect();
    let by = "\"publisher@acme\"";
    let expected = [
        "\"create-tenant\" \"configs-folder\"".to_owned(),
        "\"publish\" \"configs-folder\"".to_owned(),
        format!("\"add-stock\" {by}"),
        format!("\"pause\" {by}"),
        format!("\"resume\" {by}"),
        format!("\"move-clock\" {by}"),
    ];
    assert_eq!(told, expected);
    assert_eq!(
        first_tampered(&house.store.audit("acme", 0).await.unwrap()),
        None
    );
    let rest = house
        .get(
            &house.staff("acme", Role::Finance),
            "/admin/v1/acme/audit?after=4",
        )
        .await
        .json();
    assert_eq!(rest["entries"].as_array().unwrap(), &entries[5..]);
    assert_eq!(rest["next"], serde_json::Value::Null);
}

/// A peer, and the headers that come with the call.
type Caller<'a> = (Option<&'a str>, &'a [(&'a str, &'a str)]);

#[tokio::test]
async fn a_backup_is_made_from_here_only() {
    let house = House::open().await;
    house.draws("acme", 3).await;
    let token = house.staff("orchid", Role::Publisher);
    let dest = house.dir.path().join("copy");
    let body = serde_json::json!({ "dest": dest }).to_string();
    let call = Call {
        method: "POST",
        path: "/admin/v1/backup",
        token: Some(&token),
        key: Some("b"),
        body: &body,
        ..Call::default()
    };
    let elsewhere: [Caller<'_>; 5] = [
        (None, &[]),
        (Some("192.0.2.7:1"), &[]),
        (Some("[2001:db8::1]:1"), &[]),
        (Some("127.0.0.1:1"), &[("x-forwarded-for", "192.0.2.7")]),
        (Some("127.0.0.1:1"), &[("forwarded", "for=192.0.2.7")]),
    ];
    for (peer, headers) in elsewhere {
        let answer = house
            .call(Call {
                peer,
                headers,
                ..call
            })
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (403, "forbidden"),
            "{peer:?} {headers:?}"
        );
        assert!(!dest.exists());
    }
    let relative = house
        .call(Call {
            body: r#"{"dest":"copy"}"#,
            ..call
        })
        .await;
    assert_eq!(relative.status, 422);
    let made = house
        .call(Call {
            peer: Some("[::1]:1"),
            ..call
        })
        .await;
    assert_eq!(made.status, 200, "{made:?}");
    let again = house.call(call).await;
    assert_eq!(
        (again.status.as_u16(), again.code().as_str()),
        (409, "not-possible"),
        "the folder is not empty any more"
    );
    let copy = store::embedded::open(&dest).unwrap();
    assert_eq!(
        copy.published().await.unwrap(),
        house.store.published().await.unwrap()
    );
}
