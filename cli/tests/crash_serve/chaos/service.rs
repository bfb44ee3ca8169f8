//! When clients were served: the longest time without service, and whether it has come back.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long service may be away after a fault is over, before the run gives up on it.
const PATIENCE: Duration = Duration::from_mins(1);

/// Served: answered with what was done, with a rejection, or with an answer given before.
#[derive(Debug, Default)]
pub struct Service {
    answers: AtomicU64,
    /// Of the game under way, its beginning first.
    times: Mutex<Vec<Instant>>,
    worst_ms: AtomicU64,
}

impl Service {
    /// Clients begin.
    pub fn begin(&self) {
        *self.times.lock().expect("no panic holds it") = vec![Instant::now()];
    }

    /// Calls of some client were served at these times.
    pub fn seen(&self, times: &[Instant]) {
        self.times
            .lock()
            .expect("no panic holds it")
            .extend_from_slice(times);
        self.answers
            .fetch_add(times.len() as u64, Ordering::Relaxed);
    }

    /// All clients have ended; what came before the last answer is judged.
    pub fn end(&self) {
        let mut times = self.times.lock().expect("no panic holds it");
        times.sort_unstable();
        for p in times
            .windows(2)
            .filter(|p| p[1] - p[0] > Duration::from_millis(300))
        {
            println!("GAP {:?} {:?}", p[0] - times[0], p[1] - times[0]);
        }
        let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
        let worst = gaps.max().unwrap_or_default().as_millis() as u64;
        self.worst_ms.fetch_max(worst, Ordering::Relaxed);
    }

    /// The longest time in which no client was served.
    pub fn worst(&self) -> Duration {
        Duration::from_millis(self.worst_ms.load(Ordering::Relaxed))
    }

    /// Waits until so many more calls were served.
    pub fn wait_for(&self, more: u64) -> Result<(), String> {
        self.wait_for_or(more, || false)
    }

    /// As [`Service::wait_for`], or until something else has happened.
    pub fn wait_for_or(&self, more: u64, happened: impl Fn() -> bool) -> Result<(), String> {
        let (due, until) = (
            self.answers.load(Ordering::Relaxed) + more,
            Instant::now() + PATIENCE,
        );
        while self.answers.load(Ordering::Relaxed) < due && !happened() {
            if Instant::now() > until {
                return Err(format!("no {more} calls were served within {PATIENCE:?}"));
            }
            sleep(Duration::from_millis(2));
        }
        Ok(())
    }
}
