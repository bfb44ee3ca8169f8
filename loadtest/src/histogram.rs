//! Times, counted so that they can be merged: an HDR histogram in microseconds with a plain form in JSON.

use std::time::Duration;

use hdrhistogram::Histogram as Hdr;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest time that is told from longer ones: an hour.
const MOST_MICROS: u64 = 3_600_000_000;

/// How often each time was seen. From 1 microsecond to an hour; longer counts as an hour, and is seen to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram(Hdr<u64>);

impl Histogram {
    /// Within one per mille of the true value: for a whole run.
    pub fn fine() -> Self {
        // Bounds that the library takes, both of them.
        let made = Hdr::new_with_bounds(1, MOST_MICROS, 3);
        Self(made.unwrap_or_else(|_| unreachable!("1 to an hour with three digits")))
    }

    /// Within one per cent, and as large as what it has counted needs: for one window of a run, of which there are many.
    pub fn coarse() -> Self {
        let made = Hdr::new(2);
        Self(made.unwrap_or_else(|_| unreachable!("two digits")))
    }

    /// Counts one time.
    pub fn count(&mut self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(MOST_MICROS);
        self.add(micros, 1);
    }

    /// Adds all that another one counted.
    pub fn merge(&mut self, other: &Self) {
        for value in other.0.iter_recorded() {
            self.add(value.value_iterated_to(), value.count_at_value());
        }
    }

    fn add(&mut self, micros: u64, count: u64) {
        // Within the bounds, or it grows: it can't fail but for want of memory.
        let _ = self.0.record_n(micros.clamp(1, MOST_MICROS), count);
    }

    /// How many.
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The time within which `share` (0 to 1) of them lie, in milliseconds; `None` if there are none.
    pub fn quantile_ms(&self, share: f64) -> Option<f64> {
        (!self.is_empty()).then(|| self.0.value_at_quantile(share) as f64 / 1000.0)
    }

    /// The longest, in milliseconds; `None` if there are none.
    pub fn max_ms(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.0.max() as f64 / 1000.0)
    }

    /// The mean, in milliseconds; `None` if there are none.
    pub fn mean_ms(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.0.mean() / 1000.0)
    }

    /// Each time that was seen, in microseconds, with how often; ascending.
    pub fn counts(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let recorded = self.0.iter_recorded();
        recorded.map(|value| (value.value_iterated_to(), value.count_at_value()))
    }
}

/// In JSON: `{"digits": 3, "micros": [[value, count], ...]}`, values ascending.
#[derive(Serialize, Deserialize)]
struct Plain {
    digits: u8,
    micros: Vec<(u64, u64)>,
}

impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let micros = self.0.iter_recorded();
        let micros = micros.map(|value| (value.value_iterated_to(), value.count_at_value()));
        Plain {
            digits: self.0.sigfig(),
            micros: micros.collect(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let plain = Plain::deserialize(deserializer)?;
        if !(2..=3).contains(&plain.digits) {
            return Err(D::Error::custom("`digits` is 2 or 3"));
        }
        let mut read = if plain.digits == 2 {
            Self::coarse()
        } else {
            Self::fine()
        };
        for (micros, count) in plain.micros {
            read.add(micros, count);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_merged_or_read_again_is_what_was_counted() {
        let (mut one, mut two, mut both) =
            (Histogram::fine(), Histogram::fine(), Histogram::fine());
        for millis in 1..=1000 {
            let time = Duration::from_millis(millis);
            if millis % 3 == 0 { &mut one } else { &mut two }.count(time);
            both.count(time);
        }
        one.merge(&two);
        assert_eq!(one.len(), 1000);
        for share in [0.5, 0.9, 0.99, 0.999] {
            assert_eq!(one.quantile_ms(share), both.quantile_ms(share));
        }
        let text = serde_json::to_string(&one).unwrap();
        let read: Histogram = serde_json::from_str(&text).unwrap();
        assert_eq!(read.quantile_ms(0.999), one.quantile_ms(0.999));
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }

    #[test]
    fn nothing_has_no_quantile_and_forever_is_an_hour() {
        assert_eq!(Histogram::coarse().quantile_ms(0.99), None);
        let mut one = Histogram::coarse();
        one.count(Duration::from_secs(100_000));
        assert!(one.max_ms().unwrap() >= 3_590_000.0);
    }
}
