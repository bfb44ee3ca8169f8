//! What a process does when others share its store: name the files that the store does not follow, and go on showing what
//! the store has lost.

use std::collections::HashMap;
use std::sync::Arc;

use campaign::{Compiled, Configs, TenantConfigs};

use super::ConfigsChoice;
use crate::served::{Served, Snapshot, TenantShell};

/// A tenant that was served and is not what it was.
pub(super) const TENANT_LOST: &str = "the store has lost it: its secret is gone or another, and with it who anyone is. What \
    was served is still shown, no event is taken, and nothing is created anew; bring the store's data back, or start again \
    to begin from nothing";

/// A campaign that was served and is gone.
pub(super) const CAMPAIGN_LOST: &str = "the store has lost it. What was served is still shown, no event is taken, and its \
    stock is not created anew; bring the store's data back, or start again to begin from nothing";

/// The campaigns that were served before, that the configs still name, and that are not among `found` in the store now.
pub(super) fn gone(
    before: &TenantShell,
    configs: &TenantConfigs,
    found: &HashMap<String, Arc<Served>>,
) -> Vec<Arc<Served>> {
    let named = |id: &str| configs.campaign(id).is_some();
    let gone = before
        .campaigns
        .iter()
        .filter(|(id, _)| !found.contains_key(*id) && named(id));
    gone.map(|(_, served)| shown(served, true)).collect()
}

/// A campaign as it was, where the store has it no longer or this program can't read what it has.
pub(super) fn shown(before: &Arc<Served>, lost: bool) -> Arc<Served> {
    if lost && !before.lost {
        Arc::new(before.as_lost())
    } else {
        before.clone()
    }
}

/// Where the configs differ from what the store has, in words. A process that does not seed names also what the store lacks:
/// it will not serve it, and cannot change that.
pub(super) fn differs(
    configs: &Configs,
    snapshot: &Snapshot,
    choice: &ConfigsChoice,
    seeds: bool,
) -> Vec<String> {
    let is_bundle = matches!(choice, ConfigsChoice::Bundle { .. });
    let mut differs = Vec::new();
    for tenant in &configs.tenants {
        let id = &tenant.tenant.id;
        let Some(shell) = snapshot.tenants.get(id) else {
            if !seeds {
                differs.push(format!(
                    "tenant `{id}` is not served: `gala serve` on the same store makes it known"
                ));
            }
            continue;
        };
        let compiled = tenant
            .campaigns
            .iter()
            .filter_map(|campaign| Some((&campaign.id, campaign.compiled.as_ref()?)));
        for (campaign, compiled) in compiled {
            let name = format!("{id}/{campaign}");
            match newest(shell, campaign, compiled) {
                Some((_, true)) => {}
                Some((revision, _)) if is_bundle => differs.push(format!(
                    "{name} of the bundle differs from revision {revision} in the store, which is served"
                )),
                Some((revision, _)) => differs.push(format!(
                    "{name}.yaml differs from revision {revision} in the store: `gala publish {name}` publishes it"
                )),
                None if !seeds => differs.push(format!(
                    "{name} is not served in edition {}: the store has no revision of it, and a function publishes nothing",
                    compiled.edition
                )),
                None => {}
            }
        }
        let mut unnamed: Vec<&Arc<Served>> = shell.campaigns.values().collect();
        unnamed.retain(|served| tenant.campaign(&served.campaign).is_none());
        unnamed.sort_by_key(|served| served.campaign.clone());
        differs.extend(unnamed.into_iter().map(|served| {
            format!(
                "{id}/{} is not in the bundle: what the store has is served, without lists that the bundle lacks",
                served.campaign
            )
        }));
    }
    differs
}

/// The newest live revision in the store of this edition, and whether it, or another that is live, says the same.
fn newest(shell: &TenantShell, campaign: &str, compiled: &Compiled) -> Option<(u32, bool)> {
    let served = shell.campaigns.get(campaign)?;
    let served =
        Some(served).filter(|served| served.edition == compiled.edition && !served.lost)?;
    let mut live = served.live.iter();
    let same = live.any(|(_, live)| live.sha256 == compiled.sha256);
    Some((served.newest()?.revision, same))
}
