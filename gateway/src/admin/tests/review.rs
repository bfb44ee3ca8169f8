//! Four eyes, and publishes at a time.

use function::identity::Role;
use function::schedule::Timetable;
use serde_json::json;

use super::drafts::{WHEEL, post, save, show, staff};
use super::house::{Answer, Call, House};
use super::revise::{rewrite, served, stocked};

/// A house whose tenant wants so many approvals.
async fn reviewed(approvals: u32) -> House {
    let house = House::open().await;
    let file = house.configs().join("acme/tenant.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        format!("{text}review: {{ approvals: {approvals} }}\n"),
    )
    .unwrap();
    let report = house.registry.load().await.unwrap();
    assert!(report.problems.is_empty(), "{report:?}");
    house
}

async fn publish(house: &House, key: &str, draft: u64) -> Answer {
    post(house, "ed", "publish", key, &json!({ "draft": draft })).await
}

#[tokio::test]
async fn nobody_publishes_alone() {
    let house = reviewed(1).await;
    // Neither a document nor a file goes round the others.
    let body = json!({ "document": stocked(5) });
    let answer = post(&house, "pub", "publish", "p-1", &body).await;
    assert_eq!(answer.code(), "not-possible", "{answer:?}");
    assert!(answer.json()["message"].as_str().unwrap().contains("draft"));
    for text in [stocked(5), stocked(5) + "edition: 2\n"] {
        rewrite(&house, &text);
        let report = house.registry.load().await.unwrap();
        assert!(report.published.is_empty(), "{report:?}");
        let told = report.problems.join("\n");
        assert!(
            told.contains("acme/wheel: not published") && told.contains("gala draft"),
            "{told}"
        );
    }
    let answer = post(&house, "pub", "publish", "p-2", &json!({})).await;
    assert_eq!(
        (answer.code().as_str(), served(&house)),
        ("not-possible", 1)
    );
    // Whoever wrote in it does not approve, whatever their role.
    save(&house, "ed", "s-1", 0, &json!({ "yaml": stocked(5) })).await;
    save(&house, "flo", "s-2", 1, &json!({ "yaml": stocked(6) })).await;
    for author in ["ed", "flo"] {
        let answer = post(
            &house,
            author,
            "approve",
            &format!("a-{author}"),
            &json!({ "draft": 2 }),
        )
        .await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (403, "forbidden")
        );
    }
    let answer = publish(&house, "p-3", 2).await;
    assert!(
        answer.json()["problem"]
            .as_str()
            .unwrap()
            .contains("0 of the 1 approvals"),
        "{answer:?}"
    );
    // An edit ends what was approved before it.
    assert_eq!(
        post(&house, "ann", "approve", "a-1", &json!({ "draft": 2 }))
            .await
            .status,
        200
    );
    assert!(show(&house).await["draft"]["waits_for"].is_null());
    save(&house, "ed", "s-3", 2, &json!({ "yaml": stocked(7) })).await;
    let answer = post(&house, "ann", "approve", "a-2", &json!({ "draft": 2 })).await;
    assert_eq!(answer.status, 412, "it is of what was seen");
    assert_eq!(publish(&house, "p-4", 3).await.code(), "not-possible");
    // An objection stands until whoever raised it is content.
    let body = json!({ "draft": 3, "comment": "seven is too many" });
    assert_eq!(post(&house, "bo", "object", "o-1", &body).await.status, 200);
    assert_eq!(
        post(&house, "ann", "approve", "a-3", &json!({ "draft": 3 }))
            .await
            .status,
        200
    );
    let answer = publish(&house, "p-5", 3).await;
    assert!(
        answer.json()["problem"]
            .as_str()
            .unwrap()
            .contains("bo asks for changes"),
        "{answer:?}"
    );
    save(&house, "ed", "s-4", 3, &json!({ "yaml": stocked(6) })).await;
    let kept = show(&house).await["draft"].clone();
    assert_eq!(
        (&kept["approvals"], &kept["objections"][0]["comment"]),
        (&json!([]), &json!("seven is too many"))
    );
    for bad in [
        json!({ "draft": 4 }),
        json!({ "draft": 4, "comment": "x", "lift": true }),
    ] {
        assert_eq!(
            post(&house, "bo", "object", "o-2", &bad).await.code(),
            "invalid-payload"
        );
    }
    assert_eq!(
        post(&house, "bo", "approve", "a-4", &json!({ "draft": 4 }))
            .await
            .status,
        200
    );
    // Approved by another, an author with the role publishes.
    let done = publish(&house, "p-6", 4).await;
    assert_eq!(
        (done.json()["revision"].as_u64(), served(&house)),
        (Some(2), 2),
        "{done:?}"
    );
    // What must be quick needs nobody.
    let back = post(
        &house,
        "ed",
        "rollback",
        "r-1",
        &json!({ "revision": 1, "reason": "a test" }),
    )
    .await;
    assert_eq!(back.json()["revision"], 3);
    let stop = post(
        &house,
        "ed",
        "pause",
        "st-1",
        &json!({ "reason": "a test" }),
    )
    .await;
    assert_eq!(stop.status, 200);
    let more = post(
        &house,
        "ed",
        "stock",
        "st-2",
        &json!({ "reward": "coupon", "add": 1 }),
    )
    .await;
    assert_eq!(more.status, 200);
}

const THEN: &str = "2026-11-23T10:00:00+08:00";

#[tokio::test]
async fn a_draft_is_published_at_its_time() {
    let house = House::open().await;
    let mut timetable = Timetable::default();
    save(&house, "ed", "s-1", 0, &json!({ "yaml": stocked(5) })).await;
    let at = |at: &str, draft: u64| json!({ "draft": draft, "at": at });
    for wrong in ["tomorrow", "2026-11-22T11:59:59+08:00"] {
        let answer = post(&house, "pub", "publish", "p-0", &at(wrong, 1)).await;
        assert_eq!(answer.json()["pointer"], "/at");
    }
    let answer = post(&house, "pub", "publish", "p-1", &at(THEN, 1)).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["revision"]),
        (200, &json!(null)),
        "{answer:?}"
    );
    let schedule = show(&house).await["draft"]["schedule"].clone();
    assert_eq!(
        (&schedule["by"], &schedule["at"]),
        (&json!("pub"), &json!("2026-11-23T02:00:00.000Z"))
    );
    // An edit cancels it, and so does somebody who thinks better of it.
    save(&house, "ed", "s-2", 1, &json!({ "yaml": stocked(6) })).await;
    assert!(show(&house).await["draft"]["schedule"].is_null());
    post(&house, "pub", "publish", "p-2", &at(THEN, 2)).await;
    let token = staff(&house, "pub", Role::Publisher);
    let path = format!("{WHEEL}/schedule");
    let cancel = Call {
        method: "DELETE",
        token: Some(&token),
        path: &path,
        key: Some("c-1"),
        headers: &[("if-match", "\"2\"")],
        ..Call::default()
    };
    assert_eq!(house.call(cancel).await.status, 200);
    assert_eq!(timetable.round(&house.shell()).await, 0);
    house.set("2026-11-23T10:00:01+08:00");
    assert_eq!(timetable.round(&house.shell()).await, 0);
    assert_eq!(served(&house), 1);
    house.set("2026-11-22T12:00:00+08:00");
    post(&house, "pub", "publish", "p-3", &at(THEN, 2)).await;
    house.set("2026-11-23T09:59:59+08:00");
    assert_eq!(timetable.round(&house.shell()).await, 0);
    // Its time has come, for two processes at once.
    house.set("2026-11-23T10:00:00+08:00");
    let (one, two) = (house.shell(), house.shell());
    let mut other = Timetable::default();
    let (one, two) = tokio::join!(timetable.round(&one), other.round(&two));
    assert_eq!((one + two, served(&house)), (1, 2));
    assert!(show(&house).await["draft"].is_null());
    let audit = house.store.audit("acme", 0).await.unwrap();
    let last = audit.last().unwrap();
    assert_eq!((last.action.as_str(), &*last.by), ("publish", "pub"));
    assert!(
        last.details.contains("\"scheduled_ms\":1795399200000"),
        "{}",
        last.details
    );
}

#[tokio::test]
async fn what_no_longer_holds_is_refused_aloud() {
    let house = House::open().await;
    let mut timetable = Timetable::default();
    save(&house, "ed", "s-1", 0, &json!({ "yaml": stocked(5) })).await;
    let body = json!({ "draft": 1, "at": THEN });
    assert_eq!(
        post(&house, "pub", "publish", "p-1", &body).await.status,
        200
    );
    // Somebody publishes meanwhile.
    post(
        &house,
        "pub",
        "publish",
        "p-2",
        &json!({ "document": stocked(9) }),
    )
    .await;
    house.set("2026-11-23T10:00:00+08:00");
    for _ in 0..2 {
        assert_eq!(timetable.round(&house.shell()).await, 0);
    }
    let kept = show(&house).await;
    assert!(kept["draft"]["schedule"].is_null());
    let why = kept["draft"]["missed"]["why"].as_str().unwrap();
    assert!(
        why.contains("revision 2 of edition 1 is the newest now"),
        "{why}"
    );
    let audit = house.store.audit("acme", 0).await.unwrap();
    let missed = audit.iter().filter(|entry| entry.action == "miss-publish");
    assert_eq!(missed.count(), 1);
    assert_eq!(served(&house), 2);
}

#[tokio::test]
async fn a_forecast_of_a_draft() {
    let house = House::open().await;
    save(&house, "ed", "s-1", 0, &json!({ "yaml": stocked(2) })).await;
    let body = json!({ "draft": 1, "users": 20, "days": 2, "runs": 2, "seed": 7 });
    let answer = post(&house, "ed", "simulate", "f-1", &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let again = post(&house, "ed", "simulate", "f-2", &body).await;
    assert_eq!(answer.body, again.body);
    let told = answer.json();
    assert_eq!(
        (&told["users"], &told["runs"]),
        (&json!(20), &json!(2)),
        "{told}"
    );
    let body = json!({ "document": stocked(2), "users": 20, "days": 2, "runs": 2, "seed": 7 });
    assert_eq!(
        post(&house, "ed", "simulate", "f-3", &body).await.body,
        answer.body
    );
    for (bad, pointer) in [
        (json!({ "users": 10_000_000 }), "/users"),
        (json!({ "users": 200_000, "runs": 50 }), "/runs"),
        (json!({ "from": "2020-01-01" }), "/from"),
        (json!({ "draft": 1, "document": "x" }), "/document"),
        (json!({ "profile": "returns: [" }), "/profile"),
    ] {
        let answer = post(&house, "ed", "simulate", "f-4", &bad).await;
        assert_eq!(answer.json()["pointer"], pointer, "{answer:?}");
    }
    let stale = post(&house, "ed", "simulate", "f-5", &json!({ "draft": 2 })).await;
    assert_eq!(stale.status, 412);
    let wrong = post(
        &house,
        "ed",
        "simulate",
        "f-6",
        &json!({ "document": "activity: [" }),
    )
    .await;
    assert_eq!(wrong.code(), "invalid-payload");
    // One at a time.
    let _taken = house.forecasts.clone().try_acquire_owned().unwrap();
    let busy = post(&house, "ed", "simulate", "f-7", &json!({ "draft": 1 })).await;
    assert_eq!(
        (busy.status.as_u16(), &busy.headers["retry-after"]),
        (503, &"5".parse().unwrap())
    );
}
