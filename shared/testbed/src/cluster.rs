//! A Redis cluster on this machine: made by commands, its slots moved while they are in use.

use std::time::Duration;

use redis::Value;

use crate::port::free_port;
use crate::server::Server;
use crate::until::until;

const PATIENCE: Duration = Duration::from_mins(2);
/// After how long a node that does not answer counts as failed.
const NODE_TIMEOUT_MS: &str = "1500";
const SLOTS: usize = 16_384;
/// How many keys of a slot travel in one `MIGRATE`.
const KEYS_AT_ONCE: &str = "100";

/// A cluster; its primaries come first in the order of places, then their replicas in the same order.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Server>,
    /// Each node's port for the others.
    ids: Vec<String>,
    primaries: usize,
}

impl Cluster {
    /// So many primaries with equal shares of the slots, each with `replicas` (0 or 1) replicas; waits until every node finds
    /// the cluster whole.
    pub fn start(primaries: usize, replicas: usize) -> Self {
        Self::with(&[], primaries, replicas)
    }

    /// As [`Cluster::start`], all nodes with these options.
    pub fn with(options: &[(&str, &str)], primaries: usize, replicas: usize) -> Self {
        assert!(replicas <= 1, "one replica each, or none");
        let nodes: Vec<Server> = (0..primaries * (1 + replicas))
            .map(|_| node(options))
            .collect();
        let ids = nodes
            .iter()
            .map(|node| node.ask(&["CLUSTER", "MYID"]))
            .collect();
        let cluster = Self {
            nodes,
            ids,
            primaries,
        };
        for place in 0..primaries {
            let (first, end) = (SLOTS * place / primaries, SLOTS * (place + 1) / primaries);
            let (first, last) = (first.to_string(), (end - 1).to_string());
            cluster.nodes[place].command(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]);
            // Two nodes that both think of themselves as of epoch 0 settle that slowly.
            let epoch = (place + 1).to_string();
            cluster.nodes[place].command(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]);
        }
        for other in &cluster.nodes[1..] {
            let (port, bus) = (
                other.port().to_string(),
                other
                    .ask::<(String, String)>(&["CONFIG", "GET", "cluster-port"])
                    .1,
            );
            cluster.nodes[0].command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
        }
        cluster.wait_until_known();
        for replica in primaries..cluster.nodes.len() {
            let primary = &cluster.ids[replica - primaries];
            cluster.nodes[replica].command(&["CLUSTER", "REPLICATE", primary]);
        }
        for replica in &cluster.nodes[primaries..] {
            until("a replica's link", PATIENCE, || {
                (replica.info("master_link_status")? == "up").then_some(())
            });
        }
        cluster.wait_until_whole();
        cluster
    }

    /// `redis://127.0.0.1:PORT` of each node.
    pub fn addresses(&self) -> Vec<String> {
        self.nodes.iter().map(Server::address).collect()
    }

    /// A node, by its place.
    pub fn node(&self, place: usize) -> &Server {
        &self.nodes[place]
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: there are nodes.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// How many of the places were primaries at first.
    pub fn primaries(&self) -> usize {
        self.primaries
    }

    /// The slot of a key.
    pub fn slot_of(&self, key: &str) -> u16 {
        self.any_running().ask(&["CLUSTER", "KEYSLOT", key])
    }

    /// The place of the node that serves a slot, if one does that runs.
    pub fn owner(&self, slot: u16) -> Option<usize> {
        let slot = slot.to_string();
        // A node says `MOVED` for a slot that is another's, so ask each whether the slot's keys are its own.
        (0..self.nodes.len()).find(|place| {
            let node = &self.nodes[*place];
            node.runs()
                && node.info("role").as_deref() == Some("master")
                && self.serves(*place, &slot)
        })
    }

    /// Moves a slot with all its keys, as a resharding does: clients are told `ASK`, then `MOVED`.
    pub fn move_slot(&self, slot: u16, from: usize, to: usize) {
        self.move_slot_with(slot, from, to, || ());
    }

    /// As [`Cluster::move_slot`]; `between` is called before the first keys travel and after each batch of them, when some keys
    /// of the slot are here and some are there.
    pub fn move_slot_with(&self, slot: u16, from: usize, to: usize, mut between: impl FnMut()) {
        let slot = slot.to_string();
        let (source, target) = (&self.nodes[from], &self.nodes[to]);
        let port = target.port().to_string();
        target.command(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &self.ids[from]]);
        source.command(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &self.ids[to]]);
        between();
        loop {
            let keys: Vec<Vec<u8>> = source.ask(&["CLUSTER", "GETKEYSINSLOT", &slot, KEYS_AT_ONCE]);
            if keys.is_empty() {
                break;
            }
            let mut connection = source.connect(Duration::from_secs(30)).expect("the source");
            let moved: Value = redis::cmd("MIGRATE")
                .arg(&["127.0.0.1", &port, "", "0", "20000", "KEYS"])
                .arg(&keys)
                .query(&mut connection)
                .expect("keys that travel");
            drop(moved);
            between();
        }
        // The target first: the other way round the slot would be nobody's for a moment.
        for node in [to, from] {
            self.nodes[node].command(&["CLUSTER", "SETSLOT", &slot, "NODE", &self.ids[to]]);
        }
        for (place, node) in self.nodes.iter().enumerate() {
            if place != to && place != from && node.runs() {
                // Replicas refuse, and learn it from their primaries.
                let _: redis::RedisResult<Value> =
                    node.try_ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &self.ids[to]]);
            }
        }
    }

    /// `kill -9` of a node.
    pub fn kill(&mut self, place: usize) {
        self.nodes[place].kill();
    }

    /// Starts a node again; it finds the others by its own file.
    pub fn restart(&mut self, place: usize) {
        self.nodes[place].restart();
    }

    /// Waits until every running node finds the cluster whole: each slot served.
    pub fn wait_until_whole(&self) {
        for node in self.nodes.iter().filter(|node| node.runs()) {
            until("a cluster that is whole", PATIENCE, || {
                let info: String = node.try_ask(&["CLUSTER", "INFO"]).ok()?;
                let whole =
                    info.contains("cluster_state:ok") && info.contains("cluster_slots_ok:16384");
                whole.then_some(())
            });
        }
    }

    /// Waits until every running replica has what its primary has, as far as it can tell.
    pub fn wait_until_linked(&self) {
        for node in self.nodes.iter().filter(|node| node.runs()) {
            until("a replica's link", PATIENCE, || {
                let role = node.info("role")?;
                let linked = role == "master" || node.info("master_link_status")? == "up";
                linked.then_some(())
            });
        }
    }

    fn wait_until_known(&self) {
        let all = format!("cluster_known_nodes:{}\r", self.nodes.len());
        for node in &self.nodes {
            until("nodes that know each other", PATIENCE, || {
                let info: String = node.try_ask(&["CLUSTER", "INFO"]).ok()?;
                let handshakes: String = node.try_ask(&["CLUSTER", "NODES"]).ok()?;
                (info.contains(&all) && !handshakes.contains("handshake")).then_some(())
            });
        }
    }

    /// Whether this node takes a slot for its own.
    fn serves(&self, place: usize, slot: &str) -> bool {
        let shards: redis::RedisResult<String> = self.nodes[place].try_ask(&["CLUSTER", "NODES"]);
        let slot: u32 = slot.parse().expect("a slot's number");
        shards.is_ok_and(|nodes| {
            nodes
                .lines()
                .filter(|line| line.contains("myself"))
                .flat_map(|line| line.split(' ').skip(8))
                .filter(|range| !range.starts_with('['))
                .any(|range| {
                    let (first, last) = range.split_once('-').unwrap_or((range, range));
                    let bound = |text: &str| text.trim().parse::<u32>();
                    matches!((bound(first), bound(last)), (Ok(first), Ok(last)) if (first..=last).contains(&slot))
                })
        })
    }

    fn any_running(&self) -> &Server {
        self.nodes
            .iter()
            .find(|node| node.runs())
            .expect("a node that runs")
    }
}

fn node(options: &[(&str, &str)]) -> Server {
    // Its bus is 10,000 above unless said; that range may be anyone's.
    let bus = free_port().to_string();
    let mut all = vec![
        ("cluster-enabled", "yes"),
        ("cluster-config-file", "nodes.conf"),
        ("cluster-node-timeout", NODE_TIMEOUT_MS),
        ("cluster-port", &bus),
    ];
    all.extend(options);
    Server::with(&all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_move_and_a_replica_takes_over() {
        let mut cluster = Cluster::start(3, 1);
        assert_eq!((cluster.len(), cluster.primaries()), (6, 3));
        let slot = cluster.slot_of("{tag}k");
        let from = cluster.owner(slot).expect("an owner");
        for number in 0..250 {
            cluster
                .node(from)
                .command(&["SET", &format!("{{tag}}{number}"), "v"]);
        }
        let to = (from + 1) % 3;
        let mut batches = 0;
        cluster.move_slot_with(slot, from, to, || batches += 1);
        assert_eq!(batches, 4, "before the first, and three batches");
        assert_eq!(cluster.owner(slot), Some(to));
        assert_eq!(cluster.node(to).ask::<String>(&["GET", "{tag}249"]), "v");
        assert!(
            cluster
                .node(from)
                .try_ask::<String>(&["GET", "{tag}249"])
                .is_err()
        );
        cluster.wait_until_whole();

        // Whoever is promoted must have the keys before.
        let replica = cluster.node(to + 3);
        until("the replica's copy", PATIENCE, || {
            let keys: usize = replica.ask(&["CLUSTER", "COUNTKEYSINSLOT", &slot.to_string()]);
            (keys == 250).then_some(())
        });
        cluster.kill(to);
        until("the replica in its place", PATIENCE, || {
            (cluster.owner(slot)? == to + 3).then_some(())
        });
        cluster.wait_until_whole();
        assert_eq!(
            cluster.node(to + 3).ask::<String>(&["GET", "{tag}249"]),
            "v"
        );
        cluster.restart(to);
        cluster.wait_until_whole();
    }
}
