//! The sweep: delayed transitions fire although nobody comes by. Where several processes share a store, one of them sweeps a
//! lane at a time, under a lease.

use std::sync::Arc;
use std::time::Duration;

use machine::Millis;
use machine::ids::Lane;
use store::lease::Held;
use tokio::time::Instant;

use crate::engine::{Caller, Failed, tick};
use crate::http::Shell;
use crate::lists::Listed;
use crate::pools;
use crate::served::{Served, TenantShell};

/// How often due participants are looked for.
pub const EVERY: Duration = Duration::from_secs(1);

/// How many of one campaign are taken at once.
const MOST: usize = 256;

/// The job that the lease is for.
const JOB: &str = "sweep";

/// How long the lease on a lane's sweep lasts. It is not given up after the sweep but left to end: whoever comes first sweeps,
/// and the others find it taken, so that all processes together look about once in [`EVERY`].
const TERM: Duration = Duration::from_millis(900);

/// How long one sweep of a lane may hold up the others'.
const HELD_AT_MOST: Duration = Duration::from_secs(30);

/// Fires what is due in every campaign that this shell serves; how many participants it moved.
pub async fn sweep(shell: &Shell) -> usize {
    let snapshot = shell.registry.snapshot();
    let (mut moved, mut failures) = (0, 0_u32);
    let mut last = None;
    for tenant in snapshot.tenants.values() {
        for served in tenant.campaigns.values() {
            for lane in [Lane::Live, Lane::Test] {
                match sweep_lane(shell, tenant, served, lane).await {
                    Ok(fired) => moved += fired,
                    // One campaign's server may be away while the others' are there: go on.
                    Err(error) => {
                        failures += 1;
                        last = Some((error, served.key(lane)));
                    }
                }
            }
        }
    }
    if let Some((error, campaign)) = last {
        // One line a sweep, not one a lane.
        tracing::warn!(%error, %campaign, failures, "the sweep could not read who is due");
    }
    moved
}

/// Fires what is due in one lane, unless another process does.
async fn sweep_lane(
    shell: &Shell,
    tenant: &TenantShell,
    served: &Served,
    lane: Lane,
) -> Result<usize, store::Error> {
    let key = served.key(lane);
    let held = if shell.store.is_remote() {
        let Some(lease) = shell.store.lease(&key, JOB, TERM).await? else {
            return Ok(0);
        };
        Some(Held::keep(lease, HELD_AT_MOST))
    } else {
        None
    };
    let now = clock(shell, served, lane);
    let mut moved = 0;
    for user in shell.store.due(&key, now, MOST).await? {
        if held.as_ref().is_some_and(|held| !held.is_held()) {
            // Another process goes on from here, or this one next time.
            break;
        }
        let caller = Caller {
            shell: tenant,
            served,
            member: "",
            user,
            claims: None,
            lane,
            rehearsal: lane == Lane::Test,
            now,
            language: tenant.tenant.language(),
            listed: Listed::default(),
        };
        match tick(&*shell.store, &caller, held.as_ref().map(Held::lease)).await {
            Ok(true) => moved += 1,
            Ok(false) => {}
            Err(Failed::Store(store::Error::LeaseLost)) => break,
            Err(error) => {
                tracing::warn!(?error, campaign = %key, "a delayed transition could not be fired");
            }
        }
    }
    Ok(moved)
}

/// The clock of a lane.
pub(crate) fn clock(shell: &Shell, served: &Served, lane: Lane) -> Millis {
    let offset = if lane == Lane::Test {
        served.test_clock_offset
    } else {
        0
    };
    shell.clock.now().saturating_add(offset)
}

/// Sweeps for ever. The first calls come before the first sweep.
pub async fn run(shell: Arc<Shell>) {
    let mut every = tokio::time::interval_at(Instant::now() + EVERY, EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let keeper = pools::Keeper::default();
    loop {
        every.tick().await;
        keeper.round(&shell).await;
        sweep(&shell).await;
    }
}
