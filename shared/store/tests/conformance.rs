//! The embedded store is put through every case that any store must pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

use std::sync::{Arc, Mutex};

use store::Store;
use store::conformance::{self, Making};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_embedded_store_conforms() {
    let homes = Arc::new(Mutex::new(Vec::new()));
    let make = {
        let homes = homes.clone();
        move || -> Making {
            let homes = homes.clone();
            Box::pin(async move {
                let home = tempfile::tempdir().expect("a temporary folder");
                let store = store::embedded::open(home.path()).expect("a new store");
                homes.lock().expect("not poisoned").push(home);
                let store: Arc<dyn Store> = Arc::new(store);
                store
            })
        }
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
