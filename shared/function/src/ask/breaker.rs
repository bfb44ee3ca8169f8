//! When a service that fails is left alone: after some failures in a row it is not called for a while, so that its users do
//! not wait out the time of a call that will come to nothing, and it can recover.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// After so many failures in a row it is left alone.
pub(super) const FAILURES: u32 = 5;
/// For so long; then one call tries.
pub(super) const REST: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    in_a_row: u32,
    rests_until: Option<Instant>,
}

impl Breaker {
    /// Whether a call may be made now. Of the calls after a rest one may; the others wait for what becomes of it, at most
    /// another rest long: one that is given up half-way blocks nobody for good.
    pub fn may(&self, now: Instant) -> bool {
        let mut state = self.0.lock();
        match state.rests_until {
            Some(until) if now < until => false,
            Some(_) => {
                state.rests_until = Some(now + REST);
                true
            }
            None => true,
        }
    }

    pub fn worked(&self) {
        *self.0.lock() = State::default();
    }

    /// Notes a failure; true if the rest begins with it.
    pub fn failed(&self, now: Instant) -> bool {
        let mut state = self.0.lock();
        state.in_a_row = state.in_a_row.saturating_add(1);
        if state.in_a_row < FAILURES {
            return false;
        }
        state.rests_until = Some(now + REST);
        state.in_a_row == FAILURES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_bring_a_rest_and_one_try_ends_it() {
        let breaker = Breaker::default();
        let start = Instant::now();
        for _ in 1..FAILURES {
            assert!(!breaker.failed(start));
            assert!(breaker.may(start));
        }
        breaker.worked();
        for _ in 1..FAILURES {
            assert!(!breaker.failed(start), "one that worked forgives all");
        }
        assert!(breaker.failed(start));
        assert!(!breaker.may(start));
        let later = start + REST;
        assert!(breaker.may(later), "one tries");
        assert!(!breaker.may(later), "and only one");
        assert!(!breaker.failed(later), "told once");
        assert!(!breaker.may(later + REST / 2));
        let last = later + REST;
        assert!(breaker.may(last));
        breaker.worked();
        assert!(breaker.may(last) && breaker.may(last));
    }
}
