//! Whose turn it is to draw a poster that goes into a tenant's own store. Of all who are asked for it at the same moment, one draws and
//! puts it, and the others wait until it is there: within a process for that one's word, between processes by looking.
//!
//! The lease saves work and guards nothing: whoever gets none in time draws for itself, and puts the same bytes under the same name.

use std::time::Duration;

use store::Lease;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use super::storage::{Claim, NotStored, Storage};
use super::{Order, Tag};

/// How long a lease lasts whose holder is gone. Drawing takes milliseconds, putting no longer than the store's patience.
const TERM: Duration = Duration::from_secs(2);

/// How long to wait for another process's poster before drawing it here: there must be time for that within the call.
const WAIT: Duration = Duration::from_secs(1);

/// After how long to look again at first; each time twice as long.
const FIRST_LOOK: Duration = Duration::from_millis(20);

/// What came of asking for the turn.
#[derive(Debug)]
pub enum Turn<'a> {
    /// The poster is there.
    There,
    /// It is to be drawn here.
    Ours(Ours<'a>),
}

/// The turn to draw a poster and put it where it belongs.
#[derive(Debug)]
pub struct Ours<'a> {
    storage: &'a Storage,
    claim: Claim<'a>,
    lease: Option<Taken>,
}

/// A lease that is given up when the poster is there, or its drawing came to nothing.
#[derive(Debug)]
struct Taken(Lease);

impl Drop for Taken {
    fn drop(&mut self) {
        let lease = self.0.clone();
        // Nobody waits for this; where the process is stopped before it is done, the lease ends with its term.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { drop(lease.release().await) });
        }
    }
}

impl<'a> Turn<'a> {
    /// Finds the poster, or takes the turn to draw it. An error when the tenant's store can't be asked or told, as this or another
    /// call has just found.
    pub async fn of(order: &Order<'_>, storage: &'a Storage, tag: Tag) -> Result<Self, NotStored> {
        let claim = match storage.known(tag, order.format).await {
            Ok(known) => return known.map(|()| Self::There),
            Err(claim) => claim,
        };
        let mut ours = Ours {
            storage,
            claim,
            lease: None,
        };
        match ours.found(order, tag).await {
            Ok(false) => Ok(Self::Ours(ours)),
            there => {
                let there = there.map(drop);
                ours.over(there.clone());
                there.map(|()| Self::There)
            }
        }
    }
}

impl Ours<'_> {
    /// Whether somebody else puts the poster there. The lease is asked for first: what is not there while it is held is being put
    /// there by no other process.
    async fn found(&mut self, order: &Order<'_>, tag: Tag) -> Result<bool, NotStored> {
        let (job, until) = (job(tag), Instant::now() + WAIT);
        let mut pause = FIRST_LOOK;
        loop {
            let lease = order.store.lease(order.key, &job, TERM).await;
            let is_taken = matches!(lease, Ok(None));
            match lease {
                Ok(lease) => self.lease = lease.map(Taken),
                Err(why) => tracing::debug!(%why, "no lease on a poster"),
            }
            let there = self.storage.has(tag, order.format, order.clock).await?;
            if there || !is_taken || Instant::now() + pause > until {
                return Ok(there);
            }
            sleep(pause).await;
            pause *= 2;
        }
    }

    /// Says to all who wait whether the poster is there now.
    pub fn over(self, put: Result<(), NotStored>) {
        self.storage.settle(self.claim, put);
    }
}

/// The job that a lease on a poster is for. A job's number is kept for good, so there are 256 of them and not one for each poster: two
/// posters of one number wait for each other at worst.
fn job(tag: Tag) -> String {
    format!("poster-{}", &tag.name()[..2])
}
