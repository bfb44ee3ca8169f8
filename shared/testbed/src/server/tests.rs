//! A server through all that can happen to it.

use super::*;

#[test]
fn answers_and_is_gone_when_dropped() {
    let server = Server::start();
    server.command(&["SET", "k", "v"]);
    assert_eq!(server.ask::<String>(&["GET", "k"]), "v");
    assert_eq!(server.info("process_id"), Some(server.pid().to_string()));
    assert!(server.try_ask::<Value>(&["NO-SUCH-COMMAND"]).is_err());
    let client = Client::open(server.address()).expect("an address");
    drop(server);
    assert!(client.get_connection().is_err());
}

#[test]
fn restarts_with_what_is_on_disk() {
    let mut server = Server::with(&[("appendonly", "yes"), ("appendfsync", "always")]);
    let (port, pid) = (server.port(), server.pid());
    server.command(&["SET", "k", "v"]);
    server.kill();
    assert!(!server.runs());
    assert!(server.try_ask::<String>(&["GET", "k"]).is_err());
    server.restart();
    assert_eq!(server.ask::<String>(&["GET", "k"]), "v");
    assert_eq!(server.port(), port);
    assert_ne!(server.pid(), pid);
    server.wipe_and_restart();
    assert_eq!(server.ask::<Option<String>>(&["GET", "k"]), None);
}

#[test]
fn a_file_holds_where_no_option_goes_before_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("redis.conf");
    let text =
        "port 1\nmaxmemory 5mb\ndatabases 3\nuser default off\nuser ann on nopass ~* &* +@all\n";
    fs::write(&file, text).expect("a file");
    let server = Server::configured(&file, &[("databases", "4")]);
    assert!(server.try_ask::<Value>(&["PING"]).is_err());
    let address = format!("redis://ann:any@127.0.0.1:{}", server.port());
    let mut ann = Client::open(address)
        .and_then(|client| client.get_connection())
        .expect("a connection");
    for (name, value) in [
        ("maxmemory", "5242880"),
        ("databases", "4"),
        // As Redis has it by itself.
        ("save", "3600 1 300 100 60 10000"),
    ] {
        let got: (String, String) = redis::cmd("CONFIG")
            .arg(&["GET", name])
            .query(&mut ann)
            .expect("a setting");
        assert_eq!(got, (name.to_owned(), value.to_owned()));
    }
}

#[test]
fn a_torn_tail_is_gone_after_a_repair() {
    let mut server = Server::with(&[("appendonly", "yes"), ("appendfsync", "always")]);
    let script = "redis.call('XADD', KEYS[1], ARGV[1] .. '-0', 'k', ARGV[2]) redis.call('SET', KEYS[2], ARGV[2])";
    let write = |server: &Server, number: &str, word: &str| {
        server.command(&["EVAL", script, "2", "s", "k", number, word]);
    };
    write(&server, "1", "one");
    write(&server, "2", "torn");
    server.kill();
    let log = server
        .folder()
        .join("appendonlydir/appendonly.aof.1.incr.aof");
    let file = fs::OpenOptions::new()
        .write(true)
        .open(log)
        .expect("its log");
    let bytes = file.metadata().expect("its size").len();
    file.set_len(bytes - 25).expect("a torn log");
    server.repair();
    server.restart();
    write(&server, "2", "two");
    server.restart();
    let rows: Vec<(String, Vec<String>)> = server.ask(&["XRANGE", "s", "-", "+"]);
    let words: Vec<&str> = rows.iter().map(|(_, fields)| fields[1].as_str()).collect();
    assert_eq!(words, ["one", "two"]);
}

#[test]
fn stands_still_and_goes_on() {
    let server = Server::start();
    server.stop_signal();
    let mut connection = Client::open(server.address())
        .and_then(|client| client.get_connection_with_timeout(Duration::from_millis(300)));
    // Whether the handshake or the command is what hangs, nothing answers.
    if let Ok(connection) = &mut connection {
        connection
            .set_read_timeout(Some(Duration::from_millis(300)))
            .expect("a time-out");
        assert!(redis::cmd("PING").query::<String>(connection).is_err());
    }
    server.continue_signal();
    assert_eq!(server.ask::<String>(&["PING"]), "PONG");
}

#[test]
fn tries_another_port_when_one_is_taken() {
    let first = Server::start();
    let mut second = Server::start();
    second.kill();
    second.port = first.port();
    assert!(!second.try_start(), "the port is the first one's");
    assert_eq!(first.ask::<String>(&["PING"]), "PONG");
}
