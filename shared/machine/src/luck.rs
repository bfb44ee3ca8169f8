//! Chance that anyone can re-check: a draw's entropy from the campaign's secret seed, and integers from that entropy.
//!
//! `entropy = HMAC-SHA256(seed, len‖campaign, len‖edition, len‖pseudonym, len‖draw_index, len‖purpose)`, each field
//! as text after its length in bytes as a 32-bit big-endian number (without the lengths, user `a` with index 11 would
//! draw like user `a1` with index 1). The entropy is the key of a ChaCha20 stream (nonce 0, counter from 0), read as
//! 64-bit little-endian numbers; an integer below `n` is the first of them under the largest multiple of `n`, modulo
//! `n` (rejection sampling: no bias). `docs/FAIRNESS.md` says the same to someone without this code.
//!
//! HMAC is RFC 2104 with SHA-256 of FIPS 180-4, ChaCha20 that of RFC 8439.

use hmac::{Hmac, KeyInit, Mac};
use rand::rngs::ChaCha20Rng;
use rand::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use crate::ids::Pseudonym;

/// 32 bytes of entropy for one draw.
pub type Entropy = [u8; 32];

/// A campaign's secret seed. It never shows in logs: `Debug` prints its commitment.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Seed(pub [u8; 32]);

impl Seed {
    /// SHA-256 of the seed: what is published before the window opens.
    pub fn commitment(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seed(sha256 {})", crate::ids::hex(&self.commitment()))
    }
}

/// Where a step takes its chance from: each random choice is a named draw.
pub trait Draws: Sync {
    /// The luck of the draw with this index (committed draws of this participant so far) and purpose.
    fn at(&self, index: u64, purpose: &str) -> Luck;
}

/// The draws of one campaign's edition, from its seed. Kept with the campaign: to key HMAC anew for each request costs
/// as much as a draw.
#[derive(Clone)]
pub struct Source {
    keyed: Hmac<Sha256>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source")
    }
}

impl Source {
    /// The draws of `campaign` (`tenant/campaign`), `edition`.
    pub fn new(seed: &Seed, campaign: &str, edition: u32) -> Self {
        // HMAC takes keys of any length; the fallback is unreachable and keeps the signature free of errors.
        let mut keyed = Hmac::<Sha256>::new_from_slice(&seed.0)
            .unwrap_or_else(|_| Hmac::new(&hmac::digest::Key::<Hmac<Sha256>>::default()));
        prefixed(&mut keyed, campaign.as_bytes());
        prefixed(&mut keyed, edition.to_string().as_bytes());
        Self { keyed }
    }

    /// The luck of a draw from a list of entries: `raffle`, the draw's name and the list's SHA-256 in hexadecimal stand where
    /// a participant's draw has its pseudonym, index and purpose. (No pseudonym is `raffle`.)
    pub fn raffle(&self, draw: &str, sha256: &[u8; 32]) -> Luck {
        let mut keyed = self.keyed.clone();
        prefixed(&mut keyed, b"raffle");
        prefixed(&mut keyed, draw.as_bytes());
        prefixed(&mut keyed, crate::ids::hex(sha256).as_bytes());
        Luck::new(keyed.finalize().into_bytes().into())
    }

    /// The draws of one participant.
    pub fn of(&self, user: &Pseudonym) -> Seeded {
        let mut keyed = self.keyed.clone();
        prefixed(&mut keyed, &crate::ids::hex_digits(&user.0));
        Seeded { keyed }
    }
}

/// The draws of one participant in one campaign, from its seed.
pub struct Seeded {
    keyed: Hmac<Sha256>,
}

impl std::fmt::Debug for Seeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seeded")
    }
}

impl Seeded {
    /// The draws of `user` in `campaign` (`tenant/campaign`), `edition`.
    pub fn new(seed: &Seed, campaign: &str, edition: u32, user: &Pseudonym) -> Self {
        Source::new(seed, campaign, edition).of(user)
    }

    /// The entropy of one draw.
    pub fn entropy(&self, index: u64, purpose: &str) -> Entropy {
        let mut keyed = self.keyed.clone();
        let mut digits = [0; 20];
        prefixed(&mut keyed, decimal(index, &mut digits));
        prefixed(&mut keyed, purpose.as_bytes());
        keyed.finalize().into_bytes().into()
    }
}

impl Draws for Seeded {
    fn at(&self, index: u64, purpose: &str) -> Luck {
        Luck::new(self.entropy(index, purpose))
    }
}

fn prefixed(keyed: &mut Hmac<Sha256>, field: &[u8]) {
    keyed.update(&(field.len() as u32).to_be_bytes());
    keyed.update(field);
}

/// A number's decimal digits, without a string to be allocated for each draw.
fn decimal(mut number: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut from = digits.len();
    for place in (0..digits.len()).rev() {
        if let Some(digit) = digits.get_mut(place) {
            *digit = b'0' + (number % 10) as u8;
        }
        number /= 10;
        from = place;
        if number == 0 {
            break;
        }
    }
    digits.get(from..).unwrap_or_default()
}

/// No chance at all: for steps that must not draw (views, checks). Every draw gives the stream of the zero key.
#[derive(Debug, Clone, Copy)]
pub struct NoDraws;

impl Draws for NoDraws {
    fn at(&self, _index: u64, _purpose: &str) -> Luck {
        Luck::new([0; 32])
    }
}

/// A stream of unbiased integers for one draw.
#[derive(Debug)]
pub struct Luck {
    stream: Stream,
}

/// Where the integers come from.
// A box would cost every real draw an allocation, to make an invented one smaller.
#[expect(clippy::large_enum_variant)]
#[derive(Debug)]
enum Stream {
    /// Real: nobody foresees it without the entropy.
    Secret(ChaCha20Rng),
    /// Invented: `SplitMix64` from this state.
    Invented(u64),
}

/// The increment of `SplitMix64`.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output function of `SplitMix64` (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
pub const fn split_mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

impl Luck {
    /// The stream of `entropy`.
    pub fn new(entropy: Entropy) -> Self {
        Self {
            stream: Stream::Secret(ChaCha20Rng::from_seed(entropy)),
        }
    }

    /// A stream for forecasts, whose draws are nobody's: even, but whoever sees two numbers knows the rest. A real draw
    /// takes [`Luck::new`].
    pub const fn invented(state: u64) -> Self {
        Self {
            stream: Stream::Invented(state),
        }
    }

    fn number(&mut self) -> u64 {
        match &mut self.stream {
            Stream::Secret(stream) => stream.next_u64(),
            Stream::Invented(state) => {
                *state = state.wrapping_add(GAMMA);
                split_mix(*state)
            }
        }
    }

    /// An integer in `[0, n)`, each equally likely; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        // The largest multiple of n that fits: 2^64 - (2^64 mod n).
        let excess = (u64::MAX % n + 1) % n;
        loop {
            let number = self.number();
            if excess == 0 || number <= u64::MAX - excess {
                return number % n;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8439 2.3.2 uses a nonce; with key and nonce 0 the first block is the well-known test vector TC1 of
    /// draft-strombergson-chacha-test-vectors (20 rounds, 256-bit key).
    #[test]
    fn the_stream_is_chacha20() {
        let mut stream = ChaCha20Rng::from_seed([0; 32]);
        let mut block = [0u8; 16];
        stream.fill_bytes(&mut block);
        assert_eq!(crate::ids::hex(&block), "76b8e0ada0f13d90405d6ae55386bd28");
    }

    /// Golden: computed by the Python page of docs/FAIRNESS.md too. A change here breaks every published proof.
    #[test]
    fn a_draw_never_changes() {
        let user = Pseudonym([7; 16]);
        let draws = Seeded::new(&Seed([9; 32]), "acme/spring-wheel", 1, &user);
        let entropy = draws.entropy(3, "wheel");
        let mut luck = draws.at(3, "wheel");
        let numbers: Vec<u64> = (0..4).map(|_| luck.below(100_000)).collect();
        assert_eq!(
            (crate::ids::hex(&entropy).as_str(), numbers),
            (GOLDEN_ENTROPY, GOLDEN_NUMBERS.to_vec())
        );
    }

    const GOLDEN_ENTROPY: &str = "16b6daa36b4287d55c8d8dc2abba1d10eedbdef8e9960ca47c1b43572c3ae71f";
    const GOLDEN_NUMBERS: [u64; 4] = [56510, 1392, 5797, 27212];

    #[test]
    fn indices_are_written_in_decimal() {
        for number in [0, 7, 10, 99, 100, 12_345, u64::MAX] {
            assert_eq!(decimal(number, &mut [0; 20]), number.to_string().as_bytes());
        }
    }

    #[test]
    fn integers_stay_below_and_reach_everything() {
        let mut luck = Luck::new([1; 32]);
        let mut seen = [0u32; 7];
        for _ in 0..7000 {
            seen[luck.below(7) as usize] += 1;
        }
        assert!(
            seen.iter().all(|count| (850..1150).contains(count)),
            "{seen:?}"
        );
        assert_eq!(luck.below(1), 0);
        assert_eq!(luck.below(0), 0);
        assert!(luck.below(u64::MAX) < u64::MAX);
    }
}
