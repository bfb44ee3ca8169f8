//! The ways to a Redis, over real servers that are killed, stopped, cut and replaced. What is said is about outcomes and
//! never about times: a server that is stopped is let go on only after its callers have been answered.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use redis::{Cmd, Value, cmd};
use store::redis::link::{Heard, LinkError, Links};

/// How long a state may take to come about; only a broken build waits so long.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_logs_in_and_a_wrong_password_is_told() {
    let server = Server::start(&[]);
    server.cli(&[
        "ACL", "SETUSER", "bob", "on", ">s3c@ret", "~*", "&*", "+@all",
    ]);
    server.cli(&["ACL", "SETUSER", "default", "off"]);
    let port = server.port;
    let links = open(&format!("redis://bob:s3c%40ret@127.0.0.1:{port}/2")).await;
    assert_eq!(links.send(&set("k", "v")).await, Ok(Value::Okay));
    assert_eq!(links.send(&get("k")).await, Ok(text("v")));

    for wrong in ["bob:nope@", ""] {
        let address = format!("redis://{wrong}127.0.0.1:{port}").parse().unwrap();
        let error = Links::open(&address).await.unwrap_err();
        let LinkError::Away(why) = error else {
            panic!("{error}")
        };
        let says = if wrong.is_empty() {
            "NOAUTH"
        } else {
            "authentication failed"
        };
        assert!(why.contains(says), "{why}");
        assert!(!why.contains("nope"), "{why}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_keep_their_code() {
    let server = Server::start(&[]);
    server.cli(&[
        "ACL", "SETUSER", "eve", "on", "nopass", "~*", "+@all", "-set",
    ]);
    let links = open(&format!("redis://127.0.0.1:{}", server.port)).await;
    for (command, expected) in [
        (cmd("EVALSHA").arg("0".repeat(40)).arg(0), "NOSCRIPT"),
        (cmd("LPUSH").arg("s").arg(1), "WRONGTYPE"),
        (cmd("NOSUCH").arg(1), "ERR"),
    ] {
        links.send(&set("s", "string")).await.unwrap();
        let error = links.send(command).await.unwrap_err();
        assert!(
            matches!(&error, LinkError::Refused { code, .. } if code == expected),
            "{error}"
        );
    }
    server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    let error = links.send(&set("k", "v")).await.unwrap_err();
    assert!(
        matches!(&error, LinkError::Refused { code, .. } if code == "OOM"),
        "{error}"
    );
    let eve = open(&format!("redis://eve:any@127.0.0.1:{}", server.port)).await;
    let error = eve.send(&set("k", "v")).await.unwrap_err();
    assert!(
        matches!(&error, LinkError::Refused { code, .. } if code == "NOPERM"),
        "{error}"
    );
    // Twenty refusals in a row don't open the breaker: the server is well.
    for _ in 0..20 {
        let _ = eve.send(&set("k", "v")).await;
    }
    assert_eq!(eve.send(&get("s")).await, Ok(text("string")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_trusts_the_named_authority_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    certificates(dir);
    let port = free_port();
    let path = |name: &str| dir.join(name).display().to_string();
    let server = Server::start_on(
        port,
        &[
            "--tls-port",
            &port.to_string(),
            "--port",
            "0",
            "--tls-auth-clients",
            "no",
            "--tls-cert-file",
            &path("server.pem"),
            "--tls-key-file",
            &path("server.key"),
            "--tls-ca-cert-file",
            &path("ca.pem"),
        ],
        &["--tls", "--cacert", &path("ca.pem")],
    );
    let links = open(&format!("rediss://127.0.0.1:{port}?ca={}", path("ca.pem"))).await;
    assert_eq!(links.send(&set("k", "v")).await, Ok(Value::Okay));
    assert_eq!(
        links.send_and_wait(b"k", &get("k"), 0, PATIENCE).await,
        Ok((text("v"), 0))
    );

    for (wrong, says) in [
        ("other.pem", "TLS"),
        ("none.pem", "none.pem"),
        ("ca.key", "no certificate"),
    ] {
        let address = format!("rediss://127.0.0.1:{port}?ca={}", path(wrong))
            .parse()
            .unwrap();
        let error = Links::open(&address).await.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_killed_cost_at_most_one_failure_each() {
    let server = Server::start(&[]);
    let links = open(&format!("redis://127.0.0.1:{}", server.port)).await;
    let mut answered = 0;
    let mut lost = 0;
    for _ in 0..5 {
        let before = links.generation();
        server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
        for _ in 0..20 {
            match links.send(cmd("INCR").arg("n")).await {
                Ok(_) => answered += 1,
                Err(LinkError::Lost(_)) => lost += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(links.generation() > before);
    }
    assert!(lost <= 4 * 5, "{lost} lost");
    let count: i64 = server.cli(&["GET", "n"]).parse().unwrap();
    assert!(
        (answered..=answered + lost).contains(&count),
        "{answered} <= {count} <= +{lost}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_died_while_idle_costs_nothing() {
    let server = Server::start(&[]);
    let links = open(&format!("redis://127.0.0.1:{}", server.port)).await;
    for _ in 0..8 {
        links.send(&get("k")).await.unwrap();
    }
    // Without a call in between, its end is noticed by the driver alone. That it has, can't be seen from here: hence the
    // pause below. A driver slower than that makes this test fail, not pass.
    server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    until("no connection is left", || {
        server
            .cli(&["CLIENT", "LIST", "TYPE", "normal"])
            .lines()
            .count()
            <= 1
    })
    .await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    for _ in 0..20 {
        links.send(&get("k")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_is_found_again() {
    let mut server = Server::start(&[]);
    let links = open(&format!("redis://127.0.0.1:{}", server.port)).await;
    links.send(&set("k", "v")).await.unwrap();
    let before = links.generation();
    server.kill();
    // What was on its way at most is lost; from then on nothing is sent.
    let mut errors = Vec::new();
    for _ in 0..200 {
        errors.push(links.send(&get("k")).await.unwrap_err());
    }
    let away = errors
        .iter()
        .filter(|e| matches!(e, LinkError::Away(_)))
        .count();
    assert!(away >= 196, "{errors:?}");
    let shut = errors
        .iter()
        .filter(|e| e.to_string().contains("left alone"))
        .count();
    assert!(shut > 100, "{shut} answers of an open breaker: {errors:?}");

    server.restart();
    until_ok(&links, &get("k")).await;
    assert!(links.generation() > before);
    for _ in 0..20 {
        links.send(&get("k")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_stopped_leaves_no_caller_waiting() {
    let server = Server::start(&[]);
    let links = open(&format!("redis://127.0.0.1:{}", server.port)).await;
    links.send(&set("n", "0")).await.unwrap();
    server.signal("STOP");

    let incr = cmd("INCR").arg("n").clone();
    let answers = join_all((0..5_000).map(|_| links.send(&incr))).await;
    let turned_away = answers
        .iter()
        .filter(|it| matches!(it, Err(LinkError::Away(why)) if why.contains("too many")))
        .count();
    let lost = answers
        .iter()
        .filter(|it| matches!(it, Err(LinkError::Lost(_))))
        .count();
    assert_eq!(turned_away, 5_000 - 4_096);
    assert!(lost >= 5);
    // The breaker is open: answers come without a try, save for a probe now and then.
    let mut open = 0;
    for _ in 0..1_000 {
        let error = links.send(&incr).await.unwrap_err();
        open += usize::from(error.to_string().contains("left alone"));
    }
    assert!(open > 900, "{open}");

    server.signal("CONT");
    until_ok(&links, &incr).await;
    for _ in 0..20 {
        links.send(&incr).await.unwrap();
    }
    let count: usize = server.cli(&["GET", "n"]).parse().unwrap();
    assert!(count >= 21 && count <= lost + 1_000 + 21, "{count}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_counts_replicas_of_the_very_write() {
    let (primary, replica) = replicated().await;
    let links = open(&format!("redis://127.0.0.1:{}", primary.port)).await;
    let (reply, replicas) = links
        .send_and_wait(b"k", &set("k", "1"), 1, PATIENCE)
        .await
        .unwrap();
    assert_eq!((reply, replicas), (Value::Okay, 1));

    replica.signal("STOP");
    let wait = Duration::from_millis(50);
    let (reply, replicas) = links
        .send_and_wait(b"k", &set("k", "2"), 1, wait)
        .await
        .unwrap();
    assert_eq!((reply, replicas), (Value::Okay, 0));
    // A connection that ran nothing is told at once that all is well: had the WAIT gone over another connection than the
    // write, the answer above would have been 1 too.
    assert_eq!(primary.cli(&["WAIT", "1", "50"]), "1");
    // What only reads waits for all that was written before it, by whomever: a replayed answer is as safe as a new one.
    let other = open(&format!("redis://127.0.0.1:{}", primary.port)).await;
    let (reply, replicas) = other.send_and_wait(b"k", &get("k"), 1, wait).await.unwrap();
    assert_eq!((reply, replicas), (text("2"), 0));

    // Longer than a call may take: it is cut, and answered.
    let (_, replicas) = links
        .send_and_wait(b"k", &set("k", "3"), 1, PATIENCE)
        .await
        .unwrap();
    assert_eq!(replicas, 0);

    // A refusal is told as one, and its WAIT does no harm.
    let error = links
        .send_and_wait(b"k", cmd("LPUSH").arg("k").arg(1), 1, wait)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, LinkError::Refused { code, .. } if code == "WRONGTYPE"),
        "{error}"
    );

    // Callers that leave in the middle don't leave their replies to the next one.
    for n in 0..20 {
        let left = set("left", "behind");
        let leaving = links.send_and_wait(b"k", &left, 1, PATIENCE);
        assert!(
            tokio::time::timeout(Duration::from_millis(5), leaving)
                .await
                .is_err()
        );
        let echo = cmd("ECHO").arg(n.to_string()).clone();
        let (reply, _) = links.send_and_wait(b"k", &echo, 0, wait).await.unwrap();
        assert_eq!(reply, text(&n.to_string()));
    }
    replica.signal("CONT");
    let (_, replicas) = links
        .send_and_wait(b"k", &set("k", "4"), 1, PATIENCE)
        .await
        .unwrap();
    assert_eq!(replicas, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_comes_back_and_tells_the_gap() {
    let server = Server::start(&[]);
    let links = open(&format!("redis://127.0.0.1:{}", server.port)).await;
    let mut topic = links.subscribe("news").await.unwrap();
    let publish = |message: &str| cmd("PUBLISH").arg("news").arg(message).clone();
    assert_eq!(links.send(&publish("one")).await, Ok(Value::Int(1)));
    assert_eq!(heard(&mut topic).await, Heard::Message(b"one".to_vec()));
    server.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    assert_eq!(heard(&mut topic).await, Heard::Gap);
    assert_eq!(links.send(&publish("two")).await, Ok(Value::Int(1)));
    assert_eq!(heard(&mut topic).await, Heard::Message(b"two".to_vec()));
    drop(topic);
    until("nobody listens", || {
        server.cli(&["PUBSUB", "NUMSUB", "news"]).ends_with('0')
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_lead_to_the_new_primary() {
    let (mut primary, replica) = replicated().await;
    let folder = tempfile::tempdir().unwrap();
    let sentinels: Vec<Server> = (0..3)
        .map(|n| Server::sentinel(folder.path(), n, primary.port))
        .collect();
    until("the sentinels know each other and the replica", || {
        sentinels.iter().all(|it| {
            let known = it.cli(&["SENTINEL", "MASTER", "gala"]);
            let value = |key: &str| {
                let mut lines = known.lines().skip_while(|line| *line != key);
                lines
                    .nth(1)
                    .and_then(|value| value.parse().ok())
                    .unwrap_or(0)
            };
            value("num-other-sentinels") == 2 && value("num-slaves") == 1
        })
    })
    .await;
    let hosts: Vec<String> = sentinels
        .iter()
        .map(|it| format!("127.0.0.1:{}", it.port))
        .collect();
    let links = open(&format!(
        "redis+sentinel://{}/gala?replicas=1",
        hosts.join(",")
    ))
    .await;
    let wait = Duration::from_secs(1);
    assert_eq!(
        links.send_and_wait(b"k", &set("k", "old"), 1, wait).await,
        Ok((Value::Okay, 1))
    );

    primary.kill();
    until_ok(&links, &set("k", "new")).await;
    assert_eq!(replica.cli(&["GET", "k"]), "new");
    assert_eq!(
        links
            .send_to_each(&get("k"))
            .await
            .unwrap()
            .first()
            .unwrap()
            .0,
        format!("127.0.0.1:{}", replica.port)
    );

    // Back again it is a replica, and a failover by hand, in which nothing dies, is followed as well.
    primary.restart();
    until("the old primary follows the new one", || {
        primary
            .cli(&["INFO", "replication"])
            .contains("master_link_status:up")
    })
    .await;
    until("the sentinels fail over", || {
        sentinels[0].cli(&["SENTINEL", "FAILOVER", "gala"]) == "OK"
    })
    .await;
    until("the first is the primary again", || {
        primary.cli(&["ROLE"]).starts_with("master")
    })
    .await;
    let deadline = Instant::now() + PATIENCE;
    while primary.cli(&["GET", "k"]) != "newest" {
        assert!(Instant::now() < deadline);
        let _ = links.send(&set("k", "newest")).await;
    }

    let unknown = format!("redis+sentinel://{}/nobody", hosts.join(","))
        .parse()
        .unwrap();
    let error = Links::open(&unknown).await.unwrap_err().to_string();
    assert!(error.contains("`nobody`"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_followed_where_its_slots_go() {
    let mut nodes: Vec<Server> = (0..3)
        .map(|_| {
            Server::start(&[
                "--cluster-enabled",
                "yes",
                "--cluster-require-full-coverage",
                "no",
                "--cluster-node-timeout",
                "2000",
            ])
        })
        .collect();
    let mut create = Command::new("redis-cli");
    create.args(["--cluster-yes", "--cluster", "create"]);
    create.args(nodes.iter().map(|it| format!("127.0.0.1:{}", it.port)));
    assert!(create.output().unwrap().status.success());
    until("the cluster is up", || {
        nodes
            .iter()
            .all(|it| it.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok"))
    })
    .await;
    let links = open(&format!("redis+cluster://127.0.0.1:{}", nodes[1].port)).await;

    // Keys of all three, scripts too, and what belongs to none.
    for n in 0..60 {
        let key = format!("{{k{n}}}");
        links.send(&set(&key, &n.to_string())).await.unwrap();
        let script = cmd("EVAL")
            .arg("return redis.call('GET', KEYS[1])")
            .arg(1)
            .arg(&key)
            .clone();
        assert_eq!(links.send(&script).await, Ok(text(&n.to_string())));
        assert!(
            links
                .send_and_wait(key.as_bytes(), &script, 0, PATIENCE)
                .await
                .is_ok()
        );
    }
    assert!(nodes.iter().all(|it| it.cli(&["DBSIZE"]) != "0"));
    assert_eq!(links.send_to_each(&cmd("PING")).await.unwrap().len(), 3);
    let hash = links
        .send(cmd("SCRIPT").arg("LOAD").arg("return 1"))
        .await
        .unwrap();
    let hash: String = redis::from_redis_value(hash).unwrap();
    for node in &nodes {
        assert_eq!(node.cli(&["EVALSHA", &hash, "0"]), "1");
    }

    // A slot on its way: its new keys are asked for where it goes, and when it has gone, everything is.
    let slot = nodes[0].cli(&["CLUSTER", "KEYSLOT", "moving"]);
    let owner = nodes
        .iter()
        .position(|it| it.cli(&["GET", "moving"]).is_empty())
        .unwrap();
    let target = (owner + 1) % 3;
    let (from, to) = (
        nodes[owner].cli(&["CLUSTER", "MYID"]),
        nodes[target].cli(&["CLUSTER", "MYID"]),
    );
    assert_eq!(nodes[owner].cli(&["SET", "{moving}here", "1"]), "OK");
    nodes[target].cli(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from]);
    nodes[owner].cli(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to]);
    assert_eq!(
        links.send(cmd("INCR").arg("moving")).await,
        Ok(Value::Int(1))
    );
    let (reply, _) = links
        .send_and_wait(b"moving", cmd("INCR").arg("moving"), 0, PATIENCE)
        .await
        .unwrap();
    assert_eq!(reply, Value::Int(2));
    // Half here, half there, a command of two keys can't run: that is the caller's to try again.
    let error = links
        .send(cmd("MGET").arg("{moving}here").arg("moving"))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, LinkError::Refused { code, .. } if code == "TRYAGAIN"),
        "{error}"
    );
    let port = nodes[target].port.to_string();
    let moved = nodes[owner].cli(&["MIGRATE", "127.0.0.1", &port, "{moving}here", "0", "5000"]);
    assert_eq!(moved, "OK");
    for it in [&nodes[target], &nodes[owner]] {
        it.cli(&["CLUSTER", "SETSLOT", &slot, "NODE", &to]);
    }
    assert_eq!(
        links.send(cmd("INCR").arg("moving")).await,
        Ok(Value::Int(3))
    );
    let (reply, _) = links
        .send_and_wait(b"moving", cmd("INCR").arg("moving"), 0, PATIENCE)
        .await
        .unwrap();
    assert_eq!(reply, Value::Int(4));
    assert_eq!(nodes[target].cli(&["GET", "moving"]), "4");

    // One dies: its slots are away, those of the others are not.
    let dead = owner;
    nodes[dead].kill();
    let mut served = 0;
    for _ in 0..3 {
        for n in 0..60 {
            match links.send(&get(&format!("{{k{n}}}"))).await {
                Ok(value) => {
                    assert_eq!(value, text(&n.to_string()));
                    served += 1;
                }
                Err(LinkError::Away(_) | LinkError::Lost(_)) => {}
                Err(LinkError::Refused { code, .. }) => assert_eq!(code, "CLUSTERDOWN"),
            }
        }
    }
    assert!(served > 60, "{served}");
}

async fn open(address: &str) -> Links {
    Links::open(&address.parse().unwrap()).await.unwrap()
}

fn set(key: &str, value: &str) -> Cmd {
    cmd("SET").arg(key).arg(value).clone()
}

fn get(key: &str) -> Cmd {
    cmd("GET").arg(key).clone()
}

fn text(text: &str) -> Value {
    Value::BulkString(text.as_bytes().to_vec())
}

async fn heard(topic: &mut store::redis::link::Topic) -> Heard {
    tokio::time::timeout(PATIENCE, topic.next())
        .await
        .unwrap()
        .unwrap()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn until_ok(links: &Links, command: &Cmd) {
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = links.send(command).await {
        assert!(Instant::now() < deadline, "still: {error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn replicated() -> (Server, Server) {
    let primary = Server::start(&["--repl-diskless-sync-delay", "0"]);
    let replica = Server::start(&[
        "--replicaof",
        "127.0.0.1",
        &primary.port.to_string(),
        "--repl-diskless-sync-delay",
        "0",
    ]);
    until("the replica follows", || {
        primary
            .cli(&["INFO", "replication"])
            .contains("state=online")
    })
    .await;
    (primary, replica)
}

/// A server that ends with this.
struct Server {
    port: u16,
    child: Child,
    folder: tempfile::TempDir,
    arguments: Vec<String>,
    client: Vec<String>,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let port = free_port();
        let mut all = vec!["--port".to_owned(), port.to_string()];
        all.extend(arguments.iter().map(|it| (*it).to_owned()));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        Self::start_on(port, &all, &[])
    }

    fn start_on(port: u16, arguments: &[&str], client: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let owned = |words: &[&str]| words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let arguments = owned(arguments);
        let child = run(folder.path(), &arguments);
        let server = Self {
            port,
            child,
            folder,
            arguments,
            client: owned(client),
        };
        server.wait_until_up();
        server
    }

    fn sentinel(folder: &Path, n: u32, primary: u16) -> Self {
        let port = free_port();
        let file = folder.join(format!("sentinel{n}.conf"));
        let config = format!(
            "port {port}\nsentinel monitor gala 127.0.0.1 {primary} 2\n\
             sentinel down-after-milliseconds gala 1000\nsentinel failover-timeout gala 5000\n"
        );
        std::fs::write(&file, config).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let arguments = vec![file.display().to_string(), "--sentinel".to_owned()];
        let child = quiet(
            Command::new("redis-server")
                .args(&arguments)
                .current_dir(folder.path()),
        );
        let server = Self {
            port,
            child,
            folder,
            arguments,
            client: Vec::new(),
        };
        server.wait_until_up();
        server
    }

    fn wait_until_up(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.cli(&["PING"]);
            if answer == "PONG" || answer.starts_with("NOAUTH") {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "no server on {}: {answer}",
                self.port
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn restart(&mut self) {
        self.child = run(self.folder.path(), &self.arguments);
        self.wait_until_up();
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .status();
        assert!(sent.unwrap().success());
    }

    fn cli(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(&self.client)
            .args(arguments)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn run(folder: &Path, arguments: &[String]) -> Child {
    quiet(
        Command::new("redis-server")
            .args(["--save", "", "--bind", "127.0.0.1"])
            .args(arguments)
            .current_dir(folder),
    )
}

fn quiet(command: &mut Command) -> Child {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Free, and so is the port 10,000 above, which a server of a cluster also takes.
fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        if port < 55_000 && TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            return port;
        }
    }
}

/// An authority, a server's certificate it signed, and an authority that signed nothing.
fn certificates(dir: &Path) {
    let openssl = |arguments: &str| {
        let run = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(dir)
            .output();
        let run = run.expect("openssl makes the certificates of this test");
        assert!(
            run.status.success(),
            "{}",
            String::from_utf8_lossy(&run.stderr)
        );
    };
    for name in ["ca", "other"] {
        openssl(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN={name} -keyout {name}.key -out {name}.pem"
        ));
    }
    openssl(
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=server -keyout server.key -out server.csr",
    );
    std::fs::write(dir.join("san"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile san -out server.pem",
    );
}
