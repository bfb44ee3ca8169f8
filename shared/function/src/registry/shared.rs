//! What a process does when others share its store: name the files that the store does not follow, and go on showing what
//! the store has lost.

use std::collections::HashMap;
use std::sync::Arc;

use campaign::{Loaded, LoadedTenant};

use crate::served::{Served, Snapshot, TenantShell};

/// A tenant that was served and is not what it was.
pub(super) const TENANT_LOST: &str = "the store has lost it: its secret is gone or another, and with it who anyone is. What \
    was served is still shown, no event is taken, and nothing is created anew; bring the store's data back, or start again \
    to begin from nothing";

/// A campaign that was served and is gone.
pub(super) const CAMPAIGN_LOST: &str = "the store has lost it. What was served is still shown, no event is taken, and its \
    stock is not created anew; bring the store's data back, or start again to begin from nothing";

/// The campaigns that were served before, whose files are still there, and that are not among `found` in the store now.
pub(super) fn gone(
    before: &TenantShell,
    loaded: &LoadedTenant,
    found: &HashMap<String, Arc<Served>>,
) -> Vec<Arc<Served>> {
    let in_folder = |id: &str| loaded.campaigns.iter().any(|file| file.id == id);
    let gone = before
        .campaigns
        .iter()
        .filter(|(id, _)| !found.contains_key(*id) && in_folder(id));
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

/// The files that differ from the newest revision in the store, in words.
pub(super) fn differs(loaded: &Loaded, snapshot: &Snapshot) -> Vec<String> {
    let mut differs = Vec::new();
    for tenant in &loaded.tenants {
        let id = &tenant.tenant.id;
        let Some(shell) = snapshot.tenants.get(id) else {
            continue;
        };
        for definition in tenant.campaigns.iter().filter_map(|file| file.definition.as_ref()) {
            let name = &definition.campaign;
            let served = shell.campaigns.get(&**name);
            let newest = served
                .filter(|served| served.edition == definition.edition && !served.lost)
                .and_then(|served| served.revisions.last_key_value());
            if let Some((revision, _)) = newest.filter(|(_, newest)| ***newest != *definition) {
                differs.push(format!(
                    "{id}/{name}.yaml differs from revision {revision} in the store: `gala publish {id}/{name}` publishes it"
                ));
            }
        }
    }
    differs
}
