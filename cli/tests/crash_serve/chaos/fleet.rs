//! Several `gala serve` processes on one store, any of which a client may ask.

use std::sync::{Mutex, MutexGuard};

use crate::luck::Luck;
use crate::server::{Home, Ports, Server};

#[derive(Debug)]
pub struct Fleet {
    seats: Vec<Seat>,
}

/// A process, or the place of one that was killed.
#[derive(Debug)]
struct Seat {
    home: Home,
    server: Mutex<Option<Server>>,
    /// Known as soon as it listens, so that nobody waits for a start.
    ports: Mutex<Option<Ports>>,
}

impl Fleet {
    /// Starts so many processes at once on the store of `home`.
    pub fn start(home: &Home, processes: usize) -> Self {
        let seats: Vec<Seat> = (0..processes)
            .map(|number| {
                let home = Home {
                    data: home.data.with_extension(number.to_string()),
                    ..home.clone()
                };
                Seat {
                    server: Mutex::new(Some(Server::spawn(&home))),
                    ports: Mutex::new(None),
                    home,
                }
            })
            .collect();
        for seat in &seats {
            seat.wait();
        }
        Self { seats }
    }

    /// Starts one more, whose clock is ahead by so many seconds.
    pub fn join(&mut self, clock_ahead_secs: i64) {
        let first = &self.seats[0].home;
        let home = Home {
            data: first.data.with_extension(self.seats.len().to_string()),
            clock_ahead_secs,
            ..first.clone()
        };
        let seat = Seat {
            server: Mutex::new(Some(Server::spawn(&home))),
            ports: Mutex::new(None),
            home,
        };
        seat.wait();
        self.seats.push(seat);
    }

    pub fn len(&self) -> usize {
        self.seats.len()
    }

    /// One of the processes that listen, if any does.
    pub fn any(&self, luck: &mut Luck) -> Option<Ports> {
        let up: Vec<Ports> = self.seats.iter().filter_map(Seat::ports).collect();
        up.get(luck.below(up.len() as u64) as usize).copied()
    }

    /// Where a process listens that runs.
    pub fn ports(&self, number: usize) -> Ports {
        self.seats[number].ports().expect("a process that runs")
    }

    /// `kill -9`. It must have been running: a process that ends by itself is a fault of its own.
    pub fn kill(&self, number: usize) {
        let seat = &self.seats[number];
        *lock(&seat.ports) = None;
        let server = lock(&seat.server).take();
        server.expect("a process to kill").kill();
    }

    /// Starts a process in the place of one that was killed, and waits until it listens.
    pub fn start_again(&self, number: usize) {
        let seat = &self.seats[number];
        *lock(&seat.server) = Some(Server::spawn(&seat.home));
        seat.wait();
    }

    /// Starts a process in the place of one that was killed, which must end by itself; what it said.
    pub fn is_turned_away(&self, number: usize) -> String {
        let (status, said) = Server::spawn(&self.seats[number].home).end();
        assert!(!status.success(), "it serves: {said}");
        said
    }

    /// What all of them wrote; for a failure's report.
    pub fn said(&self) -> String {
        let servers = self.seats.iter().map(|seat| lock(&seat.server));
        servers
            .filter_map(|server| Some(server.as_ref()?.said()))
            .collect::<Vec<String>>()
            .join("\n---\n")
    }

    /// Ends all of them, each of which must still run.
    pub fn end(self) {
        for number in 0..self.seats.len() {
            if self.seats[number].ports().is_some() {
                self.kill(number);
            }
        }
    }
}

impl Seat {
    fn ports(&self) -> Option<Ports> {
        *lock(&self.ports)
    }

    fn wait(&self) {
        let ports = lock(&self.server)
            .as_mut()
            .expect("a process that was started")
            .ports();
        *lock(&self.ports) = Some(ports);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no panic holds it")
}
