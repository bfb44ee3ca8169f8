//! The rules that users read: every placeholder, in each language.

use std::collections::BTreeSet;
use std::sync::Arc;

use campaign::rules::{PLACEHOLDERS, language, path};
use campaign::{Activity, Diagnostics, Files, Input, Source, check, codes, story};
use machine::Definition;

use crate::support;

/// All that placeholders can stand for.
const CAMPAIGN: &str = "activity: custom
title: { zh-CN: 转盘, en: 'The *wheel*' }
organizer: { zh-CN: 某公司, en: 'A | B <Ltd>' }
rules: rules/wheel.{lang}.md
timezone: Asia/Shanghai
opens: 2026-12-01 10:00
closes: 2026-12-15 22:00
claim_until: 2027-01-15 00:00
streak:
  cycle: 7 days
  makeup: { days_back: 3, at_most: 2, per_month: 1, cost: { points: 20 } }
  forgive: { days: 1, every: month }
  freeze: { start: 1, hold_at_most: 2 }
day_counts: { sum: words, at_least: 10, from: backend, unit: { zh-CN: 个单词, en: words } }
give: { each_day: points, streak: { 7: coupon }, total_days: { 10: badge } }
rewards:
  laptop:  { title: { zh-CN: 笔记本, en: Laptop }, kind: physical, stock: 5, cost: 5999.00, odds: 0.001%, per_user: 1, not_for: [{ list: vip }], release: { each_day: 2, at: '20:00' } }
  coupon:  { title: { zh-CN: 十元券, en: ¥10 coupon }, kind: coupon, stock: 20000, cost: 10.00, odds: 1/3, expires: 30 days }
  points:  { title: { zh-CN: 积分, en: Points }, kind: points, amount: 1000 }
  badge:   { title: { zh-CN: 徽章, en: Badge }, kind: entitlement }
  nothing: { title: { zh-CN: 谢谢, en: Next time }, odds: rest }
  cup:     { title: { zh-CN: 杯子, en: Cup }, kind: coupon, cost: 1.00 }
  pen:     { title: { zh-CN: 笔, en: Pen }, kind: coupon, cost: 1.00 }
pack: { choose: { of: [cup, pen] }, flash: { windows: [{ from: '10:00', until: '12:00', stock: 1500 }, { from: '20:00', until: '00:00', stock: 50 }] } }
tasks:
  share: { title: { zh-CN: 分享, en: Share }, from: backend, per_day: 2, earns: { chances: 1, points: 1000 } }
  buy:   { title: { zh-CN: 下三单, en: Order 3 times }, from: backend, goal: 3, gives: [cup, pen] }
when_gone: { laptop: coupon, coupon: nothing }
pity: { losses_in_a_row: 9, then_give: coupon, starts_over_after: any-win }
chances: { first_visit: 3, each_day: 1, unused: keep, hold_at_most: 10 }
tiers: [{ first_draws: 3, odds: { coupon: 50%, nothing: rest } }]
draws: { at_once: 10, for: 9, at_most: { day: 30, week: 100 } }
buy: { chances: 1, for: { points: 5000 }, per_day: 3 }
budget: { total: 250000.00, per_day: 30000.00, when_spent: nothing }
machine:
  initial: playing
  states:
    playing:
      events:
        sign-in: [{ do: [{ sign: streak }] }]
        claim: [{ do: [{ claim: pack }] }]
        draw:
          - { when: chances == 0, reject: no-chances }
          - { do: [{ take: { chances: 1 } }, { draw: wheel }], then: { won: { to: playing }, missed: { to: playing } } }
messages:
  no-chances: { zh-CN: 没有机会了, en: No chances }
";

fn filled(rules: &[(&str, &str)]) -> (Option<Definition>, Diagnostics) {
    filled_of(CAMPAIGN, rules)
}

fn filled_of(campaign: &str, rules: &[(&str, &str)]) -> (Option<Definition>, Diagnostics) {
    let (mut tenant, lists) = story::example_tenant().unwrap();
    tenant.languages = rules.iter().map(|(tag, _)| (*tag).to_owned()).collect();
    let mut files: Files = lists;
    for (tag, text) in rules {
        files.insert(format!("rules/wheel.{tag}.md"), Arc::from(*text));
    }
    let input = Input {
        campaign: "wheel",
        source: Source::new("configs/acme/wheel.yaml", campaign),
        tenant: &tenant,
        files: &files,
    };
    let all: Vec<&dyn Activity> = support::all();
    let checked = check(&input, &all);
    (checked.definition, checked.diagnostics)
}

/// Every placeholder, each on a line of its own.
fn everything() -> String {
    let rewards = ["laptop", "coupon"];
    let line = |known: &str| match known.strip_suffix(".REWARD") {
        Some("amount") => "amount.points: {{ amount.points }}\n".to_owned(),
        Some("expires") => "expires.coupon: {{ expires.coupon }}\n".to_owned(),
        Some("winners") => String::new(),
        Some(word @ ("per_user" | "release" | "not_for")) => {
            format!("{word}.laptop: {{{{ {word}.laptop }}}}\n")
        }
        Some(word) => rewards
            .map(|reward| format!("{word}.{reward}: {{{{{word}.{reward}}}}}\n"))
            .concat(),
        // No pack has both a choice and stages, and no campaign a wheel and a raffle.
        None if known == "stages" || known.starts_with("raffle") => String::new(),

        None if ["rewards", "streak", "windows", "tasks", "tiers"].contains(&known) => {
            format!("1. {known}\n   {{{{ {known} }}}}\n")
        }
        None => format!("{known}: {{{{ {known} }}}}\n"),
    };
    let text: String = PLACEHOLDERS.iter().map(|known| line(known.name)).collect();
    text + "odds.nothing: {{ odds.nothing }}\nas it is: \\{{ closes }}\n"
}

#[test]
fn stages_are_told_day_by_day() {
    let pack = CAMPAIGN.find("pack:").unwrap();
    let end = CAMPAIGN[pack..].find('\n').unwrap();
    let staged = format!(
        "{}pack: {{ stages: {{ 1: [cup], 3: [cup, pen] }}, late: lost }}{}",
        &CAMPAIGN[..pack],
        &CAMPAIGN[pack + end..]
    );
    let text = "1. stages\n   {{ stages }}\n";
    let (definition, out) = filled_of(&staged, &[("zh-CN", text), ("en", text)]);
    let definition = definition.unwrap_or_else(|| unreachable!("{}", out.lines()));
    let told = |language: &str| definition.rules.0.get(language).unwrap().clone();
    assert_eq!(
        told("en"),
        "1. stages\n\n   - Day 1: Cup\n   - Day 3: Cup, Pen\n   \
         - Day 1 is the day of the first claim. What is not claimed on its day is lost.\n"
    );
    assert!(told("zh-CN").contains("- 第 3 天：杯子、笔\n"));
}

#[test]
fn every_placeholder_is_filled_in_each_language() {
    let text = everything();
    let (definition, out) = filled(&[("zh-CN", &text), ("en", &text), ("de", &text)]);
    let said = out
        .iter()
        .filter(|each| each.code.starts_with('E') || each.code == codes::RULES_LANGUAGE);
    let codes: BTreeSet<_> = said.map(|each| each.code).collect();
    assert_eq!(codes, [codes::RULES_LANGUAGE].into(), "{}", out.lines());
    let definition = definition.expect("only warnings");
    for (language, text) in &definition.rules.0 {
        assert_eq!(text.matches("{{").count(), 1, "{text}");
        insta::assert_snapshot!(format!("rules_in_{language}"), text);
    }
}

#[test]
fn the_text_is_part_of_what_is_hashed() {
    let of = |text: &str| {
        let (definition, out) = filled(&[("zh-CN", text), ("en", text)]);
        definition.unwrap_or_else(|| panic!("{}", out.lines()))
    };
    let (one, other) = (of("Until {{ closes }}."), of("Until {{ opens }}."));
    assert_ne!(
        campaign::codec::sha256(&one),
        campaign::codec::sha256(&other)
    );
    let bytes = campaign::encode(&one);
    assert_eq!(campaign::decode(&bytes).unwrap().rules, one.rules);
    // A definition of before there were placeholders has no such field, and is read as ever.
    let mut old: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    old.as_object_mut().unwrap().remove("rules_written");
    let read = campaign::decode(&serde_json::to_vec(&old).unwrap()).unwrap();
    assert_eq!((read.rules_written, read.rules), (None, one.rules));
}

#[test]
fn sent_texts_lie_in_the_folder_of_rules_and_nowhere_else() {
    let good = path("rules/wheel.{lang}.md", "zh-CN");
    assert_eq!(good.as_deref(), Some("rules/wheel.zh-CN.md"));
    for (pattern, tag) in [
        ("tenant.yaml", "en"),
        ("{lang}.md", "en"),
        ("rules/../tenant.{lang}.md", "en"),
        ("rules/wheel.{lang}.md", "../en"),
        ("rules/wheel.{lang}.md", ""),
        ("rules/wheel.{lang}.yaml", "en"),
    ] {
        assert_eq!(path(pattern, tag), None, "{pattern} {tag}");
    }
    assert_eq!(language("rules/w.{lang}.md", "rules/w.en.md"), Some("en"));
    assert_eq!(language("rules/w.{lang}.md", "rules/w.old.en.md"), None);
    assert_eq!(language("rules/w.md", "rules/w.md"), None);
}
