//! `docs/DIAGNOSTICS.md` shows what people see: each mistake of it is made, and what is shown must be what stands there.
//! After a change of words, `GALA_UPDATE_DOCS=1` writes it anew.
#![allow(
    clippy::disallowed_methods,
    reason = "the page lies in the repository, and is compared with what is shown"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::activities;

const TENANT: &str = "name: { zh-CN: 示例, en: Example }
timezone: Asia/Shanghai
languages: [zh-CN, en]
keys: [{ kid: users, alg: HS256, env: USERS_KEY }]
claims: { level: int }
";

/// What a person sees of a campaign with a mistake, in a language, without colours.
fn seen(campaign: &str, language: Language) -> String {
    let files = [("acme/tenant.yaml", TENANT), ("acme/spring.yaml", campaign)]
        .map(|(path, text)| (path.to_owned(), Arc::from(text)));
    let loaded = campaign::load("configs", &files.into(), &activities::ALL);
    let said = loaded.diagnostics.in_language(language);
    let shown = said
        .iter()
        .map(|each| fancy(each, language, GraphicalTheme::unicode_nocolor()));
    let lines: String = shown.collect();
    let trimmed = lines.lines().map(str::trim_end);
    trimmed.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

/// The page with what is shown behind each campaign: a block `yaml`, then a block `text` in English and one in Chinese.
fn written(page: &str) -> String {
    let mut out = String::new();
    let mut blocks = page.split("```yaml\n");
    out += blocks.next().unwrap_or("");
    for block in blocks {
        let (campaign, rest) = block.split_once("```\n").unwrap();
        let words = rest.split_once("\n## ").map_or("", |(_, next)| next);
        let (english, chinese) = (
            seen(campaign, Language::English),
            seen(campaign, Language::Chinese),
        );
        write!(
            out,
            "```yaml\n{campaign}```\n\n```text\n{english}\n```\n\n```text\n{chinese}\n```\n"
        )
        .unwrap();
        if !words.is_empty() {
            write!(out, "\n## {words}").unwrap();
        }
    }
    out
}

#[test]
fn the_page_shows_what_people_see() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/DIAGNOSTICS.md");
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page.matches("```yaml\n").count() >= 10);
    let expected = written(&page);
    if std::env::var_os("GALA_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    assert!(
        page == expected || std::env::var_os("GALA_UPDATE_DOCS").is_some(),
        "docs/DIAGNOSTICS.md shows something else than people see; GALA_UPDATE_DOCS=1 writes it anew"
    );
}
