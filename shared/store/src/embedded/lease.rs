//! The embedded store's leases, in memory: one process opens the folder, so a lease that outlived it would guard nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use machine::ids::CampaignKey;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::Later;
use crate::lease::{Keeper, Lease, Token, Wish};

/// All leases.
#[derive(Debug, Default)]
pub(super) struct Leases {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// The last fence of all jobs; one row of numbers for all of them is enough for each to grow.
    fence: u64,
    slots: BTreeMap<(CampaignKey, Arc<str>), Slot>,
}

#[derive(Debug)]
struct Slot {
    fence: u64,
    token: Token,
    until: Instant,
}

impl Leases {
    /// Takes one, unless someone holds it.
    pub fn take(self: &Arc<Self>, wish: Wish) -> Option<Lease> {
        let now = Instant::now();
        let fence = {
            let mut table = self.table.lock();
            // What is over is forgotten here, so that there are never more than jobs under way.
            table.slots.retain(|_, slot| now < slot.until);
            let name = (wish.campaign.clone(), wish.job.clone());
            if table.slots.contains_key(&name) {
                return None;
            }
            table.fence += 1;
            let slot = Slot {
                fence: table.fence,
                token: wish.token,
                until: now + wish.term,
            };
            table.slots.insert(name, slot);
            table.fence
        };
        Some(wish.granted(self.clone(), fence))
    }

    /// Whether this is the lease that is known, and not over.
    pub fn knows(&self, lease: &Lease) -> bool {
        self.with(lease, |_| ()).is_some()
    }

    /// Does something to the slot of a lease that is known and not over.
    fn with<T>(&self, lease: &Lease, act: impl FnOnce(&mut Slot) -> T) -> Option<T> {
        let mut table = self.table.lock();
        let name = (lease.campaign().clone(), lease.job().clone());
        let slot = table.slots.get_mut(&name)?;
        let same = slot.fence == lease.fence() && slot.token == lease.token();
        (same && Instant::now() < slot.until).then(|| act(slot))
    }
}

impl Keeper for Leases {
    fn renew<'a>(&'a self, lease: &'a Lease) -> Later<'a, bool> {
        Box::pin(async move {
            let renewed = self.with(lease, |slot| slot.until = Instant::now() + lease.term());
            Ok(renewed.is_some())
        })
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> Later<'a, bool> {
        Box::pin(async move {
            // A slot that is over is as good as gone: the next taking removes it.
            let released = self.with(lease, |slot| slot.until = Instant::now());
            Ok(released.is_some())
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)] // a test says what is wrong by panicking
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::Error;
    use crate::conformance::sample;
    use crate::lease::Held;

    const TERM: Duration = Duration::from_secs(3);

    fn wish() -> Wish {
        Wish::new(&sample::live(), "sweep", TERM).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_kept_outlasts_its_term() {
        let leases = Arc::new(Leases::default());
        let held = Held::keep(leases.take(wish()).unwrap(), Duration::from_mins(1));
        for _ in 0..50 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(held.is_held());
            assert!(leases.take(wish()).is_none());
        }
        assert!(held.release().await.unwrap());
        assert!(leases.take(wish()).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_holds_it_for_longer_than_allowed() {
        let leases = Arc::new(Leases::default());
        let held = Held::keep(leases.take(wish()).unwrap(), Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(9_990)).await;
        assert!(held.is_held());
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!held.is_held());
        tokio::time::sleep(TERM).await;
        assert!(leases.take(wish()).is_some(), "it is not renewed any more");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_dropped_ends_with_its_term() {
        let leases = Arc::new(Leases::default());
        drop(Held::keep(
            leases.take(wish()).unwrap(),
            Duration::from_mins(1),
        ));
        tokio::time::sleep(TERM * 9 / 10).await;
        assert!(leases.take(wish()).is_none());
        tokio::time::sleep(TERM / 5).await;
        assert!(leases.take(wish()).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_one_is_not_held() {
        let leases = Arc::new(Leases::default());
        let held = Held::keep(leases.take(wish()).unwrap(), Duration::from_mins(1));
        // Somebody else's now, as after an amnesia of the store.
        leases.table.lock().slots.clear();
        let _other = leases.take(wish()).unwrap();
        tokio::time::sleep(TERM / 2).await;
        assert!(!held.is_held());
    }

    /// A keeper that does not answer, or says that it can't.
    #[derive(Default)]
    struct Away {
        silent: AtomicBool,
    }

    impl Keeper for Away {
        fn renew<'a>(&'a self, _lease: &'a Lease) -> Later<'a, bool> {
            Box::pin(async move {
                if self.silent.load(Ordering::Acquire) {
                    std::future::pending::<()>().await;
                }
                Err(Error::Unknown("away".to_owned()))
            })
        }

        fn release<'a>(&'a self, lease: &'a Lease) -> Later<'a, bool> {
            self.renew(lease)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_that_fails_ends_it() {
        let held = Held::keep(wish().granted(Arc::new(Away::default()), 1), TERM * 9);
        assert!(held.is_held());
        tokio::time::sleep(TERM / 2).await;
        assert!(!held.is_held());
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_without_an_answer_ends_it_with_its_term() {
        let away = Away::default();
        away.silent.store(true, Ordering::Release);
        let held = Held::keep(wish().granted(Arc::new(away), 1), TERM * 9);
        tokio::time::sleep(TERM / 2).await;
        assert!(held.is_held());
        tokio::time::sleep(TERM / 2).await;
        assert!(!held.is_held());
    }
}
