//! When clients were last served: the longest time without service, and whether it has come back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long service may be away after a fault is over, before the run gives up on it.
const PATIENCE: Duration = Duration::from_mins(1);

/// Served: answered with what was done, with a rejection, or with an answer given before.
#[derive(Debug)]
pub struct Service {
    began: Instant,
    answers: AtomicU64,
    last_ms: AtomicU64,
    worst_ms: AtomicU64,
}

impl Service {
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            answers: AtomicU64::new(0),
            last_ms: AtomicU64::new(0),
            worst_ms: AtomicU64::new(0),
        }
    }

    /// Clients begin, or go on after a rest that nobody is to blame for.
    pub fn begin(&self) {
        self.last_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    /// So many calls of some client were served until now.
    pub fn seen(&self, answers: u64) {
        let now = self.now_ms();
        let last = self.last_ms.fetch_max(now, Ordering::Relaxed);
        self.worst_ms
            .fetch_max(now.saturating_sub(last), Ordering::Relaxed);
        self.answers.fetch_add(answers, Ordering::Relaxed);
    }

    /// The longest time in which no client was served.
    pub fn worst(&self) -> Duration {
        Duration::from_millis(self.worst_ms.load(Ordering::Relaxed))
    }

    /// Waits until so many more calls were served.
    pub fn wait_for(&self, more: u64) -> Result<(), String> {
        let (due, until) = (
            self.answers.load(Ordering::Relaxed) + more,
            Instant::now() + PATIENCE,
        );
        while self.answers.load(Ordering::Relaxed) < due {
            if Instant::now() > until {
                return Err(format!("no {more} calls were served within {PATIENCE:?}"));
            }
            sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }
}
