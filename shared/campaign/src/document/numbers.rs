//! Whole numbers, money and odds, read from the text digit by digit: none passes through a float.

use std::ops::RangeInclusive;

use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::document::Node;
use crate::document::scalars::short;
use crate::document::slips;

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
    /// A whole number within bounds, both included.
    #[allow(clippy::needless_pass_by_value)] // ranges are written at the call
    pub fn int(&self, range: RangeInclusive<i64>, diagnostics: &mut Diagnostics) -> Option<i64> {
        let text = self.string(diagnostics)?;
        let digits = text.strip_prefix('-').unwrap_or(text).replace('_', "");
        if digits.is_empty()
            || !digits.bytes().all(|byte| byte.is_ascii_digit())
            || text.starts_with('_')
            || text.ends_with('_')
        {
            let digits = slips::int(text).map(|digits| format!("write digits only: `{digits}`"));
            diagnostics
                .error(
                    codes::NOT_INT,
                    &self.place,
                    format!("a whole number is expected, not `{}`", short(text)),
                )
                .maybe_help(digits);
            return None;
        }
        let number = text
            .replace('_', "")
            .parse::<i64>()
            .ok()
            .filter(|number| range.contains(number));
        if number.is_none() {
            let bounds = match (*range.start(), *range.end()) {
                (low, i64::MAX) => format!("at least {low}"),
                (i64::MIN, high) => format!("at most {high}"),
                (low, high) => format!("from {low} to {high}"),
            };
            diagnostics.error(
                codes::INT_RANGE,
                &self.place,
                format!("`{}` is out of range: it must be {bounds}", short(text)),
            );
        }
        number
    }

    /// An amount of money in minor units of a currency with `digits` decimals; not negative.
    pub fn decimal(&self, digits: u8, diagnostics: &mut Diagnostics) -> Option<i64> {
        let text = self.string(diagnostics)?;
        let (negative, magnitude) = text
            .strip_prefix('-')
            .map_or((false, text), |rest| (true, rest));
        let Some((whole, part)) = decimal_digits(magnitude) else {
            diagnostics
                .error(
                    codes::NOT_DECIMAL,
                    &self.place,
                    format!("an amount of money is expected, not `{}`", short(text)),
                )
                .help(slips::money(text).map_or_else(
                    || {
                        "write digits and a point, without a sign or a currency: `5999.00`"
                            .to_owned()
                    },
                    |amount| format!("write digits and a point only: `{amount}`"),
                ));
            return None;
        };
        if negative {
            diagnostics.error(
                codes::NEGATIVE,
                &self.place,
                format!("an amount can't be negative: `{}`", short(text)),
            );
            return None;
        }
        if part.len() > usize::from(digits) {
            let most = if digits == 0 {
                "no decimals".to_owned()
            } else {
                format!("at most {digits} decimals")
            };
            diagnostics.error(
                codes::DECIMAL_DIGITS,
                &self.place,
                format!(
                    "the currency has {most}, `{}` has {}",
                    short(text),
                    part.len()
                ),
            );
            return None;
        }
        let minor = format!("{whole}{part:0<width$}", width = usize::from(digits))
            .parse::<i64>()
            .ok();
        if minor.is_none() {
            diagnostics.error(
                codes::INT_RANGE,
                &self.place,
                format!("`{}` is more money than can be counted", short(text)),
            );
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
                (
                    codes::ODDS_RANGE,
                    format!(
                        "`{}` can't be odds: they lie between 0 and 100%, with at most {ODDS_DECIMALS} decimals",
                        short(text)
                    ),
                )
            } else {
                (
                    codes::NOT_ODDS,
                    format!("odds are expected, not `{}`", short(text)),
                )
            };
            let help = match (text.parse::<u64>(), slips::odds(text)) {
                (Ok(number), _) if (1..=100).contains(&number) => {
                    format!("write `{number}%` if you mean percent")
                }
                (_, Some(plain)) => format!("write the plain `{plain}`"),
                _ => "write `10%`, `0.001%`, `1/3`, or `rest` for what the others leave".to_owned(),
            };
            diagnostics.error(code, &self.place, message).help(help);
            return None;
        };
        if let Some(percent) = bare(text) {
            diagnostics
                .note(
                    codes::ODDS_BARE,
                    &self.place,
                    format!("`{text}` is read as {percent}: a bare number is a share of 1"),
                )
                .help(format!(
                    "write `{percent}` if that is meant, else say it in percent"
                ));
        }
        let divisor = gcd(num, den);
        Some(Odds::Parts {
            num: num / divisor,
            den: den / divisor,
        })
    }
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
        let whole = |part: &str| {
            decimal_digits(part.trim())
                .filter(|(_, part)| part.is_empty())?
                .0
                .parse::<u64>()
                .ok()
        };
        (whole(num)?, whole(den)?)
    } else {
        let (number, scale) = text
            .strip_suffix('%')
            .map_or((text, 1), |number| (number.trim_end(), 100));
        let (whole, part) = decimal_digits(number)?;
        // A bare `10` could be meant as percent; a bare `0.1` can't be meant otherwise.
        if scale == 1 && part.is_empty() && whole != "0" {
            return None;
        }
        if part.len() > ODDS_DECIMALS {
            return None;
        }
        (
            format!("{whole}{part}").parse::<u64>().ok()?,
            10u64.pow(part.len() as u32) * scale,
        )
    };
    (den > 0 && num <= den).then_some((num, den))
}

/// What a share of 1 without a sign is in percent: `0.1` is read as `10%`, and may have been meant as `0.1%`.
fn bare(text: &str) -> Option<String> {
    let (whole, part) = decimal_digits(text).filter(|(_, part)| !part.is_empty())?;
    let part = format!("{part:0<2}");
    let (up, rest) = part.split_at_checked(2)?;
    let percent = format!("{whole}{up}");
    let percent = percent.trim_start_matches('0');
    let percent = if percent.is_empty() { "0" } else { percent };
    let rest = rest.trim_end_matches('0');
    let point = if rest.is_empty() { "" } else { "." };
    Some(format!("{percent}{point}{rest}%"))
}

/// Whether a text can be read as odds.
pub(super) fn is_odds(text: &str) -> bool {
    fraction(text).is_some()
}

/// Whether it was meant as odds, and only its size is wrong.
fn looks_like_odds(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | '%' | '/' | '-' | ' '))
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}
