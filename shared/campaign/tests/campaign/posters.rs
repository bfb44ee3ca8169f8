//! Posters in a campaign's file: what is frozen of them, and what they may say.

use campaign::changes::{Effect, changes, public};
use campaign::posters::{self, Holds, content, placeholders};
use campaign::{Files, codec, codes, load};
use machine::Definition;
use machine::model::PosterFile;

use crate::support;

const TENANT: &str = "name: { zh-CN: 示例, en: Example }
timezone: Asia/Shanghai
languages: [zh-CN, en]
keys: [{ kid: users, alg: HS256, env: USERS_KEY }]
claims: { name: string, avatar: string, level: int, tags: list }
posters: { picture_hosts: [codes.example.com] }
";

const CAMPAIGN: &str = r#"activity: sign-in
title: { zh-CN: 打卡, en: Days }
opens: 2026-12-01 10:00
closes: 2026-12-15 22:00
rewards:
  points: { title: { zh-CN: 积分, en: Points }, kind: points, amount: 10 }
give: { each_day: points }
context: { secret: 0, seen: { type: int, show: true } }
share: { url: "https://m.example.com/{campaign}?from={share.id}" }
posters:
  plain: posters/plain.svg
  streak:
    template: posters/streak.{lang}.svg
    when: streak >= 3
    words: { cheer: { zh-CN: 坚持, en: Keep on } }
    figures: { left: 30 - total_days }
    pictures: { code: "https://codes.example.com/{share.id}.png" }
"#;

const SKY: &str = "iVBORw0KGgo=";

fn files() -> Files {
    let svg = |name: &str| format!("<svg><image href=\"{name}\"/></svg>");
    [
        ("acme/tenant.yaml", TENANT.to_owned()),
        ("acme/days.yaml", CAMPAIGN.to_owned()),
        ("acme/posters/plain.svg", svg("art/sky.png")),
        ("acme/posters/streak.zh-CN.svg", svg("./art/sky.png")),
        ("acme/posters/streak.en.svg", svg("none.png")),
        ("acme/posters/art/sky.png", SKY.to_owned()),
        ("acme/posters/art/other.png", SKY.to_owned()),
    ]
    .map(|(path, text)| (path.to_owned(), text.into()))
    .into()
}

/// What is said of these files, and the definition if there is one.
fn checked(files: &Files) -> (Option<Definition>, Vec<(&'static str, String)>) {
    let mut loaded = load("configs", files, &support::all());
    let found = loaded.diagnostics.iter();
    let said = found
        .filter(|each| each.code.contains("20") || each.code.starts_with('E'))
        .map(|each| (each.code, each.message.clone()))
        .collect();
    let tenant = loaded.tenants.first_mut();
    let definition = tenant.and_then(|tenant| tenant.campaigns.first_mut()?.definition.take());
    (definition, said)
}

fn definition(files: &Files) -> Definition {
    let (definition, said) = checked(files);
    definition.unwrap_or_else(|| panic!("{said:?}"))
}

fn edited(from: &str, to: &str) -> Vec<(&'static str, String)> {
    assert!(CAMPAIGN.contains(from), "`{from}` is not there");
    let mut files = files();
    let text = CAMPAIGN.replace(from, to);
    files.insert("acme/days.yaml".to_owned(), text.into());
    checked(&files).1
}

#[test]
fn templates_and_the_pictures_they_name_are_frozen() {
    let found = definition(&files());
    let paths: Vec<&str> = found.posters.files.keys().map(|path| &**path).collect();
    let expected = [
        "posters/art/sky.png",
        "posters/plain.svg",
        "posters/streak.en.svg",
        "posters/streak.zh-CN.svg",
    ];
    assert_eq!(paths, expected);
    assert_eq!(
        found.posters.files["posters/art/sky.png"],
        PosterFile::Picture(SKY.into())
    );
    let streak = found.posters.named("streak").unwrap();
    assert_eq!(
        posters::file(&found.posters, "posters/plain.svg", "art/sky.png").unwrap(),
        b"\x89PNG\r\n\x1a\n"
    );
    assert_eq!(
        &**streak.template("en", "zh-CN").unwrap(),
        "posters/streak.en.svg"
    );
    assert_eq!(
        &**streak.template("fr", "zh-CN").unwrap(),
        "posters/streak.zh-CN.svg"
    );
    assert!(streak.when.is_some());
}

#[test]
fn another_byte_of_a_template_or_a_picture_is_another_revision() {
    let before = definition(&files());
    let hash = codec::sha256(&before);
    assert_eq!(codec::decode(&codec::encode(&before)).unwrap(), before);
    for path in ["acme/posters/plain.svg", "acme/posters/art/sky.png"] {
        let mut files = files();
        files.insert(path.to_owned(), format!("{}=", files[path]).into());
        let after = definition(&files);
        assert_ne!(codec::sha256(&after), hash, "{path}");
        let found = changes(&before, &after);
        assert!(
            found
                .iter()
                .all(|change| change.effect == Effect::None
                    && change.subject.starts_with("posters.")),
            "{found:?}"
        );
        assert!(!found.is_empty());
        assert!(public(&found).is_empty());
    }
    let mut files = files();
    files.insert("acme/posters/art/other.png".to_owned(), "AAAA".into());
    assert_eq!(codec::sha256(&definition(&files)), hash, "nobody names it");
}

#[test]
fn a_campaign_without_posters_has_the_bytes_it_always_had() {
    let mut files = files();
    let text = CAMPAIGN.split("share:").next().unwrap();
    files.insert("acme/days.yaml".to_owned(), text.into());
    let bytes = codec::encode(&definition(&files));
    assert!(!String::from_utf8(bytes).unwrap().contains("posters"));
}

#[test]
fn placeholders_are_what_is_declared_and_shown() {
    let found = definition(&files());
    let streak = found.posters.named("streak").unwrap();
    let known = placeholders(&found, streak);
    let holds = |path: &str| {
        let mut known = known.iter();
        known.find(|each| each.path == path).map(|each| each.holds)
    };
    assert_eq!(holds("user.name"), Some(Holds::Said));
    assert_eq!(holds("user.tags"), None, "a list has no place on a poster");
    assert_eq!(holds("context.secret"), None, "not shown");
    assert!(holds("context.seen").is_some_and(Holds::is_text));
    assert!(holds("context.streak").is_some_and(Holds::is_text));
    assert!(holds("figures.left").is_some());
    assert!(holds("pictures.code").is_some_and(Holds::is_picture));
    assert!(holds("share.url").is_some_and(Holds::is_code));
    let longest = content::longest(&found, streak, "Example", "en");
    assert_eq!(longest["context.streak"], "9,999,999");
    assert_eq!(longest["words.cheer"], "Keep on");
    assert_eq!(longest["user.name"].chars().count(), 20);
    assert_eq!(longest["campaign.closes"], "15 December 2026, 22:00");
    assert!(longest["share.url"].ends_with("?from=k7Qm2xW9aB3dE5fG"));
}

#[test]
fn what_can_not_be_frozen_is_told_with_a_way_out() {
    let rows = [
        ("posters/plain.svg", "plain.svg", codes::POSTER_TEMPLATE),
        (
            "posters/plain.svg",
            "posters/plane.svg",
            codes::FILE_MISSING,
        ),
        (
            "posters/plain.svg",
            "posters/../days.yaml",
            codes::POSTER_TEMPLATE,
        ),
        ("https://m.", "http://m.", codes::SHARE_ADDRESS),
        ("{share.id}\"", "{share.ids}\"", codes::SHARE_ADDRESS),
        ("?from={share.id}", "", codes::SHARE_NOBODY),
        (
            "codes.example.com",
            "codes.example.org",
            codes::PICTURE_HOST,
        ),
        ("30 - total_days", "30 - days_in_all", codes::EXPR_NAME),
        ("streak >= 3", "streak", codes::EXPR_RESULT),
    ];
    for (from, to, code) in rows {
        let said = edited(from, to);
        let codes: Vec<&str> = said.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, [code], "{to}: {said:?}");
    }
}

#[test]
fn what_is_too_large_for_a_revision_is_refused() {
    let large = "A".repeat(posters::PICTURE_BYTES / 3 * 4 + 8);
    let mut with = files();
    with.insert("acme/posters/art/sky.png".to_owned(), large.into());
    let (definition, said) = checked(&with);
    assert!(definition.is_none());
    assert!(
        said.iter().all(|(code, _)| *code == codes::TOO_BIG),
        "{said:?}"
    );
    let svg = format!("<svg>{}</svg>", " ".repeat(posters::TEMPLATE_BYTES));
    let mut with = files();
    with.insert("acme/posters/plain.svg".to_owned(), svg.into());
    assert!(checked(&with).0.is_none());
}

#[test]
fn what_is_sent_takes_the_place_of_posters_and_of_nothing_else() {
    for path in ["posters/a.svg", "posters/art/b.JPG"] {
        assert!(posters::is_file(path), "{path}");
    }
    for path in [
        "tenant.yaml",
        "posters/../tenant.yaml",
        "posters/a.yaml",
        "posters/.a.svg",
        "rules/a.svg",
        "posters//a.svg",
    ] {
        assert!(!posters::is_file(path), "{path}");
    }
    let own: Files = files()
        .into_iter()
        .filter_map(|(path, text)| Some((path.strip_prefix("acme/")?.to_owned(), text)))
        .collect();
    let named: Vec<String> = posters::named_in(CAMPAIGN, &own).into_keys().collect();
    let expected = [
        "posters/art/sky.png",
        "posters/plain.svg",
        "posters/streak.en.svg",
        "posters/streak.zh-CN.svg",
    ];
    assert_eq!(named, expected);
}
