//! Releases to a share of the users, and lists, as people type them.

use super::ran::{Home, Ran};
use super::served::Server;

/// What a command is to come to: its exit code, and words that it says.
fn said(server: &Server, home: &Home, args: &[&str], code: i32, words: &str) -> Ran {
    let ran = server.run(home, args);
    let all = format!("{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.code == code && all.contains(words),
        "{args:?} is not {code} with `{words}`: {ran:?}"
    );
    ran
}

#[test]
fn a_release_goes_from_few_to_all_or_back() {
    let home = Home::new();
    let server = Server::start(&home);
    let said = |args: &[&str], code, words| said(&server, &home, args, code, words);
    let text = |name: &str| std::fs::read_to_string(home.at(name)).unwrap();
    let wheel = text("configs/acme/wheel.yaml");
    home.write("draft/acme/tenant.yaml", &text("configs/acme/tenant.yaml"));
    home.write(
        "draft/acme/wheel.yaml",
        &wheel.replace("stock: 5", "stock: 8"),
    );
    let file = "draft/acme/wheel.yaml";
    said(
        &["release", "acme", "wheel", "--all"],
        1,
        "no release is under way",
    );
    said(&["publish", file, "--share", "0%"], 1, "more than 0");
    said(
        &["publish", file, "--share", "5%"],
        0,
        "revision 2 is live for 5% of the users",
    );
    said(
        &["stock", "acme", "wheel"],
        0,
        "1 (95% of the users) and 2 (5% of the users)",
    );
    said(
        &["release", "acme", "wheel", "--share", "20%"],
        0,
        "revision 2 is live for 20% of the users",
    );
    said(
        &["release", "acme", "wheel", "--share", "10%"],
        1,
        "the revision has 20 % of the users",
    );
    said(
        &["release", "acme", "wheel", "--back", "--reason", "a test"],
        0,
        "revision 1 is live for all users",
    );
    said(
        &["publish", file, "--share", "0.5 %"],
        0,
        "revision 3 is live for 0.5 %",
    );
    let all = said(&["release", "acme", "wheel", "--all", "--json"], 0, "");
    assert_eq!(all.json()["revision"], 3);
    home.write(file, &wheel.replace("odds: 50%", "odds: 60%"));
    said(
        &["publish", file, "--share", "5%", "--reason", "a test"],
        1,
        "must promise the same",
    );
}

#[test]
fn a_list_is_put_shown_and_dropped() {
    let home = Home::new();
    let server = Server::start(&home);
    let said = |args: &[&str], code, words| said(&server, &home, args, code, words);
    home.write("vip.csv", "member\nann\nbob\nann\na,b\n");
    said(&["list", "show", "acme"], 0, "");
    said(
        &["list", "put", "acme", "vip", "vip.csv"],
        0,
        "acme/vip: 2 members of 4 lines (1 twice or more, 1 rejected; audit entry",
    );
    let put = said(
        &["list", "put", "acme", "vip", "vip.csv"],
        0,
        "vip.csv:5: one member id",
    );
    assert_eq!(put.stdout.lines().count(), 1);
    said(
        &["list", "show", "acme", "vip"],
        0,
        "vip: 2 members, in the store since ",
    );
    let shown = said(&["list", "show", "acme", "--json"], 0, "");
    let shown = shown.json();
    let vip = shown
        .as_array()
        .unwrap()
        .iter()
        .find(|list| list["list"] == "vip");
    assert_eq!(vip.unwrap()["from"], "store");
    said(
        &["list", "put", "acme", "vip", "nowhere.csv"],
        2,
        "can't be read",
    );
    home.write("empty.csv", "");
    said(
        &["list", "put", "acme", "vip", "empty.csv"],
        1,
        "names anybody",
    );
    said(
        &["list", "put", "acme", "vip", "empty.csv", "--empty"],
        0,
        "0 members",
    );
    said(
        &["list", "drop", "acme", "vip", "--reason", "over"],
        0,
        "not in the store any more",
    );
    said(&["list", "drop", "acme", "vip"], 1, "no list `vip`");
}
