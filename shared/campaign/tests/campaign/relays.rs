//! Campaigns of one tenant that listen to each other: what is said where they do not fit together.

use std::sync::Arc;

use campaign::check::Files;
use campaign::{Activity, Diagnostic, Loaded, Severity, load};

use crate::support;

const TENANT: &str = "
name: { zh-CN: 示例, en: Example }
timezone: Asia/Shanghai
currency: CNY
languages: [zh-CN, en]
keys: [{ kid: dev, alg: HS256, dev: true }]
";

const HEAD: &str = "activity: custom
title: { zh-CN: 测试, en: Test }
opens: 2026-12-01 10:00
closes: 2026-12-15 22:00
";

/// A campaign that emits on an event of its users.
const WORDS: &str = "
events: { study: { from: backend, payload: { words: { type: int }, on: { type: date } } } }
machine:
  initial: a
  states:
    a:
      events:
        study:
          - { when: event.words > 100, do: [{ emit: { message: great-day, with: { words: event.words, on: event.on } } }] }
          - { do: [{ emit: day-done }] }
";

fn loaded(campaigns: &[(&str, &str)]) -> Loaded {
    let mut files = Files::from([("acme/tenant.yaml".to_owned(), Arc::from(TENANT))]);
    for (name, text) in campaigns {
        files.insert(format!("acme/{name}.yaml"), format!("{HEAD}{text}").into());
    }
    let all: Vec<&dyn Activity> = support::all();
    load("configs", &files, &all)
}

/// A campaign that listens as `from` says, and then does this.
fn listener(from: &str, payload: &str, action: &str) -> String {
    format!(
        "
context: {{ n: 0 }}
events: {{ great-day: {{ from: {from}, payload: {{ {payload} }} }} }}
machine:
  initial: a
  states:
    a: {{ events: {{ great-day: [{{ do: [{action}] }}] }} }}
"
    )
}

/// All that is said of them, and which are sound.
fn said(campaigns: &[(&str, &str)]) -> String {
    let loaded = loaded(campaigns);
    let mut lines: Vec<String> = loaded
        .diagnostics
        .iter()
        .filter(|each| each.severity != Severity::Note)
        .map(|each| {
            let (place, related) = (&each.place, each.related.iter());
            let related = related.map(|(place, words)| {
                format!("\n  {}:{} {words}", place.source.name(), place.line())
            });
            format!(
                "{} {}:{}:{} {}{}\n  = {}",
                each.code,
                place.source.name(),
                place.line(),
                place.column(),
                each.message,
                related.collect::<String>(),
                each.help.as_deref().unwrap_or("")
            )
        })
        .collect();
    let sound = loaded.tenants[0].campaigns.iter();
    let sound = sound.filter(|campaign| campaign.definition.is_some());
    let sound: Vec<&str> = sound.map(|campaign| campaign.id.as_str()).collect();
    lines.push(format!("sound: {}", sound.join(", ")));
    lines.join("\n")
}

const COUNT: &str = "{ set: { n: n + 1 } }";

#[test]
fn what_fits_is_sound() {
    let wheel = listener(
        "[backend, { campaign: words }]",
        "words: { type: int }, more: { type: string, default: none }",
        COUNT,
    );
    let loaded = loaded(&[("words", WORDS), ("wheel", &wheel)]);
    let notes = |each: &Diagnostic| each.severity == Severity::Note;
    let mut diagnostics = loaded.diagnostics.iter();
    assert!(diagnostics.all(notes), "{:?}", loaded.diagnostics);
    let wheel = loaded.tenants[0]
        .campaigns
        .iter()
        .find(|campaign| campaign.id == "wheel")
        .and_then(|campaign| campaign.definition.clone())
        .unwrap();
    assert_eq!(wheel.hearer("words", "great-day"), Some(0));
    assert_eq!(wheel.hearer("words", "day-done"), None);
    assert_eq!(wheel.sources().len(), 1);
}

#[test]
fn who_is_listened_to_is_there_and_says_it() {
    let nobody = listener("{ campaign: wrods }", "", COUNT);
    let silent = listener("{ campaign: words, message: grate-day }", "", COUNT);
    let broken = listener("{ campaign: broken }", "", COUNT);
    insta::assert_snapshot!(said(&[
        ("words", WORDS),
        ("nobody", &nobody),
        ("silent", &silent),
        ("broken", "machine: { initial: nowhere, states: {} }"),
        ("beside-broken", &broken),
    ]));
}

#[test]
fn a_message_brings_what_the_event_takes() {
    let lacks = listener(
        "{ campaign: words, message: day-done }",
        "words: { type: int }",
        COUNT,
    );
    let other = listener(
        "{ campaign: words }",
        "words: { type: string }, on: { type: int }",
        COUNT,
    );
    insta::assert_snapshot!(said(&[
        ("words", WORDS),
        ("lacks", &lacks),
        ("other", &other)
    ]));
}

#[test]
fn a_circle_is_found_and_what_only_looks_like_one_is_not() {
    let on = |from: &str| {
        listener(
            &format!("{{ campaign: {from} }}"),
            "",
            "{ emit: great-day }",
        )
    };
    let (a, b, c) = (on("c"), on("a"), on("b"));
    let beside = on("a");
    insta::assert_snapshot!(said(&[
        ("a", &a),
        ("b", &b),
        ("c", &c),
        ("beside", &beside)
    ]));

    // They tell each other, but what the first hears it keeps to itself.
    let first = format!(
        "{}{}",
        "context: { n: 0 }\nevents: { back: { from: { campaign: second } } }\n",
        "machine: { initial: a, states: { a: { events: { go: [{ do: [{ emit: great-day }] }], back: [{ do: [{ set: { n: n + 1 } }] }] } } } }"
    );
    let second = listener("{ campaign: first }", "", "{ emit: back }");
    assert_eq!(
        said(&[("first", &first), ("second", &second)]),
        "sound: first, second"
    );
}
