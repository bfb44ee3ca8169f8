//! `gala poster`: a template as it will look, for whoever designs it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use campaign::Diagnostics;
use clap::Args;
use poster::{Canvas, PlaceKind, Scale, Warning, encode};
use serde_json::json;

use crate::drawing::{self, Case, Subject, Wrong, sheet};
use crate::failure::Failure;
use crate::folder::Folder;
use crate::out::Out;
use crate::show;
use crate::speak::Speak;

/// How often a file is looked at that is watched.
const LOOK: Duration = Duration::from_millis(300);

/// Draws a poster's template with somebody made up on it, or checks it
///
/// A template in a tenant's folder is drawn as a poster of the first campaign that names it: with its titles, words and dates.
#[expect(clippy::struct_field_names, reason = "the option is called so")]
#[derive(Debug, Args)]
pub struct Poster {
    /// The template: an SVG file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Draws one poster; so it does unless said otherwise
    #[arg(long)]
    pub sample: bool,
    /// Draws a contact sheet of edge cases: long names, no avatar, emoji, Chinese, Arabic, numbers of 7 digits
    #[arg(long, conflicts_with_all = ["sample", "check"])]
    pub sheet: bool,
    /// Draws nothing, and says all that is wrong (exit code 1 if there is an error)
    #[arg(long, conflicts_with = "sample")]
    pub check: bool,
    /// Where to: a .png, .jpg or .webp file; the template's name with .png in this folder unless said
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The campaign whose poster it is, by its id
    #[arg(long, value_name = "ID")]
    pub campaign: Option<String>,
    /// Which of that campaign's posters, where several have this template
    #[arg(long, value_name = "NAME")]
    pub poster: Option<String>,
    /// The language of the poster: one of the tenant's
    #[arg(long, value_name = "LANG")]
    pub language: Option<String>,
    /// 1 or 2 pixels for each of the template
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub scale: u8,
    /// What stands at a placeholder: user.name=Anna
    #[arg(long, value_name = "PLACE=TEXT")]
    pub set: Vec<String>,
    /// The picture at a place, from a file: user.avatar=face.png
    #[arg(long, value_name = "PLACE=FILE")]
    pub picture: Vec<String>,
    /// Draws again whenever the template or its campaign changes, until interrupted
    #[arg(long, conflicts_with = "check")]
    pub watch: bool,
    #[command(flatten)]
    pub speak: Speak,
}

/// Draws, or checks.
pub fn run(args: &Poster, out: Out) -> Result<(), Failure> {
    if !args.watch {
        return once(args, out);
    }
    let mut seen = None;
    loop {
        let now = stamp(&args.file);
        if seen != Some(now) {
            seen = Some(now);
            if let Err(failure) = once(args, out) {
                // Whoever edits saves half a file now and then.
                let _ = failure.report(out.json);
            }
        }
        std::thread::sleep(LOOK);
    }
}

/// When the newest file of a template's folder, and of the one above it, was changed.
fn stamp(file: &Path) -> Option<SystemTime> {
    let here = file.parent().filter(|path| !path.as_os_str().is_empty());
    let here = here.unwrap_or(Path::new("."));
    let folders = [here.to_owned(), here.join("..")];
    let entries = folders.iter().filter_map(|folder| folder.read_dir().ok());
    let times = entries.flatten().flatten().filter_map(|entry| {
        let meta = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
        meta.modified().ok()
    });
    times.max()
}

fn once(args: &Poster, out: Out) -> Result<(), Failure> {
    let folder = drawing::folder_of(&args.file)?;
    let said = told(args, folder.as_ref(), out)?;
    let campaign = args.campaign.as_deref();
    let campaign = campaign.map(|campaign| stem(Path::new(campaign)));
    let poster = args.poster.as_deref();
    if said.has_errors() {
        return Err(Failure::red());
    }
    let subject = match drawing::read(&args.file, folder.as_ref(), campaign.as_deref(), poster)? {
        Ok(subject) => subject,
        Err(wrong) => return wrong_alone(args, &wrong, out),
    };
    if args.check {
        if folder.is_none() {
            out.note("it lies in no tenant's folder: what its placeholders are was not checked");
        }
        return Ok(());
    }
    draw(args, &subject, out)
}

/// Says what the check of its tenant's folder says about the template.
fn told(args: &Poster, folder: Option<&Folder>, out: Out) -> Result<Diagnostics, Failure> {
    let Some(folder) = folder else {
        return Ok(Diagnostics::new());
    };
    let name = args.file.file_name().unwrap_or_default();
    let is_of_it = |name_of: &str| Path::new(name_of).file_name() == Some(name);
    let all = folder.diagnostics().into_iter();
    let own: Diagnostics = all
        .filter(|found| {
            is_of_it(found.place.source.name()) || found.severity == campaign::Severity::Error
        })
        .collect();
    let language = args.speak.language(out);
    let own = own.in_language(language);
    if args.check && out.json {
        out.value(&own.to_json())?;
    } else if args.check {
        show::diagnostics(out, &own, language)?;
    } else {
        for found in &own {
            out.note(show::plain(found));
        }
    }
    if args.check {
        out.note(show::counted(&own, language));
    }
    Ok(own)
}

/// Says what is wrong with a template that is no campaign's.
fn wrong_alone(args: &Poster, wrong: &Wrong, out: Out) -> Result<(), Failure> {
    let file = args.file.display().to_string();
    let shown: Vec<_> = wrong
        .iter()
        .map(|(line, column, message, help)| {
            json!({ "file": file, "line": line, "column": column, "severity": "error", "message": message, "help": help })
        })
        .collect();
    if out.json {
        out.value(&shown)?;
    } else {
        for (line, column, message, help) in wrong {
            out.line(format!(
                "{file}:{line}:{column}: error: {message}\n  help: {help}"
            ))?;
        }
    }
    Err(Failure::red())
}

fn draw(args: &Poster, subject: &Subject, out: Out) -> Result<(), Failure> {
    let own = pairs(&args.set, "user.name=Anna")?;
    known(subject, own.keys(), |kind| kind != PlaceKind::Picture)?;
    let pictures = pairs(&args.picture, "user.avatar=face.png")?;
    known(subject, pictures.keys(), |kind| kind == PlaceKind::Picture)?;
    let pictures: BTreeMap<String, PathBuf> = pictures
        .into_iter()
        .map(|(path, file)| (path, PathBuf::from(file)))
        .collect();
    let usual = subject.languages.first().map_or("en", String::as_str);
    let language = args.language.as_deref().unwrap_or(usual);
    if !subject.languages.iter().any(|known| known == language) {
        return Err(Failure::usage(format!(
            "the tenant has no language `{language}`: it has {}",
            subject.languages.join(", ")
        )));
    }
    let scale = if args.scale == 2 {
        Scale::X2
    } else {
        Scale::X1
    };
    let (canvas, warnings) = if args.sheet {
        (
            contact(args, subject, &own, &pictures, language)?,
            Vec::new(),
        )
    } else {
        let content = subject.content(Case::Usual, language, &own, &pictures)?;
        subject.draw(&content, scale)
    };
    let mut name = stem(&args.file);
    if args.sheet {
        name += ".sheet";
    }
    let to = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{name}.png")));
    let bytes = encoded(&canvas, &to)?;
    std::fs::write(&to, &bytes).map_err(|error| {
        Failure::unreachable(
            "output",
            format!("{} can't be written: {error}", to.display()),
        )
    })?;
    let warnings: Vec<String> = warnings.iter().map(words).collect();
    if out.json {
        return out.value(&json!({
            "file": to.display().to_string(),
            "width": canvas.width,
            "height": canvas.height,
            "bytes": bytes.len(),
            "campaign": subject.of.as_ref().map(|(definition, _)| &*definition.campaign),
            "poster": subject.of.as_ref().map(|(_, poster)| &*poster.name),
            "language": language,
            "warnings": warnings,
        }));
    }
    for warning in warnings {
        out.note(format!("warning: {warning}"));
    }
    match &subject.of {
        Some((definition, poster)) => out.note(format!(
            "{} x {} pixels, {} KB: poster `{}` of `{}`, in {language}",
            canvas.width,
            canvas.height,
            bytes.len().div_ceil(1024),
            poster.name,
            definition.campaign
        )),
        None => out.note(format!(
            "{} x {} pixels, {} KB: no campaign names this template, so all on it is made up",
            canvas.width,
            canvas.height,
            bytes.len().div_ceil(1024)
        )),
    }
    out.line(to.display().to_string())
}

/// All cases on one sheet, the ordinary day in every language.
fn contact(
    args: &Poster,
    subject: &Subject,
    own: &BTreeMap<String, String>,
    pictures: &BTreeMap<String, PathBuf>,
    language: &str,
) -> Result<Canvas, Failure> {
    let mut cases: Vec<(Case, &str)> = Case::ALL.iter().map(|case| (*case, language)).collect();
    let others = subject.languages.iter().filter(|other| *other != language);
    for (at, other) in others.enumerate() {
        cases.insert(1 + at, (Case::Usual, other));
    }
    let mut drawn = Vec::new();
    for (case, language) in cases {
        let content = subject.content(case, language, own, pictures)?;
        let (canvas, warnings) = subject.draw(&content, Scale::X1);
        let cut = warnings
            .iter()
            .any(|found| matches!(found, Warning::Cut { .. }));
        let mut title = format!("{} ({language})", case.title());
        if cut {
            title += ": a text is cut";
        }
        drawn.push((title, canvas));
    }
    let of = subject.of.as_ref();
    let title = of.map_or_else(
        || stem(&args.file),
        |(definition, poster)| {
            format!(
                "{} / {} / {}",
                definition.tenant, definition.campaign, poster.name
            )
        },
    );
    Ok(sheet(&title, &drawn))
}

/// A file's name without its folder and kind.
fn stem(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// `path=value`, several times.
fn pairs(given: &[String], example: &str) -> Result<BTreeMap<String, String>, Failure> {
    let pair = |text: &String| {
        let (path, value) = text
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("`{text}` sets nothing: write `{example}`")))?;
        Ok((path.trim().to_owned(), value.to_owned()))
    };
    given.iter().map(pair).collect()
}

/// Refuses what no place of the template is filled with.
fn known<'a>(
    subject: &Subject,
    asked: impl Iterator<Item = &'a String>,
    is_one: impl Fn(PlaceKind) -> bool,
) -> Result<(), Failure> {
    let places = subject.template.places().iter();
    let places: Vec<&str> = places
        .filter(|place| is_one(place.kind))
        .map(|place| place.path.as_str())
        .collect();
    for path in asked {
        if !places.contains(&path.as_str()) {
            let help = campaign::diagnostic::meant(path, places.iter().copied())
                .unwrap_or_else(|| format!("there are {}", places.join(", ")));
            return Err(Failure::usage(format!(
                "the template has no place `{path}`: {help}"
            )));
        }
    }
    Ok(())
}

/// A warning in words.
fn words(warning: &Warning) -> String {
    match warning {
        Warning::Empty { path } => format!("nothing stands at `{path}`"),
        Warning::Letters { path, count } => {
            format!("`{path}` has {count} letters that no font has")
        }
        Warning::Cut { path } => format!("`{path}` does not fit, and ends in …"),
        Warning::LongCode { path } => format!("the code of `{path}` is too fine to be read"),
    }
}

/// A canvas as the file that its name says.
fn encoded(canvas: &Canvas, to: &Path) -> Result<Vec<u8>, Failure> {
    let kind = to.extension().and_then(|kind| kind.to_str()).unwrap_or("");
    let written = match kind.to_ascii_lowercase().as_str() {
        "png" => encode::png(canvas),
        "jpg" | "jpeg" => encode::jpeg(canvas, encode::QUALITY),
        "webp" => encode::webp(canvas, encode::QUALITY),
        _ => {
            return Err(Failure::usage(format!(
                "{} is no picture's name: it ends in .png, .jpg or .webp",
                to.display()
            )));
        }
    };
    written.map_err(|error| Failure::unreachable("output", error.to_string()))
}
