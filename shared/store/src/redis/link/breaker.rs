//! When not to try: a server that fails again and again is left alone for a moment, and calls are answered at once.
//! What a failure is, the caller knows; the clock is an argument.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::pause::Pause;

/// So many calls in a row must fail until the breaker opens. A lost connection fails all that were on their way, so this
/// is a handful of bad luck and not a count of bad moments.
const FAILURES: u32 = 5;

/// Pauses between probes: 250 ms growing to 2 s.
const PAUSE: Pause = Pause {
    first_ms: 250,
    most_ms: 2_000,
};

/// Closed: all calls pass. Open: none passes before the pause is over; then one passes, the probe, and a new pause runs
/// for the others. A success closes it, whosever it is. A probe that is never heard of again holds nothing up: the next
/// pause ends too.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: AtomicU32,
    /// When the next probe may pass, in milliseconds of the caller's clock; 0: closed.
    next_probe: AtomicU64,
    /// How many pauses there have been since the last success.
    pauses: AtomicU32,
}

impl Breaker {
    /// Whether a call may pass at `now` (milliseconds, greater than 0).
    pub(super) fn lets_pass(&self, now: u64) -> bool {
        let due = self.next_probe.load(Ordering::Acquire);
        if due == 0 {
            return true;
        }
        due <= now
            && self
                .next_probe
                .compare_exchange(due, now + self.pause(), Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
    }

    /// A call came back.
    pub(super) fn succeeded(&self) {
        // The usual case writes nothing, so that the cores don't fight over the line.
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
        if self.next_probe.load(Ordering::Relaxed) != 0 {
            self.pauses.store(0, Ordering::Relaxed);
            self.next_probe.store(0, Ordering::Release);
        }
    }

    /// A call failed; true when that opened the breaker.
    pub(super) fn failed(&self, now: u64) -> bool {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        failures >= FAILURES && self.open(now)
    }

    /// There is no connection to be had: no call needs to learn that again. True when that opened the breaker.
    pub(super) fn open(&self, now: u64) -> bool {
        // An open breaker has its next probe already, and late failures don't put it off.
        if self.next_probe.load(Ordering::Acquire) != 0 {
            return false;
        }
        let due = now + self.pause();
        self.next_probe
            .compare_exchange(0, due, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    fn pause(&self) -> u64 {
        PAUSE.nth(self.pauses.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened() -> Breaker {
        let breaker = Breaker::default();
        assert!((1..FAILURES).all(|_| !breaker.failed(10)));
        assert!(breaker.failed(10));
        breaker
    }

    #[test]
    fn it_opens_after_failures_in_a_row_only() {
        let breaker = Breaker::default();
        for _ in 0..20 {
            assert!((1..FAILURES).all(|_| !breaker.failed(10)));
            breaker.succeeded();
        }
        assert!(breaker.lets_pass(11));
        assert!(!opened().lets_pass(11));
    }

    #[test]
    fn one_probe_passes_after_a_pause_and_pauses_grow_to_two_seconds() {
        let breaker = opened();
        let mut now = 10;
        for round in 0..20 {
            let opens = (now..now + 3_000)
                .find(|at| breaker.lets_pass(*at))
                .unwrap();
            let pause = opens - now;
            let most = (250 << round.min(3)).min(2_000);
            assert!((most / 2..=most).contains(&pause), "round {round}: {pause}");
            assert!(!breaker.lets_pass(opens), "only one");
            // A late failure of an older call changes nothing.
            assert!(!breaker.failed(opens));
            now = opens;
        }
    }

    #[test]
    fn a_success_closes_it_and_forgets_the_pauses() {
        let breaker = opened();
        breaker.succeeded();
        assert!((0..100).all(|_| breaker.lets_pass(12)));
        assert!(breaker.open(12));
        assert!(!breaker.lets_pass(12));
        assert!(breaker.lets_pass(12 + 250));
    }
}
