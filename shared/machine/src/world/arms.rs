//! Which of the live revisions is a user's. Pure, and the same wherever it is asked: a function asks it to decide under which
//! revision to step, and the store asks it again in the commit, so that after an acknowledged change of shares nothing is granted
//! under the wrong one.

use sha2::{Digest, Sha256};

use super::state::Live;
use crate::ids::{CampaignKey, Pseudonym};

/// All users: shares are parts of this.
pub const WHOLE: u32 = 10_000;

/// What the hash begins with: it shares no input with any other hash of a pseudonym.
const DOMAIN: &str = "gala/arm";

/// A user's place among the users of an edition, from 0, below [`WHOLE`]: the same in both lanes, on every machine and for
/// ever, and another in each campaign and edition.
///
/// SHA-256 over `gala/arm`, tenant, campaign, edition as decimal text and pseudonym in hexadecimal, each after its length in bytes
/// as a 32-bit big-endian number; the first eight bytes, big-endian, modulo 10,000. It has no part in draws: those are keyed with
/// the campaign's secret seed, so who is in which arm says nothing of what they will win.
pub fn place(key: &CampaignKey, user: &Pseudonym) -> u32 {
    let mut hash = Sha256::new();
    let user = crate::ids::hex_digits(&user.0);
    let edition = key.edition.to_string();
    for part in [
        DOMAIN.as_bytes(),
        key.tenant.as_bytes(),
        key.campaign.as_bytes(),
        edition.as_bytes(),
        &user,
    ] {
        hash.update((part.len() as u32).to_be_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let first = digest.first_chunk().copied().unwrap_or_default();
    (u64::from_be_bytes(first) % u64::from(WHOLE)) as u32
}

/// The live revision of a user. Shares are laid end to end from place 0 on in the order of the list, the older revision first: when
/// the newer one's share grows, users come to it and none leaves it.
pub fn arm(live: &[Live], key: &CampaignKey, user: &Pseudonym) -> Option<u32> {
    match live {
        // The rule, and it costs no hash.
        [only] => Some(only.revision),
        several => at(several, place(key, user)),
    }
}

/// The live revision at a place.
fn at(live: &[Live], place: u32) -> Option<u32> {
    let mut below = 0;
    let found = live.iter().find(|one| {
        below += one.share;
        place < below
    });
    found.map(|one| one.revision)
}

/// A share of so many parts of 10,000 in percent, without the sign: `5`, `0.25`.
pub fn share_percent(share: u32) -> String {
    let (whole, rest) = (share / 100, share % 100);
    match (rest, rest % 10) {
        (0, _) => whole.to_string(),
        (_, 0) => format!("{whole}.{}", rest / 10),
        _ => format!("{whole}.{rest:02}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::ids::Lane;

    fn key(campaign: &str, edition: u32) -> CampaignKey {
        CampaignKey {
            tenant: "acme".into(),
            campaign: campaign.into(),
            edition,
            lane: Lane::Live,
        }
    }

    fn user(number: u64) -> Pseudonym {
        Pseudonym::of(&[7; 32], &number.to_string())
    }

    fn two(share: u32) -> [Live; 2] {
        [
            Live {
                revision: 4,
                share: WHOLE - share,
            },
            Live { revision: 7, share },
        ]
    }

    #[test]
    fn a_place_never_changes() {
        // Whoever breaks this moves every user of every release that is under way.
        let places: Vec<u32> = (0..4).map(|n| place(&key("spring", 1), &user(n))).collect();
        assert_eq!(places, [2364, 6430, 5418, 7545]);
        let test = CampaignKey {
            lane: Lane::Test,
            ..key("spring", 1)
        };
        assert_eq!(place(&test, &user(0)), places[0]);
        assert_ne!(place(&key("spring", 2), &user(0)), places[0]);
        assert_ne!(place(&key("autumn", 1), &user(0)), places[0]);
    }

    /// Of 40,000 users so many are in an arm of `share` as six standard deviations allow, and the places are even.
    #[test]
    fn a_share_is_a_share() {
        let many = 40_000_u32;
        for share in [1, 50, 500, 2_000, 5_000, 9_999] {
            let live = two(share);
            let key = key("spring", share);
            let there = (0..u64::from(many)).filter(|n| arm(&live, &key, &user(*n)) == Some(7));
            let there = there.count() as f64;
            let p = f64::from(share) / f64::from(WHOLE);
            let (mean, deviation) = (
                p * f64::from(many),
                (p * (1.0 - p) * f64::from(many)).sqrt(),
            );
            assert!(
                (there - mean).abs() <= 6.0 * deviation + 1.0,
                "{share}: {there} of {many}"
            );
        }
        let mut tenths = BTreeMap::<u32, u32>::new();
        for n in 0..u64::from(many) {
            *tenths
                .entry(place(&key("even", 1), &user(n)) / 1000)
                .or_default() += 1;
        }
        assert_eq!(tenths.len(), 10);
        assert!(
            tenths.values().all(|n| (3600..4400).contains(n)),
            "{tenths:?}"
        );
    }

    proptest! {
        /// Nobody who has come to the new revision leaves it while its share grows.
        #[test]
        fn a_share_that_grows_takes_nobody_back(
            bytes: [u8; 16], edition in 1_u32.., low in 1_u32..WHOLE, more in 0_u32..WHOLE,
        ) {
            let (user, key) = (Pseudonym(bytes), key("spring", edition));
            let high = (low + more).min(WHOLE - 1);
            let (before, after) = (arm(&two(low), &key, &user), arm(&two(high), &key, &user));
            prop_assert!(before == Some(4) || after == Some(7));
            prop_assert_eq!(before, arm(&two(low), &key, &user));
            prop_assert!(place(&key, &user) < WHOLE);
        }

        /// One live revision is everybody's, none nobody's.
        #[test]
        fn one_is_everybodys(bytes: [u8; 16], revision: u32) {
            let (user, key) = (Pseudonym(bytes), key("spring", 1));
            let all = [Live { revision, share: WHOLE }];
            prop_assert_eq!(arm(&all, &key, &user), Some(revision));
            prop_assert_eq!(arm(&[], &key, &user), None);
        }
    }
}
