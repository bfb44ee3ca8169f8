//! A folder of configs as texts: tenants, campaigns, lists, stories, and what is wrong with the folder itself.

use std::sync::Arc;

use campaign::check::Files;
use campaign::{Activity, Loaded, load};

use crate::support;

const TENANT: &str = "
name: { zh-CN: 示例, en: Example }
timezone: Asia/Shanghai
currency: CNY
languages: [zh-CN, en]
keys: [{ kid: dev, alg: HS256, dev: true }]
";

const PACK: &str = "
activity: gift-pack
title: { zh-CN: 礼包, en: Pack }
opens: 2026-12-01 10:00
closes: 2026-12-15 22:00
audience: { any_of: [{ list: vip }] }
rewards: { coupon: { title: { zh-CN: 券, en: Coupon }, kind: coupon } }
";

const STORIES: &str = "
- story: listed
  lists: [vip]
  steps: [{ event: claim, gives: [coupon] }]
- story: not listed
  steps: [{ event: claim, gives: [coupon] }]
";

fn loaded(files: &[(&str, &str)]) -> Loaded {
    let files: Files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), Arc::from(*text)))
        .collect();
    let all: Vec<&dyn Activity> = support::all();
    load("configs", &files, &all)
}

fn errors(loaded: &Loaded) -> Vec<String> {
    let all = loaded
        .diagnostics
        .iter()
        .filter(|each| each.code.starts_with('E'));
    all.map(|each| {
        format!(
            "{} {}:{}",
            each.code,
            each.place.source.name(),
            each.place.line()
        )
    })
    .collect()
}

#[test]
fn a_folder_is_tenants_with_their_campaigns() {
    let loaded = loaded(&[
        ("README.md", "not a tenant's"),
        (".keys/acme/dev", "secret"),
        ("acme/tenant.yaml", TENANT),
        ("acme/pack.yaml", PACK),
        (
            "acme/lists/vip.csv",
            "\u{feff}member\r\nmember-1\r\n\r\nmember-2\r\n",
        ),
        ("acme/stories/pack.yaml", STORIES),
        ("acme/rules/pack.en.md", "# Rules"),
    ]);
    assert_eq!(errors(&loaded), [""; 0]);
    let [tenant] = loaded.tenants.as_slice() else {
        panic!("one tenant")
    };
    assert_eq!(
        tenant.lists["vip"].iter().collect::<Vec<_>>(),
        ["member-1", "member-2"]
    );
    let [pack] = tenant.campaigns.as_slice() else {
        panic!("one campaign")
    };
    assert_eq!(&*pack.definition.as_ref().unwrap().campaign, "pack");
    let report = pack.play().unwrap();
    assert_eq!(
        (report.played, report.failed),
        (2, vec!["not listed".to_owned()])
    );
    assert_eq!(
        report.failures.lines(),
        "E0905 6:11 expected it to be taken, got rejected: not-eligible"
    );
}

#[test]
fn what_is_wrong_with_a_folder_is_said_at_its_files() {
    let loaded = loaded(&[
        ("Acme/tenant.yaml", TENANT),
        ("beta/pack.yaml", PACK),
        ("gamma/tenant.yaml", TENANT),
        ("gamma/pack.yaml", PACK),
        ("gamma/Big_Pack.yaml", PACK),
        ("gamma/old.yml", PACK),
        ("gamma/stories/gone.yaml", STORIES),
        ("gamma/lists/staff.csv", "member\nmember-1,Anna\n"),
    ]);
    assert_eq!(
        errors(&loaded),
        [
            "E0902 configs/Acme/:1",
            "E0901 configs/beta/tenant.yaml:1",
            "E0902 configs/gamma/Big_Pack.yaml:1",
            "E0903 configs/gamma/lists/staff.csv:2",
            "E0902 configs/gamma/old.yml:1",
            "E0204 configs/gamma/pack.yaml:6",
            "E0901 configs/gamma/stories/gone.yaml:1",
        ]
    );
    assert!(
        loaded.tenants[0]
            .campaigns
            .iter()
            .all(|campaign| campaign.definition.is_none())
    );
}
