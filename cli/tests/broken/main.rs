//! A server whose store skips the stock check, under load: what a load test must catch. The store lives in this test alone
//! ([`oversells`]); gateway, functions and admin API before it are the real ones, on loopback ports.

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
    // HERE the judge goes: `gala load` against `broken.public` and `broken.admin` must end with exit code 1 and say
    // `oversold`, and against `sound` with 0.
}
