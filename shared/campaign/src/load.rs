//! A whole folder of configs, from its files' texts: every tenant, every campaign, every list, all diagnostics at once.
//! Reading the folder itself is the caller's.
//!
//! `<tenant>/tenant.yaml` · `<tenant>/<campaign>.yaml` · `<tenant>/lists/<list>.csv` · `<tenant>/stories/<campaign>.yaml`
//! and whatever else campaigns name (`<tenant>/rules/..`, `<tenant>/posters/..`; what is no text, pictures and fonts, stands here
//! in Base64). Files and folders whose name begins with a dot are not looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use machine::model::Definition;

use crate::activity::Activities;
use crate::check::{Files, Input, check};
use crate::codec::link;
use crate::codes;
use crate::diagnostic::{Diagnostics, meant};
use crate::document::is_id;
use crate::first_sight;
use crate::relays;
use crate::source::{Place, Source};
use crate::story::{self, Report};
use crate::tenant::{self, Tenant};

/// The file that makes a folder a tenant's.
const TENANT_FILE: &str = "tenant.yaml";

/// How large a font of a tenant's own may be, in bytes.
pub const FONT_BYTES: usize = 12 << 20;

/// The longest member id, in bytes.
const LONGEST_MEMBER: usize = 255;

/// What may only follow from what is wrong with a tenant: a language, a claim, a currency, a connector, a timezone that
/// could not be read there. It is not said of its campaigns before the tenant is sound.
const FROM_TENANT: [&str; 8] = [
    codes::LANGUAGE,
    codes::LANGUAGE_MISSING,
    codes::RULES_MISSING,
    codes::EXPR_NAME,
    codes::UNKNOWN_CONNECTOR,
    codes::DECIMAL_DIGITS,
    codes::TIME_GAP,
    codes::TIME_TWICE,
];

/// What a folder of configs holds.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The tenants whose own file is sound, by id.
    pub tenants: Vec<LoadedTenant>,
    /// All there is to say about all files.
    pub diagnostics: Diagnostics,
}

/// A tenant with its campaigns.
#[derive(Debug)]
pub struct LoadedTenant {
    /// Its settings.
    pub tenant: Tenant,
    /// Its lists' members, by the list's name.
    pub lists: BTreeMap<String, BTreeSet<String>>,
    /// The bytes of its own fonts, by path.
    pub fonts: BTreeMap<String, Arc<[u8]>>,
    /// Its campaigns, by id.
    pub campaigns: Vec<LoadedCampaign>,
    /// Its files, by their path from its folder: for checking drafts against.
    pub files: Files,
}

/// A campaign's file.
#[derive(Debug)]
pub struct LoadedCampaign {
    /// Its id.
    pub id: String,
    /// Its file.
    pub source: Arc<Source>,
    /// What it says; none if there was an error.
    pub definition: Option<Definition>,
    /// Its stories' file, if there is one.
    pub stories: Option<Arc<Source>>,
    /// The files that its rules are in, as diagnostics name them.
    pub rules: Vec<String>,
    /// The templates of its posters, as diagnostics name them.
    pub posters: Vec<String>,
}

/// Checks all files. `files` are texts by their path from the folder, with `/` between names; `root` is what the folder
/// is called in diagnostics.
pub fn load(root: &str, files: &Files, activities: &dyn Activities) -> Loaded {
    let mut folders: BTreeMap<&str, Files> = BTreeMap::new();
    for (path, text) in files {
        if path.split('/').any(|name| name.starts_with('.')) {
            continue;
        }
        // What lies beside the tenants' folders (a README) is nobody's.
        if let Some((folder, rest)) = path.split_once('/') {
            folders
                .entry(folder)
                .or_default()
                .insert(rest.to_owned(), text.clone());
        }
    }
    let mut loaded = Loaded::default();
    for (folder, files) in folders {
        let name = format!("{root}/{folder}");
        loaded.tenants.extend(tenant(
            folder,
            &name,
            files,
            activities,
            &mut loaded.diagnostics,
        ));
    }
    loaded.diagnostics.sort();
    loaded
}

fn tenant(
    id: &str,
    folder: &str,
    files: Files,
    activities: &dyn Activities,
    out: &mut Diagnostics,
) -> Option<LoadedTenant> {
    let named = |path: &str, text: &str| Source::new(format!("{folder}/{path}"), text);
    let place = |path: &str| Place::start_of(&named(path, ""));
    if !is_id(id) {
        out.error(
            codes::FILE_NAME,
            &place(""),
            format!("`{id}` can't be a tenant's id"),
        )
        .help("name the folder with 1 to 64 of the characters `a-z`, `0-9` and `-`");
        return None;
    }
    let Some(text) = files.get(TENANT_FILE) else {
        out.error(codes::FILE_MISSING, &place(TENANT_FILE), format!("the folder `{id}` has no `{TENANT_FILE}`"))
            .help("every tenant's folder has one: who it is, and with what keys its users' tokens are checked");
        return None;
    };
    let mut own = Diagnostics::new();
    let read = tenant::read(id, &named(TENANT_FILE, text), &mut own);
    let unsound = own.has_errors();
    out.extend(own);
    let tenant = read?;

    let mut lists = BTreeMap::new();
    let mut campaigns = Vec::new();
    let mut relays = Vec::new();
    for (path, text) in &files {
        if let Some(name) = path
            .strip_prefix("lists/")
            .and_then(|name| name.strip_suffix(".csv"))
        {
            lists.insert(name.to_owned(), members(&named(path, text), out));
        } else if path.strip_suffix(".yml").is_some() {
            out.error(codes::FILE_NAME, &place(path), "this file is not looked at")
                .help("name it `.yaml`");
        } else if let Some(story) = path
            .strip_prefix("stories/")
            .and_then(|name| name.strip_suffix(".yaml"))
        {
            if !files.contains_key(&format!("{story}.yaml")) {
                out.error(
                    codes::FILE_MISSING,
                    &place(path),
                    format!("these stories have no campaign `{story}.yaml`"),
                );
            }
        } else if let Some(name) = path
            .strip_suffix(".yaml")
            .filter(|name| !name.contains('/') && path != TENANT_FILE)
        {
            if !is_id(name) {
                out.error(
                    codes::FILE_NAME,
                    &place(path),
                    format!("`{name}` can't be a campaign's id"),
                )
                .help("name the file with 1 to 64 of the characters `a-z`, `0-9` and `-`");
                continue;
            }
            let source = named(path, text);
            let input = Input {
                campaign: name,
                source: source.clone(),
                tenant: &tenant,
                files: &files,
            };
            let checked = check(&input, activities);
            let found = checked.diagnostics.into_iter();
            found
                .filter(|each| !(unsound && FROM_TENANT.contains(&each.code)))
                .for_each(|each| out.push(each));
            relays.push(checked.relays);
            let stories = format!("stories/{name}.yaml");
            let definition = checked.definition.as_ref();
            let frozen = definition.map(|found| &found.posters.files).into_iter();
            let templates = frozen.flatten().filter(|(path, _)| path.ends_with(".svg"));
            campaigns.push(LoadedCampaign {
                posters: templates
                    .map(|(path, _)| format!("{folder}/{path}"))
                    .collect(),
                id: name.to_owned(),
                source,
                definition: checked.definition,
                stories: files.get(&stories).map(|text| named(&stories, text)),
                rules: checked.rules_files,
            });
        }
    }
    relays::check(&mut campaigns, &relays, out);
    first_sight::check(&campaigns, &relays, out);
    Some(LoadedTenant {
        fonts: fonts(&tenant, &files, &place(TENANT_FILE), out),
        tenant,
        lists,
        campaigns,
        files,
    })
}

/// The bytes of the fonts that a tenant names.
fn fonts(
    tenant: &Tenant,
    files: &Files,
    place: &Place,
    out: &mut Diagnostics,
) -> BTreeMap<String, Arc<[u8]>> {
    let mut found = BTreeMap::new();
    for path in &tenant.posters.fonts {
        let bytes = files
            .get(path)
            .and_then(|text| STANDARD.decode(text.as_bytes()).ok());
        match bytes {
            Some(bytes) if bytes.len() <= FONT_BYTES => {
                found.insert(path.clone(), bytes.into());
            }
            Some(_) => {
                let most = FONT_BYTES >> 20;
                let message = format!("the font `{path}` is larger than {most} MB");
                out.error(codes::TENANT_POSTERS, place, message)
                    .help("take one with the letters that the posters need (a subset)");
            }
            None => {
                let message = format!("there is no file `{path}` in the tenant's folder");
                out.error(codes::FILE_MISSING, place, message)
                    .maybe_help(meant(path, files.keys().map(String::as_str)));
            }
        }
    }
    found
}

/// The members on a list: one id a line, under an optional header `member`.
pub fn members(source: &Arc<Source>, out: &mut Diagnostics) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut start = 0;
    for (number, line) in source.text().split('\n').enumerate() {
        let member = line.trim();
        let place = Place::new(source, start, start + line.len());
        start += line.len() + 1;
        if member.is_empty() || (number == 0 && member == "member") {
            continue;
        }
        if member.contains([',', ';', '\t', '"', '，', '；']) {
            out.error(
                codes::LIST_LINE,
                &place,
                "a line of a list holds one member id and nothing else",
            )
            .help("keep the column with the member ids only");
        } else if member.len() > LONGEST_MEMBER {
            out.error(
                codes::LIST_LINE,
                &place,
                format!("a member id has at most {LONGEST_MEMBER} bytes"),
            );
        } else {
            found.insert(member.to_owned());
        }
    }
    found
}

impl LoadedCampaign {
    /// Plays its stories; nothing if it has none, or is not sound itself.
    pub fn play(&self) -> Option<Report> {
        let (definition, stories) = (self.definition.as_ref()?, self.stories.as_ref()?);
        let mut out = Diagnostics::new();
        let campaign = match link(definition.clone(), 1) {
            Ok(campaign) => campaign,
            Err(error) => {
                out.error(
                    codes::STORY,
                    &Place::start_of(&self.source),
                    error.to_string(),
                );
                return Some(Report {
                    failures: out,
                    ..Report::default()
                });
            }
        };
        let told = story::read(stories, &campaign, &mut out);
        let mut report = story::run(&campaign, &told);
        report.failures.extend(out);
        report.failures.sort();
        Some(report)
    }
}
