//! Dates, times of day, points in time, lengths of time, timezones.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};
use machine::calendar::{Calendar, Day, Millis, day_number};

use crate::codes;
use crate::diagnostic::{Diagnostics, did_you_mean};
use crate::document::Node;
use crate::document::scalars::short;
use crate::document::slips;

/// A point in time as a file gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The instant.
    pub at: Millis,
    /// What the clock on the wall shows then, in the campaign's timezone.
    pub wall: NaiveDateTime,
    /// Whether only a date was written: `2026-12-01` is its midnight.
    pub date_only: bool,
}

const UNITS: [(&str, i64); 5] = [
    ("second", 1000),
    ("minute", 60_000),
    ("hour", 3_600_000),
    ("day", 86_400_000),
    ("week", 7 * 86_400_000),
];

impl Node {
    /// A length of time in milliseconds: `7 days`, `1 hour`, `90 seconds`; several add up: `1 day 12 hours`.
    pub fn duration(&self, diagnostics: &mut Diagnostics) -> Option<i64> {
        let text = self.string(diagnostics)?;
        match duration(text) {
            Ok(millis) => Some(millis),
            Err(message) => {
                let help = slips::duration(text).map_or_else(|| "write a number and a unit: `30 minutes`, `7 days`; the units are seconds, minutes, hours, days, weeks".to_owned(), |written| format!("write `{written}`"));
                diagnostics
                    .error(codes::NOT_DURATION, &self.place, message)
                    .help(help);
                None
            }
        }
    }

    /// A point in time: `2026-12-01 10:00` in the timezone, `2026-12-01` for its midnight, or RFC 3339 with an offset.
    pub fn datetime(&self, timezone: Tz, diagnostics: &mut Diagnostics) -> Option<Moment> {
        let text = self.string(diagnostics)?.trim();
        let Some(written) = written(text) else {
            diagnostics
                .error(codes::NOT_DATETIME, &self.place, format!("a point in time is expected, not `{}`", short(text)))
                .help(match slips::datetime(text) {
                    Some(next) if text.contains("24:00") => format!("a day ends as the next begins: write `{next}`"),
                    Some(written) => format!("write `{written}`"),
                    None => "write `2026-12-01 10:00`, `2026-12-01`, or with an offset `2026-12-01T10:00:00+08:00`".to_owned(),
                });
            return None;
        };
        let (wall, date_only) = match written {
            Written::Instant(at) => {
                let wall = DateTime::from_timestamp_millis(at)
                    .unwrap_or_default()
                    .with_timezone(&timezone)
                    .naive_local();
                return Some(Moment {
                    at,
                    wall,
                    date_only: false,
                });
            }
            Written::Wall(wall) => (wall, false),
            Written::Date(date) => (date.and_time(NaiveTime::MIN), true),
        };
        let calendar = Calendar::new(timezone, 0, Vec::new());
        let at = calendar.instant(wall);
        match timezone.from_local_datetime(&wall) {
            LocalResult::Single(_) => {}
            LocalResult::Ambiguous(..) => {
                diagnostics
                    .warn(codes::TIME_TWICE, &self.place, format!("`{text}` happens twice in {timezone}, where clocks go back; the first is taken"))
                    .help("write it with an offset to say which");
            }
            LocalResult::None => {
                diagnostics
                    .warn(
                        codes::TIME_GAP,
                        &self.place,
                        format!("`{text}` does not exist in {timezone}, where clocks jump over it"),
                    )
                    .help(format!("{} is taken", calendar.rfc3339(at)));
            }
        }
        Some(Moment {
            at,
            wall,
            date_only,
        })
    }

    /// A date.
    pub fn date(&self, diagnostics: &mut Diagnostics) -> Option<Day> {
        let text = self.string(diagnostics)?.trim();
        let found = date(text);
        if found.is_none() {
            diagnostics
                .error(
                    codes::NOT_DATE,
                    &self.place,
                    format!("a date is expected, not `{}`", short(text)),
                )
                .help(slips::date(text).map_or_else(
                    || "write `2026-12-01`: year, month, day".to_owned(),
                    |written| format!("write `{written}`"),
                ));
        }
        found.map(day_number)
    }

    /// An IANA timezone: `Asia/Shanghai`.
    pub fn timezone(&self, diagnostics: &mut Diagnostics) -> Option<Tz> {
        let text = self.string(diagnostics)?.trim();
        let found = text.parse::<Tz>().ok();
        if found.is_none() {
            let meant = match text.to_ascii_lowercase().as_str() {
                "asia/beijing" | "beijing" | "cst" | "utc+8" | "utc+08:00" | "gmt+8" | "+08:00"
                | "china" | "北京" | "北京时间" => Some("Asia/Shanghai"),
                _ => did_you_mean(text, TZ_VARIANTS.iter().map(|zone| zone.name())),
            };
            let help = meant.map_or_else(
                || "write a region and a city: `Asia/Shanghai`, `Europe/Berlin`".to_owned(),
                |zone| format!("did you mean `{zone}`?"),
            );
            diagnostics
                .error(
                    codes::NOT_TIMEZONE,
                    &self.place,
                    format!("`{}` is not a timezone of the IANA database", short(text)),
                )
                .help(help);
        }
        found
    }

    /// A time of day in seconds after midnight: `04:00`.
    pub fn clock(&self, diagnostics: &mut Diagnostics) -> Option<u32> {
        let text = self.string(diagnostics)?.trim();
        let found = clock(text);
        if found.is_none() {
            diagnostics
                .error(
                    codes::NOT_CLOCK,
                    &self.place,
                    format!("a time of day is expected, not `{}`", short(text)),
                )
                .help(slips::clock(text).map_or_else(
                    || "write hours and minutes, from `00:00` to `23:59`".to_owned(),
                    |written| format!("write `\"{written}\"`"),
                ));
        }
        found
    }
}

enum Written {
    Instant(Millis),
    Wall(NaiveDateTime),
    Date(NaiveDate),
}

fn written(text: &str) -> Option<Written> {
    if let Some(date) = date(text) {
        return Some(Written::Date(date));
    }
    let (day, time) = text.split_at_checked(10)?;
    let day = date(day)?;
    let time = time.strip_prefix(['T', ' '])?;
    if let Some(secs) = clock(time) {
        return Some(Written::Wall(
            day.and_time(NaiveTime::from_num_seconds_from_midnight_opt(secs, 0)?),
        ));
    }
    // RFC 3339 allows any number of decimals; instants here are milliseconds.
    DateTime::parse_from_rfc3339(&text.replacen(' ', "T", 1))
        .ok()
        .map(|at| Written::Instant(at.timestamp_millis()))
}

/// A date between the years 1970 and 2199: beyond them it is a slip.
pub(crate) fn date(text: &str) -> Option<NaiveDate> {
    let numbers = fixed(text, &[4, 2, 2], '-')?;
    let [year, month, day] = numbers.as_slice() else {
        return None;
    };
    let year = i32::try_from(*year)
        .ok()
        .filter(|year| (1970..2200).contains(year))?;
    NaiveDate::from_ymd_opt(year, *month, *day)
}

/// `HH:MM` or `HH:MM:SS`.
fn clock(text: &str) -> Option<u32> {
    let numbers = fixed(text, &[2, 2], ':').or_else(|| fixed(text, &[2, 2, 2], ':'))?;
    let (hours, minutes, seconds) = match numbers.as_slice() {
        [hours, minutes] => (*hours, *minutes, 0),
        [hours, minutes, seconds] => (*hours, *minutes, *seconds),
        _ => return None,
    };
    (hours < 24 && minutes < 60 && seconds < 60).then_some(hours * 3600 + minutes * 60 + seconds)
}

/// Numbers of fixed widths between separators.
fn fixed(text: &str, widths: &[usize], separator: char) -> Option<Vec<u32>> {
    let parts: Vec<_> = text.split(separator).collect();
    if parts.len() != widths.len() {
        return None;
    }
    let number = |(part, width): (&&str, &usize)| {
        (part.len() == *width && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse().ok())
            .flatten()
    };
    parts.iter().zip(widths).map(number).collect()
}

/// A length of time in milliseconds, or what is wrong with it.
pub(crate) fn duration(text: &str) -> Result<i64, String> {
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    if words.is_empty() || words.len() % 2 == 1 {
        return Err(format!(
            "a length of time is expected, not `{}`",
            short(text)
        ));
    }
    let too_long = || format!("`{}` is longer than can be counted", short(text));
    let mut total = 0i64;
    for pair in words.chunks_exact(2) {
        let [number, unit] = pair else { continue };
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!(
                "`{}` is not a whole number of anything",
                short(number)
            ));
        }
        let name = unit.strip_suffix('s').unwrap_or(unit);
        let Some((_, millis)) = UNITS.iter().find(|(known, _)| *known == name) else {
            return Err(match *unit {
                "month" | "months" | "year" | "years" => {
                    format!("a length of time can't be counted in {unit}: they differ in length")
                }
                _ => format!("`{}` is not a unit of time", short(unit)),
            });
        };
        let part = number
            .parse::<i64>()
            .ok()
            .and_then(|number| number.checked_mul(*millis))
            .ok_or_else(too_long)?;
        total = total.checked_add(part).ok_or_else(too_long)?;
    }
    // A hundred years: nothing here lasts longer, and sums of instants stay far from the edge.
    if total > 100 * 366 * 86_400_000 {
        return Err(too_long());
    }
    Ok(total)
}

/// A point in time within an expression: with an offset, or in the calendar's timezone.
pub(crate) fn instant(text: &str, calendar: &Calendar) -> Option<Millis> {
    Some(match written(text.trim())? {
        Written::Instant(at) => at,
        Written::Wall(wall) => calendar.instant(wall),
        Written::Date(date) => calendar.instant(date.and_time(NaiveTime::MIN)),
    })
}

/// Whether a text is a length of time.
pub(crate) fn is_duration(text: &str) -> bool {
    duration(text).is_ok()
}
