//! `gala compile`: what goes into a bundle, what never does, and that campaigns are in it what they are in their files.

use std::path::Path;

use campaign::tenant::{KeySource, Tenant};
use campaign::{Diagnostics, Other, bundle, story};
use serde_json::{Value as Json, json};

use super::ran::Home;

const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn read(home: &Home, name: &str) -> bundle::Bundle {
    bundle::read(&std::fs::read(home.at(name)).unwrap()).unwrap()
}

fn repository() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs")
}

/// Each campaign of the repository comes back as it is in its file, and plays its stories to the end.
#[test]
fn the_campaigns_of_a_bundle_are_those_of_the_files() {
    let home = Home::new();
    let configs = repository();
    let told = home.run(&[
        "compile",
        configs.to_str().unwrap(),
        "--out",
        "all",
        "--json",
    ]);
    assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{told:?}");
    let told = told.json();
    let bundled = read(&home, "all");
    assert_eq!(told["tenants"], json!(["acme", "orchid"]));
    assert_eq!(
        told["bytes"],
        std::fs::metadata(home.at("all")).unwrap().len()
    );

    let files = function::registry::read(&configs).unwrap();
    let loaded = campaign::load("configs", &files, &together::ALL);
    let (mut campaigns, mut stories) = (0, 0);
    for (tenant, found) in loaded.tenants.iter().zip(&bundled.configs.tenants) {
        assert_eq!(found.lists, tenant.lists);
        let without_admins = Tenant {
            admin_keys: Vec::new(),
            ..tenant.tenant.clone()
        };
        assert_eq!(found.tenant, without_admins);
        assert_eq!(found.campaigns.len(), tenant.campaigns.len());
        for file in &tenant.campaigns {
            let definition = file.definition.clone().unwrap();
            let compiled = found.campaign(&file.id).unwrap().compiled.clone().unwrap();
            assert_eq!(
                compiled.sha256,
                campaign::codec::sha256(&definition),
                "{}",
                file.id
            );
            let from_bundle = compiled.definition().unwrap();
            assert_eq!(from_bundle, definition, "{}", file.id);
            let linked = campaign::link(from_bundle, 1).unwrap();
            let mut out = Diagnostics::new();
            let told = story::read(file.stories.as_ref().unwrap(), &linked, &mut out);
            let report = story::run(&linked, &told);
            assert_eq!(report.failures.lines(), "", "{}", file.id);
            campaigns += 1;
            stories += report.played;
        }
    }
    assert_eq!(told["campaigns"].as_array().unwrap().len(), campaigns);
    assert!(
        campaigns > 10 && stories > campaigns,
        "{campaigns} {stories}"
    );
}

#[test]
fn the_same_configs_give_the_same_bytes() {
    let home = Home::new();
    for out in ["one", "two"] {
        let ran = home.run(&["compile", "configs", "--out", out]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(
            ran.stdout
                .starts_with("acme/wheel lottery edition 1 sha256 "),
            "{ran:?}"
        );
        assert!(ran.stderr.contains("1 campaigns of 1 tenants"), "{ran:?}");
        assert!(
            ran.stderr.contains("`users` is a development key"),
            "{ran:?}"
        );
    }
    let bytes = |name| std::fs::read(home.at(name)).unwrap();
    assert_eq!(bytes("one"), bytes("two"));
}

#[test]
fn only_what_is_asked_for() {
    let home = Home::new();
    let configs = repository();
    let configs = configs.to_str().unwrap();
    let ran = home.run(&[
        "compile",
        configs,
        "--out",
        "some",
        "--tenant",
        "orchid",
        "--activity",
        "sign-in",
        "--json",
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let campaigns = ran.json()["campaigns"].clone();
    let named: Vec<&Json> = campaigns
        .as_array()
        .unwrap()
        .iter()
        .map(|each| &each["campaign"])
        .collect();
    assert_eq!(named, [&json!("monthly-checkin")]);
    let bundled = read(&home, "some").configs;
    assert_eq!(
        (bundled.tenants.len(), bundled.tenants[0].campaigns.len()),
        (1, 1)
    );
    // The rest is named by its hash, for a function to know that it is not its own.
    let all = home.run(&["compile", configs, "--out", "all", "--tenant", "orchid"]);
    assert_eq!(all.code, 0, "{all:?}");
    let campaigns = &read(&home, "all").configs.tenants[0].campaigns;
    let rest = campaigns
        .iter()
        .map(|found| found.compiled.as_ref().unwrap());
    let rest: Vec<Other> = rest
        .filter(|found| &*found.activity != "sign-in")
        .map(|found| Other {
            activity: found.activity.clone(),
            sha256: found.sha256,
        })
        .collect();
    assert!(rest.len() > 1);
    assert_eq!(bundled.tenants[0].others, rest);
    for (flag, name, words) in [
        ("--tenant", "orchd", "there is no tenant `orchd` in"),
        (
            "--activity",
            "lotery",
            "there is no activity `lotery`: there are `sign-in`, ",
        ),
    ] {
        let ran = home.run(&["compile", configs, "--out", "none", flag, name]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(words), "{ran:?}");
        assert!(!home.at("none").exists());
    }
}

#[test]
fn a_file_with_errors_gives_no_bundle() {
    let home = Home::new();
    home.write("configs/acme/bad.yaml", "activity: lottery\ntitle: Bad\n");
    let ran = home.run(&["compile", "configs", "--out", "none"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("configs/acme/bad.yaml:1:"), "{ran:?}");
    assert!(ran.stderr.contains("nothing was compiled: "), "{ran:?}");
    let as_json = home.run(&["compile", "configs", "--out", "none", "--json"]);
    assert_eq!(
        (as_json.code, as_json.stderr.as_str()),
        (1, ""),
        "{as_json:?}"
    );
    assert!(
        as_json
            .json()
            .as_array()
            .unwrap()
            .iter()
            .any(|found| found["severity"] == "error")
    );
    assert!(!home.at("none").exists());
    // Errors of a tenant that was not asked for are none of its business.
    let tenant = std::fs::read_to_string(home.at("configs/acme/tenant.yaml")).unwrap();
    home.write("configs/other/tenant.yaml", &tenant);
    let ran = home.run(&["compile", "configs", "--out", "some", "--tenant", "other"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

/// Public keys go in, secrets stay names, keys of admins are left out, and a private key is refused.
#[test]
fn no_secret_goes_in() {
    let home = Home::new();
    let tenant = "
name: { en: Acme, zh-CN: 艾可 }
timezone: Asia/Shanghai
languages: [en, zh-CN]
keys:
  - { kid: public, alg: EdDSA, file: keys/users.pub }
  - { kid: secret, alg: HS256, file: keys/users.secret }
admin_keys: [{ kid: staff, alg: EdDSA, file: keys/staff.pub }]
service_keys: [{ kid: backend, alg: HS256, env: ACME_BACKEND }]
claims: { level: { type: int, default: 0 }, tags: { type: list } }
";
    let secret = "the-secret-itself-of-more-than-32-bytes";
    home.write("configs/acme/tenant.yaml", tenant);
    home.write("configs/acme/keys/users.pub", PUBLIC);
    home.write("configs/acme/keys/users.secret", secret);
    // Not even looked at.
    home.write("configs/acme/keys/staff.pub", "nonsense");
    let ran = home.run(&["compile", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let needs = json!([
        { "tenant": "acme", "kid": "secret", "source": { "file": "keys/users.secret" } },
        { "tenant": "acme", "kid": "backend", "source": { "env": "ACME_BACKEND" } },
    ]);
    assert_eq!(ran.json()["needs"], needs);
    let text = String::from_utf8(std::fs::read(home.at("gala.bundle")).unwrap()).unwrap();
    assert!(!text.contains(secret) && !text.contains("staff"), "{text}");
    let found = &read(&home, "gala.bundle").configs.tenants[0].tenant;
    assert_eq!(found.keys[0].source, KeySource::Public(PUBLIC.to_owned()));
    assert!(found.admin_keys.is_empty());

    home.write(
        "configs/acme/keys/users.pub",
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n",
    );
    let ran = home.run(&["compile", "--out", "none"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stderr
            .contains("error[key]: tenant `acme`: key `public`"),
        "{ran:?}"
    );
    assert!(
        !ran.stderr.contains("MC4C") && !home.at("none").exists(),
        "{ran:?}"
    );
}
