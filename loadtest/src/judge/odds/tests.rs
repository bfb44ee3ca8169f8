use super::*;

fn public(prizes: &str) -> Public {
    let page = format!(r#"{{"revision":1,"config_hash":"","wheel":{{"prizes":[{prizes}]}}}}"#);
    serde_json::from_str(&page).unwrap()
}

const WHEEL: &str = r#"{"reward":"laptop","odds":{"parts":1,"of":100000}},{"reward":"coupon","odds":{"parts":10000,"of":100000}},{"reward":"nothing","odds":{"parts":89999,"of":100000}}"#;

fn drawn(counts: &[(&str, u64)]) -> Drawn {
    let counts = counts.iter().map(|(reward, n)| ((*reward).to_owned(), *n));
    [(("wheel".to_owned(), None), counts.collect())].into()
}

#[test]
fn p_values_are_those_of_the_tables() {
    // Critical values of the chi-square distribution, NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.6.7.4.
    for (freedom, chi_square, p) in [
        (1, 3.841, 0.05),
        (1, 6.635, 0.01),
        (1, 10.828, 0.001),
        (2, 5.991, 0.05),
        (2, 13.816, 0.001),
        (3, 7.815, 0.05),
        (5, 15.086, 0.01),
        (10, 18.307, 0.05),
        (10, 29.588, 0.001),
        (30, 43.773, 0.05),
        (100, 124.342, 0.05),
        (100, 149.449, 0.001),
    ] {
        let found = p_value(chi_square, freedom);
        assert!(
            (found - p).abs() < p * 0.002,
            "{chi_square} with {freedom}: {found}, not {p}"
        );
    }
    // With two degrees of freedom it is exp(-x/2).
    for x in [0.1_f64, 1.0, 3.9, 4.1, 20.0, 200.0] {
        assert!(
            (p_value(x, 2) / (-x / 2.0).exp() - 1.0).abs() < 1e-12,
            "{x}"
        );
    }
    assert!((p_value(0.0, 4) - 1.0).abs() < 1e-12);
    assert!(p_value(1e9, 3) < 1e-300);
}

#[test]
fn the_rarest_prizes_are_tested_together() {
    let judged = judge(
        "acme/wheel",
        &public(WHEEL),
        &drawn(&[("coupon", 98), ("nothing", 902)]),
    );
    let odds = &judged[0];
    // 0.01 laptops were to be expected: they go with the coupons.
    assert_eq!(
        (odds.n, &*odds.pooled),
        (1000, &["laptop".to_owned(), "coupon".to_owned()][..])
    );
    let test = odds.test.unwrap();
    assert_eq!(test.freedom, 1);
    let (few, many) = (98.0 - 100.01_f64, 902.0 - 899.99_f64);
    let want = few * few / 100.01 + many * many / 899.99;
    assert!((test.chi_square.unwrap() - want).abs() < 1e-9);
    assert!(!odds.suspect());
}

#[test]
fn what_cannot_be_tested_says_so() {
    let of = |counts: &[(&str, u64)]| judge("acme/wheel", &public(WHEEL), &drawn(counts)).remove(0);
    assert!(
        of(&[("nothing", 12)])
            .not_made
            .unwrap()
            .contains("12 draws are too few")
    );
    let odd = of(&[("nothing", 900), ("coupon", 99), ("car", 1)]);
    assert!(odd.suspect());
    assert_eq!(odd.test.unwrap().chi_square, None);
    let other: Drawn = [(("pack/lot".to_owned(), None), [("a".to_owned(), 3)].into())].into();
    assert!(
        judge("acme/wheel", &public(WHEEL), &other)[0]
            .not_made
            .is_some()
    );
    let tier: Drawn = [(("wheel".to_owned(), Some(1)), [("a".to_owned(), 3)].into())].into();
    assert!(
        judge("acme/wheel", &public(WHEEL), &tier)[0]
            .not_made
            .is_some()
    );
}

/// SplitMix64 (Steele, Lea & Flood 2014): chance for a test, the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, of: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % of
    }
}

/// Draws from a wheel of 10 %, 30 %, rest, where the first prize really has so many parts of 1,000.
fn simulate(seed: u64, draws: u64, first: u64) -> Odds {
    let page = public(
        r#"{"reward":"a","odds":{"parts":1,"of":10}},{"reward":"b","odds":{"parts":3,"of":10}},{"reward":"c","odds":{"parts":6,"of":10}}"#,
    );
    let mut chance = Chance(seed);
    let mut counts = [0_u64; 3];
    for _ in 0..draws {
        let pick = chance.below(1000);
        counts[if pick < first {
            0
        } else if pick < first + 300 {
            1
        } else {
            2
        }] += 1;
    }
    judge(
        "acme/wheel",
        &page,
        &drawn(&[("a", counts[0]), ("b", counts[1]), ("c", counts[2])]),
    )
    .remove(0)
}

#[test]
fn a_wheel_with_other_odds_is_suspected_and_sound_ones_are_not() {
    let suspected = |first: u64| {
        (0..200)
            .filter(|seed| simulate(*seed, 20_000, first).suspect())
            .count()
    };
    // One in a thousand is to be expected of sound wheels, and all of those that give 12 % for 10 %.
    assert!(suspected(100) <= 2);
    assert_eq!(suspected(120), 200);
}

#[test]
fn p_values_of_sound_wheels_are_spread_evenly() {
    let mut tenths = [0_u32; 10];
    for seed in 1000..2000 {
        let p = simulate(seed, 2000, 100).test.unwrap().p;
        tenths[((p * 10.0) as usize).min(9)] += 1;
    }
    // Ten cells of 100 each: chi-square with nine degrees of freedom, itself tested at 0.001.
    let squares: f64 = tenths
        .iter()
        .map(|n| (f64::from(*n) - 100.0).powi(2) / 100.0)
        .sum();
    assert!(p_value(squares, 9) > 0.001, "{tenths:?}");
}
