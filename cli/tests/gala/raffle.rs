//! A draw from entries, by a server that is down when its time comes and is killed again and again while it draws and gives.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Utc};
use reqwest::blocking::Client;
use serde_json::Value as Json;
use testbed::until;

use super::ran::Home;
use super::served::Server;

const PATIENCE: Duration = Duration::from_mins(2);

/// For how long the entries are open.
const OPEN: Duration = Duration::from_secs(20);

const USERS: usize = 60;
const WINNERS: usize = 40;

/// How long each life of the server is once it may draw: from before it has looked to after it has begun to give.
const LIVES_MS: [u64; 6] = [900, 1_020, 1_060, 1_100, 1_150, 1_250];

fn file(close: SystemTime) -> String {
    let close = DateTime::<Utc>::from(close).format("%Y-%m-%dT%H:%M:%SZ");
    format!(
        "
activity: custom
title: {{ en: Raffle, zh-CN: 抽奖 }}
opens: 2026-01-01
closes: 2036-01-01
rewards:
  coupon: {{ title: {{ en: Coupon, zh-CN: 券 }}, kind: coupon, stock: {WINNERS}, cost: 10.00 }}
raffle: {{ entries_close: {close}, draw_at: {close}, prizes: [{{ reward: coupon, winners: {WINNERS} }}] }}
events: {{ enter: {{ from: backend }} }}
machine:
  initial: a
  states: {{ a: {{ events: {{ enter: [{{ do: [{{ enter: raffle }}] }}] }} }} }}
"
    )
}

#[test]
fn one_draw_is_made_and_each_winner_is_given_once_through_any_kill() {
    let home = Home::new();
    let close = SystemTime::now() + OPEN;
    home.write("configs/acme/prizes.yaml", &file(close));
    let mut server = Server::start_with(&home, &[]);
    let made = home.run(&["token", "acme", "shop", "--service"]);
    assert_eq!(made.code, 0, "{made:?}");
    let backend = made.stdout.trim();
    let client = Client::builder().no_proxy().build().unwrap();
    let mut entered = 0;
    for user in 0..USERS {
        let path = format!(
            "{}/v1/acme/prizes/users/user-{user}/events/enter",
            server.public()
        );
        let sent = client
            .post(path)
            .bearer_auth(backend)
            .header("idempotency-key", format!("enter-{user}"))
            .send()
            .unwrap();
        // A machine that is very slow has fewer entries in its time.
        entered += usize::from(sent.status() == 200);
    }
    assert!(entered > 0, "nobody entered in time");
    drop(server);
    until("the entries close", PATIENCE, || {
        (SystemTime::now() > close).then_some(())
    });
    // Nobody was there at the time of the draw.
    server = Server::start_with(&home, &[]);
    for life in LIVES_MS {
        let moment = Instant::now() + Duration::from_millis(life);
        until("the moment of its kill", PATIENCE, || {
            assert!(server.lives(), "it ended by itself");
            (Instant::now() >= moment).then_some(())
        });
        server = server.killed_and_started(&home);
    }
    let rows = || -> Vec<Json> {
        let exported = server.run(&home, &["export", "acme", "prizes"]);
        assert_eq!(exported.code, 0, "{exported:?}");
        let lines = exported.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let of = |rows: &[Json], kind: &str| -> Vec<Json> {
        rows.iter()
            .filter(|row| row["type"] == kind)
            .cloned()
            .collect()
    };
    let winners = entered.min(WINNERS);
    let all = until("every winner is given their prize", PATIENCE, || {
        let rows = rows();
        (of(&rows, "grant").len() >= winners).then_some(rows)
    });
    let draws = of(&all, "raffle");
    assert_eq!(draws.len(), 1);
    assert_eq!(draws[0]["raffle"]["entries"], entered);
    let grants = of(&all, "grant");
    let given: BTreeSet<_> = grants
        .iter()
        .map(|row| row["user"].as_str().unwrap())
        .collect();
    let order = draws[0]["raffle"]["order"].as_array().unwrap();
    let drawn: BTreeSet<_> = order.iter().map(|who| who.as_str().unwrap()).collect();
    assert_eq!((grants.len(), &given), (winners, &drawn));
    let books = server.run(&home, &["reconcile", "acme", "prizes"]);
    assert_eq!(books.code, 0, "{books:?}");
}
