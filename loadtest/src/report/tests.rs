//! What reports make of made-up runs (`samples`).

mod samples;
mod schema;

use std::time::Duration;

use proptest::prelude::*;

use super::verdict::Says;
use super::*;
use crate::histogram::Histogram;
use crate::run::{Meaning, Stair, Window};
use samples::*;
use schema::{closed, hold, schema};

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

/// Stairs are meant to break: what matters is where, and what held below.
#[test]
fn stairs_say_where_they_broke() {
    let of = |missed: [&str; 2]| {
        let mut parts = parts(made(7, 10, 20, 8.0));
        parts.run.stopped = true;
        parts.limits[0].met = missed.iter().all(|missed| missed.is_empty());
        let stairs = missed.into_iter().zip([3500.0, 3750.0]);
        let stairs = stairs.map(|(missed, journeys_per_sec)| Stair {
            journeys_per_sec,
            from_secs: 0.0,
            to_secs: 5.0,
            missed: (!missed.is_empty())
                .then(|| missed.to_owned())
                .into_iter()
                .collect(),
        });
        parts.run.stairs = stairs.collect();
        Report::of(parts)
    };
    let broke = of(["", "p99 < 100 ms: 405 ms"]);
    let says: Vec<&str> = broke.verdict.reasons.iter().map(|it| &*it.says).collect();
    assert_eq!(
        says,
        ["3,750 journeys a second missed a limit (p99 < 100 ms: 405 ms); 3,500 held."]
    );
    assert_eq!(
        (broke.verdict.exit_code(), broke.verdict.cautions.len()),
        (4, 0)
    );
    assert!(broke.html().contains("<h2>Stairs</h2>"));
    let first = of(["p99 < 100 ms: 405 ms", ""]);
    assert!(first.verdict.reasons[0].says.ends_with("; no stair held."));
    let none = of(["", ""]);
    assert!(
        none.verdict.reasons[0]
            .says
            .starts_with("No stair broke, up to 3,750 journeys a second, ")
    );
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

/// A stair that one part missed is missed; and the part that broke first may have fewer of them.
#[test]
fn stairs_of_parts_are_one_flight() {
    let stair = |at: u32, missed: &[&str]| Stair {
        journeys_per_sec: f64::from(at) * 250.0,
        from_secs: f64::from(at) * 5.0,
        to_secs: f64::from(at + 1) * 5.0,
        missed: missed.iter().map(|&it| it.to_owned()).collect(),
    };
    let mut one = part(made(1, 10, 20, 8.0), 1, 2);
    one.1.run.stairs = vec![stair(0, &[]), stair(1, &["p99 < 100 ms: 405 ms"])];
    let mut two = part(made(2, 10, 20, 8.0), 2, 2);
    two.1.run.began_at = "2026-11-28T10:00:03.000+08:00".to_owned();
    let errors = "errors < 0.1 %: 3 %";
    two.1.run.stairs = vec![stair(0, &[]), stair(1, &[errors]), stair(2, &[errors])];
    for parts in [[one.clone(), two.clone()], [two, one]] {
        let run = merge::merge(&parts).unwrap().run;
        let mut seen = Vec::new();
        for stair in run.stairs {
            seen.push((stair.from_secs, stair.to_secs, stair.missed.len()));
        }
        assert_eq!(seen, [(0.0, 8.0, 0), (5.0, 13.0, 2), (13.0, 18.0, 1)]);
    }
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
