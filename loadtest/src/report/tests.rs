//! Made-up runs, and what reports make of them.

mod schema;

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::verdict::Says;
use super::*;
use crate::histogram::Histogram;
use crate::judge::Example;
use crate::judge::odds::{Prize, Test};
use crate::judge::truth::{Basis, Id};
use crate::run::{Calls, Generator, Machine, Meaning, Phase, Window};
use crate::server::Look;
use schema::{closed, hold, schema};

/// SplitMix64 (Steele, Lea & Flood 2014).
struct Chance(u64);

impl Chance {
    /// Evenly in [0, 1).
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Times and counts of so many windows: a load that rises, with times of about `ms` whose tail is exponential.
fn made(seed: u64, windows: usize, a_window: u64, ms: f64) -> Report {
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

fn report(run: Run, limits: &[&str]) -> Report {
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

fn sound() -> Truth {
    let mut truth = Truth::new(Basis::Ledger);
    truth
        .checks
        .iter_mut()
        .for_each(|check| check.looked_at = 1234);
    truth
}

fn odds(p: f64) -> Odds {
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

fn broken() -> Truth {
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

fn parts(report: Report) -> Parts {
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
fn wrecked() -> Report {
    let mut report = made(7, 20, 30, 8.0);
    report.run.scenario = "x\" & <script>alert(1)</script>".to_owned();
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

#[test]
fn the_verdict_says_why_the_most_important_first() {
    let go = made(7, 20, 30, 8.0);
    insta::assert_snapshot!("verdict-go", html::verdict(&go.verdict).into_string());
    let wrecked = wrecked();
    insta::assert_snapshot!(
        "verdict-no-go",
        html::verdict(&wrecked.verdict)
            .into_string()
            .replace("<li>", "\n<li>")
            .replace("<p", "\n<p")
    );
    let kinds: Vec<_> = wrecked
        .verdict
        .reasons
        .iter()
        .map(|reason| reason.kind)
        .collect();
    let mut sorted = kinds.clone();
    sorted.sort();
    assert_eq!(kinds, sorted);
}

#[test]
fn exit_codes_tell_broken_from_missed() {
    let of = |change: fn(&mut Parts)| {
        let mut parts = parts(made(7, 10, 20, 8.0));
        change(&mut parts);
        let verdict = Report::of(parts).verdict;
        (verdict.says, verdict.exit_code())
    };
    assert_eq!(of(|_| {}), (Says::Go, 0));
    assert_eq!(of(|parts| parts.limits[0].met = false), (Says::NoGo, 4));
    assert_eq!(
        of(|parts| parts.run.generator.fell_behind = Some("x".to_owned())),
        (Says::NoGo, 4)
    );
    assert_eq!(of(|parts| parts.truth = Ok(broken())), (Says::NoGo, 1));
    assert_eq!(
        of(|parts| parts.truth = Err("the ledger did not come".to_owned())),
        (Says::NoGo, 1)
    );
    // Failures count where no limit says how many may be; where one does, it says.
    let lost = |parts: &mut Parts| {
        parts.run.calls[0].meanings.insert(
            "lost".to_owned(),
            Meaning {
                verdict: "failed".to_owned(),
                count: 1,
            },
        );
    };
    let mut asked = parts(made(7, 10, 20, 8.0));
    lost(&mut asked);
    assert_eq!(Report::of(asked).verdict.says, Says::Go);
    assert_eq!(of(|parts| parts.limits[1].met = false), (Says::NoGo, 1));
    let mut unasked = parts(made(7, 10, 20, 8.0));
    lost(&mut unasked);
    unasked.limits.clear();
    assert_eq!(Report::of(unasked).verdict.exit_code(), 1);
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let report = wrecked();
    let inner = folder.path().join("a/b");
    write(&inner, &report).unwrap();
    assert_eq!(read(&inner).unwrap(), report);
    assert_eq!(read(&inner.join("report.json")).unwrap(), report);
    fs::write(inner.join("report.json"), r#"{"form":9}"#).unwrap();
    let error = read(&inner).unwrap_err().to_string();
    assert!(
        error.contains("form 9") && error.contains("report.json"),
        "{error}"
    );
    let error = read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("cannot be read"), "{error}");
    let error = write(&inner.join("report.json"), &report)
        .unwrap_err()
        .to_string();
    assert!(error.contains("--report"), "{error}");
}

#[test]
fn the_page_needs_nothing_and_stays_small() {
    // Six hours of windows of a second: as long as a load test gets.
    let long = made(3, 21_600, 3, 30.0);
    let page = long.html();
    assert!(page.len() < 150_000, "{} bytes", page.len());
    for page in [page, wrecked().html()] {
        for never in [
            "<script",
            "http-equiv",
            "<link",
            "<img",
            "src=",
            "url(",
            "@import",
        ] {
            assert!(!page.contains(never), "{never}");
        }
        // Well-formed but for the elements that HTML leaves open.
        let page = page.replace("<meta charset=\"utf-8\">", "").replace(
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
            "",
        );
        let page = page.replace("<!DOCTYPE html>", "");
        roxmltree::Document::parse(&page).unwrap();
    }
    let page = wrecked().html();
    assert!(page.contains("&lt;script&gt;") && page.contains("&lt;b&gt;coupon&lt;/b&gt;"));
    let at = |text: &str| page.find(text).unwrap();
    assert!(at("NO-GO</strong>") < at("<h2>Limits") && at("<h2>Limits") < at("<h2>Truth"));
}

#[test]
fn ci_gets_a_case_for_each_limit_and_each_check() {
    let text = wrecked().junit();
    let document = roxmltree::Document::parse(&text).unwrap();
    let suite = document
        .descendants()
        .find(|node| node.has_tag_name("testsuite"))
        .unwrap();
    let cases: Vec<_> = suite
        .children()
        .filter(|node| node.has_tag_name("testcase"))
        .collect();
    let of = |class: &str| {
        cases
            .iter()
            .filter(|case| case.attribute("classname") == Some(class))
            .count()
    };
    // The limit on errors is the errors' own case.
    assert_eq!((of("truth"), of("limits"), of("run")), (8, 3, 2));
    let failed: Vec<_> = cases
        .iter()
        .filter(|case| case.children().any(|node| node.has_tag_name("failure")))
        .map(|case| case.attribute("name").unwrap())
        .collect();
    insta::assert_debug_snapshot!("junit-failed", failed);
    assert_eq!(
        suite.attribute("failures"),
        Some(&*failed.len().to_string())
    );
    assert_eq!(suite.attribute("tests"), Some(&*cases.len().to_string()));
    let sound = made(7, 10, 20, 8.0).junit();
    assert!(!sound.contains("<failure"));
}

#[test]
fn the_schema_describes_every_field_of_a_report() {
    let schema = closed(schema());
    let mut full = wrecked();
    full.capacity = serde_json::from_value(serde_json::json!([{
        "campaign": "acme/spring-wheel", "peak_per_sec": 900.0, "peak_from": "the forecast", "calls": 1e6, "cpu_ms_per_call": 0.2,
        "instances": 2, "utilisation": 0.6, "memory_mb": 120.0, "function_secs": 200.0,
        "prices": [{ "table": "a table", "currency": "CNY", "parts": [["calls", "1 million", "1.33"]], "total": "1.33" }],
        "assumed": ["one"],
    }]))
    .unwrap();
    full.found = serde_json::from_value(serde_json::json!({
        "tries": [{ "journeys_per_sec": 10.0, "asked_per_sec": 30.0, "answered_per_sec": 30.0, "p99_ms": 3.0, "server_cpu": 0.4, "generator_cpu": 0.1, "missed": [] }],
        "most_per_sec": 30.0, "gave_out": "not-reached", "because": "nothing was missed",
    }))
    .unwrap();
    let mut unjudged = parts(made(7, 10, 20, 8.0));
    unjudged.truth = Err("no ledger".to_owned());
    unjudged.server = None;
    for report in [&full, &made(7, 10, 20, 8.0), &Report::of(unjudged)] {
        let value = serde_json::to_value(report).unwrap();
        let mut wrong = Vec::new();
        hold(&schema, &schema, &value, "", &mut wrong);
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
    // The full one is shown, too.
    assert!(full.html().contains("Capacity and cost") && full.html().contains("The most it takes"));
    // It can fail.
    let mut value = serde_json::to_value(&full).unwrap();
    value["verdict"]["says"] = "perhaps".into();
    value["run"]["seed"] = "x".into();
    value["more"] = 1.into();
    let mut wrong = Vec::new();
    hold(&schema, &schema, &value, "", &mut wrong);
    assert_eq!(wrong.len(), 3, "{wrong:#?}");
}

/// Part `number` of `of`, of a run that was made so.
fn part(mut report: Report, number: u32, of: u32) -> (String, Report) {
    report.run.part = Some((number, of));
    (format!("r{number}.json"), report)
}

/// Makes a part one that does not belong.
type Change = fn(&mut Report);

#[test]
fn what_does_not_belong_together_is_refused_by_name() {
    let one = || part(made(1, 10, 20, 8.0), 1, 2);
    let changed = |change: fn(&mut Report)| {
        let mut two = part(made(2, 10, 20, 8.0), 2, 2);
        change(&mut two.1);
        merge::merge(&[one(), two])
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(changed(|_| {}), Ok(()));
    let changes: [(Change, &str); 7] = [
        (|two| two.run.seed = 9, "seed"),
        (|two| two.run.scenario = "other".to_owned(), "scenario"),
        (
            |two| two.reproduce.scenario_sha256 = "00".to_owned(),
            "digest",
        ),
        (
            |two| two.run.target = "http://elsewhere".to_owned(),
            "target",
        ),
        (|two| two.run.part = Some((1, 2)), "counted twice"),
        (|two| two.run.part = None, "whole run"),
        (|two| two.run.part = Some((2, 3)), "number of parts"),
    ];
    for (change, says) in changes {
        let error = changed(change).unwrap_err();
        assert!(error.contains(says) && error.contains("r2.json"), "{error}");
    }
    assert!(
        merge::merge(&[one()])
            .unwrap_err()
            .to_string()
            .contains("parts 2 of 2 are missing")
    );
    assert_eq!(merge::merge(&[]), Err(merge::Error::Nothing));
}

#[test]
fn a_part_that_began_later_is_put_where_it_was() {
    let one = part(made(1, 10, 20, 8.0), 1, 2);
    let mut two = part(made(2, 10, 20, 8.0), 2, 2);
    two.1.run.began_at = "2026-11-28T10:00:03.000+08:00".to_owned();
    two.1.run.generator.fell_behind = Some("it was slow".to_owned());
    let merged = merge::merge(&[two.clone(), one.clone()]).unwrap();
    assert_eq!((merged.run.secs, merged.run.windows.len()), (13.0, 13));
    assert_eq!(&*merged.run.began_at, "2026-11-28T02:00:00.000Z");
    assert_eq!(merged.run.windows[0].asked, one.1.run.windows[0].asked);
    assert_eq!(merged.run.windows[12].asked, two.1.run.windows[9].asked);
    assert_eq!(
        merged.run.generator.fell_behind.as_deref(),
        Some("part 2 of 2: it was slow")
    );
    assert_eq!(merged.verdict.says, Says::NoGo);
    // The later look is the second part's: its server's times move with it.
    assert!((merged.server.unwrap().looks[0].at_secs - 3.0).abs() < 1e-9);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whoever counted what: merged, it is the whole.
    #[test]
    fn merged_parts_are_the_whole(seed in any::<u64>(), of in 1_u32..5) {
        let whole = made(seed, 6, 40, 8.0);
        let mut chance = Chance(seed);
        let mut split = |n: u64| -> Vec<u64> {
            let mut shares = vec![0; of as usize];
            (0..n).for_each(|_| shares[(chance.share() * f64::from(of)) as usize] += 1);
            shares
        };
        let mut reports: Vec<Report> = (0..of).map(|_| {
            let mut empty = whole.clone();
            empty.run.calls.iter_mut().for_each(|calls| {
                (calls.times, calls.raw, calls.bytes) = (Histogram::fine(), Histogram::fine(), 0);
                calls.windows.iter_mut().for_each(|window| *window = Histogram::coarse());
                calls.meanings.values_mut().for_each(|meaning| meaning.count = 0);
            });
            empty.run.windows.iter_mut().for_each(|window| *window = Window::default());
            empty
        }).collect();
        for (at, window) in whole.run.windows.iter().enumerate() {
            for (report, asked) in reports.iter_mut().zip(split(window.asked)) {
                report.run.windows[at].asked = asked;
            }
        }
        for (at, calls) in whole.run.calls.iter().enumerate() {
            for (name, meaning) in &calls.meanings {
                for (report, count) in reports.iter_mut().zip(split(meaning.count)) {
                    report.run.calls[at].meanings.get_mut(name).unwrap().count = count;
                }
            }
        }
        // Each time goes to some part: to its times and to its window.
        let mut chance = Chance(!seed);
        for call in 0..whole.run.calls.len() {
            for at in 0..6 {
                for micros in [300_u64, 5_000, 90_000 + at as u64] {
                    let to = &mut reports[(chance.share() * f64::from(of)) as usize].run.calls[call];
                    let time = Duration::from_micros(micros);
                    to.times.count(time);
                    to.windows[at].count(time);
                }
            }
        }
        let named: Vec<_> = (1..).zip(reports).map(|(number, report)| part(report, number, of)).collect();
        let merged = merge::merge(&named).unwrap().run;
        for (one, all) in merged.windows.iter().zip(&whole.run.windows) {
            prop_assert_eq!(one.asked, all.asked);
        }
        for (one, all) in merged.calls.iter().zip(&whole.run.calls) {
            prop_assert_eq!(&one.meanings, &all.meanings);
            prop_assert_eq!(one.times.len(), 18);
            prop_assert!((one.times.max_ms().unwrap() - 90.005).abs() < 0.1);
            for window in &one.windows {
                prop_assert_eq!(window.len(), 3);
                prop_assert!((window.quantile_ms(0.5).unwrap() - 5.0).abs() < 0.1);
            }
        }
        prop_assert_eq!(merged.generator.asked, whole.run.generator.asked * u64::from(of));
    }
}

#[test]
fn only_what_is_beyond_the_noise_is_called_a_difference() {
    let beyond = |one: &[Report], two: &[Report]| {
        let compared = compare::compare(one, two).unwrap();
        let those = compared
            .figures
            .iter()
            .filter(|figure| figure.beyond_noise && figure.unit == "ms");
        (those.count(), compared)
    };
    let runs = |from: u64, many: u64, ms: f64| -> Vec<Report> {
        (from..from + many)
            .map(|seed| made(seed, 60, 40, ms))
            .collect()
    };
    // The same, and other chance: nine quantiles, of which one in twenty may be off by chance.
    let same = (0..8)
        .map(|seed| beyond(&runs(seed, 1, 8.0), &runs(seed + 100, 1, 8.0)).0)
        .sum::<usize>();
    assert!(same <= 12, "{same} of 72");
    let (slower, compared) = beyond(&runs(1, 1, 8.0), &runs(2, 1, 12.0));
    assert_eq!(slower, 9);
    assert!(
        compared
            .cautions
            .iter()
            .any(|caution| caution.contains("within the runs alone"))
    );
    let figure = compared
        .figures
        .iter()
        .find(|figure| figure.name == "p50 of draw (acme/spring-wheel)")
        .unwrap();
    assert!((figure.change.unwrap() - 0.5).abs() < 0.15, "{figure:?}");
    assert!(figure.a.low <= figure.a.value && figure.a.value <= figure.a.high);
    assert!(compared.text().contains(&figure.says));
    // Runs of their own spread: three or more on each side.
    let (slower, compared) = beyond(&runs(1, 4, 8.0), &runs(20, 4, 12.0));
    assert_eq!((slower, &*compared.noise_from), (9, "runs"));
    assert!(compare::compare(&[], &runs(1, 1, 8.0)).is_err());
    // It is kept, too.
    let text = serde_json::to_string(&compared).unwrap();
    assert_eq!(
        serde_json::from_str::<compare::Comparison>(&text).unwrap(),
        compared
    );
}

#[test]
fn what_makes_two_hard_to_compare_is_said() {
    let (one, mut two) = (made(1, 10, 20, 8.0), made(2, 10, 20, 8.0));
    two.run.machine.cpu = "Another".to_owned();
    two.run.generator.fell_behind = Some("x".to_owned());
    two.truth = Some(broken());
    let cautions = compare::compare(&[one], &[two])
        .unwrap()
        .cautions
        .join("\n");
    for part in ["the generator's machine", "fell behind", "13 faults"] {
        assert!(cautions.contains(part), "{part}: {cautions}");
    }
}
