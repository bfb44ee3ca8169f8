//! Odds as exact percentages.

/// `parts` of `whole` as a percentage, to the last digit: `12.5 %`. Odds have at most twelve decimals, so they end; what does not
/// is shown as the fraction that it is.
pub(crate) fn percent(parts: u64, whole: u64) -> String {
    const DECIMALS: u32 = 12;
    let scale = 10u128.pow(DECIMALS);
    let scaled = u128::from(parts) * 100 * scale;
    let whole = u128::from(whole.max(1));
    if !scaled.is_multiple_of(whole) {
        return format!("{parts}/{whole}");
    }
    let value = scaled / whole;
    let decimals = format!("{:0width$}", value % scale, width = DECIMALS as usize);
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{}{point}{decimals} %", value / scale)
}

/// How the first odds compare with the second, each parts of a whole.
pub(crate) fn compare(one: (u64, u64), other: (u64, u64)) -> std::cmp::Ordering {
    let cross = |parts: u64, whole: u64| u128::from(parts) * u128::from(whole.max(1));
    cross(one.0, other.1).cmp(&cross(other.0, one.1))
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;

    #[test]
    fn to_the_last_digit() {
        assert_eq!(percent(1, 100_000), "0.001 %");
        assert_eq!(percent(1, 8), "12.5 %");
        assert_eq!(percent(10, 10), "100 %");
        assert_eq!(percent(0, 10), "0 %");
        assert_eq!(percent(1, 3), "1/3");
        assert_eq!(percent(u64::MAX, u64::MAX), "100 %");
    }

    #[test]
    fn fractions_are_compared_as_what_they_are() {
        assert_eq!(compare((1, 4), (2, 8)), Ordering::Equal);
        assert_eq!(compare((1, 3), (1, 4)), Ordering::Greater);
        assert_eq!(compare((0, 3), (1, u64::MAX)), Ordering::Less);
    }
}
