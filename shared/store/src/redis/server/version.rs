//! Versions of Redis, and which of them have known holes.

use std::fmt;
use std::str::FromStr;

/// A version of Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second.
    pub minor: u32,
    /// The third.
    pub patch: u32,
}

impl Version {
    /// The first that knows `#!lua` scripts, in which a key that was not declared is refused.
    pub const OLDEST: Self = Self {
        major: 7,
        minor: 0,
        patch: 0,
    };

    /// Whether whoever may run scripts can't take over the server (CVE-2025-49844 and its companions), by its number: a
    /// distribution may have mended an older one.
    pub const fn is_mended(self) -> bool {
        match (self.major, self.minor) {
            (6, 2) => self.patch >= 20,
            (7, 2) => self.patch >= 11,
            (7, 4) => self.patch >= 6,
            (8, 0) => self.patch >= 4,
            (8, 2) => self.patch >= 2,
            (8, minor) => minor > 2,
            (major, _) => major > 8,
        }
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut numbers = text.split(['.', '-']).map(str::parse);
        let mut next = || match numbers.next() {
            Some(Ok(number)) => Ok(number),
            _ => Err(format!("`{text}` is no version of Redis")),
        };
        Ok(Self {
            major: next()?,
            minor: next()?,
            patch: next()?,
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mended_versions_are_known() {
        let rows = [
            ("6.2.19", false),
            ("6.2.20", true),
            ("7.0.15", false),
            ("7.2.10", false),
            ("7.2.11", true),
            ("7.4.5", false),
            ("7.4.6", true),
            ("8.0.3", false),
            ("8.0.4", true),
            ("8.2.1", false),
            ("8.2.2", true),
            ("8.4.0", true),
            ("9.0.0", true),
        ];
        for (text, mended) in rows {
            let version: Version = text.parse().unwrap();
            assert_eq!(version.is_mended(), mended, "{text}");
            assert_eq!(version.to_string(), text);
        }
        assert!("8.0.0-rc1".parse::<Version>().unwrap() > Version::OLDEST);
        assert!("6.2.20".parse::<Version>().unwrap() < Version::OLDEST);
        for text in ["", "7", "7.0", "seven.0.1"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }
}
