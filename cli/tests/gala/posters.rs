//! `gala poster`, and what is said of templates, each explained code with its examples.

use std::collections::BTreeMap;
use std::sync::Arc;

use campaign::explain::{self, Example};
use campaign::posters::check::CODES;
use campaign::{Diagnostics, Files, Language, Severity};
use function::posters::Care;

use super::ran::Home;

const TENANT: &str = "name: { zh-CN: 示例, en: Example }
timezone: Asia/Shanghai
languages: [zh-CN, en]
keys: [{ kid: users, alg: HS256, env: USERS_KEY }]
claims: { name: string, avatar: string }
";

const CAMPAIGN: &str = "activity: custom
title: { zh-CN: 示例, en: Example }
opens: 2026-12-01 10:00
closes: 2026-12-15 22:00
rewards:
  coupon: { title: { zh-CN: 5元券, en: ¥5 coupon }, kind: coupon }
context: { secret: 0, seen: { type: int, show: true } }
machine:
  initial: start
  states:
    start: { events: { go: [{ do: [{ give: coupon }] }] } }
";

const NAMES: &str = "posters: { spring: posters/spring.svg }\n";

const PLAIN: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"300\" height=\"400\"><rect width=\"300\" height=\"400\" fill=\"#ffffff\"/></svg>\n";

/// All that is said of an example: a template, or what is added to a campaign that may name one.
fn said(example: &Example) -> Diagnostics {
    let mut files = BTreeMap::from([
        ("acme/tenant.yaml".to_owned(), TENANT.to_owned()),
        ("acme/posters/spring.svg".to_owned(), PLAIN.to_owned()),
        ("acme/example.yaml".to_owned(), format!("{CAMPAIGN}{NAMES}")),
    ]);
    let (path, text) = match example.place {
        "custom" => (
            "acme/example.yaml".to_owned(),
            format!("{CAMPAIGN}{}", example.text),
        ),
        place => (format!("acme/{place}"), example.text.to_owned()),
    };
    files.insert(path, text);
    let files: Files = files
        .into_iter()
        .map(|(path, text)| (path, Arc::from(text)))
        .collect();
    let mut loaded = campaign::load("configs", &files, &together::ALL);
    function::posters::check(&mut loaded, "configs", Care::Full);
    loaded.diagnostics
}

#[test]
fn explained_templates_have_their_mistake_and_no_other() {
    let mut wrong = Vec::new();
    for code in CODES {
        let page = explain::explain(code).unwrap();
        let found = said(&page.wrong);
        let others = found
            .iter()
            .any(|each| each.code != code && each.severity == Severity::Error);
        if others || !found.iter().any(|each| each.code == code) {
            wrong.push(format!("{code}, wrong:\n{}", found.lines()));
        }
        let right = said(&page.right);
        if right.has_errors() || right.iter().any(|each| each.code == code) {
            wrong.push(format!("{code}, right:\n{}", right.lines()));
        }
        // The places are the drawing's own, and the words are Chinese where that is asked for.
        for each in found.iter().filter(|each| each.code == code) {
            if !each
                .place
                .source
                .name()
                .starts_with("configs/acme/posters/")
            {
                wrong.push(format!("{code} stands in {}", each.place.source.name()));
            }
            let chinese = each.in_language(Language::Chinese);
            let help = chinese.help.clone().unwrap_or_default();
            for text in [&chinese.message, &help] {
                let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
                if !text.chars().any(is_chinese) || text.contains(&each.message) {
                    wrong.push(format!("{code} has English words: {text}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// A home with the example campaign and a template of it.
fn home(svg: &str) -> Home {
    let home = Home::new();
    home.write("configs/orchard/tenant.yaml", TENANT);
    let document = format!(
        "{CAMPAIGN}{NAMES}share: {{ url: \"https://m.example.com/{{campaign}}?from={{share.id}}\" }}\n"
    );
    home.write("configs/orchard/example.yaml", &document);
    home.write("configs/orchard/posters/spring.svg", svg);
    home
}

const GOOD: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="300" height="400">
  <rect width="300" height="400" fill="#ffffff"/>
  <circle id="picture user.avatar" cx="60" cy="60" r="36" fill="#88aacc"/>
  <text x="20" y="140" font-size="24" fill="#222222">{{ user.name }}</text>
  <text x="20" y="180" font-size="20" fill="#222222">{{ campaign.title }}</text>
  <rect id="qr share.url" x="75" y="220" width="150" height="150" fill="#ffffff"/>
</svg>
"##;

#[test]
fn a_template_is_drawn_with_its_campaign() {
    let home = home(GOOD);
    let file = "configs/orchard/posters/spring.svg";
    let ran = home.run(&["poster", file]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "spring.png\n"),
        "{ran:?}"
    );
    let png = std::fs::read(home.0.path().join("spring.png")).unwrap();
    assert_eq!(png.get(1..4), Some(&b"PNG"[..]));
    let ran = home.run(&[
        "--json",
        "poster",
        file,
        "--language",
        "en",
        "--scale",
        "2",
        "--out",
        "two.jpg",
        "--set",
        "user.name=Anna",
        "--picture",
        "user.avatar=spring.png",
    ]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let told = ran.json();
    assert_eq!(
        (told["width"].as_u64(), told["height"].as_u64()),
        (Some(600), Some(800))
    );
    assert_eq!(told["campaign"], "example");
    assert_eq!(told["warnings"].as_array().map(Vec::len), Some(0), "{told}");
    let sheet = home.run(&["poster", file, "--sheet", "--out", "sheet.webp"]);
    assert_eq!(
        (sheet.code, sheet.stdout.as_str()),
        (0, "sheet.webp\n"),
        "{sheet:?}"
    );
    assert_eq!(home.run(&["poster", file, "--check"]).code, 0);
}

#[test]
fn what_makes_no_sense_is_told() {
    let home = home(GOOD);
    let file = "configs/orchard/posters/spring.svg";
    let rows: [(&[&str], &str); 7] = [
        (&["--set", "user.nam=Anna"], "did you mean `user.name`?"),
        (&["--set", "Anna"], "write `user.name=Anna`"),
        (&["--picture", "user.avatar=none.png"], "can't be read"),
        (&["--language", "fr"], "it has zh-CN, en"),
        (&["--out", "poster.gif"], "it ends in .png, .jpg or .webp"),
        (&["--campaign", "nothing"], "has no poster"),
        (&["--scale", "3"], "3"),
    ];
    for (args, words) in rows {
        let ran = home.run(&[&["poster", file], args].concat());
        assert_eq!(ran.code, 2, "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(words), "{args:?}: {ran:?}");
    }
    assert_eq!(home.run(&["poster", "configs/none.svg"]).code, 2);
}

#[test]
fn a_wrong_template_is_red_wherever_it_is_looked_at() {
    let home = home(&GOOD.replace("campaign.title", "campaign.titel"));
    let file = "configs/orchard/posters/spring.svg";
    let place = "configs/orchard/posters/spring.svg:5:";
    for args in [
        &["poster", file, "--check"][..],
        &["check", "configs"],
        &["check", file],
    ] {
        let ran = home.run(args);
        assert_eq!(ran.code, 1, "{args:?}: {ran:?}");
        assert!(
            ran.stdout.contains(place) && ran.stdout.contains("did you mean `campaign.title`?"),
            "{args:?}: {ran:?}"
        );
    }
    let alone = home.run(&["poster", file]);
    assert_eq!((alone.code, alone.stdout.as_str()), (1, ""), "{alone:?}");
    assert!(alone.stderr.contains(place), "{alone:?}");
    // Outside of a tenant's folder there is no campaign that could know more.
    home.write(
        "alone.svg",
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100\" height=\"100\"><script/></svg>",
    );
    let ran = home.run(&["poster", "alone.svg", "--check"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("alone.svg:1:"), "{ran:?}");
}
