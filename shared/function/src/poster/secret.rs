//! The keys of posters: each derived from the tenant's secret for one purpose and one campaign, so that nothing has to be set up, every
//! function that serves the campaign has them, and what is signed with one is worth nothing anywhere else.

use hmac::{Hmac, KeyInit, Mac};
use machine::ids::CampaignKey;
use machine::luck::Seed;
use sha2::Sha256;

/// A MAC of this kind, keyed.
pub(super) fn mac(key: &[u8; 32]) -> Hmac<Sha256> {
    // It takes a key of any length; the error exists because the trait does not know that.
    Hmac::new_from_slice(key)
        .unwrap_or_else(|_| Hmac::new(&hmac::digest::Key::<Hmac<Sha256>>::default()))
}

/// The key for `purpose` in one edition and lane of a tenant's campaign.
pub(super) fn derive(tenant: &Seed, purpose: &str, campaign: &CampaignKey) -> [u8; 32] {
    let mut mac = mac(&tenant.0);
    let (edition, lane) = (campaign.edition.to_string(), campaign.lane.to_string());
    let parts = [
        purpose,
        &campaign.tenant,
        &campaign.campaign,
        &edition,
        &lane,
    ];
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().into()
}
