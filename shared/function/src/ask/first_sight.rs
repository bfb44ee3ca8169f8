//! Whether the tenant sees a user for the first time: one look of the store at each of its other campaigns, in the same lane.
//! What was committed there counts, and nothing else: who only looked at a page was not seen.
//!
//! Two campaigns in which somebody does something for the first time in the same instant may both find them new: neither
//! look sees a commit that is still under way. So of campaigns that are held against each other like this each may give
//! once; never the same one twice, since what was found is kept in the record with that commit.

use std::sync::Arc;
use std::time::Duration;

use machine::ids::CampaignKey;
use machine::input::Known;
use machine::model::FirstSight;

use super::Whom;
use crate::served::TenantShell;

/// How long a call waits for it.
const PATIENCE: Duration = Duration::from_millis(500);

impl TenantShell {
    /// Whether a user is new: yes, no, or unknown where the store does not say in time.
    pub(super) async fn first_sight(&self, who: &Whom<'_>, fact: &FirstSight) -> Known {
        let elsewhere: Vec<CampaignKey> = self.elsewhere(who.key, &fact.except).collect();
        if elsewhere.is_empty() {
            return Known::Yes;
        }
        let look = who.store.is_known(&elsewhere, who.user);
        match tokio::time::timeout(PATIENCE, look).await {
            Ok(Ok(true)) => Known::No,
            Ok(Ok(false)) => Known::Yes,
            Ok(Err(error)) => {
                tracing::warn!(%error, tenant = self.tenant.id, "who is new is unknown");
                Known::Unknown
            }
            Err(_) => {
                tracing::warn!(
                    tenant = self.tenant.id,
                    "who is new is unknown: the store did not say in time"
                );
                Known::Unknown
            }
        }
    }

    /// All editions in the store but this one and those of the campaigns that are left out, each in this lane.
    fn elsewhere(&self, own: &CampaignKey, except: &[String]) -> impl Iterator<Item = CampaignKey> {
        let others = self.editions.iter().filter(|(campaign, edition)| {
            let is_own = **campaign == *own.campaign && *edition == own.edition;
            !is_own && !except.iter().any(|left_out| **left_out == **campaign)
        });
        others.map(|(campaign, edition)| CampaignKey {
            campaign: Arc::clone(campaign),
            edition: *edition,
            ..own.clone()
        })
    }
}
