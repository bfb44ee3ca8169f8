//! Every explanation's examples, run through the real check: the wrong one yields its code and no other error, the right
//! one no error at all, and not its code.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use campaign::explain::{self, Example};
use campaign::renew::{Original, renew};
use campaign::{Diagnostics, Files, LoadedCampaign, Severity, load};

use crate::said;
use crate::support;

/// Small sound campaigns that examples are put over.
const BASES: [(&str, &str); 6] = [
    (
        "custom",
        "activity: custom
title: { zh-CN: 示例, en: Example }
rules: rules/spring.{lang}.md
opens: 2026-12-01 10:00
closes: 2026-12-15 22:00
rewards:
  coupon: { title: { zh-CN: 5元券, en: ¥5 coupon }, kind: coupon }
machine:
  initial: start
  states:
    start: { events: { go: [{ do: [{ give: coupon }] }] } }
",
    ),
    (
        "lottery",
        "activity: lottery
title: { zh-CN: 示例, en: Example }
opens: 2026-12-01 10:00
closes: 2026-12-15 22:00
rewards:
  coupon: { title: { zh-CN: 5元券, en: ¥5 coupon }, kind: coupon, odds: 10% }
  nothing: { title: { zh-CN: 谢谢参与, en: Next time }, odds: rest }
chances: { first_visit: 1 }
",
    ),
    (
        "law",
        "activity: lottery
title: { zh-CN: 示例, en: Example }
rules: rules/spring.{lang}.md
opens: 2026-12-01 10:00
closes: 2026-12-15 22:00
rewards:
  coupon: { title: { zh-CN: 5元券, en: ¥5 coupon }, kind: coupon, odds: 10% }
  nothing: { title: { zh-CN: 谢谢参与, en: Next time }, odds: rest }
chances: { first_visit: 1 }
",
    ),
    (
        "sign-in",
        "activity: sign-in
title: { zh-CN: 示例, en: Example }
opens: 2026-12-01 10:00
closes: 2026-12-15 22:00
rewards:
  points: { title: { zh-CN: 积分, en: Points }, kind: points, amount: 10 }
give: { each_day: points }
",
    ),
    (
        "gift-pack",
        "activity: gift-pack
title: { zh-CN: 示例, en: Example }
opens: 2026-12-01 10:00
closes: 2026-12-15 22:00
rewards:
  coupon: { title: { zh-CN: 5元券, en: ¥5 coupon }, kind: coupon }
",
    ),
    (
        "tenant.yaml",
        "name: { zh-CN: 示例, en: Example }
timezone: Asia/Shanghai
currency: CNY
languages: [zh-CN, en]
keys: [{ kid: users, alg: HS256, env: USERS_KEY }]
claims:
  level: { type: int, default: 0 }
  tags: { type: list }
  signed_up: { type: time }
  class: { type: string }
  class_size: { type: int }
connectors: { crm: { kind: http, url: https://crm.example.com/gala/facts, secret: { env: CRM_SECRET } } }
",
    ),
];

/// A campaign that emits, for examples that listen; and for newcomers, as examples of first sight are.
const TELLS: &str = "activity: custom
title: { zh-CN: 示例, en: Example }
opens: 2026-12-01 10:00
closes: 2026-12-15 22:00
facts: { newcomer: { by: first-sight, except: [example], when_unknown: false } }
audience: { all_of: [{ fact: newcomer }] }
machine:
  initial: start
  states:
    start: { events: { go: [{ do: [{ emit: third-day }] }] } }
";

const CAMPAIGN: &str = "example.yaml";
const TENANT: &str = "tenant.yaml";

fn base(name: &str) -> Option<&'static str> {
    BASES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

/// The tenant's folder with an example in it.
fn folder(example: &Example) -> Files {
    let mut files: BTreeMap<&str, String> = [
        "lists/vip.csv",
        "lists/staff.csv",
        "rules/spring.zh-CN.md",
        "rules/spring.en.md",
        "rules/autumn.zh-CN.md",
    ]
    .map(|path| {
        (
            path,
            if path.strip_suffix(".md").is_some() {
                "One each.\n"
            } else {
                ""
            }
            .to_owned(),
        )
    })
    .into();
    let tenant = base(TENANT).unwrap_or("").to_owned();
    // Rules in a third language need a tenant who speaks it.
    let under_law = "law: CN\norganizer: { zh-CN: 示例科技有限公司, en: Example Ltd. }\n";
    for (path, text) in [
        ("rules/release.en.md", "{{ release.coupon }}"),
        ("rules/release.zh-CN.md", "{{ release.coupon }}"),
        ("rules/budget.en.md", "{{ budget }}"),
        ("rules/budget.zh-CN.md", "{{ budget }}"),
        ("rules/when-gone.en.md", "{{ when_gone }}"),
        ("rules/when-gone.zh-CN.md", "{{ when_gone }}"),
        ("posters/spring.svg", "<svg/>"),
        ("posters/spring.zh-CN.svg", "<svg/>"),
    ] {
        files.insert(path, text.to_owned());
    }
    let tenant = match example.place {
        "law" => tenant + under_law,
        "whole" if example.text.contains("law: CN") => tenant + under_law,
        "rules/spring.de.md" => tenant.replace("[zh-CN, en]", "[zh-CN, en, de]"),
        _ => tenant,
    };
    files.insert(TENANT, tenant);
    files.insert(CAMPAIGN, base("custom").unwrap_or("").to_owned());
    files.insert("days.yaml", TELLS.to_owned());
    let text = written_out(example.text);
    let (path, text) = match example.place {
        "whole" => (CAMPAIGN, text),
        TENANT => (TENANT, over(base(TENANT).unwrap_or(""), &text)),
        place => match (base(place), place.strip_prefix("whole ")) {
            (Some(base), _) => (CAMPAIGN, over(base, &text)),
            (None, whole) => (whole.unwrap_or(place), text),
        },
    };
    files.insert(path, text);
    let named = files
        .into_iter()
        .map(|(path, text)| (format!("acme/{path}"), Arc::from(text)));
    named.collect()
}

/// `<70000 characters>` stands for as many: nobody wants to read them.
fn written_out(text: &str) -> String {
    let Some((before, rest)) = text.split_once('<') else {
        return text.to_owned();
    };
    let Some((count, after)) = rest.split_once(" characters>") else {
        return text.to_owned();
    };
    match count.parse() {
        Ok(count) => before.to_owned() + &"x".repeat(count) + after,
        Err(_) => text.to_owned(),
    }
}

/// A file with some of its top-level keys written anew.
fn over(base: &str, example: &str) -> String {
    let key = |line: &str| {
        let begins = line.starts_with(|c: char| c.is_alphabetic());
        begins.then(|| line.split(':').next().unwrap_or("").to_owned())
    };
    let own: Vec<String> = example.lines().filter_map(key).collect();
    let mut kept = String::new();
    let mut dropped = false;
    for line in base.lines() {
        dropped = key(line).map_or(dropped, |key| own.contains(&key));
        if !dropped {
            kept += line;
            kept += "\n";
        }
    }
    kept + example
}

/// What is said of a copy, by `copied` and how much later it is.
fn renewed(example: &Example) -> Option<Diagnostics> {
    let shift = match example.place.strip_prefix("copied")?.trim() {
        "" => "1y",
        shift => shift,
    };
    let text = over(base("custom").unwrap_or(""), example.text);
    let files: Files = [(CAMPAIGN.to_owned(), Arc::from(text))].into();
    let original = Original {
        files: &files,
        folder: "configs/acme",
        campaign: "example",
    };
    let renewal = renew(&original, "example", true, shift.parse().ok()?);
    renewal.ok().map(|renewal| renewal.look())
}

/// All that the check and the stories say, or what is said of a copy.
fn all_said(example: &Example) -> Diagnostics {
    if let Some(said) = renewed(example) {
        return said;
    }
    let activities = support::all();
    let loaded = load("configs", &folder(example), &activities);
    let mut all = loaded.diagnostics;
    let campaigns = loaded.tenants.iter().flat_map(|tenant| &tenant.campaigns);
    for report in campaigns.filter_map(LoadedCampaign::play) {
        all.extend(report.failures);
    }
    all.sorted()
}

#[test]
fn a_wrong_example_has_its_mistake_and_no_other_and_a_right_one_none() {
    let mut bad = Vec::new();
    for explanation in explain::all() {
        let code = explanation.code;
        // The command line's tests can read a drawing, and run these.
        if campaign::posters::check::CODES.contains(&code) {
            continue;
        }
        let wrong = all_said(&explanation.wrong);
        let others = wrong
            .iter()
            .any(|each| each.code != code && each.severity == Severity::Error);
        if others || !wrong.iter().any(|each| each.code == code) {
            bad.push(format!("{code}, wrong:\n{}", wrong.lines()));
        }
        let right = all_said(&explanation.right);
        if right.has_errors() || right.iter().any(|each| each.code == code) {
            bad.push(format!("{code}, right:\n{}", right.lines()));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n\n"));
}

#[test]
fn the_bases_are_sound() {
    for (place, _) in BASES {
        let all = all_said(&Example { place, text: "" });
        assert!(all.is_empty(), "{place}: {}", all.lines());
    }
}

/// The printed explanation and the diagnostics themselves speak Chinese of every example.
#[test]
fn every_example_is_reported_in_chinese() {
    let (mut chinese, mut wrong) = (BTreeSet::new(), Vec::new());
    for explanation in explain::all() {
        said::in_chinese(&all_said(&explanation.wrong), &mut chinese, &mut wrong);
    }
    assert!(chinese.len() > 100);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
