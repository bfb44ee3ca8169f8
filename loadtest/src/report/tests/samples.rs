//! Made-up reports, sound and broken, for the tests beside this.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::histogram::Histogram;
use crate::judge::Example;
use crate::judge::odds::{Odds, Prize, Test};
use crate::judge::truth::{Basis, Id, Truth};
use crate::report::*;
use crate::run::{Calls, Generator, Machine, Meaning, Phase, Stair, Window};
use crate::server::Look;

/// SplitMix64 (Steele, Lea & Flood 2014).
pub struct Chance(pub u64);

impl Chance {
    /// Evenly in [0, 1).
    pub fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Times and counts of so many windows: a load that rises, with times of about `ms` whose tail is exponential.
pub fn made(seed: u64, windows: usize, a_window: u64, ms: f64) -> Report {
    let mut chance = Chance(seed);
    let mut calls = ["page", "draw", "grants"].map(|name| Calls {
        name: name.to_owned(),
        campaign: "acme/spring-wheel".to_owned(),
        times: Histogram::fine(),
        raw: Histogram::fine(),
        windows: Vec::new(),
        meanings: BTreeMap::new(),
        bytes: 0,
    });
    let mut whole = Vec::new();
    for at in 0..windows {
        let many = a_window / 2 + a_window * at as u64 / windows.max(1) as u64;
        whole.push(Window {
            asked: many * 3,
            sent: many * 3,
            answered: many * 3,
            under_way: many,
            connections: 40,
            generator_cpu_secs: many as f64 * 2e-5,
            ..Window::default()
        });
        for (slower, calls) in (1..).zip(&mut calls) {
            let mut window = Histogram::coarse();
            for _ in 0..many {
                let time = Duration::from_secs_f64(
                    f64::from(slower) * ms / 1000.0 * (0.3 - (1.0 - chance.share()).ln()),
                );
                calls.times.count(time);
                calls.raw.count(time * 9 / 10);
                window.count(time);
            }
            calls.windows.push(window);
            calls.bytes += many * 700;
        }
    }
    for calls in &mut calls {
        let n = calls.times.len();
        let said: &[(&str, &str, u64)] = match &*calls.name {
            "draw" => &[
                ("won", "good", n / 10),
                ("missed", "good", n - n / 10 - n / 5),
                ("no-chances", "rejected", n / 5),
            ],
            _ => &[("ok", "good", n)],
        };
        for (meaning, verdict, count) in said {
            calls.meanings.insert(
                (*meaning).to_owned(),
                Meaning {
                    verdict: (*verdict).to_owned(),
                    count: *count,
                },
            );
        }
    }
    let asked = whole.iter().map(|window| window.asked).sum();
    let mut lag = Histogram::fine();
    (0..1000).for_each(|micros| lag.count(Duration::from_micros(20 + micros / 10)));
    let secs = windows as f64;
    let run = Run {
        scenario: "opening-second".to_owned(),
        title: "Everyone comes at 10:00:00".to_owned(),
        seed: 2026,
        part: None,
        target: "http://127.0.0.1:8080".to_owned(),
        began_at: "2026-11-28T02:00:00.000Z".to_owned(),
        secs,
        stopped: false,
        window_secs: 1.0,
        phases: vec![
            Phase {
                name: "warm up".to_owned(),
                from_secs: 0.0,
                to_secs: secs / 4.0,
            },
            Phase {
                name: "opening".to_owned(),
                from_secs: secs / 4.0,
                to_secs: secs,
            },
        ],
        stairs: Vec::new(),
        windows: whole,
        calls: calls.into(),
        generator: Generator {
            threads: 2,
            cpu_secs: secs * 0.4,
            lag,
            asked,
            sent: asked,
            unsent: 0,
            connections: 40,
            connects: 44,
            memory_mb: 38.5,
            fell_behind: None,
            strained: None,
        },
        machine: Machine {
            cpu: "A processor".to_owned(),
            cores: 2,
            memory_mb: 8192,
            system: "Linux 6.1".to_owned(),
            load: 0.4,
        },
    };
    report(run, &["p99 < 500 ms", "errors < 0.1 %"])
}

pub fn report(run: Run, limits: &[&str]) -> Report {
    let limits = limits
        .iter()
        .map(|words| crate::limit::Limit::read(words).unwrap().measure(&run));
    let looks = (0..run.secs as u32).map(|at| Look {
        at_secs: f64::from(at),
        cpu: Some(0.5 + f64::from(at % 7) / 10.0),
        memory_mb: Some(120.0),
        calls_per_sec: Some(300.0),
        commits_per_sec: Some(100.0),
        commit_ms: Some(2.0 + f64::from(at % 5)),
        shed_per_sec: Some(0.0),
    });
    let server = Server {
        from: "http://127.0.0.1:8081/metrics".to_owned(),
        looks: looks.collect(),
        failed: 0,
        about: [
            ("cores".to_owned(), "2".to_owned()),
            ("store".to_owned(), "embedded".to_owned()),
        ]
        .into(),
    };
    Report::of(Parts {
        limits: limits.collect(),
        truth: Ok(sound()),
        odds: vec![odds(0.42)],
        server: Some(server),
        capacity: Vec::new(),
        found: None,
        reproduce: Reproduce {
            program: "gala 0.1.0".to_owned(),
            commit: Some("0123abcd".to_owned()),
            command: "gala load opening-second.yaml --target http://127.0.0.1:8080 --report out"
                .to_owned(),
            scenario_sha256: "ab".repeat(32),
            campaigns: vec![Played {
                campaign: "acme/spring-wheel".to_owned(),
                revision: 1,
                digest: "cd".repeat(32),
            }],
        },
        run,
    })
}

pub fn sound() -> Truth {
    let mut truth = Truth::new(Basis::Ledger);
    truth
        .checks
        .iter_mut()
        .for_each(|check| check.looked_at = 1234);
    truth
}

pub fn odds(p: f64) -> Odds {
    let prize = |reward: &str, parts, drawn, expected| Prize {
        reward: reward.to_owned(),
        parts,
        of: 100_000,
        drawn,
        expected,
    };
    Odds {
        campaign: "acme/spring-wheel".to_owned(),
        wheel: "wheel".to_owned(),
        tier: None,
        n: 12_000,
        prizes: vec![
            prize("laptop", 1, 0, 0.12),
            prize("coupon", 10_000, 1187, 1200.0),
            prize("nothing", 89_999, 10_813, 10_799.88),
        ],
        pooled: vec!["laptop".to_owned(), "coupon".to_owned()],
        test: Some(Test {
            chi_square: Some(0.65),
            freedom: 1,
            p,
        }),
        not_made: None,
    }
}

pub fn broken() -> Truth {
    let mut truth = sound();
    let check = truth
        .checks
        .iter_mut()
        .find(|check| check.id == Id::Oversold)
        .unwrap();
    check.faults = 13;
    check.examples = vec![Example::new(
        "acme/spring-wheel",
        "20013 units are given of 20000",
        [("reward", "<b>coupon</b>".to_owned())],
    )];
    truth.unknown.keys = 3;
    truth.unknown.done = Some(2);
    truth
}

pub fn parts(report: Report) -> Parts {
    Parts {
        truth: report
            .truth
            .ok_or_else(|| report.unjudged.unwrap_or_default()),
        run: report.run,
        limits: report.limits,
        odds: report.odds,
        server: report.server,
        capacity: report.capacity,
        found: report.found,
        reproduce: report.reproduce,
    }
}

/// Everything that can be wrong, at once.
pub fn wrecked() -> Report {
    let mut report = made(7, 20, 30, 8.0);
    report.run.scenario = "x\" & <script>alert(1)</script>".to_owned();
    report.run.stairs = [(500.0, None), (1000.0, Some("p99 < 100 ms: 364 ms"))]
        .map(|(journeys_per_sec, missed)| Stair {
            journeys_per_sec,
            from_secs: journeys_per_sec / 250.0 - 2.0,
            to_secs: journeys_per_sec / 250.0,
            missed: missed.map(str::to_owned).into_iter().collect(),
        })
        .into();
    report.run.generator.fell_behind =
        Some("both of its cores were busy 97 % of the time".to_owned());
    report.run.calls[1].meanings.insert(
        "lost".to_owned(),
        Meaning {
            verdict: "failed".to_owned(),
            count: 12,
        },
    );
    report.run.windows[4].failed = 12;
    let limits = [
        "p99 of draw < 5 ms",
        "errors < 0.1 %",
        "rate > 1/s",
        "p50 of poster < 9 ms",
    ];
    report.limits = limits
        .iter()
        .map(|words| {
            crate::limit::Limit::read(words)
                .unwrap()
                .measure(&report.run)
        })
        .collect();
    report.odds = vec![odds(1e-9)];
    report.truth = Some(broken());
    Report::of(parts(report))
}
