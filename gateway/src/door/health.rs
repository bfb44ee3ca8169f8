//! Whether one address of a function is worth calling: what calls found out, and what asking it found out. Each change is
//! logged once. No connection is made here.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

/// How many calls in a row may go without an answer before nothing more is sent there. A connection that can't be made says
/// it at once; an answer that does not come may be the call's own fault.
const UNANSWERED: u32 = 3;

/// What is known of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Standing {
    /// It answers, or nothing is known yet.
    Ready = 0,
    /// It answers that it is not ready. It may still say so better than we could, or know calls that it can answer.
    NotReady = 1,
    /// It does not answer: the breaker is open, nothing is sent there.
    Away = 2,
}

/// One address' breaker.
#[derive(Debug)]
pub(super) struct Health {
    activity: &'static str,
    address: String,
    standing: AtomicU8,
    unanswered: AtomicU32,
}

impl Health {
    pub(super) fn new(activity: &'static str, address: String) -> Self {
        Self {
            activity,
            address,
            standing: AtomicU8::new(Standing::Ready as u8),
            unanswered: AtomicU32::new(0),
        }
    }

    pub(super) fn standing(&self) -> Standing {
        match self.standing.load(Ordering::Acquire) {
            0 => Standing::Ready,
            1 => Standing::NotReady,
            _ => Standing::Away,
        }
    }

    /// A call was answered. That does not close the breaker: it may have been sent before it opened.
    pub(super) fn answered(&self) {
        self.unanswered.store(0, Ordering::Release);
    }

    /// No connection could be made.
    pub(super) fn unreachable(&self, why: &str) {
        self.turn(Standing::Away, why);
    }

    /// A call was sent and not answered.
    pub(super) fn unanswered(&self, why: &str) {
        if self.unanswered.fetch_add(1, Ordering::AcqRel) + 1 >= UNANSWERED {
            self.turn(Standing::Away, why);
        }
    }

    /// What it said when it was asked.
    pub(super) fn asked(&self, found: Standing) {
        self.unanswered.store(0, Ordering::Release);
        self.turn(found, "it says so");
    }

    fn turn(&self, to: Standing, why: &str) {
        if self.standing.swap(to as u8, Ordering::AcqRel) == to as u8 {
            return;
        }
        let (activity, address) = (self.activity, &*self.address);
        match to {
            Standing::Ready => tracing::info!(activity, address, "the function answers again"),
            Standing::NotReady => tracing::warn!(
                activity,
                address,
                "the function answers that it is not ready"
            ),
            Standing::Away => tracing::error!(
                activity,
                address,
                why,
                "the function does not answer: nothing is sent there until it does"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_breaker() {
        let health = Health::new("lottery", "http://a".to_owned());
        assert_eq!(health.standing(), Standing::Ready);
        // Answers between them: never three in a row.
        for _ in 0..5 {
            health.unanswered("slow");
            health.unanswered("slow");
            health.answered();
        }
        assert_eq!(health.standing(), Standing::Ready);
        for _ in 0..UNANSWERED {
            health.unanswered("slow");
        }
        assert_eq!(health.standing(), Standing::Away);
        health.answered();
        assert_eq!(health.standing(), Standing::Away, "sent before it opened");
        health.asked(Standing::Ready);
        health.unanswered("slow");
        assert_eq!(health.standing(), Standing::Ready, "counted anew");
        health.unreachable("refused");
        assert_eq!(health.standing(), Standing::Away);
        health.asked(Standing::NotReady);
        assert_eq!(health.standing(), Standing::NotReady);
    }
}
