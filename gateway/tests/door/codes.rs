//! Every code of the contract is reached by some call here, or stands below with the reason why not.

use std::collections::BTreeSet;

use function::problem::Code;
use machine::world::{Action, Pause};
use serde_json::json;

use crate::faults::Fault;
use crate::files::{PACK, TENANT, with};
use crate::world::World;

/// Codes that no call can reach yet.
const NOT_YET: [(Code, &str); 4] = [
    (
        Code::RiskRefused,
        "risk verdicts come with the look-ups of a later issue",
    ),
    (Code::ChallengeRequired, "as above"),
    (
        Code::NotAcceptable,
        "only posters are made in several formats, and there are none yet",
    ),
    (
        Code::Internal,
        "only a door without any function answers it; `a_door_that_leads_nowhere` below",
    ),
];

#[tokio::test]
async fn every_code_is_reached() {
    let tight = TENANT.replace(
        "user_per_second: 1000, user_burst: 1000",
        "user_per_second: 1, user_burst: 200",
    );
    let dear = PACK.to_owned() + "budget: { total: 70.00 }\n";
    let world = World::of(&with(&[
        ("acme/tenant.yaml", &tight),
        ("acme/dear.yaml", &dear),
    ]))
    .await;
    let (learn, claim, words) = (
        "/v1/acme/quest/events/learn",
        "/v1/acme/pack/events/claim",
        json!({ "words": 1 }),
    );
    let mut answers = Vec::new();
    let send = async |user: &str, path: &str, key: &str, body: serde_json::Value| {
        world.post(user, path, key, body).await
    };

    answers.push(world.ask("POST", learn).send().await);
    answers.push(
        world
            .ask("POST", learn)
            .key("k")
            .by("ann")
            .body("[")
            .send()
            .await,
    );
    answers.push(world.ask("GET", "/v1/acme/quest").send().await);
    answers.push(send("boss", claim, "k", json!({})).await);
    answers.push(send("ann", "/v1/acme/quest/events/paid", "k", json!({})).await);
    answers.push(world.ask("GET", "/v1/nobody/quest/public").send().await);
    answers.push(world.ask("GET", "/v1/acme/nothing/public").send().await);
    answers.push(send("ann", "/v1/acme/quest/events/nothing", "k", json!({})).await);
    answers.push(world.ask("GET", "/nowhere").send().await);
    answers.push(world.ask("GET", learn).send().await);
    answers.push(send("ann", learn, "unlucky", json!({ "words": 13 })).await);
    answers.push(
        world
            .ask("POST", learn)
            .key("k")
            .by("ann")
            .header("if-match", "9")
            .json(&words)
            .send()
            .await,
    );
    answers.push(
        world
            .ask("POST", learn)
            .key("k")
            .by("ann")
            .body(" ".repeat(20_000))
            .send()
            .await,
    );
    answers.push(send("ann", learn, "k", json!({})).await);
    send("ann", learn, "k", words.clone()).await.done();
    answers.push(send("ann", learn, "k", json!({ "words": 2 })).await);
    answers.push(
        send(
            "ann",
            "/v1/acme/quest/events/divide",
            "d",
            json!({ "by": 0 }),
        )
        .await,
    );
    for fault in [
        Fault::NotWritten,
        Fault::Vanished,
        Fault::Frozen,
        Fault::Busy,
    ] {
        world.store.commits([fault]);
        answers.push(send("ann", learn, "faults", words.clone()).await);
    }
    world
        .report("/v1/acme/quest/users/dan/events/paid", "o", json!({}))
        .await
        .done();
    answers.push(send("dan", learn, "k", words.clone()).await);
    for user in ["ann", "bob", "cid"] {
        answers.push(send(user, claim, "k", json!({})).await);
    }
    for user in ["ann", "bob"] {
        answers.push(send(user, "/v1/acme/dear/events/claim", "k", json!({})).await);
    }
    let pause = Pause {
        reason: "r".into(),
        notice: None,
        until: None,
        event: None,
    };
    world
        .admin(
            "acme",
            Action::Pause {
                campaign: "daily".into(),
                edition: 1,
                pause,
            },
        )
        .await;
    answers.push(send("ann", "/v1/acme/daily/events/sign-in", "k", json!({})).await);
    world.clock.set("2026-10-01T00:00:00+08:00");
    answers.push(send("eve", claim, "k", json!({})).await);
    world.clock.set("2027-01-01T00:00:00+08:00");
    answers.push(send("eve", claim, "k", json!({})).await);
    for _ in 0..300 {
        let last = world.get("gus", "/v1/acme/quest").await;
        if last.status == 429 {
            answers.push(last);
            break;
        }
    }

    answers.push(world.get("hal", "/v1/acme/quest/poster/none").await);

    let mut reached: BTreeSet<&str> = BTreeSet::new();
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        let body = answer.json();
        let kind = body["type"]
            .as_str()
            .unwrap()
            .strip_prefix("/problems/")
            .unwrap();
        let code = Code::parse(kind).unwrap_or_else(|| panic!("{kind} is on no list"));
        assert_eq!(code.status().as_u16(), answer.status);
        let own = if code == Code::Rejected {
            "unlucky"
        } else {
            code.as_str()
        };
        answer.no(answer.status, own);
        reached.insert(code.as_str());
    }
    let wanted: BTreeSet<&str> = Code::ALL
        .iter()
        .filter(|code| NOT_YET.iter().all(|(not, _)| not != *code))
        .map(|code| code.as_str())
        .collect();
    assert_eq!(reached, wanted);
    assert!(NOT_YET.iter().all(|(_, why)| !why.is_empty()));
}

#[tokio::test]
async fn a_door_that_leads_nowhere() {
    let mut world = World::of(crate::files::ALL).await;
    world.door = gateway::door::router(world.registry.clone(), std::collections::BTreeMap::new());
    world.get("ann", "/v1/acme/quest").await.no(500, "internal");
}
