//! What a Redis server says of itself, and what that means for an operator: what can be lost with its settings, whether
//! it gives the durability that campaigns declare, and what must be changed. It looks and judges; it changes nothing.

mod finding;
mod gives;
mod judge;
mod read;
mod version;

use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::future::try_join3;
use redis::{Cmd, Value, cmd};

use super::address::Address;
use super::link::{LinkError, Links};

pub use finding::{Finding, Severity};
pub use gives::Gives;
pub use version::Version;

/// What one server said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `redis`, or the name a relative of it gives itself (`valkey`).
    pub product: String,
    /// The version of Redis it is, or says it is compatible with.
    pub version: Version,
    /// Changes at each start of the process.
    pub run_id: String,
    /// The name of its history: changes when a replica is promoted, and at each start without one.
    pub replication_id: String,
    /// Whether it takes writes or follows another.
    pub role: Role,
    /// Whether it is a node of a cluster.
    pub in_cluster: bool,
    /// The replicas it knows of.
    pub replicas: Vec<Replica>,
    /// How it keeps what it is told.
    pub persistence: Persistence,
    /// What it holds and may hold.
    pub memory: Memory,
    /// What `CONFIG GET` answered; none where it is blocked, as managed services do.
    pub settings: Option<Settings>,
    /// How far this machine's clock is ahead of the server's, in milliseconds, give or take half a round trip.
    pub clock_ahead_ms: i64,
}

/// Whom a server listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Clients.
    Primary,
    /// Another server.
    Replica,
}

/// A replica, as its primary sees it. Its priority is known to it and to the sentinels alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// `host:port`.
    pub address: String,
    /// Whether it follows, rather than being sent its first copy.
    pub online: bool,
    /// How long ago it last acknowledged, in seconds.
    pub lag_secs: u64,
}

/// How a server keeps what it is told, from `INFO persistence`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Persistence {
    /// Whether there is an append-only file.
    pub aof: bool,
    /// Whether it is still reading its files, and answers nothing else.
    pub loading: bool,
    /// Whether the last write to the append-only file went well.
    pub aof_write_ok: bool,
    /// Whether the last rewrite of the append-only file went well.
    pub aof_rewrite_ok: bool,
    /// Whether the last snapshot went well.
    pub snapshot_ok: bool,
}

/// What a server holds and may hold, from `INFO memory`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// Bytes in use.
    pub used: u64,
    /// Bytes it may use; 0: as many as the machine has.
    pub limit: u64,
    /// The machine's bytes; 0: unknown.
    pub machine: u64,
    /// What happens at the limit (`noeviction`, ...); none: it does not say.
    pub policy: Option<String>,
}

/// When the append-only file is flushed to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fsync {
    /// Before each answer.
    Always,
    /// Once a second, in the background.
    EverySecond,
    /// When the operating system likes.
    No,
}

/// The settings that decide what can be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// `appendfsync`.
    pub fsync: Fsync,
    /// `no-appendfsync-on-rewrite`: nothing is flushed while the file is rewritten.
    pub unsynced_on_rewrite: bool,
    /// `aof-load-truncated`: a torn last entry is cut off at the start, rather than the start refused.
    pub load_truncated: bool,
    /// `min-replicas-to-write`: fewer replicas than this, and writes are refused.
    pub min_replicas_to_write: u32,
    /// `min-replicas-max-lag`: how old a replica's last acknowledgement may be to count, in seconds.
    pub min_replicas_max_lag_secs: u32,
    /// Whether `save` names any snapshot.
    pub snapshots: bool,
    /// `replica-priority` of this very server, for the day it is a replica; 0: never promoted.
    pub replica_priority: u32,
}

/// What `CONFIG GET` is asked for. Never `*`: that would bring the server's passwords.
const SETTINGS: [&str; 9] = [
    "appendfsync",
    "no-appendfsync-on-rewrite",
    "aof-load-truncated",
    "min-replicas-to-write",
    "min-replicas-max-lag",
    "save",
    "replica-priority",
    "maxmemory",
    "maxmemory-policy",
];

/// Looks at the server that `links` lead to: three calls at once, of which none writes. In a cluster that is whichever node
/// answers, and [`Server::findings`] say so.
pub async fn look(links: &Links, _address: &Address) -> Result<Server, LinkError> {
    let time = async {
        let before = unix_ms();
        let time = links.send(&cmd("TIME")).await?;
        Ok((before, time, unix_ms()))
    };
    // All sections that are shown by default: to name several is understood from 7.0 on only.
    let info = cmd("INFO");
    let config = async {
        match links.send(&config_get()).await {
            Ok(Value::ServerError(_)) | Err(LinkError::Refused { .. }) => Ok(None),
            Ok(config) => Ok(Some(config)),
            Err(error) => Err(error),
        }
    };
    let ((before, time, after), info, config) = try_join3(time, links.send(&info), config).await?;
    let clock_ahead_ms = before.midpoint(after) - read::time_ms(time).map_err(unread)?;
    read::server(info, config, clock_ahead_ms).map_err(unread)
}

fn config_get() -> Cmd {
    let mut get = cmd("CONFIG");
    get.arg("GET").arg(&SETTINGS);
    get
}

/// A reply that makes no sense is as good as none.
fn unread(what: String) -> LinkError {
    LinkError::Lost(what)
}

fn unix_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}
