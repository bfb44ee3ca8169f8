//! The Redis store is put through every case that any store must pass, on a real server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use store::Store;
use store::conformance::{self, Making};
use store::redis::address::Address;

struct Server(Child, u16);
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start() -> Server {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let child = Command::new("redis-server")
        .args([
            "--port",
            &port.to_string(),
            "--save",
            "",
            "--appendonly",
            "no",
        ])
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server is missing: apt-get install redis-server");
    let until = Instant::now() + Duration::from_secs(10);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(10));
    }
    Server(child, port)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_redis_store_conforms() {
    let server = start();
    let port = server.1;
    let make = move || -> Making {
        Box::pin(async move {
            let address: Address = format!("redis://127.0.0.1:{port}").parse().unwrap();
            let links = store::redis::link::Links::open(&address)
                .await
                .expect("a link");
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
