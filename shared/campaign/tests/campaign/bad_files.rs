//! A corpus of what goes wrong around campaigns: tenants, stories, lists; each with all that is said.
#![allow(
    clippy::disallowed_methods,
    reason = "the corpus is a folder, and a test may look which files are in it"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use campaign::{Diagnostics, Files, LoadedCampaign, load};

use crate::said;
use crate::support;

const TENANT: &str = "name: { zh-CN: 示例, en: Example }
timezone: Asia/Shanghai
languages: [zh-CN, en]
keys: [{ kid: users, alg: HS256, env: USERS_KEY }]
claims: { level: int }
";

const CAMPAIGN: &str = "activity: custom
title: { zh-CN: 示例, en: Example }
opens: 2026-12-01 10:00
closes: 2026-12-15 22:00
rewards:
  coupon: { title: { zh-CN: 券, en: Coupon }, kind: coupon }
machine:
  initial: start
  states:
    start: { events: { go: [{ do: [{ give: coupon }] }] } }
";

const WHEEL: &str = "activity: lottery
title: { zh-CN: 示例, en: Example }
rules: rules/wheel.{lang}.md
opens: 2026-12-01 10:00
closes: 2026-12-15 22:00
rewards:
  laptop:  { title: { zh-CN: 笔记本, en: Laptop }, kind: physical, stock: 2, cost: 5999.00, odds: 0.1% }
  coupon:  { title: { zh-CN: 券, en: Coupon }, kind: coupon, odds: 10% }
  nothing: { title: { zh-CN: 谢谢, en: Next time }, odds: rest }
chances: { first_visit: 1 }
";

/// Where a file of the corpus lies, by the first word of its name.
fn path(name: &str) -> &'static str {
    match name.split('-').next() {
        Some("tenant") => "acme/tenant.yaml",
        Some("stories") => "acme/stories/spring.yaml",
        Some("rules") => "acme/rules/wheel.en.md",
        // Campaigns of a tenant under a law.
        Some("law") => "acme/wheel.yaml",
        _ => "acme/lists/vip.csv",
    }
}

fn all(file: &str, text: &str) -> Diagnostics {
    let mut files: Files = [("acme/tenant.yaml", TENANT), ("acme/spring.yaml", CAMPAIGN)]
        .map(|(path, text)| (path.to_owned(), Arc::from(text)))
        .into();
    if path(file).starts_with("acme/rules/") {
        files.insert("acme/wheel.yaml".to_owned(), Arc::from(WHEEL));
        files.insert(
            "acme/rules/wheel.zh-CN.md".to_owned(),
            Arc::from("{{ rewards }}"),
        );
    }
    if path(file) == "acme/wheel.yaml" {
        let law =
            format!("{TENANT}organizer: {{ zh-CN: 示例有限公司, en: Example Ltd. }}\nlaw: CN\n");
        files.insert("acme/tenant.yaml".to_owned(), Arc::from(law));
        files.remove("acme/spring.yaml");
        for language in ["zh-CN", "en"] {
            let rules = format!("acme/rules/wheel.{language}.md");
            files.insert(rules, Arc::from("One wheel."));
        }
        files.insert(
            "acme/rules/wheel.en.md".to_owned(),
            Arc::from("{{ budget }}"),
        );
    }
    files.insert(path(file).to_owned(), Arc::from(text));
    let activities = support::all();
    let loaded = load("configs", &files, &activities);
    let mut found = loaded.diagnostics;
    let campaigns = loaded.tenants.iter().flat_map(|tenant| &tenant.campaigns);
    for report in campaigns.filter_map(LoadedCampaign::play) {
        found.extend(report.failures);
    }
    found.sorted()
}

#[test]
fn every_mistake_is_found_at_its_place() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_files");
    let mut paths: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let (mut chinese, mut wrong) = (BTreeSet::new(), Vec::new());
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let found = all(&name, &std::fs::read_to_string(&path).unwrap());
        said::once(&name, &found, &mut wrong);
        said::in_chinese(&found, &mut chinese, &mut wrong);
        insta::assert_snapshot!(name.as_str(), said::lines(&name, &found));
    }
    insta::assert_snapshot!("files_in_chinese", said::sorted(chinese));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
