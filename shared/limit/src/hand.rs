//! One process's part in a limit that many share: the tokens in hand, those spent on credit, and when to fetch more. Pure:
//! the clock is an argument, nothing here waits or asks anyone.

use std::collections::VecDeque;
use std::time::Duration;

use store::rate::{Rate, Tokens};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::decision::Quota;

/// A fortieth of what a full bucket, or a second, gives: with as much on credit, a process is off by a twentieth.
const PART: u32 = 40;

/// Tokens in hand that were not used for so long are thrown away: who is idle holds nothing back.
const KEEP: Duration = Duration::from_secs(1);

/// What was used lately is what will be used next.
const SLOT: Duration = Duration::from_millis(100);

/// An empty bucket is not asked more often than this, so that a flood costs the store little.
const PAUSE: Duration = Duration::from_millis(5);

/// A store that is away is tried this often.
const RETRY: Duration = Duration::from_millis(500);

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It may go on.
    Allowed,
    /// The quota is used up for so long.
    Refused(Duration),
    /// The store is away: the process decides alone.
    Alone,
}

/// What to do with a call now.
pub(crate) enum Step {
    Done(Verdict),
    /// The next fetch tells.
    Wait(oneshot::Receiver<Verdict>),
}

#[derive(Debug)]
pub(crate) struct Hand {
    rate: Rate,
    most: u32,
    tokens: u32,
    fetched_at: Instant,
    /// Calls let in that no token was fetched for yet: the next tokens are theirs.
    owed: u32,
    /// Until when the bucket is known to be empty.
    empty_until: Option<Instant>,
    /// How many tokens are being fetched.
    fetching: Option<u32>,
    waiting: VecDeque<oneshot::Sender<Verdict>>,
    /// When a store that is away is tried again.
    away_until: Option<Instant>,
    used: Used,
    share: Share,
}

impl Hand {
    pub fn new(quota: Quota, now: Instant) -> Self {
        Self {
            rate: Rate {
                cell_nanos: quota.cell_nanos(),
                burst: quota.burst.get(),
            },
            most: most(quota),
            tokens: 0,
            fetched_at: now,
            owed: 0,
            empty_until: None,
            fetching: None,
            waiting: VecDeque::new(),
            away_until: None,
            used: Used::new(now),
            share: Share::default(),
        }
    }

    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// The part of the quota that this process uses of what all use, 0 to 1; 1 as long as it knows of no other.
    pub fn share(&self) -> f64 {
        self.share.get()
    }

    /// Takes a token for one call, if one is to be had now.
    pub fn ask(&mut self, now: Instant) -> Step {
        if self.away_until.is_some() {
            return Step::Done(Verdict::Alone);
        }
        if now.saturating_duration_since(self.fetched_at) > KEEP {
            self.tokens = 0;
        }
        if self.tokens > 0 {
            self.tokens -= 1;
            self.used.note(now);
            return Step::Done(Verdict::Allowed);
        }
        if let Some(until) = self.empty_until {
            if now < until {
                return Step::Done(Verdict::Refused(until - now + self.debt()));
            }
            self.empty_until = None;
        }
        if self.owed < self.most {
            self.owed += 1;
            self.used.note(now);
            return Step::Done(Verdict::Allowed);
        }
        let (tell, told) = oneshot::channel();
        self.waiting.push_back(tell);
        Step::Wait(told)
    }

    /// How many tokens to fetch now, if any; [`Self::landed`] or [`Self::failed`] must follow.
    pub fn fetch(&mut self, now: Instant) -> Option<u32> {
        let resting = |until: Option<Instant>| until.is_some_and(|until| now < until);
        if self.fetching.is_some() || resting(self.away_until) || resting(self.empty_until) {
            return None;
        }
        // One call in a while is paid for afterwards: a token kept for the next would be thrown away before it comes.
        let lately = self.used.lately(now);
        let stock = if lately <= 1 {
            0
        } else {
            lately.min(self.most)
        };
        let short = if self.tokens <= stock / 2 {
            stock - self.tokens.min(stock)
        } else {
            0
        };
        let waiting = u32::try_from(self.waiting.len()).unwrap_or(u32::MAX);
        let mut want = self.owed.saturating_add(waiting).saturating_add(short);
        if self.away_until.is_some() {
            want = want.max(1);
        }
        let want = want.min(self.rate.burst);
        self.fetching = (want > 0).then_some(want);
        self.fetching
    }

    /// Takes in what was fetched.
    pub fn landed(&mut self, got: &Tokens, now: Instant) {
        let want = self.fetching.take().unwrap_or(0);
        self.away_until = None;
        self.share.note(got);
        self.fetched_at = now;
        let mut granted = got.granted;
        let paid = self.owed.min(granted);
        self.owed -= paid;
        granted -= paid;
        while granted > 0
            && let Some(call) = self.waiting.pop_front()
        {
            // One whose client has gone leaves its token to the next.
            if call.send(Verdict::Allowed).is_ok() {
                granted -= 1;
                self.used.note(now);
            }
        }
        // What is more than a batch was for calls that have gone.
        self.tokens = self.tokens.saturating_add(granted).min(self.most);
        if got.granted < want {
            // Half of what the bucket holds, so that none of it runs over meanwhile.
            let pause = PAUSE.min(self.cells(self.rate.burst) / 2);
            let wait = got.wait.max(pause);
            self.empty_until = Some(now + wait);
            let told = wait + self.debt();
            for call in self.waiting.drain(..) {
                let _ = call.send(Verdict::Refused(told));
            }
        }
    }

    /// In what time the tokens come back that are owed already.
    fn debt(&self) -> Duration {
        self.cells(self.owed)
    }

    fn cells(&self, number: u32) -> Duration {
        Duration::from_nanos(self.rate.cell_nanos.saturating_mul(number.into()))
    }

    /// Notes that the store did not answer; whether it had until now.
    pub fn failed(&mut self, now: Instant) -> bool {
        self.fetching = None;
        let news = self.away_until.replace(now + RETRY).is_none();
        for call in self.waiting.drain(..) {
            let _ = call.send(Verdict::Alone);
        }
        news
    }
}

/// The most tokens a process has in hand, and the most that it lets in on credit.
pub(crate) fn most(quota: Quota) -> u32 {
    let (per_second, burst) = (quota.per_second.get(), quota.burst.get());
    (per_second.max(burst) / PART).clamp(1, burst)
}

/// How many calls were let in lately, to a slot's precision.
#[derive(Debug)]
struct Used {
    began: Instant,
    now: u32,
    before: u32,
}

impl Used {
    fn new(now: Instant) -> Self {
        Self {
            began: now,
            now: 0,
            before: 0,
        }
    }

    fn turn(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.began);
        if since < SLOT {
            return;
        }
        self.before = if since < 2 * SLOT { self.now } else { 0 };
        self.now = 0;
        self.began = now;
    }

    fn note(&mut self, now: Instant) {
        self.turn(now);
        self.now += 1;
    }

    fn lately(&mut self, now: Instant) -> u32 {
        self.turn(now);
        self.now.max(self.before)
    }
}

/// How much of all that the bucket gave lately was given to this process.
#[derive(Debug, Default)]
struct Share {
    total: u64,
    own: f64,
    all: f64,
}

impl Share {
    /// After so many tokens what was before counts half.
    const HALF_AFTER: f64 = 256.0;

    fn note(&mut self, got: &Tokens) {
        let given = u64::from(got.granted);
        // A bucket that was full meanwhile counts from nought again.
        let all = if got.total < self.total + given {
            given
        } else {
            got.total - self.total
        };
        // The first answer tells of others what was before this process came; that is no measure of now.
        if self.total > 0 {
            self.own += given as f64;
            self.all += all as f64;
        }
        self.total = got.total;
        if self.all > Self::HALF_AFTER {
            self.own /= 2.0;
            self.all /= 2.0;
        }
    }

    fn get(&self) -> f64 {
        if self.all <= 0.0 {
            return 1.0;
        }
        (self.own / self.all).clamp(1.0 / 64.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_a_fortieth() {
        let rows = [
            (1, 1, 1),
            (10, 5, 1),
            (1000, 2000, 50),
            (1000, 20, 20),
            (100, 4000, 100),
        ];
        for (per_second, burst, wanted) in rows {
            let quota = Quota::new(per_second, burst).unwrap();
            assert_eq!(most(quota), wanted, "{per_second}/{burst}");
        }
    }

    #[test]
    fn a_share_is_learnt_from_what_the_bucket_gave() {
        let mut share = Share::default();
        assert!((share.get() - 1.0).abs() < 1e-9);
        for round in 1..=100 {
            let got = Tokens {
                granted: 5,
                left: 0,
                wait: Duration::ZERO,
                total: round * 20,
            };
            share.note(&got);
        }
        assert!((share.get() - 0.25).abs() < 0.01, "{}", share.get());
    }
}
