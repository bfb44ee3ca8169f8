//! Newcomers by first sight, campaign beside campaign: whether those that are left out are there, and which campaigns make
//! each other's participants no newcomers. What a store holds beside the folder is not known here, so neither is an error.

use crate::codes;
use crate::diagnostic::{Diagnostics, meant};
use crate::load::LoadedCampaign;
use crate::relays::Relays;

/// Holds a tenant's campaigns against each other; `relays` are theirs, in the same order.
pub(crate) fn check(campaigns: &[LoadedCampaign], relays: &[Relays], out: &mut Diagnostics) {
    for (campaign, own) in campaigns.iter().zip(relays) {
        let Some(place) = &own.first_sight else {
            continue;
        };
        for left_out in &own.left_out {
            if campaigns.iter().all(|known| known.id != left_out.what) {
                let others = campaigns.iter().map(|known| known.id.as_str());
                let name = &left_out.what;
                out.warn(
                    codes::LEFT_OUT_NOWHERE,
                    &left_out.place,
                    format!("`except` leaves out `{name}`, and this folder has no such campaign"),
                )
                .help(meant(name, others).unwrap_or_else(|| {
                    "a campaign is named as its file; one that is only in the store can be named all the same".to_owned()
                }));
            }
        }
        for (other, theirs) in campaigns.iter().zip(relays) {
            let is_left_out = own.left_out.iter().any(|left| left.what == other.id);
            if other.id == campaign.id || is_left_out {
                continue;
            }
            if let Some(related) = &theirs.first_sight {
                out.note(
                    codes::FIRST_SIGHT_OF_EACH_OTHER,
                    place,
                    format!(
                        "whoever takes part in `{}`, which is for newcomers by first sight too, is none here any more",
                        other.id
                    ),
                )
                .related(related, "the other one")
                .help(format!(
                    "if they may have both, leave it out: `except: [{}]`",
                    other.id
                ));
            }
        }
    }
}
