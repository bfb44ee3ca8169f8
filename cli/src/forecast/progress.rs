//! How far a forecast is: one line on standard error, on a terminal only.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often the line is drawn anew.
const EVERY: Duration = Duration::from_millis(100);

/// How wide the bar is, in characters.
const WIDTH: u64 = 30;

/// How far it is.
pub struct Progress {
    all: u64,
    done: AtomicU64,
    /// When it was drawn last; none where nobody watches.
    drawn: Option<Mutex<Instant>>,
}

impl Progress {
    /// Nothing is done yet, of so many steps.
    pub fn new(all: u64) -> Self {
        Self {
            all: all.max(1),
            done: AtomicU64::new(0),
            drawn: io::stderr()
                .is_terminal()
                .then(|| Mutex::new(Instant::now())),
        }
    }

    /// One more is done.
    pub fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        // Whoever draws right now draws for all.
        let Some(Ok(mut drawn)) = self.drawn.as_ref().map(Mutex::try_lock) else {
            return;
        };
        if drawn.elapsed() < EVERY {
            return;
        }
        *drawn = Instant::now();
        let full = (done * WIDTH / self.all).min(WIDTH) as usize;
        let bar = format!("{}{}", "#".repeat(full), ".".repeat(WIDTH as usize - full));
        // A terminal that is gone needs no bar.
        let _ = write!(io::stderr(), "\r[{bar}] {:>3} %", done * 100 / self.all);
        let _ = io::stderr().flush();
    }

    /// Takes the line away.
    pub fn end(&self) {
        if self.drawn.is_some() {
            let _ = write!(
                io::stderr(),
                "\r{:width$}\r",
                "",
                width = WIDTH as usize + 10
            );
            let _ = io::stderr().flush();
        }
    }
}
