//! Played against small servers in this process: every call once, late ones counted from when they were due, lost ones sent again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request as Asked;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use super::tests_support::scenario;
use super::*;
use crate::call::{Again, Answer, Call, Kind, Lost};
use crate::limit::Limit;
use crate::scenario::{Phase, Picked, Provoke, Scenario, Shape, Step};

/// A server for one test; gone with it.
struct Server {
    url: String,
    _runtime: tokio::runtime::Runtime,
}

fn serve(router: Router) -> Server {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(async move { axum::serve(listener, router).await });
    Server {
        url,
        _runtime: runtime,
    }
}

struct Token;

impl Mint for Token {
    fn token(
        &self,
        tenant: &str,
        member: &str,
        claims: &BTreeMap<String, Value>,
    ) -> Result<String, Error> {
        Ok(format!("{tenant}.{member}.{}", claims.len()))
    }
}

fn ask(url: &str) -> Ask {
    Ask {
        target: url.to_owned(),
        mint: Arc::new(Token),
        part: (1, 1),
        threads: Some(2),
        seed: None,
        at: None,
        after: 0,
    }
}

/// What books hear, kept.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Heard {
    user: u64,
    event: Option<String>,
    key: String,
    again: &'static str,
    due: Duration,
    came: Result<(u16, String), Lost>,
}

#[derive(Default)]
struct Kept(Vec<Heard>);

impl Books for Kept {
    fn heard(&mut self, call: &Call<'_>, answer: &Answer<'_>) {
        self.0.push(Heard {
            user: call.user,
            event: match call.kind {
                Kind::Event(event) => Some(event.to_owned()),
                _ => None,
            },
            key: call.key.to_owned(),
            again: match call.again {
                Again::First => "first",
                Again::Retry => "retry",
                Again::Replay => "replay",
            },
            due: call.due,
            came: match answer {
                Answer::Came { status, body, .. } => {
                    Ok((*status, String::from_utf8_lossy(body).into_owned()))
                }
                Answer::Lost(lost) => Err(*lost),
            },
        });
    }
}

fn played(scenario: &Scenario, url: &str) -> (Run, Vec<Heard>) {
    played_with(scenario, &ask(url))
}

fn played_with(scenario: &Scenario, ask: &Ask) -> (Run, Vec<Heard>) {
    let stop = Arc::new(AtomicBool::new(false));
    let (run, books) = play(scenario, ask, &stop, |_| Kept::default(), &mut |_| {}).unwrap();
    (run, books.into_iter().flat_map(|kept| kept.0).collect())
}

fn event(name: &str) -> Step {
    Step::Call(crate::scenario::Ask::Event {
        event: name.to_owned(),
        payload: json!({}),
    })
}

fn arrivals(scenario: &mut Scenario, rate: f64, secs: f64) {
    scenario.arrivals = vec![Phase {
        name: "steady".to_owned(),
        shape: Shape::Ramp {
            from: rate,
            to: rate,
            lasts: Duration::from_secs_f64(secs),
        },
    }];
}

fn count(run: &Run, call: &str, word: &str) -> u64 {
    let calls = run.calls.iter().find(|calls| calls.name == call);
    calls
        .and_then(|calls| calls.meanings.get(word))
        .map_or(0, |meaning| meaning.count)
}

#[test]
fn every_call_that_is_due_is_sent_once_and_heard_once() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let keep = Arc::clone(&seen);
    let server = serve(Router::new().fallback(move |asked: Asked| async move {
        let header = |name: &str| {
            asked
                .headers()
                .get(name)
                .map_or("-", |value| value.to_str().unwrap())
                .to_owned()
        };
        let line = format!(
            "{} {} {} {}",
            asked.method(),
            asked.uri(),
            header("idempotency-key"),
            header("authorization")
        );
        keep.lock().unwrap().push(line);
        r#"{"outcome":"won"}"#
    }));
    let mut scenario = scenario();
    scenario.journeys[0].steps = vec![
        Step::Call(crate::scenario::Ask::View),
        Step::Think(Duration::from_millis(5), Duration::from_millis(20)),
        Step::Repeat(2, 2, vec![event("draw")]),
        Step::Call(crate::scenario::Ask::Page),
    ];
    arrivals(&mut scenario, 300.0, 1.0);
    let (run, heard) = played(&scenario, &server.url);
    assert_eq!(heard.len(), 300 * 4);
    assert!(
        heard
            .iter()
            .all(|heard| heard.again == "first"
                && heard.came.as_ref().is_ok_and(|came| came.0 == 200))
    );
    let users: BTreeSet<u64> = heard.iter().map(|heard| heard.user).collect();
    assert_eq!(users.len(), 300);
    let keys: BTreeSet<&str> = heard
        .iter()
        .map(|heard| heard.key.as_str())
        .filter(|key| !key.is_empty())
        .collect();
    assert_eq!(keys.len(), 600);

    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 300 * 4);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 300 * 3 + 1);
    assert!(
        seen.iter()
            .all(|line| line.contains("/public -") == line.ends_with(" -"))
    );
    assert!(seen.iter().any(|line| line.contains("Bearer acme.t-")
        && line.starts_with("POST /v1/acme/wheel/events/draw ")));

    let generator = &run.generator;
    assert_eq!(
        (generator.asked, generator.sent, generator.unsent),
        (1200, 1200, 0)
    );
    assert_eq!(generator.lag.len(), 1200);
    assert_eq!(count(&run, "draw", "won"), 600);
    assert_eq!(count(&run, "view", "ok"), 300);
    let sum = |of: fn(&crate::run::Window) -> u64| run.windows.iter().map(of).sum::<u64>();
    assert_eq!(
        (
            sum(|w| w.asked),
            sum(|w| w.sent),
            sum(|w| w.answered),
            sum(|w| w.failed)
        ),
        (1200, 1200, 1200, 0)
    );
    let draws = run.calls.iter().find(|calls| calls.name == "draw").unwrap();
    let in_windows: u64 = draws.windows.iter().map(Histogram::len).sum();
    assert_eq!(
        (draws.times.len(), draws.raw.len(), in_windows),
        (600, 600, 600)
    );
    assert!(!run.stopped);
}

/// A server that stands still for 200 ms in every second: a call that is due at a time `t` of a stall takes `200 ms - t`. At an even rate
/// one call in five is caught, and of all calls the share that takes longer than `x` is `(200 ms - x) / 1 s`: p99 is 190 ms, p90 100 ms,
/// and the median next to nothing. A closed loop from one connection has only one call caught by each stall.
#[test]
fn a_server_that_stands_still_is_seen_as_a_user_sees_it() {
    let began: Arc<Mutex<Option<Instant>>> = Arc::default();
    let server = serve(Router::new().fallback(move || {
        let began = Arc::clone(&began);
        async move {
            let at = began
                .lock()
                .unwrap()
                .get_or_insert_with(Instant::now)
                .elapsed();
            // Stalls end at whole seconds.
            let within = Duration::from_nanos(u64::from(at.subsec_nanos()));
            if within >= Duration::from_millis(800) {
                tokio::time::sleep(Duration::from_secs(1).saturating_sub(within)).await;
            }
            "{}"
        }
    }));
    // As many connections as calls are caught, and then one alone: what waits for it counts from when it was due, all the same.
    for connections in [256, 1] {
        let mut scenario = scenario();
        arrivals(&mut scenario, 200.0, 5.0);
        scenario.connections = connections;
        let (run, heard) = played(&scenario, &server.url);
        assert_eq!(heard.len(), 1000);
        let calls = &run.calls[0];
        let quantile = |times: &Histogram, share| times.quantile_ms(share).unwrap();
        for (share, expected) in [(0.99, 190.0), (0.9, 100.0)] {
            let got = quantile(&calls.times, share);
            assert!(
                (got - expected).abs() < 30.0,
                "p{share} over {connections} connections: {got} ms instead of {expected} ms"
            );
        }
        if connections == 1 {
            // One call in 200 is caught: the closed loop's p99 does not see it.
            let raw = quantile(&calls.raw, 0.99);
            assert!(raw < 50.0, "the closed loop's p99 is {raw} ms");
            assert!(
                run.generator
                    .strained
                    .as_ref()
                    .is_some_and(|why| why.contains("all 1 connections busy"))
            );
        }
    }
}

#[test]
fn a_dropped_call_is_sent_again_with_its_key_and_a_replay_brings_the_same() {
    let answers: Arc<Mutex<BTreeMap<String, u64>>> = Arc::default();
    let keep = Arc::clone(&answers);
    let server = serve(Router::new().fallback(move |asked: Asked| async move {
        let key = asked.headers()["idempotency-key"]
            .to_str()
            .unwrap()
            .to_owned();
        let mut keep = keep.lock().unwrap();
        let next = keep.len() as u64;
        let number = *keep.entry(key).or_insert(next);
        format!(r#"{{"n":{number},"outcome":"won"}}"#)
    }));
    let mut scenario = scenario();
    scenario.journeys[0].steps = vec![event("draw")];
    scenario.provoke = Provoke {
        replay: 0.2,
        drop: 0.2,
    };
    arrivals(&mut scenario, 500.0, 1.0);
    let (run, heard) = played(&scenario, &server.url);
    let mut by_key: BTreeMap<&str, Vec<&Heard>> = BTreeMap::new();
    for one in &heard {
        by_key.entry(&one.key).or_default().push(one);
    }
    assert_eq!(by_key.len(), 500);
    let (mut dropped, mut replayed) = (0_u64, 0_u64);
    for (key, heard) in by_key {
        let agains: Vec<&str> = heard.iter().map(|heard| heard.again).collect();
        let bodies: BTreeSet<&str> = heard
            .iter()
            .filter_map(|heard| Some(heard.came.as_ref().ok()?.1.as_str()))
            .collect();
        assert_eq!(bodies.len(), 1, "{key}");
        if heard[0].came == Err(Lost::OnPurpose) {
            dropped += 1;
            assert_eq!(agains[1], "retry");
        }
        replayed += u64::from(agains.last() == Some(&"replay"));
        let plain = ["first", "retry", "replay"];
        assert!(agains.iter().all(|again| plain.contains(again)) && agains.len() <= 3);
    }
    assert!(
        (60..140).contains(&dropped) && (60..140).contains(&replayed),
        "{dropped} {replayed}"
    );
    assert_eq!(count(&run, "draw", "dropped"), dropped);
    assert_eq!(count(&run, "draw", "lost"), 0);
    assert_eq!(run.generator.sent, 500 + dropped + replayed);
}

#[test]
fn what_a_busy_server_puts_off_is_asked_again_and_a_no_ends_the_loop() {
    let tries = Arc::new(AtomicU64::new(0));
    let count_tries = Arc::clone(&tries);
    let server = serve(Router::new().fallback(move |asked: Asked| async move {
        if asked.uri().path().ends_with("/busy") {
            count_tries.fetch_add(1, Ordering::Relaxed);
            return (
                StatusCode::SERVICE_UNAVAILABLE,
                [("retry-after", "0")],
                r#"{"code":"overloaded"}"#,
            )
                .into_response();
        }
        (StatusCode::CONFLICT, r#"{"code":"no-chances"}"#).into_response()
    }));
    let mut scenario = scenario();
    scenario.journeys[0].steps = vec![
        Step::Repeat(5, 5, vec![event("busy")]),
        Step::Repeat(5, 5, vec![event("draw")]),
    ];
    arrivals(&mut scenario, 20.0, 0.5);
    let (run, _) = played(&scenario, &server.url);
    assert_eq!(tries.load(Ordering::Relaxed), 30);
    assert_eq!(count(&run, "busy", "overloaded"), 30);
    assert_eq!(count(&run, "draw", "no-chances"), 10);
}

#[test]
fn a_server_that_hangs_up_costs_retries_and_one_that_hangs_costs_patience() {
    let server = serve(Router::new().fallback(|asked: Asked| async move {
        if asked.uri().path().ends_with("/hang") {
            std::future::pending::<()>().await;
        }
        // Says that it closes, each time: no answer may be lost for it.
        ([("connection", "close")], "{}")
    }));
    let mut scenario = scenario();
    scenario.patience = Duration::from_millis(200);
    scenario.journeys[0].steps = vec![event("fine"), event("hang")];
    arrivals(&mut scenario, 20.0, 0.5);
    let (run, heard) = played(&scenario, &server.url);
    assert_eq!(count(&run, "fine", "ok"), 10);
    assert_eq!(count(&run, "hang", "lost"), 30);
    let hung = heard
        .iter()
        .filter(|heard| heard.event.as_deref() == Some("hang"));
    assert!(
        hung.into_iter()
            .all(|heard| heard.came == Err(Lost::TimedOut))
    );
    // One each for what answered, one for each that hung.
    assert_eq!(run.generator.connects, 40);
}

#[test]
fn who_waits_too_long_for_a_connection_gives_up_and_is_counted() {
    let server = serve(Router::new().fallback(std::future::pending::<&'static str>));
    let mut scenario = scenario();
    scenario.patience = Duration::from_millis(300);
    scenario.connections = 2;
    arrivals(&mut scenario, 100.0, 0.5);
    let (run, _) = played(&scenario, &server.url);
    let generator = &run.generator;
    assert_eq!(generator.asked, 50);
    assert_eq!(generator.sent + generator.unsent, 50);
    assert!(generator.unsent > 30);
    assert_eq!(count(&run, "view", "unsent"), generator.unsent);
    assert!(
        generator
            .fell_behind
            .as_ref()
            .unwrap()
            .contains("never sent")
    );
}

#[test]
fn a_million_users_leave_nothing_behind() {
    let server = serve(Router::new().fallback(|| async { "{}" }));
    let mut scenario = scenario();
    scenario.population.users = 1_000_000;
    scenario.population.picked = Picked::InTurn;
    arrivals(&mut scenario, 1000.0, 2.0);
    let (run, heard) = played(&scenario, &server.url);
    let users: BTreeSet<u64> = heard.iter().map(|heard| heard.user).collect();
    assert_eq!(users.len(), 2000);
    assert!(users.iter().any(|user| *user > 900_000));
    // State is of journeys under way only, and at the end there is none.
    let last = run.windows.last().unwrap();
    assert_eq!((last.under_way, last.waiting), (0, 0));
}

#[test]
fn processes_share_a_run() {
    let server = serve(Router::new().fallback(|| async { "{}" }));
    let mut scenario = scenario();
    scenario.journeys[0].steps = vec![event("draw")];
    arrivals(&mut scenario, 300.0, 0.5);
    let (_, whole) = played(&scenario, &server.url);
    let part = |part| {
        let mut ask = ask(&server.url);
        ask.part = (part, 2);
        played_with(&scenario, &ask)
    };
    let ((one, first), (_, second)) = (part(1), part(2));
    assert_eq!(one.part, Some((1, 2)));
    assert_eq!(first.len(), 75);
    let users = |heard: &[Heard]| {
        heard
            .iter()
            .map(|heard| (heard.due, heard.user))
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(users(&whole), &users(&first) | &users(&second));
    let keys: BTreeSet<&str> = whole
        .iter()
        .chain(&first)
        .chain(&second)
        .map(|heard| heard.key.as_str())
        .collect();
    assert_eq!(keys.len(), 300, "no two runs share a key");
}

#[test]
fn a_stop_ends_early_and_says_so() {
    let server = serve(Router::new().fallback(|| async { "{}" }));
    let mut scenario = scenario();
    arrivals(&mut scenario, 100.0, 60.0);
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    let mut ticks = Vec::new();
    let (run, _) = play(
        &scenario,
        &ask(&server.url),
        &stop,
        |_| Kept::default(),
        &mut |tick| {
            ticks.push(tick.clone());
            seen.store(tick.at_secs >= 2, Ordering::Relaxed);
        },
    )
    .unwrap();
    assert!(run.stopped && run.secs < 30.0);
    assert!(ticks.len() >= 2 && ticks[0].at_secs == 1 && ticks[0].phase == "steady");
    assert_eq!(ticks[1].asked, 100);
    assert_eq!(ticks[0].outcomes[0].0, "ok");
}

#[test]
fn stairs_end_where_they_break() {
    let calls = Arc::new(AtomicU64::new(0));
    let server = serve(Router::new().fallback(move || {
        let number = calls.fetch_add(1, Ordering::Relaxed);
        async move {
            if number < 150 {
                StatusCode::OK
            } else {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }));
    let mut scenario = scenario();
    scenario.arrivals = vec![Phase {
        name: "stairs".to_owned(),
        shape: Shape::Steps {
            from: 50.0,
            by: 50.0,
            to: 1000.0,
            each: Duration::from_secs(1),
        },
    }];
    scenario.limits = vec![
        Limit::read("errors < 1 %").unwrap(),
        Limit::read("rate > 900/s").unwrap(),
    ];
    let (run, _) = played(&scenario, &server.url);
    assert!(run.stopped);
    let missed: Vec<(f64, usize)> = run
        .stairs
        .iter()
        .map(|stair| (stair.journeys_per_sec, stair.missed.len()))
        .collect();
    assert_eq!(missed, [(50.0, 0), (100.0, 0), (150.0, 1)]);
    assert!(run.stairs[2].missed[0].starts_with("errors < 1 %: "));
    // The first two stairs hold (50 and 100 calls); the third breaks, and what comes before that is known is little.
    assert!(
        (300..900).contains(&run.generator.asked),
        "{}",
        run.generator.asked
    );
}

#[test]
fn nobody_there_is_told_before_anything_starts() {
    let port = crate::bench::process::free_port().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let ask = ask(&format!("http://127.0.0.1:{port}"));
    let error = play(&scenario(), &ask, &stop, |_| Kept::default(), &mut |_| {})
        .map(|_| ())
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("is the server running there?"));
}
