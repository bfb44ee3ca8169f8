//! A client that goes away in the middle harms nobody: its call is done or not done, never half.

use std::time::Duration;

use machine::ledger::Row;
use serde_json::json;

use crate::faults::Fault;
use crate::files::ALL;
use crate::world::World;

const DRAW: &str = "/v1/acme/wheel/events/draw";

#[tokio::test]
async fn a_call_that_is_dropped_anywhere() {
    let world = World::of(ALL).await;
    let mut replayed = 0;
    for n in 0..120_u32 {
        let key = format!("k{n}");
        if n % 3 == 0 {
            // In the middle of the read, before anything was handed to the store.
            world.store.recalls([Fault::Hangs]);
        }
        let call = world.post("ann", DRAW, &key, json!({}));
        // Dropped after so many turns of the loop, then after so many microseconds.
        let leave = async {
            if n < 40 {
                for _ in 0..n {
                    tokio::task::yield_now().await;
                }
            } else {
                tokio::time::sleep(Duration::from_micros(u64::from(n - 40) * 40)).await;
            }
        };
        tokio::select! {
            biased;
            _ = call => {}
            () = leave => {}
        }
        let retry = world.post("ann", DRAW, &key, json!({})).await;
        assert_eq!(retry.status, 200, "{}", retry.text());
        replayed += u32::from(retry.replayed());
        assert_eq!(retry.json()["version"], n + 1, "one call, one step");
    }
    assert!(
        (1..120).contains(&replayed),
        "{replayed}: both must have happened"
    );
    let draws = world
        .rows("wheel")
        .await
        .into_iter()
        .filter(|row| matches!(row.row, Row::Draw(_)))
        .count();
    assert_eq!(draws, 120);
    let view = world.get("ann", "/v1/acme/wheel").await.json();
    assert_eq!(
        (&view["version"], &view["context"]["chances"]),
        (&json!(120), &json!(301 - 120))
    );
}

#[tokio::test]
async fn nobody_gets_the_answer_of_one_who_left() {
    let world = World::of(ALL).await;
    world.store.commits([Fault::Hangs]);
    let left = tokio::time::timeout(
        Duration::from_millis(100),
        world.post("ann", DRAW, "k", json!({})),
    )
    .await;
    assert!(left.is_err());
    let bob = world.post("bob", DRAW, "k", json!({})).await.done();
    assert_eq!(bob["version"], 1);
    assert!(world.post("ann", DRAW, "k", json!({})).await.replayed());
}
