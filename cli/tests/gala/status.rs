//! `gala status`, watching a real server; what a terminal is left with.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value as Json;
use testbed::until;

use super::ran::{Home, gala};
use super::served::{Server, play};

#[test]
fn what_goes_on_is_shown() {
    let home = Home::new();
    let server = Server::start_with(&home, &[]);
    for number in 0..12 {
        play(&home, &server, "ann", &format!("k-{number}"));
    }
    let url = ["--url", server.admin()];
    let run = |args: &[&str]| home.run(&[args, &url].concat());
    let tick = run(&["status", "acme", "--once", "--json"]);
    assert_eq!(tick.code, 0, "{tick:?}");
    assert_eq!(
        tick.stdout.lines().count(),
        1,
        "one object a tick: {tick:?}"
    );
    let wheel = &tick.json()["campaigns"][0];
    assert_eq!(
        (
            &wheel["campaign"],
            &wheel["phase"],
            &wheel["refusals"]["no-chances"]
        ),
        (&Json::from("wheel"), &Json::from("open"), &Json::from(2)),
        "{wheel}"
    );
    assert_eq!(wheel["stock"][0]["ceiling"], 5, "{wheel}");
    assert_eq!(wheel["under_durable"], false, "{wheel}");
    let share = wheel["budget"]["planned_share"].as_f64().unwrap();
    assert!(share > 0.0 && share < 1.0, "{wheel}");

    run(&["pause", "acme", "wheel", "--reason", "奖品不对"]);
    // Without a tenant all of them; titles in the language of whoever watches.
    let shown = run(&["status", "--once", "--lang", "zh-CN"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    let lines: Vec<&str> = shown.stdout.lines().collect();
    assert!(
        lines[0].starts_with("campaign    title  phase")
            && lines[1].starts_with("acme/wheel  转盘   paused (奖品不对)"),
        "{lines:#?}"
    );
    assert!(
        !shown.stdout.contains('\u{1b}'),
        "no drawing where no terminal is"
    );
}

/// `script` gives a command a terminal. Ctrl-C is what its driver makes of a byte: a signal to
/// the command, and to the shell around it, which must not end by it.
#[test]
fn a_terminal_is_left_as_it_was() {
    let home = Home::new();
    let server = Server::start_with(&home, &[]);
    let log = home.at("typescript");
    let command = format!(
        "trap : INT; {} status acme --url {}; echo ended $?",
        env!("CARGO_BIN_EXE_gala"),
        server.admin()
    );
    let mut script = Command::new("script");
    script
        .args(["-q", "-f", "-c", &command, log.to_str().unwrap()])
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .current_dir(home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = script.spawn().expect("script, of util-linux");
    let drawn = |text: &str| {
        let log = std::fs::read(&log).unwrap_or_default();
        String::from_utf8_lossy(&log).contains(text).then_some(())
    };
    until("it draws", Duration::from_mins(1), || {
        drawn("\u{1b}[?1049h").and_then(|()| drawn("acme/wheel"))
    });
    let mut keys = child.stdin.take().unwrap();
    keys.write_all(b"\x03").unwrap();
    keys.flush().unwrap();
    until("it ends", Duration::from_mins(1), || drawn("ended 0"));
    drop(keys);
    let _ = child.wait();
    let text = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    let left = text.rfind("\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l").unwrap();
    assert!(
        !text[left..].contains("[?25l") && text[left..].contains("acme/wheel"),
        "the cursor is back, and the last look stays: {text:?}"
    );
}

#[test]
fn a_reader_that_has_seen_enough_ends_it() {
    let home = Home::new();
    let server = Server::start_with(&home, &[]);
    let mut child = gala(home.path())
        .args(["status", "acme", "--json", "--url", server.admin()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = until("it ends", Duration::from_mins(1), || {
        child.try_wait().unwrap()
    });
    assert_eq!(ended.code(), Some(3));
}
