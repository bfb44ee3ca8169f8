//! Figures of a forecast in words: counts with their range, money with its currency, days and hours in the campaign's
//! timezone.

use campaign::simulate::forecast::{Gone, Reward};
use campaign::simulate::{Band, Forecast};
use chrono::DateTime;
use machine::Millis;
use machine::calendar::{Day, HOUR_MS, date};
use machine::model::Currency;

/// From how many runs on the 5th and 95th percentile say more than the least and the most.
const RANGE_RUNS: u32 = 20;

/// `12,345`.
pub fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// `12,345.00`.
pub fn money(currency: &Currency, minor: i64) -> String {
    let text = currency.decimal(minor);
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let (sign, digits) = whole
        .strip_prefix('-')
        .map_or(("", whole), |digits| ("-", digits));
    let point = if part.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{part}", grouped(digits))
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A figure with its range; without one where it is always the same.
pub fn band<T: PartialEq + Copy>(band: Band<T>, say: impl Fn(T) -> String) -> String {
    if band.low == band.mid && band.mid == band.high {
        say(band.mid)
    } else {
        format!(
            "{} ({} to {})",
            say(band.mid),
            say(band.low),
            say(band.high)
        )
    }
}

/// What a range means, after this many runs.
pub fn range(runs: u32) -> String {
    match runs {
        1 => "one run: no range".to_owned(),
        runs if runs < RANGE_RUNS => format!("the range is that of all {runs} runs"),
        _ => "the range is that of 9 in 10 runs".to_owned(),
    }
}

/// `9 Dec`.
pub fn day(day: Day) -> String {
    date(day).format("%-d %b").to_string()
}

impl Clock<'_> {
    /// `9 Dec 2026 14:05`.
    pub fn long(self, at: Millis) -> String {
        self.formatted(at, "%-d %b %Y %H:%M")
    }

    /// `9 Dec about 14:00`: to the nearest hour.
    pub fn about(self, at: Millis) -> String {
        self.formatted(at + HOUR_MS / 2, "%-d %b about %H:00")
    }

    /// `9 Dec 14:00`: to the nearest hour.
    fn short(self, at: Millis) -> String {
        self.formatted(at + HOUR_MS / 2, "%-d %b %H:00")
    }

    fn formatted(self, at: Millis, form: &str) -> String {
        // The one place that knows the timezone's offsets is the calendar; its text has the wall clock in it.
        let text = self.0.plan.definition.calendar.rfc3339(at);
        DateTime::parse_from_rfc3339(&text).map_or(text, |time| time.format(form).to_string())
    }

    /// When something is gone: `9 Dec about 14:00 (8 Dec 10:00 to 11 Dec 09:00)`, `in 3 of 20 runs, ...`, `never`.
    pub fn gone(self, gone: &Gone) -> String {
        let all = self.0.plan.runs;
        let Some(at) = gone.at else {
            return "never".to_owned();
        };
        let (low, high) = (self.short(at.low), self.short(at.high));
        let range = if low == high {
            String::new()
        } else {
            format!(" ({low} to {high})")
        };
        let when = format!("{}{range}", self.about(at.mid));
        if gone.runs == all {
            when
        } else {
            format!("in {} of {all} runs, then {when}", gone.runs)
        }
    }
}

/// Tells the time as a forecast's campaign does.
#[derive(Clone, Copy)]
pub struct Clock<'f>(pub &'f Forecast);

/// A reward's title, in English where there is one.
pub fn title<'r>(reward: &'r Reward, forecast: &Forecast) -> &'r str {
    reward.title.pick("en", &forecast.plan.definition.language)
}

/// The sentence about a reward that is limited.
pub fn sentence(reward: &Reward, forecast: &Forecast) -> Option<String> {
    let stock = reward.stock?;
    let (title, runs) = (title(reward, forecast), forecast.plan.runs);
    let clock = Clock(forecast);
    let left = reward.left.map_or(0, |left| left.mid);
    let most = if runs < RANGE_RUNS {
        format!("in all {runs} runs")
    } else {
        "in 9 of 10 runs".to_owned()
    };
    Some(match &reward.gone.at {
        None => format!(
            "{title}: {} of {} are left at the end.",
            count(left),
            count(u64::from(stock))
        ),
        Some(at) if reward.gone.runs == runs => {
            let (low, high) = (clock.short(at.low), clock.short(at.high));
            let range = if runs == 1 || low == high {
                String::new()
            } else {
                format!(" (between {low} and {high} {most})")
            };
            format!("{title}: runs out on {}{range}.", clock.about(at.mid))
        }
        Some(at) => format!(
            "{title}: runs out in {} of {runs} runs, not before {}; else up to {} of {} are left.",
            reward.gone.runs,
            clock.about(at.low),
            count(reward.left.map_or(0, |left| left.high)),
            count(u64::from(stock)),
        ),
    })
}

/// A share of a whole with three digits: `10.0 %`, `0.00123 %`; exact zero is `0 %`.
pub fn percent(part: u64, of: u64) -> String {
    if part == 0 || of == 0 {
        return "0 %".to_owned();
    }
    let share = part as f64 * 100.0 / of as f64;
    let decimals = match share {
        share if share >= 99.95 => 0,
        share if share >= 9.995 => 1,
        share if share >= 0.9995 => 2,
        share if share >= 0.09995 => 3,
        share if share >= 0.009_995 => 4,
        _ => 5,
    };
    format!("{share:.decimals$} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped() {
        let currency = |digits| Currency {
            code: "CNY".to_owned(),
            digits,
        };
        let rows = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ];
        for (number, expected) in rows {
            assert_eq!(count(number), expected);
        }
        assert_eq!(money(&currency(2), 123_456_789), "1,234,567.89");
        assert_eq!(money(&currency(2), -123_456), "-1,234.56");
        assert_eq!(money(&currency(0), 1_234), "1,234");
    }

    #[test]
    fn shares_have_three_digits() {
        let rows = [
            ((1, 10), "10.0 %"),
            ((1, 1), "100 %"),
            ((1, 100_000), "0.00100 %"),
            ((0, 5), "0 %"),
            ((1, 3), "33.3 %"),
            ((1, 30), "3.33 %"),
            ((5, 0), "0 %"),
        ];
        for ((part, of), expected) in rows {
            assert_eq!(percent(part, of), expected);
        }
    }
}
