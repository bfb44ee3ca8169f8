//! Share ids: what a poster's code and a shared link name the sharer by. Sixteen characters, the same for a user in one edition and lane
//! for good, and nothing to anybody without the tenant's secret: neither who it is, nor whether two campaigns' ids are one person's.
//!
//! An id is nine bytes of the sharer's pseudonym and three of zero, enciphered as one block of twelve (a Feistel network of two halves,
//! its rounds HMAC-SHA256). So it needs no table: whoever has the secret reads the sharer out of it again, a made-up one is told by its
//! three bytes (one in sixteen million passes, and names nobody), and two users have the same one with odds of one in a million where
//! there are a hundred million. Being named earns nothing: what is made of an attribution is the campaign's rules'.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use machine::ids::{CampaignKey, Pseudonym, hex};
use machine::luck::Seed;
use sha2::Sha256;

use super::secret::{derive, mac};
use crate::engine::Caller;

/// How many characters an id has. A mini-program's code carries 32.
pub const LENGTH: usize = 16;

/// As what kind of subject a sharer is kept in a row's attribution.
pub const SUBJECT: &str = "sharer";

/// Four are a cipher (Luby and Rackoff), two more are cheap.
const ROUNDS: u8 = 6;

/// Half a block, in bytes.
const HALF: usize = 6;

/// How much of a pseudonym an id holds, in bytes.
const NAMED: usize = 9;

/// The share ids of one edition and lane.
pub struct Shares(Hmac<Sha256>);

/// Never shown.
impl fmt::Debug for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shares")
    }
}

impl Shares {
    /// Those of a lane, under the tenant's secret.
    pub fn of(tenant: &Seed, campaign: &CampaignKey) -> Self {
        Self(mac(&derive(tenant, "gala-share", campaign)))
    }

    /// A user's id.
    pub fn id(&self, user: &Pseudonym) -> String {
        let (mut left, mut right) = ([0; HALF], [0; HALF]);
        left.copy_from_slice(&user.0[..HALF]);
        right[..NAMED - HALF].copy_from_slice(&user.0[HALF..NAMED]);
        for round in 0..ROUNDS {
            (left, right) = (right, xor(left, self.round(round, right)));
        }
        URL_SAFE_NO_PAD.encode([left, right].concat())
    }

    /// Whose id it is; none where it is nobody's here.
    pub fn sharer(&self, id: &str) -> Option<Sharer> {
        if id.len() != LENGTH {
            return None;
        }
        let block: [u8; 2 * HALF] = URL_SAFE_NO_PAD.decode(id).ok()?.try_into().ok()?;
        let (mut left, mut right) = ([0; HALF], [0; HALF]);
        left.copy_from_slice(&block[..HALF]);
        right.copy_from_slice(&block[HALF..]);
        for round in (0..ROUNDS).rev() {
            (left, right) = (xor(right, self.round(round, left)), left);
        }
        let (rest, check) = right.split_at(NAMED - HALF);
        if check.iter().any(|byte| *byte != 0) {
            return None;
        }
        let mut named = [0; NAMED];
        named[..HALF].copy_from_slice(&left);
        named[HALF..].copy_from_slice(rest);
        Some(Sharer(named))
    }

    fn round(&self, round: u8, half: [u8; HALF]) -> [u8; HALF] {
        let mut mac = self.0.clone();
        mac.update(&[round]);
        mac.update(&half);
        let bytes: [u8; 32] = mac.finalize().into_bytes().into();
        let mut out = [0; HALF];
        out.copy_from_slice(&bytes[..HALF]);
        out
    }
}

/// Who brought a caller, as it is kept beside what they do: by the first of these that is an id of this edition and lane. Nobody, where
/// none is, and where it is their own.
pub fn arrived(
    caller: &Caller<'_>,
    campaign: &CampaignKey,
    said: [Option<&str>; 2],
) -> Option<(Arc<str>, Arc<str>)> {
    let said = said.into_iter().flatten();
    let mut said = said.filter(|id| id.len() == LENGTH).peekable();
    said.peek()?;
    let shares = Shares::of(&caller.shell.secret, campaign);
    let sharer = said.find_map(|id| shares.sharer(id))?;
    let is_friend = !sharer.is(&caller.user);
    is_friend.then(|| (SUBJECT.into(), sharer.to_string().into()))
}

fn xor(mut left: [u8; HALF], right: [u8; HALF]) -> [u8; HALF] {
    for (byte, other) in left.iter_mut().zip(right) {
        *byte ^= other;
    }
    left
}

/// A sharer, as far as an id says who: the beginning of their pseudonym. Shown as the first 18 of its 32 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sharer([u8; NAMED]);

impl Sharer {
    /// Whether it is this user.
    pub fn is(&self, user: &Pseudonym) -> bool {
        user.0.starts_with(&self.0)
    }
}

impl fmt::Display for Sharer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use machine::ids::Lane;

    use super::*;

    fn key(campaign: &str, edition: u32, lane: Lane) -> CampaignKey {
        CampaignKey {
            tenant: "acme".into(),
            campaign: campaign.into(),
            edition,
            lane,
        }
    }

    #[test]
    fn an_id_names_its_sharer_to_whoever_has_the_secret_and_nobody_else() {
        let secret = Seed([7; 32]);
        let shares = Shares::of(&secret, &key("words", 1, Lane::Live));
        let others = [
            Shares::of(&Seed([8; 32]), &key("words", 1, Lane::Live)),
            Shares::of(&secret, &key("words", 2, Lane::Live)),
            Shares::of(&secret, &key("words", 1, Lane::Test)),
            Shares::of(&secret, &key("wheel", 1, Lane::Live)),
        ];
        let mut seen = HashSet::new();
        for member in 0..500 {
            let user = Pseudonym::of(&secret.0, &format!("member-{member}"));
            let id = shares.id(&user);
            assert_eq!((id.len(), shares.id(&user)), (LENGTH, id.clone()));
            let sharer = shares.sharer(&id).unwrap();
            assert!(sharer.is(&user) && user.to_string().starts_with(&sharer.to_string()));
            assert!(!sharer.is(&Pseudonym::of(&secret.0, "somebody else")));
            // Nothing of the pseudonym stands in it.
            assert!(!id.contains(&URL_SAFE_NO_PAD.encode(user.0)[..4]));
            for other in &others {
                assert_ne!(other.id(&user), id);
                assert_eq!(other.sharer(&id), None);
            }
            assert!(seen.insert(id));
        }
    }

    #[test]
    fn what_is_no_id_names_nobody() {
        let shares = Shares::of(&Seed([7; 32]), &key("words", 1, Lane::Live));
        let user = Pseudonym::of(&[7; 32], "ann");
        let id = shares.id(&user);
        for text in [
            "",
            "AAAAAAAAAAAAAAAA",
            "1234",
            "ann",
            &id[1..],
            "日日日日日",
        ] {
            assert_eq!(shares.sharer(text), None, "{text}");
        }
        for at in 0..LENGTH {
            let mut bytes = id.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(shares.sharer(&changed), None, "{changed}");
        }
    }
}
