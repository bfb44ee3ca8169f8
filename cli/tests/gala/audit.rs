//! `gala audit`: what staff did at a real server, kept, and tampered with.

use serde_json::Value as Json;

use super::ran::Home;
use super::served::Server;

#[test]
fn a_kept_audit_is_verified_without_a_server() {
    let home = Home::new();
    let server = Server::start_with(&home, &[]);
    let url = ["--url", server.admin()];
    let run = |args: &[&str]| home.run(&[args, &url].concat());
    for number in 0..3 {
        let reason = format!("round {number}, 奖品不对");
        assert_eq!(
            run(&["pause", "acme", "wheel", "--reason", &reason]).code,
            0
        );
        assert_eq!(run(&["resume", "acme", "wheel"]).code, 0);
        assert_eq!(
            run(&["stock", "acme", "wheel", "coupon", "--add", "1"]).code,
            0
        );
    }
    let table = run(&["audit", "acme"]);
    assert!(
        table.code == 0
            && table.stdout.lines().count() >= 10
            && table.stdout.contains("add-stock")
            && table.stderr.starts_with("head "),
        "{table:?}"
    );
    let head = table
        .stderr
        .trim()
        .strip_prefix("head ")
        .unwrap()
        .to_owned();
    let sound = run(&["audit", "acme", "--verify", "--head", &head]);
    assert_eq!(sound.code, 0, "{sound:?}");

    let kept = run(&["audit", "acme", "--format", "ndjson"]).stdout;
    drop(server);
    let lines: Vec<&str> = kept.lines().collect();
    let verify = |lines: &[String], head: &[&str]| {
        home.write("audit.ndjson", &(lines.join("\n") + "\n"));
        home.run(
            &[
                &["audit", "acme", "--verify", "audit.ndjson", "--json"],
                head,
            ]
            .concat(),
        )
    };
    let whole: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
    let ran = verify(&whole, &[]);
    assert_eq!(
        (ran.code, &ran.json()["head"], &ran.json()["first"]),
        (0, &Json::from(head.as_str()), &Json::Null),
        "{ran:?}"
    );
    for place in 0..whole.len() {
        let mut altered = whole.clone();
        altered[place] = altered[place].replacen("\"by\":\"", "\"by\":\"x", 1);
        let mut removed = whole.clone();
        removed.remove(place);
        let mut moved = whole.clone();
        moved.swap(place, (place + 1) % whole.len());
        for (how, lines) in [("altered", altered), ("removed", removed), ("moved", moved)] {
            let ran = verify(&lines, &["--head", &head]);
            let expected = if how == "moved" && place + 1 == whole.len() {
                0
            } else {
                place
            };
            assert_eq!(
                (ran.code, ran.json()["first"]["place"].as_u64()),
                (1, Some(expected as u64)),
                "{how} {place}: {ran:?}"
            );
        }
    }
    let ran = home.run(&["audit", "acme", "--verify", "audit.ndjson", "--head", "12"]);
    assert_eq!(ran.code, 2, "{ran:?}");
}
