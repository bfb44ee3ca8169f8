//! A keyed rate limiter of bounded size (GCRA, by governor).

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use governor::RateLimiter;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::StateInformationMiddleware;

use crate::buckets::Buckets;
use crate::decision::{Decision, Quota, whole_secs};

/// How many keys a limiter keeps apart when not told otherwise: a few megabytes.
pub const MAX_KEYS: usize = 200_000;

/// Limits how often each key may call.
///
/// `K` is what is limited: `str` for a user, an address key for the flood guard. It is only ever hashed.
///
/// The key space is bounded. When it is full, and dropping the buckets that have filled up again makes no
/// room, all further new keys share ONE bucket of the same quota until there is room: memory stays bounded,
/// keys that are known keep their own bucket, and whoever invents keys limits himself. The price is that
/// honest newcomers are limited with him for as long as it lasts; [`Limiter::overflowed`] tells.
pub struct Limiter<K: ?Sized, C: Clock = MonotonicClock> {
    gcra: RateLimiter<u64, Buckets, C, StateInformationMiddleware>,
    quota: Quota,
    overflowed: Arc<AtomicU64>,
    hasher: RandomState,
    buckets: PhantomData<fn(&K)>,
}

impl<K: Hash + ?Sized> Limiter<K> {
    /// A limiter on the machine's monotonic clock that keeps at most `max_keys` keys apart ([`MAX_KEYS`] is a
    /// good number).
    pub fn new(quota: Quota, max_keys: usize) -> Self {
        // Not the default clock: that one calibrates itself at its first use, which was most of a function's start.
        Self::with_clock(quota, max_keys, MonotonicClock)
    }
}

impl<K: Hash + ?Sized, C: Clock> Limiter<K, C> {
    /// As [`Limiter::new`], on a clock of the caller's (`governor::clock::FakeRelativeClock` in tests).
    pub fn with_clock(quota: Quota, max_keys: usize, clock: C) -> Self {
        let buckets = Buckets::new(max_keys, quota.cell_nanos());
        let overflowed = buckets.overflowed();
        Self {
            gcra: RateLimiter::new(quota.gcra(), buckets, clock),
            quota,
            overflowed,
            hasher: RandomState::new(),
            buckets: PhantomData,
        }
    }

    /// The quota of each key.
    pub fn quota(&self) -> Quota {
        self.quota
    }

    /// Counts one call of `key` and says whether it may go on. A refused call costs nothing.
    pub fn check(&self, key: &K) -> Decision {
        let limit = self.quota.burst.get();
        match self.gcra.check_key(&self.hasher.hash_one(key)) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                // One call comes back within 1/per_second, which is never more than a second.
                Decision {
                    allowed: true,
                    limit,
                    remaining,
                    reset_secs: 1,
                    retry_after_secs: 0,
                }
            }
            Err(refusal) => {
                let wait_secs = whole_secs(refusal.wait_time_from(self.gcra.clock().now()));
                Decision {
                    allowed: false,
                    limit,
                    remaining: 0,
                    reset_secs: wait_secs,
                    retry_after_secs: wait_secs,
                }
            }
        }
    }

    /// Drops the buckets that have filled up again and gives memory back. Call it from a timer, about every
    /// ten seconds; it takes a few milliseconds at most and never holds more than one shard's lock.
    pub fn tidy(&self) {
        self.gcra.retain_recent();
        self.gcra.shrink_to_fit();
    }

    /// Keys that have a bucket of their own now.
    pub fn keys(&self) -> usize {
        self.gcra.len()
    }

    /// Calls, since the start, that were counted against the shared overflow bucket; 0 in good times.
    pub fn overflowed(&self) -> u64 {
        self.overflowed.load(Ordering::Relaxed)
    }
}

impl<K: ?Sized, C: Clock> fmt::Debug for Limiter<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("quota", &self.quota)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limiter(
        per_second: u32,
        burst: u32,
        max_keys: usize,
    ) -> (Limiter<str, FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        clock.advance(Duration::from_secs(5));
        let quota = Quota::new(per_second, burst).unwrap();
        (Limiter::with_clock(quota, max_keys, clock.clone()), clock)
    }

    #[test]
    fn a_burst_then_the_rate() {
        let (limiter, clock) = limiter(2, 3, 10);
        // Milliseconds to wait first; allowed; remaining; retry after.
        let rows = [
            (0, true, 2, 0),
            (0, true, 1, 0),
            (0, true, 0, 0),
            (0, false, 0, 1),
            (499, false, 0, 1),
            (1, true, 0, 0),
            (0, false, 0, 1),
            (1000, true, 1, 0),
            (10_000, true, 2, 0),
        ];
        for (at, (wait, allowed, remaining, retry)) in rows.into_iter().enumerate() {
            clock.advance(Duration::from_millis(wait));
            let got = limiter.check("ann");
            assert_eq!(
                (got.allowed, got.remaining, got.retry_after_secs),
                (allowed, remaining, retry),
                "row {at}"
            );
            assert_eq!(got.limit, 3);
            assert!(got.reset_secs >= 1, "row {at}");
            assert!(
                got.allowed || got.retry_after_secs >= got.reset_secs,
                "row {at}"
            );
        }
    }

    #[test]
    fn who_waits_as_told_is_let_in() {
        for (per_second, burst) in [(1, 1), (3, 7), (7, 3), (1000, 1), (1, 50)] {
            let (limiter, clock) = limiter(per_second, burst, 10);
            while limiter.check("ann").allowed {}
            let told = limiter.check("ann").retry_after_secs;
            clock.advance(Duration::from_secs(told.into()));
            assert!(limiter.check("ann").allowed, "{per_second}/{burst}");
        }
    }

    #[test]
    fn keys_do_not_touch_each_other() {
        let (limiter, _) = limiter(1, 1, 10);
        assert!(limiter.check("ann").allowed);
        assert!(limiter.check("bob").allowed);
        assert!(!limiter.check("ann").allowed);
        assert_eq!(limiter.keys(), 2);
    }

    #[test]
    fn invented_keys_share_one_bucket_and_known_ones_keep_theirs() {
        let (limiter, clock) = limiter(1, 3, 4);
        for known in ["a", "b", "c", "d"] {
            assert!(limiter.check(known).allowed);
        }
        let let_in = (0..1000)
            .filter(|n| limiter.check(&format!("invented-{n}")).allowed)
            .count();
        assert_eq!(let_in, 3, "one bucket for all of them");
        assert_eq!(limiter.keys(), 4);
        assert_eq!(limiter.overflowed(), 1000);
        assert_eq!(
            limiter.check("a").remaining,
            1,
            "a known key goes on undisturbed"
        );

        // Once the known buckets have filled up again, a newcomer gets a bucket of his own, without a timer.
        clock.advance(Duration::from_secs(10));
        let late = limiter.check("late");
        assert_eq!((late.allowed, late.remaining), (true, 2));
        assert_eq!(limiter.keys(), 1);
    }

    #[test]
    fn the_bound_holds_with_many_shards() {
        let (limiter, _) = limiter(1, 1, 10_000);
        for n in 0..50_000 {
            limiter.check(&format!("user-{n}"));
        }
        assert!(limiter.keys() <= 10_000, "{}", limiter.keys());
        assert!(
            limiter.keys() > 9_900,
            "shards fill evenly: {}",
            limiter.keys()
        );
    }

    #[test]
    fn tidy_forgets_only_who_is_quiet() {
        let (limiter, clock) = limiter(1, 5, 100);
        limiter.check("quiet");
        clock.advance(Duration::from_mins(1));
        for _ in 0..5 {
            limiter.check("busy");
        }
        limiter.tidy();
        assert_eq!(limiter.keys(), 1);
        assert!(!limiter.check("busy").allowed, "its bucket is still empty");
    }

    #[test]
    fn many_threads_get_exactly_the_burst() {
        let (limiter, _) = limiter(1, 100, 10);
        let let_in: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..200).filter(|_| limiter.check("ann").allowed).count()))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(let_in, 100);
    }

    /// `cargo test --release -p limit -- --ignored --nocapture cost`
    #[test]
    #[ignore = "a measurement, not a test"]
    fn cost_of_a_check() {
        let limiter: Limiter<str> =
            Limiter::new(Quota::new(1_000_000, 1_000_000).unwrap(), MAX_KEYS);
        let users: Vec<String> = (0..100_000)
            .map(|n| format!("member-{n:08}-of-acme"))
            .collect();
        for (what, users) in [("one key", &users[..1]), ("100,000 keys", &users[..])] {
            for user in users {
                limiter.check(user);
            }
            let rounds = 2_000_000 / users.len();
            let start = Instant::now();
            for _ in 0..rounds {
                for user in users {
                    std::hint::black_box(limiter.check(user));
                }
            }
            let each = start.elapsed().as_nanos() / (rounds * users.len()) as u128;
            println!("check, {what}: {each} ns");
        }
    }
}
