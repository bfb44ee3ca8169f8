//! Over a store on another machine: how many round trips a call costs, and that a guess never shows in an answer.

use futures_util::future::join_all;
use machine::luck::Seed;
use machine::world::{Action, Pause, Publication};
use serde_json::{Value, json};

use crate::faults::Fault;
use crate::files::ALL;
use crate::world::{Answer, World};

const LEARN: &str = "/v1/acme/quest/events/learn";
const SIGN: &str = "/v1/acme/daily/events/sign-in";

/// One round trip and no more where nothing is in the way.
const ONE_COMMIT: (usize, usize) = (1, 0);

async fn learn(world: &World, key: &str) -> Answer {
    world.post("ann", LEARN, key, json!({ "words": 1 })).await
}

#[tokio::test]
async fn a_newcomer_and_a_known_participant_cost_one_commit() {
    let world = World::remote(ALL).await;
    world.store.cost();
    for key in ["a", "b", "c"] {
        learn(&world, key).await.done();
        assert_eq!(world.store.cost(), ONE_COMMIT, "{key}");
    }
    let view = world.get("ann", "/v1/acme/quest").await.json();
    assert_eq!(
        (&view["version"], &view["context"]["words"]),
        (&json!(3), &json!(3))
    );
    // What was granted is known as well: the day's points are not given again.
    world.post("ann", SIGN, "a", json!({})).await.done();
    world.store.cost();
    world.clock.set("2026-11-23T12:00:00+08:00");
    let second = world.post("ann", SIGN, "b", json!({})).await;
    assert_eq!(
        (
            second.done()["context"]["streak"].clone(),
            world.store.cost()
        ),
        (json!(2), ONE_COMMIT)
    );
}

#[tokio::test]
async fn whoever_was_elsewhere_costs_two_commits() {
    let world = World::remote(ALL).await;
    let other = world.beside().await;
    learn(&world, "a").await.done();
    world.store.cost();
    assert_eq!(learn(&other, "b").await.done()["version"], 2);
    assert_eq!(world.store.cost(), (2, 0));
    // And here what is known is old now.
    assert_eq!(learn(&world, "c").await.done()["version"], 3);
    assert_eq!(world.store.cost(), (2, 0));
    assert_eq!(learn(&world, "d").await.done()["version"], 4);
    assert_eq!(world.store.cost(), ONE_COMMIT);
}

#[tokio::test]
async fn a_no_costs_one_recall() {
    let world = World::remote(ALL).await;
    let other = world.beside().await;
    world.post("ann", SIGN, "a", json!({})).await.done();
    world.store.cost();
    let post = async |path: &str, body: Value| world.post("ann", path, "k", body).await;
    post(SIGN, json!({})).await.no(409, "already-signed");
    assert_eq!(world.store.cost(), (0, 1));
    post("/v1/acme/daily/events/nothing", json!({}))
        .await
        .no(404, "no-such-event");
    assert_eq!(world.store.cost(), (0, 1));
    post(LEARN, json!({ "words": 0 }))
        .await
        .no(422, "invalid-payload");
    assert_eq!(world.store.cost(), (0, 1));
    post(LEARN, json!({ "words": 13 })).await.no(409, "unlucky");
    assert_eq!(world.store.cost(), (0, 1));
    post("/v1/acme/quest/events/divide", json!({ "by": 0 }))
        .await
        .no(500, "rule-failed");
    assert_eq!(world.store.cost(), (0, 1));
    let page = world
        .ask("POST", SIGN)
        .by("ann")
        .key("k")
        .header("if-match", "7");
    assert_eq!(
        page.json(&json!({})).send().await.no(412, "stale-page")["version"],
        1
    );
    assert_eq!(world.store.cost(), (0, 1));
    // The refused commit of a newcomer who is none told all that a recall would.
    other
        .post("ann", SIGN, "k", json!({}))
        .await
        .no(409, "already-signed");
    assert_eq!(world.store.cost(), (1, 0));
}

#[tokio::test]
async fn a_no_that_was_only_a_guess_is_a_yes() {
    let world = World::remote(ALL).await;
    let other = world.beside().await;
    learn(&world, "a").await.done();
    learn(&other, "b").await.done();
    // The page shows version 2, and this process knows version 1.
    let fresh = world
        .ask("POST", LEARN)
        .by("ann")
        .key("c")
        .header("if-match", "2");
    assert_eq!(
        fresh.json(&json!({ "words": 1 })).send().await.done()["version"],
        3
    );
    // What the store can't confirm is not answered.
    world.store.recalls([Fault::NotWritten]);
    world
        .post("ann", LEARN, "d", json!({ "words": 13 }))
        .await
        .no(503, "store-unavailable");
}

#[tokio::test]
async fn a_retry_that_would_be_refused_now_is_answered_again() {
    let world = World::remote(ALL).await;
    let other = world.beside().await;
    let first = world.post("ann", SIGN, "a", json!({})).await;
    first.done();
    world.store.cost();
    for (process, cost) in [(&world, (0, 1)), (&other, (1, 0))] {
        let again = process.post("ann", SIGN, "a", json!({})).await;
        assert!(
            again.replayed() && again.bytes == first.bytes,
            "{}",
            again.text()
        );
        assert_eq!(world.store.cost(), cost);
    }
    world
        .post(
            "ann",
            "/v1/acme/daily/events/make-up",
            "a",
            json!({ "day": "2026-11-21" }),
        )
        .await
        .no(422, "idempotency-key-reused");
    let pause = Pause {
        reason: "r".into(),
        notice: None,
        until: None,
        event: None,
    };
    let (campaign, edition) = ("daily".into(), 1);
    world
        .admin(
            "acme",
            Action::Pause {
                campaign,
                edition,
                pause,
            },
        )
        .await;
    assert!(world.post("ann", SIGN, "a", json!({})).await.replayed());
    world.clock.set("2026-12-20T00:00:00+08:00");
    world
        .post("ann", SIGN, "b", json!({}))
        .await
        .no(409, "closed");
}

#[tokio::test]
async fn of_twins_one_is_carried_out_wherever_they_arrive() {
    let world = World::remote(ALL).await;
    let other = world.beside().await;
    for round in 0..4 {
        let key = format!("twin-{round}");
        let twins = join_all((0..16).map(|n| learn([&world, &other][n % 2], &key))).await;
        let new = twins
            .iter()
            .filter(|twin| twin.status == 200 && !twin.replayed());
        assert_eq!(new.count(), 1);
        assert!(twins.iter().all(|twin| twin.bytes == twins[0].bytes));
    }
    let keys: Vec<String> = (0..8).map(|n| format!("many-{n}")).collect();
    let calls = keys.iter().enumerate();
    for answer in join_all(calls.map(|(n, key)| learn([&world, &other][n % 2], key))).await {
        answer.done();
    }
    assert_eq!(
        world.get("ann", "/v1/acme/quest").await.json()["context"]["words"],
        12
    );
}

#[tokio::test]
async fn after_an_unknown_outcome_nothing_is_believed() {
    let world = World::remote(ALL).await;
    learn(&world, "a").await.done();
    world.store.commits([Fault::Lost]);
    learn(&world, "b").await.no(503, "outcome-unknown");
    assert!(learn(&world, "b").await.replayed());
    world.store.commits([Fault::Vanished]);
    learn(&world, "c").await.no(503, "outcome-unknown");
    world.store.cost();
    assert_eq!(learn(&world, "c").await.done()["version"], 3);
    assert_eq!(world.store.cost(), (2, 0), "as one who was never seen here");
    for (fault, code) in [
        (Fault::NotWritten, "store-unavailable"),
        (Fault::Busy, "overloaded"),
    ] {
        world.store.commits([fault]);
        learn(&world, "d").await.no(503, code);
    }
    world.store.cost();
    learn(&world, "d").await.done();
    assert_eq!(world.store.cost(), ONE_COMMIT);
}

/// Published elsewhere, and not heard of here: the commit's refusal tells.
#[tokio::test]
async fn a_revision_from_elsewhere_is_caught_up_with_in_the_call() {
    let world = World::remote(ALL).await;
    learn(&world, "a").await.done();
    let snapshot = world.registry.snapshot();
    let mut next = snapshot.tenants["acme"].campaigns["quest"].revisions[&1]
        .as_ref()
        .clone();
    next.durability = machine::model::Durability::Strict;
    let publish = Action::Publish(Publication {
        campaign: "quest".into(),
        edition: 1,
        definition: campaign::codec::encode(&next).into(),
        stock: Vec::new(),
        budget: None,
        seeds: (Seed([1; 32]), Seed([2; 32])),
    });
    world.admin_unheard("acme", publish).await;
    world.store.cost();
    assert_eq!(learn(&world, "b").await.done()["version"], 2);
    assert_eq!(world.store.cost(), (2, 0));
    let page = world.ask("GET", "/v1/acme/quest/public").send().await;
    assert_eq!(page.json()["revision"], 2);
    // A record that was carried over is known as the commit left it.
    assert_eq!(learn(&world, "c").await.done()["version"], 3);
    assert_eq!(world.store.cost(), ONE_COMMIT);
    assert_eq!(learn(&world, "d").await.done()["context"]["words"], 4);
    assert_eq!(world.store.cost(), ONE_COMMIT);
}

/// Random calls of a few users with few keys, on many days, through two processes that know little of each other: answered
/// as a store would have it that is asked first.
#[tokio::test]
async fn what_is_answered_does_not_depend_on_what_was_guessed() {
    for seed in 1..=6 {
        same_answers(seed, 150).await;
    }
}

async fn same_answers(seed: u64, calls: usize) {
    let (asked_first, guessing) = World::twins(ALL).await;
    let beside = guessing.beside().await;
    let mut luck = Luck(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let (mut done, mut no, mut again) = (0, 0, 0);
    let (mut paused, mut calls_before) = (false, Vec::<Random>::new());
    for n in 0..calls {
        let context = format!("seed {seed}, call {n}");
        match luck.below(20) {
            0 => asked_first
                .clock
                .advance(std::time::Duration::from_hours(luck.below(30))),
            1 => {
                paused = !paused;
                for world in [&asked_first, &guessing] {
                    world.admin_unheard("acme", pause_quest(paused)).await;
                }
            }
            2 => guessing.registry.refresh().await.unwrap(),
            _ => {}
        }
        // One in four is a retry, of some call that may have been answered or refused.
        if calls_before.is_empty() || luck.below(4) > 0 {
            calls_before.push(Random::of(&mut luck));
        } else {
            let place = luck.below(calls_before.len() as u64) as usize;
            calls_before.push(calls_before[place].clone());
        }
        let call = calls_before.last().unwrap();
        let process = [&guessing, &beside][luck.below(2) as usize];
        let (expected, found) = (call.send(&asked_first).await, call.send(process).await);
        assert_eq!(
            (found.status, found.replayed(), without_id(&found)),
            (expected.status, expected.replayed(), without_id(&expected)),
            "{context}: {call:?}"
        );
        done += usize::from(found.status == 200 && !found.replayed());
        no += usize::from(found.status != 200);
        again += usize::from(found.replayed());
    }
    for campaign in ["quest", "daily", "wheel", "pack"] {
        let (expected, found) = (
            asked_first.rows(campaign).await,
            guessing.rows(campaign).await,
        );
        assert_eq!(expected.len(), found.len(), "seed {seed}: {campaign}");
    }
    assert!(
        done > 10 && no > 10 && again > 3,
        "seed {seed}: {done} done, {no} refused, {again} again"
    );
}

fn pause_quest(paused: bool) -> Action {
    let (campaign, edition) = ("quest".into(), 1);
    let pause = Pause {
        reason: "r".into(),
        notice: Some("Back soon".into()),
        until: None,
        event: None,
    };
    if paused {
        Action::Pause {
            campaign,
            edition,
            pause,
        }
    } else {
        Action::Resume { campaign, edition }
    }
}

fn without_id(answer: &Answer) -> Vec<u8> {
    if answer.status == 200 {
        return answer.bytes.clone();
    }
    let mut problem = answer.json();
    problem["request_id"] = Value::Null;
    problem.to_string().into_bytes()
}

#[derive(Debug, Clone)]
struct Random {
    user: String,
    path: String,
    key: String,
    body: Value,
    if_match: Option<u64>,
    backend: bool,
}

impl Random {
    fn of(luck: &mut Luck) -> Self {
        let user = format!("user-{}", luck.below(3));
        let word = 1 + luck.below(14);
        let event = |path: &str| format!("/v1/acme/{path}");
        let (path, body, backend) = match luck.below(10) {
            0..=1 => (event("quest/events/learn"), json!({ "words": word }), false),
            2 => (
                event("quest/events/divide"),
                json!({ "by": luck.below(3) }),
                false,
            ),
            3 => (
                event(&format!("quest/users/{user}/events/paid")),
                json!({}),
                true,
            ),
            4..=5 => (event("daily/events/sign-in"), json!({}), false),
            6 => (
                event("daily/events/make-up"),
                json!({ "day": format!("2026-11-{}", 20 + luck.below(8)) }),
                false,
            ),
            7..=8 => (event("wheel/events/draw"), json!({}), false),
            _ => (event("pack/events/claim"), json!({}), false),
        };
        Self {
            user,
            path,
            key: format!("key-{}", luck.below(60)),
            body,
            if_match: (luck.below(8) == 0).then(|| luck.below(4)),
            backend,
        }
    }

    async fn send(&self, world: &World) -> Answer {
        let token = if self.backend {
            world.service("acme")
        } else {
            world.token("acme", &self.user, &json!({}))
        };
        let mut ask = world.ask("POST", &self.path).bearer(&token).key(&self.key);
        if let Some(version) = self.if_match {
            ask = ask.header("if-match", version.to_string());
        }
        ask.json(&self.body).send().await
    }
}

/// Numbers that look random and come again with their seed.
struct Luck(u64);

impl Luck {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}
