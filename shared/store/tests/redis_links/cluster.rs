//! A cluster, its slots on their way, and one of its servers gone.

use redis::{Value, cmd};
use store::redis::link::{LinkError, Links};
use testbed::Cluster;
use tokio::runtime::Handle;

use super::{PATIENCE, get, open, set, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_followed_where_its_slots_go() {
    let mut cluster = Cluster::with(&[("cluster-require-full-coverage", "no")], 3, 0);
    let links = open(&format!(
        "redis+cluster://127.0.0.1:{}",
        cluster.node(1).port()
    ))
    .await;

    // Keys of all three, scripts too, and what belongs to none.
    for n in 0..60 {
        let key = format!("{{k{n}}}");
        links.send(&set(&key, &n.to_string())).await.unwrap();
        let script = cmd("EVAL")
            .arg("return redis.call('GET', KEYS[1])")
            .arg(1)
            .arg(&key)
            .clone();
        assert_eq!(links.send(&script).await, Ok(text(&n.to_string())));
        assert!(
            links
                .send_and_wait(key.as_bytes(), &script, 0, PATIENCE)
                .await
                .is_ok()
        );
    }
    for place in 0..3 {
        assert!(cluster.node(place).ask::<u32>(&["DBSIZE"]) > 0);
    }
    assert_eq!(links.send_to_each(&cmd("PING")).await.unwrap().len(), 3);
    let hash = links
        .send(cmd("SCRIPT").arg("LOAD").arg("return 1"))
        .await
        .unwrap();
    let hash: String = redis::from_redis_value(hash).unwrap();
    for place in 0..3 {
        let node = cluster.node(place);
        assert_eq!(node.ask::<u32>(&["EVALSHA", &hash, "0"]), 1);
    }

    // A slot on its way: its new keys are asked for where it goes, and when it has gone, everything is.
    let slot = cluster.slot_of("moving");
    let owner = cluster.owner(slot).unwrap();
    let target = (owner + 1) % 3;
    cluster.node(owner).command(&["SET", "{moving}here", "1"]);
    let mut half_way = Some(ask_half_way(&links));
    tokio::task::block_in_place(|| {
        cluster.move_slot_with(slot, owner, target, || {
            if let Some(asked) = half_way.take() {
                Handle::current().block_on(asked);
            }
        });
    });
    counts_on_both_ways(&links, 3).await;
    assert_eq!(cluster.node(target).ask::<u32>(&["GET", "moving"]), 4);

    // One dies: its slots are away, those of the others are not.
    cluster.kill(owner);
    let mut served = 0;
    for _ in 0..3 {
        for n in 0..60 {
            match links.send(&get(&format!("{{k{n}}}"))).await {
                Ok(value) => {
                    assert_eq!(value, text(&n.to_string()));
                    served += 1;
                }
                Err(LinkError::Away(_) | LinkError::Lost(_)) => {}
                Err(LinkError::Refused { code, .. }) => assert_eq!(code, "CLUSTERDOWN"),
            }
        }
    }
    assert!(served > 60, "{served}");
}

/// While `{moving}here` is where it was, and `moving` is where the slot goes.
async fn ask_half_way(links: &Links) {
    counts_on_both_ways(links, 1).await;
    // Half here, half there, a command of two keys can't run: that is the caller's to try again.
    let error = links
        .send(cmd("MGET").arg("{moving}here").arg("moving"))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, LinkError::Refused { code, .. } if code == "TRYAGAIN"),
        "{error}"
    );
}

/// `moving` is counted over a shared connection and then over an exclusive one, beginning with `next`.
async fn counts_on_both_ways(links: &Links, next: i64) {
    let incr = cmd("INCR").arg("moving").clone();
    assert_eq!(links.send(&incr).await, Ok(Value::Int(next)));
    let waited = links.send_and_wait(b"moving", &incr, 0, PATIENCE).await;
    assert_eq!(waited.unwrap().0, Value::Int(next + 1));
}
