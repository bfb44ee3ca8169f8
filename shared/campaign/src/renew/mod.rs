//! Last year's campaign as this year's: its file, its stories and its rules with every date later by as much, and what a
//! person must still look at.
//!
//! The texts are edited where a date stands and nowhere else: comments, order and quotes stay as they are. What is said about
//! the copy (`stale`) is said at its places in the copy. Whether the copy is a sound campaign is for [`crate::load()`] to say.

mod dates;
mod shift;
mod stale;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;

use crate::check::Files;
use crate::diagnostic::Diagnostics;
use crate::document::{self, Kind, Node};
use crate::source::{Place, Source};

pub use shift::Shift;

use dates::{Found, What};

/// What is to be copied.
#[derive(Debug, Clone, Copy)]
pub struct Original<'a> {
    /// The tenant's files, by their path from its folder.
    pub files: &'a Files,
    /// What the folder that the copy goes to is called in diagnostics.
    pub folder: &'a str,
    /// The campaign's id.
    pub campaign: &'a str,
}

/// A copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewal {
    /// Its files, by their path from the tenant's folder.
    pub files: BTreeMap<String, String>,
    /// How many dates were shifted.
    pub shifted: usize,
    /// Its edition.
    pub edition: u32,
    shift: Shift,
    /// What the folder that it goes to is called.
    folder: String,
    /// The campaign's own file among its files.
    path: String,
    /// What it was copied from.
    old: Node,
    /// The window's dates before and after.
    moved: Vec<Moved>,
}

impl Renewal {
    /// What a person must look at, at its place in the copy's files as they are now.
    pub fn look(&self) -> Diagnostics {
        stale::look(self)
    }
}

/// Copies a campaign as `to`; `same`: as the next edition of itself, else as a campaign of its own, which begins with edition 1.
/// What cannot be read as YAML comes back as an error.
pub fn renew(
    original: &Original<'_>,
    to: &str,
    same: bool,
    shift: Shift,
) -> Result<Renewal, Diagnostics> {
    let mut out = Diagnostics::new();
    let from = original.campaign;
    let old_path = format!("{from}.yaml");
    let text = original.files.get(&old_path).map_or("", |text| text);
    let source = Source::new(format!("{}/{old_path}", original.folder), text);
    let root = document::parse(&source, &mut out).ok_or(out)?;

    let mut edits = Vec::new();
    let mut copy = Renewal {
        files: BTreeMap::new(),
        shifted: 0,
        edition: edition(&root, same, &mut edits),
        shift,
        folder: original.folder.to_owned(),
        path: format!("{to}.yaml"),
        old: root.clone(),
        moved: moved(&root, shift),
    };
    let rules = root.get("rules").and_then(|node| {
        let pattern = node.scalar()?.to_owned();
        let renamed = if to == from {
            pattern.clone()
        } else {
            let new = renamed_rules(&pattern, from, to);
            edits.push(Edit::of(node, new.clone()));
            new
        };
        Some((pattern, renamed))
    });
    copy.scalars(&root, &mut edits);
    let text = apply(source.text(), edits);
    copy.files.insert(copy.path.clone(), text);

    let stories = format!("stories/{from}.yaml");
    if let Some(text) = original.files.get(&stories) {
        copy.yaml(&stories, format!("stories/{to}.yaml"), text);
    }
    if let Some((pattern, renamed)) = rules {
        for (path, language) in languages(original.files, &pattern) {
            let text = &original.files[path];
            copy.prose(renamed.replace("{lang}", language), text);
        }
    }
    Ok(copy)
}

/// A date of the window.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Moved {
    key: &'static str,
    before: NaiveDate,
    after: NaiveDate,
}

impl Renewal {
    /// A file that is YAML, its values shifted.
    fn yaml(&mut self, path: &str, to: String, text: &str) {
        let source = Source::new(path, text);
        // Whoever checks the copy says what is wrong with it.
        let mut ignored = Diagnostics::new();
        let mut edits = Vec::new();
        if let Some(root) = document::parse(&source, &mut ignored) {
            self.scalars(&root, &mut edits);
        }
        self.files.insert(to, apply(source.text(), edits));
    }

    /// A text for people.
    fn prose(&mut self, to: String, text: &str) {
        let mut edits = Vec::new();
        self.dates(text, 0, &mut edits);
        self.files.insert(to, apply(text, edits));
    }

    /// Shifts the dates in every value, and every key that is one: a gift's day, a team's day in a story.
    fn scalars(&mut self, node: &Node, edits: &mut Vec<Edit>) {
        match &node.kind {
            Kind::Null => {}
            // What was renamed is no date any more.
            Kind::Scalar { .. } if edits.iter().any(|edit| edit.start == node.place.span.start) => {
            }
            Kind::Scalar { .. } => self.dates(node.place.text(), node.place.span.start, edits),
            Kind::List(items) => items.iter().for_each(|item| self.scalars(item, edits)),
            Kind::Map(entries) => entries.iter().for_each(|entry| {
                if is_date(&entry.key) {
                    self.scalars(&entry.key, edits);
                }
                self.scalars(&entry.value, edits);
            }),
        }
    }

    fn dates(&mut self, text: &str, from: usize, edits: &mut Vec<Edit>) {
        for Found { start, end, what } in dates::find(text) {
            let What::Date(date, form) = what else {
                continue;
            };
            if let Some(later) = self.shift.of(date) {
                let padded = form.write(date, true) == text[start..end];
                self.shifted += 1;
                edits.push(Edit {
                    start: from + start,
                    end: from + end,
                    text: form.write(later, padded),
                });
            }
        }
    }
}

/// Whether a key is a date and nothing else.
fn is_date(key: &Node) -> bool {
    key.scalar()
        .is_some_and(|text| text.parse::<NaiveDate>().is_ok())
}

/// One change of a text.
struct Edit {
    start: usize,
    end: usize,
    text: String,
}

impl Edit {
    /// Another value, in the quotes that the old one had.
    fn of(node: &Node, value: String) -> Self {
        let Place { span, .. } = node.place;
        let quote = node.place.text().chars().next();
        let text = match quote.filter(|quote| ['"', '\''].contains(quote)) {
            Some(quote) => format!("{quote}{value}{quote}"),
            None => value,
        };
        Self {
            start: span.start,
            end: span.end,
            text,
        }
    }
}

fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| (edit.start, edit.end));
    let mut made = String::with_capacity(text.len() + 16);
    let mut at = 0;
    for edit in edits {
        made.push_str(&text[at..edit.start]);
        made.push_str(&edit.text);
        at = edit.end;
    }
    made.push_str(&text[at..]);
    made
}

/// The copy's edition, and what must be written for it.
fn edition(root: &Node, same: bool, edits: &mut Vec<Edit>) -> u32 {
    let written = root.get("edition");
    let before = written
        .and_then(Node::scalar)
        .and_then(|text| text.parse::<u32>().ok())
        .unwrap_or(1);
    let edition = if same { before.saturating_add(1) } else { 1 };
    match (written, root.get("activity")) {
        (Some(node), _) if before != edition => edits.push(Edit::of(node, edition.to_string())),
        (None, Some(activity)) if edition != 1 => {
            // A line of its own below `activity`, whatever stands behind that.
            let text = root.place.source.text();
            let end = activity.place.span.end;
            let line = text[end..].find('\n').map_or(text.len(), |at| end + at);
            edits.push(Edit {
                start: line,
                end: line,
                text: format!("\nedition: {edition}"),
            });
        }
        _ => {}
    }
    edition
}

fn renamed_rules(pattern: &str, from: &str, to: &str) -> String {
    if pattern.contains(from) {
        pattern.replacen(from, to, 1)
    } else if pattern.contains("{lang}") {
        format!("rules/{to}.{{lang}}.md")
    } else {
        format!("rules/{to}.md")
    }
}

/// The files that a pattern stands for, each with its language.
fn languages<'a>(files: &'a Files, pattern: &'a str) -> Vec<(&'a str, &'a str)> {
    let Some((before, after)) = pattern.split_once("{lang}") else {
        let found = files.get_key_value(pattern);
        return found
            .map(|(path, _)| (path.as_str(), ""))
            .into_iter()
            .collect();
    };
    let language = |path: &'a String| {
        let language = path.strip_prefix(before)?.strip_suffix(after)?;
        (!language.contains(['/', '.'])).then_some((path.as_str(), language))
    };
    files.keys().filter_map(language).collect()
}

fn moved(root: &Node, shift: Shift) -> Vec<Moved> {
    let of = |key: &'static str| {
        let text = root.get(key)?.scalar()?;
        let before = document::date(text.trim().get(..10)?)?;
        Some(Moved {
            key,
            before,
            after: shift.of(before)?,
        })
    };
    ["opens", "closes", "claim_until"]
        .into_iter()
        .filter_map(of)
        .collect()
}

/// A file of the copy, to speak of.
fn source(copy: &Renewal, path: &str) -> Arc<Source> {
    let text = copy.files.get(path).map_or("", String::as_str);
    Source::new(format!("{}/{path}", copy.folder), text)
}

#[cfg(test)]
mod tests;
