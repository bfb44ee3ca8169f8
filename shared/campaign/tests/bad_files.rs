//! A corpus of what goes wrong around campaigns: tenants, stories, lists; each with all that is said.
#![allow(
    clippy::disallowed_methods,
    reason = "the corpus is a folder, and a test may look which files are in it"
)]

mod said;
mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use campaign::{Diagnostics, Files, LoadedCampaign, load};

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

/// Where a file of the corpus lies, by the first word of its name.
fn path(name: &str) -> &'static str {
    match name.split('-').next() {
        Some("tenant") => "acme/tenant.yaml",
        Some("stories") => "acme/stories/spring.yaml",
        _ => "acme/lists/vip.csv",
    }
}

fn all(file: &str, text: &str) -> Diagnostics {
    let mut files: Files = [("acme/tenant.yaml", TENANT), ("acme/spring.yaml", CAMPAIGN)]
        .map(|(path, text)| (path.to_owned(), Arc::from(text)))
        .into();
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
