//! What staff read: figures, revisions, the seed in its time, a user's history, the ledger to its last row.

use std::collections::BTreeMap;

use campaign::verify::{Promise, Published, Row, verify};
use function::identity::Role;
use machine::luck::Seed;
use machine::world::{Parked, ParkedFrom};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::house::House;

const WHEEL: &str = "/admin/v1/acme/campaigns/wheel";

#[tokio::test]
async fn figures() {
    let house = House::open().await;
    house.draws("acme", 40).await;
    let token = house.staff("acme", Role::Viewer);
    let stats = house.get(&token, &format!("{WHEEL}/stats")).await.json();
    let live = &stats["lanes"][0];
    assert_eq!(
        (stats["phase"].as_str(), stats["revision"].as_u64()),
        (Some("open"), Some(1))
    );
    assert_eq!(
        (
            live["lane"].as_str(),
            live["participants"].as_u64(),
            live["rows"].as_u64()
        ),
        (Some("live"), Some(10), Some(43)),
        "{live}"
    );
    let stock = &live["stock"][0];
    assert_eq!(
        (stock["issued"].as_i64(), stock["left"].as_i64()),
        (Some(3), Some(0)),
        "40 draws win more than three times"
    );
    assert_eq!(
        (
            live["budget"]["spent"].as_str(),
            live["budget"]["left"].as_str()
        ),
        (Some("30.00"), Some("70.00"))
    );
    assert_eq!(
        (
            live["budget_today"]["left"].as_str(),
            live["budget"]["currency"].as_str()
        ),
        (Some("20.00"), Some("CNY"))
    );
    assert_eq!(stats["lanes"][1]["participants"], 0);
    let list = house.get(&token, "/admin/v1/acme/campaigns").await.json();
    let wheel = &list["campaigns"][0];
    assert_eq!(
        (
            wheel["campaign"].as_str(),
            wheel["served"].as_bool(),
            wheel["edition"].as_u64()
        ),
        (Some("wheel"), Some(true), Some(1))
    );
    assert_eq!(list["campaigns"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_revision_byte_for_byte() {
    let house = House::open().await;
    let token = house.staff("acme", Role::Viewer);
    let list = house
        .get(&token, &format!("{WHEEL}/revisions"))
        .await
        .json();
    let answer = house.get(&token, &format!("{WHEEL}/revisions/1")).await;
    let sha256 = machine::ids::hex(&Sha256::digest(&answer.body));
    assert_eq!(answer.headers["gala-sha256"], sha256.as_str());
    assert_eq!(list["revisions"][0]["sha256"], sha256);
    assert!(
        answer.headers["content-digest"]
            .to_str()
            .unwrap()
            .starts_with("sha-256=:")
    );
    assert!(campaign::decode(&answer.body).is_ok());
}

#[tokio::test]
async fn the_seed_in_its_time() {
    let house = House::open().await;
    let path = format!("{WHEEL}/seed");
    for (at, status) in [
        ("2026-10-01T00:00:00+08:00", 409),
        ("2026-11-22T00:00:00+08:00", 409),
        ("2026-11-30T23:59:59+08:00", 409),
        ("2026-12-01T00:00:00+08:00", 200),
    ] {
        house.set(at);
        let answer = house.get(&house.staff("acme", Role::Finance), &path).await;
        assert_eq!(answer.status.as_u16(), status, "{at}: {:?}", answer.body);
        if status == 409 {
            let problem = answer.json();
            assert_eq!(problem["reveals"], "2026-12-01T00:00:00+08:00");
            assert!(problem.get("seed").is_none());
        } else {
            let (seed, hash) = (
                answer.json()["seed"].clone(),
                answer.json()["seed_hash"].clone(),
            );
            assert_eq!(
                Json::from(machine::ids::hex(&Sha256::digest(unhex(&seed)))),
                hash
            );
        }
    }
    house.set("2026-11-22T00:00:00+08:00");
    let test = house
        .get(
            &house.staff("acme", Role::Publisher),
            &format!("{path}?lane=test"),
        )
        .await;
    assert_eq!(test.status, 200);
    house.set("2026-12-02T00:00:00+08:00");
    let live = house
        .get(&house.staff("acme", Role::Publisher), &path)
        .await;
    assert_ne!(
        test.json()["seed"],
        live.json()["seed"],
        "the lanes have seeds of their own"
    );
}

#[tokio::test]
async fn a_users_history() {
    let house = House::open().await;
    house.draws("acme", 8).await;
    let token = house.staff("acme", Role::Support);
    let answer = house.get(&token, "/admin/v1/acme/users/member-1").await;
    let history = answer.json();
    let rows = history["rows"].as_array().unwrap();
    let draws = rows.iter().filter(|row| row["type"] == "draw").count();
    assert_eq!(draws, 4);
    assert!(
        !String::from_utf8_lossy(&answer.body).contains("member-1"),
        "the answer names no member"
    );
    let record = &history["campaigns"][0];
    assert_eq!(
        (
            record["state"].as_str(),
            record["version"].as_u64(),
            record["draws"].as_u64()
        ),
        (Some("playing"), Some(4), Some(4))
    );
    let given = rows.iter().filter(|row| row["type"] == "grant").count() as u64;
    assert_eq!(record["grants_in_all"].as_u64(), Some(given));
    assert!(rows.iter().all(|row| row["user"] == history["user"]
        && row["channel"] == "app"
        && row["scene"] == "home"));
    let nobody = house
        .get(&token, "/admin/v1/acme/users/%E5%BC%A0%E4%B8%89")
        .await;
    assert_eq!(
        (
            nobody.status.as_u16(),
            nobody.json()["rows"].as_array().unwrap().len()
        ),
        (200, 0)
    );
    let two = house
        .get(&token, "/admin/v1/acme/users/member-1?limit=2")
        .await
        .json();
    assert_eq!(
        two["rows"].as_array().unwrap().as_slice(),
        &rows[rows.len() - 2..]
    );
    for bad in ["0", "1001", "x", "-1"] {
        let answer = house
            .get(
                &token,
                &format!("/admin/v1/acme/users/member-1?limit={bad}"),
            )
            .await;
        assert_eq!(answer.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn the_ledger_to_its_last_row() {
    let house = House::open().await;
    house.draws("acme", 40).await;
    let token = house.staff("acme", Role::Finance);
    let path = "/admin/v1/acme/ledger?campaign=wheel";
    let answer = house.get(&token, path).await;
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    let rows = answer.lines();
    assert_eq!(
        (rows.len(), &answer.headers["gala-rows"]),
        (43, &"43".parse().unwrap())
    );
    assert!(
        rows.iter()
            .enumerate()
            .all(|(number, row)| row["number"] == number)
    );
    let grant = &rows.iter().find(|row| row["type"] == "grant").unwrap()["grant"];
    let same =
        |field: &str, expected: Json| assert_eq!(grant[field], expected, "{field} of {grant}");
    same("cost", "10.00".into());
    same("currency", "CNY".into());
    same("kind", "coupon".into());
    same("serial", 0.into());
    same(
        "title",
        serde_json::json!({ "en": "Coupon", "zh-CN": "券" }),
    );
    same(
        "deliver",
        serde_json::json!({ "connector": "manual", "reference": "coupon" }),
    );
    let after = house
        .get(&token, &format!("{path}&after=4&limit=3"))
        .await
        .lines();
    assert_eq!(after, &rows[5..8]);
    assert!(
        house
            .get(&token, &format!("{path}&after=42"))
            .await
            .body
            .is_empty()
    );
    assert!(
        house
            .get(&token, &format!("{path}&after=18446744073709551615"))
            .await
            .body
            .is_empty()
    );
    assert!(
        house
            .get(&token, &format!("{path}&lane=test"))
            .await
            .body
            .is_empty()
    );
    for bad in [
        "/admin/v1/acme/ledger",
        "/admin/v1/acme/ledger?campaign=wheel&after=-1",
        "/admin/v1/acme/ledger?campaign=wheel&lane=x",
    ] {
        assert_eq!(house.get(&token, bad).await.status, 400, "{bad}");
    }
}

/// What an auditor gets over HTTP is enough to make every draw again.
#[tokio::test]
async fn the_ledger_verifies() {
    let house = House::open().await;
    house.draws("acme", 40).await;
    house.set("2026-12-01T00:00:00+08:00");
    let token = house.staff("acme", Role::Finance);
    let told = house.get(&token, &format!("{WHEEL}/seed")).await.json();
    let definition = house.get(&token, &format!("{WHEEL}/revisions/1")).await;
    let sha256 = unhex(&Json::from(
        definition.headers["gala-sha256"].to_str().unwrap(),
    ));
    let revisions = BTreeMap::from([(
        1,
        Published {
            sha256,
            definition: definition.body.to_vec(),
        },
    )]);
    let ledger = house
        .get(&token, "/admin/v1/acme/ledger?campaign=wheel")
        .await;
    let lines = ledger.lines();
    let rows = |lines: &[Json]| -> Vec<Row> {
        lines
            .iter()
            .map(|line| serde_json::from_value(line.clone()).unwrap())
            .collect()
    };
    let seed = Seed(unhex(&told["seed"]));
    let promise = Promise {
        revisions: &revisions,
        seed: &seed,
        commitment: unhex(&told["seed_hash"]),
        whole: true,
    };
    let report = verify(&promise, rows(&lines));
    assert!(report.holds(), "{report:?}");
    assert_eq!(report.draws, 40);
    let mut forged = lines.clone();
    let draw = forged.iter().position(|row| row["type"] == "draw").unwrap();
    forged[draw]["draw"]["pick"] = (forged[draw]["draw"]["pick"].as_u64().unwrap() + 1).into();
    assert!(!verify(&promise, rows(&forged)).holds());
}

fn unhex(text: &Json) -> [u8; 32] {
    machine::ids::unhex(text.as_str().unwrap()).unwrap()
}

/// Stock and budget are as the store has them when they are asked for.
#[tokio::test]
async fn metrics_on_scrape() {
    let handle = function::telemetry::init_metrics().unwrap();
    let house = House::open().await;
    let scrape = |house: &House| {
        let desk = crate::admin::Desk::new(
            house.registry.clone(),
            house.store.clone(),
            Some(handle.clone()),
        );
        super::house::scraped(crate::admin::router(desk))
    };
    let before = scrape(&house).await;
    let left = r#"gala_stock_left{tenant="acme",campaign="wheel",lane="live",reward="coupon"}"#;
    assert!(before.contains(&format!("{left} 3\n")), "{before}");
    house.draws("acme", 40).await;
    let after = scrape(&house).await;
    assert!(after.contains(&format!("{left} 0\n")), "{after}");
    let budget = r#"gala_budget_left{tenant="acme",campaign="wheel",lane="live"} 70"#;
    assert!(after.contains(budget), "{after}");
    assert!(!after.contains("member-"), "no member is in a metric");
    // What a load test needs to say what gave out.
    let value = |name: &str| {
        let mut lines = after.lines();
        let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse::<f64>().ok())
    };
    assert!(value("gala_commit_seconds_count") >= Some(40.0), "{after}");
    assert!(value("gala_commit_seconds_sum") > Some(0.0), "{after}");
    assert!(value("gala_cores") >= Some(1.0), "{after}");
    assert!(
        after.contains(r#"store="embedded"} 1"#),
        "what is kept where: {after}"
    );
    if cfg!(target_os = "linux") {
        for name in [
            "process_cpu_seconds_total",
            "process_resident_memory_bytes",
            "process_start_time_seconds",
            "process_open_fds",
        ] {
            assert!(value(name) > Some(0.0), "{name}: {after}");
        }
    }
    let parked = r#"gala_parked_events{tenant="acme"}"#;
    assert!(after.contains(&format!("{parked} 0\n")), "{after}");
    let event = Parked::new(ParkedFrom::Trigger, "/queue", "1", 1);
    house.store.park("acme", event).await.unwrap();
    let later = scrape(&house).await;
    assert!(later.contains(&format!("{parked} 1\n")), "{later}");
}
