//! What a participant is shown.

use machine::world::{Action, Pause};
use serde_json::{Value, json};

use crate::files::{ALL, WHEEL, with};
use crate::world::World;

#[tokio::test]
async fn whatever_the_phase() {
    let world = World::of(ALL).await;
    let pause = Pause {
        reason: "stock".into(),
        notice: Some("Back at two".into()),
        until: None,
        event: None,
    };
    let rows = [
        (
            "2026-11-01T09:59:59+08:00",
            "preview",
            "not-open",
            json!("2026-11-01T10:00:00+08:00"),
        ),
        ("2026-11-01T10:00:00+08:00", "open", "", Value::Null),
        ("2026-11-30T23:59:59+08:00", "open", "", Value::Null),
        (
            "2026-12-01T00:00:00+08:00",
            "claiming",
            "closed",
            Value::Null,
        ),
        ("2026-12-15T00:00:00+08:00", "ended", "closed", Value::Null),
    ];
    for (at, phase, code, next_at) in rows {
        world.clock.set(at);
        let view = world.get("ann", "/v1/acme/wheel").await;
        assert_eq!(
            (view.status, &view.json()["phase"]),
            (200, &json!(phase)),
            "{at}"
        );
        assert_eq!(view.header("cache-control"), Some("no-store"));
        let draw = view.event("draw");
        assert_eq!(draw["possible"], code.is_empty(), "{at}: {draw}");
        assert_eq!(
            draw.get("code").map_or("", |code| code.as_str().unwrap()),
            code,
            "{at}"
        );
        assert_eq!(
            *draw.get("next_at").unwrap_or(&Value::Null),
            next_at,
            "{at}"
        );
        let answer = world
            .post("ann", "/v1/acme/wheel/events/draw", at, json!({}))
            .await;
        if code.is_empty() {
            answer.done()
        } else {
            answer.no(409, code)
        };
    }
    world.clock.set("2026-11-22T12:00:00+08:00");
    world
        .admin(
            "acme",
            Action::Pause {
                campaign: "wheel".into(),
                edition: 1,
                pause: pause.clone(),
            },
        )
        .await;
    let view = world.get("ann", "/v1/acme/wheel").await;
    assert_eq!(
        (&view.json()["phase"], &view.json()["notice"]),
        (&json!("paused"), &json!("Back at two"))
    );
    let draw = view.event("draw");
    assert_eq!(
        (&draw["possible"], &draw["code"]),
        (&json!(false), &json!("paused"))
    );
    assert_eq!(draw["message"], "Back at two");
    assert_eq!(world.get("ann", "/v1/acme/wheel/grants").await.status, 200);
    assert!(!view.text().contains("stock"), "the reason is for staff");
    // Only one event of a campaign.
    let until = Some(crate::world::millis("2026-11-22T14:00:00+08:00"));
    let pause = Pause {
        event: Some("learn".into()),
        notice: None,
        until,
        ..pause
    };
    world
        .admin(
            "acme",
            Action::Pause {
                campaign: "quest".into(),
                edition: 1,
                pause,
            },
        )
        .await;
    let view = world.get("ann", "/v1/acme/quest?lang=en").await;
    assert_eq!(view.json()["phase"], "open");
    let learn = view.event("learn");
    assert_eq!(
        (&learn["code"], &learn["next_at"]),
        (&json!("paused"), &json!("2026-11-22T14:00:00+08:00"))
    );
    assert_eq!(view.event("divide")["possible"], true);
    world
        .post(
            "ann",
            "/v1/acme/quest/events/learn",
            "k",
            json!({ "words": 1 }),
        )
        .await
        .no(409, "paused");
    let other = world
        .post("ann", "/v1/acme/quest/events/divide", "k", json!({}))
        .await;
    other.done();
    assert_eq!(other.event("learn")["code"], "paused");
}

/// A gift with each of an event's calls.
const GIFTS: &str = "
activity: custom
title: { en: Gifts }
opens: 2026-11-01
closes: 2026-12-01
rewards: { gift: { title: { en: Gift }, kind: points, amount: 1 } }
machine:
  initial: a
  states:
    a: { events: { take: [{ do: [{ give: { reward: gift, every: day, at_most: 1000 } }] }] } }
";

#[tokio::test]
async fn a_view_shows_the_newest_hundred_grants() {
    let world = World::of(&with(&[("acme/gifts.yaml", GIFTS)])).await;
    let mut ids = Vec::new();
    for n in 0..103 {
        let path = "/v1/acme/gifts/events/take";
        let taken = world.post("ann", path, &n.to_string(), json!({})).await;
        taken.done();
        ids.push(taken.json()["grants"][0]["id"].clone());
        if n == 99 {
            let view = world.get("ann", "/v1/acme/gifts").await;
            assert_eq!(view.json().get("earlier_grants"), None);
        }
    }
    let view = world.get("ann", "/v1/acme/gifts").await.json();
    let shown = view["grants"].as_array().unwrap().iter();
    let shown: Vec<Value> = shown.map(|grant| grant["id"].clone()).collect();
    assert_eq!(
        (&shown[..], &view["earlier_grants"]),
        (&ids[3..], &json!(3))
    );
}

#[tokio::test]
async fn who_may_take_part() {
    let world = World::of(ALL).await;
    let view = world.get("boss", "/v1/acme/wheel?lang=en").await;
    assert_eq!(
        view.json()["eligible"],
        json!({ "ok": false, "code": "not-eligible" })
    );
    assert_eq!(view.event("draw")["code"], "not-eligible");
    world
        .post("boss", "/v1/acme/wheel/events/draw", "k", json!({}))
        .await
        .no(403, "not-eligible");
    assert_eq!(
        world.get("ann", "/v1/acme/wheel").await.json()["eligible"],
        json!({ "ok": true, "code": null })
    );
}

#[tokio::test]
async fn what_is_shown_and_what_not() {
    let world = World::of(ALL).await;
    world
        .post("ann", "/v1/acme/daily/events/sign-in", "k", json!({}))
        .await
        .done();
    for campaign in ["daily", "wheel", "pack", "quest"] {
        let view = world.get("ann", &format!("/v1/acme/{campaign}")).await;
        let shown = view.json();
        for name in shown["context"].as_object().unwrap().keys() {
            assert!(
                !name.contains('$') && name != "secret",
                "{campaign} shows {name}"
            );
        }
        assert!(!view.text().contains('$'), "{campaign}");
        assert_eq!(shown["posters"], json!([]));
        // An event that only the back end may send is no button.
        let events = shown["events"].to_string();
        assert!(!events.contains("paid"), "{events}");
    }
    let quest = world.get("ann", "/v1/acme/quest").await;
    assert_eq!(quest.json()["context"], json!({ "words": 0 }));
    let learn = &quest.event("learn")["payload"];
    assert_eq!(
        learn["words"],
        json!({ "type": "int", "required": true, "at_least": 1, "at_most": 500 })
    );
    assert_eq!(
        learn["note"],
        json!({ "type": "string", "required": false, "max_length": 20 })
    );
    // A guard that reads the payload counts as possible.
    assert_eq!(quest.event("divide")["possible"], true);
}

#[tokio::test]
async fn main_answers() {
    let world = World::of(ALL).await;
    let redact = |answer: Value| {
        let mut answer = answer;
        for grant in answer["grants"].as_array_mut().unwrap() {
            assert_eq!(grant["id"].as_str().unwrap().len(), 32);
            grant["id"] = json!("[id]");
        }
        answer
    };
    let signed = world
        .post(
            "ann",
            "/v1/acme/daily/events/sign-in?lang=en",
            "k",
            json!({}),
        )
        .await
        .done();
    insta::assert_json_snapshot!("sign-in", redact(signed));
    let claimed = world
        .post("ann", "/v1/acme/pack/events/claim?lang=en", "k", json!({}))
        .await
        .done();
    insta::assert_json_snapshot!("claim", redact(claimed));
    let learned = world
        .post(
            "ann",
            "/v1/acme/quest/events/learn?lang=en",
            "k",
            json!({ "words": 5 }),
        )
        .await
        .done();
    insta::assert_json_snapshot!("learn", redact(learned));
    let grants = world
        .get("ann", "/v1/acme/pack/grants?lang=en")
        .await
        .done();
    insta::assert_json_snapshot!("grants", redact(grants));
    for campaign in ["wheel", "pack", "quest", "daily"] {
        let view = world
            .get("ann", &format!("/v1/acme/{campaign}?lang=en"))
            .await
            .done();
        insta::assert_json_snapshot!(format!("view-{campaign}"), redact(view));
    }
    let mut page = world
        .ask("GET", "/v1/acme/wheel/public?lang=en")
        .send()
        .await
        .json();
    page["seed_hash"] = json!("[hash]");
    page["config_hash"] = json!("[hash]");
    insta::assert_json_snapshot!("public-wheel", page);
    let mut no = world
        .post(
            "ann",
            "/v1/acme/daily/events/sign-in?lang=en",
            "x",
            json!({}),
        )
        .await
        .json();
    no["request_id"] = json!("[id]");
    insta::assert_json_snapshot!("already-signed", no);
}

#[tokio::test]
async fn languages() {
    let world = World::of(ALL).await;
    let rows = [
        ("/v1/acme/wheel", "", "大转盘"),
        ("/v1/acme/wheel", "en", "Wheel"),
        ("/v1/acme/wheel", "fr, en;q=0.5", "Wheel"),
        ("/v1/acme/wheel", "fr", "大转盘"),
        ("/v1/acme/wheel?lang=zh", "en", "大转盘"),
        ("/v1/acme/wheel?lang=en-US", "zh-CN", "Wheel"),
        ("/v1/acme/wheel?lang=xx", "en", "Wheel"),
    ];
    for (path, accept, title) in rows {
        let view = world
            .ask("GET", path)
            .by("ann")
            .header("accept-language", accept)
            .send()
            .await;
        assert_eq!(view.json()["title"], title, "{path} {accept}");
    }
    // Problems too, also before a function was reached.
    let no = |path: &'static str| world.ask("GET", path).send();
    assert_eq!(
        no("/v1/acme/wheel").await.no(401, "unauthenticated")["message"],
        "请登录后重试。"
    );
    assert_eq!(
        no("/v1/acme/wheel?lang=en")
            .await
            .no(401, "unauthenticated")["message"],
        "Please sign in and try again."
    );
    assert_eq!(
        no("/v1/acme").await.no(404, "not-found")["message"],
        "页面不存在。"
    );
    assert_eq!(
        no("/v1/other").await.no(404, "not-found")["message"],
        "This page does not exist."
    );
    let nobody = world
        .ask("GET", "/v1/nobody/x/public")
        .header("accept-language", "zh-CN")
        .send()
        .await;
    assert_eq!(nobody.no(404, "no-such-tenant")["message"], "页面不存在。");
    let unlucky = json!({ "words": 13 });
    let no = world
        .post("ann", "/v1/acme/quest/events/learn?lang=en", "k", unlucky)
        .await
        .no(409, "unlucky");
    assert_eq!(no["message"], "Thirteen is unlucky");
}

#[tokio::test]
async fn grants_by_the_page() {
    let sure = WHEEL
        .replace("odds: 40%", "odds: 99.999%")
        .replace(
            "  nothing: { title: { zh-CN: 谢谢, en: Next time }, odds: rest }\n",
            "",
        )
        .replace("when_gone: { laptop: nothing, coupon: nothing }\n", "");
    let world = World::of(&with(&[("acme/wheel.yaml", &sure)])).await;
    for n in 0..205 {
        world
            .post(
                "ann",
                "/v1/acme/wheel/events/draw",
                &format!("k{n}"),
                json!({}),
            )
            .await
            .done();
    }
    let mut ids = Vec::new();
    let mut path = "/v1/acme/wheel/grants".to_owned();
    let mut sizes = Vec::new();
    loop {
        let page = world.get("ann", &path).await.done();
        let grants = page["grants"].as_array().unwrap();
        sizes.push(grants.len());
        ids.extend(
            grants
                .iter()
                .map(|grant| grant["id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/v1/acme/wheel/grants?after={next}");
    }
    assert_eq!(sizes, [100, 100, 5]);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 205);
    assert_eq!(
        world
            .get("ann", "/v1/acme/wheel/grants?after=9999")
            .await
            .done(),
        json!({ "grants": [], "next": null })
    );
    world
        .get("ann", "/v1/acme/wheel/grants?after=x")
        .await
        .no(400, "bad-request");
    assert_eq!(
        world.get("bob", "/v1/acme/wheel/grants").await.done(),
        json!({ "grants": [], "next": null })
    );
}
