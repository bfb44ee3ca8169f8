//! A primary, replicas, and three sentinels that promote one of them by themselves.

use std::fs;
use std::process::Command;
use std::time::Duration;

use redis::{Client, FromRedisValue, RedisResult};
use tempfile::TempDir;

use crate::port::free_port;
use crate::process::Process;
use crate::server::{Server, start};
use crate::until::until;

const PATIENCE: Duration = Duration::from_mins(1);
/// How many sentinels; two must agree.
const SENTINELS: usize = 3;

/// A primary watched by three sentinels under the name [`Sentinels::NAME`].
#[derive(Debug)]
pub struct Sentinels {
    sentinels: Vec<Sentinel>,
    servers: Vec<Server>,
}

#[derive(Debug)]
struct Sentinel {
    port: u16,
    _process: Process,
    _folder: TempDir,
}

impl Sentinels {
    /// The name under which sentinels know the primary.
    pub const NAME: &str = "gala";

    /// A primary, so many replicas, and three sentinels that all know each other. A primary counts as down after one second.
    pub fn start(replicas: usize) -> Self {
        Self::with(&[], replicas)
    }

    /// As [`Sentinels::start`]; the servers have these options.
    pub fn with(options: &[(&str, &str)], replicas: usize) -> Self {
        let servers: Vec<Server> = (0..=replicas).map(|_| Server::with(options)).collect();
        let primary = servers[0].port();
        for replica in &servers[1..] {
            replica.command(&["REPLICAOF", "127.0.0.1", &primary.to_string()]);
        }
        for replica in &servers[1..] {
            until("a replica's link", PATIENCE, || {
                (replica.info("master_link_status")? == "up").then_some(())
            });
        }
        let sentinels = (0..SENTINELS).map(|_| Sentinel::start(primary)).collect();
        let watched = Self { sentinels, servers };
        for sentinel in &watched.sentinels {
            until("sentinels that know all", PATIENCE, || {
                let others = sentinel.figure("num-other-sentinels")?;
                let known = sentinel.figure("num-slaves")?;
                (others == SENTINELS - 1 && known == replicas).then_some(())
            });
        }
        watched
    }

    /// The sentinels' ports.
    pub fn ports(&self) -> Vec<u16> {
        self.sentinels
            .iter()
            .map(|sentinel| sentinel.port)
            .collect()
    }

    /// The servers, the first primary first.
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// The place of the primary, as the sentinels see it.
    ///
    /// # Panics
    ///
    /// If none of them knows.
    pub fn primary(&self) -> usize {
        let port = until("a sentinel that knows the primary", PATIENCE, || {
            self.primary_port()
        });
        self.servers
            .iter()
            .position(|server| server.port() == port)
            .expect("one of ours")
    }

    /// A server, to be killed or restarted.
    pub fn server_mut(&mut self, place: usize) -> &mut Server {
        &mut self.servers[place]
    }

    /// Kills the primary and waits until the sentinels have promoted another server, and it takes writes; which.
    pub fn fail_over(&mut self) -> usize {
        let old = self.primary();
        self.servers[old].kill();
        until("a promoted replica", PATIENCE, || {
            let port = self.primary_port()?;
            let place = self
                .servers
                .iter()
                .position(|server| server.port() == port)?;
            let ready = place != old && self.servers[place].info("role")? == "master";
            ready.then_some(place)
        })
    }

    /// Has the sentinels begin to promote a replica while the primary is well; they may first have to get over the last time.
    pub fn hand_over(&self) {
        until("sentinels that promote", PATIENCE, || {
            let asked: RedisResult<String> =
                self.sentinels[0].ask(&["SENTINEL", "FAILOVER", Self::NAME]);
            asked.ok()
        });
    }

    fn primary_port(&self) -> Option<u16> {
        self.sentinels.iter().find_map(|sentinel| {
            let (_, port): (String, u16) = sentinel
                .ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", Self::NAME])
                .ok()?;
            Some(port)
        })
    }
}

impl Sentinel {
    fn start(primary: u16) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // It writes what it learns into its own config.
        let config = folder.path().join("sentinel.conf");
        let (mut process, port) = until("a sentinel that answers", PATIENCE, || {
            let port = free_port();
            let name = Self::name();
            let text = format!(
                "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor {name} 127.0.0.1 {primary} 2\n\
                 sentinel down-after-milliseconds {name} 1000\nsentinel failover-timeout {name} 3000\n",
                folder.path().display()
            );
            fs::write(&config, text).expect("a config");
            let mut command = Command::new("redis-sentinel");
            command.arg(&config);
            let mut process = start(command);
            let up = until("a sentinel", PATIENCE, || {
                if process.ended().is_some() {
                    return Some(false);
                }
                let pong: RedisResult<String> = ask(port, &["PING"]);
                pong.is_ok().then_some(true)
            });
            up.then_some((process, port))
        });
        assert!(process.ended().is_none(), "a sentinel ended by itself");
        Self {
            port,
            _process: process,
            _folder: folder,
        }
    }

    fn name() -> &'static str {
        Sentinels::NAME
    }

    fn ask<T: FromRedisValue>(&self, words: &[&str]) -> RedisResult<T> {
        ask(self.port, words)
    }

    /// A number that it knows of the primary.
    fn figure(&self, name: &str) -> Option<usize> {
        let fields: Vec<String> = self.ask(&["SENTINEL", "MASTER", Sentinels::NAME]).ok()?;
        let at = fields.iter().step_by(2).position(|field| field == name)?;
        fields.get(2 * at + 1)?.parse().ok()
    }
}

fn ask<T: FromRedisValue>(port: u16, words: &[&str]) -> RedisResult<T> {
    let patience = Duration::from_secs(2);
    let client = Client::open(format!("redis://127.0.0.1:{port}"))?;
    let mut connection = client.get_connection_with_timeout(patience)?;
    connection.set_read_timeout(Some(patience))?;
    redis::cmd(words[0]).arg(&words[1..]).query(&mut connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentinels_promote_a_replica() {
        let mut watched = Sentinels::start(1);
        assert_eq!(watched.primary(), 0);
        assert_eq!(watched.ports().len(), 3);
        watched.servers()[0].command(&["SET", "k", "v"]);
        until("the replica's copy", PATIENCE, || {
            watched.servers()[1].ask::<Option<String>>(&["GET", "k"])
        });
        assert_eq!(watched.fail_over(), 1);
        watched.servers()[1].command(&["SET", "k", "w"]);
    }
}
