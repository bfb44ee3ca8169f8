//! All scenes, again and again, until enough faults have been injected.

use std::time::Instant;

use super::field::Scale;
use super::report::Report;
use super::{
    crowd, cut, emptied, flushed, full, promoted, redis_killed, redis_stopped, resharded, revised,
    serve_killed, skewed,
};
use crate::luck::{Luck, seed};

/// How many faults, when nothing else is said.
const FAULTS: u64 = 1000;
/// As a launch may see them: eight processes with thirty-two clients each.
const CROWD: Scale = Scale {
    faults: 0,
    processes: 8,
    players: 8 * 32,
};

type Scene = fn(Scale, &mut Luck) -> Report;

/// The scenes of one round, and the faults of each.
const ROUND: [(&str, u64, Scene); 13] = [
    ("serve killed", 20, serve_killed::scene),
    ("redis killed", 25, redis_killed::always),
    ("everysec", 10, redis_killed::everysec),
    ("redis stopped", 2, redis_stopped::scene),
    ("cut", 100, cut::scene),
    ("flushed", 30, flushed::scene),
    ("full", 20, full::scene),
    ("waited for", 12, promoted::waited_for),
    ("not waited for", 8, promoted::not_waited_for),
    ("resharded", 12, resharded::scene),
    ("skewed", 1, skewed::scene),
    ("revised", 20, revised::scene),
    ("emptied", 1, emptied::scene),
];

#[test]
#[ignore = "some twenty minutes: cargo xtask chaos"]
fn crash_chaos_long() {
    let (seed, began) = (seed(), Instant::now());
    let wanted = std::env::var("GALA_CHAOS_FAULTS")
        .ok()
        .and_then(|faults| faults.parse().ok())
        .unwrap_or(FAULTS);
    let mut luck = Luck::new(seed, "long");
    let mut all = Report::default();
    play("crowd", CROWD, crowd::scene, &mut luck, &mut all);
    while all.all_faults() < wanted {
        for (name, faults, scene) in ROUND {
            let scale = Scale {
                faults,
                processes: 2 + luck.below(2) as usize,
                players: 32,
            };
            play(name, scale, scene, &mut luck, &mut all);
        }
    }
    println!(
        "chaos run: {all}, {:.0} s, seed {seed}",
        began.elapsed().as_secs_f64()
    );
    assert!(
        all.violations.is_empty(),
        "seed {seed}: {:#?}",
        all.violations
    );
}

fn play(name: &str, scale: Scale, scene: Scene, luck: &mut Luck, all: &mut Report) {
    let report = scene(scale, &mut Luck::new(luck.next(), name));
    println!("{name}: {report}");
    all.add(report);
}
