//! Whether draws came up as often as the public page says: Pearson's chi-square test of the prizes that were rolled, before anything was
//! found to be gone or had, and without what pity decided. It warns; it never decides: one sound wheel in a thousand has a p-value below
//! 0.001.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::reckon::Drawn;
use super::row::{Public, Wheel};

/// Below which p-value draws look as if they had other odds.
pub const SUSPECT: f64 = 0.001;

/// Below how many expected draws a prize is looked at together with others: the approximation by chi-square is poor there (Cochran 1954).
const FEW: f64 = 5.0;

/// How one wheel's draws came up, or those of one tier of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Odds {
    /// `tenant/campaign`.
    pub campaign: String,
    /// The wheel's name.
    pub wheel: String,
    /// Which tier's odds, from 1; absent: those after all tiers.
    pub tier: Option<u16>,
    /// How many draws.
    pub n: u64,
    /// Each prize.
    pub prizes: Vec<Prize>,
    /// Prizes that are tested together, since few were expected of each.
    pub pooled: Vec<String>,
    /// What the test says, if it could be made.
    pub test: Option<Test>,
    /// Why not, if it could not.
    pub not_made: Option<String>,
}

/// A prize: how often it should have come up, and did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prize {
    /// The reward.
    pub reward: String,
    /// Its odds, as the public page says: so many parts
    pub parts: u64,
    /// of so many.
    pub of: u64,
    /// How often it came up.
    pub drawn: u64,
    /// How often was to be expected.
    pub expected: f64,
}

/// Pearson's chi-square test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// The statistic; absent: something came up that cannot.
    pub chi_square: Option<f64>,
    /// The degrees of freedom.
    pub freedom: u32,
    /// How likely draws at these odds lie at least as far off.
    pub p: f64,
}

impl Odds {
    /// Whether the draws look as if they had other odds.
    pub fn suspect(&self) -> bool {
        self.test.is_some_and(|test| test.p < SUSPECT)
    }
}

/// Tests every wheel of a campaign that was drawn from, tier by tier.
pub(super) fn judge(campaign: &str, public: &Public, drawn: &Drawn) -> Vec<Odds> {
    let one = |((wheel, tier), counts): (&(String, Option<u16>), &BTreeMap<String, u64>)| {
        let told = told(public, wheel, *tier);
        let mut odds = Odds {
            campaign: campaign.to_owned(),
            wheel: wheel.clone(),
            tier: *tier,
            n: counts.values().sum(),
            prizes: Vec::new(),
            pooled: Vec::new(),
            test: None,
            not_made: None,
        };
        match told {
            Some(told) => test(&mut odds, told, counts),
            None => {
                odds.not_made =
                    Some("the public page does not say its odds as a wheel's".to_owned());
            }
        }
        odds
    };
    drawn.iter().map(one).collect()
}

/// What the public page says: each prize with its parts and of how many.
fn told(public: &Public, wheel: &str, tier: Option<u16>) -> Option<Vec<(String, u64, u64)>> {
    let wheel: Wheel = serde_json::from_value(public.rest.get(wheel)?.clone()).ok()?;
    if let Some(tier) = tier {
        let tier = wheel
            .tiers
            .into_iter()
            .nth(usize::from(tier).checked_sub(1)?)?;
        let prizes = tier.odds.into_iter();
        Some(
            prizes
                .map(|prize| (prize.reward, prize.parts, prize.of))
                .collect(),
        )
    } else {
        let prizes = wheel.prizes.into_iter();
        let told =
            prizes.filter_map(|prize| prize.odds.map(|odds| (prize.reward, odds.parts, odds.of)));
        Some(told.collect())
    }
}

fn test(odds: &mut Odds, told: Vec<(String, u64, u64)>, counts: &BTreeMap<String, u64>) {
    let mut counts = counts.clone();
    for (reward, parts, of) in told {
        let drawn = counts.remove(&reward).unwrap_or(0);
        let expected = odds.n as f64 * parts as f64 / of.max(1) as f64;
        odds.prizes.push(Prize {
            reward,
            parts,
            of,
            drawn,
            expected,
        });
    }
    // What came up and is not told at all.
    for (reward, drawn) in counts {
        odds.prizes.push(Prize {
            reward,
            parts: 0,
            of: 1,
            drawn,
            expected: 0.0,
        });
    }
    let impossible = odds
        .prizes
        .iter()
        .any(|prize| prize.parts == 0 && prize.drawn > 0);
    let mut cells: Vec<&Prize> = odds.prizes.iter().filter(|prize| prize.parts > 0).collect();
    cells.sort_by(|one, two| one.expected.total_cmp(&two.expected));
    // The rarest are put together until enough of them are expected.
    let (mut pool, mut pooled) = ((0.0, 0.0), Vec::new());
    while let Some(rarest) = cells.first() {
        let enough = if pooled.is_empty() {
            rarest.expected >= FEW
        } else {
            pool.1 >= FEW && rarest.expected >= FEW
        };
        if enough {
            break;
        }
        let cell = cells.remove(0);
        pool = (pool.0 + cell.drawn as f64, pool.1 + cell.expected);
        pooled.push(cell.reward.clone());
    }
    let mut tested: Vec<(f64, f64)> = cells
        .iter()
        .map(|cell| (cell.drawn as f64, cell.expected))
        .collect();
    if !pooled.is_empty() {
        tested.push(pool);
    }
    let freedom = tested.len().saturating_sub(1) as u32;
    odds.pooled = if pooled.len() > 1 { pooled } else { Vec::new() };
    if impossible {
        odds.test = Some(Test {
            chi_square: None,
            freedom,
            p: 0.0,
        });
    } else if freedom == 0 {
        odds.not_made = Some(format!(
            "{} draws are too few to tell its odds from others",
            odds.n
        ));
    } else {
        let squares = tested
            .iter()
            .map(|(drawn, expected)| (drawn - expected).powi(2) / expected);
        let chi_square = squares.sum();
        odds.test = Some(Test {
            chi_square: Some(chi_square),
            freedom,
            p: p_value(chi_square, freedom),
        });
    }
}

/// How likely chi-square with so many degrees of freedom (above 0) is at least this: the regularised upper incomplete gamma function
/// Q(k/2, x/2). By its series (Abramowitz & Stegun 6.5.29) below a + 1, by its continued fraction (6.5.31) above, evaluated by Lentz's
/// method as in Press et al., Numerical Recipes, 3rd ed., section 6.2.
pub fn p_value(chi_square: f64, freedom: u32) -> f64 {
    let (a, x) = (f64::from(freedom) / 2.0, chi_square / 2.0);
    if x <= 0.0 {
        return 1.0;
    }
    let scale = (a * x.ln() - x - ln_gamma_of_half(freedom)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut next) = (1.0 / a, 1.0 / a, a);
        while term > sum * f64::EPSILON {
            next += 1.0;
            term *= x / next;
            sum += term;
        }
        return (1.0 - sum * scale).clamp(0.0, 1.0);
    }
    let tiny = f64::MIN_POSITIVE / f64::EPSILON;
    let away = |value: f64| if value.abs() < tiny { tiny } else { value };
    let mut denominator = x + 1.0 - a;
    let (mut upper, mut lower) = (1.0 / tiny, 1.0 / away(denominator));
    let mut fraction = lower;
    // It converges in some sqrt(a) steps; the bound is for what is no number.
    for step in 1..100_000 {
        let step = f64::from(step);
        let numerator = -step * (step - a);
        denominator += 2.0;
        lower = 1.0 / away(numerator * lower + denominator);
        upper = away(denominator + numerator / upper);
        fraction *= lower * upper;
        if (lower * upper - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    (scale * fraction).clamp(0.0, 1.0)
}

/// The logarithm of gamma at `twice / 2`, exactly by its recurrence from gamma(1/2) and gamma(1).
fn ln_gamma_of_half(twice: u32) -> f64 {
    let (mut at, mut sum) = if twice.is_multiple_of(2) {
        (1.0, 0.0)
    } else {
        (0.5, std::f64::consts::PI.sqrt().ln())
    };
    while at + 0.5 < f64::from(twice) / 2.0 {
        sum += f64::ln(at);
        at += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests;
