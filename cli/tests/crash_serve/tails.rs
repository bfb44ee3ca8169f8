//! The end of the log, cut and torn: what was never answered may go, what was answered may not go unnoticed.

use std::thread::sleep;
use std::time::Duration;

use crate::client::Connection;
use crate::judge::judge;
use crate::kills::{load, play};
use crate::log::Segment;
use crate::luck::{Luck, seed};
use crate::player::Player;
use crate::server::{Home, Ports, Server};

/// How often each kind of damage is done.
const TIMES: u64 = 12;

/// All answers are given again, and the books agree.
fn all_is_there(ports: Ports, players: &mut [Player]) {
    for player in &mut *players {
        let mut connection = Connection::open(ports.public).expect("a connection");
        assert!(
            player.settle(&mut connection).is_ok(),
            "a server at rest answers"
        );
        assert!(
            player.ask_for_all_again(&mut connection).is_ok(),
            "a server at rest answers"
        );
    }
    assert_eq!(judge(ports, players).violations, Vec::<String>::new());
}

#[test]
fn crash_serve_forgets_a_torn_tail_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::new(folder.path(), "data");
    let mut players = [Player::new("a".to_owned()), Player::new("b".to_owned())];
    let seed = seed();
    let mut luck = Luck::new(seed, "torn");
    for _ in 0..TIMES {
        let (server, ports) = Server::start(&home);
        let span = Duration::from_micros(luck.below(150_000));
        load(
            ports,
            &mut players,
            &mut luck,
            || sleep(span),
            || server.kill(),
        );
        // What a batch leaves behind that did not get to the disk whole: the beginning of a frame, then anything.
        let segment = Segment::newest(&home.data);
        let mut bytes = segment.bytes.clone();
        let last = &segment.bytes[segment.last()];
        let begun = 1 + luck.below(last.len() as u64 - 1) as usize;
        let mut torn = last[..begun].to_vec();
        let more = luck.below(700);
        torn.extend((0..more).map(|_| luck.next() as u8));
        bytes[segment.end()..segment.end() + torn.len()].copy_from_slice(&torn);
        segment.write(&bytes);
    }
    let (server, ports) = Server::start(&home);
    all_is_there(ports, &mut players);
    server.kill();
}

#[test]
fn crash_serve_notices_a_cut_tail() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::new(folder.path(), "data");
    let mut players = [Player::new("a".to_owned()), Player::new("b".to_owned())];
    let seed = seed();
    let mut luck = Luck::new(seed, "cut");
    for _ in 0..TIMES {
        let (server, ports) = Server::start(&home);
        let span = Duration::from_millis(20 + luck.below(80));
        play(ports, &mut players, &mut luck, span);
        // Everything has been answered: no byte of the log is anyone's to lose.
        server.kill();
        let segment = Segment::newest(&home.data);
        let mut damaged = segment.bytes.clone();
        let (first, end) = (segment.frames[0], segment.end());
        match luck.below(4) {
            // Cut off in the last frames, as a file system may that lost its last blocks.
            0 => damaged.truncate(end - 1 - luck.below(600.min((end - first) as u64 - 1)) as usize),
            // Zeroed from there on.
            1 => {
                let from = end - 1 - luck.below(600.min((end - first) as u64 - 1)) as usize;
                let from = (first..=from)
                    .rev()
                    .find(|at| damaged[*at] != 0)
                    .unwrap_or(first);
                damaged[from..end].fill(0);
            }
            // A bit turned over in the last frame,
            2 => {
                let last = segment.last();
                let at = last.start + luck.below(last.len() as u64) as usize;
                damaged[at] ^= 1 << luck.below(8);
            }
            // or anywhere.
            _ => {
                let at = first + luck.below((end - first) as u64) as usize;
                damaged[at] ^= 1 << luck.below(8);
            }
        }
        segment.write(&damaged);
        let (status, said) = Server::spawn(&home).end();
        assert!(
            !status.success(),
            "seed {seed}: it started on a log that lost what was answered: {said}"
        );
        assert!(
            said.contains("restore a backup"),
            "seed {seed}: it should say what to do: {said}"
        );
        let after = Segment::newest(&home.data);
        assert!(
            after.bytes == damaged,
            "seed {seed}: a log that is refused must not be touched"
        );
        segment.write(&segment.bytes);
    }
    let (server, ports) = Server::start(&home);
    all_is_there(ports, &mut players);
    server.kill();
}
