//! `gala doctor --store`: four servers that are set up differently, one that is away, and passwords that stay secret.

use std::path::{Path, PathBuf};

use testbed::{Server, free_port};

use super::ran::{Home, Ran, gala};

fn deployed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/redis.conf")
}

fn doctor(home: &Home, more: &[&str]) -> Ran {
    let ports = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    home.run(&[&["doctor"][..], &ports, more].concat())
}

/// What is wrong, and what else was remarked. The version's holes depend on which redis-server is installed.
fn remarks(ran: &Ran) -> (Vec<String>, Vec<String>) {
    let findings = ran.json();
    let named = |ok: bool| {
        let all = findings.as_array().unwrap().iter();
        all.filter(|found| found["ok"] == ok && (!ok || found["severity"].is_string()))
            .map(|found| found["check"].as_str().unwrap().to_owned())
            .filter(|check| check != "old-version" && check != "torn-tail-kept")
            .collect()
    };
    (named(false), named(true))
}

/// A server; what is wrong, what is remarked, and what it gives.
type Row<'a> = (Server, &'a [&'a str], &'a [&'a str], &'a str);

#[test]
fn four_servers_are_told_apart() {
    let home = Home::new();
    let everysec = [("appendonly", "yes"), ("appendfsync", "everysec")];
    let cache = [("maxmemory", "100mb"), ("maxmemory-policy", "allkeys-lru")];
    // The home's campaign has stock: it declares strict.
    let rows: [Row; 4] = [
        (
            Server::as_it_comes(&[]),
            &["durability", "no-aof"],
            &["no-memory-limit"],
            "it gives nothing that a campaign can declare; not answered: acme/wheel",
        ),
        (
            Server::configured(&deployed(), &[]),
            &[],
            &[],
            "it gives strict",
        ),
        (
            Server::as_it_comes(&everysec),
            &["durability", "fsync-everysec"],
            &["no-memory-limit"],
            "it gives standard at most; not answered: acme/wheel",
        ),
        (
            Server::as_it_comes(&cache),
            &["durability", "eviction", "no-aof"],
            &[],
            "it gives nothing that a campaign can declare; not answered: acme/wheel",
        ),
    ];
    for (redis, wrong, remarked, given) in rows {
        let ran = doctor(&home, &["--json", "--store", &redis.address()]);
        let (was_wrong, was_remarked) = remarks(&ran);
        assert_eq!(was_wrong, wrong, "{ran:?}");
        assert_eq!(was_remarked, remarked, "{ran:?}");
        assert_eq!(ran.code, i32::from(!wrong.is_empty()), "{ran:?}");
        let findings = ran.json();
        let named = |check: &str| {
            let mut all = findings.as_array().unwrap().iter();
            all.find(|found| found["check"] == check).cloned()
        };
        assert_eq!(named("durability").unwrap()["message"], given);
        assert!(named("data-folder").is_none(), "the store is elsewhere");
        assert!(
            named("clock").unwrap()["message"]
                .as_str()
                .unwrap()
                .contains("ms ahead of the store's")
        );
        for code in wrong.iter().filter(|&&code| code != "durability") {
            let found = named(code).unwrap();
            for field in ["severity", "loses", "way_out"] {
                assert!(found[field].is_string(), "{code} has {field}: {found}");
            }
        }
        let read = doctor(&home, &["--store", &redis.address()]);
        assert_eq!(
            (read.code, read.stderr.as_str()),
            (ran.code, ""),
            "{read:?}"
        );
        for code in wrong {
            assert!(
                read.stdout.contains(&format!("\nWRONG {code}: ")),
                "{read:?}"
            );
        }
    }
    assert!(!home.at("data").exists(), "looking makes nothing");
}

#[test]
fn everysec_is_enough_for_who_declares_no_more() {
    let home = Home::new();
    let file = home.at("configs/acme/wheel.yaml");
    let wheel = std::fs::read_to_string(file).unwrap();
    home.write(
        "configs/acme/wheel.yaml",
        &format!("{wheel}durability: standard\n"),
    );
    let redis = Server::as_it_comes(&[("appendonly", "yes")]);
    let output = gala(home.path())
        .args(["doctor", "--listen", "127.0.0.1:0"])
        .args(["--admin-listen", "127.0.0.1:0"])
        .env("GALA_STORE", redis.address())
        .output()
        .unwrap();
    let ran = Ran::from(output);
    assert_eq!(ran.code, 0, "{ran:?}");
    for line in [
        "ok    durability: it gives standard",
        "warn  fsync-everysec: ",
    ] {
        assert!(ran.stdout.contains(line), "{line}: {ran:?}");
    }
}

#[test]
fn what_is_away_is_wrong_and_what_is_no_address_is_usage() {
    let home = Home::new();
    let away = format!("redis://ann:s3cr3t@127.0.0.1:{}", free_port());
    for more in [&[][..], &["--json"][..]] {
        let ran = doctor(&home, &[more, &["--store", &away]].concat());
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stdout.contains("store"), "{ran:?}");
        assert!(!format!("{ran:?}").contains("s3cr3t"), "{ran:?}");
    }
    for url in [
        "nonsense",
        "http://127.0.0.1",
        "redis://ann:s3cr3t@127.0.0.1:port",
        "redis://ann:s3cr3t@127.0.0.1:1?replicas=many",
    ] {
        let ran = doctor(&home, &["--store", url]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{url}: {ran:?}");
        assert!(!ran.stderr.contains("s3cr3t"), "{ran:?}");
    }
    let help = gala(home.path())
        .args(["doctor", "--help"])
        .env("GALA_STORE", &away)
        .output()
        .unwrap();
    assert!(!format!("{:?}", Ran::from(help)).contains("s3cr3t"));
}

/// As the example in `deploy/redis.conf`: the password logs in and is never shown; without CONFIG it is said.
#[test]
fn a_server_with_users_is_looked_at_and_its_password_is_not_shown() {
    let home = Home::new();
    let redis = Server::configured(
        &deployed(),
        &[
            ("user", "ann on >s3cr3t ~* &* +@all"),
            ("user", "bob on >s3cr3t ~* &* +@all -config"),
        ],
    );
    let url =
        |user: &str, more: &str| format!("redis://{user}:s3cr3t@127.0.0.1:{}{more}", redis.port());
    let rows = [
        (url("ann", ""), 0, "it gives strict"),
        (
            url("bob", ""),
            1,
            "it gives nothing that a campaign can declare (unverified)",
        ),
        (
            url("bob", "?accept=unverified"),
            0,
            "it gives strict (unverified)",
        ),
    ];
    for (url, code, given) in rows {
        let ran = doctor(&home, &["--store", &url]);
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.stdout.contains(given), "{given}: {ran:?}");
        assert!(!format!("{ran:?}").contains("s3cr3t"), "{ran:?}");
    }
}
