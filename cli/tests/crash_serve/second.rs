//! A second process on the same folder.

use std::time::Duration;

use crate::judge::judge;
use crate::kills::play;
use crate::luck::{Luck, seed};
use crate::player::Player;
use crate::server::{Home, Server};

#[test]
fn crash_serve_refuses_a_second_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::new(folder.path(), "data");
    let mut players = [Player::new("a".to_owned()), Player::new("b".to_owned())];
    let (first, ports) = Server::start(&home);
    let pid = first.pid();
    let mut luck = Luck::new(seed(), "second");
    play(ports, &mut players, &mut luck, Duration::from_millis(200));

    let (status, said) = Server::spawn(&home).end();
    assert!(!status.success(), "{status}: {said}");
    assert!(
        said.contains("already open") && said.contains(&pid.to_string()),
        "it should say who has it: {said}"
    );

    // The first has not noticed.
    play(ports, &mut players, &mut luck, Duration::from_millis(200));
    assert_eq!(judge(ports, &mut players).violations, Vec::<String>::new());
    first.kill();
    // And a killed process leaves no lock behind.
    let (third, ports) = Server::start(&home);
    assert_eq!(judge(ports, &mut players).violations, Vec::<String>::new());
    third.kill();
}
