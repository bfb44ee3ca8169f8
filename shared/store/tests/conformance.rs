//! Each store is put through every case that any store must pass; the Redis store on a real server, also as the user that
//! `deploy/redis.conf` shows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use machine::luck::Seed;
use machine::world::{Action, Admin, AdminOutcome, Publication};
use store::Store;
use store::conformance::{self, Making};
use store::rate::Rate;
use store::redis::address::Address;
use store::redis::link::Links;
use testbed::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_embedded_store_conforms() {
    let homes = Arc::new(Mutex::new(Vec::new()));
    conforms(&|| -> Making {
        let homes = homes.clone();
        Box::pin(async move {
            let home = tempfile::tempdir().expect("a temporary folder");
            let store = store::embedded::open(home.path()).expect("a new store");
            homes.lock().expect("not poisoned").push(home);
            let store: Arc<dyn Store> = Arc::new(store);
            store
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_redis_store_conforms() {
    let server = Server::start();
    redis_conforms(&server, &server.address()).await;
}

/// The user can do all that the store does, what it would quietly do without included, and nothing that it never does.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_redis_store_conforms_as_the_user_of_the_example() {
    let conf = include_str!("../../../deploy/redis.conf");
    let mut users = conf
        .lines()
        .filter_map(|line| line.strip_prefix("#| user "));
    let gala = users.find(|user| user.starts_with("gala ")).expect("gala");
    let words: Vec<&str> = gala.split_whitespace().collect();
    let server = Server::start();
    server.command(&[&["ACL", "SETUSER"], &words[..]].concat());
    server.command(&["CONFIG", "RESETSTAT"]);
    let address = format!("redis://gala:change-me@127.0.0.1:{}", server.port());

    redis_conforms(&server, &address).await;
    let address = address.parse().expect("an address");
    let links = Links::open(&address).await.expect("a link");
    let rate = Rate {
        cell_nanos: 1_000_000,
        burst: 1,
    };
    let tokens = store::redis::rate::take(&links, "acme", "calls", rate, 1).await;
    assert_eq!(tokens.expect("tokens").granted, 1);
    let store = store::redis::open(&address).await.expect("a store");
    store.warm().await.expect("loaded scripts");
    let refused: Vec<redis::Value> = server.ask(&["ACL", "LOG"]);
    assert_eq!(refused, []);

    // It subscribes a moment after it is open.
    let deadline = Instant::now() + Duration::from_secs(20);
    let stats = loop {
        let stats: String = server.ask(&["INFO", "commandstats"]);
        if stats.contains("cmdstat_subscribe:calls=") || Instant::now() > deadline {
            break stats;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    // What replicas, sentinels, a cluster or a numbered database need.
    let elsewhere = ["wait", "role", "asking", "cluster|slots", "select"];
    let unused: Vec<&str> = words
        .iter()
        .filter_map(|word| word.strip_prefix('+'))
        .filter(|name| !elsewhere.contains(name))
        .filter(|name| !stats.contains(&format!("cmdstat_{name}:calls=")))
        .collect();
    assert_eq!(unused, [""; 0]);
}

/// Whoever `address` logs in as may not empty the server; its default user may.
async fn redis_conforms(server: &Server, address: &str) {
    let address: Address = address.parse().expect("an address");
    conforms(&|| -> Making {
        let address = address.clone();
        server.command(&["FLUSHALL"]);
        Box::pin(async move {
            let store = store::redis::open(&address).await.expect("a store");
            let store: Arc<dyn Store> = Arc::new(store);
            store
        })
    })
    .await;
}

async fn conforms(make: &(dyn Fn() -> Making + Sync)) {
    match conformance::all(make).await {
        Ok(cases) => println!("{cases} cases passed"),
        Err(failed) => {
            let told: Vec<_> = failed.iter().map(ToString::to_string).collect();
            panic!(
                "{} of {} cases failed:\n{}",
                failed.len(),
                conformance::CASES.len(),
                told.join("\n")
            );
        }
    }
}

/// Whoever empties a test lane may be killed between any two of its steps; the next change of the campaign goes on with it, and
/// does not begin again where the lane is in use already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_lane_that_is_half_empty_is_emptied_by_the_next_change() {
    let server = Server::start();
    let address: Address = server.address().parse().expect("an address");
    let store = store::redis::open(&address).await.expect("a store");
    let change = async |action: Action| {
        let admin = Admin {
            tenant: "acme".into(),
            by: "ops".into(),
            at: 1_800_000_000_000,
            key: None,
            action,
            why: None,
        };
        store.admin(Box::new(admin)).await.expect("an answer")
    };
    change(Action::CreateTenant {
        secret: Seed([1; 32]),
    })
    .await;
    change(Action::Publish(Publication {
        campaign: "wheel".into(),
        edition: 1,
        definition: b"{}".as_slice().into(),
        stock: vec![("mug".into(), 3)],
        budget: None,
        seeds: (Seed([2; 32]), Seed([3; 32])),
    }))
    .await;
    let stem = "{acme/wheel/0}/v1/1";
    let key = |rest: &str| format!("{stem}/{rest}");
    let note = r#"{"id":"a","key":null,"at":1,"by":"ops","action":"purge-test","campaign":"wheel","details":"{}","revision":null,"ceiling":null,"renewed":[["stock/mug",3]]}"#;
    let user = "p/00000000000000000000000000000001";
    let seen = |rest: &str| server.ask::<Option<String>>(&["GET", &key(rest)]);
    // Killed after the tally went, and after the lane had another one.
    for renewed in [false, true] {
        server.command(&["SET", &key("note"), note]);
        for lane in ["live", "test"] {
            server.command(&["SET", &key(&format!("{lane}/{user}")), "a record"]);
            server.command(&["SET", &key(&format!("{lane}/c/stock/mug")), "2 3 3 0"]);
        }
        server.command(&["SET", &key("test/c/budget/2026-12-01"), "5 9 0 0"]);
        server.command(&["SET", &key("test/lease/sweep/fence"), "7"]);
        if !renewed {
            server.command(&["DEL", &key("test/tally")]);
        }
        let resumed = change(Action::Resume {
            campaign: "wheel".into(),
            edition: 1,
        })
        .await;
        assert_eq!(resumed, AdminOutcome::Already);
        assert_eq!(seen("note"), None);
        assert_eq!(seen("live/c/stock/mug").as_deref(), Some("2 3 3 0"));
        assert!(seen(&format!("live/{user}")).is_some());
        assert_eq!(seen("test/tally").as_deref(), Some("0 0 0 0"));
        assert_eq!(seen("test/lease/sweep/fence").as_deref(), Some("7"));
        let is_kept = |rest: &str| seen(rest).is_some();
        assert_eq!(is_kept(&format!("test/{user}")), renewed);
        assert_eq!(is_kept("test/c/budget/2026-12-01"), renewed);
        let mugs = if renewed { "2 3 3 0" } else { "0 3 3 0" };
        assert_eq!(seen("test/c/stock/mug").as_deref(), Some(mugs));
    }
    let audit = store.audit("acme", 0).await.expect("an audit");
    let words: Vec<&str> = audit.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(words, ["create-tenant", "publish", "purge-test"]);
}
