//! Load tests against a running server: what is told, and how the command ends.

use super::ran::{Home, Ran, gala};
use super::served::Server;

const SCENARIO: &str = "
title: A few draws
campaigns: { wheel: acme/wheel }
population: { users: 100, picked: in-turn, mark: few }
journeys:
  draws: { campaign: wheel, steps: [page, view, { event: draw }, grants] }
arrivals: [{ constant: 30/s, lasts: 1s }]
limits: [\"errors < 0.1 %\"]
provoke: { replay: 20 %, drop: 20 % }
";

#[test]
fn a_scenario_is_played_and_its_limits_decide() {
    let home = Home::new();
    let server = Server::start(&home);
    let target = server.public();
    home.write("few.yaml", SCENARIO);
    let ran = home.run(&["load", "few.yaml", "--target", target, "--threads", "1"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout.contains("met     errors < 0.1 %: 0 %"),
        "{}",
        ran.stdout
    );
    assert!(ran.stderr.contains("1 s constant: asked"), "{}", ran.stderr);

    home.write(
        "strict.yaml",
        &SCENARIO.replace("errors < 0.1 %", "p50 of draw < 0.000001 ms"),
    );
    let ran = home.run(&[
        "load",
        "strict.yaml",
        "--target",
        target,
        "--report",
        "out",
        "--json",
        "--seed",
        "5",
    ]);
    assert_eq!(ran.code, 4, "{ran:?}");
    let told = ran.json();
    assert_eq!(told["run"]["seed"], 5);
    assert_eq!(told["run"]["calls"][0]["meanings"]["ok"]["count"], 30);
    assert_eq!(told["limits"][0]["met"], false);
    assert!(home.at("out/report.json").is_file());
}

/// The machine's own certificates are looked for where OpenSSL's variables say: how a private authority is made known.
#[test]
fn over_tls_a_target_is_played_and_judged_where_its_authority_is_trusted() {
    let home = Home::new();
    let server = Server::start(&home);
    testbed::tls::certificates(home.path());
    let door = |url: &str| {
        let address = url.strip_prefix("http://").unwrap().parse().unwrap();
        testbed::tls::TlsDoor::before(address, home.path())
    };
    let (public, admin) = (door(server.public()), door(server.admin()));
    home.write("few.yaml", SCENARIO);
    let play = |authority: &str| -> Ran {
        gala(home.path())
            .env("SSL_CERT_FILE", home.at(authority))
            .env_remove("SSL_CERT_DIR")
            .args(["load", "few.yaml", "--target", &public.url()])
            .args(["--admin", &admin.url(), "--json"])
            .output()
            .unwrap()
            .into()
    };
    let ran = play("ca.pem");
    assert_eq!(ran.code, 0, "{ran:?}");
    let told = ran.json();
    assert_eq!(told["run"]["calls"][0]["meanings"]["ok"]["count"], 30);
    assert!(told["truth"]["checks"].is_array(), "{told}");

    // Nobody answers whom nobody trusts.
    let ran = play("other.pem");
    assert_eq!(ran.code, 1, "{ran:?}");
    let told = ran.json();
    assert_eq!(told["run"]["calls"][0]["meanings"]["lost"]["count"], 30);
    assert!(
        told["run"]["calls"][0]["meanings"]["ok"].is_null(),
        "{told}"
    );
}

#[test]
fn a_run_begins_when_it_is_told_to() {
    let home = Home::new();
    let server = Server::start(&home);
    home.write("few.yaml", SCENARIO);
    let at = chrono::Utc::now() + chrono::TimeDelta::seconds(2);
    let at = at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let ran = home.run(&[
        "load",
        "few.yaml",
        "--target",
        server.public(),
        "--at",
        &at,
        "--json",
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.json()["run"]["began_at"], at.as_str());
    let ran = home.run(&["load", "few.yaml", "--target", server.public(), "--at", &at]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("it is past"), "{ran:?}");
}

#[test]
fn what_can_not_be_played_is_told_before_anything_is_sent() {
    let home = Home::new();
    home.write("few.yaml", SCENARIO);
    let nobody = "http://127.0.0.1:1";
    let ran = home.run(&["load", "few.yaml", "--target", nobody]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.stderr.contains("is the server running there?"),
        "{ran:?}"
    );

    home.write("slip.yaml", &SCENARIO.replace("event: draw", "evnt: draw"));
    let ran = home.run(&["load", "slip.yaml", "--target", nobody]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stderr.contains("did you mean `event`?") && ran.stderr.contains("slip:6:"),
        "{ran:?}"
    );

    home.write(
        "other.yaml",
        &SCENARIO.replace("acme/wheel", "nobody/wheel"),
    );
    let ran = home.run(&["load", "other.yaml", "--target", nobody]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.stderr.contains("there is no tenant `nobody`"),
        "{ran:?}"
    );
    assert_eq!(home.run(&["load", "none.yaml", "--target", nobody]).code, 2);
    assert_eq!(
        home.run(&["load", "few.yaml", "--target", "localhost"])
            .code,
        2
    );
}
