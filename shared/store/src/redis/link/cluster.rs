//! The primaries of a cluster and which slots each has. `redis` has a client for clusters, which sends a command again
//! when its connection is lost; a commit must not be made twice behind its caller's back, so this one sends again only
//! what a server has refused: `MOVED` and `ASK`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use redis::cluster_routing::Slot;
use redis::{Cmd, Value};
use tokio::time::Instant;

use super::dial::Dialer;
use super::fault::LinkError;
use super::node::{Node, Place};
use super::route::Route;

/// How often a command follows a slot that moves.
const HOPS: usize = 3;

/// The map is asked for again at most this often.
const REFRESH_EVERY: Duration = Duration::from_millis(200);

/// How long one server may take to tell the map.
const MAP_TIMEOUT: Duration = Duration::from_millis(1_000);

type Hosts = HashMap<(String, u16), Arc<Node>>;

/// A cluster.
#[derive(Debug)]
pub(super) struct Cluster {
    dialer: Arc<Dialer>,
    seeds: Vec<(String, u16)>,
    map: ArcSwap<Map>,
    refreshed: Mutex<Option<Instant>>,
    next: AtomicUsize,
}

#[derive(Debug, Default)]
struct Map {
    nodes: Hosts,
    slots: HashMap<Slot, Arc<Node>>,
}

/// Where to go next.
enum Hop {
    Moved(Arc<Node>),
    Ask(Arc<Node>),
}

impl Cluster {
    /// Learns the map from the first seed that tells it.
    pub(super) async fn open(
        dialer: Arc<Dialer>,
        seeds: Vec<(String, u16)>,
    ) -> Result<Arc<Self>, LinkError> {
        let cluster = Arc::new(Self {
            dialer,
            seeds,
            map: ArcSwap::default(),
            refreshed: Mutex::new(None),
            next: AtomicUsize::new(0),
        });
        cluster.refresh().await?;
        Ok(cluster)
    }

    pub(super) async fn call(
        self: &Arc<Self>,
        command: &Cmd,
        deadline: Instant,
    ) -> Result<Value, LinkError> {
        let (mut node, slot) = match Route::of(command) {
            Route::Slot(slot) => (self.owner(slot)?, Some(slot)),
            Route::Any => (self.any()?, None),
            Route::Each => {
                let replies = self.call_each(command, deadline).await?;
                return Ok(replies
                    .into_iter()
                    .next_back()
                    .map_or(Value::Nil, |(_, it)| it));
            }
        };
        let mut asking = false;
        for _ in 0..HOPS {
            let outcome = node.call(command, asking, deadline).await;
            match self.hop(&node, &outcome, slot) {
                None => return outcome,
                Some(Hop::Moved(to)) => (node, asking) = (to, false),
                Some(Hop::Ask(to)) => (node, asking) = (to, true),
            }
        }
        node.call(command, asking, deadline).await
    }

    pub(super) async fn call_and_wait(
        self: &Arc<Self>,
        key: &[u8],
        command: &Cmd,
        replicas: u32,
        wait: Duration,
        deadline: Instant,
    ) -> Result<(Value, u32), LinkError> {
        let slot = Slot::for_key(key);
        let mut node = self.owner(slot)?;
        let mut asking = false;
        for _ in 0..HOPS {
            let outcome = node
                .call_and_wait(command, asking, replicas, wait, deadline)
                .await;
            match self.hop(&node, &outcome, Some(slot)) {
                None => return outcome,
                Some(Hop::Moved(to)) => (node, asking) = (to, false),
                Some(Hop::Ask(to)) => (node, asking) = (to, true),
            }
        }
        node.call_and_wait(command, asking, replicas, wait, deadline)
            .await
    }

    /// Sends a command to every primary, one after another; the first failure ends it.
    pub(super) async fn call_each(
        self: &Arc<Self>,
        command: &Cmd,
        deadline: Instant,
    ) -> Result<Vec<((String, u16), Value)>, LinkError> {
        let nodes = self.map.load_full();
        let mut replies = Vec::with_capacity(nodes.nodes.len());
        for (place, node) in &nodes.nodes {
            let outcome = node.call(command, false, deadline).await;
            self.hop(node, &outcome, None);
            replies.push((place.clone(), outcome?));
        }
        Ok(replies)
    }

    /// Any primary.
    pub(super) fn any(&self) -> Result<Arc<Node>, LinkError> {
        let map = self.map.load();
        let at = self.next.fetch_add(1, Ordering::Relaxed) % map.nodes.len().max(1);
        let node = map.nodes.values().nth(at);
        node.cloned()
            .ok_or_else(|| LinkError::Away("the cluster has no primary".to_owned()))
    }

    fn owner(self: &Arc<Self>, slot: Slot) -> Result<Arc<Node>, LinkError> {
        if let Some(node) = self.map.load().slots.get(&slot) {
            return Ok(Arc::clone(node));
        }
        self.refresh_soon();
        Err(LinkError::Away("no primary has this slot".to_owned()))
    }

    /// Where an outcome says to go; and has the map looked at again when it may be old.
    fn hop<T>(
        self: &Arc<Self>,
        from: &Arc<Node>,
        outcome: &Result<T, LinkError>,
        slot: Option<Slot>,
    ) -> Option<Hop> {
        let error = outcome.as_ref().err()?;
        if error.means_nobody_home() {
            self.refresh_soon();
            return None;
        }
        let LinkError::Refused { code, detail } = error else {
            return None;
        };
        let is_move = match code.as_str() {
            "MOVED" => true,
            "ASK" => false,
            _ => return None,
        };
        // `MOVED 3999 host:port`; no host: that of the server that says so.
        let (host, port) = detail.split_whitespace().nth(1)?.rsplit_once(':')?;
        let port = port.parse().ok()?;
        let host = if host.is_empty() {
            from.fixed_host()?.to_owned()
        } else {
            host.to_owned()
        };
        let to = self.node(&host, port);
        if !is_move {
            return Some(Hop::Ask(to));
        }
        if let Some(slot) = slot {
            self.map.rcu(|map| {
                let mut slots = map.slots.clone();
                slots.insert(slot, Arc::clone(&to));
                Map {
                    nodes: map.nodes.clone(),
                    slots,
                }
            });
        }
        self.refresh_soon();
        Some(Hop::Moved(to))
    }

    fn node(&self, host: &str, port: u16) -> Arc<Node> {
        let place = (host.to_owned(), port);
        if let Some(node) = self.map.load().nodes.get(&place) {
            return Arc::clone(node);
        }
        let node = self.new_node(&place);
        self.map.rcu(|map| {
            let mut nodes = map.nodes.clone();
            nodes.insert(place.clone(), Arc::clone(&node));
            Map {
                nodes,
                slots: map.slots.clone(),
            }
        });
        node
    }

    fn new_node(&self, (host, port): &(String, u16)) -> Arc<Node> {
        let place = Place::Fixed(host.clone(), *port);
        Arc::new(Node::new(Arc::clone(&self.dialer), place))
    }

    fn refresh_soon(self: &Arc<Self>) {
        let now = Instant::now();
        let mut refreshed = self.refreshed.lock();
        if refreshed.is_some_and(|at| now.duration_since(at) < REFRESH_EVERY) {
            return;
        }
        *refreshed = Some(now);
        let cluster = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = cluster.refresh().await {
                tracing::warn!(%error, "the cluster's map could not be read");
            }
        });
    }

    async fn refresh(&self) -> Result<(), LinkError> {
        let known = self.map.load_full();
        let places = known.nodes.keys().chain(&self.seeds);
        let mut why = LinkError::Away("no server of the cluster is named".to_owned());
        for place in places {
            match tokio::time::timeout(MAP_TIMEOUT, self.ask(place)).await {
                Ok(Ok(map)) => {
                    self.map.store(Arc::new(map));
                    return Ok(());
                }
                Ok(Err(error)) => why = error,
                Err(_) => {
                    why = LinkError::Away(format!("{}:{} does not tell the map", place.0, place.1))
                }
            }
        }
        Err(why)
    }

    /// The map as one server sees it. A connection of its own: a breaker must not stand between the cluster and the news
    /// that the primary behind it has been replaced.
    async fn ask(&self, place: &(String, u16)) -> Result<Map, LinkError> {
        let mut link = self.dialer.dial(&place.0, place.1).await?;
        let mut question = redis::cmd("CLUSTER");
        question.arg("SLOTS");
        let reply = redis::aio::ConnectionLike::req_packed_command(&mut link.connection, &question)
            .await
            .and_then(Value::extract_error)
            .map_err(LinkError::after_sending)?;
        let known = self.map.load();
        let mut map = Map::default();
        for (from, to, owner) in ranges(reply, &place.0) {
            let node = map.nodes.entry(owner).or_insert_with_key(|owner| {
                let known = known.nodes.get(owner).cloned();
                known.unwrap_or_else(|| self.new_node(owner))
            });
            for slot in (from..=to).filter_map(Slot::new) {
                map.slots.insert(slot, Arc::clone(node));
            }
        }
        if map.slots.is_empty() {
            return Err(LinkError::Away(format!(
                "{}:{} knows of no slots",
                place.0, place.1
            )));
        }
        Ok(map)
    }
}

/// From each `[first, last, [host, port, id], replicas...]`, the slots and the primary. A server that doesn't know its own
/// name says none: it is where it was asked.
fn ranges(reply: Value, asked: &str) -> Vec<(u16, u16, (String, u16))> {
    let Value::Array(rows) = reply else {
        return Vec::new();
    };
    let row = |row: Value| {
        let Value::Array(parts) = row else {
            return None;
        };
        let mut parts = parts.into_iter();
        let (Value::Int(from), Value::Int(to), Value::Array(owner)) =
            (parts.next()?, parts.next()?, parts.next()?)
        else {
            return None;
        };
        let (host, port) = (owner.first()?, owner.get(1)?);
        let host = match host {
            Value::BulkString(host) => String::from_utf8(host.clone()).ok()?,
            _ => String::new(),
        };
        let Value::Int(port) = port else { return None };
        let host = if host.is_empty() || host == "?" {
            asked.to_owned()
        } else {
            host
        };
        Some((
            u16::try_from(from).ok()?,
            u16::try_from(to).ok()?,
            (host, u16::try_from(*port).ok()?),
        ))
    };
    rows.into_iter().filter_map(row).collect()
}
