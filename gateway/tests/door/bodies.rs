//! What a body may be.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream;
use serde_json::json;

use crate::files::ALL;
use crate::world::{Answer, World};

const LEARN: &str = "/v1/acme/quest/events/learn";

#[tokio::test]
async fn sizes() {
    let world = World::of(ALL).await;
    let padded = |bytes: usize| format!("{{\"words\":1{}}}", " ".repeat(bytes - 11));
    world
        .ask("POST", LEARN)
        .by("ann")
        .key("a")
        .body(padded(16 * 1024))
        .send()
        .await
        .done();
    let no = world
        .ask("POST", LEARN)
        .by("ann")
        .key("b")
        .body(padded(16 * 1024 + 1))
        .send()
        .await;
    assert_eq!(no.no(413, "payload-too-large")["limit"], 16 * 1024);
    // Nobody need read what says itself that it is too long.
    let ask = world
        .ask("POST", LEARN)
        .by("ann")
        .key("c")
        .header("content-length", "99999999");
    ask.send().await.no(413, "payload-too-large");
    // A length that is not said, in many pieces.
    let mut request = world.ask("POST", LEARN).by("ann").key("d").request();
    let pieces = (0..200).map(|_| Ok::<_, Infallible>(Bytes::from_static(&[b' '; 100])));
    *request.body_mut() = Body::from_stream(stream::iter(pieces));
    Answer::to(world.door.clone(), request)
        .await
        .no(413, "payload-too-large");
    let mut request = world.ask("POST", LEARN).by("ann").key("e").request();
    let pieces = ["{\"wo", "rds\"", ":1}"]
        .map(|piece| Ok::<_, Infallible>(Bytes::from_static(piece.as_bytes())));
    *request.body_mut() = Body::from_stream(stream::iter(pieces));
    Answer::to(world.door.clone(), request).await.done();
}

#[tokio::test]
async fn a_body_that_does_not_arrive() {
    let world = World::of(ALL).await;
    let mut request = world.ask("POST", LEARN).by("ann").key("a").request();
    let broken = [
        Ok(Bytes::from_static(b"{\"words\"")),
        Err(std::io::Error::other("reset")),
    ];
    *request.body_mut() = Body::from_stream(stream::iter(broken));
    Answer::to(world.door.clone(), request)
        .await
        .no(400, "bad-request");
    let mut request = world.ask("POST", LEARN).by("ann").key("b").request();
    *request.body_mut() = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    let answer = tokio::time::timeout(
        Duration::from_secs(8),
        Answer::to(world.door.clone(), request),
    )
    .await;
    answer.unwrap().no(400, "bad-request");
    assert!(world.rows("quest").await.is_empty());
}

#[tokio::test]
async fn shapes() {
    let world = World::of(ALL).await;
    let deep = format!(
        "{{\"words\":1,\"note\":{}1{}}}",
        "[".repeat(40),
        "]".repeat(40)
    );
    let deeper = "[".repeat(8000);
    let bad = [
        "null",
        "[]",
        "5",
        "\"x\"",
        "{",
        "{\"words\":1",
        "{\"words\":1}x",
        "{words:1}",
        "{\"words\":1,}",
        r#"{"words":1,"words":2}"#,
        r#"{"words":1,"note":{"a":1,"a":2}}"#,
        r#"{"words":1e400}"#,
        r#"{"words":99999999999999999999}"#,
        "\u{feff}{\"words\":1}",
        &deep,
        &deeper,
    ];
    for body in bad {
        world
            .ask("POST", LEARN)
            .by("ann")
            .key("k")
            .body(body)
            .send()
            .await
            .no(400, "bad-request");
    }
    world
        .ask("POST", LEARN)
        .by("ann")
        .key("k")
        .body(&b"{\"note\":\"\xff\"}"[..])
        .send()
        .await
        .no(400, "bad-request");
    // Read, but not what the event carries: where, and what.
    let rows = [
        (json!({}), "/words"),
        (json!({ "words": 0 }), "/words"),
        (json!({ "words": 501 }), "/words"),
        (json!({ "words": "5" }), "/words"),
        (json!({ "words": 1.5 }), "/words"),
        (json!({ "words": null }), "/words"),
        (json!({ "words": 1, "note": 5 }), "/note"),
        (json!({ "words": 1, "note": "x".repeat(21) }), "/note"),
        (json!({ "words": 1, "extra": 1 }), "/extra"),
        (json!({ "words": 1, "a/b~c": 1 }), "/a~1b~0c"),
    ];
    for (body, pointer) in rows {
        let no = world
            .post("ann", LEARN, "k", body.clone())
            .await
            .no(422, "invalid-payload");
        assert_eq!(no["pointer"], pointer, "{body}");
        assert!(
            no["problem"]
                .as_str()
                .is_some_and(|problem| !problem.is_empty())
        );
    }
    assert_eq!(
        world.get("ann", "/v1/acme/quest").await.json()["version"],
        0
    );
    // Nothing is a payload, too, where none is needed.
    for (n, body) in ["", "  \n", "{}"].into_iter().enumerate() {
        let key = n.to_string();
        world
            .ask("POST", "/v1/acme/wheel/events/draw")
            .by("ann")
            .key(&key)
            .body(body)
            .send()
            .await
            .done();
    }
    let extra = world
        .post(
            "ann",
            "/v1/acme/wheel/events/draw",
            "x",
            json!({ "prize": "laptop" }),
        )
        .await;
    assert_eq!(extra.no(422, "invalid-payload")["pointer"], "/prize");
}
