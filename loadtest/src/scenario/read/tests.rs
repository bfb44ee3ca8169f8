use std::fs;
use std::path::Path;

use super::*;

const SOUND: &str = r#"
title: A spring wheel, in small
seed: 7
campaigns: { wheel: acme/spring-wheel, words: acme/word-checkin }
population: { users: 10_000, picked: { zipf: 1.1 }, bots: 2 %, addresses: 200, mark: try, claims: { level: 3, name: "u{n}", tags: [vip] } }
journeys:
  play:
    share: 80
    campaign: wheel
    steps:
      - page
      - { preflight: draw, origin: "http://localhost:5173" }
      - view
      - think: 1s..3s
      - repeat: { times: 1..3, steps: [{ event: draw }, { think: 500 ms }] }
      - grants
      - poster: prize.webp
  attack: { share: 20, campaign: words, bots: true, steps: [{ event: sign-in, payload: { code: "{random}" } }] }
arrivals:
  - { name: warm, ramp: 1/s..100/s, lasts: 30s }
  - { constant: 100/s, lasts: 2 m }
  - { name: opening, spike: 5000, within: 1s, lasts: 10s }
  - { curve: [1, 2, 4.5, 2], peak: 400/s, lasts: 5m }
  - { steps: 100/s..1000/s, by: 100/s, each: 20s }
limits: ["p99 < 50 ms", "p99 of draw < 80 ms", "errors < 0.1 %"]
provoke: { replay: 1%, drop: 0.1% }
patience: 3s
connections: 500
"#;

#[test]
fn a_sound_scenario_is_read_whole() {
    let scenario = read("wheel", SOUND).unwrap();
    insta::assert_debug_snapshot!(scenario);
}

/// Each mistake with its place and the way out, all of them at once.
#[test]
fn every_mistake_is_told_with_its_place_and_the_way_out() {
    let wrong = r#"
titel: A slip
seed: -3
campaigns: { wheel: acme/spring-wheel, odd: nonsense }
population: { users: 0, picked: sometimes, bots: 2, mark: "A b" }
journeys:
  play: { share: 0, campaign: weel, steps: [vew, draw, event, { evnt: draw }, { think: 3s..1s }, { repeat: { steps: [{ event: "no id!" }] } }] }
  idle: { campaign: wheel, steps: [{ poster: streak.gif }, { preflight: draw, origin: nowhere }] }
arrivals:
  - { constant: 0/s, lasts: 30s }
  - { constant: 10 a second, lasts: 3 days }
  - { spike: 100, within: 10s, lasts: 1s, peak: 3/s }
  - { ramp: 1/s..2/s, constant: 3/s, lasts: 1s }
  - { curve: [0, 0], peak: 10/s, lasts: 1s }
  - { steps: 100/s..10/s, by: 10/s, each: 0s }
  - { name: nothing }
limits: ["p99 <= 5 ms", "p99 of drw < 5 ms"]
provoke: { replay: lots }
patience: 0s
connections: 0
"#;
    let mistakes = read("wrong", wrong).unwrap_err();
    insta::assert_snapshot!(format!("{mistakes}\n{}", mistakes.lines()));
}

#[test]
fn what_is_no_yaml_is_told_with_its_place() {
    let mistakes = read("cut", "title: [a\nseed: 3").unwrap_err();
    assert_eq!(mistakes.all.len(), 1);
    assert!(mistakes.all[0].line >= 1, "{mistakes}");
    for text in ["", "- a", "title: x", "title: a\ntitle: b"] {
        assert!(read("x", text).is_err(), "{text:?}");
    }
}

#[test]
fn a_mistake_is_shown_in_its_line() {
    let wrong = SOUND.replace("campaign: words", "campaign: wrods");
    let mistakes = read("wheel", &wrong).unwrap_err();
    let mut shown = String::new();
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::none());
    handler.render_report(&mut shown, &mistakes).unwrap();
    insta::assert_snapshot!(shown);
}

/// All that ship are sound, say why they are there, and ask for something that can be missed.
#[test]
fn the_scenarios_that_ship_are_sound() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let scenario = read(&name, &text).unwrap_or_else(|mistakes| panic!("{}", mistakes.lines()));
        assert!(text.starts_with("# "), "{name} has no word for ops");
        assert!(scenario.title.len() > 30, "{name} does not say why");
        assert!(!scenario.limits.is_empty(), "{name} can't be missed");
        names.push(name);
    }
    names.sort();
    assert_eq!(
        names,
        [
            "bots",
            "browsers",
            "midnight-sign-in",
            "opening-second",
            "schools",
            "smoke",
            "stairs",
            "storm",
            "two-weeks"
        ]
    );
}
