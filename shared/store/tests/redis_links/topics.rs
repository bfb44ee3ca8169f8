//! Messages, and the gaps between them.

use redis::{Value, cmd};
use store::redis::link::{Heard, Topic};
use testbed::{Server, until};

use super::{PATIENCE, open};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_comes_back_and_tells_the_gap() {
    let server = Server::start();
    let links = open(&server.address()).await;
    let mut topic = links.subscribe("news").await.unwrap();
    let publish = |message: &str| cmd("PUBLISH").arg("news").arg(message).clone();
    assert_eq!(links.send(&publish("one")).await, Ok(Value::Int(1)));
    assert_eq!(heard(&mut topic).await, Heard::Message(b"one".to_vec()));
    server.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    assert_eq!(heard(&mut topic).await, Heard::Gap);
    assert_eq!(links.send(&publish("two")).await, Ok(Value::Int(1)));
    assert_eq!(heard(&mut topic).await, Heard::Message(b"two".to_vec()));
    drop(topic);
    until("nobody listens", PATIENCE, || {
        let (_, listeners): (String, u32) = server.ask(&["PUBSUB", "NUMSUB", "news"]);
        (listeners == 0).then_some(())
    });
}

async fn heard(topic: &mut Topic) -> Heard {
    tokio::time::timeout(PATIENCE, topic.next())
        .await
        .unwrap()
        .unwrap()
}
