//! Bundles that are whole, damaged in every place, and of another form. What real configs make of it: cli/tests.
#![cfg(feature = "yaml")]

use std::sync::Arc;

use crate::configs::{CampaignConfig, Compiled, Configs, Other, TenantConfigs};
use crate::diagnostic::Diagnostics;
use crate::source::Source;
use crate::tenant;

use super::{BundleError, read, write};

const TENANT: &str = "
name: { en: Acme, zh-CN: 艾可 }
timezone: Asia/Shanghai
languages: [en, zh-CN]
keys: [{ kid: users, alg: HS256, env: ACME_USERS }]
claims: { level: { type: int, default: 3 }, tags: { type: list } }
connectors: { desk: { kind: manual } }
quotas: { per_second: 7 }
";

fn sample() -> Configs {
    let mut out = Diagnostics::new();
    let tenant = tenant::read("acme", &Source::new("acme/tenant.yaml", TENANT), &mut out);
    let compiled = |text: &str, edition| Compiled {
        activity: "lottery".into(),
        edition,
        sha256: <sha2::Sha256 as sha2::Digest>::digest(text).into(),
        bytes: Arc::from(text.as_bytes()),
    };
    let campaign = |id: &str, compiled| CampaignConfig {
        id: id.to_owned(),
        compiled,
    };
    let members = ["ann", "李雷", "with\nline"].map(str::to_owned);
    Configs {
        tenants: vec![TenantConfigs {
            tenant: tenant.unwrap(),
            fonts: std::collections::BTreeMap::new(),
            lists: [("vip".to_owned(), members.into())].into(),
            campaigns: vec![
                campaign("one", Some(compiled("{\"a\":1}\n\n", 1))),
                campaign("two", Some(compiled("", 2))),
            ],
            others: vec![Other {
                activity: "sign-in".into(),
                sha256: [7; 32],
            }],
        }],
    }
}

#[test]
fn what_is_written_is_read() {
    let configs = sample();
    let bytes = write(&configs);
    let bundle = read(&bytes).unwrap();
    assert_eq!(bundle.configs, configs);
    assert_eq!(bundle.by, env!("CARGO_PKG_VERSION"));
    assert_eq!(
        write(&bundle.configs),
        bytes,
        "the same configs, the same bytes"
    );
    let nobody = Configs::default();
    assert_eq!(read(&write(&nobody)).unwrap().configs, nobody);
}

#[test]
fn a_campaign_with_errors_is_left_out() {
    let mut configs = sample();
    let whole = configs.clone();
    configs.tenants[0].campaigns.push(CampaignConfig {
        id: "broken".to_owned(),
        compiled: None,
    });
    assert_eq!(read(&write(&configs)).unwrap().configs, whole);
}

/// Whole, and yet not what it says: a store would be told that it has this campaign already.
#[test]
fn a_campaign_under_anothers_hash_is_refused() {
    let mut configs = sample();
    configs.tenants[0].campaigns[0]
        .compiled
        .as_mut()
        .unwrap()
        .sha256 = [7; 32];
    let said = read(&write(&configs)).unwrap_err().to_string();
    assert!(
        said.contains("a campaign is not what the index says"),
        "{said}"
    );
}

#[test]
fn no_damaged_byte_passes() {
    let bytes = write(&sample());
    for at in 0..bytes.len() {
        for bit in [0x01, 0x80] {
            let mut damaged = bytes.clone();
            damaged[at] ^= bit;
            assert!(read(&damaged).is_err(), "byte {at} ^ {bit:#x}");
        }
        assert!(read(&bytes[..at]).is_err(), "cut at {at}");
    }
    let longer = [bytes.as_slice(), b"\n"].concat();
    assert!(matches!(read(&longer), Err(BundleError::Damaged(_))));
}

#[test]
fn each_refusal_names_the_way_out() {
    let bytes = write(&sample());
    let text = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    for other in [
        &b""[..],
        b"PK\x03\x04",
        b"name: Acme\n",
        b"gala-bundles 1 x 1\ny",
    ] {
        assert!(
            text(other).contains("it is no bundle: `gala compile"),
            "{other:?}"
        );
    }
    let newer = [b"gala-bundle 2 ", &bytes[14..]].concat();
    assert_eq!(
        text(&newer),
        "it is of form 2, and this program reads up to 1: build the function with the Gala that compiled it, or compile it with this one"
    );
    assert!(matches!(
        read(b"gala-bundle 7 something else\n"),
        Err(BundleError::Newer(7))
    ));
    assert!(text(&bytes[..bytes.len() - 1]).contains("it is damaged (its length"));
    let mut damaged = bytes.clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert!(text(&damaged).contains("it is damaged (its checksum does not fit)"));
}
