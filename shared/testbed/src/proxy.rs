//! A door before a server: forwards bytes, and cuts connections at a byte that was asked for.
//!
//! Knows nothing of what the bytes mean.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

/// A TCP proxy on 127.0.0.1; ends, with all its connections, when dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

/// What a proxy did so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Connections taken.
    pub connections: u64,
    /// Connections cut within a request.
    pub request_cuts: u64,
    /// Connections cut before or within a reply.
    pub reply_cuts: u64,
    /// Connections dropped by [`Proxy::drop_all`] or [`Proxy::point_to`].
    pub dropped: u64,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Told whenever a pause ends.
    resumed: Condvar,
}

#[derive(Debug)]
struct State {
    target: u16,
    paused: bool,
    closed: bool,
    armed: Option<Cut>,
    /// The cut that a connection has taken upon itself, and how many bytes it still lets through.
    claimed: BTreeMap<u64, Cut>,
    live: BTreeMap<u64, [TcpStream; 2]>,
    counts: Counts,
}

/// After how many more bytes a connection is cut.
#[derive(Debug, Clone, Copy)]
enum Cut {
    Request(u64),
    Reply(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

impl Proxy {
    /// A proxy before `target`, a port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// If there is no port to listen on.
    pub fn before(target: u16) -> Self {
        let listener = crate::until::until(
            "a port for a proxy",
            std::time::Duration::from_secs(10),
            || TcpListener::bind((Ipv4Addr::LOCALHOST, crate::port::free_port())).ok(),
        );
        let port = listener.local_addr().expect("its own address").port();
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                target,
                paused: false,
                closed: false,
                armed: None,
                claimed: BTreeMap::new(),
                live: BTreeMap::new(),
                counts: Counts::default(),
            }),
            resumed: Condvar::new(),
        });
        let at_work = shared.clone();
        thread::spawn(move || take_connections(&listener, &at_work));
        Self { port, shared }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `redis://127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The next connection that sends anything is cut after `bytes` more bytes of it were forwarded. Once.
    pub fn cut_after_request_bytes(&self, bytes: u64) {
        self.shared.lock().armed = Some(Cut::Request(bytes));
    }

    /// The next connection that sends anything is cut after `bytes` bytes of what comes back; 0: all that it sent was
    /// forwarded, the server has answered, and not a byte of the answer goes through. Once.
    pub fn cut_reply_at(&self, bytes: u64) {
        self.shared.lock().armed = Some(Cut::Reply(bytes));
    }

    /// Whether a cut was asked for and no connection was cut yet.
    pub fn cut_is_due(&self) -> bool {
        let state = self.shared.lock();
        state.armed.is_some() || !state.claimed.is_empty()
    }

    /// Takes back a cut that was asked for and not made.
    pub fn call_off(&self) {
        let mut state = self.shared.lock();
        state.armed = None;
        state.claimed.clear();
    }

    /// Forwards nothing, in neither direction, until [`Proxy::resume`]; new connections are taken and wait.
    pub fn pause(&self) {
        self.shared.lock().paused = true;
    }

    /// Goes on; nothing was lost.
    pub fn resume(&self) {
        self.shared.lock().paused = false;
        self.shared.resumed.notify_all();
    }

    /// Cuts all connections; new ones are taken.
    pub fn drop_all(&self) {
        self.shared.lock().drop_all();
        self.shared.resumed.notify_all();
    }

    /// Cuts all connections; new ones go to `target`, a port of 127.0.0.1.
    pub fn point_to(&self, target: u16) {
        let mut state = self.shared.lock();
        state.target = target;
        state.drop_all();
        drop(state);
        self.shared.resumed.notify_all();
    }

    /// What it did so far.
    pub fn counts(&self) -> Counts {
        self.shared.lock().counts
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        state.paused = false;
        state.drop_all();
        drop(state);
        self.shared.resumed.notify_all();
        // The listening thread waits for a connection: here is one.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic holds it")
    }

    /// How many of `bytes` bytes of connection `id` may go this way, and whether it is cut after them; none: it is gone.
    fn let_through(&self, id: u64, way: Way, bytes: usize) -> Option<(usize, bool)> {
        let mut state = self.lock();
        while state.paused && state.live.contains_key(&id) {
            state = self.resumed.wait(state).expect("no panic holds it");
        }
        if !state.live.contains_key(&id) {
            return None;
        }
        if way == Way::Up
            && !state.claimed.contains_key(&id)
            && let Some(cut) = state.armed.take()
        {
            state.claimed.insert(id, cut);
        }
        let claimed = state.claimed.get_mut(&id);
        let ((Way::Up, Some(Cut::Request(left))) | (Way::Down, Some(Cut::Reply(left)))) =
            (way, claimed)
        else {
            return Some((bytes, false));
        };
        if (bytes as u64) < *left {
            *left -= bytes as u64;
            return Some((bytes, false));
        }
        let rest = *left as usize;
        match way {
            Way::Up => state.counts.request_cuts += 1,
            Way::Down => state.counts.reply_cuts += 1,
        }
        Some((rest, true))
    }

    fn close(&self, id: u64) {
        let mut state = self.lock();
        if let Some(ends) = state.live.remove(&id) {
            shut(&ends);
        }
        // A cut whose connection ended by itself is for another one.
        let unused = state.claimed.remove(&id);
        if state.armed.is_none() {
            state.armed = unused;
        }
        drop(state);
        self.resumed.notify_all();
    }

    /// Closes a connection whose cut has been made.
    fn cut(&self, id: u64) {
        self.lock().claimed.remove(&id);
        self.close(id);
    }
}

impl State {
    fn drop_all(&mut self) {
        self.claimed.clear();
        for ends in std::mem::take(&mut self.live).into_values() {
            shut(&ends);
            self.counts.dropped += 1;
        }
    }
}

fn shut(ends: &[TcpStream; 2]) {
    for end in ends {
        let _ = end.shutdown(Shutdown::Both);
    }
}

fn take_connections(listener: &TcpListener, shared: &Arc<Shared>) {
    for (id, near) in (0..).zip(listener.incoming()) {
        let target = {
            let mut state = shared.lock();
            if state.closed {
                return;
            }
            state.counts.connections += 1;
            state.target
        };
        // A server that is not there: the client sees its connection end, as without a proxy it would see it refused.
        let Ok(near) = near else { continue };
        let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) else {
            continue;
        };
        // A connection that ended in this moment is none.
        let _ = connect(id, &near, &far, shared);
    }
}

fn connect(id: u64, near: &TcpStream, far: &TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let ends = [near.try_clone()?, far.try_clone()?];
    let up = (near.try_clone()?, far.try_clone()?);
    let down = (far.try_clone()?, near.try_clone()?);
    shared.lock().live.insert(id, ends);
    for (way, (from, to)) in [(Way::Up, up), (Way::Down, down)] {
        let shared = shared.clone();
        thread::spawn(move || {
            forward(id, way, from, to, &shared);
        });
    }
    Ok(())
}

/// Forwards one direction of a connection until it ends or is cut.
fn forward(id: u64, way: Way, mut from: TcpStream, mut to: TcpStream, shared: &Shared) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) | Err(_) => return shared.close(id),
            Ok(read) => read,
        };
        let Some((goes, cut)) = shared.let_through(id, way, read) else {
            return shared.close(id);
        };
        let written = to.write_all(&buffer[..goes]);
        if cut {
            return shared.cut(id);
        }
        if written.is_err() {
            return shared.close(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use redis::{Client, Connection};

    use super::*;
    use crate::Server;

    fn client(proxy: &Proxy) -> Connection {
        let client = Client::open(proxy.address()).expect("an address");
        let connection = client
            .get_connection_with_timeout(Duration::from_secs(10))
            .expect("a connection");
        connection
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a time-out");
        connection
    }

    fn count(connection: &mut Connection) -> redis::RedisResult<i64> {
        redis::cmd("INCR").arg("k").query(connection)
    }

    #[test]
    fn cuts_within_the_request_or_the_reply() {
        let server = Server::start();
        let proxy = Proxy::before(server.port());
        assert_eq!(count(&mut client(&proxy)), Ok(1));

        let mut connection = client(&proxy);
        proxy.cut_after_request_bytes(5);
        assert!(count(&mut connection).is_err());
        assert_eq!(
            server.ask::<i64>(&["GET", "k"]),
            1,
            "the request did not arrive whole"
        );

        for (bytes, so_far) in [(0, 2), (2, 3)] {
            let mut connection = client(&proxy);
            proxy.cut_reply_at(bytes);
            assert!(count(&mut connection).is_err());
            assert_eq!(
                server.ask::<i64>(&["GET", "k"]),
                so_far,
                "it was done all the same"
            );
        }
        assert!(!proxy.cut_is_due());
        assert_eq!(count(&mut client(&proxy)), Ok(4));
        let counts = proxy.counts();
        assert_eq!((counts.request_cuts, counts.reply_cuts), (1, 2));
    }

    #[test]
    fn pauses_drops_and_points_elsewhere() {
        let (one, two) = (Server::start(), Server::start());
        let proxy = Proxy::before(one.port());
        let mut connection = client(&proxy);
        proxy.pause();
        let waiting = thread::spawn(move || count(&mut connection));
        assert!(!waiting.is_finished());
        proxy.resume();
        assert_eq!(waiting.join().expect("no panic"), Ok(1));

        let mut connection = client(&proxy);
        proxy.drop_all();
        assert!(count(&mut connection).is_err());

        two.command(&["SET", "k", "70"]);
        proxy.point_to(two.port());
        assert_eq!(count(&mut client(&proxy)), Ok(71));
        assert!(proxy.counts().dropped >= 1);
    }
}
