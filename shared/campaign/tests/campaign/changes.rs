//! What one revision changes against another, in words.

use campaign::changes::{Change, Effect, changes, public};
use campaign::{Activity, Input, Source, check, story};
use machine::Definition;

use crate::support;

const WHEEL: &str = "\
activity: lottery
title: { en: Wheel, zh-CN: 转盘 }
rules: rules/a.{lang}.md
opens: 2026-12-01 10:00
closes: 2026-12-15 22:00
rewards:
  laptop: { title: { en: Laptop, zh-CN: 笔记本 }, kind: physical, stock: 2, cost: 5999.00, odds: 0.001%, per_user: 1 }
  coupon: { title: { en: Coupon, zh-CN: 券 }, kind: coupon, stock: 20000, cost: 10.00, odds: 20%, expires: 30 days }
  nothing: { title: { en: Next time, zh-CN: 谢谢 }, odds: rest }
when_gone: { laptop: nothing, coupon: nothing }
pity: { losses_in_a_row: 9, then_give: coupon, starts_over_after: any-win }
chances: { first_visit: 3, each_day: 1, unused: keep, hold_at_most: 10 }
earn: { order-paid: { from: backend, chances: 1, per_day: 1 } }
budget: { total: 250000.00, per_day: 30000.00, when_spent: nothing }
";

const DAYS: &str = "\
activity: sign-in
title: { en: Days, zh-CN: 签到 }
opens: 2026-09-01
closes: 2026-12-01
streak: { cycle: 7 days, makeup: { days_back: 3, at_most: 2 } }
rewards:
  points: { title: { en: Points, zh-CN: 积分 }, kind: points, amount: 10 }
  coupon: { title: { en: Coupon, zh-CN: 券 }, kind: coupon, stock: 5000, cost: 20.00 }
give: { each_day: points, streak: { 7: coupon }, total_days: { 30: coupon } }
";

const MADE: &str = "\
activity: custom
title: { en: Quest, zh-CN: 任务 }
opens: 2026-09-01
closes: 2026-12-01
context: { seen: { type: int, default: 0, show: true } }
rewards:
  badge: { title: { en: Badge, zh-CN: 徽章 }, kind: entitlement, stock: 10 }
  cup: { title: { en: Cup, zh-CN: 杯 }, kind: physical, stock: 10 }
machine:
  initial: begun
  states:
    begun:
      events:
        look: { transitions: [{ when: seen < 3, do: [{ set: { seen: seen + 1 } }] }, { do: [{ give: badge }], to: done }] }
    done: { final: true }
";

fn definition(text: &str) -> Definition {
    let (tenant, mut files) = story::example_tenant().unwrap();
    files.insert("rules/a.zh-CN.md".to_owned(), "# 规则\n一\n二".into());
    files.insert("rules/a.en.md".to_owned(), "# Rules\none\ntwo".into());
    let all: Vec<&dyn Activity> = support::all();
    let input = Input {
        campaign: "test",
        source: Source::new("test.yaml", text),
        tenant: &tenant,
        files: &files,
    };
    let checked = check(&input, &all);
    let lines = checked.diagnostics.lines();
    checked
        .definition
        .unwrap_or_else(|| panic!("{text}\n{lines}"))
}

/// What changes when these words of a file become others.
fn edited(text: &str, edits: &[(&str, &str)]) -> Vec<Change> {
    let mut new = text.to_owned();
    for (from, to) in edits {
        assert!(new.contains(from), "`{from}` is not there");
        new = new.replace(from, to);
    }
    changes(&definition(text), &definition(&new))
}

fn lines(found: &[Change]) -> String {
    let line = |one: &Change| {
        format!(
            "{:?} {}\n  {}\n  {}",
            one.effect, one.subject, one.en, one.zh
        )
    };
    found.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_wheel() {
    let found = edited(
        WHEEL,
        &[
            ("20%", "25%"),
            ("stock: 2,", "stock: 1,"),
            ("losses_in_a_row: 9", "losses_in_a_row: 19"),
            ("each_day: 1,", "each_day: 2,"),
            ("total: 250000.00", "total: 300000.00"),
            ("closes: 2026-12-15 22:00", "closes: 2026-12-14 22:00"),
            ("unused: keep", "unused: lost"),
            ("expires: 30 days", "expires: 7 days"),
        ],
    );
    insta::assert_snapshot!(lines(&found));
}

#[test]
fn a_rare_prize_is_not_cut_in_silence() {
    let found = edited(WHEEL, &[("0.001%", "0.0007%")]);
    assert_eq!(found.len(), 2, "{}", lines(&found));
    assert_eq!(found[0].subject, "rewards.laptop.odds");
    assert_eq!(found[0].effect, Effect::Worse);
    assert_eq!(found[0].en, "laptop: odds 0.001 % -> 0.0007 %");
    // What gives nothing is told, and is no gain.
    assert_eq!(found[1].subject, "rewards.nothing.odds");
    assert_eq!(found[1].effect, Effect::None);
}

#[test]
fn days() {
    let found = edited(
        DAYS,
        &[
            ("cycle: 7 days", "cycle: month"),
            ("at_most: 2", "at_most: 1"),
            ("{ 30: coupon }", "{ 30: coupon, 60: coupon }"),
            ("streak: { 7: coupon }", "streak: { 8: coupon }"),
        ],
    );
    insta::assert_snapshot!(lines(&found));
}

#[test]
fn a_machine() {
    let found = edited(
        MADE,
        &[
            ("seen < 3", "seen < 5"),
            (
                "    done: { final: true }",
                "    done: { final: true }\n    other: { final: true }",
            ),
            ("stock: 10 }\nmachine", "stock: 10 }\nmoves: {}\nmachine"),
        ],
    );
    insta::assert_snapshot!(lines(&found));
}

#[test]
fn an_order_says_nothing_and_a_swap_says_all() {
    let badge = "  badge: { title: { en: Badge, zh-CN: 徽章 }, kind: entitlement, stock: 10 }\n";
    let cup = "  cup: { title: { en: Cup, zh-CN: 杯 }, kind: physical, stock: 10 }\n";
    let both = format!("{badge}{cup}");
    // The table turned round: the machine gives the same reward by another place.
    let found = edited(MADE, &[(&both, &format!("{cup}{badge}"))]);
    assert_eq!(found.len(), 1, "{}", lines(&found));
    assert_eq!(found[0].subject, "definition");
    // The table turned round, and the other reward given: by the same place.
    let found = edited(
        MADE,
        &[
            (&both, &format!("{cup}{badge}")),
            ("give: badge", "give: cup"),
        ],
    );
    let told: Vec<&str> = found.iter().map(|one| &*one.subject).collect();
    assert_eq!(told, ["states.begun.events.look"], "{}", lines(&found));
}

#[test]
fn the_same_changes_nothing_and_nothing_is_passed_over() {
    for text in [WHEEL, DAYS, MADE] {
        assert_eq!(changes(&definition(text), &definition(text)), []);
    }
    // Whatever single figure or word of a file changes, something is said.
    let edits = [
        (WHEEL, "en: Wheel", "en: Spin"),
        (WHEEL, "10:00", "11:00"),
        (WHEEL, "per_user: 1", "per_user: 2"),
        (WHEEL, "cost: 10.00", "cost: 11.00"),
        (WHEEL, "kind: coupon", "kind: code"),
        (WHEEL, "hold_at_most: 10", "hold_at_most: 11"),
        (WHEEL, "first_visit: 3", "first_visit: 4"),
        (WHEEL, "chances: 1, per_day: 1", "chances: 2, per_day: 1"),
        (WHEEL, "chances: 1, per_day: 1", "chances: 1, per_day: 2"),
        (WHEEL, "per_day: 30000.00", "per_day: 30001.00"),
        (WHEEL, "any-win", "this-reward"),
        (WHEEL, "laptop: nothing, ", "laptop: coupon, "),
        (WHEEL, "from: backend", "from: user"),
        (DAYS, "days_back: 3", "days_back: 2"),
        (DAYS, "each_day: points", "each_day: coupon"),
        (DAYS, "amount: 10", "amount: 11"),
        (MADE, "default: 0", "default: 1"),
        (MADE, "show: true", "show: false"),
        (MADE, "give: badge", "give: cup"),
        (MADE, "seen + 1", "seen + 2"),
    ];
    for (text, from, to) in edits {
        let found = edited(text, &[(from, to)]);
        assert!(!found.is_empty(), "{from} -> {to}");
        assert!(
            found.iter().all(|one| one.subject != "definition"),
            "{from} -> {to}: {}",
            lines(&found)
        );
    }
}

/// What two revisions that are live at once may differ in, and what not.
#[test]
fn arms_promise_the_same() {
    let may = [
        ("stock: 2,", "stock: 3,"),
        ("cost: 10.00", "value: 10.00, cost: 9.00"),
        ("total: 250000.00", "total: 1000.00"),
        (
            "when_gone: {",
            "messages: { no-chances: { en: Tomorrow again, zh-CN: 明天再来 } }\nwhen_gone: {",
        ),
    ];
    for edit in may {
        let found = edited(WHEEL, &[edit]);
        assert!(
            !found.is_empty() && public(&found).is_empty(),
            "{edit:?} {found:?}"
        );
    }
    let found = edited(MADE, &[("seen < 3", "seen < 2")]);
    assert!(!found.is_empty() && public(&found).is_empty(), "{found:?}");
    let may_not = [
        ("odds: 20%", "odds: 21%"),
        ("en: Wheel,", "en: The wheel,"),
        ("en: Laptop,", "en: Computer,"),
        ("closes: 2026-12-15", "closes: 2026-12-16"),
        ("per_user: 1", "per_user: 2"),
        ("losses_in_a_row: 9", "losses_in_a_row: 8"),
        ("first_visit: 3", "first_visit: 4"),
        ("expires: 30 days", "expires: 31 days"),
        ("laptop: nothing,", "laptop: coupon,"),
        ("earn:", "audience: { any_of: [{ tag: vip }] }\nearn:"),
        ("rules: rules/a.{lang}.md\n", ""),
    ];
    for edit in may_not {
        let found = edited(WHEEL, &[edit]);
        assert!(!public(&found).is_empty(), "{edit:?} {found:?}");
    }
    let found = edited(DAYS, &[("7: coupon", "6: coupon")]);
    assert_eq!(public(&found), found);
}
