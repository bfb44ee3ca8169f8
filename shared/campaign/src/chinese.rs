//! Diagnostics in Chinese.
//!
//! The check says everything in English, in sentences made where a mistake is found. So that staff who read Chinese
//! understand every problem and its way out, each sentence has a Chinese one in `chinese.txt`, looked up by the English: the
//! way message catalogues work. The check itself knows nothing of languages; whoever adds a diagnostic writes one sentence,
//! and its translation in one file that a translator can read from top to bottom.
//!
//! The price is that a sentence is found by its shape (`there is no reward {}`), not by a name. It is a small one: a sentence
//! without translation is shown as the code's title with the English behind it, and the code's way out in place of its help, so
//! nothing is ever lost; and `tests/chinese.rs` runs the whole corpus and every explained example, and fails where English
//! is left. Named arguments at some two hundred places would have said the same with more code in the check's way.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::explain::explain;
use crate::language::Language;

const CATALOGUE: &str = include_str!("chinese.txt");

/// How deep parts of sentences are looked up in parts: `from {} to {}` is as deep as it gets.
const DEPTH: u8 = 3;

/// An English sentence and the Chinese one.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    english: Vec<&'static str>,
    chinese: &'static str,
    part: bool,
}

impl Entry {
    /// How much of it is fixed: the more, the better it fits.
    fn weight(&self) -> usize {
        self.english.iter().map(|piece| piece.len()).sum()
    }
}

impl Diagnostic {
    /// The same in a language; places, code and severity are what they were.
    #[must_use]
    pub fn in_language(&self, language: Language) -> Self {
        match language {
            Language::English => self.clone(),
            Language::Chinese => chinese(self),
        }
    }
}

impl Diagnostics {
    /// The same in a language.
    #[must_use]
    pub fn in_language(&self, language: Language) -> Self {
        self.iter().map(|each| each.in_language(language)).collect()
    }
}

fn chinese(of: &Diagnostic) -> Diagnostic {
    let page = explain(of.code).map(|found| found.chinese);
    let mut said = of.clone();
    said.message = match (sentence(&of.message), page) {
        (Some(message), _) => message,
        (None, Some(page)) => format!("{}（{}）", page.title, of.message),
        (None, None) => of.message.clone(),
    };
    said.label = sentence(&of.label).unwrap_or_else(|| of.label.clone());
    said.help = match (&of.help, page) {
        (Some(help), page) => Some(match (sentence(help), page) {
            (Some(help), _) => help,
            (None, Some(page)) => page.fix.to_owned(),
            (None, None) => help.clone(),
        }),
        // What has no help of its own has its code's.
        (None, page) => page.map(|page| page.fix.to_owned()),
    };
    for (_, words) in &mut said.related {
        if let Some(found) = sentence(words) {
            *words = found;
        }
    }
    said
}

/// A whole sentence in Chinese; nothing if the catalogue lacks it.
fn sentence(english: &str) -> Option<String> {
    let (entry, gaps) = best(english, false)?;
    Some(filled(entry, &gaps, DEPTH))
}

/// The entry that fits best, with what stands in its gaps.
fn best(english: &str, part: bool) -> Option<(&'static Entry, Vec<(&str, bool)>)> {
    catalogue()
        .iter()
        .filter(|entry| entry.part == part)
        .filter_map(|entry| fit(&entry.english, english).map(|gaps| (entry, gaps)))
        .max_by_key(|(entry, _)| entry.weight())
}

/// What stands in the gaps between pieces, and whether it stands in backticks: then it is the file's own word.
fn fit<'a>(pieces: &[&str], text: &'a str) -> Option<Vec<(&'a str, bool)>> {
    let (first, rest) = pieces.split_first()?;
    let mut left = text.strip_prefix(first)?;
    let mut quoted = first.ends_with('`');
    let mut gaps = Vec::with_capacity(rest.len());
    for (number, piece) in rest.iter().enumerate() {
        let at = if number + 1 == rest.len() {
            left.ends_with(piece).then(|| left.len() - piece.len())?
        } else {
            left.find(piece)?
        };
        let (gap, after) = left.split_at_checked(at)?;
        gaps.push((gap, quoted));
        left = after.get(piece.len()..)?;
        quoted = piece.ends_with('`');
    }
    left.is_empty().then_some(gaps)
}

/// The Chinese sentence with its gaps filled.
fn filled(entry: &Entry, gaps: &[(&str, bool)], depth: u8) -> String {
    let mut out = String::new();
    let mut rest = entry.chinese;
    let mut next = 0;
    while let Some((before, after)) = rest.split_once('{') {
        out += before;
        let Some((name, behind)) = after
            .split_once('}')
            .filter(|(name, _)| name.is_empty() || name.parse::<usize>().is_ok())
        else {
            out.push('{');
            rest = after;
            continue;
        };
        let at = name.parse::<usize>().map_or(next, |number| number - 1);
        next = at + 1;
        if let Some((gap, quoted)) = gaps.get(at) {
            out += &if *quoted {
                Cow::Borrowed(*gap)
            } else {
                part(gap, depth)
            };
        }
        rest = behind;
    }
    out + rest
}

/// A part of a sentence: by the catalogue, else a list of names with Chinese commas, else as it is.
fn part(gap: &str, depth: u8) -> Cow<'_, str> {
    if depth > 0
        && let Some((entry, gaps)) = best(gap, true)
    {
        return Cow::Owned(filled(entry, &gaps, depth - 1));
    }
    if depth > 0 && gap.contains(", ") {
        let items: Vec<_> = gap.split(", ").map(|item| part(item, depth - 1)).collect();
        return Cow::Owned(items.join("、"));
    }
    if let Some((left, right)) = gap.rsplit_once(" or ") {
        return Cow::Owned(format!("{left} 或 {right}"));
    }
    Cow::Borrowed(gap)
}

fn catalogue() -> &'static [Entry] {
    static READ: OnceLock<Vec<Entry>> = OnceLock::new();
    READ.get_or_init(|| read(CATALOGUE))
}

fn read(text: &'static str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut english = None;
    let mut part = false;
    for line in text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# "))
    {
        if line == "== parts" {
            part = true;
        } else if let Some(chinese) = line.strip_prefix("  ") {
            entries.extend(english.take().map(|english: &'static str| Entry {
                english: english.split("{}").collect(),
                chinese,
                part,
            }));
        } else {
            english = Some(line);
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_catalogue_is_pairs_and_says_nothing_twice() {
        let lines: Vec<_> = CATALOGUE
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with("# ") && *line != "== parts")
            .collect();
        for pair in lines.chunks(2) {
            assert!(
                !pair[0].starts_with(' ') && pair.get(1).is_some_and(|line| line.starts_with("  ")),
                "{pair:?}"
            );
        }
        let entries = catalogue();
        assert_eq!(entries.len() * 2, lines.len());
        let english: BTreeSet<_> = entries
            .iter()
            .map(|entry| (entry.part, &entry.english))
            .collect();
        assert_eq!(english.len(), entries.len(), "something stands there twice");
        for entry in entries {
            for number in 1..10 {
                assert!(
                    !entry.chinese.contains(&format!("{{{number}}}"))
                        || number < entry.english.len(),
                    "{}: there is no {{{number}}}",
                    entry.chinese
                );
            }
        }
    }

    #[test]
    fn sentences_keep_the_files_own_words() {
        for (english, chinese) in [
            ("there is no reward `cupon`", Some("没有奖品 `cupon`")),
            (
                "`total` is not a key of a reward",
                Some("奖品没有 `total` 这个键"),
            ),
            (
                "`-1` is out of range: it must be from 0 to 1000000",
                Some("`-1` 超出范围，应当在 0 到 1000000 之间"),
            ),
            (
                "a list is expected, this is nothing",
                Some("应为列表，这里是空"),
            ),
            (
                "`no` is not possible here: it must be `keep` or `lost`",
                Some("这里不能写 `no`，只能是 `keep` 或 `lost`"),
            ),
            // What users wrote is never taken for a part.
            ("there is no reward `a list`", Some("没有奖品 `a list`")),
            ("nobody wrote this", None),
        ] {
            assert_eq!(sentence(english).as_deref(), chinese, "{english}");
        }
    }
}
