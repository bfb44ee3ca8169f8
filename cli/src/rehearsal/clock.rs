//! A clock that a rehearsal moves. It can be made here alone, and is an argument of the set in this process: no config, no variable and no
//! call reaches a live function's clock.

use std::sync::atomic::{AtomicI64, Ordering};

use function::clock::Clock;
use machine::Millis;

/// Stands still until it is moved, and never goes back.
#[derive(Debug)]
pub struct FastClock(AtomicI64);

impl FastClock {
    /// A clock that stands at `now`.
    pub(super) fn at(now: Millis) -> Self {
        Self(AtomicI64::new(now))
    }

    /// Moves it to `now`, unless it is there or further.
    pub(super) fn pass(&self, now: Millis) {
        self.0.fetch_max(now, Ordering::SeqCst);
    }
}

impl Clock for FastClock {
    fn now(&self) -> Millis {
        self.0.load(Ordering::SeqCst)
    }
}
