//! Load tests against a running server: what is told, and how the command ends.

use super::ran::Home;
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
