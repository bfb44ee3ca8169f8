//! Values as posters say them: numbers in groups, dates in the campaign's timezone, money with its sign. In English, in Chinese,
//! and plainly in any other language.

use chrono::DateTime;
use machine::calendar::{HOUR_MS, Millis, date};
use machine::model::{Currency, Definition};
use machine::{Type, Value};

/// How a language says values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    English,
    Chinese,
    Plain,
}

impl Manner {
    fn of(language: &str) -> Self {
        match language.split(['-', '_']).next() {
            Some("en") => Self::English,
            Some("zh") => Self::Chinese,
            _ => Self::Plain,
        }
    }
}

/// A value of the record, of a claim or of a figure.
pub fn say(value: &Value, ty: Type, definition: &Definition, language: &str) -> String {
    let manner = Manner::of(language);
    match value {
        Value::Str(text) => text.to_string(),
        Value::Bool(yes) => yes_or_no(*yes, manner).to_owned(),
        Value::Int(found) => match ty {
            Type::Date => day(i32::try_from(*found).unwrap_or(i32::MAX), manner),
            Type::Time => instant(*found, definition, language),
            Type::Duration => duration(*found, manner),
            _ => number(*found, language),
        },
        // No placeholder holds these.
        Value::Strs(_) | Value::Days(_) => String::new(),
    }
}

/// A whole number, its thousands apart.
pub fn number(number: i64, language: &str) -> String {
    let digits = number.unsigned_abs().to_string();
    let sign = if number < 0 { "-" } else { "" };
    let apart = match Manner::of(language) {
        Manner::English | Manner::Chinese => ",",
        // A narrow space that does not break is read as that anywhere.
        Manner::Plain => "\u{202f}",
    };
    format!("{sign}{}", grouped(&digits, apart))
}

/// An amount of money in minor units: `¥19.90`, `€1,200`; whole amounts without their decimals.
pub fn money(minor: i64, currency: &Currency, language: &str) -> String {
    let decimal = currency.decimal(minor);
    let (sign, plain) = decimal
        .strip_prefix('-')
        .map_or(("", &*decimal), |rest| ("-", rest));
    let (whole, part) = plain.split_once('.').unwrap_or((plain, ""));
    let apart = if Manner::of(language) == Manner::Plain {
        "\u{202f}"
    } else {
        ","
    };
    let mut said = grouped(whole, apart);
    if part.bytes().any(|digit| digit != b'0') {
        said = format!("{said}.{part}");
    }
    let symbol = match &*currency.code {
        "CNY" | "JPY" => "¥",
        "EUR" => "€",
        "GBP" => "£",
        "USD" => "$",
        "KRW" => "₩",
        "INR" => "₹",
        code => return format!("{sign}{said} {code}"),
    };
    format!("{sign}{symbol}{said}")
}

/// A point in time in the campaign's timezone, to the minute; a midnight is said as its day.
pub fn instant(at: Millis, definition: &Definition, language: &str) -> String {
    let zone = definition.calendar.timezone;
    let Some(utc) = DateTime::from_timestamp_millis(at) else {
        return String::new();
    };
    let local = utc.with_timezone(&zone);
    let clock = local.format("%H:%M").to_string();
    let day = match Manner::of(language) {
        Manner::English => local.format("%-d %B %Y").to_string(),
        Manner::Chinese => local.format("%Y年%-m月%-d日").to_string(),
        Manner::Plain => local.format("%Y-%m-%d").to_string(),
    };
    match (&*clock, Manner::of(language)) {
        ("00:00", _) => day,
        (clock, Manner::English) => format!("{day}, {clock}"),
        (clock, _) => format!("{day} {clock}"),
    }
}

fn day(at: i32, manner: Manner) -> String {
    let date = date(at);
    let form = match manner {
        Manner::English => "%-d %B %Y",
        Manner::Chinese => "%Y年%-m月%-d日",
        Manner::Plain => "%Y-%m-%d",
    };
    date.format(form).to_string()
}

/// A length of time in the largest unit that it is a whole number of.
fn duration(millis: i64, manner: Manner) -> String {
    let units = [
        (24 * HOUR_MS, "day", "天", "d"),
        (HOUR_MS, "hour", "小时", "h"),
        (HOUR_MS / 60, "minute", "分钟", "min"),
    ];
    let fits = units.iter().find(|(unit, ..)| millis % unit == 0);
    let (unit, english, chinese, plain) = fits.copied().unwrap_or((1000, "second", "秒", "s"));
    let count = millis / unit;
    match manner {
        Manner::English if count == 1 => format!("1 {english}"),
        Manner::English => format!("{count} {english}s"),
        Manner::Chinese => format!("{count}{chinese}"),
        Manner::Plain => format!("{count} {plain}"),
    }
}

const fn yes_or_no(yes: bool, manner: Manner) -> &'static str {
    match (manner, yes) {
        (Manner::English, true) => "yes",
        (Manner::English, false) => "no",
        (Manner::Chinese, true) => "是",
        (Manner::Chinese, false) => "否",
        (Manner::Plain, true) => "✓",
        (Manner::Plain, false) => "–",
    }
}

/// Digits in groups of three from the right.
fn grouped(digits: &str, apart: &str) -> String {
    let mut said = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            said += apart;
        }
        said.push(digit);
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_said_as_people_write_it() {
        let cny = Currency {
            code: "CNY".to_owned(),
            digits: 2,
        };
        let czk = Currency {
            code: "CZK".to_owned(),
            digits: 2,
        };
        let rows = [
            (money(1990, &cny, "zh-CN"), "¥19.90"),
            (money(599_900, &cny, "en"), "¥5,999"),
            (money(-50, &cny, "en"), "-¥0.50"),
            (money(120_000, &czk, "cs"), "1\u{202f}200 CZK"),
        ];
        for (said, expected) in rows {
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn numbers_are_in_groups_to_the_last() {
        let rows = [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (-1_234_567, "-1,234,567"),
            (i64::MIN, "-9,223,372,036,854,775,808"),
        ];
        for (found, expected) in rows {
            assert_eq!(number(found, "en"), expected);
        }
    }
}
