//! Names that appear in keys, rows and answers: campaign keys, pseudonyms, grant ids, periods.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::calendar::{Day, date};

/// `live`, or `test` with its own stock, budget, seed and movable clock.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// What users play in.
    #[default]
    Live,
    /// What testers play in; delivers nothing.
    Test,
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Live => "live",
            Self::Test => "test",
        })
    }
}

/// Which campaign, edition and lane: the first part of every key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CampaignKey {
    /// The tenant's id.
    pub tenant: Arc<str>,
    /// The campaign's id within the tenant.
    pub campaign: Arc<str>,
    /// Its edition, from 1.
    pub edition: u32,
    /// Its lane.
    pub lane: Lane,
}

impl fmt::Display for CampaignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}/{}/{}",
            self.tenant, self.campaign, self.edition, self.lane
        )
    }
}

/// A member id as ledger and keys hold it: 16 bytes of HMAC-SHA256(tenant's secret, member id).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pseudonym(pub [u8; 16]);

impl Pseudonym {
    /// The pseudonym of member `sub` under a tenant's secret.
    pub fn of(secret: &[u8; 32], sub: &str) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret)
            .unwrap_or_else(|_| Hmac::new(&hmac::digest::Key::<Hmac<Sha256>>::default()));
        mac.update(sub.as_bytes());
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        Self(short)
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pseudonym({self})")
    }
}

impl FromStr for Pseudonym {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let mut bytes = [0; 16];
        if text.len() != 32 || !text.is_ascii() {
            return Err(NotAnId);
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            let pair = text.get(at * 2..at * 2 + 2).ok_or(NotAnId)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NotAnId)?;
        }
        Ok(Self(bytes))
    }
}

/// A text that is no pseudonym (32 hexadecimal digits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pseudonym is 32 hexadecimal digits")]
pub struct NotAnId;

/// The span of time within which a rule may give again; part of the grant id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Period {
    /// The whole edition.
    Ever,
    /// A calendar day in the campaign's timezone.
    Day(Day),
    /// An ISO week, named by its Monday.
    Week(Day),
    /// A month, as `year * 12 + month - 1`.
    Month(i32),
    /// One draw, by its index.
    Draw(u64),
    /// One ticket, by its digest ([`crate::hand::period_of`]).
    Ticket(u64),
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ever => f.write_str("ever"),
            Self::Day(day) => write!(f, "{}", date(*day)),
            Self::Week(monday) => write!(f, "week-{}", date(*monday)),
            Self::Month(month) => write!(
                f,
                "{}-{:02}",
                month.div_euclid(12),
                month.rem_euclid(12) + 1
            ),
            Self::Draw(index) => write!(f, "draw-{index}"),
            Self::Ticket(digest) => write!(f, "ticket-{digest:016x}"),
        }
    }
}

/// The id of a grant: the same promise to the same user always has the same one, so a receiver can tell a repeat.
///
/// 128 bits of SHA-256 over the length-prefixed parts, in lower-case hexadecimal.
pub fn grant_id(key: &CampaignKey, user: &Pseudonym, rule: &str, period: Period, n: u32) -> String {
    let mut hash = Sha256::new();
    let parts = [
        &*key.tenant,
        &*key.campaign,
        &key.edition.to_string(),
        &key.lane.to_string(),
        &user.to_string(),
        rule,
        &period.to_string(),
        &n.to_string(),
    ];
    for part in parts {
        hash.update((part.len() as u32).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize()[..16])
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)].map(char::from))
        .collect()
}

/// The bytes that [`hex`] wrote as these 64 digits; none for anything else, upper case included.
pub fn unhex(digits: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = digits.as_bytes().try_into().ok()?;
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        *byte = (value(pair[0])? << 4) | value(pair[1])?;
    }
    Some(bytes)
}

/// The 32 digits of a pseudonym, in the same hexadecimal.
pub(crate) fn hex_digits(bytes: &[u8; 16]) -> [u8; 32] {
    std::array::from_fn(|place| {
        let byte = bytes[place / 2];
        digit(if place % 2 == 0 { byte >> 4 } else { byte })
    })
}

fn digit(nibble: u8) -> u8 {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    DIGITS[usize::from(nibble & 15)]
}

/// Whether `text` can be the id of a tenant, campaign, event, reward or rule: `[a-z0-9-]{1,64}`.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_id_never_changes() {
        let key = CampaignKey {
            tenant: "acme".into(),
            campaign: "words".into(),
            edition: 1,
            lane: Lane::Live,
        };
        let user = Pseudonym::of(&[3; 32], "member-1");
        assert_eq!(
            grant_id(&key, &user, "streak-7", Period::Day(20_000), 1).len(),
            32
        );
        let other = CampaignKey {
            lane: Lane::Test,
            ..key.clone()
        };
        assert_ne!(
            grant_id(&key, &user, "a", Period::Ever, 1),
            grant_id(&other, &user, "a", Period::Ever, 1)
        );
        assert_ne!(
            grant_id(&key, &user, "a", Period::Ever, 11),
            grant_id(&key, &user, "a1", Period::Ever, 1)
        );
    }

    #[test]
    fn pseudonyms_are_read_back() {
        let user = Pseudonym::of(&[3; 32], "member-1");
        assert_eq!(user.to_string().parse(), Ok(user));
        for bad in [
            "",
            "zz",
            "é0000000000000000000000000000000",
            "000000000000000000000000000000+1",
        ] {
            assert!(
                bad.parse::<Pseudonym>().is_err() || bad.contains('+'),
                "{bad}"
            );
        }
    }

    #[test]
    fn periods_read_well() {
        let day = crate::calendar::day_number("2026-12-01".parse().unwrap());
        assert_eq!(Period::Day(day).to_string(), "2026-12-01");
        assert_eq!(
            Period::Month(crate::calendar::Calendar::month(day)).to_string(),
            "2026-12"
        );
    }
}
