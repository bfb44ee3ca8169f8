//! Connections that are killed, and servers that are killed or stopped.

use futures_util::future::join_all;
use redis::cmd;
use store::redis::link::LinkError;
use testbed::{Server, until};

use super::{PATIENCE, get, open, set, until_ok};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_killed_cost_at_most_one_failure_each() {
    let server = Server::start();
    let links = open(&server.address()).await;
    let mut answered = 0;
    let mut lost = 0;
    for _ in 0..5 {
        let before = links.generation();
        kill_connections(&server);
        for _ in 0..20 {
            match links.send(cmd("INCR").arg("n")).await {
                Ok(_) => answered += 1,
                Err(LinkError::Lost(_)) => lost += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(links.generation() > before);
    }
    assert!(lost <= 4 * 5, "{lost} lost");
    let count: i64 = server.ask(&["GET", "n"]);
    assert!(
        (answered..=answered + lost).contains(&count),
        "{answered} <= {count} <= +{lost}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_died_while_idle_costs_nothing() {
    let server = Server::start();
    let links = open(&server.address()).await;
    for _ in 0..8 {
        links.send(&get("k")).await.unwrap();
    }
    // Without a call in between, its end is noticed by the driver alone, which then lets go of the socket.
    let killed = kill_connections(&server);
    until("connections that are gone", PATIENCE, || {
        let left = connections(&server);
        let gone = left.iter().all(|(id, _)| !killed.contains(id));
        gone.then_some(())
    });
    until("drivers that have noticed", PATIENCE, || {
        (server.unnoticed_ends() == 0).then_some(())
    });
    for _ in 0..20 {
        links.send(&get("k")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_is_found_again() {
    let mut server = Server::start();
    let links = open(&server.address()).await;
    links.send(&set("k", "v")).await.unwrap();
    let before = links.generation();
    server.kill();
    // What was on its way at most is lost; from then on nothing is sent.
    let mut errors = Vec::new();
    for _ in 0..200 {
        errors.push(links.send(&get("k")).await.unwrap_err());
    }
    let away = errors
        .iter()
        .filter(|e| matches!(e, LinkError::Away(_)))
        .count();
    assert!(away >= 196, "{errors:?}");
    let shut = errors
        .iter()
        .filter(|e| e.to_string().contains("left alone"))
        .count();
    assert!(shut > 100, "{shut} answers of an open breaker: {errors:?}");

    server.restart();
    until_ok(&links, &get("k")).await;
    assert!(links.generation() > before);
    for _ in 0..20 {
        links.send(&get("k")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_stopped_leaves_no_caller_waiting() {
    let server = Server::start();
    let links = open(&server.address()).await;
    links.send(&set("n", "0")).await.unwrap();
    server.stop_signal();

    let incr = cmd("INCR").arg("n").clone();
    let answers = join_all((0..5_000).map(|_| links.send(&incr))).await;
    let turned_away = answers
        .iter()
        .filter(|it| matches!(it, Err(LinkError::Away(why)) if why.contains("too many")))
        .count();
    let lost = answers
        .iter()
        .filter(|it| matches!(it, Err(LinkError::Lost(_))))
        .count();
    assert_eq!(turned_away, 5_000 - 4_096);
    assert!(lost >= 5);
    // The breaker is open: answers come without a try, save for a probe now and then.
    let mut open = 0;
    for _ in 0..1_000 {
        let error = links.send(&incr).await.unwrap_err();
        open += usize::from(error.to_string().contains("left alone"));
    }
    assert!(open > 900, "{open}");

    server.continue_signal();
    until_ok(&links, &incr).await;
    for _ in 0..20 {
        links.send(&incr).await.unwrap();
    }
    let count: usize = server.ask(&["GET", "n"]);
    assert!(count >= 21 && count <= lost + 1_000 + 21, "{count}");
}

/// Kills every connection that is ready for calls. One that is still being made is spared: cut in its handshake it would be a
/// server that can't be reached, which is another fault. The ids of those that are killed.
fn kill_connections(server: &Server) -> Vec<String> {
    let ready: Vec<String> = connections(server)
        .into_iter()
        .filter(|(_, last)| last != "NULL" && last != "client|list")
        .map(|(id, _)| id)
        .collect();
    for id in &ready {
        server.command(&["CLIENT", "KILL", "ID", id]);
    }
    ready
}

/// The id of each connection, and the command it brought last.
fn connections(server: &Server) -> Vec<(String, String)> {
    let list: String = server.ask(&["CLIENT", "LIST", "TYPE", "normal"]);
    let field = |line: &str, name: &str| {
        let mut fields = line.split(' ');
        let value = fields.find_map(|field| field.strip_prefix(name));
        value.expect("a field").to_owned()
    };
    let lines = list.lines();
    lines
        .map(|line| (field(line, "id="), field(line, "cmd=")))
        .collect()
}
