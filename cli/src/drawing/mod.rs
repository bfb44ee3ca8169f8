//! Posters for those who design them: a template with made-up people in it. What is said of whom is `campaign::posters`', how it is
//! drawn `poster`'s; here are only files, and who is made up.

mod people;
mod sheet;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use campaign::LoadedTenant;
use campaign::posters::content;
use machine::Definition;
use machine::model::Poster;
use poster::decode::{Limits, decode};
use poster::{Canvas, Content, Fonts, PlaceKind, Scale, Template, Warning};

pub use self::people::Case;
pub use self::sheet::sheet;
use crate::failure::Failure;
use crate::folder::{self, Folder};

/// A template, and the campaign's poster that it is of, where there is one.
#[derive(Debug)]
pub struct Subject {
    /// What is drawn.
    pub template: Template,
    /// Of which campaign, and which of its posters.
    pub of: Option<(Definition, Poster)>,
    /// The tenant's name by language.
    tenant: machine::Text,
    /// The tenant's languages, the first one is the usual.
    pub languages: Vec<String>,
}

/// What is wrong with a template that is no campaign's, with its place: line, column, what, the way out.
pub type Wrong = Vec<(usize, usize, String, &'static str)>;

/// The folder that a template belongs to, checked; none where it lies in no tenant's.
pub fn folder_of(file: &Path) -> Result<Option<Folder>, Failure> {
    if folder::tenant_of(file).is_err() {
        return Ok(None);
    }
    folder::load(file).map(Some)
}

/// Reads a template: as a poster of `campaign`, or of the first campaign that has it, or as nobody's.
pub fn read(
    file: &Path,
    folder: Option<&Folder>,
    campaign: Option<&str>,
    name: Option<&str>,
) -> Result<Result<Subject, Wrong>, Failure> {
    let svg = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("{} can't be read: {error}", file.display())))?;
    let svg = svg.trim_start_matches('\u{feff}');
    let tenant = folder.and_then(|folder| folder.tenants().first());
    let fonts = function::posters::fonts(&tenant.map_or_else(BTreeMap::new, |it| it.fonts.clone()));
    let template = match drawn_from(svg, file, &fonts) {
        Ok(template) => template,
        Err(wrong) => return Ok(Err(wrong)),
    };
    let of = match tenant {
        Some(tenant) => poster_of(file, tenant, campaign, name)?,
        None => None,
    };
    let languages = tenant.map_or_else(|| vec!["en".to_owned()], |it| it.tenant.languages.clone());
    Ok(Ok(Subject {
        template,
        of,
        tenant: tenant.map_or_else(machine::Text::default, |it| it.tenant.name.clone()),
        languages,
    }))
}

fn drawn_from(svg: &str, file: &Path, fonts: &Fonts) -> Result<Template, Wrong> {
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let beside = move |href: &str| std::fs::read(folder.join(href)).ok();
    Template::read(svg, &beside, fonts).map_err(|faults| {
        let source = campaign::Source::new("template", svg);
        let told = faults.iter().map(|fault| {
            let (line, column) = source.position(fault.at.start);
            (line, column, fault.kind.to_string(), fault.help())
        });
        told.collect()
    })
}

/// The campaign's poster that has this file as a template.
fn poster_of(
    file: &Path,
    tenant: &LoadedTenant,
    campaign: Option<&str>,
    name: Option<&str>,
) -> Result<Option<(Definition, Poster)>, Failure> {
    let path = from_tenant(file)?;
    let definitions = tenant
        .campaigns
        .iter()
        .filter_map(|campaign| campaign.definition.as_ref());
    let mut found = None;
    for definition in definitions {
        let is_asked = campaign.is_none_or(|asked| *definition.campaign == *asked);
        for poster in &definition.posters.each {
            let is_named = name.is_none_or(|name| *poster.name == *name);
            let has = poster.templates.values().any(|known| **known == *path);
            if is_asked && is_named && has && found.is_none() {
                found = Some((definition.clone(), poster.clone()));
            }
        }
    }
    if let (None, Some(campaign)) = (&found, campaign) {
        return Err(Failure::usage(format!(
            "the campaign `{campaign}` has no poster{} with the template `{path}`, or has errors (`gala check`)",
            name.map_or_else(String::new, |name| format!(" `{name}`"))
        )));
    }
    Ok(found)
}

/// A file's path from its tenant's folder.
fn from_tenant(file: &Path) -> Result<String, Failure> {
    let whole = |path: &Path| {
        path.canonicalize()
            .map_err(|error| Failure::usage(format!("{} can't be read: {error}", path.display())))
    };
    let tenant = whole(&folder::tenant_of(file)?)?;
    let file = whole(file)?;
    let rest = file.strip_prefix(&tenant).unwrap_or(&file);
    let parts = rest
        .components()
        .map(|part| part.as_os_str().to_string_lossy());
    Ok(parts.collect::<Vec<_>>().join("/"))
}

impl Subject {
    /// What stands on it in one case; `own` and `pictures` in the place of what is made up.
    pub fn content(
        &self,
        case: Case,
        language: &str,
        own: &BTreeMap<String, String>,
        pictures: &BTreeMap<String, PathBuf>,
    ) -> Result<Content, Failure> {
        let mut texts = match &self.of {
            Some((definition, poster)) => {
                let tenant = self.tenant.pick(language, &definition.language);
                if case == Case::Longest {
                    content::longest(definition, poster, tenant, language)
                } else {
                    content::sample(definition, poster, tenant, language)
                }
            }
            None => people::invented(&self.template),
        };
        case.change(&mut texts, self.of.as_ref(), language);
        let mut shown = BTreeMap::new();
        for place in self.template.places() {
            let known = pictures.get(&place.path);
            match (place.kind, known) {
                (PlaceKind::Picture, Some(file)) => {
                    shown.insert(place.path.clone(), Arc::new(picture(file)?));
                }
                (PlaceKind::Picture, None)
                    if place.path.starts_with("user.") && case != Case::Nobody =>
                {
                    shown.extend(people::face().map(|face| (place.path.clone(), Arc::new(face))));
                }
                _ => {}
            }
        }
        for (path, text) in own {
            texts.insert(path.clone(), text.clone());
        }
        Ok(Content {
            texts,
            pictures: shown,
        })
    }

    /// Draws it.
    pub fn draw(&self, content: &Content, scale: Scale) -> (Canvas, Vec<Warning>) {
        let composed = self.template.scene(scale).compose(content);
        (composed.canvas, composed.warnings)
    }
}

/// A picture from a file, as a server takes it from the net.
fn picture(file: &Path) -> Result<poster::Picture, Failure> {
    let bytes = std::fs::read(file)
        .map_err(|error| Failure::usage(format!("{} can't be read: {error}", file.display())))?;
    decode(&bytes, &Limits::AVATAR)
        .map_err(|no| Failure::usage(format!("{} can't be used: {no}", file.display())))
}
