//! What a scenario asks for, in words: `p99 < 50 ms`, `p99.9 of draw < 200 ms`, `errors < 0.1 %`, `rate > 900/s`. Read here; what a run
//! measured is held against it here, too.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::histogram::Histogram;
use crate::run::{Calls, Run};

/// One limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// What is measured.
    pub what: What,
    /// Of which calls, by their name; `None`: of all.
    pub of: Option<String>,
    /// Whether the measure must be below `bound`; otherwise above.
    pub below: bool,
    /// The bound, in the measure's unit.
    pub bound: f64,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum What {
    /// A quantile of the corrected times (0 to 1), in milliseconds.
    Quantile(f64),
    /// The longest time, in milliseconds.
    Max,
    /// The mean, in milliseconds.
    Mean,
    /// Failed calls, as a share (0 to 1) of all.
    Errors,
    /// Calls that a rate limit refused, as a share of all.
    Limited,
    /// Whole answers a second.
    Rate,
}

/// What became of a limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// The limit, in its words.
    pub limit: String,
    /// What was measured, in words with its unit; absent if there was nothing to measure, which does not meet any limit.
    pub measured: Option<String>,
    /// Whether it was met.
    pub met: bool,
}

/// Why words are no limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{words}` is no limit: {why}; write `p99 < 50 ms`, `p99.9 of draw < 200 ms`, `errors < 0.1 %` or `rate > 900/s`"
)]
pub struct Unread {
    words: String,
    why: String,
}

impl Limit {
    /// Reads `MEASURE [of CALL] <|> NUMBER UNIT`.
    ///
    /// # Errors
    /// Words that are no limit, with what is wrong about them.
    pub fn read(words: &str) -> Result<Self, Unread> {
        let wrong = |why: &str| Unread {
            words: words.to_owned(),
            why: why.to_owned(),
        };
        let at = words
            .find(['<', '>'])
            .ok_or_else(|| wrong("it has no `<` or `>`"))?;
        let (left, right) = (words[..at].trim(), words[at + 1..].trim());
        if right.starts_with('=') {
            return Err(wrong("it says `=`; a limit is below or above"));
        }
        let (measure, of) = match left.split_once(" of ") {
            Some((measure, of)) => (measure.trim(), Some(of.trim().to_owned())),
            None => (left, None),
        };
        let what = match measure {
            "max" => What::Max,
            "mean" => What::Mean,
            "errors" => What::Errors,
            "limited" => What::Limited,
            "rate" => What::Rate,
            _ => {
                let percent = measure
                    .strip_prefix('p')
                    .and_then(|p| p.parse::<f64>().ok());
                let percent = percent.filter(|p| (0.0..=100.0).contains(p));
                What::Quantile(percent.ok_or_else(|| wrong("its measure is not known"))? / 100.0)
            }
        };
        let digits = right
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(right.len());
        let number: f64 = right[..digits]
            .parse()
            .map_err(|_| wrong("no number follows"))?;
        let bound = match (what, right[digits..].trim()) {
            (What::Quantile(_) | What::Max | What::Mean, "ms") | (What::Rate, "/s") => number,
            (What::Quantile(_) | What::Max | What::Mean, "s") => number * 1000.0,
            (What::Errors | What::Limited, "%") => number / 100.0,
            (What::Quantile(_) | What::Max | What::Mean, _) => {
                return Err(wrong("a time is in `ms` or `s`"));
            }
            (What::Errors | What::Limited, _) => return Err(wrong("a share is in `%`")),
            (What::Rate, _) => return Err(wrong("a rate is in `/s`")),
        };
        Ok(Self {
            what,
            of,
            below: words.as_bytes()[at] == b'<',
            bound,
        })
    }

    /// What was measured where it is missed by these calls, of so many seconds; `None` where it is met, or nothing can be measured.
    pub fn missed_by(&self, calls: &[Calls], secs: f64) -> Option<String> {
        let value = self.value(calls, secs)?;
        (!self.is_met_by(value)).then(|| format!("{self}: {}", self.words(value)))
    }

    fn is_met_by(&self, value: f64) -> bool {
        if self.below {
            value < self.bound
        } else {
            value > self.bound
        }
    }

    /// Measures it on a run.
    pub fn measure(&self, run: &Run) -> Held {
        let value = self.value(&run.calls, run.secs);
        let met = value.is_some_and(|value| self.is_met_by(value));
        Held {
            limit: self.to_string(),
            measured: value.map(|value| self.words(value)),
            met,
        }
    }

    fn value(&self, all: &[Calls], secs: f64) -> Option<f64> {
        let named = |name: &str| self.of.as_ref().is_none_or(|of| of == name);
        let calls = || all.iter().filter(|calls| named(&calls.name));
        let times = || {
            let mut times = Histogram::fine();
            calls().for_each(|calls| times.merge(&calls.times));
            times
        };
        let share = |verdict: &str| {
            let meanings = || calls().flat_map(|calls| calls.meanings.values());
            let all: u64 = meanings().map(|meaning| meaning.count).sum();
            let those = meanings().filter(|meaning| meaning.verdict == verdict);
            let those: u64 = those.map(|meaning| meaning.count).sum();
            (all > 0).then(|| those as f64 / all as f64)
        };
        match self.what {
            What::Quantile(share) => times().quantile_ms(share),
            What::Max => times().max_ms(),
            What::Mean => times().mean_ms(),
            What::Errors => share("failed"),
            What::Limited => share("limited"),
            What::Rate => (secs > 0.0).then(|| times().len() as f64 / secs),
        }
    }

    fn words(&self, value: f64) -> String {
        match self.what {
            What::Quantile(_) | What::Max | What::Mean => format!("{} ms", short(value)),
            What::Errors | What::Limited => format!("{} %", short(value * 100.0)),
            What::Rate => format!("{}/s", short(value)),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            // 0.999 x 100 is 99.9 but for the last bit.
            What::Quantile(share) => write!(out, "p{}", (share * 1e8).round() / 1e6)?,
            What::Max => out.write_str("max")?,
            What::Mean => out.write_str("mean")?,
            What::Errors => out.write_str("errors")?,
            What::Limited => out.write_str("limited")?,
            What::Rate => out.write_str("rate")?,
        }
        if let Some(of) = &self.of {
            write!(out, " of {of}")?;
        }
        let sign = if self.below { '<' } else { '>' };
        write!(out, " {sign} {}", self.words(self.bound))
    }
}

/// A number with three digits that say something, and no zeros after the point.
pub fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    let places = (2.0 - value.abs().log10().floor()).clamp(0.0, 6.0) as usize;
    let text = format!("{value:.places$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_and_said_again() {
        for words in [
            "p99 < 50 ms",
            "p99.9 of draw < 200 ms",
            "errors < 0.1 %",
            "rate > 900/s",
            "max of sign-in < 1000 ms",
            "limited > 10 %",
        ] {
            assert_eq!(Limit::read(words).unwrap().to_string(), words);
        }
        assert_eq!(Limit::read("p50<0.2s").unwrap().to_string(), "p50 < 200 ms");
    }

    #[test]
    fn what_is_no_limit_is_told_why() {
        for (words, why) in [
            ("p99", "it has no `<` or `>`"),
            ("p99 <= 5 ms", "a limit is below or above"),
            ("p101 < 5 ms", "its measure is not known"),
            ("p99 < 5", "a time is in `ms` or `s`"),
            ("errors < 0.1", "a share is in `%`"),
            ("p99 < ms", "no number follows"),
        ] {
            let said = Limit::read(words).unwrap_err().to_string();
            assert!(said.contains(why), "{words}: {said}");
        }
    }

    #[test]
    fn three_digits_are_enough() {
        for (value, text) in [
            (0.0, "0"),
            (0.0123, "0.0123"),
            (12.0, "12"),
            (1234.5, "1234"),
            (5.678, "5.68"),
        ] {
            assert_eq!(short(value), text);
        }
    }
}
