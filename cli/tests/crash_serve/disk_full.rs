//! A disk that is full: the store stops before it says anything that is not so.

use std::time::Duration;

use crate::client::Connection;
use crate::judge::judge;
use crate::kills::load;
use crate::log::Segment;
use crate::luck::{Luck, seed};
use crate::player::Player;
use crate::server::{Home, Server};

/// How often it fills up.
const TIMES: u64 = 6;

#[test]
fn crash_serve_stops_on_a_full_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::new(folder.path(), "data");
    let mut players: Vec<Player> = (0..4)
        .map(|number| Player::new(format!("p{number}")))
        .collect();
    let seed = seed();
    let mut luck = Luck::new(seed, "full");
    let (server, ports) = Server::start(&home);
    load(
        ports,
        &mut players,
        &mut luck,
        || std::thread::sleep(Duration::from_millis(100)),
        || server.kill(),
    );
    for _ in 0..TIMES {
        let room = 4096 + luck.below(60_000);
        let mut server =
            Server::spawn_with_files_up_to(&home, Segment::newest(&home.data).end() as u64 + room);
        let ports = server.ports();
        let mut end = None;
        load(
            ports,
            &mut players,
            &mut luck,
            || (),
            || end = Some(server.end()),
        );
        let (status, said) = end.expect("its end");
        assert!(
            !status.success() && status.code().is_some(),
            "seed {seed}: {status}: {said}"
        );
        assert!(
            said.contains("the store has stopped"),
            "seed {seed}: it should say why: {said}"
        );
    }
    let (server, ports) = Server::start(&home);
    for player in &mut players {
        let mut connection = Connection::open(ports.public).expect("a connection");
        assert!(
            player.settle(&mut connection).is_ok(),
            "there is room again"
        );
        assert!(
            player.ask_for_all_again(&mut connection).is_ok(),
            "there is room again"
        );
    }
    assert_eq!(
        judge(ports, &mut players).violations,
        Vec::<String>::new(),
        "seed {seed}"
    );
    server.kill();
}

#[test]
fn crash_serve_refuses_to_start_without_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::new(folder.path(), "data");
    let (status, said) = Server::spawn_with_files_up_to(&home, 64 * 1024).end();
    assert!(
        !status.success() && status.code().is_some(),
        "{status}: {said}"
    );
    assert!(
        said.contains("free some space") || said.contains("check the disk"),
        "it should say what to do: {said}"
    );
    // With room, the same folder serves.
    let (server, ports) = Server::start(&home);
    assert_eq!(judge(ports, &mut []).violations, Vec::<String>::new());
    server.kill();
}
