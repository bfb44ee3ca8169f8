//! The statistics that judge a wheel.

/// The probability that a chi-square variable with `degrees` of freedom is at least `x`: the upper regularised
/// incomplete gamma function Q(degrees / 2, x / 2), by series below and by Lentz's continued fraction above its knee.
pub fn chi_square_p(x: f64, degrees: f64) -> f64 {
    gamma_q(degrees / 2.0, x / 2.0)
}

// The letters are those of every text book.
#[allow(clippy::many_single_char_names)]
fn gamma_q(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-15 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return 1.0 - front * sum;
    }
    let tiny = 1e-300;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / tiny;
    let mut d = 1.0 / b;
    let mut h = d;
    for i in 1..10_000 {
        let i = f64::from(i);
        let an = -i * (i - a);
        b += 2.0;
        d = 1.0 / guard(an * d + b, tiny);
        c = guard(b + an / c, tiny);
        let step = d * c;
        h *= step;
        if (step - 1.0).abs() < 1e-15 {
            break;
        }
    }
    front * h
}

fn guard(x: f64, tiny: f64) -> f64 {
    if x.abs() < tiny { tiny } else { x }
}

/// Lanczos' approximation (g = 7, nine terms).
fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let sum = TERMS
        .iter()
        .zip(1..)
        .fold(0.999_999_999_999_809_9, |sum, (term, i)| {
            sum + term / (x + f64::from(i))
        });
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// The probability that a Poisson variable of this mean lies as far out as `count`, on its side, both sides counted.
pub fn poisson_p(mean: f64, count: u64) -> f64 {
    let up_to = |n: u64| gamma_q(n as f64 + 1.0, mean);
    let below = up_to(count);
    let above = if count == 0 {
        1.0
    } else {
        1.0 - up_to(count - 1)
    };
    (2.0 * below.min(above)).min(1.0)
}

/// Pearson's statistic.
pub fn pearson(counts: &[(u64, f64)]) -> f64 {
    counts
        .iter()
        .map(|(count, expected)| (*count as f64 - expected).powi(2) / expected)
        .sum()
}

#[test]
fn known_values_come_out() {
    // Tables of the chi-square distribution: 3.841 (1 degree) and 18.307 (10) at 5 %, 149.449 (100) at 0.1 %.
    for (x, degrees, p) in [
        (3.841_459, 1.0, 0.05),
        (18.307_038, 10.0, 0.05),
        (149.449_253, 100.0, 0.001),
    ] {
        assert!((chi_square_p(x, degrees) - p).abs() < 1e-7, "{x} {degrees}");
    }
    // Poisson, mean 10: P(<= 3) = 0.010336.
    assert!((poisson_p(10.0, 3) - 2.0 * 0.010_336_05).abs() < 1e-7);
}
