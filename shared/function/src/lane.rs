//! Who plays in which lane, and what its clock says.

use std::sync::Arc;

use machine::ids::Lane;
use machine::model::Phase;
use machine::participant::Participant;
use machine::{Campaign, Millis};
use serde_json::{Map, Value as Json};

use crate::engine::user_of;
use crate::lists::Listed;
use crate::served::{Served, TenantShell};

/// In which lane someone plays, whether its opening is waited for, and what its clock says.
///
/// Testers play in the test lane before the window opens, and after that when they ask for it; nobody else can.
pub fn lane_of(
    shell: &TenantShell,
    served: &Served,
    member: &str,
    claims: Option<&Map<String, Json>>,
    listed: &Listed,
    asks_for_test: bool,
    clock: Millis,
) -> Result<(Lane, Millis), NotATester> {
    let live = (Lane::Live, clock);
    let Some(campaign) = served.newest() else {
        return Ok(live);
    };
    if !asks_for_test
        && (campaign.testers.is_none() || campaign.window.phase(clock) != Phase::Preview)
    {
        return Ok(live);
    }
    if is_tester(shell, campaign, member, claims, listed, clock) {
        return Ok((Lane::Test, clock.saturating_add(served.test_clock_offset)));
    }
    if asks_for_test {
        Err(NotATester)
    } else {
        Ok(live)
    }
}

/// Someone asked for the test lane who is no tester.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotATester;

fn is_tester(
    shell: &TenantShell,
    campaign: &Arc<Campaign>,
    member: &str,
    claims: Option<&Map<String, Json>>,
    listed: &Listed,
    now: Millis,
) -> bool {
    let Some(testers) = &campaign.testers else {
        return false;
    };
    let nobody = Participant::new(campaign, now);
    let user = user_of(campaign, claims);
    let facts = shell.facts(campaign, member, listed);
    machine::step::holds(testers, campaign, &nobody, &user, &facts, now).unwrap_or(false)
}
