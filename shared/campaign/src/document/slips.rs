//! What people write instead: full-width characters of an input method, dates of a spreadsheet, units in Chinese. Nothing of
//! it is accepted, since a file must read the same to everybody; each function says how it should have been written.

use chrono::{Days, NaiveDate};

use super::numbers::is_odds;
use super::times::{self, duration as reads_as_duration};

/// Full-width characters as the plain ones that they stand for.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(plain_char).collect()
}

/// A full-width character as the plain one.
pub(super) fn plain_char(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        '“' | '”' | '「' | '」' => '"',
        '‘' | '’' => '\'',
        other => other,
    }
}

/// A whole number: `1,000`, `１０００`, `1000个`.
pub(super) fn int(text: &str) -> Option<String> {
    let text = plain(text).replace([',', ' '], "");
    let digits =
        text.trim_end_matches(['个', '份', '次', '件', '张', '天', '名', '人', '元', '分']);
    is_digits(digits).then(|| digits.to_owned())
}

/// An amount of money: `¥5,999.00`, `5999元`.
pub(super) fn money(text: &str) -> Option<String> {
    let text = plain(text).replace([',', ' '], "");
    let bare = text
        .trim_start_matches(['¥', '$', '€', '￥', '+'])
        .trim_end_matches(['元', '块', '¥', '€'])
        .trim_end_matches("CNY")
        .trim_end_matches("RMB");
    let (whole, part) = bare.split_once('.').unwrap_or((bare, "0"));
    (is_digits(whole) && is_digits(part)).then(|| bare.to_owned())
}

/// Odds: `10％`, `１/３`.
pub(super) fn odds(text: &str) -> Option<String> {
    let plain = plain(text).replace('％', "%");
    (plain != text && is_odds(plain.trim())).then(|| plain.trim().to_owned())
}

/// A date: `2026/12/1`, `2026年12月1日`, `2026.12.01`.
pub(super) fn date(text: &str) -> Option<String> {
    let (day, rest) = split(text)?;
    rest.is_empty().then(|| day.to_string())
}

/// A point in time: `2026/12/1 9:00`, `2026-12-15 24:00`, `2026年12月1日10点`.
pub(super) fn datetime(text: &str) -> Option<String> {
    let (day, rest) = split(text)?;
    match rest.as_slice() {
        [] => Some(day.to_string()),
        [24] | [24, 0] | [24, 0, 0] => {
            Some(format!("{} 00:00", day.checked_add_days(Days::new(1))?))
        }
        [hours] if *hours < 24 => Some(format!("{day} {hours:02}:00")),
        [hours, minutes] | [hours, minutes, 0] if *hours < 24 && *minutes < 60 => {
            Some(format!("{day} {hours:02}:{minutes:02}"))
        }
        _ => None,
    }
}

/// A time of day: `4:00`, `4点`, `24:00`.
pub(super) fn clock(text: &str) -> Option<String> {
    match numbers(text)?.as_slice() {
        [24, 0] => Some("00:00".to_owned()),
        [hours] if *hours < 24 => Some(format!("{hours:02}:00")),
        [hours, minutes] if *hours < 24 && *minutes < 60 => {
            Some(format!("{hours:02}:{minutes:02}"))
        }
        _ => None,
    }
}

/// A length of time: `30天`, `7days`, `2 小时`, `15d`.
pub(super) fn duration(text: &str) -> Option<String> {
    const UNITS: [(&str, &[&str]); 5] = [
        (
            "seconds",
            &["秒", "秒钟", "s", "sec", "secs", "second", "seconds"],
        ),
        (
            "minutes",
            &["分", "分钟", "m", "min", "mins", "minute", "minutes"],
        ),
        ("hours", &["时", "小时", "h", "hr", "hrs", "hour", "hours"]),
        ("days", &["天", "日", "d", "day", "days"]),
        ("weeks", &["周", "星期", "w", "week", "weeks"]),
    ];
    let text = plain(text);
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(at)?;
    let unit = unit.trim().trim_start_matches('个').to_ascii_lowercase();
    let (name, _) = UNITS
        .iter()
        .find(|(_, words)| words.contains(&unit.as_str()))?;
    let written = format!("{number} {name}");
    reads_as_duration(&written).ok().map(|_| written)
}

/// The day at the start of a text, and the numbers behind it.
fn split(text: &str) -> Option<(NaiveDate, Vec<u32>)> {
    let numbers = numbers(text)?;
    let (day, rest) = numbers.split_at_checked(3)?;
    let [year, month, day] = day else {
        return None;
    };
    let day = times::date(&format!("{year:04}-{month:02}-{day:02}"))?;
    Some((day, rest.to_vec()))
}

/// The numbers of a text that has nothing else but what stands between the parts of dates and times.
fn numbers(text: &str) -> Option<Vec<u32>> {
    const BETWEEN: [char; 13] = [
        '-', '/', '.', ':', ' ', 'T', '年', '月', '日', '号', '时', '点', '分',
    ];
    let text = plain(text);
    text.split(BETWEEN)
        .filter(|part| !part.is_empty())
        .map(|part| is_digits(part).then(|| part.parse().ok()).flatten())
        .collect()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_understood_and_nonsense_is_not() {
        type Row = (
            fn(&str) -> Option<String>,
            &'static str,
            Option<&'static str>,
        );
        let rows: [Row; 27] = [
            (int, "1,000", Some("1000")),
            (int, "１０００", Some("1000")),
            (int, "1000个", Some("1000")),
            (int, "many", None),
            (int, "1.5", None),
            (money, "¥5,999.00", Some("5999.00")),
            (money, "￥5999", Some("5999")),
            (money, "5999元", Some("5999")),
            (money, "ten", None),
            (odds, "10％", Some("10%")),
            (odds, "百分之十", None),
            (date, "2026/12/1", Some("2026-12-01")),
            (date, "2026年12月1日", Some("2026-12-01")),
            (date, "2026/13/1", None),
            (date, "1/12/2026", None),
            (datetime, "2026/12/1 9:00", Some("2026-12-01 09:00")),
            (datetime, "2026-12-01 10：00", Some("2026-12-01 10:00")),
            (datetime, "2026-12-31 24:00", Some("2027-01-01 00:00")),
            (datetime, "2026年12月1日10点", Some("2026-12-01 10:00")),
            (datetime, "next monday", None),
            (clock, "4:00", Some("04:00")),
            (clock, "24:00", Some("00:00")),
            (clock, "25:00", None),
            (duration, "30天", Some("30 days")),
            (duration, "7days", Some("7 days")),
            (duration, "2 个月", None),
            (duration, "30", None),
        ];
        for (reads, text, expected) in rows {
            assert_eq!(reads(text).as_deref(), expected, "{text}");
        }
    }
}
