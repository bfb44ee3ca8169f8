//! Numbers as people read them.

pub(super) use crate::limit::short;

/// A count with a comma after each three digits.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// So many of something, in the singular where there is one.
pub(super) fn some(n: u64, one: &str, many: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{} {many}", count(n))
    }
}

/// Milliseconds, with their unit.
pub(super) fn ms(value: Option<f64>) -> String {
    value.map_or_else(
        || "\u{2013}".to_owned(),
        |value| format!("{} ms", short(value)),
    )
}

/// A share as a percentage.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", short(share * 100.0))
}

/// A part of a whole as a percentage; of nothing, a dash.
pub(super) fn part(of_those: u64, all: u64) -> String {
    if all == 0 {
        return "\u{2013}".to_owned();
    }
    percent(of_those as f64 / all as f64)
}

/// A time span: `42 s`, `3 min 05 s`, `2 h 10 min`.
pub(super) fn span(secs: f64) -> String {
    if secs < 60.0 {
        return format!("{} s", short(secs));
    }
    let whole = secs.round() as u64;
    let (hours, minutes, secs) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{hours} h {minutes:02} min")
    } else {
        format!("{minutes} min {secs:02} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(count(n), text);
        }
        for (secs, text) in [
            (4.25, "4.25 s"),
            (59.4, "59.4 s"),
            (185.2, "3 min 05 s"),
            (7800.0, "2 h 10 min"),
        ] {
            assert_eq!(span(secs), text);
        }
        assert_eq!(some(1, "call", "calls"), "1 call");
        assert_eq!(some(2000, "call", "calls"), "2,000 calls");
        assert_eq!(part(1, 8), "12.5 %");
        assert_eq!(part(0, 0), "\u{2013}");
    }
}
