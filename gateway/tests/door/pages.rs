//! What anyone may see, and what nobody may.

use machine::ids::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::files::ALL;
use crate::world::World;

#[tokio::test]
async fn the_public_page() {
    let world = World::of(ALL).await;
    let page = world.ask("GET", "/v1/acme/wheel/public").send().await;
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("cache-control"),
        Some("public, max-age=5, stale-if-error=600")
    );
    let tag = page.header("etag").unwrap().to_owned();
    for known in [
        tag.clone(),
        format!("\"x\", {tag}"),
        format!("W/{tag}"),
        "*".into(),
    ] {
        let same = world
            .ask("GET", "/v1/acme/wheel/public")
            .header("if-none-match", &known)
            .send()
            .await;
        assert_eq!((same.status, same.bytes.len()), (304, 0), "{known}");
        assert_eq!(same.header("etag"), Some(&*tag));
        assert!(same.header("cache-control").is_some());
    }
    let other = world
        .ask("GET", "/v1/acme/wheel/public")
        .header("if-none-match", "\"x\"")
        .send()
        .await;
    assert_eq!(other.status, 200);
    let english = world
        .ask("GET", "/v1/acme/wheel/public?lang=en")
        .send()
        .await;
    assert_ne!(english.header("etag"), Some(&*tag));
    let vary: Vec<_> = page
        .headers
        .get_all("vary")
        .iter()
        .map(|vary| vary.to_str().unwrap())
        .collect();
    assert!(
        vary.contains(&"Accept-Language") && vary.contains(&"Origin"),
        "{vary:?}"
    );

    // Odds are exact, and add up.
    let prizes = page.json()["wheel"]["prizes"].clone();
    let odds: Vec<(&str, u64)> = prizes
        .as_array()
        .unwrap()
        .iter()
        .map(|prize| {
            (
                prize["reward"].as_str().unwrap(),
                prize["odds"]["parts"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        odds,
        [("laptop", 1), ("coupon", 40_000), ("nothing", 59_999)]
    );
    assert!(
        prizes
            .as_array()
            .unwrap()
            .iter()
            .all(|prize| prize["odds"]["of"] == 100_000)
    );

    // Whatever the activity, the page says what can be had.
    let daily = world
        .ask("GET", "/v1/acme/daily/public?lang=en")
        .send()
        .await
        .json();
    let points = json!({ "reward": "points", "kind": "points", "title": "Points", "image": null, "amount": 10 });
    assert_eq!(daily["rewards"][0], points);
    assert_eq!(
        page.json()["rewards"].as_array().unwrap().len(),
        2,
        "nothing is no reward"
    );

    // The seed is promised, and kept to itself.
    let snapshot = world.registry.snapshot();
    let seed = snapshot.tenants["acme"].campaigns["wheel"].seeds.0.0;
    assert_eq!(page.json()["seed_hash"], hex(&Sha256::digest(seed)));
    assert!(!page.text().contains(&hex(&seed)));

    // Rules, in the language asked.
    let url = english.json()["rules_url"].as_str().unwrap().to_owned();
    let rules = world.ask("GET", &url).send().await;
    assert_eq!(rules.text(), crate::files::RULES_EN);
    assert_eq!(
        rules.header("content-type"),
        Some("text/markdown; charset=utf-8")
    );
    let rules = world.ask("GET", "/v1/acme/wheel/rules").send().await;
    assert_eq!(rules.text(), crate::files::RULES_ZH);
    world
        .ask("GET", "/v1/acme/pack/rules")
        .send()
        .await
        .no(404, "not-found");
    assert_eq!(
        world.ask("GET", "/v1/acme/pack/public").send().await.json()["rules_url"],
        Value::Null
    );
}

#[tokio::test]
async fn the_seed_is_shown_when_no_draw_can_be_made_any_more_and_then_the_edition_stays_closed() {
    let world = World::of(ALL).await;
    let page = async || {
        world
            .ask("GET", "/v1/acme/wheel/public")
            .send()
            .await
            .json()
    };
    assert_eq!(page().await["seed"], Value::Null);

    world.clock.set("2030-01-01T00:00:00Z");
    let seed = world.registry.snapshot().tenants["acme"].campaigns["wheel"]
        .seeds
        .0
        .0;
    assert_eq!(page().await["seed"], hex(&seed));

    // Whoever has read the seed knows every draw: a file that opens the edition again is refused.
    let again = crate::files::WHEEL.replace("2026-12-", "2034-12-");
    let report = world.rewrite("acme/wheel.yaml", &again).await;
    assert!(report.published.is_empty(), "{:?}", report.published);
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.contains("edition: 2")),
        "{:?}",
        report.problems
    );
    let report = world
        .rewrite("acme/wheel.yaml", &format!("edition: 2\n{again}"))
        .await;
    assert_eq!(report.published.len(), 1, "{:?}", report.problems);
    assert_eq!(page().await["seed"], Value::Null);
    assert_eq!(page().await["edition"], 2);
}

#[tokio::test]
async fn nobody_learns_how_many_are_left() {
    let world = World::of(ALL).await;
    let mut answers = Vec::new();
    for user in ["ann", "bob"] {
        answers.push(
            world
                .post(user, "/v1/acme/pack/events/claim", "k", json!({}))
                .await,
        );
        answers.push(world.get(user, "/v1/acme/pack").await);
        answers.push(world.get(user, "/v1/acme/pack/grants").await);
    }
    answers.push(
        world
            .post("cid", "/v1/acme/pack/events/claim", "k", json!({}))
            .await,
    );
    answers.push(world.ask("GET", "/v1/acme/pack/public").send().await);
    for n in 0..20 {
        answers.push(
            world
                .post(
                    "ann",
                    "/v1/acme/wheel/events/draw",
                    &n.to_string(),
                    json!({}),
                )
                .await,
        );
    }
    answers.push(world.get("ann", "/v1/acme/wheel/grants").await);
    answers.push(world.ask("GET", "/v1/acme/wheel/public").send().await);
    for answer in answers {
        let text = answer.text();
        for word in [
            "serial",
            "\"stock\"",
            "issued",
            "ceiling",
            "remaining",
            "20000",
            "budget",
        ] {
            assert!(!text.contains(word), "{word} in {text}");
        }
    }
    // The ledger has them.
    let serials: Vec<_> = world
        .rows("pack")
        .await
        .into_iter()
        .filter_map(|row| match row.row {
            machine::ledger::Row::Grant(grant) => grant.serial,
            _ => None,
        })
        .collect();
    assert_eq!(serials, [0, 0, 1, 1]);
}

#[tokio::test]
async fn health() {
    let world = World::of(ALL).await;
    assert_eq!(
        world.ask("GET", "/healthz").send().await.json(),
        json!({ "status": "ok" })
    );
    let ready = world.ask("GET", "/readyz").send().await;
    assert_eq!(
        (
            ready.status,
            &ready.json()["status"],
            &ready.json()["campaigns"]
        ),
        (200, &json!("ready"), &json!(5))
    );
    world.store.fails("disk full: /var/lib/secret-place");
    let not = world.ask("GET", "/readyz").send().await;
    assert_eq!((not.status, not.header("retry-after")), (503, Some("2")));
    assert!(
        !not.text().contains("secret-place"),
        "the reason is in the log"
    );
    assert_eq!(world.ask("GET", "/healthz").send().await.status, 200);
    // Without campaigns there is nothing to serve.
    let empty = World::of(&[("acme/tenant.yaml", crate::files::TENANT)]).await;
    assert_eq!(empty.ask("GET", "/readyz").send().await.status, 503);
}
