//! A sound server, and what each single change to it brings up.

use super::super::{Fsync, Memory, Persistence, Replica, Settings};
use super::*;

/// As `deploy/redis.conf` sets it up.
fn sound() -> Server {
    Server {
        product: "redis".to_owned(),
        version: "7.2.11".parse().unwrap(),
        run_id: "r".to_owned(),
        replication_id: "h".to_owned(),
        role: Role::Primary,
        in_cluster: false,
        replicas: Vec::new(),
        persistence: Persistence {
            aof: true,
            loading: false,
            aof_write_ok: true,
            aof_rewrite_ok: true,
            snapshot_ok: true,
        },
        memory: Memory {
            used: 10,
            limit: 100,
            machine: 200,
            policy: Some("noeviction".to_owned()),
        },
        settings: Some(Settings {
            fsync: Fsync::Always,
            unsynced_on_rewrite: false,
            load_truncated: false,
            min_replicas_to_write: 0,
            min_replicas_max_lag_secs: 10,
            snapshots: false,
            replica_priority: 100,
        }),
        clock_ahead_ms: 0,
    }
}

fn address(replicas: u32, accepted: &[&str]) -> Address {
    Address {
        replicas,
        accepted: accepted.iter().map(|&name| name.to_owned()).collect(),
        ..plain()
    }
}

fn plain() -> Address {
    "redis://127.0.0.1:6379".parse().unwrap()
}

fn set(server: &mut Server, change: impl FnOnce(&mut Settings)) {
    change(server.settings.as_mut().unwrap());
}

fn follow(server: &mut Server, online: &[bool]) {
    server.replicas = online
        .iter()
        .map(|&online| Replica {
            address: "10.0.0.2:6379".to_owned(),
            online,
            lag_secs: 0,
        })
        .collect();
}

/// What a change brings up, worst first, and what is given then.
fn seen(
    address: &Address,
    change: impl FnOnce(&mut Server),
) -> (Vec<&'static str>, Option<Durability>, bool) {
    let mut server = sound();
    change(&mut server);
    let findings = server.findings(address);
    let gives = server.gives(address);
    assert_eq!(
        gives.because.is_empty(),
        gives.best == Some(Durability::Strict),
        "less than strict has its reasons: {gives:?}"
    );
    for wanted in [Durability::Strict, Durability::Standard] {
        if let Some(why) = gives.falls_short(wanted) {
            assert!(!why.is_empty(), "{wanted:?}: a no says why");
        }
    }
    let codes = findings.iter().map(|finding| finding.code).collect();
    (codes, gives.best, server.refusal(address).is_some())
}

const STRICT: Option<Durability> = Some(Durability::Strict);
const STANDARD: Option<Durability> = Some(Durability::Standard);

type Row = (
    &'static str,
    fn(&mut Server),
    &'static [&'static str],
    Option<Durability>,
);

#[test]
fn each_setting_costs_what_it_costs() {
    let rows: &[Row] = &[
        ("sound", |_| {}, &[], STRICT),
        (
            "everysec",
            |s| set(s, |c| c.fsync = Fsync::EverySecond),
            &["fsync-everysec"],
            STANDARD,
        ),
        (
            "fsync no",
            |s| set(s, |c| c.fsync = Fsync::No),
            &["fsync-no"],
            None,
        ),
        (
            "rewrite",
            |s| set(s, |c| c.unsynced_on_rewrite = true),
            &["rewrite-unsynced"],
            None,
        ),
        (
            "torn",
            |s| set(s, |c| c.load_truncated = true),
            &["torn-tail-kept"],
            STRICT,
        ),
        (
            "forgets",
            |s| s.persistence.aof = false,
            &["no-aof", "empty-restart-danger"],
            None,
        ),
        (
            "snapshots only",
            |s| {
                s.persistence.aof = false;
                set(s, |c| c.snapshots = true);
            },
            &["no-aof"],
            None,
        ),
        (
            "disk full",
            |s| s.persistence.aof_write_ok = false,
            &["aof-write-failed"],
            None,
        ),
        (
            "rewrite failed",
            |s| s.persistence.aof_rewrite_ok = false,
            &["aof-rewrite-failed"],
            STRICT,
        ),
        (
            "snapshot failed",
            |s| s.persistence.snapshot_ok = false,
            &["snapshot-failed"],
            STRICT,
        ),
        (
            "loading",
            |s| s.persistence.loading = true,
            &["loading"],
            STRICT,
        ),
        ("69 %", |s| s.memory.used = 69, &[], STRICT),
        ("70 %", |s| s.memory.used = 70, &["memory-high"], STRICT),
        (
            "no limit",
            |s| s.memory.limit = 0,
            &["no-memory-limit"],
            STRICT,
        ),
        (
            "no limit, full machine",
            |s| (s.memory.limit, s.memory.used) = (0, 150),
            &["memory-high", "no-memory-limit"],
            STRICT,
        ),
        (
            "replica",
            |s| s.role = Role::Replica,
            &["not-primary"],
            None,
        ),
        (
            "cluster",
            |s| s.in_cluster = true,
            &["cluster-unnamed"],
            None,
        ),
        (
            "holes",
            |s| s.version = "7.0.15".parse().unwrap(),
            &["old-version"],
            STRICT,
        ),
        (
            "relative",
            |s| s.product = "valkey".to_owned(),
            &["other-product"],
            STRICT,
        ),
        (
            "blocked",
            |s| s.settings = None,
            &["config-unreadable"],
            None,
        ),
        (
            "says nothing of eviction",
            |s| s.memory.policy = None,
            &["eviction-unknown"],
            None,
        ),
        (
            "wants replicas",
            |s| set(s, |c| c.min_replicas_to_write = 1),
            &["writes-refused"],
            None,
        ),
        (
            "one replica",
            |s| follow(s, &[true]),
            &["replicas-unwaited"],
            STANDARD,
        ),
        (
            "one half copied",
            |s| follow(s, &[false]),
            &["replicas-unwaited"],
            STANDARD,
        ),
    ];
    for (name, change, codes, best) in rows {
        assert_eq!(
            seen(&plain(), *change),
            (codes.to_vec(), *best, false),
            "{name}"
        );
    }
}

/// How many are waited for, which of them are online, what is found and what is given.
type Waited<'a> = (u32, &'a [bool], &'a [&'a str], Option<Durability>);

#[test]
fn all_replicas_must_be_waited_for_and_there() {
    let rows: &[Waited] = &[
        (0, &[], &[], STRICT),
        (1, &[true], &["min-replicas"], STRICT),
        (1, &[], &["too-few-replicas", "min-replicas"], STANDARD),
        (1, &[false], &["too-few-replicas", "min-replicas"], STANDARD),
        (
            1,
            &[true, true],
            &["replicas-unwaited", "min-replicas"],
            STANDARD,
        ),
        (2, &[true, true], &["min-replicas"], STRICT),
        (
            2,
            &[true, false],
            &["too-few-replicas", "min-replicas"],
            STANDARD,
        ),
    ];
    for &(waited, online, codes, best) in rows {
        let got = seen(&address(waited, &[]), |server| follow(server, online));
        assert_eq!(got, (codes.to_vec(), best, false), "{waited} {online:?}");
    }
    let enough = seen(&address(1, &[]), |server| {
        follow(server, &[true]);
        set(server, |settings| settings.min_replicas_to_write = 1);
    });
    assert_eq!(enough, (vec![], STRICT, false));
    let vouched = seen(&address(0, &["replicas-unwaited"]), |server| {
        follow(server, &[true]);
    });
    assert_eq!(vouched, (vec!["replicas-unwaited"], STRICT, false));
}

#[test]
fn eviction_is_refused_unless_it_is_accepted_by_name() {
    for policy in [
        "allkeys-lru",
        "allkeys-lfu",
        "volatile-lru",
        "volatile-ttl",
        "allkeys-random",
    ] {
        let change = |server: &mut Server| server.memory.policy = Some(policy.to_owned());
        assert_eq!(
            seen(&plain(), change),
            (vec!["eviction"], None, true),
            "{policy}"
        );
        let other = address(0, &["unverified"]);
        assert!(
            seen(&other, change).2,
            "another danger was accepted: {policy}"
        );
        let accepted = address(0, &["eviction"]);
        assert_eq!(
            seen(&accepted, change),
            (vec!["eviction"], STANDARD, false),
            "never strict: {policy}"
        );
    }
}

#[test]
fn a_word_given_by_name_stands_only_where_nothing_can_be_read() {
    let word = address(0, &["unverified"]);
    let blocked = |server: &mut Server| server.settings = None;
    assert_eq!(
        seen(&word, blocked),
        (vec!["config-unreadable"], STRICT, false)
    );
    let mut server = sound();
    blocked(&mut server);
    assert!(!server.gives(&word).verified && sound().gives(&word).verified);
    // A service with a log of its own.
    let no_aof = seen(&word, |server| {
        blocked(server);
        server.persistence.aof = false;
    });
    assert_eq!(no_aof, (vec!["config-unreadable", "no-aof"], STRICT, false));
    // What can be read is not talked away.
    let everysec = seen(&word, |server| {
        set(server, |settings| settings.fsync = Fsync::EverySecond);
    });
    assert_eq!(everysec, (vec!["fsync-everysec"], STANDARD, false));
    let evicts = seen(&word, |server| {
        blocked(server);
        server.memory.policy = Some("allkeys-lru".to_owned());
    });
    assert_eq!(evicts, (vec!["eviction", "config-unreadable"], None, true));
}

#[test]
fn below_the_oldest_nothing_else_is_said() {
    let old = seen(&plain(), |server| {
        server.version = "6.2.20".parse().unwrap();
        server.settings = None;
    });
    assert_eq!(old, (vec!["old-version"], None, true));
}

#[test]
fn in_a_cluster_one_node_speaks_for_itself() {
    let cluster = Address {
        shape: Shape::Cluster,
        ..plain()
    };
    let got = seen(&cluster, |server| {
        server.in_cluster = true;
        server.role = Role::Replica;
    });
    assert_eq!(got, (vec!["one-node-seen"], STRICT, false));
}
