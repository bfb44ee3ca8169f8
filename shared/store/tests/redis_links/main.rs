//! The ways to a Redis, over real servers that are killed, stopped, cut and replaced. What is said is about outcomes and
//! never about times: a server that is stopped is let go on only after its callers have been answered.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

mod login;
mod tls;

mod faults;
mod topics;
mod waiting;

mod cluster;
mod sentinels;

use std::time::{Duration, Instant};

use redis::{Cmd, Value, cmd};
use store::redis::link::Links;

/// How long a state may take to come about; only a broken build waits so long.
const PATIENCE: Duration = Duration::from_mins(1);

async fn open(address: &str) -> Links {
    Links::open(&address.parse().unwrap()).await.unwrap()
}

fn set(key: &str, value: &str) -> Cmd {
    cmd("SET").arg(key).arg(value).clone()
}

fn get(key: &str) -> Cmd {
    cmd("GET").arg(key).clone()
}

fn text(text: &str) -> Value {
    Value::BulkString(text.as_bytes().to_vec())
}

async fn until_ok(links: &Links, command: &Cmd) {
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = links.send(command).await {
        assert!(Instant::now() < deadline, "still: {error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
