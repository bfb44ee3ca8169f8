//! Where a scene is played: configs, serve processes on one store, players, and the judgement at the end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::fleet::Fleet;
use super::report::Report;
use super::service::Service;
use crate::books::Ack;
use crate::client::Connection;
use crate::judge::{judge, ledger};
use crate::luck::Luck;
use crate::player::{Manner, Player};
use crate::server::{Home, Ports};
use crate::world::{CAMPAIGNS, configs_with};

/// A client that was not served comes again after this.
const BACKOFF: Duration = Duration::from_millis(15);
/// How long open calls may stay open when nothing is broken any more.
const PATIENCE: Duration = Duration::from_mins(1);
/// Turns on one connection, at most.
const TURNS: u64 = 12;

/// How much is played.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Faults of the scene.
    pub faults: u64,
    /// `gala serve` processes.
    pub processes: usize,
    /// Clients, each a thread with a connection.
    pub players: usize,
}

/// Players that draw where the stock is 1, 7 and 1000, and where a budget ends.
pub fn manner() -> Manner {
    Manner {
        draws: &["wheel", "launch", "launch", "purse"],
        ..Manner::default()
    }
}

#[derive(Debug)]
pub struct Field {
    pub fleet: Fleet,
    pub service: Service,
    pub players: Vec<Player>,
    pub violations: Vec<String>,
    _folder: TempDir,
}

impl Field {
    /// Serve processes on `store`, whose campaigns declare this durability, and players.
    pub fn open(store: &str, scale: Scale, durability: &str, manner: Manner) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut home = Home::new(folder.path(), "data");
        home.configs = configs_with(folder.path(), durability);
        home.store = Some(store.to_owned());
        Self {
            fleet: Fleet::start(&home, scale.processes),
            service: Service::default(),
            players: (0..scale.players)
                .map(|number| Player::with(format!("p{number}"), manner))
                .collect(),
            violations: Vec::new(),
            _folder: folder,
        }
    }

    /// Lets all players play while `faults` happen. An error of theirs is a violation.
    pub fn play(
        &mut self,
        luck: &mut Luck,
        faults: impl FnOnce(&Fleet, &Service) -> Result<(), String>,
    ) {
        let stop = AtomicBool::new(false);
        let (fleet, service) = (&self.fleet, &self.service);
        service.begin();
        let outcome: Result<(), String> = std::thread::scope(|scope| {
            for player in &mut self.players {
                let (mut luck, stop) = (Luck::new(luck.next(), "player"), &stop);
                scope.spawn(move || wander(player, fleet, service, &mut luck, stop));
            }
            // Set also when `faults` panics: the players would play on for ever.
            let _stop = StopAtEnd(&stop);
            faults(fleet, service)
        });
        service.end();
        self.violations.extend(outcome.err());
    }

    /// Resolves everything open; nothing is broken any more.
    pub fn settle(&mut self, luck: &mut Luck) {
        let until = Instant::now() + PATIENCE;
        let fleet = &self.fleet;
        let left: usize = std::thread::scope(|scope| {
            let settling: Vec<_> = self
                .players
                .iter_mut()
                .map(|player| {
                    let mut luck = Luck::new(luck.next(), "settle");
                    scope.spawn(move || {
                        while !player.books.open.is_empty() && Instant::now() < until {
                            let there = fleet.any(&mut luck);
                            let tried = there.and_then(|ports| {
                                let mut connection = Connection::open(ports.public).ok()?;
                                player.settle(&mut connection).ok()
                            });
                            if tried.is_none() {
                                sleep(BACKOFF);
                            }
                        }
                        player.books.open.len()
                    })
                })
                .collect();
            settling
                .into_iter()
                .map(|one| one.join().expect("no panic"))
                .sum()
        });
        if left > 0 {
            self.violations
                .push(format!("{left} calls are still open after {PATIENCE:?}"));
        }
    }

    /// Strikes out of the books what the ledger has not: what the store, as it was set up, has lost.
    pub fn strike_lost(&mut self, luck: &mut Luck) -> Vec<Ack> {
        let ports = self.at_rest(luck);
        let mut kept = std::collections::BTreeSet::new();
        for campaign in CAMPAIGNS {
            for row in ledger(ports, campaign) {
                let key = row["request_id"].as_str().unwrap_or_default().to_owned();
                kept.insert((campaign, key));
            }
        }
        let is_lost = |ack: &Ack| !kept.contains(&(ack.call.campaign, ack.call.key.clone()));
        self.players
            .iter_mut()
            .flat_map(|player| player.books.strike(is_lost))
            .collect()
    }

    /// Settles, asks for all answers again, judges; the processes end.
    pub fn judge(mut self, luck: &mut Luck) -> Report {
        self.settle(luck);
        let ports = self.at_rest(luck);
        let mut report = Report::default();
        if self.players.iter().all(|player| player.manner.checks) {
            self.ask_for_all_again(luck);
        }
        let verdict = judge(ports, &mut self.players);
        report.rows = verdict.rows;
        report.grants = verdict.grants;
        report.sold_out = verdict.sold_out;
        report.violations.extend(verdict.violations);
        self.end(report)
    }

    /// Ends the processes; what the players counted goes into the report.
    pub fn end(self, mut report: Report) -> Report {
        report.violations.extend(self.violations);
        report.worst_gap = self.service.worst();
        for player in &self.players {
            report.read(&player.books);
        }
        if !report.violations.is_empty() {
            println!("the processes said:\n{}", self.fleet.said());
        }
        self.fleet.end();
        report
    }

    fn ask_for_all_again(&mut self, luck: &mut Luck) {
        let fleet = &self.fleet;
        std::thread::scope(|scope| {
            for player in &mut self.players {
                let mut luck = Luck::new(luck.next(), "again");
                scope.spawn(move || {
                    let ports = fleet.any(&mut luck).expect("a process");
                    let asked = Connection::open(ports.public)
                        .map_err(Into::into)
                        .and_then(|mut connection| player.ask_for_all_again(&mut connection));
                    if asked.is_err() {
                        player
                            .books
                            .violation("a server at rest went away".to_owned());
                    }
                });
            }
        });
    }

    fn at_rest(&self, luck: &mut Luck) -> Ports {
        self.fleet.any(luck).expect("a process at rest")
    }
}

struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Plays a while here, a while there, until told to stop.
fn wander(
    player: &mut Player,
    fleet: &Fleet,
    service: &Service,
    luck: &mut Luck,
    stop: &AtomicBool,
) {
    while !stop.load(Ordering::Relaxed) {
        let gone = match (fleet.any(luck), fleet.any(luck)) {
            (Some(here), Some(there)) => {
                let turns = 1 + luck.below(TURNS);
                player
                    .visit(here.public, there.public, turns, luck, stop)
                    .is_err()
            }
            _ => true,
        };
        service.seen(&std::mem::take(&mut player.books.served));
        if gone {
            sleep(BACKOFF);
        }
    }
}
