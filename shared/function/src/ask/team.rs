//! How many members of a user's team signed in on the days that matter: one read of the store, of as many figures as the
//! longest streak asks for. A team is known to the store by a hash of its name, made with the tenant's secret.

use std::sync::Arc;

use blocks::team::{LATE_DAYS, Params};
use machine::facts::Tallies;
use machine::ids::Pseudonym;
use machine::input::Known;
use machine::model::{Campaign, TeamFact};

use super::Whom;
use crate::served::TenantShell;

impl TenantShell {
    /// What is known of a user's team; a team is known though its tallies are not.
    pub(super) async fn team(&self, who: &Whom<'_>, campaign: &Campaign, fact: &TeamFact) -> Known {
        let Some(name) = fact.of(&campaign.claims, who.claims) else {
            return Known::Unknown;
        };
        // No member id has this character.
        let team: Arc<str> = Pseudonym::of(&self.secret.0, &format!("\0team\0{name}"))
            .to_string()
            .into();
        let calendar = &campaign.calendar;
        let today = calendar.day(who.now);
        let opens = calendar.day(campaign.window.opens);
        let first = Params::first_day(fact.longest + LATE_DAYS, today, calendar, opens);
        let (counts, known) = match who.store.tallies(who.key, &team, first..=today).await {
            Ok(counts) => (counts, true),
            Err(error) => {
                tracing::warn!(%error, tenant = self.tenant.id, "how many of a team signed in is unknown");
                (Vec::new(), false)
            }
        };
        Known::Tallies(Tallies {
            team,
            first,
            counts,
            known,
        })
    }
}
