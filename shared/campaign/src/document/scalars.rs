//! What single values mean: texts, numbers, money, odds, ids.
//!
//! Numbers are read from the text, digit by digit; none passes through a float.

use std::ops::RangeInclusive;

use machine::Text;

use crate::codes;
use crate::diagnostic::{Diagnostics, meant};
use crate::document::{Entry, Kind, Node};

/// How likely a reward is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Odds {
    /// `num` in `den`, in lowest terms; `den` is at least 1 and `num` at most `den`.
    Parts {
        /// How many.
        num: u64,
        /// Of how many.
        den: u64,
    },
    /// What the others leave.
    Rest,
}

/// The most digits after the point that odds may have.
const ODDS_DECIMALS: usize = 12;

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
                diagnostics.error(codes::WRONG_SHAPE, &self.place, format!("a single value is expected, this is {}", self.what()));
                None
            }
        }
    }

    /// A text in the tenant's languages; a plain one is in the first of them.
    pub fn text(&self, languages: &[String], diagnostics: &mut Diagnostics) -> Option<Text> {
        let default = languages.first().map_or("en", String::as_str);
        let Kind::Map(entries) = &self.kind else {
            return self.words(diagnostics).map(|words| Text::one(default, words));
        };
        let mut text = Text::default();
        let mut sound = !entries.is_empty();
        if entries.is_empty() {
            diagnostics.error(codes::EMPTY, &self.place, "a text is missing here");
        }
        for Entry { key, value } in entries {
            let language = key.scalar().unwrap_or("");
            if !languages.iter().any(|known| known == language) {
                let near = meant(language, languages.iter().map(String::as_str));
                diagnostics
                    .error(codes::LANGUAGE, &key.place, format!("`{language}` is not one of the tenant's languages"))
                    .help(near.unwrap_or_else(|| format!("its languages are {}", quoted(languages))));
                sound = false;
            }
            match value.words(diagnostics) {
                Some(words) => {
                    text.0.insert(language.to_owned(), words.to_owned());
                }
                None => sound = false,
            }
        }
        if sound {
            let missing: Vec<_> = languages.iter().filter(|language| !text.0.contains_key(*language)).cloned().collect();
            if !missing.is_empty() {
                diagnostics.warn(codes::LANGUAGE_MISSING, &self.place, format!("this text is missing in {}", quoted(&missing)));
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
            diagnostics.error(codes::TOO_LONG, &self.place, "this text is longer than 64 KiB");
            return None;
        }
        Some(words)
    }

    /// A whole number within bounds, both included.
    #[allow(clippy::needless_pass_by_value)] // ranges are written at the call
    pub fn int(&self, range: RangeInclusive<i64>, diagnostics: &mut Diagnostics) -> Option<i64> {
        let text = self.string(diagnostics)?;
        let digits = text.strip_prefix('-').unwrap_or(text).replace('_', "");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) || text.starts_with('_') || text.ends_with('_') {
            diagnostics.error(codes::NOT_INT, &self.place, format!("a whole number is expected, not `{}`", short(text)));
            return None;
        }
        let number = text.replace('_', "").parse::<i64>().ok().filter(|number| range.contains(number));
        if number.is_none() {
            let bounds = match (*range.start(), *range.end()) {
                (low, i64::MAX) => format!("at least {low}"),
                (i64::MIN, high) => format!("at most {high}"),
                (low, high) => format!("from {low} to {high}"),
            };
            diagnostics.error(codes::INT_RANGE, &self.place, format!("`{}` is out of range: it must be {bounds}", short(text)));
        }
        number
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
                    .error(codes::NOT_BOOL, &self.place, format!("`true` or `false` is expected, not `{}`", short(other)))
                    .maybe_help(help);
                None
            }
        }
    }

    /// An amount of money in minor units of a currency with `digits` decimals; not negative.
    pub fn decimal(&self, digits: u8, diagnostics: &mut Diagnostics) -> Option<i64> {
        let text = self.string(diagnostics)?;
        let (negative, magnitude) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let Some((whole, part)) = decimal_digits(magnitude) else {
            diagnostics
                .error(codes::NOT_DECIMAL, &self.place, format!("an amount of money is expected, not `{}`", short(text)))
                .help("write digits and a point, without a sign or a currency: `5999.00`");
            return None;
        };
        if negative {
            diagnostics.error(codes::NEGATIVE, &self.place, format!("an amount can't be negative: `{}`", short(text)));
            return None;
        }
        if part.len() > usize::from(digits) {
            let most = if digits == 0 { "no decimals".to_owned() } else { format!("at most {digits} decimals") };
            diagnostics.error(codes::DECIMAL_DIGITS, &self.place, format!("the currency has {most}, `{}` has {}", short(text), part.len()));
            return None;
        }
        let minor = format!("{whole}{part:0<width$}", width = usize::from(digits)).parse::<i64>().ok();
        if minor.is_none() {
            diagnostics.error(codes::INT_RANGE, &self.place, format!("`{}` is more money than can be counted", short(text)));
        }
        minor
    }

    /// Odds: `10%`, `0.001%`, `1/3`, `0.25`, `rest`.
    pub fn odds(&self, diagnostics: &mut Diagnostics) -> Option<Odds> {
        let text = self.string(diagnostics)?.trim();
        if text == "rest" {
            return Some(Odds::Rest);
        }
        let Some((num, den)) = fraction(text) else {
            let (code, message) = if looks_like_odds(text) {
                (codes::ODDS_RANGE, format!("`{}` can't be odds: they lie between 0 and 100%, with at most {ODDS_DECIMALS} decimals", short(text)))
            } else {
                (codes::NOT_ODDS, format!("odds are expected, not `{}`", short(text)))
            };
            let help = match text.parse::<u64>() {
                Ok(number) if (1..=100).contains(&number) => format!("write `{number}%` if you mean percent"),
                _ => "write `10%`, `0.001%`, `1/3`, or `rest` for what the others leave".to_owned(),
            };
            diagnostics.error(code, &self.place, message).help(help);
            return None;
        };
        let divisor = gcd(num, den);
        Some(Odds::Parts { num: num / divisor, den: den / divisor })
    }

    /// An id: 1 to 64 of `a-z`, `0-9` and `-`. `what` is what it names, for the message.
    pub fn id(&self, what: &str, diagnostics: &mut Diagnostics) -> Option<&str> {
        let text = self.string(diagnostics)?;
        if is_id(text) {
            return Some(text);
        }
        let guess: String = text.to_ascii_lowercase().chars().map(|c| if c == '_' || c == ' ' || c == '.' { '-' } else { c }).collect();
        let help = if is_id(&guess) {
            format!("write `{guess}`")
        } else {
            "1 to 64 of the characters `a-z`, `0-9` and `-`".to_owned()
        };
        diagnostics.error(codes::NOT_ID, &self.place, format!("`{}` can't be the id of a {what}", short(text))).help(help);
        None
    }

    /// One of some words.
    pub fn one_of<'w>(&self, words: &[&'w str], diagnostics: &mut Diagnostics) -> Option<&'w str> {
        let text = self.string(diagnostics)?;
        let found = words.iter().find(|word| **word == text).copied();
        if found.is_none() {
            let near = meant(text, words.iter().copied());
            diagnostics
                .error(codes::NOT_ONE_OF, &self.place, format!("`{}` is not possible here: it must be {}", short(text), one_of(words)))
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
                    .error(codes::WRONG_SHAPE, &self.place, format!("a list is expected, this is {}", self.what()))
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
                    .error(codes::WRONG_SHAPE, &self.place, format!("a map is expected, this is {}", self.what()))
                    .help("write `{ key: value }`, or one `key: value` per line");
                None
            }
        }
    }
}

/// Whether a word can be an id.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The digits before and after the point; at least one on either side that is written.
fn decimal_digits(text: &str) -> Option<(&str, &str)> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('.') {
        None => digits(text).then_some((text, "")),
        Some((whole, part)) => (digits(whole) && digits(part)).then_some((whole, part)),
    }
}

/// A fraction between 0 and 1.
fn fraction(text: &str) -> Option<(u64, u64)> {
    let (num, den) = if let Some((num, den)) = text.split_once('/') {
        let whole = |part: &str| decimal_digits(part.trim()).filter(|(_, part)| part.is_empty())?.0.parse::<u64>().ok();
        (whole(num)?, whole(den)?)
    } else {
        let (number, scale) = text.strip_suffix('%').map_or((text, 1), |number| (number.trim_end(), 100));
        let (whole, part) = decimal_digits(number)?;
        // A bare `10` could be meant as percent; a bare `0.1` can't be meant otherwise.
        if scale == 1 && part.is_empty() && whole != "0" {
            return None;
        }
        if part.len() > ODDS_DECIMALS {
            return None;
        }
        (format!("{whole}{part}").parse::<u64>().ok()?, 10u64.pow(part.len() as u32) * scale)
    };
    (den > 0 && num <= den).then_some((num, den))
}

/// Whether it was meant as odds, and only its size is wrong.
fn looks_like_odds(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '%' | '/' | '-' | ' '))
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
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
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
