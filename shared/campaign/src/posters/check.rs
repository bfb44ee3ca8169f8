//! What is wrong with the templates of posters: whoever can read a drawing says what stands in it ([`Reader`]), and here that is
//! held against what the campaign has. Every mistake is told at its place in the SVG file.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use machine::model::{Definition, Poster, VarKind};

use super::{Holds, Placeholder, content, file, placeholders, template};
use crate::codes;
use crate::diagnostic::{Diagnostics, Severity, meant};
use crate::load::{Loaded, LoadedTenant};
use crate::source::{Place, Source};

/// What only somebody who can read a drawing finds.
pub const CODES: [&str; 13] = [
    codes::POSTER_NAME,
    codes::POSTER_NOT_SHOWN,
    codes::POSTER_HOLDS,
    codes::POSTER_SVG,
    codes::POSTER_OUTSIDE,
    codes::POSTER_REFUSED,
    codes::POSTER_FONT,
    codes::POSTER_PICTURE,
    codes::POSTER_PLACE,
    codes::POSTER_OVERFLOW,
    codes::POSTER_NO_CODE,
    codes::POSTER_CONTRAST,
    codes::POSTER_UNUSED,
];

/// Someone who can read a template.
pub trait Reader {
    /// What a template draws, or all that is wrong with it. `file` has the bytes of a picture by its `href` as it is written,
    /// `fonts` are the tenant's own.
    fn read(
        &self,
        svg: &str,
        file: &dyn Fn(&str) -> Option<Vec<u8>>,
        fonts: &BTreeMap<String, Arc<[u8]>>,
    ) -> Result<Box<dyn Drawing>, Vec<Flaw>>;

    /// Whether a font of the tenant's own can be used; why not, in words.
    fn font(&self, bytes: &[u8]) -> Result<(), String>;
}

/// A template that was read.
pub trait Drawing {
    /// The places that are filled.
    fn spots(&self) -> Vec<Spot>;

    /// What can be said of it that keeps it from nothing: a text that is hard to read, for example.
    fn remarks(&self) -> Vec<Flaw> {
        Vec::new()
    }

    /// The boxes that these texts, by placeholder, would overflow.
    fn overflows(&self, texts: &BTreeMap<String, String>) -> Vec<Flaw>;
}

/// A place that is filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// With what: `user.name`.
    pub path: String,
    /// How.
    pub kind: SpotKind,
    /// Where in the file, in bytes.
    pub at: Range<usize>,
}

/// How a place is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpotKind {
    /// Words.
    Text,
    /// A picture.
    Picture,
    /// A QR code.
    Code,
}

/// Something that a reader has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// One of [`crate::codes`].
    pub code: &'static str,
    /// What is so.
    pub message: String,
    /// The way out.
    pub help: Option<String>,
    /// Where in the file, in bytes.
    pub at: Range<usize>,
}

/// Checks the templates of all campaigns. One whose templates have errors has no definition any more.
pub fn check(loaded: &mut Loaded, root: &str, reader: &dyn Reader) {
    for tenant in &mut loaded.tenants {
        let mut desk = Desk {
            folder: format!("{root}/{}", tenant.tenant.id),
            reader,
            read: BTreeMap::new(),
            out: Diagnostics::new(),
        };
        desk.tenant(tenant);
        let mut told = BTreeSet::new();
        for found in desk.out {
            let source = found.place.source.name().to_owned();
            let span = found.place.span;
            // Campaigns that share a template share its mistakes.
            if told.insert((source, span, found.code, found.message.clone())) {
                loaded.diagnostics.push(found);
            }
        }
    }
    loaded.diagnostics.sort();
}

/// A template that was read for one of its campaigns.
struct Sheet {
    source: Arc<Source>,
    drawing: Option<Box<dyn Drawing>>,
}

/// A tenant's check under way.
struct Desk<'r> {
    folder: String,
    reader: &'r dyn Reader,
    read: BTreeMap<Arc<str>, Sheet>,
    out: Diagnostics,
}

impl Desk<'_> {
    fn tenant(&mut self, tenant: &mut LoadedTenant) {
        let whole = tenant
            .campaigns
            .iter()
            .all(|campaign| campaign.definition.is_some());
        let languages = tenant.tenant.languages.clone();
        let name = tenant.tenant.name.clone();
        for (path, bytes) in &tenant.fonts {
            if let Err(no) = self.reader.font(bytes) {
                let source = Source::new(format!("{}/{path}", self.folder), "");
                let message = format!("the font `{path}` can't be used: {no}");
                self.out
                    .error(codes::TENANT_POSTERS, &Place::start_of(&source), message)
                    .help("write the TTF or OTF file of the font; a WOFF2 is made one first");
            }
        }
        for campaign in &mut tenant.campaigns {
            let Some(definition) = &campaign.definition else {
                continue;
            };
            let mut sound = true;
            for poster in &definition.posters.each {
                let known = placeholders(definition, poster);
                for (language, path) in &poster.templates {
                    sound &= self.sheet(definition, path, &tenant.fonts);
                    sound &= self.spots(definition, poster, path, &known);
                    let read_in: Vec<&str> = if language.is_empty() {
                        let others = languages.iter().map(String::as_str);
                        others
                            .filter(|other| !poster.templates.contains_key(*other))
                            .collect()
                    } else {
                        vec![language]
                    };
                    for language in read_in {
                        let tenant = name.pick(language, &definition.language);
                        let texts = content::longest(definition, poster, tenant, language);
                        self.overflows(path, &texts);
                    }
                }
            }
            if !sound {
                campaign.definition = None;
            }
        }
        if whole {
            self.unused(tenant);
        }
    }

    /// Reads a template, once; whether it can be drawn.
    fn sheet(
        &mut self,
        definition: &Definition,
        path: &Arc<str>,
        fonts: &BTreeMap<String, Arc<[u8]>>,
    ) -> bool {
        if let Some(known) = self.read.get(path) {
            return known.drawing.is_some();
        }
        let text = template(&definition.posters, path).cloned();
        let source = Source::new(
            format!("{}/{path}", self.folder),
            text.as_deref().unwrap_or(""),
        );
        let beside = |href: &str| file(&definition.posters, path, href);
        let drawing = match self.reader.read(source.text(), &beside, fonts) {
            Ok(drawing) => {
                for flaw in drawing.remarks() {
                    self.say(Severity::Warning, &source, &flaw);
                }
                Some(drawing)
            }
            Err(flaws) => {
                for flaw in flaws {
                    self.say(Severity::Error, &source, &flaw);
                }
                None
            }
        };
        let readable = drawing.is_some();
        self.read.insert(path.clone(), Sheet { source, drawing });
        readable
    }

    fn say(&mut self, severity: Severity, source: &Arc<Source>, flaw: &Flaw) {
        let place = Place::new(source, flaw.at.start, flaw.at.end);
        let said = if severity == Severity::Error {
            self.out.error(flaw.code, &place, &flaw.message)
        } else {
            self.out.warn(flaw.code, &place, &flaw.message)
        };
        said.maybe_help(flaw.help.clone());
    }

    /// Holds a template's places against what there is; whether all can be filled.
    fn spots(
        &mut self,
        definition: &Definition,
        poster: &Poster,
        path: &str,
        known: &[Placeholder],
    ) -> bool {
        let Some(sheet) = self.read.get(path) else {
            return false;
        };
        let Some(drawing) = &sheet.drawing else {
            return false;
        };
        let mut sound = true;
        let mut has_code = false;
        for spot in drawing.spots() {
            has_code |= match spot.kind {
                SpotKind::Code => true,
                SpotKind::Picture => spot.path.starts_with("pictures."),
                SpotKind::Text => false,
            };
            let place = Place::new(&sheet.source, spot.at.start, spot.at.end);
            if let Some(found) = known.iter().find(|each| each.path == spot.path) {
                sound &= fits(found.holds, &spot, &place, &mut self.out);
            } else {
                sound = false;
                unknown(definition, poster, known, &spot.path, &place, &mut self.out);
            }
        }
        if definition.posters.share.is_some() && !has_code {
            let end = sheet.source.text().len().min(4);
            let place = Place::new(&sheet.source, 0, end);
            let message =
                "this poster has no code, and `share` has an address that one should lead to";
            self.out
                .warn(codes::POSTER_NO_CODE, &place, message)
                .help("put a square named `qr share.url` on it; or `picture pictures.code` for a mini-program's");
        }
        sound
    }

    fn overflows(&mut self, path: &str, texts: &BTreeMap<String, String>) {
        let Some(sheet) = self.read.get(path) else {
            return;
        };
        let Some(drawing) = &sheet.drawing else {
            return;
        };
        let source = sheet.source.clone();
        for flaw in drawing.overflows(texts) {
            self.say(Severity::Warning, &source, &flaw);
        }
    }

    fn unused(&mut self, tenant: &LoadedTenant) {
        let named: BTreeSet<&str> = tenant
            .campaigns
            .iter()
            .filter_map(|campaign| campaign.definition.as_ref())
            .flat_map(|definition| definition.posters.files.keys())
            .map(|path| &**path)
            .chain(self.read.keys().map(|path| &**path))
            .collect();
        for (path, text) in &tenant.files {
            if path.starts_with(super::FOLDER)
                && crate::posters::is_svg(path)
                && !named.contains(path.as_str())
            {
                let source = Source::new(format!("{}/{path}", self.folder), &**text);
                let message = "no campaign names this template";
                self.out
                    .note(codes::POSTER_UNUSED, &Place::start_of(&source), message)
                    .help(format!(
                        "name it in a campaign: `posters: {{ {}: {path} }}`",
                        stem(path)
                    ));
            }
        }
    }
}

/// A file's name without its folder and kind.
fn stem(path: &str) -> &str {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    name.split('.').next().unwrap_or(name)
}

fn fits(holds: Holds, spot: &Spot, place: &Place, out: &mut Diagnostics) -> bool {
    let path = &spot.path;
    let (fits, message, help) = match spot.kind {
        SpotKind::Text => (
            holds.is_text(),
            format!("`{path}` is a picture, and this is a text"),
            format!("put it into a rectangle, a circle or an image named `picture {path}`"),
        ),
        SpotKind::Picture => (
            holds.is_picture(),
            format!("`{path}` is no picture"),
            "a picture comes from a text claim that holds its address (`user.avatar`), from `grant.image` or from `pictures.<name>`".to_owned(),
        ),
        SpotKind::Code => (
            holds.is_code(),
            format!("`{path}` is nothing that a code leads to"),
            "write `qr share.url`".to_owned(),
        ),
    };
    if !fits {
        out.error(codes::POSTER_HOLDS, place, message).help(help);
    }
    fits
}

/// A placeholder that stands for nothing here: why, and what was meant.
fn unknown(
    definition: &Definition,
    poster: &Poster,
    known: &[Placeholder],
    path: &str,
    place: &Place,
    out: &mut Diagnostics,
) {
    let (root, name) = path.split_once('.').unwrap_or(("", path));
    let hidden = definition
        .vars
        .iter()
        .find(|var| var.kind != VarKind::Hidden && !var.show && var.name == name);
    if root == "context" && hidden.is_some() {
        let message = format!("`{name}` is not shown to users, and a poster is seen by everybody");
        out.error(codes::POSTER_NOT_SHOWN, place, message)
            .help(format!(
                "write `{name}: {{ …, show: true }}` under `context` if anybody may see it"
            ));
        return;
    }
    let paths = || known.iter().map(|each| each.path.as_str());
    let last = |each: &&str| each.rsplit_once('.').is_some_and(|(_, last)| last == path);
    let help = if path == "share.url" {
        "say in the campaign's file where it leads: `share: { url: \"https://m.example.com/{campaign}?from={share.id}\" }`".to_owned()
    } else if let Some(near) = paths().find(last) {
        format!("did you mean `{near}`?")
    } else if let Some(near) = meant(path, paths()) {
        near
    } else {
        match root {
            "user" => {
                format!("declare it under `claims` of tenant.yaml: `{name}: {{ type: string }}`")
            }
            "words" | "pictures" | "figures" => {
                format!(
                    "write `{name}` under `{root}` of the poster `{}`",
                    poster.name
                )
            }
            _ => {
                let all: Vec<String> = paths().map(|each| format!("`{each}`")).collect();
                format!("there are {}", all.join(", "))
            }
        }
    };
    out.error(
        codes::POSTER_NAME,
        place,
        format!("there is no placeholder `{path}` on posters of this campaign"),
    )
    .help(help);
}
