//! What a limiter is told (a quota), what it concludes (a decision), and how both read in HTTP headers.

use std::num::NonZeroU32;
use std::time::Duration;

/// How often a key may call: `per_second` on average, `burst` at once. Both are at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Calls that come back each second.
    pub per_second: NonZeroU32,
    /// Calls that may be made at once by a key that has been quiet.
    pub burst: NonZeroU32,
}

impl Quota {
    /// A quota, or `None` when either number is 0: a limit that nobody can pass is a pause, and pauses have
    /// their own place.
    pub const fn new(per_second: u32, burst: u32) -> Option<Self> {
        match (NonZeroU32::new(per_second), NonZeroU32::new(burst)) {
            (Some(per_second), Some(burst)) => Some(Self { per_second, burst }),
            _ => None,
        }
    }

    /// Whole seconds in which an empty bucket fills up, rounded up; at least 1.
    pub const fn window_secs(&self) -> u32 {
        self.burst.get().div_ceil(self.per_second.get())
    }

    /// The value of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers, September 2025):
    /// `"user";q=20;w=1`. The promise is a floor: a bucket that is drained evenly lets slightly more through.
    ///
    /// `name` is written by us, never by a client; characters that a quoted string cannot hold are left out.
    pub fn policy(&self, name: &str) -> String {
        format!(
            "\"{}\";q={};w={}",
            plain(name),
            self.burst,
            self.window_secs()
        )
    }

    /// A part of this quota, each number at least 1.
    pub(crate) fn part(self, share: f64) -> Self {
        let part = |whole: NonZeroU32| {
            let part = (f64::from(whole.get()) * share).round() as u32;
            NonZeroU32::new(part).unwrap_or(NonZeroU32::MIN)
        };
        Self {
            per_second: part(self.per_second),
            burst: part(self.burst),
        }
    }

    /// How governor knows it.
    pub(crate) fn gcra(self) -> governor::Quota {
        governor::Quota::per_second(self.per_second).allow_burst(self.burst)
    }

    /// Nanoseconds in which one call comes back; at least 1.
    pub(crate) fn cell_nanos(self) -> u64 {
        // The same division, rounded the same way, as governor's: `Duration / u32`.
        let cell = Duration::from_secs(1) / self.per_second.get();
        u64::try_from(cell.as_nanos()).unwrap_or(u64::MAX).max(1)
    }
}

/// What became of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether the call may go on.
    pub allowed: bool,
    /// The quota's burst: the most calls at once.
    pub limit: u32,
    /// Calls that may still be made at once; 0 when refused.
    pub remaining: u32,
    /// Whole seconds, at least 1, after which `remaining` will have grown by at least one.
    pub reset_secs: u32,
    /// Whole seconds to wait before the next try: 0 when allowed, else never less than `reset_secs`.
    pub retry_after_secs: u32,
}

impl Decision {
    /// The value of `RateLimit`: `"user";r=19;t=1`. `name` as in [`Quota::policy`].
    pub fn rate_limit(&self, name: &str) -> String {
        format!(
            "\"{}\";r={};t={}",
            plain(name),
            self.remaining,
            self.reset_secs
        )
    }
}

/// Rounds up to whole seconds, at least 1: a client that comes back on the second must not be early.
pub(crate) fn whole_secs(wait: Duration) -> u32 {
    let up = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(up).unwrap_or(u32::MAX).max(1)
}

fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_read_as_the_draft_has_them() {
        let rows = [
            (20, 20, "\"user\";q=20;w=1"),
            (20, 30, "\"user\";q=30;w=2"),
            (1, 60, "\"user\";q=60;w=60"),
            (100, 1, "\"user\";q=1;w=1"),
        ];
        for (per_second, burst, header) in rows {
            assert_eq!(
                Quota::new(per_second, burst).unwrap().policy("user"),
                header
            );
        }
        let decision = Decision {
            allowed: true,
            limit: 20,
            remaining: 7,
            reset_secs: 1,
            retry_after_secs: 0,
        };
        assert_eq!(decision.rate_limit("us\"er\r\n"), "\"user\";r=7;t=1");
    }

    #[test]
    fn a_quota_of_nothing_is_no_quota() {
        assert_eq!(Quota::new(0, 1), None);
        assert_eq!(Quota::new(1, 0), None);
    }

    #[test]
    fn seconds_are_rounded_up() {
        let rows = [(0, 1), (1, 1), (999, 1), (1000, 1), (1001, 2), (59_000, 59)];
        for (millis, secs) in rows {
            assert_eq!(
                whole_secs(Duration::from_millis(millis)),
                secs,
                "{millis} ms"
            );
        }
    }
}
