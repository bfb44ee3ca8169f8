//! Signed addresses: what lets an `<img>`, which sends no token, show a participant's poster for a while.
//!
//! An address carries, sealed, whose poster it is (by pseudonym), what their token said that the poster shows (a name, a picture's
//! address), and the record's version. Addresses end up in logs and histories, so nothing of this can be read there: it is enciphered
//! and signed in one (AES-256-GCM-SIV), with a key of this one edition and lane, bound to the template. When it ends stands before it
//! in the clear, as the cipher's nonce, and is signed with the rest. Ends are rounded, and the cipher gives the same for the same, so
//! a page that is asked for again shows the same address until something of it changes.
//!
//! Why not a handle kept in the store: a view would write. Why not the claims of the last event: there may have been none.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use machine::Millis;
use machine::ids::{CampaignKey, Pseudonym};
use machine::luck::Seed;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::secret::derive;
use crate::identity::Reason;

/// An address is good for at least so long, and less than twice as long, in minutes.
pub const LIFE_MINS: u32 = 30;

/// The longest seal, in characters: an address has room for it in every client.
pub const MOST_CHARS: usize = 2048;

/// The most that claims take of it, in bytes of JSON. What does not fit is left out, the longest first, and the poster shows what its
/// template has instead.
pub const MOST_CLAIM_BYTES: usize = 1024;

/// What a seal begins with: the form of what is in it.
const FORM: u8 = 1;

/// Where the sealed part begins: after the form, and when it ends.
const HEAD: usize = 5;

/// Whose poster an address is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sealed {
    /// The user.
    #[serde(rename = "u")]
    pub user: Pseudonym,
    /// The version of the record that the address was made for: another one has another address. The poster shows what is there now.
    #[serde(rename = "v")]
    pub version: u64,
    /// The language of the page that it was made for.
    #[serde(rename = "l")]
    pub language: String,
    /// What the token said that the poster shows.
    #[serde(rename = "c", default, skip_serializing_if = "Map::is_empty")]
    pub claims: Map<String, Json>,
    /// How far a preview link's clock is ahead, in milliseconds.
    #[serde(rename = "a", default, skip_serializing_if = "is_zero")]
    pub ahead_ms: Millis,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_zero(millis: &Millis) -> bool {
    *millis == 0
}

impl Sealed {
    /// The claims of a token that fit into an address, of those that are named.
    pub fn claims<'n>(
        token: &Map<String, Json>,
        shown: impl Iterator<Item = &'n str>,
    ) -> Map<String, Json> {
        let named = shown.filter_map(|name| Some((name.to_owned(), token.get(name)?.clone())));
        let mut claims: Map<String, Json> = named.filter(|(_, value)| !value.is_object()).collect();
        let length = |value: &Json| value.to_string().len();
        while claims
            .iter()
            .map(|(name, value)| name.len() + length(value) + 4)
            .sum::<usize>()
            > MOST_CLAIM_BYTES
        {
            let longest = claims.iter().max_by_key(|(_, value)| length(value));
            let Some(longest) = longest.map(|(name, _)| name.clone()) else {
                break;
            };
            claims.remove(&longest);
        }
        claims
    }
}

/// What seals the addresses of one edition and lane. Never shown.
pub struct Sealer(Option<LessSafeKey>);

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

/// An address that opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// It was good once.
    #[error("the address has expired")]
    Expired,
    /// It was changed, is of another poster, or never was one.
    #[error("the address was not made here, or is not of this poster")]
    Forged,
}

impl From<NotOpened> for Reason {
    fn from(why: NotOpened) -> Self {
        match why {
            NotOpened::Expired => Self::Expired,
            NotOpened::Forged => Self::BadSignature,
        }
    }
}

impl Sealer {
    /// Of a lane, under the tenant's secret.
    pub fn of(tenant: &Seed, campaign: &CampaignKey) -> Self {
        let key = derive(tenant, "gala-poster-address", campaign);
        let key = UnboundKey::new(&AES_256_GCM_SIV, &key);
        Self(key.ok().map(LessSafeKey::new))
    }

    /// Seals an address of `template`, made at `now` (milliseconds since 1970); none where it would be too long.
    pub fn seal(&self, template: &str, sealed: &Sealed, now: Millis) -> Option<String> {
        let ends = ends_min(now);
        let key = self.0.as_ref()?;
        let mut body = serde_json::to_vec(sealed).ok()?;
        key.seal_in_place_append_tag(nonce(ends), Aad::from(template), &mut body)
            .ok()?;
        let mut bytes = vec![FORM];
        bytes.extend(ends.to_be_bytes());
        bytes.append(&mut body);
        let seal = URL_SAFE_NO_PAD.encode(bytes);
        (seal.len() <= MOST_CHARS).then_some(seal)
    }

    /// Opens one at `now`. Whether it is genuine is found out in constant time, and before it is said that it has expired.
    pub fn open(&self, template: &str, seal: &str, now: Millis) -> Result<Sealed, NotOpened> {
        if seal.len() > MOST_CHARS {
            return Err(NotOpened::Forged);
        }
        let mut bytes = URL_SAFE_NO_PAD
            .decode(seal)
            .map_err(|_| NotOpened::Forged)?;
        let [FORM, a, b, c, d, ..] = bytes[..] else {
            return Err(NotOpened::Forged);
        };
        let ends = u32::from_be_bytes([a, b, c, d]);
        let key = self.0.as_ref().ok_or(NotOpened::Forged)?;
        let body = bytes.get_mut(HEAD..).unwrap_or_default();
        let body = key
            .open_in_place(nonce(ends), Aad::from(template), body)
            .map_err(|_| NotOpened::Forged)?;
        if now >= i64::from(ends) * 60_000 {
            return Err(NotOpened::Expired);
        }
        // What is read now was written by a server that has the secret.
        serde_json::from_slice(body).map_err(|_| NotOpened::Forged)
    }
}

/// When an address made now ends, in minutes since 1970.
fn ends_min(now: Millis) -> u32 {
    let min = u32::try_from(now.max(0) / 60_000).unwrap_or(u32::MAX / 2);
    (min / LIFE_MINS + 2).saturating_mul(LIFE_MINS)
}

/// The cipher bears a nonce that comes again: then all that is told is whether two addresses are the same.
fn nonce(ends: u32) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[..4].copy_from_slice(&ends.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use machine::ids::Lane;
    use serde_json::json;

    use super::*;

    const NOW: Millis = 1_795_320_000_000;
    const MIN: Millis = 60_000;

    fn sealer(edition: u32, lane: Lane) -> Sealer {
        let key = CampaignKey {
            tenant: "acme".into(),
            campaign: "words".into(),
            edition,
            lane,
        };
        Sealer::of(&Seed([3; 32]), &key)
    }

    fn ann() -> Sealed {
        let claims = json!({ "name": "安娜", "avatar": "https://img.example/ann.jpg" });
        Sealed {
            user: Pseudonym::of(&[3; 32], "ann"),
            version: 3,
            language: "zh-CN".into(),
            claims: claims.as_object().unwrap().clone(),
            ahead_ms: 0,
        }
    }

    #[test]
    fn an_address_opens_its_own_poster_until_it_ends() {
        let live = sealer(1, Lane::Live);
        let seal = live.seal("streak", &ann(), NOW).unwrap();
        assert_eq!(live.open("streak", &seal, NOW), Ok(ann()));
        let life = i64::from(LIFE_MINS) * MIN;
        assert_eq!(live.open("streak", &seal, NOW + life - 1), Ok(ann()));
        assert_eq!(
            live.open("streak", &seal, NOW + 2 * life),
            Err(NotOpened::Expired)
        );
        assert_eq!(
            live.open("prize", &seal, NOW),
            Err(NotOpened::Forged),
            "bound to its template"
        );
        for other in [sealer(2, Lane::Live), sealer(1, Lane::Test)] {
            assert_eq!(other.open("streak", &seal, NOW), Err(NotOpened::Forged));
        }
    }

    #[test]
    fn it_is_the_same_within_its_window_and_tells_nothing() {
        let live = sealer(1, Lane::Live);
        let window = i64::from(LIFE_MINS) * MIN;
        let start = NOW / window * window;
        let seal = |now| live.seal("streak", &ann(), now).unwrap();
        assert_eq!(seal(start), seal(start + window - 1));
        assert_ne!(seal(start), seal(start + window));
        let later = Sealed {
            version: 4,
            ..ann()
        };
        assert_ne!(live.seal("streak", &later, start).unwrap(), seal(start));
        let raw = URL_SAFE_NO_PAD.decode(seal(start)).unwrap();
        for secret in [
            &b"img.example"[..],
            "安娜".as_bytes(),
            &ann().user.0,
            b"zh-CN",
        ] {
            assert!(!raw.windows(secret.len()).any(|part| part == secret));
        }
    }

    #[test]
    fn one_changed_character_anywhere_is_noticed() {
        let live = sealer(1, Lane::Live);
        let seal = live.seal("streak", &ann(), NOW).unwrap();
        for at in 0..seal.len() {
            let mut bytes = seal.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'g' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(
                live.open("streak", &changed, NOW),
                Err(NotOpened::Forged),
                "{at}"
            );
        }
        for cut in [0, 1, 6, 20, seal.len() - 1] {
            assert_eq!(
                live.open("streak", &seal[..cut], NOW),
                Err(NotOpened::Forged)
            );
        }
        let long = "A".repeat(MOST_CHARS + 1);
        assert_eq!(live.open("streak", &long, NOW), Err(NotOpened::Forged));
    }

    #[test]
    fn claims_that_are_too_long_are_left_out_and_the_others_stay() {
        let token = json!({ "name": "Ann", "avatar": "x".repeat(2000), "level": 3, "deep": { "a": 1 }, "secret": "s" });
        let shown = ["name", "avatar", "level", "deep", "absent"];
        let kept = Sealed::claims(token.as_object().unwrap(), shown.into_iter());
        assert_eq!(
            Json::Object(kept.clone()),
            json!({ "name": "Ann", "level": 3 })
        );
        let most = json!({ "name": "\u{1}".repeat(160) });
        let kept = Sealed::claims(most.as_object().unwrap(), ["name"].into_iter());
        let sealed = Sealed {
            claims: kept,
            ..ann()
        };
        assert!(sealer(1, Lane::Live).seal("streak", &sealed, NOW).is_some());
    }
}
