//! `gala dev`: functions in processes of their own behind the gateway, on one Redis. One is killed again and again under load, and
//! nothing that was answered is lost, and nothing is given twice.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use reqwest::blocking::Client;
use serde_json::Value as Json;
use testbed::{free_port, until};

use super::ran::{Home, gala};

/// How often the function is killed.
const KILLS: usize = 3;
/// Who plays, each ten draws.
const PLAYERS: usize = 6;
const DRAWS: usize = 10;

/// A house, and what its processes said.
struct House {
    child: Child,
    public: String,
    admin: String,
    said: Arc<Mutex<Vec<String>>>,
}

impl House {
    fn start(home: &Home) -> Self {
        let (public, admin) = (free_port(), free_port());
        let mut child = gala(home.path())
            .arg("dev")
            .args(["--listen", &format!("127.0.0.1:{public}")])
            .args(["--admin-listen", &format!("127.0.0.1:{admin}")])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let (lines, all) = (
            BufReader::new(child.stderr.take().unwrap()).lines(),
            said.clone(),
        );
        thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .for_each(|line| all.lock().unwrap().push(line));
        });
        let house = Self {
            child,
            public: format!("http://127.0.0.1:{public}"),
            admin: format!("http://127.0.0.1:{admin}"),
            said,
        };
        until("a house that is ready", Duration::from_mins(1), || {
            house
                .said(|line| line.contains("gala 0") && line.contains("serves"))
                .then_some(())
        });
        house
    }

    fn said(&self, what: impl Fn(&str) -> bool) -> bool {
        self.said.lock().unwrap().iter().any(|line| what(line))
    }

    /// The process ids that a function has had.
    fn pids(&self, name: &str) -> Vec<String> {
        let said = self.said.lock().unwrap();
        let started = said.iter().filter(|line| line.starts_with(name));
        started
            .filter_map(|line| line.split_once("started, process "))
            .map(|(_, pid)| pid.trim().to_owned())
            .collect()
    }

    fn stop(mut self) -> Option<i32> {
        signal("-TERM", &self.child.id().to_string());
        until("an end", Duration::from_mins(1), || {
            self.child.try_wait().unwrap()
        })
        .code()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // Its own end ends the others.
        signal("-TERM", &self.child.id().to_string());
        let _ = self.child.wait();
    }
}

fn signal(which: &str, pid: &str) {
    let _ = Command::new("kill")
        .args([which, pid])
        .stderr(Stdio::null())
        .status();
}

/// Draws until there is an answer; its body.
fn draw(client: &Client, house: &House, token: &str, key: &str) -> String {
    until("an answer", Duration::from_mins(2), || {
        let asked = client.post(format!("{}/v1/acme/wheel/events/draw", house.public));
        let answer = asked
            .bearer_auth(token)
            .header("Idempotency-Key", key)
            .send()
            .ok()?;
        match answer.status().as_u16() {
            200 => Some(answer.text().unwrap()),
            404 | 503 => None,
            other => panic!("{other}: {}", answer.text().unwrap()),
        }
    })
}

#[test]
fn a_function_that_is_killed_under_load_loses_nothing() {
    let home = Home::new();
    let house = House::start(&home);
    let tokens: Vec<String> = (0..PLAYERS)
        .map(|number| {
            home.run(&["token", "acme", &format!("u{number}")])
                .stdout
                .trim()
                .to_owned()
        })
        .collect();
    let playing = AtomicBool::new(true);
    let answers: Vec<Vec<(String, String)>> = thread::scope(|scope| {
        let players: Vec<_> = tokens
            .iter()
            .map(|token| {
                let house = &house;
                scope.spawn(move || {
                    let client = Client::builder().no_proxy().build().unwrap();
                    let keys = (0..DRAWS).map(|number| format!("k-{number}"));
                    keys.map(|key| (key.clone(), draw(&client, house, token, &key)))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        scope.spawn(|| {
            for kill in 0..KILLS {
                let pids = until("a function", Duration::from_mins(1), || {
                    let pids = house.pids("lottery");
                    (pids.len() > kill || !playing.load(Ordering::Relaxed)).then_some(pids)
                });
                signal("-9", pids.last().unwrap());
            }
        });
        let answers = players
            .into_iter()
            .map(|player| player.join().unwrap())
            .collect();
        playing.store(false, Ordering::Relaxed);
        answers
    });
    // It came back each time, by itself.
    until("the last start", Duration::from_mins(1), || {
        (house.pids("lottery").len() > KILLS).then_some(())
    });

    // Every answer is there again, byte for byte, and no grant twice.
    let client = Client::builder().no_proxy().build().unwrap();
    let mut granted = BTreeSet::new();
    let mut grants = 0;
    for (token, answered) in tokens.iter().zip(&answers) {
        for (key, answer) in answered {
            assert_eq!(&draw(&client, &house, token, key), answer);
            let answer: Json = serde_json::from_str(answer).unwrap();
            for grant in answer["grants"].as_array().unwrap() {
                grants += 1;
                granted.insert(grant["id"].as_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(granted.len(), grants);
    let books = home.run(&["reconcile", "acme", "wheel", "--url", &house.admin]);
    let expected = format!(
        "{grants} grants, {} draws, {PLAYERS} participants, 0 differences",
        PLAYERS * DRAWS
    );
    assert!(
        books.stderr.contains(&expected) || books.stdout.contains(&expected),
        "{books:?} has not {expected}"
    );
    assert_eq!(house.stop(), Some(0));
}
