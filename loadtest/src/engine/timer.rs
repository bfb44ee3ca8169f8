//! A clock that counts from the run's beginning, and an alarm that is exact: mio's own time-outs are whole milliseconds, and a call that
//! goes out a millisecond late counts as a slow answer.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Interest, Poll, Token};
use rustix::fs::Timespec;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

/// Time since the run's beginning. Before it, it is 0.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    began: Instant,
}

impl Clock {
    /// The run begins then.
    pub fn from(began: Instant) -> Self {
        Self { began }
    }

    /// Now.
    pub fn now(self) -> Duration {
        self.began.elapsed()
    }

    /// How long it is until a time of the run.
    pub fn until(self, time: Duration) -> Duration {
        (self.began + time).saturating_duration_since(Instant::now())
    }
}

/// Wakes a poll.
#[derive(Debug)]
pub struct Alarm {
    timer: OwnedFd,
    /// For when it is set; it may be gone by.
    set: Option<Duration>,
}

impl Alarm {
    /// An alarm that wakes this poll under this token.
    pub fn new(poll: &Poll, token: Token) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        let source = timer.as_raw_fd();
        poll.registry()
            .register(&mut SourceFd(&source), token, Interest::READABLE)?;
        Ok(Self { timer, set: None })
    }

    /// Sets it to a time of the run; before the run's beginning it counts on. It is never read: setting it makes its next ringing news.
    pub fn set(&mut self, clock: Clock, time: Duration) -> io::Result<()> {
        if self.set == Some(time) && !clock.until(time).is_zero() {
            return Ok(());
        }
        // 0 would turn it off.
        let left = clock.until(time).max(Duration::from_nanos(1));
        let spec = Itimerspec {
            it_interval: Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            it_value: Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(left.subsec_nanos()),
            },
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &spec)?;
        self.set = Some(time);
        Ok(())
    }
}
