//! The bucket in a real server: held against governor, and shared by several processes' limits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use governor::RateLimiter;
use governor::clock::FakeRelativeClock;
use limit::{Quota, Shared};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use store::rate::{Rate, TokenSource, Tokens};
use store::redis::link::Links;
use store::redis::rate::{Buckets, rate_key, take, take_at};
use testbed::Server;

/// A clock to begin at, in microseconds.
const START_US: u64 = 1_800_000_000_000_000;

async fn links(server: &Server) -> Arc<Links> {
    let address = server.address().parse().expect("an address");
    Arc::new(Links::open(&address).await.expect("a connection"))
}

fn rate(per_second: u32, burst: u32) -> Rate {
    Rate {
        cell_nanos: (1_000_000_000 / u64::from(per_second)).max(1),
        burst,
    }
}

#[test]
fn the_script_gives_what_governor_gives() {
    let server = Server::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let links = runtime.block_on(links(&server));
    let round = AtomicU32::new(0);
    let waits = prop_oneof![Just(0_u64), 1_u64..2_000, 1_u64..3_000_000];
    let calls = prop::collection::vec((waits, 1_u32..40), 1..40);
    let quotas = (
        prop_oneof![1_u32..20, 1_u32..100_000],
        prop_oneof![1_u32..5, 1_u32..100],
    );
    let mut runner = TestRunner::new(Config {
        cases: 64,
        failure_persistence: None,
        ..Config::default()
    });
    let held = runner.run(&(quotas, calls), |((per_second, burst), calls)| {
        let clock = FakeRelativeClock::default();
        let quota = governor::Quota::per_second(NonZeroU32::new(per_second).unwrap())
            .allow_burst(NonZeroU32::new(burst).unwrap());
        let governor = RateLimiter::direct_with_clock(quota, clock.clone());
        let name = format!("case-{}", round.fetch_add(1, Ordering::Relaxed));
        let mut now = START_US;
        let mut total = 0;
        for (wait_us, want) in calls {
            now += wait_us;
            clock.advance(Duration::from_micros(wait_us));
            let mut wanted = 0;
            while wanted < want && governor.check().is_ok() {
                wanted += 1;
            }
            let asked = take_at(&links, "acme", &name, rate(per_second, burst), want, now);
            let got = runtime.block_on(asked).unwrap();
            total += u64::from(wanted);
            prop_assert_eq!((got.granted, got.total), (wanted, total));
            prop_assert!(got.granted == want || got.left == 0);
            prop_assert_eq!(got.wait.is_zero(), got.left > 0);
        }
        Ok(())
    });
    if let Err(error) = held {
        panic!("{error}");
    }
}

#[tokio::test]
async fn who_waits_as_told_gets_one() {
    let server = Server::start();
    let links = links(&server).await;
    for (per_second, burst) in [(1, 1), (3, 7), (1000, 1), (1, 50)] {
        let name = format!("wait-{per_second}-{burst}");
        let ask = |now| take_at(&links, "acme", &name, rate(per_second, burst), 100, now);
        assert_eq!(ask(START_US).await.unwrap().granted, burst);
        let empty = ask(START_US).await.unwrap();
        assert_eq!((empty.granted, empty.left), (0, 0));
        let later = START_US + u64::try_from(empty.wait.as_micros()).unwrap();
        assert!(ask(later).await.unwrap().granted >= 1);
    }
}

#[tokio::test]
async fn a_clock_set_back_gives_nothing_away_and_only_delays() {
    let server = Server::start();
    let links = links(&server).await;
    let ask = |now| take_at(&links, "acme", "back", rate(10, 5), 9, now);
    assert_eq!(ask(START_US).await.unwrap().granted, 5);
    let hour = 3_600_000_000;
    assert_eq!(ask(START_US - hour).await.unwrap().granted, 0);
    // From then on it goes by the new clock: a tenth of a second is one token.
    assert_eq!(ask(START_US - hour + 100_000).await.unwrap().granted, 1);
}

#[tokio::test]
async fn a_bucket_that_is_full_has_no_key() {
    let server = Server::start();
    let links = links(&server).await;
    let got = take(&links, "acme", "brief", rate(1000, 10), 3)
        .await
        .unwrap();
    assert_eq!((got.granted, got.left, got.total), (3, 7, 3));
    let until = Instant::now() + Duration::from_secs(20);
    while server.ask::<u32>(&["EXISTS", &rate_key("acme", "brief")]) == 1 {
        assert!(Instant::now() < until, "the key stays");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Calls `limit` as fast as it answers, until told to stop; how many were let in.
async fn hammer(limit: Arc<Shared>, stop: Arc<AtomicBool>, let_in: Arc<AtomicU64>) {
    while !stop.load(Ordering::Acquire) {
        if limit.check().await.allowed {
            let_in.fetch_add(1, Ordering::AcqRel);
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_get_one_quota() {
    const PROCESSES: u64 = 4;
    let server = Server::start();
    let quota = Quota::new(400, 200).unwrap();
    let (stop, let_in) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    let mut margin = 0;
    for _ in 0..PROCESSES {
        let source = Arc::new(Buckets(links(&server).await));
        let limit = Arc::new(Shared::over_all(source, "acme", "calls", quota));
        margin += u64::from(limit.margin());
        tasks.spawn(hammer(limit, stop.clone(), let_in.clone()));
    }
    // Enough that four quotas could not be taken for one: four bursts and four rates.
    while began.elapsed() < Duration::from_secs(3) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.store(true, Ordering::Release);
    tasks.join_all().await;
    let (took, let_in) = (began.elapsed(), let_in.load(Ordering::Acquire));
    // However slow the machine was: what it took is what is reckoned with. One that waited for Redis in vain limits alone,
    // which on a machine that stands still for 50 ms may add to it: a tenth is allowed for that.
    let most = 200.0 + 400.0 * took.as_secs_f64() + margin as f64;
    assert!(
        let_in as f64 <= most * 1.1,
        "{let_in} let in, and {most:.0} are allowed in {took:?}"
    );
    assert!(let_in >= 200, "the burst at least: {let_in}");
    println!("{let_in} let in within {took:?}; the bound is {most:.0}");
}

/// Counts what is asked of a source.
struct Counting {
    real: Buckets,
    asked: AtomicU64,
}

impl TokenSource for Counting {
    fn give_back<'a>(&'a self, _: &'a str, _: &'a str, _: Rate, _: u32) -> store::Later<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn take<'a>(
        &'a self,
        tenant: &'a str,
        name: &'a str,
        rate: Rate,
        want: u32,
    ) -> store::Later<'a, Tokens> {
        self.asked.fetch_add(1, Ordering::AcqRel);
        self.real.take(tenant, name, rate, want)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_holds_nobody_up() {
    let server = Server::start();
    let source = Arc::new(Counting {
        real: Buckets(links(&server).await),
        asked: AtomicU64::new(0),
    });
    let quota = Quota::new(1000, 1000).unwrap();
    let limit = Shared::over_all(source.clone(), "acme", "calls", quota);
    assert!(limit.check().await.allowed);
    server.stop_signal();
    let mut let_in = 0;
    for _ in 0..500 {
        let_in += u32::from(limit.check().await.allowed);
    }
    // The first that find nothing in hand wait 50 ms each in vain, until the fetch has failed; then nobody waits.
    assert_eq!(
        let_in, 500,
        "the part of a process that knows of no other is the whole"
    );
    assert!(source.asked.load(Ordering::Acquire) < 20);
    server.continue_signal();
    let until = Instant::now() + Duration::from_secs(20);
    let before = server.info("total_commands_processed");
    while server
        .ask::<Option<String>>(&["GET", &rate_key("acme", "calls")])
        .is_none()
    {
        assert!(Instant::now() < until, "it never asked again: {before:?}");
        limit.check().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
