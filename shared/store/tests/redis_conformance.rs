//! The Redis store is put through every case that any store must pass, on a real server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

use std::sync::Arc;

use store::Store;
use store::conformance::{self, Making};
use store::redis::address::Address;
use store::redis::link::Links;
use testbed::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_redis_store_conforms() {
    let server = Server::start();
    let address: Address = server.address().parse().expect("an address");
    let make = move || -> Making {
        let address = address.clone();
        Box::pin(async move {
            let links = Links::open(&address).await.expect("a link");
            links
                .send(&redis::cmd("FLUSHALL"))
                .await
                .expect("an empty server");
            let store = store::redis::open(&address).await.expect("a store");
            let store: Arc<dyn Store> = Arc::new(store);
            store
        })
    };
    match conformance::all(&make).await {
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
