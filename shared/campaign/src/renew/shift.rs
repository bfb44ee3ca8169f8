//! By how much a copy is later than what it was copied from: `1y`, `12mo`, `52w`, `365d`.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike as _, Months, NaiveDate, TimeDelta};

/// The longest shift, in days: a hundred years.
const LONGEST_DAYS: u64 = 36_525;

/// A step in the calendar. Months and years keep the day of the month, or take the last there is; days and weeks keep count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    /// By months; a year is twelve.
    Months(u32),
    /// By days; a week is seven. Written ones are later; an example may also be brought back to today.
    Days(i64),
}

impl Shift {
    /// The date so much later; none: beyond the years that campaigns have.
    pub fn of(self, date: NaiveDate) -> Option<NaiveDate> {
        let later = match self {
            Self::Months(months) => date.checked_add_months(Months::new(months)),
            Self::Days(days) => {
                TimeDelta::try_days(days).and_then(|span| date.checked_add_signed(span))
            }
        };
        later.filter(|date| date.year() < 2200)
    }

    /// Whether every date keeps its day and month, so that a day without a year stays true.
    pub const fn is_whole_years(self) -> bool {
        matches!(self, Self::Months(months) if months % 12 == 0)
    }
}

impl FromStr for Shift {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let length = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(length);
        let wrong = || {
            format!("`{text}` is no shift such as 1y, 12mo, 52w or 365d, at most a hundred years")
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let (per, is_days) = match unit {
            "y" => (12, false),
            "mo" => (1, false),
            "w" => (7, true),
            "d" => (1, true),
            _ => return Err(wrong()),
        };
        let many = number.checked_mul(per).filter(|many| *many > 0);
        match (many, is_days) {
            (Some(days), true) if days <= LONGEST_DAYS => Ok(Self::Days(days as i64)),
            (Some(months), false) if months <= 1200 => Ok(Self::Months(months as u32)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Months(months) if months % 12 == 0 => write!(f, "{}y", months / 12),
            Self::Months(months) => write!(f, "{months}mo"),
            Self::Days(days) if days % 7 == 0 => write!(f, "{}w", days / 7),
            Self::Days(days) => write!(f, "{days}d"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_in_the_calendar() {
        let rows = [
            ("1y", "2026-12-01", "2027-12-01"),
            ("12mo", "2028-02-29", "2029-02-28"),
            ("4y", "2028-02-29", "2032-02-29"),
            ("1mo", "2026-01-31", "2026-02-28"),
            ("52w", "2026-12-01", "2027-11-30"),
            ("365d", "2028-01-01", "2028-12-31"),
        ];
        for (shift, from, to) in rows {
            let shift: Shift = shift.parse().unwrap();
            assert_eq!(shift.of(from.parse().unwrap()).unwrap().to_string(), to);
        }
    }

    #[test]
    fn what_is_no_shift() {
        for text in [
            "",
            "1",
            "y",
            "0y",
            "-1y",
            "1year",
            "1.5y",
            "101y",
            "99999999999999999999d",
            "40000d",
        ] {
            assert!(text.parse::<Shift>().is_err(), "{text}");
        }
    }
}
