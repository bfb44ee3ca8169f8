use super::*;

const WHEEL: &str = "\
# Spring 2026: closes on 2026-03-01, whatever happens.
activity: lottery            # the wheel
title: { zh-CN: 2026新春, en: \"Spring 2026\" }
rules: rules/spring.{lang}.md
opens: \"2026-02-01 10:00\"
closes: '2026-03-01 00:00'
claim_until: 2026-03-15T00:00:00+08:00
skip_days: [2026-02-17, 2026-02-18]
audience: { none_of: [{ list: staff }], all_of: [{ when: \"now < time('2026-02-20')\" }] }
rewards:
  mug:  { title: Mug, kind: physical, stock: 2026, cost: 2026.00, odds: 1%, deliver: { connector: shop, reference: mug-2026 } }
  code: { title: Code, kind: code, odds: rest }
give: { streak: { 3: { reward: mug, was: old } }, dates: { 2026-02-14: mug, '2026-02-16': code } }
moves: { gone: playing }
";

const STORIES: &str =
    "- story: one   # 2026\n  steps:\n    - { at: 2026-02-01 10:00, event: draw }\n";
const RULES: &str =
    "# Rules\n\nFrom 1 February 2026 to 2026年2月28日; prizes of 2026. Not on 14 February.\n";

fn files() -> Files {
    [
        ("spring.yaml", WHEEL),
        ("stories/spring.yaml", STORIES),
        ("rules/spring.en.md", RULES),
        ("rules/spring.zh-CN.md", "# 规则\n"),
        ("rules/spring-too.en.md", "another's\n"),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), Arc::from(text)))
    .collect()
}

fn renewed(to: &str, shift: &str) -> Renewal {
    let files = files();
    let original = Original {
        files: &files,
        folder: "configs/acme",
        campaign: "spring",
    };
    renew(&original, to, to == "spring", shift.parse().unwrap()).unwrap()
}

#[test]
fn every_date_is_later_and_nothing_else_is_touched() {
    let made = renewed("spring", "1y");
    assert_eq!((made.edition, made.files.len()), (2, 4));
    insta::assert_snapshot!(made.files["spring.yaml"]);
    let others = [
        "stories/spring.yaml",
        "rules/spring.en.md",
        "rules/spring.zh-CN.md",
    ];
    insta::assert_snapshot!(
        "others",
        others.map(|path| made.files[path].as_str()).join("---\n")
    );
}

#[test]
fn what_is_stale_is_flagged_at_its_place() {
    let of = |diagnostics: &Diagnostics| {
        diagnostics
            .iter()
            .map(|each| {
                let place = &each.place;
                format!(
                    "{} {}:{}:{} {}",
                    each.code,
                    place.source.name(),
                    place.line(),
                    place.column(),
                    each.message
                )
            })
            .collect::<Vec<_>>()
            .join("\n")
    };
    insta::assert_snapshot!(of(&renewed("spring", "1y").look()));
    let weeks = renewed("spring-27", "52w").look();
    assert!(
        !weeks
            .iter()
            .any(|each| each.code == crate::codes::OTHER_DAY)
    );
    assert!(of(&weeks).contains("`14 February` has no year and was not shifted"));
}

#[test]
fn under_another_name_it_is_a_campaign_of_its_own() {
    let made = renewed("spring-27", "1y");
    assert_eq!(made.edition, 1);
    let paths: Vec<_> = made.files.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "rules/spring-27.en.md",
            "rules/spring-27.zh-CN.md",
            "spring-27.yaml",
            "stories/spring-27.yaml"
        ]
    );
    let text = &made.files["spring-27.yaml"];
    assert!(text.contains("rules: rules/spring-27.{lang}.md\n") && !text.contains("edition"));
}

#[test]
fn the_29th_of_february() {
    let text = "activity: lottery\nedition: 3 # third\nopens: 2028-02-29\ncloses: 2028-03-31\n";
    let files: Files = [("leap.yaml".to_owned(), Arc::from(text))].into();
    let original = Original {
        files: &files,
        folder: "a",
        campaign: "leap",
    };
    let made = renew(&original, "leap", true, Shift::Months(12)).unwrap();
    assert_eq!(
        made.files["leap.yaml"],
        "activity: lottery\nedition: 4 # third\nopens: 2029-02-28\ncloses: 2029-03-31\n"
    );
    assert!(
        made.look()
            .lines()
            .contains("`2028-02-29` became `2029-02-28`: that month has no day 29"),
        "{}",
        made.look().lines()
    );
    // Four years on there is one again.
    let made = renew(&original, "leap", true, Shift::Months(48)).unwrap();
    assert!(made.files["leap.yaml"].contains("opens: 2032-02-29"));
}
