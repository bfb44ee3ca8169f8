//! A server whose store skips the stock check, under load: what a load test must catch. The store lives in this test alone
//! ([`oversells`]); gateway, functions and admin API before it are the real ones, on loopback ports.

// A failing helper fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod oversells;
mod server;

use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::blocking::Client;
use serde_json::Value as Json;
use server::{Kept, Server};

/// How many units there are.
const STOCK: usize = 5;

/// How many users draw, each three times: some sixty win.
const USERS: u64 = 40;

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

/// Everybody draws, on several threads; how many grants were promised.
fn load(server: &Server) -> u64 {
    let (next, promised) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let client = client();
                loop {
                    let user = next.fetch_add(1, Ordering::SeqCst);
                    if user >= USERS {
                        return;
                    }
                    let token = server.token(&format!("user-{user}"));
                    for draw in 0..3 {
                        let answer = client
                            .post(format!("{}/v1/acme/wheel/events/draw", server.public))
                            .bearer_auth(&token)
                            .header("idempotency-key", format!("{user}-{draw}"))
                            .send()
                            .unwrap();
                        assert_eq!(answer.status(), 200);
                        let answer: Json = answer.json().unwrap();
                        let grants = answer["grants"].as_array().unwrap().len() as u64;
                        promised.fetch_add(grants, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    promised.load(Ordering::SeqCst)
}

/// The grants in the ledger, as staff read it.
fn given(server: &Server) -> usize {
    let text = client()
        .get(format!(
            "{}/admin/v1/acme/ledger?campaign=wheel",
            server.admin
        ))
        .bearer_auth(server.staff())
        .send()
        .unwrap();
    assert_eq!(text.status(), 200);
    let text = text.text().unwrap();
    let rows = text
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap());
    rows.filter(|row| row["type"] == "grant").count()
}

#[test]
fn a_broken_store_oversells_and_a_sound_one_does_not() {
    let sound = Server::start(Kept::Soundly);
    let promised = load(&sound);
    assert_eq!((given(&sound), promised), (STOCK, STOCK as u64));

    let broken = Server::start(Kept::WithoutStockCheck);
    let promised = load(&broken);
    let given = given(&broken);
    assert!(given > STOCK, "the mutant is dead: {given} of {STOCK}");
    assert_eq!(given as u64, promised, "what is broken is the stock alone");
}

const SCENARIO: &str = "
title: Everybody draws
campaigns: { wheel: acme/wheel }
population: { users: 40, picked: in-turn, mark: judged }
journeys:
  draws: { campaign: wheel, steps: [{ repeat: { times: 3, steps: [{ event: draw }] } }, grants] }
arrivals: [{ constant: 40/s, lasts: 1s }]
limits: [\"errors < 0.1 %\"]
provoke: { replay: 10 %, drop: 10 % }
";

/// What `gala load` says of a server: its exit code, and its report.
fn judged(server: &Server) -> (Option<i32>, Json) {
    let folder = tempfile::tempdir().unwrap();
    let (scenario, report) = (folder.path().join("draws.yaml"), folder.path().join("out"));
    std::fs::write(&scenario, SCENARIO).unwrap();
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_gala"))
        .arg("load")
        .arg(&scenario)
        .args(["--target", &server.public, "--admin", &server.admin])
        .arg("--configs")
        .arg(server.configs())
        .arg("--report")
        .arg(&report)
        .output()
        .unwrap();
    let text = std::fs::read_to_string(report.join("report.json"));
    let text = text.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&ran.stderr)));
    (ran.status.code(), serde_json::from_str(&text).unwrap())
}

/// How many faults a check of the truth found.
fn faults(report: &Json, check: &str) -> u64 {
    let checks = report["truth"]["checks"].as_array().unwrap();
    let found = checks.iter().find(|found| found["id"] == check).unwrap();
    found["faults"].as_u64().unwrap()
}

#[test]
fn a_load_test_catches_a_store_that_oversells() {
    let sound = Server::start(Kept::Soundly);
    let (code, report) = judged(&sound);
    // 4: a slow machine's generator may fall behind, which is no fault of the store's.
    assert!(
        matches!(code, Some(0 | 4)),
        "{code:?}: {}",
        report["verdict"]
    );
    assert_eq!(given(&sound), STOCK);
    for check in report["truth"]["checks"].as_array().unwrap() {
        assert_eq!(check["faults"], 0, "{check}");
    }

    let broken = Server::start(Kept::WithoutStockCheck);
    let (code, report) = judged(&broken);
    assert_eq!(code, Some(1), "{}", report["verdict"]);
    let beyond = given(&broken) - STOCK;
    assert!(beyond > 0, "the mutant is dead");
    // Beside what is beyond the stock: what the counter did not count.
    assert_eq!(faults(&report, "oversold"), (beyond + STOCK) as u64);
    assert_eq!(report["verdict"]["reasons"][0]["kind"], "truth");
    let why = report["verdict"]["reasons"][0]["says"].as_str().unwrap();
    assert!(why.contains("given beyond the stock"), "{why}");
}
