//! How often something may go wrong: a code that is none, say. What could be a guess takes a token before anybody looks whether it
//! is right, and what was right gives it back; so that however many are under way at once, no more of them can be wrong than there are
//! tokens. Over all processes where the store counts for all of them, else within this one, until it ends.
//!
//! Unlike a [`Shared`](crate::Shared) limit it asks the store each time: tries are few, and one more than allowed is one too many.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use store::rate::Rate;
use store::{Error, TokenSource};
use tokio::time::Instant;

/// From how many buckets on those that are full again are let go.
const MANY: usize = 10_000;

/// How many tries: so many at once, and then one more each time that their number goes into the span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// At once; 0 counts as 1.
    pub at_once: u32,
    /// Within what; under a second counts as one.
    pub per: Duration,
}

impl Allowance {
    /// In how long one comes back.
    fn rate(self) -> Rate {
        let burst = self.at_once.max(1);
        let span = self.per.max(Duration::from_secs(1)).as_nanos();
        let cell = (span / u128::from(burst)).max(1);
        Rate {
            cell_nanos: u64::try_from(cell).unwrap_or(u64::MAX),
            burst,
        }
    }
}

/// The tries of a tenant's users.
pub struct Tries {
    source: Option<Arc<dyn TokenSource>>,
    /// Without a source: when each bucket is full again.
    local: Mutex<HashMap<String, Instant>>,
}

impl std::fmt::Debug for Tries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tries")
            .field("over_all", &self.source.is_some())
            .finish_non_exhaustive()
    }
}

impl Tries {
    /// Counted by the source, or within this process.
    pub fn new(source: Option<Arc<dyn TokenSource>>) -> Self {
        Self {
            source,
            local: Mutex::default(),
        }
    }

    /// Takes one try of `name` (`[a-z0-9-]{1,64}`); an `Err` within says after how long there is one again.
    pub async fn take(
        &self,
        tenant: &str,
        name: &str,
        allowance: Allowance,
    ) -> Result<Result<(), Duration>, Error> {
        let rate = allowance.rate();
        let Some(source) = &self.source else {
            return Ok(self.take_here(tenant, name, rate));
        };
        let taken = source.take(tenant, name, rate, 1).await?;
        Ok(if taken.granted > 0 {
            Ok(())
        } else {
            Err(taken.wait)
        })
    }

    /// Gives it back: it was no wrong one.
    pub async fn give_back(
        &self,
        tenant: &str,
        name: &str,
        allowance: Allowance,
    ) -> Result<(), Error> {
        let rate = allowance.rate();
        if let Some(source) = &self.source {
            return source.give_back(tenant, name, rate, 1).await;
        }
        let mut buckets = self.local.lock();
        if let Some(full) = buckets.get_mut(&key(tenant, name)) {
            let cell = Duration::from_nanos(rate.cell_nanos);
            *full = full.checked_sub(cell).unwrap_or(*full);
        }
        Ok(())
    }

    fn take_here(&self, tenant: &str, name: &str, rate: Rate) -> Result<(), Duration> {
        let now = Instant::now();
        let cell = Duration::from_nanos(rate.cell_nanos);
        let whole = cell.saturating_mul(rate.burst);
        let mut buckets = self.local.lock();
        if buckets.len() >= MANY {
            buckets.retain(|_, full| *full > now);
        }
        let full = buckets.entry(key(tenant, name)).or_insert(now);
        let after = (*full).max(now) + cell;
        let over = after.saturating_duration_since(now).saturating_sub(whole);
        if over.is_zero() {
            *full = after;
            Ok(())
        } else {
            Err(over)
        }
    }
}

fn key(tenant: &str, name: &str) -> String {
    format!("{tenant}/{name}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test says what is wrong by panicking
mod tests {
    use super::*;

    const FIVE_AN_HOUR: Allowance = Allowance {
        at_once: 5,
        per: Duration::from_hours(1),
    };

    #[tokio::test(start_paused = true)]
    async fn so_many_are_wrong_at_once_and_then_one_each_time_that_one_comes_back() {
        let tries = Tries::new(None);
        let take = async || tries.take("acme", "tries-1", FIVE_AN_HOUR).await.unwrap();
        for _ in 0..5 {
            assert_eq!(take().await, Ok(()));
        }
        assert_eq!(take().await, Err(Duration::from_mins(12)));
        tokio::time::advance(Duration::from_mins(5)).await;
        assert_eq!(take().await, Err(Duration::from_mins(7)));
        tokio::time::advance(Duration::from_mins(7)).await;
        assert_eq!(take().await, Ok(()));
        assert_eq!(take().await, Err(Duration::from_mins(12)));
        let other = tries.take("acme", "tries-2", FIVE_AN_HOUR).await.unwrap();
        assert_eq!(other, Ok(()), "another's are another's");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_right_costs_nothing() {
        let tries = Tries::new(None);
        for _ in 0..100 {
            let taken = tries.take("acme", "tries", FIVE_AN_HOUR).await.unwrap();
            assert_eq!(taken, Ok(()));
            tries
                .give_back("acme", "tries", FIVE_AN_HOUR)
                .await
                .unwrap();
        }
    }
}
