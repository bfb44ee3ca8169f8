//! What real servers say of themselves, differently set up, and what is concluded from it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use machine::model::Durability;
use store::redis::address::Address;
use store::redis::link::Links;
use store::redis::server::{Role, Server, look};

/// A redis-server of a test, ended with it.
struct Redis {
    process: Child,
    port: u16,
    _home: tempfile::TempDir,
}

impl Redis {
    /// Starts one on a free port and waits until it answers, whatever it answers.
    fn start(args: &[&str]) -> Self {
        // Another process may take the port that was free a moment ago: then try another one.
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let home = tempfile::tempdir().unwrap();
            let log = File::create(home.path().join("log")).unwrap();
            let process = Command::new("redis-server")
                .args(args)
                .args(["--port", &port.to_string(), "--dir"])
                .arg(home.path())
                .stdout(log)
                .stderr(Stdio::null())
                .spawn()
                .expect("redis-server is installed");
            let mut redis = Self {
                process,
                port,
                _home: home,
            };
            if redis.answers() {
                return redis;
            }
        }
        panic!("redis-server does not start with {args:?}");
    }

    fn answers(&mut self) -> bool {
        until("a server that answers or ends", || {
            let ended = self.process.try_wait().unwrap().is_some();
            let open = std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok();
            (ended || open).then_some(open && !ended)
        })
    }

    /// A connection of the test's own.
    fn ask(&self, credentials: &str) -> redis::Connection {
        let url = format!("redis://{credentials}127.0.0.1:{}", self.port);
        redis::Client::open(url).unwrap().get_connection().unwrap()
    }

    fn address(&self, replicas: u32, accepted: &[&str]) -> Address {
        let plain: Address = format!("redis://127.0.0.1:{}", self.port).parse().unwrap();
        Address {
            replicas,
            accepted: accepted.iter().map(|&name| name.to_owned()).collect(),
            ..plain
        }
    }

    async fn look(&self) -> Server {
        let address = self.address(0, &[]);
        let links = Links::open(&address).await.unwrap();
        look(&links, &address).await.unwrap()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn until<T>(what: &str, mut poll: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(got) = poll() {
            return got;
        }
        assert!(Instant::now() < deadline, "no {what} within 30 s");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn deployed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/redis.conf")
}

/// Which codes there are. The version's holes depend on which redis-server is installed, not on how it is set up.
fn codes(server: &Server, address: &Address) -> Vec<&'static str> {
    server
        .findings(address)
        .iter()
        .map(|finding| finding.code)
        .filter(|&code| code != "old-version")
        .collect()
}

#[tokio::test]
async fn as_it_comes_it_gives_nothing() {
    let redis = Redis::start(&[]);
    let (server, address) = (redis.look().await, redis.address(0, &[]));
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
    let redis = Redis::start(&[deployed().to_str().unwrap()]);
    let (server, address) = (redis.look().await, redis.address(0, &[]));
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
    let redis = Redis::start(&[deployed().to_str().unwrap()]);
    let address = redis.address(0, &[]);
    let mut ask = redis.ask("");
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
        let get: Vec<String> = redis::cmd("CONFIG")
            .arg("GET")
            .arg(name)
            .query(&mut ask)
            .unwrap();
        let mut set = |value: &str| {
            let mut set = redis::cmd("CONFIG");
            set.arg("SET").arg(name).arg(value).exec(&mut ask).unwrap();
        };
        set(value);
        let server = redis.look().await;
        assert_eq!(codes(&server, &address), [code], "{name} {value}");
        set(&get[1]);
    }
    assert_eq!(codes(&redis.look().await, &address), [""; 0]);
}

#[tokio::test]
async fn a_replica_that_follows_must_be_waited_for() {
    let conf = deployed();
    let primary = Redis::start(&[conf.to_str().unwrap(), "--repl-diskless-sync-delay", "0"]);
    let of = format!("127.0.0.1 {}", primary.port);
    let replica = Redis::start(&[conf.to_str().unwrap(), "--replicaof", &of]);
    let deadline = Instant::now() + Duration::from_secs(30);
    let server = loop {
        let server = primary.look().await;
        if server.replicas.iter().any(|replica| replica.online) {
            break server;
        }
        assert!(Instant::now() < deadline, "no replica online within 30 s");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(
        server.replicas[0].address,
        format!("127.0.0.1:{}", replica.port)
    );
    let none = primary.address(0, &[]);
    assert_eq!(codes(&server, &none), ["replicas-unwaited"]);
    assert_eq!(server.gives(&none).best, Some(Durability::Standard));
    let one = primary.address(1, &[]);
    assert_eq!(codes(&server, &one), ["min-replicas"]);
    assert_eq!(server.gives(&one).best, Some(Durability::Strict));
    let two = primary.address(2, &[]);
    assert_eq!(server.gives(&two).best, Some(Durability::Standard));

    let follower = replica.look().await;
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
    let redis = Redis::start(&[conf.to_str().unwrap()]);
    let mut gala = redis.ask("gala:change-me@");
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
        "SCRIPT LOAD return",
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
        "HGETALL {t/c/0}h",
        "XTRIM {t/c/0}l MAXLEN 0",
        "PUBLISH changes 1",
    ] {
        let got = run(line).unwrap_err();
        assert!(
            got.contains("permission") || got.contains("NOPERM"),
            "{line}: {got}"
        );
    }
    let url = format!("redis://127.0.0.1:{}", redis.port);
    let stranger = redis::Client::open(url).unwrap().get_connection();
    let refused = stranger.and_then(|mut link| redis::cmd("PING").query::<String>(&mut link));
    assert!(refused.is_err(), "nobody else comes in");
}
