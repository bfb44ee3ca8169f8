//! A primary and its replicas, replicated asynchronously as Redis does; who is primary is changed by hand.

use std::time::Duration;

use crate::proxy::Proxy;
use crate::server::Server;
use crate::until::until;

const PATIENCE: Duration = Duration::from_mins(1);

/// Servers of which one is the primary. Each replica reads through a proxy of its own, so that its link can be held up while
/// the primary goes on answering; and the clients' address is a proxy too, which follows the primary.
#[derive(Debug)]
pub struct Replicated {
    servers: Vec<Server>,
    /// Before the primary, one for each server; a primary does not use its own.
    links: Vec<Proxy>,
    door: Proxy,
    primary: usize,
}

impl Replicated {
    /// A primary and so many replicas, linked up.
    pub fn start(replicas: usize) -> Self {
        Self::with(&[], replicas)
    }

    /// As [`Replicated::start`], all with these options.
    pub fn with(options: &[(&str, &str)], replicas: usize) -> Self {
        let servers: Vec<Server> = (0..=replicas).map(|_| Server::with(options)).collect();
        let links = servers
            .iter()
            .map(|_| Proxy::before(servers[0].port()))
            .collect();
        let door = Proxy::before(servers[0].port());
        let replicated = Self {
            servers,
            links,
            door,
            primary: 0,
        };
        for replica in 1..=replicas {
            replicated.follow(replica);
        }
        replicated.wait_until_linked();
        replicated
    }

    /// The address that follows the primary: `redis://127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        self.door.address()
    }

    /// What is at that address.
    pub fn door(&self) -> &Proxy {
        &self.door
    }

    /// Which server is the primary.
    pub fn primary(&self) -> usize {
        self.primary
    }

    /// A server, by its place; 0 was the first primary.
    pub fn server(&self, place: usize) -> &Server {
        &self.servers[place]
    }

    /// The same, to be killed or restarted.
    pub fn server_mut(&mut self, place: usize) -> &mut Server {
        &mut self.servers[place]
    }

    /// The way by which a replica reads from its primary.
    pub fn link(&self, place: usize) -> &Proxy {
        &self.links[place]
    }

    /// How many servers there are.
    pub fn len(&self) -> usize {
        self.servers.len()
    }

    /// Never: there is a primary.
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }

    /// Makes a replica the primary, after a `kill -9` of the old one; the other replicas follow it, and the address too.
    /// What the old primary had and the replica had not is lost.
    pub fn promote(&mut self, place: usize) {
        let old = self.primary;
        self.servers[old].kill();
        // What waits in a link that is held up dies with the primary.
        self.links[place].drop_all();
        self.links[place].resume();
        self.servers[place].command(&["REPLICAOF", "NO", "ONE"]);
        self.primary = place;
        for replica in 0..self.servers.len() {
            if replica != place && self.servers[replica].runs() {
                self.links[replica].resume();
                self.follow(replica);
            }
        }
        self.door.point_to(self.servers[place].port());
    }

    /// Brings a server that was killed back as a replica of the primary, emptied before, and waits for its link.
    pub fn rejoin(&mut self, place: usize) {
        assert_ne!(place, self.primary, "the primary has nobody to follow");
        self.servers[place].wipe_and_restart();
        self.links[place].resume();
        self.follow(place);
        self.wait_until_linked();
    }

    /// Waits until all running replicas have what the primary has now.
    pub fn wait_until_linked(&self) {
        let behind: Vec<&Server> = self
            .servers
            .iter()
            .enumerate()
            .filter(|(place, server)| *place != self.primary && server.runs())
            .map(|(_, server)| server)
            .collect();
        let primary = &self.servers[self.primary];
        for replica in behind {
            // Read once: under load the primary is always ahead.
            let due: u64 = until("the primary's offset", PATIENCE, || {
                primary.info("master_repl_offset")?.parse().ok()
            });
            until("a replica's link", PATIENCE, || {
                (replica.info("master_link_status")? == "up").then_some(())
            });
            until("a replica that has caught up", PATIENCE, || {
                let has: u64 = replica.info("slave_repl_offset")?.parse().ok()?;
                (has >= due).then_some(())
            });
        }
    }

    fn follow(&self, place: usize) {
        self.links[place].point_to(self.servers[self.primary].port());
        let port = self.links[place].port().to_string();
        // By way of nobody: a server that already follows that very address would keep its broken link until a time-out.
        self.servers[place].command(&["REPLICAOF", "NO", "ONE"]);
        self.servers[place].command(&["REPLICAOF", "127.0.0.1", &port]);
    }
}

#[cfg(test)]
mod tests {
    use redis::Client;

    use super::*;

    #[test]
    fn a_promoted_replica_has_what_reached_it() {
        let mut all = Replicated::start(2);
        all.server(0).command(&["SET", "k", "1"]);
        all.wait_until_linked();
        all.link(1).pause();
        all.server(0).command(&["SET", "k", "2"]);
        all.promote(1);
        assert!(!all.server(0).runs());
        let mut client = Client::open(all.address())
            .expect("an address")
            .get_connection()
            .expect("the new primary");
        let got: String = redis::cmd("GET")
            .arg("k")
            .query(&mut client)
            .expect("a value");
        assert_eq!(got, "1", "what was held up is lost");
        all.wait_until_linked();
        assert_eq!(all.server(2).ask::<String>(&["GET", "k"]), "1");
        all.rejoin(0);
        assert_eq!(all.server(0).ask::<String>(&["GET", "k"]), "1");
        // Told to wait for both: that they took the value over does not mean that the new primary has heard so.
        assert_eq!(all.server(1).ask::<i64>(&["WAIT", "2", "20000"]), 2);
    }
}
