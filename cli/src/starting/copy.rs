//! Last year's campaign as a new edition, in its own file or under another name.

use std::path::Path;

use campaign::renew::{Original, Renewal, Shift, renew};
use campaign::{Diagnostics, Files, LoadedTenant, story};
use chrono::Utc;

use super::Made;
use super::campaign::{no_id, no_tenant};
use super::files::Draft;
use super::sound::{self, Sound};
use crate::failure::Failure;

/// How many seeds are tried for a story that waits for luck: a prize of one in 200,000 is found by 99 % of them, in some seconds.
const SEEDS: u64 = 1_000_000;

/// Copies `from` as `to`, every date later by `shift`.
pub fn copy(
    configs: &Path,
    (to_tenant, to): (&str, &str),
    (from_tenant, from): (&str, &str),
    shift: Shift,
) -> Result<Made, Failure> {
    if !::campaign::document::is_id(to) || to == "tenant" {
        return Err(no_id("campaign", to));
    }
    let files = sound::read(configs)?;
    let before = Sound::of(configs, &files, &[]);
    let tenant = |id: &str| {
        before
            .tenant(id)
            .ok_or_else(|| no_tenant(configs, id, &before))
    };
    let source = tenant(from_tenant)?;
    tenant(to_tenant)?;
    if !source.files.contains_key(&format!("{from}.yaml")) || from == "tenant" {
        return Err(no_campaign(from_tenant, from, source));
    }
    let same = (to_tenant, to) == (from_tenant, from);
    if same {
        over(&before, from_tenant, from)?;
    }
    let folder = configs.join(to_tenant);
    let original = Original {
        files: &source.files,
        folder: &folder.display().to_string(),
        campaign: from,
    };
    let mut made =
        renew(&original, to, same, shift).map_err(|wrong| refused(&wrong, "can't be copied"))?;
    let mut sound = Sound::of(configs, &files, &drafts(&folder, &made, same));
    let said = sound.said(to_tenant);
    if said.has_errors() {
        return Err(refused(
            &said,
            "would not be sound, and nothing was written",
        ));
    }
    let mut notes = vec![format!(
        "{} dates are {shift} later; edition {}",
        made.shifted, made.edition
    )];
    if reseeded(&mut made, &sound, (to_tenant, to)) {
        notes.push(
            "another edition has other draws: stories that wait for a prize have another `seed`"
                .to_owned(),
        );
        sound = Sound::of(configs, &files, &drafts(&folder, &made, same));
    }
    let mut look = made.look();
    look.extend(said);
    look.extend(sound.played(to_tenant, to));
    let path = folder.join(format!("{to}.yaml"));
    let path = path.display();
    let drafts = drafts(&folder, &made, same);
    super::files::free(&drafts)?;
    Ok(Made {
        look: look.sorted(),
        next: vec![
            format!("gala test {path}"),
            format!("gala simulate {path}"),
            format!("gala publish {path} --dry-run"),
        ],
        notes,
        drafts,
    })
}

fn drafts(folder: &Path, made: &Renewal, same: bool) -> Vec<Draft> {
    let of = |(path, text): (&String, &String)| {
        let path = folder.join(path);
        if same {
            Draft::instead(path, text.clone())
        } else {
            Draft::new(path, text.clone())
        }
    };
    made.files.iter().map(of).collect()
}

/// An edition that is still running would end with its file.
fn over(sound: &Sound, tenant: &str, campaign: &str) -> Result<(), Failure> {
    let loaded = sound.campaign(tenant, campaign);
    let Some(definition) = loaded.and_then(|loaded| loaded.definition.as_ref()) else {
        return Ok(());
    };
    let until = definition.window.claim_until;
    if Utc::now().timestamp_millis() < until {
        return Err(Failure::check(
            "still-open",
            format!(
                "edition {} of {tenant}/{campaign} is not over before {}, and a new edition in its file would end it: copy it under another name, or then",
                definition.edition,
                definition.calendar.rfc3339(until)
            ),
        ));
    }
    Ok(())
}

/// Gives stories that came out differently another seed, where that is all they need.
fn reseeded(made: &mut Renewal, sound: &Sound, (tenant, campaign): (&str, &str)) -> bool {
    let Some(loaded) = sound.campaign(tenant, campaign) else {
        return false;
    };
    let (Some(definition), Some(stories)) = (&loaded.definition, &loaded.stories) else {
        return false;
    };
    let Ok(linked) = campaign::link(definition.clone(), 1) else {
        return false;
    };
    let Some(text) = story::reseed(&linked, stories, SEEDS) else {
        return false;
    };
    made.files.insert(format!("stories/{campaign}.yaml"), text);
    true
}

fn refused(wrong: &Diagnostics, how: &str) -> Failure {
    let said: String = wrong.iter().map(crate::show::plain).collect();
    Failure::check("unsound", format!("the copy {how}:\n{}", said.trim_end()))
}

fn no_campaign(tenant: &str, campaign: &str, found: &LoadedTenant) -> Failure {
    let known = campaigns(&found.files);
    let meant = ::campaign::diagnostic::did_you_mean(campaign, known.iter().copied());
    Failure::usage(format!(
        "the tenant `{tenant}` has no campaign `{campaign}`; it has {}{}",
        known.join(", "),
        meant.map_or(String::new(), |near| format!(" (did you mean `{near}`?)"))
    ))
}

fn campaigns(files: &Files) -> Vec<&str> {
    files
        .keys()
        .filter(|path| !path.contains('/') && path.as_str() != "tenant.yaml")
        .filter_map(|path| path.strip_suffix(".yaml"))
        .collect()
}
