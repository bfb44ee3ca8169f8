//! Several `gala serve` processes over one Redis, and everything that can happen to either: a scene is servers, faults and the
//! judgement of the same judge that holds the embedded store to its word.
//!
//! Each scene is a test with few faults. `cargo xtask chaos` plays all of them again and again, until a thousand faults have been
//! injected (`crash_chaos_long`), and prints one report. `GALA_CRASH_SEED` repeats the choices.

mod field;
mod fleet;
mod report;
mod service;
mod store;

mod crowd;
mod cut;
mod emptied;
mod flushed;
mod full;
mod promoted;
mod redis_killed;
mod redis_stopped;
mod resharded;
mod revised;
mod serve_killed;
mod skewed;

mod long;

use self::field::Scale;
use self::report::Report;
use crate::luck::{Luck, seed};

/// Plays one scene and fails on any violation.
fn check(name: &str, faults: u64, scene: fn(Scale, &mut Luck) -> Report) {
    let seed = seed();
    let scale = Scale {
        faults,
        processes: 2,
        players: 12,
    };
    let report = scene(scale, &mut Luck::new(seed, name));
    println!("chaos, {name}: {report}");
    assert!(
        report.violations.is_empty(),
        "seed {seed}: {:#?}",
        report.violations
    );
    assert!(report.acks > 0, "seed {seed}: nothing happened");
}

#[test]
fn crash_chaos_crowd() {
    check("crowd", 0, crowd::scene);
}

#[test]
fn crash_chaos_serve_killed() {
    check("serve killed", 4, serve_killed::scene);
}

#[test]
fn crash_chaos_redis_killed() {
    check("redis killed", 8, redis_killed::always);
}

#[test]
fn crash_chaos_redis_killed_everysec() {
    check("everysec", 4, redis_killed::everysec);
}

#[test]
fn crash_chaos_redis_stopped() {
    check("redis stopped", 1, redis_stopped::scene);
}

#[test]
fn crash_chaos_connections_cut() {
    check("cut", 20, cut::scene);
}

#[test]
fn crash_chaos_scripts_flushed() {
    check("flushed", 10, flushed::scene);
}

#[test]
fn crash_chaos_memory_used_up() {
    check("full", 5, full::scene);
}

#[test]
fn crash_chaos_promoted_waited_for() {
    check("waited for", 3, promoted::waited_for);
}

#[test]
fn crash_chaos_promoted_not_waited_for() {
    check("not waited for", 3, promoted::not_waited_for);
}

#[test]
fn crash_chaos_cluster_resharded() {
    check("resharded", 4, resharded::scene);
}

#[test]
fn crash_chaos_clock_skewed() {
    check("skewed", 1, skewed::scene);
}

#[test]
fn crash_chaos_published_and_paused() {
    check("revised", 8, revised::scene);
}

#[test]
fn crash_chaos_emptied() {
    check("emptied", 1, emptied::scene);
}
