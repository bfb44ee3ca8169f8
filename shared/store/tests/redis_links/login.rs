//! Who comes in, and what servers refuse.

use redis::{Value, cmd};
use store::redis::link::{LinkError, Links};
use testbed::Server;

use super::{get, open, set, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_logs_in_and_a_wrong_password_is_told() {
    let server = Server::start();
    server.command(&[
        "ACL", "SETUSER", "bob", "on", ">s3c@ret", "~*", "&*", "+@all",
    ]);
    server.command(&["ACL", "SETUSER", "default", "off"]);
    let port = server.port();
    let links = open(&format!("redis://bob:s3c%40ret@127.0.0.1:{port}/2")).await;
    assert_eq!(links.send(&set("k", "v")).await, Ok(Value::Okay));
    assert_eq!(links.send(&get("k")).await, Ok(text("v")));

    for wrong in ["bob:nope@", ""] {
        let address = format!("redis://{wrong}127.0.0.1:{port}").parse().unwrap();
        let error = Links::open(&address).await.unwrap_err();
        let LinkError::Away(why) = error else {
            panic!("{error}")
        };
        let says = if wrong.is_empty() {
            "NOAUTH"
        } else {
            "authentication failed"
        };
        assert!(why.contains(says), "{why}");
        assert!(!why.contains("nope"), "{why}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_keep_their_code() {
    let server = Server::start();
    server.command(&[
        "ACL", "SETUSER", "eve", "on", "nopass", "~*", "+@all", "-set",
    ]);
    let links = open(&server.address()).await;
    for (command, expected) in [
        (cmd("EVALSHA").arg("0".repeat(40)).arg(0), "NOSCRIPT"),
        (cmd("LPUSH").arg("s").arg(1), "WRONGTYPE"),
        (cmd("NOSUCH").arg(1), "ERR"),
    ] {
        links.send(&set("s", "string")).await.unwrap();
        let error = links.send(command).await.unwrap_err();
        assert!(
            matches!(&error, LinkError::Refused { code, .. } if code == expected),
            "{error}"
        );
    }
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    let error = links.send(&set("k", "v")).await.unwrap_err();
    assert!(
        matches!(&error, LinkError::Refused { code, .. } if code == "OOM"),
        "{error}"
    );
    let eve = open(&format!("redis://eve:any@127.0.0.1:{}", server.port())).await;
    let error = eve.send(&set("k", "v")).await.unwrap_err();
    assert!(
        matches!(&error, LinkError::Refused { code, .. } if code == "NOPERM"),
        "{error}"
    );
    // Twenty refusals in a row don't open the breaker: the server is well.
    for _ in 0..20 {
        let _ = eve.send(&set("k", "v")).await;
    }
    assert_eq!(eve.send(&get("s")).await, Ok(text("string")));
}
