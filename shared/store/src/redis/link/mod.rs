//! The way to the server: connections, time-outs, and what a failure lets one conclude. No key and no script is known here.

mod breaker;
mod cluster;
mod dial;
mod fault;
mod node;
mod pause;
mod route;
mod sentinel;
mod topic;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use redis::{Cmd, Value};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::address::{Address, Shape, place};
use cluster::Cluster;
use dial::Dialer;
use node::{Node, Place};
use sentinel::Sentinels;

pub use fault::LinkError;
pub use topic::{Heard, Topic};

/// How long a reply may take: after this nobody waits for it any more.
pub const REPLY_TIMEOUT: Duration = Duration::from_millis(1500);

/// How long a call may take with everything: the promise is an answer within two seconds.
const CALL_TIMEOUT: Duration = Duration::from_millis(1900);

/// Calls on their way at a time; one more is answered at once.
const MOST_CALLS: usize = 4096;

/// How often the sentinels are asked whether the primary is another.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// The connections to one Redis, of whatever shape.
#[derive(Debug)]
pub struct Links {
    shared: Arc<Shared>,
    calls: Semaphore,
    generation: Arc<AtomicU64>,
    watch: Option<AbortHandle>,
}

/// What listeners need too.
#[derive(Debug)]
struct Shared {
    dialer: Arc<Dialer>,
    servers: Servers,
}

#[derive(Debug)]
enum Servers {
    One(Arc<Node>),
    Cluster(Arc<Cluster>),
}

impl Links {
    /// Connects, to a single server with one connection. An error if that fails: then it should be tried again, by whoever wants to.
    pub async fn open(address: &Address) -> Result<Self, LinkError> {
        let generation = Arc::new(AtomicU64::new(0));
        let dialer = Arc::new(Dialer::new(address, Arc::clone(&generation))?);
        let place = match &address.shape {
            Shape::Single => {
                let host = address.hosts.first().cloned();
                let (host, port) =
                    host.ok_or_else(|| LinkError::Away("the address names no host".to_owned()))?;
                Some(Place::Fixed(host, port))
            }
            Shape::Sentinel(name) => Some(Place::Watched(Sentinels {
                hosts: address.hosts.clone(),
                name: name.clone(),
                dialer: Dialer::to_sentinels(address)?,
                current: Mutex::new(None),
            })),
            Shape::Cluster => None,
        };
        let (servers, watch) = if let Some(place) = place {
            let node = Arc::new(Node::new(Arc::clone(&dialer), place));
            node.reach().await?;
            let watched = node.sentinels().is_some();
            let watch = watched.then(|| tokio::spawn(watch(Arc::clone(&node))).abort_handle());
            (Servers::One(node), watch)
        } else {
            let hosts = address.hosts.clone();
            let cluster = Cluster::open(Arc::clone(&dialer), hosts).await?;
            (Servers::Cluster(cluster), None)
        };
        Ok(Self {
            shared: Arc::new(Shared { dialer, servers }),
            calls: Semaphore::new(MOST_CALLS),
            generation,
            watch,
        })
    }

    /// Opens the connections that [`Self::open`] did not wait for. Until then, or where this fails, calls share the one there is.
    /// The servers of a cluster open theirs at the first call.
    pub async fn widen(&self) -> Result<(), LinkError> {
        match &self.shared.servers {
            Servers::One(node) => node.widen().await,
            Servers::Cluster(_) => Ok(()),
        }
    }

    /// Sends one command over a shared connection; answers within two seconds. In a cluster it goes to the primary that has
    /// its first key; without a key to any; `SCRIPT` and `FUNCTION` to each. Nothing is ever sent twice, save what a server
    /// of a cluster refused because another one has the slot. A command that blocks must not be sent this way.
    pub async fn send(&self, command: &Cmd) -> Result<Value, LinkError> {
        let _permit = self.permit()?;
        let deadline = Instant::now() + CALL_TIMEOUT;
        match &self.shared.servers {
            Servers::One(node) => node.call(command, false, deadline).await,
            Servers::Cluster(cluster) => cluster.call(command, deadline).await,
        }
    }

    /// Sends a command to `key`'s slot over a connection of its own, then waits until `replicas` replicas have it; how many
    /// had it within `wait` (cut to what two seconds leave). Covered is all that the primary had written when it ran the
    /// command, by whomever: a script that only reads back an answer waits for the write of that answer.
    /// [`LinkError::Lost`] also when it ran and `WAIT` failed.
    pub async fn send_and_wait(
        &self,
        key: &[u8],
        command: &Cmd,
        replicas: u32,
        wait: Duration,
    ) -> Result<(Value, u32), LinkError> {
        let _permit = self.permit()?;
        let deadline = Instant::now() + CALL_TIMEOUT;
        match &self.shared.servers {
            Servers::One(node) => {
                node.call_and_wait(command, false, replicas, wait, deadline)
                    .await
            }
            Servers::Cluster(cluster) => {
                cluster
                    .call_and_wait(key, command, replicas, wait, deadline)
                    .await
            }
        }
    }

    /// Sends a command to every primary; each one's `host:port` and reply. The first failure ends it.
    pub async fn send_to_each(&self, command: &Cmd) -> Result<Vec<(String, Value)>, LinkError> {
        let _permit = self.permit()?;
        let deadline = Instant::now() + CALL_TIMEOUT;
        let replies = match &self.shared.servers {
            Servers::One(node) => {
                let reply = node.call(command, false, deadline).await?;
                vec![(node.whereabouts().await?, reply)]
            }
            Servers::Cluster(cluster) => cluster.call_each(command, deadline).await?,
        };
        let named = |((host, port), reply): ((String, u16), Value)| (place(&host, port), reply);
        Ok(replies.into_iter().map(named).collect())
    }

    /// Listens to a channel; an error if that can't begin. It goes on over lost connections, until it is dropped.
    pub async fn subscribe(&self, channel: &str) -> Result<Topic, LinkError> {
        Topic::open(Arc::clone(&self.shared), channel.to_owned()).await
    }

    /// Grows with every new connection to a server that holds data: what was known of the server may be old then.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    fn permit(&self) -> Result<SemaphorePermit<'_>, LinkError> {
        self.calls
            .try_acquire()
            .map_err(|_| LinkError::Away("too many calls wait".to_owned()))
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            watch.abort();
        }
    }
}

impl Shared {
    /// Where a server is that passes messages on: in a cluster, all do.
    async fn somewhere(&self) -> Result<(String, u16), LinkError> {
        match &self.servers {
            Servers::One(node) => node.whereabouts().await,
            Servers::Cluster(cluster) => cluster.any()?.whereabouts().await,
        }
    }
}

async fn watch(node: Arc<Node>) {
    loop {
        tokio::time::sleep(WATCH_EVERY).await;
        let Some(sentinels) = node.sentinels() else {
            return;
        };
        if sentinels.have_changed_their_mind().await {
            tracing::warn!("the sentinels name another primary; all connections are made anew");
            node.retire();
        }
    }
}
