//! The floor of the shared store: axum that makes one EVALSHA of gala's own commit script for each request, and nothing else.
//!
//! No token, no idempotency key, no rules: each request commits one draw of the next of 100,000 users, a tenth of them with a
//! unit of stock, over one multiplexed connection to the Redis at REDIS, on 127.0.0.1:PORT. The commits are real: the script is
//! the product's file, and the ledger grows by a row each.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::serve::ListenerExt as _;
use redis::aio::MultiplexedConnection;

const SCRIPT: &str = include_str!("../../../shared/store/src/redis/scripts/commit.lua");
const STEM: &str = "{bench/wheel/0}/v1/1";
const USERS: u64 = 100_000;
/// What a record, a row and an answer of a draw weigh in the product.
const CORE: [u8; 40] = [7; 40];
const ROW: [u8; 150] = [1; 150];
const ANSWER: [u8; 260] = [b'x'; 260];

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Floor {
    redis: MultiplexedConnection,
    hash: String,
    next: AtomicU64,
    versions: Vec<AtomicU64>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("floor can't serve: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::var("PORT")?.parse()?;
    let client = redis::Client::open(std::env::var("REDIS")?)?;
    let mut redis = client.get_multiplexed_async_connection().await?;
    let hash: String = redis::cmd("SCRIPT")
        .arg("LOAD")
        .arg(SCRIPT)
        .query_async(&mut redis)
        .await?;
    let _: () = redis::cmd("MSET")
        .arg(format!("{STEM}/head"))
        .arg("1 1 1 ,1:10000, -")
        .arg(format!("{STEM}/live/tally"))
        .arg("0 0 0 0")
        .arg(format!("{STEM}/live/c/stock/coupon"))
        .arg("0 1000000000 1000000000 0")
        .query_async(&mut redis)
        .await?;
    let floor = Arc::new(Floor {
        redis,
        hash,
        next: AtomicU64::new(0),
        versions: (0..USERS).map(|_| AtomicU64::new(0)).collect(),
    });
    let listener =
        tokio::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, Router::new().fallback(claim).with_state(floor)).await?;
    Ok(())
}

async fn claim(State(floor): State<Arc<Floor>>) -> Result<&'static [u8], StatusCode> {
    let number = floor.next.fetch_add(1, Ordering::Relaxed);
    let user = number % USERS;
    let version = floor
        .versions
        .get(user as usize)
        .map_or(0, |version| version.fetch_add(1, Ordering::Relaxed));
    let wins = number.is_multiple_of(10);
    let mut call = redis::cmd("EVALSHA");
    call.arg(&floor.hash).arg(if wins { 9 } else { 8 });
    for key in [
        "live/ledger",
        "live/timers",
        "rules",
        "live/counters",
        "live/answers",
        "head",
        "live/tally",
    ] {
        call.arg(format!("{STEM}/{key}"));
    }
    if wins {
        call.arg(format!("{STEM}/live/c/stock/coupon"));
    }
    call.arg(format!("{STEM}/live/p/{user:032x}"));
    call.arg(u8::from(wins))
        .arg(1)
        .arg(0)
        .arg("1")
        .arg("1")
        .arg("live")
        .arg("0");
    let mut after = Vec::with_capacity(12 + CORE.len());
    after.extend_from_slice(&(version + 1).to_be_bytes());
    after.extend_from_slice(&(CORE.len() as u32).to_be_bytes());
    after.extend_from_slice(&CORE);
    let mut entry = [0; 22];
    entry[..8].copy_from_slice(&number.to_be_bytes());
    entry[16..].copy_from_slice(&1_800_000_000_000_i64.to_be_bytes()[2..]);
    // One row, no timer, an event of four letters.
    let mut plan = vec![0, 0, 0, 1];
    plan.extend_from_slice(&i64::MIN.to_be_bytes());
    plan.extend_from_slice(b"\x04draw");
    if wins {
        // One move of one unit of the first counter, a stock.
        plan.extend_from_slice(&[0, 0, 0, 1, 0, 1, 3]);
        plan.extend_from_slice(&1_i64.to_be_bytes());
        plan.extend_from_slice(&0_i64.to_be_bytes());
        plan.extend_from_slice(&[0, 0, 0, 0]);
    }
    call.arg(&version.to_be_bytes())
        .arg(&after)
        .arg(&entry)
        .arg("")
        .arg(&ANSWER)
        .arg(&ROW)
        .arg(&plan);
    let mut redis = floor.redis.clone();
    let told: redis::Value = call
        .query_async(&mut redis)
        .await
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    match told {
        redis::Value::Array(told) if matches!(told.as_slice(), [redis::Value::Int(_)]) => {
            Ok(&ANSWER)
        }
        _ => Err(StatusCode::CONFLICT),
    }
}
