//! Many codes into a pool, on both stores: all are there, those that are known are left out, each is found at its place. With
//! `GALA_CODES` as many as that says, and what is printed says how long it takes and what it holds:
//!
//! `GALA_CODES=5000000 cargo nextest run --workspace --no-capture -E 'test(many_codes)'`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

use std::sync::Arc;
use std::time::Instant;

use machine::luck::Seed;
use machine::world::{Action, Admin, AdminOutcome, CodeLines, Owner};
use store::Store;
use store::codes::Codes;
use testbed::Server;

/// How many, unless said: what every run has time for.
const MANY: u64 = 20_000;

fn many() -> u64 {
    let said = std::env::var("GALA_CODES").ok();
    said.map_or(MANY, |said| said.parse().expect("GALA_CODES is a number"))
}

fn admin(action: Action) -> Box<Admin> {
    Box::new(Admin {
        tenant: "acme".into(),
        by: "ops".into(),
        at: 1_800_000_000_000,
        key: None,
        action,
        why: None,
    })
}

/// The most memory that this process ever had, in MB.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    let kb: String = line.chars().filter(char::is_ascii_digit).collect();
    kb.parse::<u64>().unwrap() / 1024
}

async fn measure(name: &str, store: Arc<dyn Store>) {
    let many = many();
    let owner = Owner {
        campaign: "spring".into(),
        edition: 1,
        reward: "course".into(),
        from: 0,
    };
    let secret = Seed([9; 32]);
    store
        .admin(admin(Action::CreateTenant { secret }))
        .await
        .unwrap();
    let bind = Action::BindPool {
        pool: "course".into(),
        owner: owner.clone(),
    };
    store.admin(admin(bind)).await.unwrap();
    for (round, from) in [
        ("an empty pool", 0),
        ("the same pool, half of them known", many / 2),
    ] {
        let began = Instant::now();
        let mut codes = Codes::default();
        for number in from..from + many {
            // 16 characters.
            codes.push(format!("CODE-{number:011}").as_bytes());
        }
        let read = began.elapsed();
        let put = Action::PutCodes {
            pool: "course".into(),
            version: "".into(),
            codes: 0,
            lines: CodeLines::default(),
            sha256: [0; 32],
        };
        let began = Instant::now();
        let outcome = store.put_codes(admin(put), codes).await.unwrap();
        let AdminOutcome::Done(done) = outcome else {
            panic!("{outcome:?}");
        };
        let put = done.codes.unwrap();
        let known = if from == 0 { 0 } else { many - from };
        assert_eq!((put.added, put.known), (many - known, known));
        println!(
            "{name}, {round}: {} added, {} known; told apart in {:.1} s, put in {:.1} s; at most {} MB",
            put.added,
            put.known,
            read.as_secs_f64(),
            began.elapsed().as_secs_f64(),
            peak_mb()
        );
    }
    let serials = [0, many - 1, many, many + many / 2 - 1];
    let began = Instant::now();
    let found = store
        .codes("acme", "course", &owner, &serials)
        .await
        .unwrap();
    println!(
        "{name}: four codes read in {} us",
        began.elapsed().as_micros()
    );
    let expected = serials.map(|serial| Some(format!("CODE-{serial:011}").into()));
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_codes_on_disk() {
    let home = tempfile::tempdir().unwrap();
    let store = store::embedded::open(home.path()).unwrap();
    measure("embedded", Arc::new(store)).await;
    let files = std::fs::read_dir(home.path().join("codes")).unwrap();
    let bytes: u64 = files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    println!(
        "embedded: {:.1} bytes a code",
        bytes as f64 / (1.5 * many() as f64)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_codes_in_redis() {
    let server = Server::start();
    let used = || -> f64 {
        let memory: String = server.ask(&["INFO", "memory"]);
        let line = memory
            .lines()
            .find(|line| line.starts_with("used_memory:"))
            .unwrap();
        line.trim_start_matches("used_memory:")
            .trim()
            .parse()
            .unwrap()
    };
    let before = used();
    let store = store::redis::open(&server.address().parse().unwrap())
        .await
        .unwrap();
    measure("Redis", Arc::new(store)).await;
    println!(
        "Redis: {:.1} bytes a code",
        (used() - before) / (1.5 * many() as f64)
    );
}
