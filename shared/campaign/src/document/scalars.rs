//! What single values mean: texts, booleans, ids, words; and lists and maps of values.

use machine::Text;

use crate::codes;
use crate::diagnostic::{Diagnostics, meant};
use crate::document::{Entry, Kind, Node};

impl Node {
    /// The text of a single value. Numbers and booleans are texts, too: `title: 2026`.
    pub fn string(&self, diagnostics: &mut Diagnostics) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            Kind::Null => {
                diagnostics.error(codes::EMPTY, &self.place, "a value is missing here");
                None
            }
            Kind::List(_) | Kind::Map(_) => {
                diagnostics.error(
                    codes::WRONG_SHAPE,
                    &self.place,
                    format!("a single value is expected, this is {}", self.what()),
                );
                None
            }
        }
    }

    /// A text in the tenant's languages; a plain one is in the first of them.
    pub fn text(&self, languages: &[String], diagnostics: &mut Diagnostics) -> Option<Text> {
        let default = languages.first().map_or("en", String::as_str);
        let Kind::Map(entries) = &self.kind else {
            return self
                .words(diagnostics)
                .map(|words| Text::one(default, words));
        };
        let mut text = Text::default();
        let mut sound = !entries.is_empty();
        if entries.is_empty() {
            diagnostics.error(codes::EMPTY, &self.place, "a text is missing here");
        }
        for Entry { key, value } in entries {
            let language = key.scalar().unwrap_or("");
            if !languages.iter().any(|known| known == language) {
                let same = languages.iter().find(|known| {
                    known
                        .split('-')
                        .next()
                        .is_some_and(|name| name.eq_ignore_ascii_case(language))
                });
                let near = match same {
                    // `{ en: Come back, tomorrow }`: the comma ends the text, and what follows reads as a language.
                    _ if value.kind == Kind::Null => {
                        Some("a text with `,` in it needs quotes within `{ }`: \"...\"".to_owned())
                    }
                    Some(same) => Some(format!("did you mean `{same}`?")),
                    None => meant(language, languages.iter().map(String::as_str)),
                };
                diagnostics
                    .error(
                        codes::LANGUAGE,
                        &key.place,
                        format!("`{language}` is not one of the tenant's languages"),
                    )
                    .help(
                        near.unwrap_or_else(|| format!("its languages are {}", quoted(languages))),
                    );
                sound = false;
                if value.kind == Kind::Null {
                    continue;
                }
            }
            match value.words(diagnostics) {
                Some(words) => {
                    text.0.insert(language.to_owned(), words.to_owned());
                }
                None => sound = false,
            }
        }
        if sound {
            let missing: Vec<_> = languages
                .iter()
                .filter(|language| !text.0.contains_key(*language))
                .cloned()
                .collect();
            if !missing.is_empty() {
                diagnostics.warn(
                    codes::LANGUAGE_MISSING,
                    &self.place,
                    format!("this text is missing in {}", quoted(&missing)),
                );
            }
        }
        sound.then_some(text)
    }

    fn words(&self, diagnostics: &mut Diagnostics) -> Option<&str> {
        const MAX_BYTES: usize = 64 * 1024;
        let words = self.string(diagnostics)?;
        if words.trim().is_empty() {
            diagnostics.error(codes::EMPTY, &self.place, "a text is missing here");
            return None;
        }
        if words.len() > MAX_BYTES {
            diagnostics.error(
                codes::TOO_LONG,
                &self.place,
                "this text is longer than 64 KiB",
            );
            return None;
        }
        Some(words)
    }

    /// `true` or `false`.
    pub fn bool(&self, diagnostics: &mut Diagnostics) -> Option<bool> {
        match self.string(diagnostics)? {
            "true" => Some(true),
            "false" => Some(false),
            other => {
                let help = match other.to_ascii_lowercase().as_str() {
                    "yes" | "y" | "on" | "true" | "1" => Some("write `true`".to_owned()),
                    "no" | "n" | "off" | "false" | "0" => Some("write `false`".to_owned()),
                    _ => None,
                };
                diagnostics
                    .error(
                        codes::NOT_BOOL,
                        &self.place,
                        format!("`true` or `false` is expected, not `{}`", short(other)),
                    )
                    .maybe_help(help);
                None
            }
        }
    }

    /// An id: 1 to 64 of `a-z`, `0-9` and `-`. `what` is what it names, for the message.
    pub fn id(&self, what: &str, diagnostics: &mut Diagnostics) -> Option<&str> {
        let text = self.string(diagnostics)?;
        if is_id(text) {
            return Some(text);
        }
        let guess: String = text
            .to_ascii_lowercase()
            .chars()
            .map(|c| {
                if c == '_' || c == ' ' || c == '.' {
                    '-'
                } else {
                    c
                }
            })
            .collect();
        let help = if is_id(&guess) {
            format!("write `{guess}`")
        } else {
            "1 to 64 of the characters `a-z`, `0-9` and `-`".to_owned()
        };
        diagnostics
            .error(
                codes::NOT_ID,
                &self.place,
                format!("`{}` can't be the id of {}", short(text), a(what)),
            )
            .help(help);
        None
    }

    /// One of some words.
    pub fn one_of<'w>(&self, words: &[&'w str], diagnostics: &mut Diagnostics) -> Option<&'w str> {
        let text = self.string(diagnostics)?;
        let found = words.iter().find(|word| **word == text).copied();
        if found.is_none() {
            let near = meant(text, words.iter().copied());
            diagnostics
                .error(
                    codes::NOT_ONE_OF,
                    &self.place,
                    format!(
                        "`{}` is not possible here: it must be {}",
                        short(text),
                        one_of(words)
                    ),
                )
                .maybe_help(near);
        }
        found
    }

    /// The items of a list.
    pub fn list(&self, diagnostics: &mut Diagnostics) -> Option<&[Node]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            Kind::Null | Kind::Scalar { .. } | Kind::Map(_) => {
                diagnostics
                    .error(
                        codes::WRONG_SHAPE,
                        &self.place,
                        format!("a list is expected, this is {}", self.what()),
                    )
                    .help("write `[a, b]`, or one `- item` per line");
                None
            }
        }
    }

    /// The items of a list; anything else is a list of one.
    pub fn one_or_list(&self) -> &[Node] {
        match &self.kind {
            Kind::List(items) => items,
            Kind::Null | Kind::Scalar { .. } | Kind::Map(_) => std::slice::from_ref(self),
        }
    }

    /// The entries of a map with free keys.
    pub fn map(&self, diagnostics: &mut Diagnostics) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            Kind::Null | Kind::Scalar { .. } | Kind::List(_) => {
                diagnostics
                    .error(
                        codes::WRONG_SHAPE,
                        &self.place,
                        format!("a map is expected, this is {}", self.what()),
                    )
                    .help("write `{ key: value }`, or one `key: value` per line");
                None
            }
        }
    }
}

/// Whether a word can be an id.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// A word with its article.
pub(crate) fn a(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {word}")
}

/// A text short enough for a message.
pub(crate) fn short(text: &str) -> String {
    const MOST: usize = 40;
    let line = text.lines().next().unwrap_or("");
    if line.len() == text.len() && line.chars().count() <= MOST {
        return text.to_owned();
    }
    line.chars().take(MOST).chain("...".chars()).collect()
}

fn one_of(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match words.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

fn quoted(words: &[String]) -> String {
    words
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
