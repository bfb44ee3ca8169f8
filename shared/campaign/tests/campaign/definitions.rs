//! What campaigns are lowered to: rule ids, counts, balances, messages, machines over machines.

use campaign::check::Files;
use campaign::{Activity, Checked, Input, Source, check, encode, story};
use machine::Definition;
use machine::model::{Durability, RewardKind, Sender, VarKind};

use crate::support;

const HEAD: &str = "title: Test\nopens: 2026-12-01 10:00\ncloses: 2026-12-15 22:00\n";

fn checked(text: &str) -> Checked {
    let (tenant, mut files) = story::example_tenant().unwrap();
    files.insert("rules/a.zh-CN.md".to_owned(), "# 规则".into());
    files.insert("rules/a.en.md".to_owned(), "# Rules".into());
    let source = Source::new("test.yaml", format!("{text}\n{HEAD}"));
    let all: Vec<&dyn Activity> = support::all();
    check(
        &Input {
            campaign: "test",
            source,
            tenant: &tenant,
            files: &files,
        },
        &all,
    )
}

fn definition(text: &str) -> Definition {
    let checked = checked(text);
    checked
        .definition
        .unwrap_or_else(|| panic!("{}", checked.diagnostics.lines()))
}

fn rules(definition: &Definition) -> Vec<&str> {
    definition
        .rules_of_giving
        .iter()
        .map(|rule| &*rule.id)
        .collect()
}

const SIGN_IN: &str = "
activity: sign-in
rewards:
  points: { title: Points, kind: points, amount: 10 }
  gold-coins: { title: Coins, kind: points, amount: 1 }
  coupon: { title: Coupon, kind: coupon, stock: 5 }
streak: { cycle: 7 days }
give: { each_day: [points, gold-coins], streak: { 7: coupon, 3: [points, coupon] }, total_days: { 15: coupon } }";

const LOTTERY: &str = "
activity: lottery
rewards:
  laptop: { title: Laptop, kind: physical, stock: 2, cost: 5999.00, odds: 0.001% }
  coupon: { title: Coupon, kind: coupon, odds: 10% }
  nothing: { title: Next time, odds: rest }
pity: { losses_in_a_row: 9, then_give: coupon }
chances: { first_visit: 3 }
earn: { order-paid: { from: backend, chances: 2, per_day: 1 } }";

#[test]
fn rule_ids_name_the_promise() {
    let rows: [(&str, &[&str]); 4] = [
        (
            SIGN_IN,
            &[
                "each-day",
                "each-day-gold-coins",
                "streak-7",
                "streak-3",
                "streak-3-coupon",
                "total-15",
            ],
        ),
        (LOTTERY, &["wheel-laptop", "wheel-coupon", "wheel-pity"]),
        (
            "activity: gift-pack\nrewards: { a: { title: A, kind: coupon }, b: { title: B, kind: coupon } }",
            &["pack-a", "pack-b"],
        ),
        (
            "
activity: custom
rewards: { a: { title: A, kind: coupon }, b: { title: B, kind: coupon } }
machine:
  initial: s
  states:
    s:
      events:
        go: [{ do: [{ give: a }, { give: { reward: b, rule: first-b, was: old-b } }] }]
        again: [{ do: [{ give: a }] }]",
            &["a", "first-b"],
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(rules(&definition(text)), expected);
    }
}

#[test]
fn the_same_file_gives_the_same_bytes() {
    for text in [SIGN_IN, LOTTERY] {
        assert_eq!(encode(&definition(text)), encode(&definition(text)));
    }
}

#[test]
fn counts_are_kept_of_events_that_a_rule_counts_and_of_no_other() {
    let sign_in = definition(SIGN_IN);
    assert_eq!(sign_in.counts, []);
    let lottery = definition(LOTTERY);
    let counted: Vec<&str> = lottery
        .counts
        .iter()
        .map(|count| &*lottery.events[usize::from(count.event)].name)
        .collect();
    assert_eq!(counted, ["order-paid"]);
    let hidden = lottery
        .vars
        .iter()
        .filter(|var| var.name.starts_with("$count."));
    assert!(
        hidden
            .clone()
            .all(|var| var.kind == VarKind::Hidden && !var.show)
    );
    assert_eq!(hidden.count(), 3);
}

#[test]
fn points_without_stock_are_a_balance_that_expressions_can_name() {
    let sign_in = definition(SIGN_IN);
    let balances: Vec<&str> = sign_in
        .vars
        .iter()
        .filter(|var| var.kind == VarKind::Balance)
        .map(|var| var.name.as_str())
        .collect();
    assert_eq!(balances, ["points", "gold_coins"]);
    assert_eq!(sign_in.rewards[2].balance, None);
}

#[test]
fn a_reward_of_a_title_and_odds_gives_nothing() {
    let lottery = definition(LOTTERY);
    assert_eq!(lottery.rewards[2].kind, RewardKind::Nothing);
    assert_eq!(
        lottery.rewards[0].value, 599_900,
        "what it is worth is what it costs, unless said"
    );
}

#[test]
fn odds_are_exact_parts_of_the_smallest_whole() {
    let lottery = definition(LOTTERY);
    let wheel = lottery
        .blocks
        .iter()
        .find(|block| block.kind == "wheel")
        .unwrap();
    let params: blocks::wheel::Params = serde_json::from_str(&wheel.params).unwrap();
    let parts: Vec<u64> = params.slices.iter().map(|slice| slice.parts).collect();
    assert_eq!((params.whole, parts), (100_000, vec![1, 10_000]));
}

#[test]
fn earned_events_come_from_where_they_say_and_belong_to_every_state() {
    let lottery = definition(LOTTERY);
    let earned = lottery
        .events
        .iter()
        .find(|event| &*event.name == "order-paid")
        .unwrap();
    assert_eq!(earned.from, [Sender::Backend]);
    assert_eq!(lottery.machine.events.len(), 1);
}

#[test]
fn messages_are_the_activitys_until_the_campaign_says_its_own() {
    let told = |text: &str| {
        definition(text).messages["no-chances"]
            .pick("en", "en")
            .to_owned()
    };
    assert_eq!(told(LOTTERY), "You have no chances left");
    assert_eq!(
        told(&format!(
            "{LOTTERY}\nmessages: {{ no-chances: {{ zh-CN: 没了, en: Gone }} }}"
        )),
        "Gone"
    );
}

#[test]
fn durability_is_strict_where_something_can_run_out() {
    assert_eq!(definition(LOTTERY).durability, Durability::Strict);
    let asked = format!("{LOTTERY}\ndurability: standard");
    assert_eq!(definition(&asked).durability, Durability::Standard);
}

#[test]
fn rules_are_read_in_every_language() {
    let rules = definition(&format!("{SIGN_IN}\nrules: rules/a.{{lang}}.md")).rules;
    assert_eq!(
        (rules.pick("en", "en"), rules.pick("zh-CN", "en")),
        ("# Rules", "# 规则")
    );
}

#[test]
fn a_machine_over_the_default_one_keeps_what_it_does_not_name() {
    let extended = definition(&format!(
        "{SIGN_IN}
messages: {{ closed-today: {{ zh-CN: 休息, en: Closed }} }}
machine:
  extends: default
  events:
    hello: [{{ do: [{{ emit: hello }}] }}]
  states:
    active:
      events:
        make-up: [{{ reject: closed-today }}]
      after: [{{ in: 30 days, to: asleep }}]
    asleep: {{ events: {{ wake: [{{ to: active }}] }} }}"
    ));
    let machine = &extended.machine;
    let names: Vec<&str> = machine.states.iter().map(|state| &*state.name).collect();
    assert_eq!(names, ["active", "asleep"]);
    let events = |at: usize| -> Vec<(&str, usize)> {
        let named = |on: &machine::model::On| {
            (
                &*extended.events[usize::from(on.event)].name,
                on.transitions.len(),
            )
        };
        machine.states[at].events.iter().map(named).collect()
    };
    assert_eq!(events(0), [("sign-in", 4), ("make-up", 1)]);
    assert_eq!(machine.states[0].after.len(), 1);
    assert_eq!(machine.events.len(), 1);
    let make_up = extended
        .events
        .iter()
        .find(|event| &*event.name == "make-up")
        .unwrap();
    assert!(
        make_up.payload.is_empty(),
        "the campaign's event replaces the default one, its payload too"
    );
}

#[test]
fn files_are_optional_and_lists_are_known_by_their_files() {
    let (tenant, _) = story::example_tenant().unwrap();
    let files = Files::new();
    let text = format!("{SIGN_IN}\n{HEAD}\naudience: {{ any_of: [{{ list: vip }}] }}");
    let all: Vec<&dyn Activity> = support::all();
    let source = Source::new("test.yaml", text);
    let checked = check(
        &Input {
            campaign: "test",
            source,
            tenant: &tenant,
            files: &files,
        },
        &all,
    );
    assert!(
        checked.diagnostics.lines().contains("E0204 "),
        "{}",
        checked.diagnostics.lines()
    );
}

#[test]
fn too_many_of_anything_is_an_error_and_no_more() {
    let many = |count: usize, line: &dyn Fn(usize) -> String| {
        (0..count).map(line).collect::<Vec<_>>().join(", ")
    };
    let machine = "machine: { initial: s, states: { s: {} } }";
    let after = many(65, &|_| "{ in: 1 day }".to_owned());
    let vars = many(201, &|at| {
        format!("e{at}: [{{ when: count_total('e{at}') > 1 }}]")
    });
    let rows = [
        (
            "states",
            format!(
                "machine: {{ initial: s0, states: {{ {} }} }}",
                many(201, &|at| format!("s{at}: {{}}"))
            ),
        ),
        (
            "events",
            format!(
                "events: {{ {} }}\n{machine}",
                many(201, &|at| format!("e{at}: {{}}"))
            ),
        ),
        (
            "rewards",
            format!(
                "rewards: {{ {} }}\n{machine}",
                many(501, &|at| format!("r{at}: {{ title: R }}"))
            ),
        ),
        (
            "variables",
            format!(
                "context: {{ {} }}\n{machine}",
                many(61, &|at| format!("v{at}: 0"))
            ),
        ),
        (
            "after",
            format!("machine: {{ initial: s, states: {{ s: {{ after: [{after}] }} }} }}"),
        ),
        (
            "counts",
            format!("machine: {{ initial: s, states: {{ s: {{ events: {{ {vars} }} }} }} }}"),
        ),
    ];
    for (what, text) in rows {
        let checked = checked(&format!("activity: custom\n{text}"));
        let said = checked.diagnostics.lines();
        assert!(
            checked.definition.is_none() && said.contains("E0214 "),
            "{what}: {said}"
        );
    }
}

/// The example of the design's section 4, word for word but for the files it names.
#[test]
fn the_designs_wheel_has_nothing_wrong_with_it() {
    let text = "
activity: lottery
title: { zh-CN: 新春大转盘, en: Spring wheel }
rules: rules/a.{lang}.md
timezone: Asia/Shanghai
opens: 2026-12-01 10:00
closes: 2026-12-15 22:00
claim_until: 2027-01-15 22:00
testers: [{ list: inner-test }]
audience:
  any_of: [{ list: vip }, { tag: vip }, { signed_up_within: 7 days }]
  none_of: [{ list: staff }]
rewards:
  laptop:  { title: { zh-CN: 笔记本, en: Laptop }, kind: physical, stock: 2, cost: 5999.00, odds: 0.001%, per_user: 1 }
  coupon:  { title: { zh-CN: 10元券, en: ¥10 coupon }, kind: coupon, stock: 20000, cost: 10.00, odds: 10%, expires: 30 days }
  nothing: { title: { zh-CN: 谢谢参与, en: Next time }, odds: rest }
when_gone: { laptop: nothing, coupon: nothing }
pity: { losses_in_a_row: 9, then_give: coupon, starts_over_after: any-win }
chances: { first_visit: 3, each_day: 1, unused: keep, hold_at_most: 10 }
earn: { order-paid: { from: backend, chances: 1, per_day: 1 } }
budget: { total: 250000.00, per_day: 30000.00, when_spent: nothing }
durability: strict
messages: { no-chances: { zh-CN: 机会用完啦，明天再来, en: \"No chances left, come back tomorrow\" } }
machine:
  initial: playing
  states:
    playing:
      events:
        draw:
          transitions:
            - { when: chances == 0, reject: no-chances }
            - do: [{ take: { chances: 1 } }, { draw: wheel }]
              then: { won: { to: playing }, missed: { to: playing } }
";
    let (tenant, mut files) = story::example_tenant().unwrap();
    files.insert("rules/a.zh-CN.md".to_owned(), "# 规则".into());
    files.insert("rules/a.en.md".to_owned(), "# Rules".into());
    let all: Vec<&dyn Activity> = support::all();
    let input = Input {
        campaign: "wheel",
        source: Source::new("wheel.yaml", text),
        tenant: &tenant,
        files: &files,
    };
    let checked = check(&input, &all);
    assert_eq!(checked.diagnostics.lines(), "");
}
