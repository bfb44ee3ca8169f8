//! Two campaigns of one server, one of which listens to the other; and the server is killed again and again.

use std::time::Duration;

use reqwest::blocking::Client;
use serde_json::{Value as Json, json};
use testbed::until;

use super::ran::Home;
use super::served::Server;

/// How long a message may be on its way.
const PATIENCE: Duration = Duration::from_mins(1);

/// Everybody who studies tells the wheel.
const WORDS: &str = "
activity: custom
title: { en: Words, zh-CN: 单词 }
opens: 2026-01-01
closes: 2036-01-01
events: { study: { from: backend, payload: { day: { type: int } } } }
machine:
  initial: a
  states:
    a: { events: { study: [{ do: [{ emit: { message: day-done, with: { day: event.day } } }] }] } }
";

const LISTENER: &str = "
activity: lottery
title: { en: Listener, zh-CN: 听众 }
opens: 2026-01-01
closes: 2036-01-01
rewards:
  coupon: { title: { en: Coupon, zh-CN: 券 }, kind: coupon, stock: 5, cost: 10.00, odds: 50% }
  nothing: { title: { en: Next time, zh-CN: 谢谢参与 }, odds: rest }
when_gone: { coupon: nothing }
chances: { first_visit: 0 }
earn: { day-done: { from: { campaign: words }, chances: 1 } }
messages:
  no-chances: { en: No chances left, zh-CN: 没有机会了 }
";

const USERS: [&str; 3] = ["ann", "bob", "cleo"];

/// How often the server is killed.
const KILLS: u64 = 6;

/// How many reports there are in each of its lives.
const REPORTS: u64 = 12;

struct Caller {
    client: Client,
    backend: String,
    users: Vec<String>,
}

impl Caller {
    fn new(home: &Home) -> Self {
        let token = |args: &[&str]| {
            let made = home.run(&[&["token", "acme"], args].concat());
            assert_eq!(made.code, 0, "{made:?}");
            made.stdout.trim().to_owned()
        };
        Self {
            client: Client::builder().no_proxy().build().unwrap(),
            backend: token(&["shop", "--service"]),
            users: USERS.iter().map(|user| token(&[user])).collect(),
        }
    }

    /// A report; whether it was answered, which a server that is being killed need not do.
    fn report(&self, server: &Server, user: &str, number: u64) -> bool {
        let path = format!(
            "{}/v1/acme/words/users/{user}/events/study",
            server.public()
        );
        let sent = self
            .client
            .post(path)
            .bearer_auth(&self.backend)
            .header("idempotency-key", format!("day-{number}"))
            .json(&json!({ "day": number }))
            .send();
        sent.is_ok_and(|answer| answer.status() == 200)
    }

    /// None: asked too often for a moment.
    fn chances(&self, server: &Server, user: usize) -> Option<i64> {
        let path = format!("{}/v1/acme/listener", server.public());
        let view = self.client.get(path).bearer_auth(&self.users[user]).send();
        let view = view.unwrap();
        if view.status() == 429 {
            return None;
        }
        let view: Json = view.json().unwrap();
        Some(view["context"]["chances"].as_i64().unwrap())
    }
}

#[test]
fn what_one_campaign_emits_reaches_another_once_through_any_kill() {
    let home = Home::new();
    home.write("configs/acme/words.yaml", WORDS);
    home.write("configs/acme/listener.yaml", LISTENER);
    let checked = home.run(&["check", "configs"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    let mut server = Server::start_with(&home, &[]);
    let caller = Caller::new(&home);
    let mut number = 0;
    for life in 0..KILLS {
        let mut lost = Vec::new();
        for report in 0..REPORTS {
            number += 1;
            for user in USERS {
                if !caller.report(&server, user, number) {
                    lost.push((user, number));
                }
            }
            // Each life is shorter than the one before, so that some end while the relay is at work.
            if report == REPORTS - 1 - life {
                server = server.killed_and_started(&home);
            }
        }
        // What was not answered is sent again with its key: it is emitted once.
        for (user, number) in lost {
            assert!(caller.report(&server, user, number));
        }
    }
    let all = i64::try_from(number).unwrap();
    for (user, name) in USERS.iter().enumerate() {
        until("every message has arrived", PATIENCE, || {
            let chances = caller.chances(&server, user)?;
            assert!(chances <= all, "{name} has {chances} of {all}");
            (chances == all).then_some(())
        });
    }
    // A start reads all there is; nothing more comes of it.
    server = server.killed_and_started(&home);
    let sentinel = number + 1;
    assert!(caller.report(&server, USERS[0], sentinel));
    until("the last message has arrived", PATIENCE, || {
        (caller.chances(&server, 0)? == all + 1).then_some(())
    });
    assert_eq!(caller.chances(&server, 1), Some(all));
}
