//! Draws from a list of entries, when their time has come: the list is closed, the draw booked, everybody who was drawn told; and
//! what is not claimed in time goes to the next. Runs beside the sweep; where several processes share a store, one of them does
//! a lane at a time, under a lease.
//!
//! The lease saves work and guards nothing. Each step is right by itself, whoever else is at it, and after a crash between any two:
//! - The list is closed in the store (`Action::CloseEntries`): after that no commit can add an entry, and how many there are
//!   is what the counter says. A list with a hole in it is never drawn from.
//! - The draw is one commit on a record of nobody's, which has no version before it: the first one wins, and a second one had
//!   computed the same.
//! - Who won is told on their own record, which says whether they were.
//! - A prize that lapses does so on its winner's record, where a claim would be: one of the two is first. Only then is an
//!   alternate told (`next`), and alternates are told in their order, so no two ever have the same unit.

mod draw;
mod known;
mod next;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use machine::Millis;
use machine::ids::{CampaignKey, Lane};
use machine::model::Campaign;
use store::Error;
use store::lease::Held;
use tokio::time::Instant;

use crate::engine::Failed;
use crate::http::Shell;
use crate::served::{Served, TenantShell};
use crate::sweep::clock;

pub use blocks::raffle::{Params, Standing, of, standing};
pub use known::{Drawn, Known};

/// How often draws are looked at.
pub const EVERY: Duration = Duration::from_secs(1);

/// The job that the lease is for.
const JOB: &str = "raffle";

/// How long the lease on a lane lasts; it is left to end, as the sweep's.
const TERM: Duration = Duration::from_millis(900);

/// How long one round of a lane may hold up the others': a list of millions is read.
const HELD_AT_MOST: Duration = Duration::from_mins(2);

/// Draws from round to round, remembering when there is something to do next: a draw that waits for nothing costs nothing.
#[derive(Debug, Default)]
pub struct Raffles {
    next: HashMap<CampaignKey, Next>,
}

/// When a lane was looked at, and from when on there is something to do again.
#[derive(Debug, Clone, Copy)]
struct Next {
    looked: Millis,
    due: Millis,
}

/// One lane with a raffle.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    shell: &'a Shell,
    tenant: &'a TenantShell,
    served: &'a Served,
    lane: Lane,
    /// The clock of the lane.
    now: Millis,
}

/// What stood in the way. The next round tries again.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    /// The store.
    #[error(transparent)]
    Store(#[from] Error),
    /// Someone could not be told.
    #[error("somebody who was drawn can't be told: {0:?}")]
    Told(Failed),
    /// The list is not whole.
    #[error("the list of entries is not whole: {0}")]
    List(String),
    /// The draw was not taken.
    #[error("the draw was not booked: {0}")]
    Draw(String),
}

impl Raffles {
    /// Does what is due, once, in every campaign that this shell serves; how many draws were made and people told.
    pub async fn round(&mut self, shell: &Shell) -> usize {
        let snapshot = shell.registry.snapshot();
        let mut done = 0;
        for tenant in snapshot.tenants.values() {
            for served in tenant.campaigns.values() {
                for lane in [Lane::Live, Lane::Test] {
                    let place = Place {
                        shell,
                        tenant,
                        served,
                        lane,
                        now: clock(shell, served, lane),
                    };
                    match self.lane(&place).await {
                        Ok(did) => done += did,
                        Err(error) => {
                            let campaign = served.key(lane);
                            tracing::warn!(%error, %campaign, "a draw from entries waits");
                        }
                    }
                }
            }
        }
        done
    }

    async fn lane(&mut self, place: &Place<'_>) -> Result<usize, Stopped> {
        let Some((campaign, params, name)) = place.raffle() else {
            return Ok(0);
        };
        let (now, key) = (place.now, place.served.key(place.lane));
        if now < params.draw_at || now >= campaign.window.claim_until || place.is_stopped() {
            return Ok(0);
        }
        let known = self.next.get(&key);
        // A test lane's clock goes back, too.
        if known.is_some_and(|next| next.looked <= now && now < next.due)
            && place.lane == Lane::Live
        {
            return Ok(0);
        }
        let store = &*place.shell.store;
        let held = if store.is_remote() {
            let Some(lease) = store.lease(&key, JOB, TERM).await? else {
                return Ok(0);
            };
            Some(Held::keep(lease, HELD_AT_MOST))
        } else {
            None
        };
        let raffles = place.shell.registry.raffles();
        let mut done = 0;
        let drawn = if let Some(drawn) = raffles.look(store, &key, &name).await? {
            drawn
        } else {
            if !draw::draw(place, &campaign, &params, &name).await? {
                return Ok(0);
            }
            done += 1;
            let found = raffles.look_again(store, &key, &name).await?;
            found.ok_or_else(|| Stopped::Draw("it is not there".to_owned()))?
        };
        let told = next::tell(place, &campaign, &drawn, held.as_ref()).await?;
        let due = told.due;
        self.next.insert(key, Next { looked: now, due });
        Ok(done + told.told)
    }
}

impl Place<'_> {
    /// The raffle that this shell draws here, under the newest revision, and its name.
    fn raffle(&self) -> Option<(Arc<Campaign>, Params, Arc<str>)> {
        let campaign = self.served.newest()?;
        let only = self.shell.activity;
        if self.served.lost || only.is_some_and(|only| *campaign.activity != *only) {
            return None;
        }
        let (params, spec) = of(campaign)?;
        Some((campaign.clone(), params, spec.name.clone()))
    }

    /// Whether all of it is paused: then it is drawn when it goes on.
    fn is_stopped(&self) -> bool {
        let pause = self.served.pause.as_ref();
        self.lane == Lane::Live && pause.is_some_and(|pause| pause.event.is_none())
    }
}

/// Draws for ever.
pub async fn run(shell: Arc<Shell>) {
    let mut raffles = Raffles::default();
    let mut every = tokio::time::interval_at(Instant::now() + EVERY, EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        raffles.round(&shell).await;
    }
}
