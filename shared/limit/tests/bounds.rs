//! How far off several processes' limits can be together: the bound in the docs of `limit::shared`, on a clock that tests turn.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use limit::{Quota, Shared};
use parking_lot::Mutex;
use store::rate::{Rate, TokenSource, Tokens};
use store::{Error, Later};
use tokio::time::Instant;

/// One bucket on the test's clock, some way off.
struct Bucket {
    began: Instant,
    /// Nanoseconds of backlog, as of when, and all that was given.
    state: Mutex<(u64, Instant, u64)>,
    away: Duration,
    fails: AtomicBool,
    asked: AtomicU64,
}

impl Bucket {
    fn new(away: Duration) -> Arc<Self> {
        let began = Instant::now();
        Arc::new(Self {
            began,
            state: Mutex::new((0, began, 0)),
            away,
            fails: AtomicBool::new(false),
            asked: AtomicU64::new(0),
        })
    }

    fn give(&self, rate: Rate, want: u32) -> Tokens {
        let now = Instant::now();
        let mut state = self.state.lock();
        let passed = u64::try_from((now - state.1).as_nanos()).unwrap();
        let backlog = state.0.saturating_sub(passed);
        let full = rate.cell_nanos * u64::from(rate.burst);
        let room = full.saturating_sub(backlog) / rate.cell_nanos;
        let granted = room.min(want.into());
        let backlog = backlog + granted * rate.cell_nanos;
        *state = (backlog, now, state.2 + granted);
        let left = u32::try_from(room - granted).unwrap();
        let wait = if left > 0 {
            0
        } else {
            backlog + rate.cell_nanos - full
        };
        Tokens {
            granted: u32::try_from(granted).unwrap(),
            left,
            wait: Duration::from_nanos(wait),
            total: state.2,
        }
    }
}

impl TokenSource for Bucket {
    fn give_back<'a>(&'a self, _: &'a str, _: &'a str, _: Rate, _: u32) -> Later<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn take<'a>(&'a self, _: &'a str, _: &'a str, rate: Rate, want: u32) -> Later<'a, Tokens> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::AcqRel);
            tokio::time::sleep(self.away / 2).await;
            if self.fails.load(Ordering::Acquire) {
                return Err(Error::NotWritten("away".to_owned()));
            }
            let tokens = self.give(rate, want);
            tokio::time::sleep(self.away / 2).await;
            Ok(tokens)
        })
    }
}

fn processes(bucket: &Arc<Bucket>, quota: Quota, number: usize) -> Vec<Arc<Shared>> {
    (0..number)
        .map(|_| Arc::new(Shared::over_all(bucket.clone(), "acme", "calls", quota)))
        .collect()
}

/// When calls were let in, in milliseconds since the beginning.
type LetIn = Arc<Mutex<Vec<u64>>>;

/// Calls each process `per_ms` times a millisecond at once, for `ms`.
async fn load(processes: &[Arc<Shared>], began: Instant, ms: u64, per_ms: usize, let_in: &LetIn) {
    for _ in 0..ms {
        for limit in processes {
            for _ in 0..per_ms {
                let (limit, let_in) = (limit.clone(), let_in.clone());
                tokio::spawn(async move {
                    if limit.check().await.allowed {
                        let at = began.elapsed().as_millis();
                        let_in.lock().push(u64::try_from(at).unwrap());
                    }
                });
            }
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // What waits is decided within this.
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// The most that were let in within any window of so many milliseconds.
fn most_within(let_in: &[u64], window: u64) -> usize {
    let mut sorted = let_in.to_vec();
    sorted.sort_unstable();
    let ends = |at: usize| sorted.partition_point(|other| *other <= sorted[at] + window);
    (0..sorted.len()).map(|at| ends(at) - at).max().unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn over_any_window_it_is_a_quota_and_the_margins() {
    let rows = [
        // Calls a second, burst, processes, calls a millisecond of each, milliseconds to the store and back.
        (1000, 500, 4, 5, 1),
        (1000, 500, 1, 20, 2),
        (200, 1, 3, 1, 1),
        (50, 100, 8, 2, 4),
        (10, 5, 10, 1, 1),
        (20_000, 1000, 3, 30, 1),
    ];
    for (per_second, burst, number, per_ms, away) in rows {
        let row = format!("{per_second}/{burst}, {number} processes, {away} ms away");
        let bucket = Bucket::new(Duration::from_millis(away));
        let quota = Quota::new(per_second, burst).unwrap();
        let all = processes(&bucket, quota, number);
        let let_in = LetIn::default();
        load(&all, bucket.began, 1500, per_ms, &let_in).await;
        let let_in = let_in.lock();
        let margin = number * all[0].margin() as usize;
        for window in [0, 10, 100, 500, 1000] {
            let rate = (u64::from(per_second) * (window + 1 + away)).div_ceil(1000) as usize;
            let (got, most) = (most_within(&let_in, window), burst as usize + rate + margin);
            assert!(got <= most, "{row}: {got} within {window} ms, not {most}");
        }
        // And not much less than the quota either, where the bucket holds what comes back while it is asked.
        let least = if burst > 1 {
            (u64::from(per_second) * 1500 / 1000) as usize
        } else {
            1
        };
        assert!(
            let_in.len() + margin >= least,
            "{row}: only {} of {least}",
            let_in.len()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_whole_burst_gets_in_at_once() {
    let bucket = Bucket::new(Duration::from_millis(2));
    let quota = Quota::new(100, 1000).unwrap();
    let all = processes(&bucket, quota, 1);
    let let_in = LetIn::default();
    load(&all, bucket.began, 1, 1000, &let_in).await;
    assert_eq!(let_in.lock().len(), 1000);
}

#[tokio::test(start_paused = true)]
async fn the_idle_hold_nothing_back_and_the_slow_pay_for_what_they_use() {
    let bucket = Bucket::new(Duration::from_millis(1));
    let quota = Quota::new(10, 10).unwrap();
    let all = processes(&bucket, quota, 10);
    // One call a second of each: the quota exactly, and each is let in.
    for second in 0..30 {
        for (number, limit) in all.iter().enumerate() {
            assert!(
                limit.check().await.allowed,
                "second {second}, process {number}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    assert_eq!(bucket.state.lock().2, 300, "as many tokens as calls");
}

#[tokio::test(start_paused = true)]
async fn a_busy_process_asks_once_for_many_calls() {
    let bucket = Bucket::new(Duration::from_millis(1));
    let quota = Quota::new(10_000, 10_000).unwrap();
    let all = processes(&bucket, quota, 1);
    let let_in = LetIn::default();
    load(&all, bucket.began, 2000, 5, &let_in).await;
    assert_eq!(let_in.lock().len(), 10_000);
    let asked = bucket.asked.load(Ordering::Acquire);
    assert!(asked <= 500, "{asked} fetches for 10,000 calls");
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_is_told_when_to_come_back() {
    let bucket = Bucket::new(Duration::from_millis(1));
    let quota = Quota::new(1, 3).unwrap();
    let [one, other] = &processes(&bucket, quota, 2)[..] else {
        panic!("two processes");
    };
    let mut let_in = 0;
    for _ in 0..3 {
        let_in += u32::from(one.check().await.allowed);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(let_in, 3);
    // The other process is let in once on credit, and owes it.
    assert!(other.check().await.allowed);
    tokio::time::sleep(Duration::from_millis(5)).await;
    let told = other.check().await;
    assert!(!told.allowed);
    assert_eq!(
        (told.limit, told.remaining, told.retry_after_secs),
        (3, 0, 2)
    );
    tokio::time::sleep(Duration::from_secs(u64::from(told.retry_after_secs))).await;
    assert!(other.check().await.allowed);
}

#[tokio::test(start_paused = true)]
async fn alone_each_process_keeps_to_its_part() {
    let bucket = Bucket::new(Duration::from_millis(1));
    let quota = Quota::new(1000, 100).unwrap();
    let all = processes(&bucket, quota, 4);
    let let_in = LetIn::default();
    load(&all, bucket.began, 2000, 2, &let_in).await;
    bucket.fails.store(true, Ordering::Release);
    // Until each has noticed; and the parts' bursts are over.
    load(&all, bucket.began, 1000, 2, &let_in).await;
    let_in.lock().clear();
    load(&all, bucket.began, 2000, 2, &let_in).await;
    let alone = let_in.lock().len();
    assert!(
        (1800..=2400).contains(&alone),
        "{alone} in two seconds of 1000 each"
    );
    bucket.fails.store(false, Ordering::Release);
    let before = bucket.state.lock().2;
    load(&all, bucket.began, 2000, 2, &let_in).await;
    assert!(bucket.state.lock().2 > before + 1000, "they share again");
}

#[tokio::test(start_paused = true)]
async fn without_a_source_it_is_the_local_limit() {
    let limit = Shared::local(Quota::new(1, 2).unwrap());
    let allowed = [
        limit.check().await.allowed,
        limit.check().await.allowed,
        limit.check().await.allowed,
    ];
    assert_eq!(allowed, [true, true, false]);
    assert_eq!(limit.margin(), 0);
}
