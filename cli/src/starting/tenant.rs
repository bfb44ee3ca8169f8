//! A new tenant: its settings and a first campaign.

use std::path::Path;

use super::campaign::{self, Kind};
use super::files::Draft;
use super::sound::{self, Sound};
use super::template::Blanks;
use super::{Made, campaign::finished};
use crate::failure::Failure;

const TENANT: &str = include_str!("templates/tenant.yaml");

/// The first campaign's id.
const FIRST: &str = "welcome";

/// What is known of a tenant before it is one.
#[derive(Debug)]
pub struct About<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its timezone.
    pub timezone: chrono_tz::Tz,
    /// Its currency's code.
    pub currency: &'a str,
    /// Its languages, the default first.
    pub languages: &'a [String],
}

/// Makes a tenant with a first campaign.
pub fn tenant(configs: &Path, about: &About<'_>) -> Result<Made, Failure> {
    let id = about.id;
    if !::campaign::document::is_id(id) {
        return Err(campaign::no_id("tenant", id));
    }
    let folder = configs.join(id);
    if folder.join("tenant.yaml").exists() {
        return Err(Failure::check(
            "exists",
            format!(
                "there is a tenant `{id}` already: `gala new campaign {id}/NAME` gives it a campaign"
            ),
        ));
    }
    let blanks = Blanks {
        values: vec![
            ("tenant", id.to_owned()),
            ("timezone", about.timezone.name().to_owned()),
            ("currency", about.currency.to_owned()),
            ("languages", about.languages.join(", ")),
        ],
        languages: about.languages.to_vec(),
    };
    let mut drafts = vec![Draft::new(folder.join("tenant.yaml"), blanks.fill(TENANT))];
    let opens = campaign::today(about.timezone);
    drafts.extend(campaign::drafts(
        &folder,
        FIRST,
        Kind::GiftPack,
        about.languages,
        opens,
    ));
    let sound = Sound::of(configs, &sound::read(configs)?, &drafts);
    let campaign = folder.join(format!("{FIRST}.yaml"));
    let campaign = campaign.display();
    finished(
        Made {
            look: sound.said(id),
            next: vec![
                format!("gala test {campaign}"),
                format!("gala simulate {campaign}"),
                format!("gala serve --configs {}", configs.display()),
            ],
            notes: Vec::new(),
            drafts,
        },
        &sound,
        (id, FIRST),
    )
}
