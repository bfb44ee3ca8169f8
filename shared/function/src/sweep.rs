//! The sweep: delayed transitions fire although nobody comes by.

use std::sync::Arc;
use std::time::Duration;

use machine::ids::Lane;

use crate::engine::{Caller, tick};
use crate::http::Shell;

/// How often due participants are looked for.
pub const EVERY: Duration = Duration::from_secs(1);

/// How many of one campaign are taken at once.
const MOST: usize = 256;

/// Fires what is due in every campaign that this shell serves; how many participants it moved.
pub async fn sweep(shell: &Shell) -> usize {
    let snapshot = shell.registry.snapshot();
    let mut moved = 0;
    for tenant in snapshot.tenants.values() {
        for served in tenant.campaigns.values() {
            for lane in [Lane::Live, Lane::Test] {
                let offset = if lane == Lane::Test {
                    served.test_clock_offset
                } else {
                    0
                };
                let now = shell.clock.now().saturating_add(offset);
                let key = served.key(lane);
                let due = match shell.store.due(&key, now, MOST).await {
                    Ok(due) => due,
                    Err(error) => {
                        tracing::warn!(%error, campaign = %key, "the sweep could not read who is due");
                        continue;
                    }
                };
                for user in due {
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
                    };
                    match tick(&*shell.store, &caller).await {
                        Ok(true) => moved += 1,
                        Ok(false) => {}
                        Err(error) => {
                            tracing::warn!(?error, campaign = %key, "a delayed transition could not be fired");
                        }
                    }
                }
            }
        }
    }
    moved
}

/// Sweeps for ever.
pub async fn run(shell: Arc<Shell>) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        sweep(&shell).await;
    }
}
