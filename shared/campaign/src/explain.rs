//! What a code means, for those who look after campaigns: what is so, why it matters, the way out, and the smallest example
//! of wrong and of right; in English and in Chinese.
//!
//! One file per code beside this one, `explain/E0501.md`, that people edit like any text:
//!
//! ````text
//! # E0501
//!
//! ## en: A title without a full stop
//!
//! What is so.
//!
//! Why it matters.
//!
//! The way out.
//!
//! ## zh-CN: 标题
//!
//! (the same three paragraphs)
//!
//! ## wrong
//!
//! ```yaml lottery
//! rewards: ...
//! ```
//!
//! ## right
//!
//! (the same, mended)
//! ````
//!
//! A title says what is so, and stands alone where there is no room for more. An example holds only the keys it is about;
//! the word behind `yaml` says what they are put over: `custom` (unless said), `lottery`, `sign-in` or `gift-pack` for a
//! small sound campaign of that activity, `law` for a lottery of a tenant under `law: CN`, or `tenant.yaml`. `whole` is a campaign's file as it stands; any other path, as
//! `lists/vip.csv` or `stories/example.yaml`, is a file put into the tenant's folder. A test (`tests/explain.rs`) runs every
//! example through the check: the wrong one yields its code and no other error, the right one neither.

use serde::Serialize;

use crate::codes::{PAGES, TABLE};
use crate::language::Language;
use crate::spelling::did_you_mean;

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// The code: `E0501`.
    pub code: &'static str,
    /// In English.
    pub english: Words,
    /// In Chinese.
    pub chinese: Words,
    /// What it is reported for.
    pub wrong: Example,
    /// The same, mended.
    pub right: Example,
}

/// An explanation's words in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Words {
    /// A line: what is so.
    pub title: &'static str,
    /// What is so, in a sentence or two.
    pub meaning: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// The way out.
    pub fix: &'static str,
}

/// A part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Example {
    /// What it is put over, or where it lies: `custom`, `lottery`, `tenant.yaml`, `lists/vip.csv`; `copied`: a campaign
    /// that was copied, `copied 52w` by so much later.
    pub place: &'static str,
    /// Its text.
    pub text: &'static str,
}

impl Explanation {
    /// The words in a language.
    pub const fn words(&self, language: Language) -> &Words {
        match language {
            Language::English => &self.english,
            Language::Chinese => &self.chinese,
        }
    }
}

/// The explanation of a code, in whatever case it is written. Nothing if there is no such code.
pub fn explain(code: &str) -> Option<Explanation> {
    PAGES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(code))
        .and_then(|(code, page)| read(code, page))
}

/// All explanations, in the order of the codes.
pub fn all() -> impl Iterator<Item = Explanation> {
    PAGES.iter().filter_map(|(code, page)| read(code, page))
}

/// The code that was probably meant, where there is none that reads like this: `E501`, `501`, `W0501` for `E0501`.
pub fn meant(code: &str) -> Option<&'static str> {
    let upper = code.trim().to_ascii_uppercase();
    let digits = upper.trim_start_matches(|c: char| !c.is_ascii_digit());
    let padded = digits.parse::<u16>().map(|number| format!("{number:04}"));
    let letter = upper.get(..1).unwrap_or("");
    let codes = || TABLE.iter().map(|(code, _)| *code);
    let same_number = |code: &&str| {
        padded
            .as_ref()
            .is_ok_and(|number| code.ends_with(number.as_str()))
    };
    codes()
        .filter(same_number)
        .find(|code| code.starts_with(letter))
        .or_else(|| codes().find(same_number))
        .or_else(|| did_you_mean(&upper, codes()))
}

/// Reads a page; nothing if it is not written as the module's head says, which a test rules out.
fn read(code: &'static str, page: &'static str) -> Option<Explanation> {
    let (head, rest) = page.split_once("\n## en: ")?;
    let (english, rest) = rest.split_once("\n## zh-CN: ")?;
    let (chinese, rest) = rest.split_once("\n## wrong\n")?;
    let (wrong, right) = rest.split_once("\n## right\n")?;
    (head.trim().strip_prefix("# ")? == code).then_some(())?;
    Some(Explanation {
        code,
        english: words(english)?,
        chinese: words(chinese)?,
        wrong: example(wrong)?,
        right: example(right)?,
    })
}

/// A title and three paragraphs.
fn words(section: &'static str) -> Option<Words> {
    let mut parts = section.trim().split("\n\n").map(str::trim);
    let words = Words {
        title: parts.next()?,
        meaning: parts.next()?,
        why: parts.next()?,
        fix: parts.next()?,
    };
    parts.next().is_none().then_some(words)
}

/// A fenced block: its language, where it belongs, its text.
fn example(section: &'static str) -> Option<Example> {
    let (head, text) = section.trim().strip_prefix("```")?.split_once('\n')?;
    let text = text.strip_suffix("```")?;
    let place = head.split_once(' ').map_or("custom", |(_, place)| place);
    Some(Example { place, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_that_can_be_read() {
        for (code, page) in PAGES {
            let read = read(code, page);
            assert!(
                read.is_some(),
                "explain/{code}.md is not written as src/explain.rs says"
            );
        }
        assert_eq!(PAGES.len(), TABLE.len());
    }

    #[test]
    fn both_languages_say_everything_in_their_own_script() {
        let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        for each in all() {
            for language in [Language::English, Language::Chinese] {
                let Words {
                    title,
                    meaning,
                    why,
                    fix,
                } = each.words(language);
                assert!(!title.ends_with(['.', '。']), "{}: {title}", each.code);
                for text in [meaning, why, fix] {
                    assert!(
                        text.ends_with(['.', '。', '?', '？']),
                        "{}: {text}",
                        each.code
                    );
                }
                for text in [title, meaning, why, fix] {
                    assert!(
                        !text.contains('\n'),
                        "{}: one line a paragraph: {text}",
                        each.code
                    );
                    if language == Language::Chinese {
                        assert!(chinese(text), "{}: {text}", each.code);
                    }
                }
            }
            assert_ne!(each.wrong, each.right, "{}", each.code);
        }
    }

    #[test]
    fn codes_are_found_as_people_write_them() {
        assert_eq!(explain("e0501").map(|found| found.code), Some("E0501"));
        assert_eq!(explain("E501"), None);
        for (written, code) in [
            ("E501", Some("E0501")),
            ("501", Some("E0501")),
            ("w501", Some("W0501")),
            ("W0502", Some("W0502")),
            ("E0O01", Some("E0001")),
            ("odds", None),
        ] {
            assert_eq!(meant(written), code, "{written}");
        }
    }
}
