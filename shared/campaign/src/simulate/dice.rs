//! The simulator's own chance: what people do, and what comes up in their draws. All of it follows from the run's seed,
//! who it is and which visit it is, never from what happened before: two campaigns that are compared meet the same people
//! at the same times, and it makes no difference on how many threads runs are made.
//!
//! Not for real draws: those come from a campaign's secret seed ([`machine::luck::Seeded`]), whose HMAC and cipher cost more
//! than all the rest of a step. What is made here is only the stream of numbers; a reward is picked from it as in a real draw.

use machine::luck::{Draws, Luck, split_mix};
use serde::{Serialize, Serializer};

/// A share of people, visits or the like: so many in so many; exact, as the profile has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    num: u64,
    den: u64,
}

impl Rate {
    /// Nobody.
    pub const NEVER: Self = Self { num: 0, den: 1 };
    /// Everybody.
    pub const ALWAYS: Self = Self { num: 1, den: 1 };

    /// So many of so many, in lowest terms; of none it is nobody, and more than all is all.
    pub const fn new(num: u64, den: u64) -> Self {
        if den == 0 {
            return Self::NEVER;
        }
        if num >= den {
            return Self::ALWAYS;
        }
        let (mut divisor, mut rest) = (den, num);
        while rest > 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        Self {
            num: num / divisor,
            den: den / divisor,
        }
    }

    /// So many in a hundred.
    pub const fn percent(percent: u64) -> Self {
        Self::new(percent, 100)
    }

    /// In parts of 2^63.
    pub fn of_whole(self) -> u64 {
        ((u128::from(self.num) << 63) / u128::from(self.den)) as u64
    }

    /// Whether it is nobody at all.
    pub fn is_never(self) -> bool {
        self.num == 0
    }
}

/// As a profile writes it: a percentage where that is exact to two digits, else a fraction.
impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = u128::from(self.num) * 10_000;
        let den = u128::from(self.den);
        if parts.is_multiple_of(den) {
            let parts = parts / den;
            match (parts / 100, parts % 100) {
                (whole, 0) => write!(f, "{whole}%"),
                (whole, part) if part.is_multiple_of(10) => write!(f, "{whole}.{}%", part / 10),
                (whole, part) => write!(f, "{whole}.{part:02}%"),
            }
        } else {
            write!(f, "{}/{}", self.num, self.den)
        }
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A stream of numbers (SplitMix64): fast, and good enough to invent people with.
#[derive(Debug, Clone)]
pub struct Dice {
    state: u64,
}

/// The increment of SplitMix64.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

impl Dice {
    /// The stream that belongs to these numbers.
    pub fn of(parts: [u64; 4]) -> Self {
        let state = parts.iter().fold(GAMMA, |state, part| {
            split_mix(state ^ part).wrapping_add(GAMMA)
        });
        Self { state }
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        split_mix(self.state)
    }

    /// A number below `n`; 0 when `n` is 0. Its bias is below `n` in 2^64.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.roll()) * u128::from(n)) >> 64) as u64
    }

    /// Whether it happens, at this rate. Takes one number, whatever the rate.
    pub fn hits(&mut self, rate: Rate) -> bool {
        self.below(rate.den) < rate.num
    }
}

/// The draws of one participant in one run.
#[derive(Debug, Clone, Copy)]
pub struct Lot {
    /// The run's seed.
    pub seed: u64,
    /// Who.
    pub who: u64,
}

impl Draws for Lot {
    fn at(&self, index: u64, purpose: &str) -> Luck {
        // FNV-1a: two wheels of one campaign must not always turn alike.
        let purpose = purpose.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Luck::invented(Dice::of([self.seed, self.who, index, purpose]).state)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_rate_is_written_as_a_profile_has_it() {
        let rows = [
            (Rate::percent(35), "35%"),
            (Rate::new(1, 40), "2.5%"),
            (Rate::new(1, 80), "1.25%"),
            (Rate::new(1, 3), "1/3"),
            (Rate::new(5, 4), "100%"),
            (Rate::new(1, 0), "0%"),
            (Rate::new(1, 2_000), "0.05%"),
        ];
        for (rate, expected) in rows {
            assert_eq!(rate.to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn what_is_drawn_stays_below(parts in any::<[u64; 4]>(), n in 1u64..) {
            let mut dice = Dice::of(parts);
            prop_assert!((0..20).all(|_| dice.below(n) < n));
        }

        #[test]
        fn rates_hold(seed in any::<u64>(), percent in 0u64..=100) {
            let mut dice = Dice::of([seed, 1, 2, 3]);
            let hits = (0..20_000).filter(|_| dice.hits(Rate::percent(percent))).count() as i64;
            // Five standard deviations of the widest case.
            prop_assert!((hits - percent as i64 * 200).abs() < 360, "{hits} of 20,000 at {percent}%");
        }

        #[test]
        fn draws_are_those_of_one_participant_and_one_purpose(seed in any::<u64>(), who in any::<u64>(), index in 0u64..1000) {
            let at = |lot: Lot, index, purpose| lot.at(index, purpose).below(u64::MAX);
            let lot = Lot { seed, who };
            let first = at(lot, index, "wheel");
            prop_assert_eq!(first, at(lot, index, "wheel"));
            prop_assert_ne!(first, at(lot, index + 1, "wheel"));
            prop_assert_ne!(first, at(lot, index, "eggs"));
            prop_assert_ne!(first, at(Lot { seed, who: who ^ 1 }, index, "wheel"));
        }
    }
}
