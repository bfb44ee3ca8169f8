//! What participants can share: `posters` and `share`. A poster's template, and the pictures that lie beside it, are frozen with
//! the definition; what the template draws is looked at later, by whoever can read an SVG ([`crate::posters::check`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use machine::Type;
use machine::expr::Source as From;
use machine::model::{Figure, Poster, PosterFile, Posters, Share};

use crate::check::Check;
use crate::codes;
use crate::diagnostic::meant;
use crate::document::{Entry, Fields, Key, Keys, Node, Shape};
use crate::expr::is_name;
use crate::posters::{ALL_BYTES, FOLDER, MOST, PICTURE_BYTES, TEMPLATE_BYTES, beside};
use crate::scope::{Scope, Setting};
use crate::tenant::host_is_allowed;

/// What stands for each language in the name of a template.
const LANG: &str = "{lang}";

/// The longest address, in bytes: what a QR code still says in modules that a telephone reads from a screen.
const LONGEST_ADDRESS: usize = 300;

/// The most words, figures or pictures of one poster.
const MOST_NAMES: usize = 40;

/// The kinds of pictures that a template may name.
const PICTURES: [&str; 4] = [".png", ".jpg", ".jpeg", ".webp"];

/// The keys of a poster.
pub(crate) static POSTER: Keys = Keys {
    name: "poster",
    doc: "An image that a participant can share. Its template's path alone is short for one with nothing else.",
    keys: &[
        Key::required(
            "template",
            Shape::String,
            "The SVG file it is made of, from the tenant's folder: `posters/streak.svg`; `posters/streak.{lang}.svg` is one file per language.",
        ),
        Key::optional(
            "when",
            Shape::Expr,
            "Whom it is offered to: a condition. Everybody unless said.",
        ),
        Key::optional(
            "words",
            Shape::MapOf(&Shape::Text),
            "Words for placeholders `{{ words.<name> }}`, so that one template serves several languages and campaigns.",
        ),
        Key::optional(
            "figures",
            Shape::MapOf(&Shape::Expr),
            "What placeholders `{{ figures.<name> }}` come to: expressions.",
        ),
        Key::optional(
            "pictures",
            Shape::MapOf(&Shape::String),
            "The addresses of pictures for places `picture pictures.<name>`: `https://codes.example.com/{share.id}.png`, a mini-program code for example.",
        ),
    ],
};

/// The keys of `share`.
pub(crate) static SHARE: Keys = Keys {
    name: "share",
    doc: "Where the code on a poster leads.",
    keys: &[Key::required(
        "url",
        Shape::String,
        "The page that a friend comes to, with placeholders in single braces: `https://m.example.com/{campaign}?from={share.id}`.",
    )],
};

/// What may stand in braces in an address.
const IN_ADDRESS: [&str; 6] = [
    "tenant", "campaign", "edition", "poster", "lang", "share.id",
];

pub(crate) fn read(check: &mut Check<'_>) -> Posters {
    let share = share(check);
    let mut posters = Posters {
        share,
        ..Posters::default()
    };
    let entries = check
        .root
        .get("posters")
        .and_then(|node| node.map(&mut check.out))
        .unwrap_or(&[]);
    if entries.len() > MOST {
        let place = check.root.key_place("posters");
        let message = format!(
            "a campaign has at most {MOST} posters, this one {}",
            entries.len()
        );
        check.out.error(codes::TOO_MANY, place, message);
    }
    for entry in entries.iter().take(MOST) {
        let name = entry.key.id("poster", &mut check.out);
        if let (Some(name), Some(poster)) = (name, poster(entry, &mut posters.files, check)) {
            posters.each.push(Poster {
                name: name.into(),
                ..poster
            });
        }
    }
    let bytes: usize = posters.files.values().map(size).sum();
    if bytes > ALL_BYTES {
        let place = check.root.key_place("posters");
        check
            .out
            .error(
                codes::TOO_BIG,
                place,
                format!(
                    "the posters' files have {} together, and every revision carries them: at most {} are taken",
                    said(bytes),
                    said(ALL_BYTES)
                ),
            )
            .help("save photographs as JPEG of quality 80 at twice the poster's width at most, and let posters use the same ones");
    }
    posters
}

/// What a file weighs in a revision, in bytes of the file itself.
fn size(file: &PosterFile) -> usize {
    match file {
        PosterFile::Svg(text) => text.len(),
        PosterFile::Picture(text) => text.len() / 4 * 3,
    }
}

fn said(bytes: usize) -> String {
    format!("{} KB", bytes.div_ceil(1024))
}

fn share(check: &mut Check<'_>) -> Option<Share> {
    let fields = check.root.get("share")?.fields(&SHARE, &mut check.out)?;
    let node = fields.get("url")?;
    let url = address(node, check)?;
    if !url.contains("{share.id}") {
        check
            .out
            .warn(
                codes::SHARE_NOBODY,
                &node.place,
                "this address is the same for everybody: who brought a friend is not known",
            )
            .help("put `{share.id}` into it: `?from={share.id}`");
    }
    Some(Share { url: url.into() })
}

/// An address that a poster leads to, or that a picture is fetched from: `https`, with known placeholders behind its host.
fn address<'n>(node: &'n Node, check: &mut Check<'_>) -> Option<&'n str> {
    let url = node.string(&mut check.out)?;
    let mut refuse = |message: String, help: String| {
        check
            .out
            .error(codes::SHARE_ADDRESS, &node.place, message)
            .help(help);
        None
    };
    let here = ["http://localhost", "http://127.0.0.1"].iter().any(|here| {
        url.strip_prefix(here)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/', '?']))
    });
    let host = url.strip_prefix("https://").map(host_of);
    let sound = host.is_some_and(|host| {
        !host.is_empty()
            && host
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte))
    });
    if !(sound || here) {
        let (message, help) = if url.starts_with("http://") {
            (
                format!("`{url}` is not safe: telephones warn of it, and mini-programs refuse it"),
                "write `https://`",
            )
        } else {
            (
                format!("`{url}` is not the address of a page"),
                "write `https://m.example.com/{campaign}?from={share.id}`: the host without placeholders",
            )
        };
        return refuse(message, help.to_owned());
    }
    if url.len() > LONGEST_ADDRESS || url.chars().any(|c| c.is_control() || c == ' ') {
        return refuse(
            format!("an address has at most {LONGEST_ADDRESS} characters, and no blanks"),
            "a shorter address makes a code that is easier to read".to_owned(),
        );
    }
    let mut rest = url;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((name, tail)) = after.split_once('}') else {
            return refuse(
                "a placeholder begins here and does not end".to_owned(),
                "close it with `}`".to_owned(),
            );
        };
        if !IN_ADDRESS.contains(&name) {
            let help = meant(name, IN_ADDRESS).unwrap_or_else(|| {
                let all: Vec<String> = IN_ADDRESS.iter().map(|it| format!("`{{{it}}}`")).collect();
                format!("there are {}", all.join(", "))
            });
            return refuse(
                format!("there is no placeholder `{{{name}}}` in an address"),
                help,
            );
        }
        rest = tail;
    }
    Some(url)
}

/// The host of an address without its scheme, with its port.
fn host_of(rest: &str) -> &str {
    rest.split(['/', '?', '#']).next().unwrap_or("")
}

fn poster(
    entry: &Entry,
    files: &mut BTreeMap<Arc<str>, PosterFile>,
    check: &mut Check<'_>,
) -> Option<Poster> {
    let node = &entry.value;
    let mut found = Poster {
        name: "".into(),
        templates: BTreeMap::new(),
        words: BTreeMap::new(),
        figures: Vec::new(),
        pictures: BTreeMap::new(),
        when: None,
    };
    if !node.is_map() {
        found.templates = templates(node, files, check);
        return Some(found);
    }
    let fields = node.fields(&POSTER, &mut check.out)?;
    if let Some(node) = fields.get("template") {
        found.templates = templates(node, files, check);
    }
    if let Some(node) = fields.get("when") {
        let mut scope = Scope::new(&mut check.tables, Setting::Audience);
        found.when = scope.lower_bool(node, &mut check.out);
        if let Some(program) = &found.when {
            let mut asked = false;
            program.each_source(&mut |source| asked |= asks(source));
            no_facts(asked, node, check);
        }
    }
    for entry in named(&fields, "words", check) {
        if let Some(text) = check.text(&entry.value) {
            found.words.insert(entry.name().to_owned(), text);
        }
    }
    for entry in named(&fields, "figures", check) {
        found.figures.extend(figure(entry, check));
    }
    for entry in named(&fields, "pictures", check) {
        if let Some(url) = picture(&entry.value, check) {
            found.pictures.insert(entry.name().to_owned(), url);
        }
    }
    Some(found)
}

/// The entries of a map of names that placeholders can read.
fn named<'n>(fields: &Fields<'n>, key: &str, check: &mut Check<'_>) -> Vec<&'n Entry> {
    let entries = fields.get(key).and_then(|node| node.map(&mut check.out));
    let entries = entries.unwrap_or(&[]);
    if entries.len() > MOST_NAMES {
        check.out.error(
            codes::TOO_MANY,
            fields.key_place(key),
            format!("a poster has at most {MOST_NAMES} of `{key}`"),
        );
    }
    let mut found = Vec::new();
    for entry in entries.iter().take(MOST_NAMES) {
        let name = entry.name();
        if is_name(name) {
            found.push(entry);
        } else {
            check
                .out
                .error(
                    codes::NOT_A_NAME,
                    &entry.key.place,
                    format!("`{name}` can't be a name that a placeholder reads"),
                )
                .help("letters, digits and `_`, not beginning with a digit");
        }
    }
    found
}

fn figure(entry: &Entry, check: &mut Check<'_>) -> Option<Figure> {
    let node = &entry.value;
    let mut scope = Scope::new(&mut check.tables, Setting::Audience);
    let (ty, program) = scope.lower_any(node, &mut check.out)?;
    let mut asked = false;
    program.each_source(&mut |source| asked |= asks(source));
    no_facts(asked, node, check);
    if matches!(ty, Type::Strs | Type::Days) {
        check.out.error(
            codes::EXPR_RESULT,
            &node.place,
            format!("a poster can't say a {ty}"),
        );
        return None;
    }
    Some(Figure {
        name: entry.name().to_owned(),
        ty,
        program,
    })
}

const fn asks(source: From) -> bool {
    matches!(source, From::Fact(_))
}

/// A poster is drawn when somebody looks: no service is asked for that.
fn no_facts(asked: bool, node: &Node, check: &mut Check<'_>) {
    if asked {
        check
            .out
            .error(
                codes::NOBODY_THERE,
                &node.place,
                "no service is asked for facts when a poster is drawn",
            )
            .help("keep what you need in `context` when an event brings it: `set: { level: facts.level }`");
    }
}

/// A picture's address, from a host that the tenant allows.
fn picture(node: &Node, check: &mut Check<'_>) -> Option<Arc<str>> {
    let url = address(node, check)?;
    let host = url.split_once("://").map_or("", |(_, rest)| host_of(rest));
    let hosts = &check.input.tenant.posters.picture_hosts;
    if !host_is_allowed(hosts, host) {
        let allowed: Vec<String> = hosts.iter().map(|host| format!("`{host}`")).collect();
        let help = if allowed.is_empty() {
            format!("name it in tenant.yaml: `posters: {{ picture_hosts: [{host}] }}`")
        } else {
            format!(
                "tenant.yaml allows {}: name it there, under `posters: {{ picture_hosts: }}`",
                allowed.join(", ")
            )
        };
        check
            .out
            .error(
                codes::PICTURE_HOST,
                &node.place,
                format!("the tenant does not allow pictures from `{host}`"),
            )
            .help(help);
        return None;
    }
    Some(url.into())
}

/// The templates that a path names, by language; each is frozen with the pictures that it names.
fn templates(
    node: &Node,
    files: &mut BTreeMap<Arc<str>, PosterFile>,
    check: &mut Check<'_>,
) -> BTreeMap<String, Arc<str>> {
    let mut found = BTreeMap::new();
    let Some(pattern) = node.string(&mut check.out) else {
        return found;
    };
    let sound = pattern.starts_with(FOLDER)
        && crate::posters::is_svg(pattern)
        && pattern
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.'));
    if !sound {
        let there = check.input.files.keys();
        let near = there.filter(|path| path.starts_with(FOLDER) && crate::posters::is_svg(path));
        let in_folder = format!("{FOLDER}{}", pattern.trim_start_matches('/'));
        let help = meant(&in_folder, near.map(String::as_str)).unwrap_or_else(|| {
            format!("put it into the folder `{FOLDER}` as SVG, and write `{FOLDER}streak.svg`")
        });
        check
            .out
            .error(
                codes::POSTER_TEMPLATE,
                &node.place,
                format!("`{pattern}` can't be a poster's template"),
            )
            .help(help);
        return found;
    }
    let input = check.input;
    if !pattern.contains(LANG) {
        if freeze(node, pattern, files, check) {
            found.insert(String::new(), pattern.into());
        }
        return found;
    }
    for language in &input.tenant.languages {
        let path = pattern.replace(LANG, language);
        if input.files.contains_key(&path) {
            if freeze(node, &path, files, check) {
                found.insert(language.clone(), path.into());
            }
        } else if language == input.tenant.language() {
            missing(node, &path, check);
        } else {
            check.out.warn(
                codes::POSTER_LANGUAGE,
                &node.place,
                format!("there is no file `{path}`: who reads `{language}` gets the poster in another language"),
            );
        }
    }
    found
}

/// Freezes a template and the pictures that it names; whether it is there, and not too large.
fn freeze(
    node: &Node,
    path: &str,
    files: &mut BTreeMap<Arc<str>, PosterFile>,
    check: &mut Check<'_>,
) -> bool {
    if files.contains_key(path) {
        return true;
    }
    let input = check.input;
    let Some(text) = input.files.get(path) else {
        missing(node, path, check);
        return false;
    };
    if text.len() > TEMPLATE_BYTES {
        too_large(node, path, TEMPLATE_BYTES, check);
        return false;
    }
    for picture in pictures(path, text) {
        let Some(found) = input.files.get(&picture) else {
            // Its template knows where it is named: that is said there.
            continue;
        };
        if found.len() / 4 * 3 > PICTURE_BYTES + 3 {
            too_large(node, &picture, PICTURE_BYTES, check);
            return false;
        }
        files.insert(picture.into(), PosterFile::Picture(found.clone()));
    }
    files.insert(path.into(), PosterFile::Svg(text.clone()));
    true
}

fn too_large(node: &Node, path: &str, most: usize, check: &mut Check<'_>) {
    check
        .out
        .error(
            codes::TOO_BIG,
            &node.place,
            format!("`{path}` is larger than {}", said(most)),
        )
        .help("save photographs as JPEG of quality 80 at twice the poster's width at most, beside the template instead of in it");
}

fn missing(node: &Node, path: &str, check: &mut Check<'_>) {
    let help = meant(path, check.input.files.keys().map(String::as_str));
    check
        .out
        .error(
            codes::FILE_MISSING,
            &node.place,
            format!("there is no file `{path}` in the tenant's folder"),
        )
        .maybe_help(help);
}

/// The paths of the pictures that a template names: its values of `href` which lead to a file beside it.
pub(crate) fn pictures(template: &str, text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("href") {
        rest = after;
        let value = after.trim_start();
        let Some(value) = value.strip_prefix('=').map(str::trim_start) else {
            continue;
        };
        let Some(quote) = value.chars().next().filter(|c| ['"', '\''].contains(c)) else {
            continue;
        };
        let Some((href, _)) = value[1..].split_once(quote) else {
            continue;
        };
        let lower = href.to_ascii_lowercase();
        if PICTURES.iter().any(|kind| lower.ends_with(kind)) {
            found.extend(beside(template, href.trim()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::pictures;

    #[test]
    fn the_pictures_beside_a_template_are_found_however_it_names_them() {
        let svg = r##"<svg><image href="sky.jpg"/><image xlink:href = './art/Moon.PNG'/><use href="#a"/>
            <image href="data:image/png;base64,AAAA"/><image href="https://e.com/a.png"/><image href="../b.png"/></svg>"##;
        let found: Vec<String> = pictures("posters/a.svg", svg).into_iter().collect();
        assert_eq!(found, ["posters/art/Moon.PNG", "posters/sky.jpg"]);
    }
}
