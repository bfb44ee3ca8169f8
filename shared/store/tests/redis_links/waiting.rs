//! Waiting until replicas have what was written.

use std::time::Duration;

use redis::{Value, cmd};
use store::redis::link::LinkError;
use testbed::Replicated;

use super::{PATIENCE, get, open, set, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_counts_replicas_of_the_very_write() {
    let all = Replicated::start(1);
    let (primary, replica) = (all.server(0), all.server(1));
    let links = open(&primary.address()).await;
    let (reply, replicas) = links
        .send_and_wait(b"k", &set("k", "1"), 1, PATIENCE)
        .await
        .unwrap();
    assert_eq!((reply, replicas), (Value::Okay, 1));

    replica.stop_signal();
    let wait = Duration::from_millis(50);
    let (reply, replicas) = links
        .send_and_wait(b"k", &set("k", "2"), 1, wait)
        .await
        .unwrap();
    assert_eq!((reply, replicas), (Value::Okay, 0));
    // A connection that ran nothing is told at once that all is well: had the WAIT gone over another connection than the
    // write, the answer above would have been 1 too.
    assert_eq!(primary.ask::<u32>(&["WAIT", "1", "50"]), 1);
    // What only reads waits for all that was written before it, by whomever: a replayed answer is as safe as a new one.
    let other = open(&primary.address()).await;
    let (reply, replicas) = other.send_and_wait(b"k", &get("k"), 1, wait).await.unwrap();
    assert_eq!((reply, replicas), (text("2"), 0));

    // Longer than a call may take: it is cut, and answered.
    let (_, replicas) = links
        .send_and_wait(b"k", &set("k", "3"), 1, PATIENCE)
        .await
        .unwrap();
    assert_eq!(replicas, 0);

    // A refusal is told as one, and its WAIT does no harm.
    let error = links
        .send_and_wait(b"k", cmd("LPUSH").arg("k").arg(1), 1, wait)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, LinkError::Refused { code, .. } if code == "WRONGTYPE"),
        "{error}"
    );

    // Callers that leave in the middle don't leave their replies to the next one.
    for n in 0..20 {
        let left = set("left", "behind");
        let leaving = links.send_and_wait(b"k", &left, 1, PATIENCE);
        assert!(
            tokio::time::timeout(Duration::from_millis(5), leaving)
                .await
                .is_err()
        );
        let echo = cmd("ECHO").arg(n.to_string()).clone();
        let (reply, _) = links.send_and_wait(b"k", &echo, 0, wait).await.unwrap();
        assert_eq!(reply, text(&n.to_string()));
    }
    replica.continue_signal();
    let (_, replicas) = links
        .send_and_wait(b"k", &set("k", "4"), 1, PATIENCE)
        .await
        .unwrap();
    assert_eq!(replicas, 1);
}
