//! A stop that is asked for: calls under way are answered first.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::books::Call;
use crate::client::Connection;
use crate::judge::judge;
use crate::kills::play;
use crate::luck::{Luck, seed};
use crate::player::Player;
use crate::server::{Home, Server};

const UNDER_WAY: usize = 20;

#[test]
fn crash_serve_drains_when_asked_to_stop() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::new(folder.path(), "data");
    let mut players = [Player::new("a".to_owned())];
    let (server, ports) = Server::start(&home);
    play(
        ports,
        &mut players,
        &mut Luck::new(seed(), "stops"),
        Duration::from_millis(200),
    );

    // Calls whose bodies are still on their way when the signal comes.
    let [player] = &mut players;
    let mut under_way: Vec<(Call, Connection)> = Vec::new();
    for number in 0..UNDER_WAY {
        let call = Call {
            user: format!("late-{number}"),
            campaign: "wheel",
            event: "draw",
            key: format!("late-{number}"),
        };
        let head = player
            .request(&call)
            .replace("Content-Length: 0", "Content-Length: 2");
        let mut connection = Connection::open(ports.public).expect("a connection");
        connection.send(head.as_bytes()).expect("a head");
        under_way.push((call, connection));
    }
    // Nothing outside tells when a head has been read; a call that had not been would be nobody's yet.
    sleep(Duration::from_millis(200));
    server.ask_to_stop();
    let until = Instant::now() + Duration::from_secs(5);
    while Connection::open(ports.public).is_ok() {
        assert!(Instant::now() < until, "it still takes new connections");
        sleep(Duration::from_millis(10));
    }
    for (call, mut connection) in under_way {
        connection.send(b"{}").expect("a body");
        let answer = connection.answer().expect("calls under way are answered");
        assert_eq!(answer.status, 200, "{answer:?}");
        player.books.acknowledge(call, answer.body);
    }
    let (status, said) = server.end();
    assert_eq!(status.code(), Some(0), "{said}");

    let (server, ports) = Server::start(&home);
    let mut connection = Connection::open(ports.public).expect("a connection");
    // The calls that had no body before have one now, which means the same: nothing.
    let [player] = &mut players;
    assert!(player.ask_for_all_again(&mut connection).is_ok());
    assert_eq!(judge(ports, &mut players).violations, Vec::<String>::new());
    server.kill();
}
