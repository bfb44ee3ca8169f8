//! Numbers as ops write them: `500 ms`, `100/s`, `2 %`, `1..3`. Texts to values, with the words for what is expected.

use std::time::Duration;

/// The longest time that a scenario may name: ten days.
const MOST_SECS: f64 = 864_000.0;

/// `500 ms`, `3s`, `2 m`, `1h`.
pub fn time(text: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "a time is expected, such as `500 ms`, `3s`, `2m` or `1h`";
    let (number, unit) = split(text).ok_or(EXPECTED)?;
    let factor = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(EXPECTED),
    };
    let secs = number * factor;
    if secs > MOST_SECS {
        return Err("a time of a scenario is ten days at most");
    }
    Ok(Duration::from_secs_f64(secs))
}

/// `1s..3s`, or one time.
pub fn times(text: &str) -> Result<(Duration, Duration), &'static str> {
    let (least, most) = text.split_once("..").unwrap_or((text, text));
    let range = (time(least)?, time(most)?);
    if range.0 > range.1 {
        return Err("the first of two times is the shorter one");
    }
    Ok(range)
}

/// `100/s`, `30/m`: a second.
pub fn rate(text: &str) -> Result<f64, &'static str> {
    const EXPECTED: &str = "a rate is expected, such as `100/s` or `30/m`";
    let (number, unit) = split(text).ok_or(EXPECTED)?;
    match unit {
        "/s" => Ok(number),
        "/m" | "/min" => Ok(number / 60.0),
        "/h" => Ok(number / 3600.0),
        _ => Err(EXPECTED),
    }
}

/// `10/s..100/s`.
pub fn rates(text: &str) -> Result<(f64, f64), &'static str> {
    let (from, to) = text
        .split_once("..")
        .ok_or("two rates are expected, such as `10/s..100/s`")?;
    Ok((rate(from)?, rate(to)?))
}

/// `2 %`, `0.1%`: as a share from 0 to 1.
pub fn share(text: &str) -> Result<f64, &'static str> {
    const EXPECTED: &str = "a share from `0 %` to `100 %` is expected";
    match split(text) {
        Some((number, "%")) if number <= 100.0 => Ok(number / 100.0),
        _ => Err(EXPECTED),
    }
}

/// `1..3`, or one count.
pub fn counts(text: &str) -> Result<(u32, u32), &'static str> {
    const EXPECTED: &str = "a count is expected, such as `3` or `1..3`, up to 1000";
    let (least, most) = text.split_once("..").unwrap_or((text, text));
    let count = |text: &str| {
        text.trim()
            .parse::<u32>()
            .ok()
            .filter(|count| *count <= 1000)
    };
    match (count(least), count(most)) {
        (Some(least), Some(most)) if least <= most => Ok((least, most)),
        _ => Err(EXPECTED),
    }
}

/// An id of a tenant, a campaign, an event or a template.
pub fn id(text: &str) -> Result<String, &'static str> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("an id has 1 to 64 small letters, digits and `-`")
    }
}

/// A number that is not below 0, and what follows it.
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_ops_write_them() {
        let millis = |text| time(text).map(|time| time.as_millis());
        for (text, expected) in [
            ("500 ms", 500),
            ("3s", 3000),
            ("2 m", 120_000),
            ("1.5s", 1500),
            ("1h", 3_600_000),
        ] {
            assert_eq!(millis(text), Ok(expected), "{text}");
        }
        for text in ["", "3", "3 days", "-1s", "s", "9999999h", "1.2.3s"] {
            assert!(time(text).is_err(), "{text}");
        }
        assert_eq!(
            times("1s..3s"),
            Ok((Duration::from_secs(1), Duration::from_secs(3)))
        );
        assert!(times("3s..1s").is_err());
        assert_eq!((rate("100/s"), rate("30 /m")), (Ok(100.0), Ok(0.5)));
        assert_eq!((share("2 %"), share("0.5%")), (Ok(0.02), Ok(0.005)));
        assert!(share("101 %").is_err() && share("0.5").is_err());
        assert_eq!((counts("3"), counts("1..3")), (Ok((3, 3)), Ok((1, 3))));
        assert!(counts("3..1").is_err() && counts("1001").is_err() && id("A b").is_err());
    }
}
