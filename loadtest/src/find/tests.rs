//! Invented systems whose limit is known.

use std::convert::Infallible;

use proptest::prelude::*;

use super::*;

/// A queue with one kind of server: times grow as 1 / (capacity - rate).
struct System {
    /// Calls a second that it can bear at the very most.
    capacity: f64,
    /// What of it is CPU: at the capacity, so many of its two cores are used.
    cpu: f64,
    /// What a commit takes beside no load, in ms; grows as the queue does where the store is what is short.
    store_is_short: bool,
    /// Calls a second that the generator can send.
    generator: f64,
    /// A miss that has no cause, at every so many-th try.
    noise_every: usize,
}

const SOUND: System = System {
    capacity: 1000.0,
    cpu: 2.0,
    store_is_short: false,
    generator: 1e9,
    noise_every: 0,
};

/// p99 < 50 ms on an M/M/1 queue: ln(100) / (capacity - rate) seconds.
const LIMIT_MS: f64 = 50.0;

impl System {
    /// The rate at which the limit is just met.
    fn edge(&self) -> f64 {
        self.capacity - 100_f64.ln() / (LIMIT_MS / 1000.0)
    }

    fn play(&self, rate: f64, number: usize) -> Tried {
        let load = (rate / self.capacity).min(1.0);
        let p99 = if rate >= self.capacity {
            10_000.0
        } else {
            100_f64.ln() / (self.capacity - rate) * 1000.0
        };
        let noise = self.noise_every > 0 && number.is_multiple_of(self.noise_every);
        let p99 = if noise { 400.0 } else { p99 };
        let mut missed = Vec::new();
        if p99 >= LIMIT_MS {
            missed.push(format!("p99 < 50 ms: {p99} ms"));
        }
        let fell_behind = (rate > self.generator).then(|| "it sent late".to_owned());
        missed.extend(
            fell_behind
                .iter()
                .map(|why| format!("the generator: {why}")),
        );
        Tried {
            tried: Try {
                journeys_per_sec: rate,
                asked_per_sec: rate,
                answered_per_sec: rate.min(self.capacity),
                p99_ms: Some(p99),
                server_cpu: Some(self.cpu * load),
                generator_cpu: 0.1,
                missed,
            },
            evidence: Evidence {
                server_cores: Some(2.0),
                commit_ms: Some(if self.store_is_short { p99 / 3.0 } else { 0.5 }),
                generator_threads: 2.0,
                fell_behind,
                ..Evidence::default()
            },
        }
    }

    fn search(&self, from: Search) -> Found {
        let mut number = 0;
        let found: Result<Found, Infallible> = search(from, |rate| {
            number += 1;
            Ok(self.play(rate, number))
        });
        let Ok(found) = found;
        found
    }
}

#[test]
fn the_edge_is_found_within_five_per_cent_from_below_and_from_above() {
    for start in [10.0, 400.0, 907.0, 50_000.0] {
        let found = SOUND.search(Search::from(start));
        let most = found.most_per_sec.unwrap();
        assert!(
            most <= SOUND.edge() && most * 1.05 >= SOUND.edge(),
            "{start}: {found:?}"
        );
        assert_eq!(found.gave_out, "function-cpu", "{found:?}");
        assert!(
            found.because.contains("of its 2 cores"),
            "{}",
            found.because
        );
        assert!(found.tries.len() < 40, "{}", found.tries.len());
    }
}

#[test]
fn a_store_that_is_short_is_named() {
    let system = System {
        cpu: 0.6,
        store_is_short: true,
        ..SOUND
    };
    // Coarse, so that the rate that missed lies well above the one that held.
    let coarse = Search {
        within: 1.9,
        ..Search::from(300.0)
    };
    let found = system.search(coarse);
    assert_eq!(found.gave_out, "store", "{found:?}");
    assert!(
        found.because.contains("on average instead of"),
        "{}",
        found.because
    );
}

#[test]
fn what_nobody_is_seen_to_cause_is_a_limit() {
    let system = System { cpu: 0.6, ..SOUND };
    let found = system.search(Search::from(100.0));
    assert_eq!(found.gave_out, "limit", "{found:?}");
    assert!(
        found.because.contains("nobody who can be seen"),
        "{}",
        found.because
    );
}

#[test]
fn a_generator_that_is_the_limit_is_named_and_its_rate_not_sold_as_the_targets() {
    let system = System {
        capacity: 1e6,
        generator: 2000.0,
        ..SOUND
    };
    let found = system.search(Search::from(100.0));
    assert_eq!(found.gave_out, "generator", "{found:?}");
    let most = found.most_per_sec.unwrap();
    assert!(most <= 2000.0 && most * 1.05 >= 2000.0, "{found:?}");
    assert!(found.because.contains("may bear more"), "{}", found.because);
}

#[test]
fn what_never_breaks_is_not_reached() {
    let system = System {
        capacity: 1e12,
        ..SOUND
    };
    let bounded = Search {
        most: 5000.0,
        ..Search::from(300.0)
    };
    let found = system.search(bounded);
    assert_eq!(found.gave_out, "not-reached");
    assert_eq!(found.most_per_sec, Some(5000.0));
    assert!(
        found
            .tries
            .iter()
            .all(|tried| tried.journeys_per_sec <= 5000.0)
    );
}

#[test]
fn what_never_holds_has_no_most() {
    let found = System {
        capacity: 1e-9,
        ..SOUND
    }
    .search(Search::from(64.0));
    assert_eq!(found.most_per_sec, None, "{found:?}");
    assert_eq!(found.gave_out, "function-cpu");
}

#[test]
fn an_error_is_not_a_miss() {
    let mut played = 0;
    let found = search(Search::from(1.0), |_| {
        played += 1;
        Err::<Tried, _>("the target is away")
    });
    assert_eq!((found, played), (Err("the target is away"), 1));
}

proptest! {
    /// One miss without a cause among several tries never decides.
    #[test]
    fn noise_is_tried_again(capacity in 300.0..100_000.0_f64, start in 1.0..1000.0_f64, every in 3_usize..9) {
        // No second try in a row may be noise, too: the numbers of the tries are `every` apart.
        let system = System { capacity, noise_every: every, ..SOUND };
        prop_assume!(system.edge() > 1.0);
        let found = system.search(Search::from(start));
        let most = found.most_per_sec.unwrap();
        prop_assert!(most <= system.edge() && most * 1.05 >= system.edge() * 0.999, "{found:?}");
    }
}
