//! What the engine costs: `step` on campaigns written in YAML, beside the same rules written by hand in Rust, in the same
//! run. The goal: a guarded step within ten times the hand-written one, and 400 ns more for a draw.
//!
//! `cargo bench -p campaign --bench step`; the last lines are the table.

// A failing helper fails the bench.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// A bench measures time; what it measures reads none.
#![allow(clippy::disallowed_methods)]

#[path = "../../tests/campaign/support/mod.rs"]
mod activities;
mod by_hand;
mod yaml;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use machine::ids::Pseudonym;
use machine::input::{Facts, Payload, User};
use machine::luck::{Draws, Seed, Source};
use machine::model::{Campaign, Sender};
use machine::participant::Participant;
use machine::step::{Call, Decision, step};
use machine::value::Value;

/// 2026-12-03 12:00 in Shanghai.
const NOW: i64 = 1_796_270_400_000;
const DAY: i64 = 24 * 3_600_000;

/// A campaign, someone in the middle of it, and what they do next.
struct Scene {
    campaign: Campaign,
    record: Participant,
    user: User,
    source: Source,
    event: u16,
    payload: Payload,
}

const WHO: Pseudonym = Pseudonym([7; 16]);

impl Scene {
    fn new(yaml: &str, event: &str, claims: Vec<Value>, fields: Vec<Value>) -> Self {
        let campaign = yaml::campaign(yaml);
        let source = Source::new(&Seed([9; 32]), &campaign.path(), campaign.edition);
        let record = Participant::new(&campaign, NOW - 10 * DAY);
        let event = campaign.event(event).expect("the campaign has the event");
        Self {
            campaign,
            record,
            user: User { claims },
            source,
            event,
            payload: Payload { fields },
        }
    }

    fn at(&self, now: i64, draws: &dyn Draws) -> Decision {
        let decision = step(&Call {
            campaign: &self.campaign,
            participant: &self.record,
            user: &self.user,
            sender: Sender::User,
            event: Some((self.event, &self.payload)),
            facts: &Facts::default(),
            now,
            rehearsal: false,
            draws,
            exhausted: &[],
        });
        decision.expect("the event is taken")
    }

    /// Plays the event once a day before now.
    fn lived(mut self, days: i64) -> Self {
        for back in (1..=days).rev() {
            let decision = self.at(NOW - back * DAY, &self.source.of(&WHO));
            self.record.core = decision.core;
            self.record.grants.extend(decision.grants);
        }
        self
    }

    fn step(&self) -> Decision {
        self.at(black_box(NOW), &self.source.of(black_box(&WHO)))
    }
}

/// Measures both, checks that they agree, and keeps the figures for the table.
fn pair(
    c: &mut Criterion,
    name: &str,
    extra: f64,
    mut hand: impl FnMut() -> by_hand::Decided,
    scene: &Scene,
) {
    let (by_hand, by_step) = (hand(), scene.step());
    assert_eq!(
        (by_hand.grants, by_hand.moves, by_hand.rows),
        (by_step.grants, by_step.moves, by_step.rows),
        "{name}"
    );
    let mut group = c.benchmark_group(name);
    group.bench_function("by hand", |b| b.iter(|| black_box(hand())));
    group.bench_function("step", |b| b.iter(|| black_box(scene.step())));
    group.finish();
    let (hand, step) = (
        nanoseconds(&mut || drop(black_box(hand()))),
        nanoseconds(&mut || drop(black_box(scene.step()))),
    );
    let goal = 10.0 * hand + extra;
    let verdict = if step <= goal { "holds" } else { "MISSED" };
    println!(
        "| {name} | {hand:.0} | {step:.0} | {:.1} | {goal:.0} | {verdict} |",
        step / hand
    );
}

/// The median of many short runs, interleaving nothing: the same figure as criterion's within a few per cent, at hand for
/// the table.
fn nanoseconds(run: &mut dyn FnMut()) -> f64 {
    const RUNS: u32 = 2_000;
    let mut samples: Vec<Duration> = (0..101)
        .map(|_| {
            let start = Instant::now();
            (0..RUNS).for_each(|_| run());
            start.elapsed()
        })
        .collect();
    samples.sort_unstable();
    samples
        .get(50)
        .map_or(0.0, |median| median.as_nanos() as f64 / f64::from(RUNS))
}

fn tags(tags: &[&str]) -> Value {
    Value::Strs(tags.iter().map(|tag| Arc::from(*tag)).collect())
}

fn benches(c: &mut Criterion) {
    println!(
        "| event | by hand (ns) | step (ns) | ratio | goal (ns) | |\n|---|---|---|---|---|---|"
    );

    let scene = Scene::new(
        yaml::SIGN_IN,
        "sign-in",
        vec![tags(&[]), Value::Int(0)],
        vec![],
    )
    .lived(4);
    let rules = by_hand::SignIn::new(&scene.campaign);
    let record = by_hand::Signed::after(4, &scene.campaign, NOW);
    pair(
        c,
        "sign-in: sign",
        0.0,
        || rules.sign(black_box(&record), black_box(NOW)),
        &scene,
    );

    let scene = Scene::new(
        yaml::GIFT_PACK,
        "claim",
        vec![tags(&["new"]), Value::Int(0)],
        vec![],
    );
    let rules = by_hand::GiftPack::new(&scene.campaign);
    let user = scene.user.clone();
    pair(
        c,
        "gift-pack: claim",
        0.0,
        || rules.claim(black_box(&user), black_box(NOW)),
        &scene,
    );

    let scene = Scene::new(
        yaml::LOTTERY,
        "draw",
        vec![tags(&[]), Value::Int(0)],
        vec![],
    )
    .lived(1);
    let rules = by_hand::Lottery::new(&scene.campaign);
    let record = by_hand::Drawer::after(1, &scene.campaign, NOW);
    let mut luck = scene.source.of(&WHO).at(1, "wheel");
    let pick = luck.below(100_000);
    pair(
        c,
        "lottery: draw",
        400.0,
        || rules.draw(black_box(&record), black_box(pick), black_box(NOW)),
        &scene,
    );
    let alone = nanoseconds(&mut || {
        black_box(
            scene
                .source
                .of(black_box(&WHO))
                .at(1, "wheel")
                .below(100_000),
        );
    });
    println!("| (a draw's chance alone) | | {alone:.0} | | 400 | |");

    let scene = Scene::new(
        yaml::CUSTOM,
        "answer",
        vec![tags(&[]), Value::Int(3)],
        vec![Value::Bool(true), Value::Int(40)],
    )
    .lived(2);
    let rules = by_hand::Custom::new(&scene.campaign);
    let record = by_hand::Answerer::after(2, &scene.campaign, NOW);
    pair(
        c,
        "custom: guarded transition",
        0.0,
        || rules.answer(black_box(&record), 3, true, 40, black_box(NOW)),
        &scene,
    );
}

criterion_group! {
    name = step_benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2)).without_plots();
    targets = benches
}
criterion_main!(step_benches);
