//! Decimal numbers as integers: a price may have twelve places, and is never a float.

use std::fmt;
use std::str::FromStr;

/// Places after the point.
const PLACES: usize = 12;

/// One, in the smallest parts.
const ONE: i128 = 1_000_000_000_000;

/// A decimal number with twelve places; not below zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(i128);

/// Why a text is no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no price: write it as `0.0000166667`, with at most twelve places and no sign")]
pub struct NotDecimal(String);

impl FromStr for Decimal {
    type Err = NotDecimal;

    fn from_str(text: &str) -> Result<Self, NotDecimal> {
        let no = || NotDecimal(text.to_owned());
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let sound = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
        // Fifteen digits before the point: no price has them, and no product of one overflows.
        if whole.is_empty()
            || whole.len() > 15
            || part.len() > PLACES
            || !sound(whole)
            || !sound(part)
        {
            return Err(no());
        }
        let parts: i128 = format!("{whole}{part:0<PLACES$}")
            .parse()
            .map_err(|_| no())?;
        Ok(Self(parts))
    }
}

impl Decimal {
    /// So many (a measured quantity, not below zero) times this price, to the nearest part; what is not finite costs nothing.
    #[must_use]
    pub fn times(self, quantity: f64) -> Self {
        // In millionths: what is measured is no better than that.
        let millionths = (quantity.max(0.0) * 1e6).round() as i128;
        let product = self.0.saturating_mul(millionths);
        Self(product.saturating_add(500_000) / 1_000_000)
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// With two places, rounded half up: as money is said.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = self.0.saturating_add(ONE / 200) / (ONE / 100);
        write!(f, "{}.{:02}", cents / 100, cents % 100)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn price(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn prices_are_read_multiplied_and_said() {
        for (text, times, said) in [
            ("0.20", 12.5, "2.50"),
            ("0.0000166667", 1_000_000.0, "16.67"),
            ("0.005", 1.0, "0.01"),
            ("0.004999999", 1.0, "0.00"),
            ("3", 0.0, "0.00"),
            ("999999999999999", 1.0, "999999999999999.00"),
            ("1", f64::NAN, "0.00"),
        ] {
            assert_eq!(price(text).times(times).to_string(), said, "{text}");
        }
        // 0.1 + 0.2 is 0.3.
        assert_eq!(price("0.1").plus(price("0.2")), price("0.3"));
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for text in [
            "",
            ".5",
            "-1",
            "+1",
            "1e3",
            "0.0000000000001",
            "1.2.3",
            "１",
            "1 ",
            "9999999999999999",
        ] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_number_is_too_large(price in 0_u64..1_000_000_000_000_000, quantity in any::<f64>()) {
            let price: Decimal = price.to_string().parse().unwrap();
            let _ = price.times(quantity).plus(price).to_string();
        }

        #[test]
        fn whole_numbers_multiply_exactly(price in 0_u32..1_000_000, quantity in 0_u32..1_000_000) {
            let product = price.to_string().parse::<Decimal>().unwrap().times(f64::from(quantity));
            prop_assert_eq!(product.to_string(), format!("{}.00", u64::from(price) * u64::from(quantity)));
        }
    }
}
