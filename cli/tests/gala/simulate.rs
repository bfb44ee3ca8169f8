//! `gala simulate`: the same for the same seed, on however many threads; said in words, as JSON, and as a page.

use serde_json::Value as Json;

use super::ran::Home;
use super::served::Server;

/// A campaign that runs short of everything.
const SPRING: &str = "
activity: lottery
title: { en: Spring wheel, zh-CN: 春日转盘 }
opens: 2026-12-01 10:00
closes: 2026-12-08 22:00
rewards:
  laptop: { title: { en: Laptop, zh-CN: 笔记本电脑 }, kind: physical, stock: 2, cost: 500.00, odds: 1%, per_user: 1 }
  coupon: { title: { en: \"<b>Coupon</b>\", zh-CN: 券 }, kind: coupon, stock: 300, cost: 5.00, odds: 20% }
  nothing: { title: { en: Next time, zh-CN: 谢谢参与 }, odds: rest }
when_gone: { laptop: coupon, coupon: nothing }
pity: { losses_in_a_row: 4, then_give: coupon, starts_over_after: any-win }
chances: { first_visit: 3, each_day: 1, unused: keep, hold_at_most: 10 }
earn: { order-paid: { from: backend, chances: 1, per_day: 1 } }
budget: { total: 3000.00, per_day: 600.00, when_spent: nothing }
";

const FILE: &str = "configs/acme/spring.yaml";

fn home() -> Home {
    let home = Home::new();
    home.write(FILE, SPRING);
    home
}

fn asked<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["simulate", FILE, "--users", "400", "--seed", "7"];
    args.extend(more);
    args
}

#[test]
fn threads_change_nothing() {
    let home = home();
    for form in [&[][..], &["--json"]] {
        let with = |threads: &str| {
            let ran = home.run(&[&asked(&["--threads", threads]), form].concat());
            assert_eq!(ran.code, 0, "{ran:?}");
            ran.stdout
        };
        let one = with("1");
        assert_eq!(one, with("4"));
        assert_eq!(one, with("2"));
    }
    let other = home.run(&["simulate", FILE, "--users", "400", "--seed", "8"]);
    assert_ne!(other.stdout, home.run(&asked(&[])).stdout);
}

#[test]
fn it_says_what_will_happen() {
    let home = home();
    let ran = home.run(&asked(&["--runs", "20"]));
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(ran.stdout);
    // What depends on the machine is not data, and no bar is drawn where nobody watches.
    assert!(ran.stderr.contains("million steps"), "{}", ran.stderr);
    assert!(!ran.stderr.contains('\r'), "{}", ran.stderr);
}

#[test]
fn as_json_it_has_figures_for_everything() {
    let home = home();
    let ran = home.run(&asked(&["--json", "--runs", "4"]));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let json = ran.json();
    assert_eq!(
        (&json["users"], &json["runs"], &json["seed"]),
        (&400.into(), &4.into(), &7.into())
    );
    for figure in ["won", "left", "short_days"] {
        assert!(
            json["rewards"][0][figure]["mid"].is_u64(),
            "{figure}: {json}"
        );
    }
    assert_eq!(json["budget"]["total"], "3000.00");
    assert_eq!(json["by_day"].as_array().unwrap().len(), 8);
    // Its profile can be used as one.
    home.write("profile.yaml", &json["profile"].to_string());
    let again = home.run(&asked(&[
        "--json",
        "--runs",
        "4",
        "--profile",
        "profile.yaml",
    ]));
    assert_eq!(again.stdout, ran.stdout, "{again:?}");
}

#[test]
fn a_page_reads_without_scripts() {
    let home = home();
    let ran = home.run(&asked(&["--runs", "3", "--html", "page.html"]));
    assert_eq!(ran.code, 0, "{ran:?}");
    let page = std::fs::read_to_string(home.at("page.html")).unwrap();
    assert!(page.len() < 150_000, "{} bytes", page.len());
    for must in [
        "<!doctype html>",
        "<svg",
        "Laptop: ",
        "</html>",
        "&lt;b&gt;Coupon&lt;/b&gt;",
        "Cost so far (CNY)",
    ] {
        assert!(page.contains(must), "{must}");
    }
    for never in ["<script", "http://", "https://", "<b>Coupon", "NaN"] {
        assert!(!page.contains(never), "{never}");
    }
    insta::assert_snapshot!(page);
}

#[test]
fn another_file_stands_beside_it() {
    let home = home();
    home.write(
        "configs/acme/summer.yaml",
        &SPRING.replace("odds: 20%", "odds: 5%"),
    );
    let args = asked(&[
        "--runs",
        "3",
        "--compare",
        "configs/acme/summer.yaml",
        "--html",
        "page.html",
    ]);
    let ran = home.run(&args);
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(ran.stdout);
    let page = std::fs::read_to_string(home.at("page.html")).unwrap();
    assert!(page.contains("class=\"other\"") && page.contains("Dashed: summer.yaml"));
    let json = home.run(&[&args, &["--json"][..]].concat()).json();
    let visits = |which: &str| json[which]["forecast"]["visits"].clone();
    assert_eq!(visits("this"), visits("other"), "both meet the same people");
    assert_eq!(json["other"]["name"], "summer.yaml");
}

#[test]
fn the_live_revision_stands_beside_it() {
    let home = home();
    let server = Server::start_with(&home, &[]);
    home.write(
        "draft/acme/tenant.yaml",
        &std::fs::read_to_string(home.at("configs/acme/tenant.yaml")).unwrap(),
    );
    home.write(
        "draft/acme/spring.yaml",
        &SPRING.replace("stock: 300", "stock: 100"),
    );
    let args = [
        "simulate",
        "draft/acme/spring.yaml",
        "--users",
        "200",
        "--runs",
        "2",
        "--json",
        "--compare",
        "live",
        "--url",
        server.admin(),
    ];
    let ran = home.run(&args);
    assert_eq!(ran.code, 0, "{ran:?}");
    let json: Json = ran.json();
    assert_eq!(json["other"]["name"], "live revision 1");
    let stock = |which: &str| json[which]["forecast"]["rewards"][1]["stock"].clone();
    assert_eq!((stock("this"), stock("other")), (100.into(), 300.into()));
}

#[test]
fn an_earlier_campaign_is_a_measure() {
    let home = home();
    let row = |user: &str, at: &str| {
        format!(
            "{{\"user\":\"{user}\",\"event\":\"draw\",\"from\":\"user\",\"at\":\"{at}+08:00\",\"type\":\"draw\"}}\n"
        )
    };
    let rows = [
        row("a", "2025-12-01T10:00:00"),
        row("a", "2025-12-02T10:00:00"),
        row("b", "2025-12-02T11:00:00"),
    ];
    home.write("last.ndjson", &rows.concat());
    let ran = home.run(&[
        "simulate",
        FILE,
        "--fit",
        "last.ndjson",
        "--users",
        "90",
        "--runs",
        "2",
        "--json",
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let profile = &ran.json()["profile"];
    assert_eq!(profile["arrivals"], serde_json::json!([1, 1]));
    assert_eq!(profile["returns"]["next_day"], "100%");
    assert_eq!(ran.json()["by_day"].as_array().unwrap().len(), 2);
}

#[test]
fn what_makes_no_sense_is_said() {
    let home = home();
    home.write("bad.yaml", "usres: 5\n");
    home.write("bad.ndjson", "{}\n");
    home.write(
        "configs/acme/broken.yaml",
        &SPRING.replace("stock: 2,", "stock: two,"),
    );
    let usage: [(&[&str], &str); 10] = [
        (&["simulate"], "FILE"),
        (&["simulate", "configs"], "is no campaign's file"),
        (&["simulate", "nowhere.yaml"], "can't be read"),
        (
            &["simulate", "configs/acme/tenant.yaml"],
            "is no campaign's file",
        ),
        (&["simulate", FILE, "--users", "0"], "--users"),
        (&["simulate", FILE, "--threads", "0"], "--threads"),
        (
            &["simulate", FILE, "--from", "2026-11-01"],
            "is not open on 2026-11-01",
        ),
        (
            &["simulate", FILE, "--backend", "order-paid"],
            "EVENT=SHARE",
        ),
        (
            &["simulate", FILE, "--fit", "bad.ndjson"],
            "row 1 is no row of a ledger",
        ),
        (
            &["simulate", FILE, "--profile", "nowhere.yaml"],
            "can't be read",
        ),
    ];
    for (args, words) in usage {
        let ran = home.run(args);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (2, ""),
            "{args:?}: {ran:?}"
        );
        assert!(ran.stderr.contains(words), "{args:?}: {ran:?}");
    }
    let checks: [(&[&str], &str); 4] = [
        (
            &["simulate", "configs/acme/broken.yaml"],
            "configs/acme/broken.yaml:7:",
        ),
        (
            &["simulate", FILE, "--profile", "bad.yaml"],
            "did you mean `users`?",
        ),
        (
            &["simulate", FILE, "--next-day", "often"],
            "the command line, as a profile:1:",
        ),
        (
            &["simulate", FILE, "--backend", "draw=1%"],
            "is not sent by the back end",
        ),
    ];
    for (args, words) in checks {
        let ran = home.run(args);
        assert_eq!(ran.code, 1, "{args:?}: {ran:?}");
        assert!(ran.stdout.contains(words), "{args:?}: {ran:?}");
    }
    let ran = home.run(&[
        "simulate",
        FILE,
        "--compare",
        "live",
        "--url",
        "http://127.0.0.1:9",
    ]);
    assert_eq!(ran.code, 3, "{ran:?}");
}

#[test]
fn more_days_than_there_are_are_cut() {
    let home = home();
    let ran = home.run(&[
        "simulate", FILE, "--users", "50", "--runs", "1", "--days", "30",
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("8 of 30 days"), "{ran:?}");
    assert!(ran.stdout.contains("50 people, 8 days") && ran.stdout.contains("no range"));
}
