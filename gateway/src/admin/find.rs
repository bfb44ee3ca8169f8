//! Which campaign, edition, lane a call means, and the definitions that its rows refer to.

use std::collections::HashMap;
use std::sync::Arc;

use function::problem::{Code, Problem};
use function::served::TenantShell;
use machine::Definition;
use machine::ids::{CampaignKey, Lane};
use store::{Published, Store};

use super::gate::Visit;

/// The campaign of that name: the edition asked for, else the newest. Campaigns whose file is gone are still found: their
/// books stay open.
pub(super) async fn campaign(
    visit: &Visit,
    campaign: &str,
    edition: Option<u32>,
) -> Result<Published, Problem> {
    let published = visit.soon(visit.store().published()).await?;
    let ours = published
        .into_iter()
        .filter(|found| *found.tenant == *visit.tenant_id() && *found.campaign == *campaign);
    ours.filter(|found| edition.is_none_or(|edition| found.edition == edition))
        .max_by_key(|found| found.edition)
        .ok_or_else(|| Problem::new(Code::NoSuchCampaign))
}

/// The key of a lane.
pub(super) fn key(found: &Published, lane: Lane) -> CampaignKey {
    CampaignKey {
        tenant: found.tenant.clone(),
        campaign: found.campaign.clone(),
        edition: found.edition,
        lane,
    }
}

/// Whether the units of a reward are the codes of a pool.
pub(super) fn takes_codes(newest: Option<&Definition>, reward: &str) -> bool {
    let mut rewards = newest.into_iter().flat_map(|newest| &newest.rewards);
    rewards.any(|known| *known.id == *reward && known.pool.is_some())
}

/// The definitions that rows refer to, each looked for once.
pub(super) struct Definitions {
    store: Arc<dyn Store>,
    tenant: Arc<TenantShell>,
    known: HashMap<(Arc<str>, u32, u32), Option<Arc<Definition>>>,
}

impl Definitions {
    pub fn new(visit: &Visit) -> Self {
        Self {
            store: visit.desk.store.clone(),
            tenant: visit.tenant.clone(),
            known: HashMap::new(),
        }
    }

    /// A revision's definition; none if this program cannot read it.
    pub async fn of(
        &mut self,
        campaign: &Arc<str>,
        edition: u32,
        revision: u32,
    ) -> Result<Option<Arc<Definition>>, store::Error> {
        let key = (campaign.clone(), edition, revision);
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let served = self
            .tenant
            .campaigns
            .get(&**campaign)
            .filter(|served| served.edition == edition);
        let known = served
            .and_then(|served| served.revisions.get(&revision))
            .cloned();
        let found = if known.is_some() {
            known
        } else {
            let stored = self
                .store
                .revision(&self.tenant.tenant.id, campaign, edition, revision)
                .await?;
            stored
                .and_then(|stored| campaign::decode(&stored.definition).ok())
                .map(Arc::new)
        };
        self.known.insert(key, found.clone());
        Ok(found)
    }

    /// The definition of the newest live revision.
    pub async fn newest(
        &mut self,
        found: &Published,
    ) -> Result<Option<Arc<Definition>>, store::Error> {
        let revision = found.live.last().map_or(found.newest, |live| live.revision);
        self.of(&found.campaign, found.edition, revision).await
    }
}
