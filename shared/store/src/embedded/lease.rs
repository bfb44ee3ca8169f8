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
