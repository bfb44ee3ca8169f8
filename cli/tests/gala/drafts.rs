//! A draft from the command line: saved, looked at, approved by another, published; and what a stale hand is told.

use std::time::Duration;

use testbed::until;

use super::ran::{Home, Ran};
use super::served::Server;

const WHEEL: &str = "acme/wheel";
const FILE: &str = "draft/acme/wheel.yaml";

#[test]
fn a_draft_goes_live_by_two() {
    let home = Home::new();
    let server = Server::start(&home);
    let text = |name: &str| std::fs::read_to_string(home.at(name)).unwrap();
    let (tenant, wheel) = (
        text("configs/acme/tenant.yaml"),
        text("configs/acme/wheel.yaml"),
    );
    home.write(
        "configs/acme/tenant.yaml",
        &format!("{tenant}\nreview: {{ approvals: 1 }}\n"),
    );
    home.write("draft/acme/tenant.yaml", &tenant);
    let write =
        |stock: u32| home.write(FILE, &wheel.replace("stock: 5", &format!("stock: {stock}")));
    let token = |name: &str, role: &str| {
        let made = home.run(&["token", "acme", name, "--role", role]);
        made.stdout.trim().to_owned()
    };
    let (ed, ann) = (token("ed", "editor"), token("ann", "publisher"));
    let ran = |token: &str, args: &[&str]| -> Ran {
        server.run(&home, &[args, &["--token", token][..]].concat())
    };
    let said = |token: &str, args: &[&str], code: i32, words: &str| {
        let ran = ran(token, args);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(
            ran.code == code && all.contains(words),
            "{args:?} is not {code} with `{words}`: {ran:?}"
        );
        ran
    };
    // The server has read the tenant's new settings once it says no to a document.
    until("settings that are read", Duration::from_mins(1), || {
        (ran(&ann, &["publish", WHEEL]).code != 0).then_some(())
    });
    said(
        &ann,
        &["publish", WHEEL],
        1,
        "Changes of this tenant are reviewed",
    );

    write(8);
    let saved = said(&ed, &["draft", FILE], 0, "acme/wheel: draft 1 is saved");
    assert!(
        saved.stdout.contains("better coupon: stock 5 -> 8"),
        "{saved:?}"
    );
    said(
        &ed,
        &["draft", FILE],
        1,
        "(the draft is at version 1, by ed)",
    );
    write(9);
    said(
        &ed,
        &["draft", FILE, "--over", "1"],
        0,
        "the next edit: --over 2",
    );
    let shown = said(
        &ann,
        &["draft", WHEEL, "--show"],
        0,
        "has 0 of the 1 approvals",
    );
    assert_eq!(shown.stdout, text(FILE));
    said(
        &ann,
        &["publish", WHEEL, "--draft"],
        1,
        "has 0 of the 1 approvals",
    );
    said(&ed, &["approve", WHEEL], 1, "somebody else approves it");
    said(
        &ann,
        &["object", WHEEL, "--reason", "too many"],
        0,
        "changes are asked for",
    );
    said(
        &ann,
        &["publish", WHEEL, "--draft"],
        1,
        "ann asks for changes",
    );
    let approved = said(&ann, &["approve", WHEEL], 0, "draft 2 is approved");
    assert!(
        approved.stdout.starts_with("better coupon: stock 5 -> 9\n"),
        "{approved:?}"
    );
    said(
        &ann,
        &["publish", WHEEL, "--draft", "--dry-run"],
        0,
        "would follow revision 1",
    );
    said(
        &ann,
        &[
            "publish",
            WHEEL,
            "--draft=2",
            "--at",
            "2035-01-01T00:00:00+08:00",
        ],
        0,
        "draft 2 is published at 2035-01-01T00:00:00+08:00",
    );
    said(&ed, &["draft", WHEEL, "--show"], 0, "as ann wants");
    said(
        &ann,
        &["publish", WHEEL, "--draft", "--cancel"],
        0,
        "at no time",
    );
    said(&ann, &["publish", WHEEL, "--draft=1"], 1, "stale-page");
    said(
        &ann,
        &["publish", WHEEL, "--draft"],
        0,
        "revision 2 is live",
    );
    said(&ann, &["publish", WHEEL, "--draft"], 1, "has no draft");
    said(&ed, &["draft", FILE], 0, "nothing would change");
    said(
        &ed,
        &["draft", WHEEL, "--drop", "--over", "3"],
        0,
        "the draft is dropped",
    );
    said(&ed, &["draft", WHEEL], 2, "is no file");
}
