//! Dates in any text, as people write them: `2026-12-01`, `2026/12/01`, `2026年12月1日`, `1 December 2026`, `December 1, 2026`; and
//! what is only part of one, a day without its year, a year alone. What a date means for a campaign is not looked at here.

use chrono::{Datelike as _, NaiveDate};

use crate::document;

/// The months in English.
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A stretch of a text that speaks of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Its first byte.
    pub start: usize,
    /// The first byte after it.
    pub end: usize,
    /// What it says.
    pub what: What,
}

/// What a stretch says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// A whole date, and how it was written.
    Date(NaiveDate, Form),
    /// A day without its year: `12月31日`, `31 December`.
    DayOnly,
    /// A year that belongs to no date.
    Year(i32),
}

/// How a date was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `2026-12-01`, with this sign between the numbers.
    Numbers(char),
    /// `2026年12月1日`.
    Chinese,
    /// `1 December 2026`.
    DayFirst,
    /// `December 1, 2026`; whether the comma is there.
    MonthFirst(bool),
}

impl Form {
    /// Another date, written the same way. `padded`: as `01`, not as `1`.
    pub(super) fn write(self, date: NaiveDate, padded: bool) -> String {
        let (year, month, day) = (date.year(), date.month(), date.day());
        let word = MONTHS[date.month0() as usize];
        let two = |number: u32| {
            if padded {
                format!("{number:02}")
            } else {
                number.to_string()
            }
        };
        match self {
            Self::Numbers(sign) => format!("{year:04}{sign}{}{sign}{}", two(month), two(day)),
            Self::Chinese => format!("{year}年{}月{}日", two(month), two(day)),
            Self::DayFirst => format!("{} {word} {year}", two(day)),
            Self::MonthFirst(true) => format!("{word} {}, {year}", two(day)),
            Self::MonthFirst(false) => format!("{word} {} {year}", two(day)),
        }
    }
}

/// All that a text says of time, in order.
pub(super) fn find(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let before = text[..at].chars().next_back();
        let here = rest.chars().next().unwrap_or(' ');
        let begins = if here.is_ascii_digit() {
            !before.is_some_and(|c| c.is_ascii_digit() || c == '.')
        } else {
            here.is_ascii_uppercase() && !before.is_some_and(char::is_alphanumeric)
        };
        let read = begins.then(|| read(rest)).flatten();
        if let Some((length, what)) = read {
            found.push(Found {
                start: at,
                end: at + length,
                what,
            });
            at += length;
        } else {
            at += here.len_utf8();
        }
    }
    found
}

/// What the text begins with, and how long it is.
fn read(text: &str) -> Option<(usize, What)> {
    numbers(text)
        .or_else(|| chinese(text))
        .or_else(|| day_first(text))
        .or_else(|| month_first(text))
        .or_else(|| year(text))
}

/// `2026-12-01`, `2026/12/1`.
fn numbers(text: &str) -> Option<(usize, What)> {
    let (year, rest) = digits(text, 4..=4)?;
    let sign = rest.chars().next().filter(|sign| "-/.".contains(*sign))?;
    let (month, rest) = digits(&rest[1..], 1..=2)?;
    let (day, rest) = digits(rest.strip_prefix(sign)?, 1..=2)?;
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let date = date(year, month, day)?;
    Some((
        text.len() - rest.len(),
        What::Date(date, Form::Numbers(sign)),
    ))
}

/// `2026年12月1日`, `12月1日`.
fn chinese(text: &str) -> Option<(usize, What)> {
    let with_year =
        digits(text, 4..=4).and_then(|(year, rest)| Some((year, rest.strip_prefix('年')?)));
    let (month, rest) = digits(with_year.map_or(text, |(_, rest)| rest), 1..=2)?;
    let (day, rest) = digits(rest.strip_prefix('月')?, 1..=2)?;
    let rest = rest
        .strip_prefix('日')
        .or_else(|| rest.strip_prefix('号'))?;
    let length = text.len() - rest.len();
    match with_year {
        Some((year, _)) => Some((length, What::Date(date(year, month, day)?, Form::Chinese))),
        None => Some((length, What::DayOnly)),
    }
}

/// `1 December 2026`, `1 December`.
fn day_first(text: &str) -> Option<(usize, What)> {
    let (day, rest) = digits(text, 1..=2)?;
    let (month, rest) = month(rest.strip_prefix(' ')?)?;
    let Some((year, after)) = rest.strip_prefix(' ').and_then(|rest| digits(rest, 4..=4)) else {
        return Some((text.len() - rest.len(), What::DayOnly));
    };
    Some((
        text.len() - after.len(),
        What::Date(date(year, month, day)?, Form::DayFirst),
    ))
}

/// `December 1, 2026`, `December 1`.
fn month_first(text: &str) -> Option<(usize, What)> {
    let (month, rest) = month(text)?;
    let (day, rest) = digits(rest.strip_prefix(' ')?, 1..=2)?;
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let comma = rest.strip_prefix(',');
    let year = comma
        .unwrap_or(rest)
        .strip_prefix(' ')
        .and_then(|rest| digits(rest, 4..=4));
    let Some((year, after)) = year else {
        return Some((text.len() - rest.len(), What::DayOnly));
    };
    let form = Form::MonthFirst(comma.is_some());
    Some((
        text.len() - after.len(),
        What::Date(date(year, month, day)?, form),
    ))
}

/// A year that stands alone.
fn year(text: &str) -> Option<(usize, What)> {
    let (year, rest) = digits(text, 4..=4)?;
    // `2026.50` is money, `20260101` was more than four digits.
    let goes_on = rest.starts_with(|c: char| c.is_ascii_digit())
        || (rest.starts_with('.') && rest[1..].starts_with(|c: char| c.is_ascii_digit()));
    let year = i32::try_from(year).ok()?;
    ((1990..2100).contains(&year) && !goes_on).then_some((4, What::Year(year)))
}

fn month(text: &str) -> Option<(u32, &str)> {
    MONTHS.iter().zip(1..).find_map(|(name, number)| {
        let rest = text.strip_prefix(name)?;
        (!rest.starts_with(char::is_alphanumeric)).then_some((number, rest))
    })
}

/// A run of so many digits.
fn digits(text: &str, many: std::ops::RangeInclusive<usize>) -> Option<(u32, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    if !many.contains(&length) {
        return None;
    }
    Some((text[..length].parse().ok()?, &text[length..]))
}

/// A date that campaigns may have: elsewhere the numbers mean something else.
fn date(year: u32, month: u32, day: u32) -> Option<NaiveDate> {
    document::date(&format!("{year:04}-{month:02}-{day:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_people_write_them() {
        let rows: &[(&str, &[&str])] = &[
            ("opens: 2026-12-01 10:00", &["2026-12-01"]),
            ("date('2026-02-01') < now", &["2026-02-01"]),
            ("2026-12-01T10:00:00+08:00", &["2026-12-01"]),
            (
                "2026/1/2 至 2026年12月31日",
                &["2026/1/2", "2026年12月31日"],
            ),
            ("from 1 December 2026", &["1 December 2026"]),
            (
                "December 1, 2026 or May 2 2027",
                &["December 1, 2026", "May 2 2027"],
            ),
            ("12月31日21:00起, 1 January", &["12月31日", "1 January"]),
            ("2028跨年红包, vip-2026", &["2028", "2026"]),
            ("2026.50 and 5999 and 20261201 and 12026", &[]),
            ("2026-13-01", &["2026"]),
            ("Maybe 3 March 3", &["3 March"]),
        ];
        for (text, expected) in rows {
            let found: Vec<_> = find(text)
                .iter()
                .map(|found| &text[found.start..found.end])
                .collect();
            assert_eq!(&found, expected, "{text}");
        }
    }

    #[test]
    fn they_are_written_as_they_were() {
        for text in [
            "2026-12-01",
            "2026/1/2",
            "2026年12月1日",
            "1 December 2026",
            "December 1, 2026",
            "May 2 2027",
        ] {
            let found = find(text);
            let [
                Found {
                    what: What::Date(date, form),
                    ..
                },
            ] = found[..]
            else {
                panic!("{text}: {found:?}");
            };
            assert_eq!(form.write(date, text.contains("01")), text);
        }
    }
}
