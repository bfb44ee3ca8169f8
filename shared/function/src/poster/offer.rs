//! The posters that a participant's view offers, each with an address that an `<img>` can use for a while.

use std::fmt;

use campaign::posters::template;
use machine::Millis;
use machine::block::Look;
use machine::ids::{CampaignKey, Lane, Pseudonym};
use machine::model::{Campaign, Poster, Posters};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::address::{Sealed, Sealer};
use crate::served::TenantShell;

/// A poster that can be shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PosterView {
    /// Its name.
    pub template: String,
    /// Its address, relative to that of the API (`/v1/..`), good for half an hour at least and for whoever has it. `format`, `scale`,
    /// `grant` and `lang` may be added.
    pub url: String,
}

/// To whom posters are offered.
#[derive(Clone, Copy)]
pub struct Offer<'a> {
    /// The tenant.
    pub tenant: &'a TenantShell,
    /// The campaign's lane.
    pub key: &'a CampaignKey,
    /// The user.
    pub user: &'a Pseudonym,
    /// What their token says.
    pub claims: Option<&'a Map<String, Json>>,
    /// The language of the page.
    pub language: &'a str,
    /// How far a preview link's clock is ahead, in milliseconds.
    pub ahead_ms: Millis,
    /// The server's clock, in no lane.
    pub clock: Millis,
}

impl fmt::Debug for Offer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Offer")
    }
}

impl Offer<'_> {
    /// The posters of a record that was brought up to now; `version` is the one that the view names.
    pub fn posters(&self, look: &Look<'_>, version: u64) -> Vec<PosterView> {
        let campaign = look.campaign;
        if campaign.posters.each.is_empty() {
            return Vec::new();
        }
        let sealer = Sealer::of(&self.tenant.secret, self.key);
        let offered = campaign.posters.each.iter();
        let offered = offered.filter(|poster| is_offered(poster, look));
        let view = |poster: &Poster| {
            let sealed = Sealed {
                user: *self.user,
                version,
                language: self.language.to_owned(),
                claims: self.claims.map_or_else(Map::new, |claims| {
                    let shown = shown_claims(campaign, &campaign.posters, poster);
                    Sealed::claims(claims, shown)
                }),
                ahead_ms: self.ahead_ms,
            };
            let seal = sealer.seal(&poster.name, &sealed, self.clock)?;
            let CampaignKey {
                tenant, campaign, ..
            } = self.key;
            let lane = match self.key.lane {
                Lane::Live => "",
                Lane::Test => "lane=test&",
            };
            Some(PosterView {
                template: poster.name.to_string(),
                url: format!(
                    "/v1/{tenant}/{campaign}/poster/{}?{lane}seal={seal}",
                    poster.name
                ),
            })
        };
        offered.filter_map(view).collect()
    }
}

/// Whether a poster is for this participant. One whose condition can't be worked out is for nobody.
pub fn is_offered(poster: &Poster, look: &Look<'_>) -> bool {
    match poster.when.as_ref().map(|when| when.eval(look)) {
        None => true,
        Some(Ok(holds)) => holds,
        Some(Err(error)) => {
            let campaign = &look.campaign.campaign;
            tracing::error!(%campaign, poster = %poster.name, %error, "a poster's condition failed");
            false
        }
    }
}

/// The claims that a poster may show, by name: those that a template of it names, and those that its figures and its condition may read.
fn shown_claims<'c>(
    campaign: &'c Campaign,
    posters: &'c Posters,
    poster: &'c Poster,
) -> impl Iterator<Item = &'c str> {
    let read = move |slot: usize| {
        let figures = poster.figures.iter();
        let mut figures = figures.map(|figure| &figure.program);
        figures.any(|program| reads_claim(program, slot))
            || poster
                .when
                .as_ref()
                .is_some_and(|when| reads_claim(&machine::expr::Expr::Bool(when.clone()), slot))
    };
    let named = move |name: &str| {
        let path = format!("user.{name}");
        let mut templates = poster.templates.values();
        templates.any(|path_of| template(posters, path_of).is_some_and(|svg| svg.contains(&path)))
    };
    let claims = campaign.claims.iter().enumerate();
    claims
        .filter(move |(slot, claim)| named(&claim.name) || read(*slot))
        .map(|(_, claim)| &*claim.name)
}

fn reads_claim(program: &machine::expr::Expr, slot: usize) -> bool {
    let mut found = false;
    program.each_source(&mut |source| {
        found |= matches!(source, machine::expr::Source::User(at) if usize::from(at) == slot);
    });
    found
}
