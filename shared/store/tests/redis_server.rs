//! What real servers say of themselves, differently set up, and what is concluded from it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

use std::path::{Path, PathBuf};
use std::time::Duration;

use machine::model::Durability;
use store::redis::address::Address;
use store::redis::link::Links;
use store::redis::server::{self, Role};
use testbed::{Server, until};

const PATIENCE: Duration = Duration::from_mins(1);

fn address(server: &Server, replicas: u32) -> Address {
    let plain: Address = server.address().parse().unwrap();
    Address { replicas, ..plain }
}

async fn look(server: &Server) -> server::Server {
    let address = address(server, 0);
    let links = Links::open(&address).await.unwrap();
    server::look(&links, &address).await.unwrap()
}

fn deployed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/redis.conf")
}

/// Which codes there are. The version's holes depend on which redis-server is installed, not on how it is set up.
fn codes(server: &server::Server, address: &Address) -> Vec<&'static str> {
    server
        .findings(address)
        .iter()
        .map(|finding| finding.code)
        .filter(|&code| code != "old-version")
        .collect()
}

#[tokio::test]
async fn as_it_comes_it_gives_nothing() {
    let redis = Server::as_it_comes(&[]);
    let (server, address) = (look(&redis).await, address(&redis, 0));
    assert_eq!(codes(&server, &address), ["no-aof", "no-memory-limit"]);
    assert_eq!(server.gives(&address).best, None);
    assert_eq!(server.refusal(&address), None);
    assert_eq!((server.role, server.replicas.len()), (Role::Primary, 0));
    assert!(server.run_id.len() == 40 && server.memory.used > 0);
    assert!(
        server.clock_ahead_ms.abs() < 5_000,
        "one machine, one clock: {}",
        server.clock_ahead_ms
    );
}

#[tokio::test]
async fn as_deployed_it_gives_strict() {
    let redis = Server::configured(&deployed(), &[]);
    let (server, address) = (look(&redis).await, address(&redis, 0));
    assert_eq!(codes(&server, &address), [""; 0]);
    let gives = server.gives(&address);
    assert!(
        gives.best == Some(Durability::Strict) && gives.verified,
        "{gives:?}"
    );
    assert_eq!(gives.falls_short(Durability::Strict), None);
}

#[tokio::test]
async fn settings_that_change_while_it_runs_are_seen() {
    let redis = Server::configured(&deployed(), &[]);
    let address = address(&redis, 0);
    let rows = [
        ("appendfsync", "everysec", "fsync-everysec"),
        ("appendfsync", "no", "fsync-no"),
        ("no-appendfsync-on-rewrite", "yes", "rewrite-unsynced"),
        ("maxmemory-policy", "volatile-ttl", "eviction"),
        ("min-replicas-to-write", "1", "writes-refused"),
        ("aof-load-truncated", "yes", "torn-tail-kept"),
        ("maxmemory", "1100000", "memory-high"),
    ];
    for (name, value, code) in rows {
        let (_, before): (String, String) = redis.ask(&["CONFIG", "GET", name]);
        redis.command(&["CONFIG", "SET", name, value]);
        let server = look(&redis).await;
        assert_eq!(codes(&server, &address), [code], "{name} {value}");
        redis.command(&["CONFIG", "SET", name, &before]);
    }
    assert_eq!(codes(&look(&redis).await, &address), [""; 0]);
}

#[tokio::test]
async fn a_replica_that_follows_must_be_waited_for() {
    let primary = Server::configured(&deployed(), &[("repl-diskless-sync-delay", "0")]);
    let of = format!("127.0.0.1 {}", primary.port());
    let replica = Server::configured(&deployed(), &[("replicaof", &of)]);
    until("a replica online", PATIENCE, || {
        let online = primary.info("slave0")?.contains("state=online");
        online.then_some(())
    });
    let server = look(&primary).await;
    assert_eq!(
        server.replicas[0].address,
        format!("127.0.0.1:{}", replica.port())
    );
    let none = address(&primary, 0);
    assert_eq!(codes(&server, &none), ["replicas-unwaited"]);
    assert_eq!(server.gives(&none).best, Some(Durability::Standard));
    let one = address(&primary, 1);
    assert_eq!(codes(&server, &one), ["min-replicas"]);
    assert_eq!(server.gives(&one).best, Some(Durability::Strict));
    let two = address(&primary, 2);
    assert_eq!(server.gives(&two).best, Some(Durability::Standard));

    let follower = look(&replica).await;
    assert_eq!(codes(&follower, &one), ["not-primary"]);
    assert_eq!(follower.role, Role::Replica);
}

/// The users that `deploy/redis.conf` shows, with the marks taken away, on a server that otherwise is as deployed.
#[test]
fn the_users_of_the_example_can_do_what_is_needed_and_no_more() {
    let text = std::fs::read_to_string(deployed()).unwrap();
    let home = tempfile::tempdir().unwrap();
    let conf = home.path().join("redis.conf");
    std::fs::write(&conf, text.replace("#| ", "")).unwrap();
    let redis = Server::configured(&conf, &[]);
    let url = format!("redis://gala:change-me@127.0.0.1:{}", redis.port());
    let mut gala = redis::Client::open(url).unwrap().get_connection().unwrap();
    let mut run = |line: &str| -> Result<redis::Value, String> {
        let mut words = line.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        for word in words {
            command.arg(word);
        }
        command.query(&mut gala).map_err(|error| error.to_string())
    };
    for line in [
        "PING",
        "INFO",
        "TIME",
        "CONFIG GET appendfsync",
        "ROLE",
        "WAIT 0 10",
        "EVAL return 0",
        "SCRIPT LOAD return",
        "SET {t/c/0}p 1",
        "MGET {t/c/0}p {t/c/0}q",
        "MSET {t/c/0}p 1 {t/c/0}q 2",
        "GETRANGE {t/c/0}p 0 0",
        "UNLINK {t/c/0}p",
        "INCR gala/v1/changes",
        "RPUSH {t}a 1",
        "LLEN {t}a",
        "LINDEX {t}a 0",
        "LRANGE {t}a 0 -1",
        "SADD {t/c/0}s 1",
        "SMEMBERS {t/c/0}s",
        "ZADD {t/c/0}z 1 u",
        "ZRANGEBYSCORE {t/c/0}z 0 5",
        "XADD {t/c/0}l * g 1",
        "XRANGE {t/c/0}l - +",
        "XREVRANGE {t/c/0}l + -",
        "SCAN 0",
        "PUBLISH gala/v1/changes 1",
        "SELECT 1",
    ] {
        let got = run(line);
        assert!(got.is_ok(), "{line}: {got:?}");
    }
    // Of a cluster, and this server is none: it says so to whoever may ask.
    for line in ["ASKING", "CLUSTER SLOTS"] {
        let got = run(line).unwrap_err();
        assert!(got.contains("cluster support disabled"), "{line}: {got}");
    }
    for line in [
        "FLUSHALL",
        "FLUSHDB",
        "KEYS *",
        "CONFIG SET appendfsync no",
        "CONFIG RESETSTAT",
        "SCRIPT FLUSH",
        "FUNCTION FLUSH",
        "SHUTDOWN NOSAVE",
        "ACL SETUSER gala +@all",
        "ACL LIST",
        "CLIENT LIST",
        "CLIENT KILL TYPE normal",
        "CLUSTER NODES",
        "REPLICAOF NO ONE",
        "BGREWRITEAOF",
        "MULTI",
        "HKEYS {t/c/0}h",
        "XTRIM {t/c/0}l MAXLEN 0",
        "PUBLISH changes 1",
    ] {
        let got = run(line).unwrap_err();
        assert!(
            got.contains("permission") || got.contains("NOPERM"),
            "{line}: {got}"
        );
    }
    let refused = redis.try_ask::<String>(&["PING"]);
    assert!(refused.is_err(), "nobody else comes in");
}

/// What the first call would wait for is there before it: the scripts by their hashes, and the connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn warmed_it_knows_the_scripts() {
    let redis = Server::start();
    let store = store::redis::open(&address(&redis, 1)).await.unwrap();
    let scripts = [
        include_str!("../src/redis/scripts/commit.lua"),
        include_str!("../src/redis/scripts/rate.lua"),
    ];
    let known = || {
        let hashes = scripts.map(|text| redis::Script::new(text).get_hash().to_owned());
        let [commit, rate] = &hashes;
        redis.ask::<Vec<bool>>(&["SCRIPT", "EXISTS", commit, rate])
    };
    assert_eq!(known(), [false, false]);
    store.warm().await.unwrap();
    assert_eq!(known(), [true, true]);
    // Four that are shared, one that waits for replicas, one that listens, and the one that asks here.
    until("connections", PATIENCE, || {
        let list: String = redis.ask(&["CLIENT", "LIST"]);
        (list.lines().count() >= 7).then_some(())
    });
    // A user who may not is told, and only loses a round trip by it.
    redis.command(&[
        "ACL",
        "SETUSER",
        "eve",
        "on",
        "nopass",
        "~*",
        "&*",
        "+@all",
        "-script|load",
    ]);
    let eve = format!("redis://eve:any@127.0.0.1:{}", redis.port());
    let eve = store::redis::open(&eve.parse().unwrap()).await.unwrap();
    assert!(eve.warm().await.unwrap_err().to_string().contains("NOPERM"));
}
