//! A primary that sentinels replace.

use std::time::{Duration, Instant};

use redis::Value;
use store::redis::link::Links;
use testbed::{Sentinels, until};

use super::{PATIENCE, get, open, set, until_ok};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_lead_to_the_new_primary() {
    let mut watched = Sentinels::start(1);
    let hosts: Vec<String> = watched
        .ports()
        .iter()
        .map(|port| format!("127.0.0.1:{port}"))
        .collect();
    let links = open(&format!(
        "redis+sentinel://{}/gala?replicas=1",
        hosts.join(",")
    ))
    .await;
    let wait = Duration::from_secs(1);
    assert_eq!(
        links.send_and_wait(b"k", &set("k", "old"), 1, wait).await,
        Ok((Value::Okay, 1))
    );

    watched.server_mut(0).kill();
    until_ok(&links, &set("k", "new")).await;
    let second = &watched.servers()[1];
    assert_eq!(second.ask::<String>(&["GET", "k"]), "new");
    assert_eq!(
        links
            .send_to_each(&get("k"))
            .await
            .unwrap()
            .first()
            .unwrap()
            .0,
        format!("127.0.0.1:{}", second.port())
    );

    // Back again it is a replica, and a failover by hand, in which nothing dies, is followed as well.
    watched.server_mut(0).restart();
    let first = &watched.servers()[0];
    until("the old primary follows the new one", PATIENCE, || {
        (first.info("master_link_status")? == "up").then_some(())
    });
    watched.hand_over();
    until("the first is the primary again", PATIENCE, || {
        (first.info("role")? == "master").then_some(())
    });
    let deadline = Instant::now() + PATIENCE;
    while first.ask::<String>(&["GET", "k"]) != "newest" {
        assert!(Instant::now() < deadline);
        let _ = links.send(&set("k", "newest")).await;
    }

    let unknown = format!("redis+sentinel://{}/nobody", hosts.join(","))
        .parse()
        .unwrap();
    let error = Links::open(&unknown).await.unwrap_err().to_string();
    assert!(error.contains("`nobody`"), "{error}");
}
