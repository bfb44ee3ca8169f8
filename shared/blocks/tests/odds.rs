//! A million draws of a wheel, judged against its exact odds. Seeds are fixed: the verdict is the same every time.

// A failing helper fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support {
    pub mod chance;
}
#[path = "support/mod.rs"]
mod build;

use build::{Builder, wheel};
use machine::ids::Pseudonym;
use machine::luck::{Draws, Seed, Seeded};
use machine::model::RewardKind;
use support::chance::{chi_square_p, pearson, poisson_p};

const PLAYERS: u64 = 1000;
const DRAWS: u64 = 1000;
/// The wheel's whole, and its slices: 0.001 %, 10 %, 1/3, 5 %, and the rest.
const WHOLE: u64 = 300_000;
const PARTS: [u64; 4] = [3, 30_000, 100_000, 15_000];
/// How unlikely a verdict must be to count as one.
const ALPHA: f64 = 1e-6;

/// Which slice came up, for each player, in the order of their draws; through the block's own roll.
fn draws() -> Vec<Vec<usize>> {
    let mut builder = Builder::new("Asia/Shanghai", vec![]);
    let mut names = Vec::new();
    let mut slices = Vec::new();
    for (place, parts) in PARTS.iter().enumerate() {
        let id = format!("prize-{place}");
        let reward = builder.reward(&id, RewardKind::Coupon, |_| {});
        let rule = builder.rule(&format!("wheel-{id}"));
        names.push((reward, id.as_str().into()));
        slices.push(wheel::Slice {
            reward,
            parts: *parts,
            rule,
        });
    }
    let rest = builder.reward("nothing", RewardKind::Nothing, |_| {});
    names.push((rest, "nothing".into()));
    let params = wheel::Params {
        whole: WHOLE,
        slices,
        rest: Some(rest),
        rest_rule: None,
        pity: None,
        names,
        ..wheel::Params::default()
    };
    builder.block("wheel", serde_json::to_string(&params).unwrap(), 0);
    let campaign = builder.link();

    let seed = Seed([0x5e; 32]);
    let player = |number: u64| {
        let user = Pseudonym::of(&[1; 32], &format!("member-{number}"));
        let seeded = Seeded::new(&seed, "acme/trial", 1, &user);
        let slice = |index| {
            let rolled = campaign.blocks[0]
                .redraw(&mut seeded.at(index, "wheel"), index, 0)
                .unwrap()
                .rolled;
            assert_eq!(rolled.of, WHOLE);
            campaign.reward(&rolled.reward).unwrap().into()
        };
        (0..DRAWS).map(slice).collect()
    };
    (0..PLAYERS).map(player).collect()
}

#[test]
fn a_million_draws_follow_the_odds_and_nothing_else() {
    let players = draws();
    let rest = WHOLE - PARTS.iter().sum::<u64>();
    let odds: Vec<f64> = PARTS
        .iter()
        .chain([&rest])
        .map(|parts| *parts as f64 / WHOLE as f64)
        .collect();
    let total = (PLAYERS * DRAWS) as f64;

    // How often each slice came up.
    let mut counts = [0u64; 5];
    players
        .iter()
        .flatten()
        .for_each(|slice| counts[*slice] += 1);
    let table: Vec<(u64, f64)> = counts
        .iter()
        .zip(&odds)
        .map(|(count, odds)| (*count, odds * total))
        .collect();
    let p = chi_square_p(pearson(&table), 4.0);
    println!(
        "slices {counts:?}: chi-square {:.3}, p {p:.4}",
        pearson(&table)
    );
    assert!(p > ALPHA, "{counts:?} {p}");

    // The rare prize by itself: of a million draws at 1 in 100,000.
    let p = poisson_p(odds[0] * total, counts[0]);
    println!(
        "rare prize: {} where {} are expected, p {p:.4}",
        counts[0],
        odds[0] * total
    );
    assert!(p > ALPHA, "{} {p}", counts[0]);

    // A draw says nothing about the next one of the same player. (The rare prize counts with the rest, or cells are
    // too thin to judge.)
    let class = |slice: usize| if slice == 0 { 3 } else { slice - 1 };
    let mut pairs = [[0u64; 4]; 4];
    for player in &players {
        player
            .windows(2)
            .for_each(|pair| pairs[class(pair[0])][class(pair[1])] += 1);
    }
    let share = [odds[1], odds[2], odds[3], odds[4] + odds[0]];
    let seen = (PLAYERS * (DRAWS - 1)) as f64;
    let cells: Vec<(u64, f64)> = (0..16)
        .map(|at| (pairs[at / 4][at % 4], share[at / 4] * share[at % 4] * seen))
        .collect();
    let p = chi_square_p(pearson(&cells), 15.0);
    println!("lag 1: chi-square {:.3}, p {p:.4}", pearson(&cells));
    assert!(p > ALPHA, "{pairs:?} {p}");

    // Nor is a player luckier than another, or a turn than another: wins spread as they must.
    let win = 1.0 - odds[4];
    let spread = |wins: &[u64], of: f64| {
        let (mean, variance) = (of * win, of * win * (1.0 - win));
        wins.iter()
            .map(|wins| (*wins as f64 - mean).powi(2) / variance)
            .sum::<f64>()
    };
    let by_player: Vec<u64> = players
        .iter()
        .map(|draws| draws.iter().filter(|slice| **slice != 4).count() as u64)
        .collect();
    let by_index: Vec<u64> = (0..DRAWS as usize)
        .map(|at| players.iter().filter(|draws| draws[at] != 4).count() as u64)
        .collect();
    for (what, statistic) in [
        ("players", spread(&by_player, DRAWS as f64)),
        ("indices", spread(&by_index, PLAYERS as f64)),
    ] {
        let p = chi_square_p(statistic, 1000.0);
        println!("{what}: chi-square {statistic:.1} of 1000 degrees, p {p:.4}");
        // Too even would be as suspicious as too uneven.
        assert!(p > ALPHA && 1.0 - p > ALPHA, "{what} {p}");
    }
}
