//! docs/ACTIVITIES.md: the calls it shows are made against a real `gala serve` on the example campaigns, and what came of them
//! must stand there. `GALA_UPDATE_DOCS=1` writes the answers anew.
//!
//! A call's line is `who METHOD path {payload} -> fields`; the line under it is the answer, shortened. Of a call that ends in `~`
//! chance or the hour decides: its status is held, its words are an example.

use std::path::{Path, PathBuf};

use reqwest::blocking::Client;
use serde_json::{Map, Value as Json, json};

use super::ran::Home;
use super::served::Server;

/// What of an answer is shown where the call names no fields.
const SHOWN: [&str; 6] = ["outcome", "state", "context", "draws", "code", "message"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The example campaigns, without keys that someone's machine made.
fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        if name == ".keys" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copied(&entry.path(), &to.join(name));
        } else {
            std::fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}

/// A call, as the page writes it.
struct Call<'a> {
    who: &'a str,
    method: &'a str,
    path: &'a str,
    payload: Option<&'a str>,
    fields: Vec<&'a str>,
    by_chance: bool,
}

impl<'a> Call<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let (line, by_chance) = match line.strip_suffix(" ~") {
            Some(line) => (line, true),
            None => (line, false),
        };
        let (line, fields) = line.split_once(" -> ").unwrap_or((line, ""));
        let mut words = line.splitn(4, ' ');
        let (who, method, path) = (words.next()?, words.next()?, words.next()?);
        ["GET", "POST"].contains(&method).then(|| Self {
            who,
            method,
            path,
            payload: words.next(),
            fields: fields.split_whitespace().collect(),
            by_chance,
        })
    }

    fn made(&self, home: &Home, server: &Server, number: usize) -> (u16, Json) {
        let (tenant, _) = self.path.split_once('/').unwrap();
        let client = Client::builder().no_proxy().build().unwrap();
        let address = format!("{}/v1/{}?lang=en", server.public(), self.path);
        let mut call = match self.method {
            "POST" => client.post(address),
            _ => client.get(address),
        };
        if self.who != "anyone" {
            let mut args = vec!["token", tenant, self.who];
            if self.who == "backend" {
                args.push("--service");
            }
            // `bob(level=4)`: with a claim.
            let claim;
            if let Some((user, claims)) = self.who.split_once('(') {
                args[2] = user;
                claim = claims.trim_end_matches(')');
                args.extend(["--claim", claim]);
            }
            let token = home.run(&args);
            assert_eq!(token.code, 0, "{token:?}");
            call = call.bearer_auth(token.stdout.trim());
        }
        if self.method == "POST" {
            call = call.header("idempotency-key", format!("page-{number}"));
        }
        if let Some(payload) = self.payload {
            call = call
                .header("content-type", "application/json")
                .body(payload.to_owned());
        }
        let answer = call.send().unwrap();
        (answer.status().as_u16(), answer.json().unwrap())
    }

    /// The answer as the page shows it.
    fn shown(&self, status: u16, answer: &Json) -> String {
        let mut shown = Map::new();
        if self.fields.is_empty() {
            for field in SHOWN {
                let there = answer.get(field).filter(|value| !value.is_null());
                if let Some(value) = there.filter(|value| **value != json!({})) {
                    shown.insert(field.to_owned(), value.clone());
                }
            }
            let titles = answer["grants"].as_array().into_iter().flatten();
            let titles: Vec<Json> = titles.map(|grant| grant["title"].clone()).collect();
            if status == 200 {
                shown.insert("grants".to_owned(), Json::Array(titles));
            }
        }
        for field in &self.fields {
            let value = field.split('.').fold(answer, |at, name| match at {
                Json::Array(items) => name
                    .parse::<usize>()
                    .ok()
                    .and_then(|place| items.get(place))
                    .unwrap_or(&Json::Null),
                at => &at[name],
            });
            shown.insert((*field).to_owned(), value.clone());
        }
        format!("{status} {}", Json::Object(shown))
    }
}

/// Without what differs from day to day and from store to store: numbers of dates and times, ids.
fn timeless(line: &str) -> String {
    let mut out = String::new();
    for word in line.split('"') {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let dated = word.len() >= 10 && word.as_bytes()[4] == b'-' && digits >= 8;
        let id = word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        out += if dated || id { "..." } else { word };
        out.push('"');
    }
    out
}

/// A folder with the example campaigns.
fn examples() -> Home {
    let home = Home::new();
    std::fs::remove_dir_all(home.at("configs")).unwrap();
    copied(&root().join("configs"), &home.at("configs"));
    home
}

#[test]
fn the_examples_are_sound_and_their_stories_hold() {
    let home = examples();
    let checked = home.run(&["check", "configs"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(!checked.stdout.contains("warning["), "{checked:?}");
    let played = home.run(&["test", "configs"]);
    assert_eq!(played.code, 0, "{played:?}");
    assert!(played.stdout.lines().count() >= 20, "{played:?}");
}

/// Marks are worth what their tests are: each that the page names is there.
#[test]
fn the_tests_that_the_page_names_are_there() {
    let page = std::fs::read_to_string(root().join("docs/ACTIVITIES.md")).unwrap();
    let mut marks = 0;
    for link in page.split("[`").skip(1) {
        let Some((name, rest)) = link.split_once("`](../") else {
            continue;
        };
        let (path, _) = rest.split_once(')').unwrap();
        let source = std::fs::read_to_string(root().join(path));
        let source = source.unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(source.contains(&format!("fn {name}(")), "{path}: {name}");
        marks += 1;
    }
    assert!(marks >= 30, "{marks}");
}

#[test]
fn the_calls_of_the_page_are_answered_as_it_says() {
    let path = root().join("docs/ACTIVITIES.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let home = examples();
    let server = Server::start(&home);

    let mut written: Vec<String> = Vec::new();
    let mut differ: Vec<String> = Vec::new();
    let mut lines = page.lines().peekable();
    let (mut within, mut calls) = (false, 0);
    while let Some(line) = lines.next() {
        written.push(line.to_owned());
        if let Some(fence) = line.strip_prefix("```") {
            within = fence == "http";
            continue;
        }
        let Some(call) = Call::read(line).filter(|_| within) else {
            continue;
        };
        calls += 1;
        let (status, answer) = call.made(&home, &server, calls);
        let now = call.shown(status, &answer);
        let is_answer = |next: &&str| next.starts_with(|first: char| first.is_ascii_digit());
        let before = lines.next_if(is_answer).unwrap_or("");
        let same = if call.by_chance {
            before.split(' ').next() == now.split(' ').next()
        } else {
            timeless(before) == timeless(&now)
        };
        if same {
            written.push(before.to_owned());
        } else {
            differ.push(format!("{line}\n  page: {before}\n  now:  {now}"));
            written.push(now);
        }
    }
    assert!(calls >= 40, "{calls} calls");
    if std::env::var_os("GALA_UPDATE_DOCS").is_some() {
        std::fs::write(&path, written.join("\n") + "\n").unwrap();
        return;
    }
    assert!(
        differ.is_empty(),
        "docs/ACTIVITIES.md shows other answers; GALA_UPDATE_DOCS=1 writes them anew\n{}",
        differ.join("\n")
    );
}
