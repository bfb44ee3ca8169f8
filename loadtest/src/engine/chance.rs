//! Chance without state: numbers, a shuffle and a Zipf law that are functions of a seed and a counter, so that a million users take no
//! memory and every thread and process sees the same ones.

/// Random numbers from a seed: SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
#[derive(Debug, Clone)]
pub struct Dice(u64);

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes the bits of a number; a bijection (the finaliser of SplitMix64).
pub fn mix(number: u64) -> u64 {
    let mut z = number;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Dice {
    /// The dice of the `number`-th thing that is left to chance for this purpose.
    pub fn of(seed: u64, purpose: u64, number: u64) -> Self {
        Self(mix(
            mix(seed ^ purpose.wrapping_mul(GOLDEN)).wrapping_add(number.wrapping_mul(GOLDEN))
        ))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// Evenly from 0 (included) to 1 (excluded).
    pub fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly from 0 to `below`, which is excluded; 0 where `below` is 0. Off by less than one part in 2^64 / `below`.
    pub fn below(&mut self, below: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(below)) >> 64) as u64
    }
}

/// A shuffle of `0..size` that is no table: a Feistel network of four rounds over the next even number of bits, walked until it lands
/// inside (Black, Rogaway: Ciphers with arbitrary finite domains, CT-RSA 2002). On average less than four rounds of walking.
#[derive(Debug, Clone, Copy)]
pub struct Shuffle {
    size: u64,
    half_bits: u32,
    seed: u64,
}

impl Shuffle {
    /// A shuffle of `0..size`, one for each seed.
    pub fn new(size: u64, seed: u64) -> Self {
        let bits = 64 - size.max(1).saturating_sub(1).leading_zeros();
        Self {
            size,
            half_bits: bits.div_ceil(2).max(1),
            seed,
        }
    }

    /// Where `number` (below the size) goes.
    pub fn at(&self, number: u64) -> u64 {
        if self.size <= 1 {
            return 0;
        }
        let mut walk = number % self.size;
        loop {
            walk = self.once(walk);
            if walk < self.size {
                return walk;
            }
        }
    }

    fn once(&self, number: u64) -> u64 {
        let mask = (1_u64 << self.half_bits) - 1;
        let (mut left, mut right) = (number >> self.half_bits, number & mask);
        for round in 0..4_u64 {
            let turned = mix(right ^ self.seed.wrapping_add(round.wrapping_mul(GOLDEN))) & mask;
            (left, right) = (right, left ^ turned);
        }
        (left << self.half_bits) | right
    }
}

/// Zipf's law over the ranks `1..=size`: rank k with a weight of `k^-exponent`, by rejection-inversion (Hörmann, Derflinger:
/// Rejection-inversion to generate variates from monotone discrete distributions, ACM TOMACS 6(3), 1996). Constant memory, few tries.
#[derive(Debug, Clone, Copy)]
pub struct Zipf {
    size: f64,
    exponent: f64,
    /// The integral of the hat at 3/2, less the weight of rank 1; and at `size + 1/2`.
    low: f64,
    high: f64,
    /// Within this of the rank there is nothing to reject.
    sure: f64,
}

impl Zipf {
    /// `size` at least 1, `exponent` above 0.
    pub fn new(size: u64, exponent: f64) -> Self {
        let mut zipf = Self {
            size: size.max(1) as f64,
            exponent,
            low: 0.0,
            high: 0.0,
            sure: 0.0,
        };
        zipf.low = zipf.integral(1.5) - 1.0;
        zipf.high = zipf.integral(zipf.size + 0.5);
        zipf.sure = 2.0 - zipf.inverse(zipf.integral(2.5) - zipf.weight(2.0));
        zipf
    }

    /// A rank, from 1 on.
    pub fn rank(&self, dice: &mut Dice) -> u64 {
        loop {
            let at = self.high + dice.share() * (self.low - self.high);
            let x = self.inverse(at);
            let rank = x.round().clamp(1.0, self.size);
            if rank - x <= self.sure || at >= self.integral(rank + 0.5) - self.weight(rank) {
                return rank as u64;
            }
        }
    }

    fn weight(&self, x: f64) -> f64 {
        (-self.exponent * x.ln()).exp()
    }

    /// The integral of `x^-exponent`: `(x^(1-s) - 1) / (1-s)`, and `ln x` where `s` is 1.
    fn integral(&self, x: f64) -> f64 {
        let log = x.ln();
        let (one_less, scaled) = (1.0 - self.exponent, (1.0 - self.exponent) * log);
        if scaled.abs() < 1e-8 {
            log * (1.0 + scaled / 2.0)
        } else {
            scaled.exp_m1() / one_less
        }
    }

    fn inverse(&self, area: f64) -> f64 {
        let one_less = 1.0 - self.exponent;
        let scaled = (area * one_less).max(-1.0);
        if scaled.abs() < 1e-8 {
            (area * (1.0 - scaled / 2.0)).exp()
        } else {
            (scaled.ln_1p() / one_less).exp()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_shuffle_takes_each_once(size in 1_u64..3000, seed: u64) {
            let shuffle = Shuffle::new(size, seed);
            let mut seen = vec![false; size as usize];
            for number in 0..size {
                let at = shuffle.at(number) as usize;
                prop_assert!(!std::mem::replace(&mut seen[at], true));
            }
        }
    }

    #[test]
    fn a_shuffle_leaves_no_order() {
        let shuffle = Shuffle::new(100_000, 7);
        let neighbours = (0..99_999).filter(|n| shuffle.at(*n).abs_diff(shuffle.at(n + 1)) == 1);
        // Two of a shuffle are neighbours with a chance of 2/size.
        assert!(neighbours.count() < 20);
        assert_ne!(shuffle.at(0), Shuffle::new(100_000, 8).at(0));
    }

    #[test]
    fn zipf_comes_as_often_as_the_law_says() {
        const TIMES: u64 = 200_000;
        for (size, exponent) in [(10_u64, 1.0), (1000, 1.1), (50, 0.5), (200, 2.5)] {
            let zipf = Zipf::new(size, exponent);
            let mut counts = vec![0_u64; size as usize + 1];
            for number in 0..TIMES {
                counts[zipf.rank(&mut Dice::of(11, 3, number)) as usize] += 1;
            }
            let weight = |rank: u64| (rank as f64).powf(-exponent);
            let all: f64 = (1..=size).map(weight).sum();
            // Pearson's statistic over the ranks that are expected often enough, and the rest in one cell.
            let (mut statistic, mut cells, mut rest) = (0.0, 0.0, (0.0, 0.0));
            for rank in 1..=size {
                let expected = TIMES as f64 * weight(rank) / all;
                let seen = counts[rank as usize] as f64;
                if expected < 20.0 {
                    rest = (rest.0 + expected, rest.1 + seen);
                } else {
                    statistic += (seen - expected).powi(2) / expected;
                    cells += 1.0;
                }
            }
            if rest.0 > 0.0 {
                statistic += (rest.1 - rest.0).powi(2) / rest.0;
                cells += 1.0;
            }
            // Mean and spread of the chi-square law; five sigma, and the seed is fixed.
            let free = cells - 1.0;
            assert!(
                statistic < free + 5.0 * (2.0_f64 * free).sqrt(),
                "{size} {exponent}: {statistic} of {free}"
            );
        }
    }

    #[test]
    fn shares_are_even() {
        let mut dice = Dice::of(1, 2, 3);
        let mut tenths = [0_u32; 10];
        for _ in 0..100_000 {
            tenths[(dice.share() * 10.0) as usize] += 1;
            assert!(dice.below(7) < 7);
        }
        assert!(
            tenths.iter().all(|count| count.abs_diff(10_000) < 500),
            "{tenths:?}"
        );
        assert_eq!(dice.below(0), 0);
    }
}
