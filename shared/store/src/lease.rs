//! Leases: who does a job that only one process should do at a time, and for how long.
//!
//! What a lease promises: as far as the store knows, nobody else holds it until its term is over; each taking has a fencing
//! number greater than all before; a write through [`Store::commit_under`](crate::Store::commit_under) is refused when the
//! lease is no longer the one that the store knows. Only its owner's token renews or releases it.
//!
//! What it does not promise: that two processes never work at the same time. A process that was stopped, or cut off, may
//! believe in its lease for as long as it does not look at the clock; what it then writes through `commit_under` is refused,
//! what it does anywhere else is done. Nor does it outlive its store: one Redis keeps it, without a quorum, so a replica
//! promoted before it had heard of the lease gives it out a second time, with a greater number if its clock is not behind.
//! So leases save work (one sweep instead of many, one picture rendered once). They never guard money: what stock, budgets
//! and participants may become is checked by each commit by itself, with or without a lease. There is no way here to run a
//! closure "under a lock", since what it did would be guarded by nothing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use machine::ids::{CampaignKey, hex};
use parking_lot::Mutex;
use rand::TryRng;
use rand::rngs::SysRng;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::{Error, Later};

/// Who asked: 128 random bits, new for each taking.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token([u8; 16]);

impl Token {
    /// A new one. An error when the system gives no random bytes: then nothing was asked of the store.
    pub fn random() -> Result<Self, Error> {
        let mut bytes = [0; 16];
        SysRng
            .try_fill_bytes(&mut bytes)
            .map_err(|error| Error::NotWritten(format!("no random bytes ({error})")))?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({self})")
    }
}

/// Where a lease is kept.
pub trait Keeper: Send + Sync {
    /// Lets a lease last for its term from now on; false when it is no longer this one, or over.
    fn renew<'a>(&'a self, lease: &'a Lease) -> Later<'a, bool>;

    /// Gives a lease up; false when it is no longer this one, or over: then nothing is done.
    fn release<'a>(&'a self, lease: &'a Lease) -> Later<'a, bool>;
}

/// A lease that was taken. It ends by itself: dropping it does nothing, [`Lease::release`] ends it at once. Clones are the
/// same lease.
#[derive(Clone)]
pub struct Lease(Arc<Taken>);

struct Taken {
    keeper: Arc<dyn Keeper>,
    campaign: CampaignKey,
    job: Arc<str>,
    token: Token,
    fence: u64,
    term: Duration,
    /// When it is over as far as this process can tell; never later than in the store.
    until: Mutex<Instant>,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("campaign", &self.0.campaign)
            .field("job", &self.0.job)
            .field("fence", &self.0.fence)
            .finish_non_exhaustive()
    }
}

/// What is asked of a store that is to give a lease.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The campaign and lane that it is about.
    pub campaign: CampaignKey,
    /// What is to be done under it: `[a-z0-9-]{1,64}`.
    pub job: Arc<str>,
    /// Who asks.
    pub token: Token,
    /// How long it lasts unless renewed: whole milliseconds, at least one.
    pub term: Duration,
    /// When it was asked for on this process's clock. The term is counted from here, so that it never ends later here than there.
    asked: Instant,
}

impl Wish {
    /// A wish of now.
    pub fn new(campaign: &CampaignKey, job: &str, term: Duration) -> Result<Self, Error> {
        if !machine::ids::is_id(job) {
            return Err(Error::NotWritten(format!("`{job}` can't name a job")));
        }
        Ok(Self {
            campaign: campaign.clone(),
            job: job.into(),
            token: Token::random()?,
            term: Duration::from_millis(term_ms(term)),
            asked: Instant::now(),
        })
    }

    /// The lease that it became.
    pub fn granted(self, keeper: Arc<dyn Keeper>, fence: u64) -> Lease {
        Lease(Arc::new(Taken {
            keeper,
            until: Mutex::new(end(self.asked, self.term)),
            campaign: self.campaign,
            job: self.job,
            token: self.token,
            fence,
            term: self.term,
        }))
    }
}

/// A term in whole milliseconds, at least one, at most a day: nobody waits longer for a process that is gone.
fn term_ms(term: Duration) -> u64 {
    const DAY: u64 = 86_400_000;
    u64::try_from(term.as_millis()).unwrap_or(DAY).clamp(1, DAY)
}

/// The end of a term that was asked for then. A hundredth early: two clocks need not run at the same speed.
fn end(asked: Instant, term: Duration) -> Instant {
    asked + term - term / 100
}

impl Lease {
    /// Whether it is of this campaign and lane; an error for whoever would commit under it elsewhere.
    pub(crate) fn covers(&self, campaign: &CampaignKey) -> Result<(), Error> {
        if self.campaign() == campaign {
            return Ok(());
        }
        Err(Error::NotWritten(format!(
            "a lease on {} was shown for {campaign}",
            self.campaign()
        )))
    }

    /// The campaign and lane that it is about.
    pub fn campaign(&self) -> &CampaignKey {
        &self.0.campaign
    }

    /// What is to be done under it.
    pub fn job(&self) -> &Arc<str> {
        &self.0.job
    }

    /// Who holds it.
    pub fn token(&self) -> Token {
        self.0.token
    }

    /// Its number: each taking of this campaign's job has a greater one than all before, also after the lease was over.
    pub fn fence(&self) -> u64 {
        self.0.fence
    }

    /// How long it lasts unless renewed.
    pub fn term(&self) -> Duration {
        self.0.term
    }

    /// As the store keeps it: `<fence>:<token>`. A guarded write compares the beginning up to the colon.
    pub fn value(&self) -> String {
        format!("{}:{}", self.0.fence, self.0.token)
    }

    /// Whether its term is not over on this process's monotonic clock. What the store says counts more: only a guarded write
    /// asks it.
    pub fn is_live(&self) -> bool {
        Instant::now() < *self.0.until.lock()
    }

    /// Lets it last for its term from now on. False, and over, when the store knows it no longer.
    pub async fn renew(&self) -> Result<bool, Error> {
        let asked = Instant::now();
        let renewed = self.0.keeper.renew(self).await?;
        *self.0.until.lock() = if renewed {
            end(asked, self.0.term)
        } else {
            asked
        };
        Ok(renewed)
    }

    /// Gives it up, so that another can take it at once. False when it was over already.
    pub async fn release(&self) -> Result<bool, Error> {
        // First here: nobody is to go on while the store is asked.
        *self.0.until.lock() = Instant::now();
        self.0.keeper.release(self).await
    }
}

/// A lease that is renewed in the background, each time a third of its term is over, for as long as this lives.
///
/// Whoever works under it asks [`Held::is_held`] before each piece of work. Dropped, it is not renewed any more and ends with
/// its term; [`Held::release`] ends it at once.
#[derive(Debug)]
pub struct Held {
    lease: Lease,
    ends: Instant,
    renewing: JoinHandle<()>,
}

impl Held {
    /// Keeps a lease for `most` at the longest: work that hangs must not hold up the others for ever. To be called within
    /// a tokio runtime.
    pub fn keep(lease: Lease, most: Duration) -> Self {
        let ends = Instant::now() + most;
        Self {
            renewing: tokio::spawn(keep_renewing(lease.clone(), ends)),
            lease,
            ends,
        }
    }

    /// Whether to go on: false once a renewal has failed (whether refused or unanswered), once the term has passed on the local
    /// monotonic clock without one, and once it was held for as long as it may be.
    pub fn is_held(&self) -> bool {
        self.lease.is_live() && Instant::now() < self.ends
    }

    /// The lease, for [`Store::commit_under`](crate::Store::commit_under).
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Gives it up. False when it was over already.
    pub async fn release(self) -> Result<bool, Error> {
        self.renewing.abort();
        self.lease.release().await
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

async fn keep_renewing(lease: Lease, ends: Instant) {
    loop {
        let next = Instant::now() + lease.term() / 3;
        if next >= ends {
            return;
        }
        tokio::time::sleep_until(next).await;
        match lease.renew().await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(%error, campaign = %lease.campaign(), job = %lease.job(), "a lease could not be renewed");
                *lease.0.until.lock() = Instant::now();
                return;
            }
        }
    }
}
