//! The rules that users read: a Markdown file per language in the tenant's folder, whose placeholders (`{{ odds.coupon }}`) are
//! filled from the campaign itself. What comes of it is part of the definition, so a revision's hash covers every word of it.
//!
//! `scan` finds the placeholders, `figures` knows what they stand for, `words` how that is said in a language. What the
//! law wants to be said is [`crate::law`]'s to ask; here is noted which placeholders a text uses (`Rules::says`).

mod days;
mod figures;
mod packs;
mod scan;
mod tables;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use machine::Text;
use machine::model::Definition;
use sha2::{Digest, Sha256};

use self::figures::{Figure, Figures};
use self::scan::Piece;
use self::words::Words;
use crate::check::{Check, Input};
use crate::codes;
use crate::diagnostic::{Diagnostics, meant};
use crate::document::{Node, parse};
use crate::source::{Place, Source};

pub use self::figures::{PLACEHOLDERS, Placeholder};

/// What stands for each language in the name of a rules file.
const LANG: &str = "{lang}";

/// What is said of the rules' own files, which nothing else can be the reason of.
pub(crate) const CODES: [&str; 6] = [
    codes::RULES_UNKNOWN,
    codes::RULES_SYNTAX,
    codes::RULES_NO_FIGURE,
    codes::RULES_EMPTY,
    codes::RULES_LANGUAGE,
    codes::RULES_MISSING,
];

/// A campaign's rules, filled.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// As users read them, in each language.
    pub text: Text,
    /// Which placeholders the text in each language uses.
    pub says: BTreeMap<String, BTreeSet<String>>,
    /// Where each text is from, by its language.
    pub sources: BTreeMap<String, Arc<Source>>,
}

impl Rules {
    /// SHA-256 of what people wrote, in all languages.
    pub fn written(&self) -> Option<String> {
        if self.sources.is_empty() {
            return None;
        }
        let mut hash = Sha256::new();
        for (language, source) in &self.sources {
            hash.update(language);
            hash.update([0]);
            hash.update(source.text());
            hash.update([0]);
        }
        let bytes: [u8; 32] = hash.finalize().into();
        Some(bytes.iter().fold(String::new(), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        }))
    }

    /// The files that they are in, as diagnostics name them.
    pub fn names(&self) -> Vec<String> {
        let sources = self.sources.values();
        sources.map(|source| source.name().to_owned()).collect()
    }
}

/// Reads and fills the rules of a campaign. `definition` is all of it but the rules; what it lacks is only said where the rest
/// of the file is sound (`whole`).
pub(crate) fn read(check: &mut Check<'_>, definition: &Definition, whole: bool) -> Rules {
    let mut rules = Rules::default();
    let Some(node) = check.root.get("rules") else {
        return rules;
    };
    for (language, source) in files(node, check) {
        if source.text().trim().is_empty() {
            check
                .out
                .error(
                    codes::RULES_EMPTY,
                    &Place::start_of(&source),
                    "this file of the rules is empty",
                )
                .help("write what users may rely on, or take `rules` out of the campaign");
            rules.sources.insert(language, source);
            continue;
        }
        let mut filling = Filling {
            figures: Figures::new(definition, &language),
            source: &source,
            whole,
            says: BTreeSet::new(),
            out: &mut check.out,
        };
        let text = filling.fill();
        let says = filling.says;
        rules.text.0.insert(language.clone(), text);
        rules.says.insert(language.clone(), says);
        rules.sources.insert(language, source);
    }
    rules
}

/// The files that `rules` names, each with its language.
fn files(node: &Node, check: &mut Check<'_>) -> Vec<(String, Arc<Source>)> {
    let mut found = Vec::new();
    let Some(pattern) = node.string(&mut check.out) else {
        return found;
    };
    let input = check.input;
    let tenant = input.tenant;
    if !pattern.contains(LANG) {
        match input.files.get(pattern) {
            Some(text) => found.push((tenant.language().to_owned(), named(input, pattern, text))),
            None => missing(node, pattern, check),
        }
        return found;
    }
    for language in &tenant.languages {
        let path = pattern.replace(LANG, language);
        match input.files.get(&path) {
            Some(text) => found.push((language.clone(), named(input, &path, text))),
            None if language == tenant.language() => missing(node, &path, check),
            None => {
                check.out.warn(
                    codes::RULES_MISSING,
                    &node.place,
                    format!("there is no file `{path}`: the rules are not written in `{language}`"),
                );
            }
        }
    }
    found
}

/// A file beside the campaign's, called as that one is called.
fn named(input: &Input<'_>, path: &str, text: &str) -> Arc<Source> {
    let folder = input.source.name().rsplit_once('/');
    let name = folder.map_or_else(|| path.to_owned(), |(folder, _)| format!("{folder}/{path}"));
    Source::new(name, text)
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

/// One text under way.
struct Filling<'a> {
    figures: Figures<'a>,
    source: &'a Arc<Source>,
    whole: bool,
    says: BTreeSet<String>,
    out: &'a mut Diagnostics,
}

impl Filling<'_> {
    fn fill(&mut self) -> String {
        let mut text = String::new();
        let mut after_lines = false;
        for piece in scan::pieces(self.source, self.out) {
            match piece {
                Piece::Words(words) if after_lines => {
                    after_lines = false;
                    put_apart(&mut text, words);
                }
                Piece::Words(words) => text += words,
                Piece::Placeholder { name, place, alone } => {
                    self.says.insert(name.to_owned());
                    match self.figures.of(name) {
                        Some(Figure::Words(words)) => text += &words,
                        Some(Figure::Lines(lines)) => match alone {
                            Some(indent) => {
                                put_lines(&mut text, indent, &lines);
                                after_lines = true;
                            }
                            None => self.not_alone(name, &place),
                        },
                        Some(Figure::None) => self.no_figure(name, &place),
                        None => self.unknown(name, &place),
                    }
                    if figures::is_sentence(name)
                        && Words::of(self.figures.language()).is_none()
                        && self.whole
                    {
                        self.other_language(name, &place);
                    }
                }
            }
        }
        text
    }

    fn unknown(&mut self, name: &str, place: &Place) {
        let ids = || self.figures.rewards().map(|reward| &*reward.id);
        if figures::needs_reward(name) {
            let example = ids().next().unwrap_or("coupon");
            self.out
                .error(
                    codes::RULES_UNKNOWN,
                    place,
                    format!("`{name}` does not say of which reward"),
                )
                .help(format!("name one: `{{{{ {name}.{example} }}}}`"));
            return;
        }
        let of_reward = name
            .split_once('.')
            .filter(|(word, _)| figures::is_of_reward(word));
        // Whether a reward is there can only be said where all of them could be read.
        if of_reward.is_some() && !self.whole {
            return;
        }
        let all = self.figures.names();
        let help = meant(name, all.iter().map(String::as_str)).unwrap_or_else(|| match of_reward {
            Some(_) => {
                let quoted: Vec<_> = ids().map(|id| format!("`{id}`")).collect();
                format!("the rewards are {}", quoted.join(", "))
            }
            None => format!("there are {}", figures::listed()),
        });
        self.out
            .error(
                codes::RULES_UNKNOWN,
                place,
                format!("there is no placeholder `{name}`"),
            )
            .help(help);
    }

    fn no_figure(&mut self, name: &str, place: &Place) {
        if self.whole {
            self.out
                .error(
                    codes::RULES_NO_FIGURE,
                    place,
                    format!("`{name}` stands for nothing: the campaign sets no such thing"),
                )
                .help("take it out of the rules, or set it in the campaign's file");
        }
    }

    fn not_alone(&mut self, name: &str, place: &Place) {
        self.out
            .error(
                codes::RULES_SYNTAX,
                place,
                format!("`{name}` becomes several lines, and something else stands on this one"),
            )
            .help("put it on a line of its own");
    }

    fn other_language(&mut self, name: &str, place: &Place) {
        let language = self.figures.language();
        self.out
            .warn(
                codes::RULES_LANGUAGE,
                place,
                format!("`{name}` writes English here: it has no words in `{language}`"),
            )
            .help("write the sentence yourself, with the figures' placeholders in it");
    }
}

/// A table or a list, apart from what stands around it.
fn put_lines(text: &mut String, indent: &str, lines: &[String]) {
    // The indentation stands there already.
    text.truncate(text.len().saturating_sub(indent.len()));
    if !text.is_empty() && !text.ends_with("\n\n") {
        text.push('\n');
    }
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        *text += indent;
        *text += line;
    }
}

/// What follows after a table or a list: an empty line first, or it would be one more row of it.
fn put_apart(text: &mut String, words: &str) {
    let rest = words.trim_start_matches([' ', '\t', '\r']);
    let Some(after) = rest.strip_prefix('\n') else {
        return;
    };
    text.push('\n');
    if !after.is_empty() && !after.trim_start_matches('\r').starts_with('\n') {
        text.push('\n');
    }
    *text += after;
}

/// The file that a campaign's document names as its rules: `rules/wheel.{lang}.md`. Nothing where it names none, or can't be read.
pub fn pattern(document: &str) -> Option<String> {
    let root = parse(&Source::new("document", document), &mut Diagnostics::new())?;
    root.get("rules")?.scalar().map(str::to_owned)
}

/// The path of the rules in a language, if a campaign's rules may lie there: in the folder `rules`, as Markdown. So texts that
/// are sent can take the place of nothing else.
pub fn path(pattern: &str, language: &str) -> Option<String> {
    let is_tag = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let path = pattern.replace(LANG, language);
    let fits = path.starts_with("rules/")
        && path.strip_suffix(".md").is_some()
        && path.split('/').all(|part| !part.starts_with('.'));
    (fits && !language.is_empty() && language.chars().all(is_tag)).then_some(path)
}

/// The language of a rules file's path, by the pattern that names it; nothing for another campaign's.
pub fn language<'p>(pattern: &str, path: &'p str) -> Option<&'p str> {
    let (before, after) = pattern.split_once(LANG)?;
    let language = path.strip_prefix(before)?.strip_suffix(after)?;
    (!language.is_empty() && !language.contains(['/', '.'])).then_some(language)
}
