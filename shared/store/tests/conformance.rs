//! Each store is put through every case that any store must pass; the Redis store on a real server, also as the user that
//! `deploy/redis.conf` shows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

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
