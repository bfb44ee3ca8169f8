//! Two hundred processes, each killed at a moment of chance.

use std::sync::atomic::AtomicBool;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::books::Counts;
use crate::client::{Connection, get};
use crate::judge::judge;
use crate::luck::{Luck, seed};
use crate::player::{Gone, Player};
use crate::server::{Home, Ports, Server};
use crate::world::{CAMPAIGNS, TENANT};

/// How many processes are killed, when nothing else is said.
const LIVES: u64 = 200;
/// So many in a row share a data folder: long enough that old answers outlive many crashes, short enough that a start, which
/// in a debug build reads the log slowly, stays quick.
const LIVES_PER_FOLDER: u64 = 25;
const PLAYERS: usize = 6;
/// How many folders are killed while they are made.
const FIRST_STARTS: u64 = 25;

#[derive(Debug, Default)]
struct Report {
    kills: u64,
    before_ready: u64,
    acks: u64,
    counts: Counts,
    rows: u64,
    grants: u64,
    sold_out: u64,
    violations: Vec<String>,
}

#[test]
fn crash_serve_keeps_what_it_answered() {
    let lives = std::env::var("GALA_CRASH_LIVES")
        .ok()
        .and_then(|lives| lives.parse().ok())
        .unwrap_or(LIVES);
    let (seed, began) = (seed(), Instant::now());
    let folder = tempfile::tempdir().expect("a folder");
    let mut report = Report::default();
    let mut left = lives;
    while left > 0 {
        let now = left.min(LIVES_PER_FOLDER);
        let home = Home::new(folder.path(), &format!("data-{left}"));
        play_folder(
            &home,
            now,
            &mut Luck::new(seed, &format!("folder-{left}")),
            &mut report,
        );
        left -= now;
    }
    let Report {
        kills,
        before_ready,
        acks,
        counts,
        rows,
        grants,
        sold_out,
        violations,
    } = &report;
    println!(
        "crash run: {kills} kills ({before_ready} before it was ready), {} requests, {acks} acknowledged, {} rejected, \
         {} unavailable, {} replays compared, {} twins, {} unknown outcomes resolved ({} had been done, {} not), \
         {rows} ledger rows, {grants} grants, {sold_out} stocks drawn empty, {} violations, {:.0} s",
        counts.requests,
        counts.rejected,
        counts.unavailable,
        counts.replays,
        counts.twins,
        counts.found_done + counts.found_undone,
        counts.found_done,
        counts.found_undone,
        violations.len(),
        began.elapsed().as_secs_f64(),
    );
    assert!(violations.is_empty(), "seed {seed}: {violations:#?}");
    assert_eq!(*kills, lives);
    assert!(
        *acks > lives && counts.replays > lives,
        "seed {seed}: too little happened: {report:?}"
    );
}

/// The first start of all writes secrets, seeds and revisions. Killed in the middle of that, the next one finishes it.
#[test]
fn crash_serve_publishes_after_any_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let seed = seed();
    let mut luck = Luck::new(seed, "publish");
    for number in 0..FIRST_STARTS {
        let home = Home::new(folder.path(), &format!("data-{number}"));
        for _ in 0..2 {
            let server = Server::spawn(&home);
            sleep(Duration::from_micros(luck.below(150_000)));
            server.kill();
        }
        let (server, ports) = Server::start(&home);
        for campaign in CAMPAIGNS {
            let page =
                get(ports.public, &format!("/v1/{TENANT}/{campaign}/public"), "").expect("a page");
            let said = server.said();
            assert_eq!(
                page.status, 200,
                "seed {seed}: {campaign}: {}; it said:\n{said}",
                page.body
            );
        }
        server.kill();
        std::fs::remove_dir_all(&home.data).expect("a folder");
    }
}

/// A data folder through many lives, and its judgement at the end.
fn play_folder(home: &Home, lives: u64, luck: &mut Luck, report: &mut Report) {
    let mut players: Vec<Player> = (0..PLAYERS)
        .map(|number| Player::new(format!("p{number}")))
        .collect();
    for life in 0..lives {
        let mut server = Server::spawn(home);
        if life % 5 == 4 {
            // Somewhere between its first instruction and its first calls: opening the folder, publishing, binding.
            sleep(Duration::from_micros(luck.below(250_000)));
            report.before_ready += 1;
        } else {
            let ports = server.ports();
            let span = Duration::from_micros(luck.below(300_000));
            load(ports, &mut players, luck, || sleep(span), || server.kill());
            report.kills += 1;
            continue;
        }
        server.kill();
        report.kills += 1;
    }
    let (server, ports) = Server::start(home);
    for player in &mut players {
        let settled =
            Connection::open(ports.public)
                .map_err(Gone::from)
                .and_then(|mut connection| {
                    player.settle(&mut connection)?;
                    player.ask_for_all_again(&mut connection)
                });
        assert!(
            settled.is_ok(),
            "a server that nobody kills answers; it said:\n{}",
            server.said()
        );
    }
    let verdict = judge(ports, &mut players);
    report.rows += verdict.rows;
    report.grants += verdict.grants;
    report.sold_out += verdict.sold_out;
    report.violations.extend(verdict.violations);
    for player in &players {
        report.acks += player.books.acks.len() as u64;
        report.counts.add(player.books.counts);
    }
    server.kill();
}

/// Lets all players play until `wait` is over and `end` has ended the server under them.
pub fn load(
    ports: Ports,
    players: &mut [Player],
    luck: &mut Luck,
    wait: impl FnOnce(),
    end: impl FnOnce(),
) {
    let never = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for (number, player) in players.iter_mut().enumerate() {
            let mut luck = Luck::new(luck.next(), &number.to_string());
            let never = &never;
            scope.spawn(move || {
                // It ends as soon as the server is gone: what is open by then is in the books.
                let _: Result<(), Gone> = player.play(ports.public, &mut luck, never);
            });
        }
        wait();
        end();
    });
}

/// Lets all players play for `span`; the server stays, and every call is answered.
pub fn play(ports: Ports, players: &mut [Player], luck: &mut Luck, span: Duration) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let playing: Vec<_> = players
            .iter_mut()
            .enumerate()
            .map(|(number, player)| {
                let mut luck = Luck::new(luck.next(), &number.to_string());
                let stop = &stop;
                scope.spawn(move || player.play(ports.public, &mut luck, stop))
            })
            .collect();
        sleep(span);
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        for player in playing {
            assert!(
                player.join().expect("no panic").is_ok(),
                "the server went away"
            );
        }
    });
}
