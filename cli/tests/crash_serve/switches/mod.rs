//! Two hundred switches under load: pause, resume, publish, rollback. What is acknowledged to staff holds for every call that is
//! sent after it, and for every row behind it in the ledger, whichever process answers.
//!
//! Revisions give reward `a` or reward `b` under one rule, so an answer says by itself under which it was decided. Clients note
//! which switches were acknowledged before they sent, and which were begun before they were answered: between the two lies every
//! state that the answer may be of. The ledger and the audit are read at the end, and held against the same list of switches.

mod judge;

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::Server as Redis;

use crate::client::{Connection, get, post};
use crate::judge::{ledger, stats};
use crate::luck::{Luck, seed};
use crate::server::{Home, Ports, Server};
use crate::world::{TENANT, finance_token, publisher_token, user_token};
use judge::{Got, Shot, State, judge};

/// How many switches.
const SWITCHES: usize = 200;
/// How many clients play.
const CLIENTS: usize = 4;
/// How many calls are answered that were sent after a switch, before the next one.
const SHOTS: u64 = 4;
/// How long those may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// One call in so many may be told to try again: a process that is behind loads the newest revision within the call, and where
/// another is published meanwhile, again; it gives up sometime.
const PATIENT: usize = 100;

const CAMPAIGN: &str = "switch";

/// The campaign, giving this reward, or the other when it is gone.
fn document(gives: &str, other: &str) -> String {
    format!(
        "\
activity: custom
title: {{ en: Switch }}
timezone: UTC
opens: 2026-01-01
closes: 2035-12-31
rewards:
  a: {{ title: {{ en: A }}, kind: coupon, stock: 1000000, cost: 0.01 }}
  b: {{ title: {{ en: B }}, kind: coupon, stock: 1000000, cost: 0.01 }}
when_gone: {{ {gives}: {other} }}
machine:
  initial: taking
  states:
    taking:
      events:
        take:
          - {{ do: [{{ give: {{ reward: {gives}, rule: take, every: day, at_most: 1000 }} }}] }}
durability: standard
"
    )
}

/// What clients and whoever switches know of each other.
struct Shared {
    begun: AtomicUsize,
    acknowledged: AtomicUsize,
    /// How many calls were answered that were sent after each switch.
    answered: Vec<AtomicU64>,
    over: AtomicBool,
}

impl Shared {
    fn new() -> Self {
        Self {
            begun: AtomicUsize::new(0),
            acknowledged: AtomicUsize::new(0),
            answered: (0..=SWITCHES).map(|_| AtomicU64::new(0)).collect(),
            over: AtomicBool::new(false),
        }
    }
}

#[test]
fn crash_serve_switches_embedded() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = home(folder.path());
    let (server, ports) = Server::start(&home);
    run("embedded", &[ports]);
    server.kill();
}

#[test]
fn crash_serve_switches_redis_with_two_processes() {
    let redis = Redis::with(&[("appendonly", "yes"), ("appendfsync", "everysec")]);
    let folder = tempfile::tempdir().expect("a folder");
    let mut home = home(folder.path());
    home.store = Some(redis.address());
    let (first, one) = Server::start(&home);
    let (second, other) = Server::start(&home);
    run("redis", &[one, other]);
    first.kill();
    second.kill();
}

fn home(folder: &std::path::Path) -> Home {
    let home = Home::new(folder, "data");
    let file = home.configs.join(TENANT).join(format!("{CAMPAIGN}.yaml"));
    fs::write(file, document("a", "b")).expect("a file");
    home
}

fn run(store: &str, ports: &[Ports]) {
    let mut luck = Luck::new(seed(), store);
    let shared = Shared::new();
    let (states, shots) = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let shared = &shared;
                let port = ports[client % ports.len()].public;
                scope.spawn(move || play(shared, client, port))
            })
            .collect();
        // Clients must end also where a switch fails.
        let states = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            switch(&shared, ports, &mut luck)
        }));
        shared.over.store(true, Ordering::SeqCst);
        let shots: Vec<Shot> = clients
            .into_iter()
            .flat_map(|client| client.join().expect("a client"))
            .collect();
        (states.expect("the switches"), shots)
    });
    let rows = ledger(ports[0], CAMPAIGN);
    let late = judge(&states, &shots, &rows, &audit(ports[0]));
    let again = shots.iter().filter(|shot| shot.tries > 0).count();
    println!(
        "{store}: {} switches, {} answers ({} grants), {} rows, {again} told to try again, {} late",
        states.len() - 1,
        shots.len(),
        shots
            .iter()
            .filter(|shot| matches!(shot.got, Got::Reward(_)))
            .count(),
        rows.len(),
        late.len()
    );
    assert!(late.is_empty(), "{} late: {late:#?}", late.len());
    assert!(
        again * PATIENT <= shots.len(),
        "{again} of {} calls were told to try again",
        shots.len()
    );
}

/// Makes the switches, each after the one before has been seen by calls.
fn switch(shared: &Shared, ports: &[Ports], luck: &mut Luck) -> Vec<State> {
    let mut states = vec![State {
        action: "publish",
        revision: 1,
        gives: "a",
        paused: false,
        rows: 0,
        rows_at_end: 0,
    }];
    for number in 1..=SWITCHES {
        wait_for_shots(shared, number - 1);
        let port = ports[luck.below(ports.len() as u64) as usize];
        let before = states[number - 1].clone();
        let (action, body, mut next) = choose(&states, luck);
        states[number - 1].rows_at_end = rows(port);
        shared.begun.store(number, Ordering::SeqCst);
        let path = format!("/admin/v1/{TENANT}/campaigns/{CAMPAIGN}/{action}");
        let key = format!("switch-{number}-{}", luck.next());
        let answer = post(
            port.admin,
            &path,
            &publisher_token(),
            &key,
            &body.to_string(),
        )
        .expect("an answer");
        assert_eq!(answer.status, 200, "{action} after {before:?}: {answer:?}");
        shared.acknowledged.store(number, Ordering::SeqCst);
        let done: Value = serde_json::from_str(&answer.body).expect("JSON");
        if action == "publish" || action == "rollback" {
            next.revision = done["revision"].as_u64().expect("a revision");
        }
        next.rows = rows(port);
        states.push(next);
    }
    wait_for_shots(shared, SWITCHES);
    if let Some(last) = states.last_mut() {
        last.rows_at_end = rows(ports[0]);
    }
    states
}

/// What to do next, how it is asked for, and what is so then.
fn choose(states: &[State], luck: &mut Luck) -> (&'static str, Value, State) {
    let now = states[states.len() - 1].clone();
    let reason = format!("switch {}", states.len());
    if now.paused {
        let next = State {
            action: "resume",
            paused: false,
            ..now
        };
        return ("resume", json!({}), next);
    }
    if luck.percent(34) {
        let next = State {
            action: "pause",
            paused: true,
            ..now
        };
        return ("pause", json!({ "reason": reason }), next);
    }
    let (gives, other) = if now.gives == "a" {
        ("b", "a")
    } else {
        ("a", "b")
    };
    let back = states.iter().filter(|state| state.gives == gives);
    let back: BTreeSet<u64> = back.map(|state| state.revision).collect();
    let to = back.iter().nth(luck.below(back.len() as u64) as usize);
    match to {
        Some(to) if luck.percent(50) => (
            "rollback",
            json!({ "revision": to, "reason": reason }),
            State {
                action: "rollback",
                gives,
                ..now
            },
        ),
        _ => (
            "publish",
            json!({ "document": document(gives, other), "reason": reason }),
            State {
                action: "publish",
                gives,
                ..now
            },
        ),
    }
}

fn wait_for_shots(shared: &Shared, after: usize) {
    let until = Instant::now() + PATIENCE;
    while shared.answered[after].load(Ordering::SeqCst) < SHOTS {
        assert!(
            Instant::now() < until,
            "nothing is answered after switch {after}"
        );
        std::thread::yield_now();
    }
}

fn rows(port: Ports) -> u64 {
    let rows = &stats(port, CAMPAIGN)["lanes"][0]["rows"];
    rows.as_u64().expect("a number of rows")
}

fn audit(port: Ports) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/admin/v1/{TENANT}/audit{after}");
        let answer = get(port.admin, &path, &finance_token()).expect("an answer");
        let page: Value = serde_json::from_str(&answer.body).expect("JSON");
        let found = page["entries"].as_array().expect("entries").iter();
        entries.extend(found.filter(|entry| entry["campaign"] == CAMPAIGN).cloned());
        match page["next"].as_u64() {
            Some(next) => after = format!("?after={next}"),
            None => return entries,
        }
    }
}

/// Calls as fast as it can, as one user after the other.
fn play(shared: &Shared, client: usize, port: u16) -> Vec<Shot> {
    let mut connection = Connection::open(port).expect("a connection");
    let mut shots = Vec::new();
    let mut token = String::new();
    for number in 0.. {
        if number % 20 == 0 {
            token = user_token(&format!("user-{client}-{}", number / 20));
        }
        let request = format!(
            "POST /v1/{TENANT}/{CAMPAIGN}/events/take HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Idempotency-Key: shot-{client}-{number}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
        );
        let mut tries = 0;
        let (from, answer) = loop {
            let from = shared.acknowledged.load(Ordering::SeqCst);
            let answer = connection.call(&request).expect("an answer");
            if answer.status != 503 {
                break (from, answer);
            }
            tries += 1;
            assert!(tries < 100, "again and again: {answer:?}");
        };
        let to = shared.begun.load(Ordering::SeqCst);
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let got = match (answer.status, answer.code().as_str()) {
            (200, _) => Got::Reward(
                body["grants"][0]["reward"]
                    .as_str()
                    .unwrap_or("nothing")
                    .to_owned(),
            ),
            (409, "paused") => Got::Paused,
            _ => Got::Other(format!("{answer:?}")),
        };
        shots.push(Shot {
            from,
            to,
            got,
            tries,
        });
        shared.answered[from].fetch_add(1, Ordering::SeqCst);
        if shared.over.load(Ordering::SeqCst) {
            break;
        }
    }
    shots
}
