//! Triggers at the end of their way: a queue's message is an event of a campaign, once however often it is delivered; a timer lets
//! time do what it does.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use function::http::events_router;
use function::identity::{Role, Ticket};
use gateway::admin::{self, Desk};
use host::{App, scf};
use serde_json::{Value, json};
use testbed::{ScfOutcome, ScfRuntime};

use crate::files::{ALL, WHEEL};
use crate::world::{Answer, World};

/// The events' router behind SCF's runtime interface.
struct Function(Arc<ScfRuntime>);

impl Function {
    fn of(world: &World) -> Self {
        let api = Arc::new(ScfRuntime::start());
        let settings = scf::Settings {
            api: format!("127.0.0.1:{}", api.port()),
        };
        let app = App::new(Router::new()).with_events(events_router(world.shell.clone()));
        tokio::spawn(async move { scf::run(app, &settings, std::future::pending()).await });
        Self(api)
    }

    async fn tell(&self, event: Value) -> Result<Value, String> {
        let api = self.0.clone();
        let outcome = tokio::task::spawn_blocking(move || api.invoke(event.to_string())).await;
        match outcome.unwrap() {
            ScfOutcome::Response(bytes) => Ok(serde_json::from_slice(&bytes).unwrap()),
            ScfOutcome::Error(why) => Err(why),
        }
    }

    /// Messages of one partition, from an offset on.
    async fn messages(&self, from: u64, bodies: &[Value]) -> Result<Value, String> {
        let records = (from..).zip(bodies).map(|(offset, body)| {
            let message = json!({ "topic": "orders", "partition": 0, "offset": offset, "msgKey": "None", "msgBody": body.to_string() });
            json!({ "Ckafka": message })
        });
        let records: Vec<Value> = records.collect();
        self.tell(json!({ "Records": records })).await
    }
}

fn paid(user: &str) -> Value {
    json!({ "tenant": "acme", "campaign": "wheel", "user": user, "event": "order-paid" })
}

async fn chances(world: &World, user: &str) -> i64 {
    let view = world.get(user, "/v1/acme/wheel").await.json();
    view["context"]["chances"].as_i64().unwrap()
}

#[tokio::test]
async fn an_order_is_one_more_chance_once() {
    let world = World::of(ALL).await;
    let function = Function::of(&world);
    let before = chances(&world, "ann").await;
    let done = json!({ "taken": 1, "parked": 0 });
    for _ in 0..3 {
        assert_eq!(function.messages(7, &[paid("ann")]).await, Ok(done.clone()));
    }
    assert_eq!(chances(&world, "ann").await, before + 1);
    // Another message of the same day: the rules say no, and that is its end.
    assert_eq!(function.messages(8, &[paid("ann")]).await, Ok(done.clone()));
    assert_eq!(chances(&world, "ann").await, before + 1);
    world.clock.advance(Duration::from_hours(24));
    let next_day = chances(&world, "ann").await;
    assert_eq!(function.messages(9, &[paid("ann")]).await, Ok(done));
    assert_eq!(chances(&world, "ann").await, next_day + 1);
}

#[tokio::test]
async fn a_message_that_means_nothing_holds_nobody_up() {
    let world = World::of(ALL).await;
    let function = Function::of(&world);
    let mut nowhere = paid("ann");
    nowhere["campaign"] = json!("whel");
    let mut by_nobody = paid("ann");
    by_nobody["user"] = json!("");
    let mut no_event = paid("ann");
    no_event["event"] = json!("draw");
    let mut more = paid("ann");
    more["payload"] = json!({ "sum": 3 });
    let bodies = [
        paid("ann"),
        nowhere,
        by_nobody,
        json!("hello"),
        no_event,
        more,
        paid("bob"),
    ];
    let answer = function.messages(1, &bodies).await;
    assert_eq!(answer, Ok(json!({ "taken": 2, "parked": 5 })));
    assert_eq!(chances(&world, "ann").await, chances(&world, "bob").await);
}

#[tokio::test]
async fn what_may_go_better_comes_again() {
    let world = World::of(ALL).await;
    let function = Function::of(&world);
    let before = chances(&world, "ann").await;
    let pause = machine::world::Action::Pause {
        campaign: "wheel".into(),
        edition: 1,
        pause: machine::world::Pause {
            reason: "a look".into(),
            notice: None,
            until: None,
            event: None,
        },
    };
    world.admin("acme", pause).await;
    let why = function
        .messages(1, &[paid("ann"), paid("bob")])
        .await
        .unwrap_err();
    assert!(
        why.contains("/ckafka/orders/0 1: 503") && why.contains("paused"),
        "{why}"
    );
    let resume = machine::world::Action::Resume {
        campaign: "wheel".into(),
        edition: 1,
    };
    world.admin("acme", resume).await;
    let done = json!({ "taken": 2, "parked": 0 });
    assert_eq!(
        function.messages(1, &[paid("ann"), paid("bob")]).await,
        Ok(done)
    );
    assert_eq!(chances(&world, "ann").await, before + 1);
}

#[tokio::test]
async fn a_timer_lets_time_pass() {
    let world = World::of(ALL).await;
    let function = Function::of(&world);
    let paid = json!({ "tenant": "acme", "campaign": "quest", "user": "ann", "event": "paid" });
    function.messages(1, &[paid]).await.unwrap();
    let version = async || world.get("ann", "/v1/acme/quest").await.json()["version"].clone();
    let before = version().await;
    let timer = json!({ "Type": "Timer", "TriggerName": "tick", "Time": "2026-11-22T04:00:00Z", "Message": "" });
    assert_eq!(
        function.tell(timer.clone()).await,
        Ok(json!({ "taken": 1, "parked": 0 }))
    );
    assert_eq!(version().await, before, "nothing was due");
    world.clock.advance(Duration::from_hours(3));
    assert_eq!(
        function.tell(timer).await,
        Ok(json!({ "taken": 1, "parked": 0 }))
    );
    assert_ne!(
        version().await,
        before,
        "what was due has fired, and is committed"
    );
}

/// Staff's own door, from this machine.
async fn staff(
    world: &World,
    role: Role,
    method: &str,
    path: &str,
    key: &str,
    body: &str,
) -> Answer {
    let desk = Desk::new(world.registry.clone(), world.store.clone(), None);
    let token = world
        .minter("acme", "admins")
        .sign(&Ticket::admin("acme", "sam", role), world.clock.secs())
        .unwrap();
    let request = Request::builder()
        .method(method)
        .uri(format!("/admin/v1/acme/{path}"))
        .header("authorization", format!("Bearer {token}"))
        .header("idempotency-key", key)
        .body(Body::from(body.to_owned()))
        .unwrap();
    Answer::to(admin::router(desk.by_clock(world.clock.clone())), request).await
}

async fn parked(world: &World) -> Vec<Value> {
    let list = staff(world, Role::Support, "GET", "parked", "", "").await;
    list.done()["parked"].as_array().unwrap().clone()
}

/// A message for a campaign that is not there yet is kept, and told again when it is: once, however often it is asked for.
#[tokio::test]
async fn what_is_parked_is_told_again_once_it_can_be() {
    let world = World::of(ALL).await;
    let function = Function::of(&world);
    let mut early = paid("ann");
    early["campaign"] = json!("late");
    let stopped = json!({ "taken": 1, "parked": 1 });
    let bodies = [early.clone(), paid("bob")];
    assert_eq!(function.messages(5, &bodies).await, Ok(stopped.clone()));
    assert_eq!(function.messages(5, &bodies).await, Ok(stopped));
    let kept = parked(&world).await;
    assert_eq!(kept.len(), 1, "{kept:?}");
    let told = |name: &str| kept[0][name].clone();
    assert_eq!(
        (told("source"), told("event_id"), told("times")),
        (json!("/ckafka/orders/0"), json!("5"), json!(2))
    );
    assert_eq!(
        (told("code"), told("campaign"), told("from"), told("cut")),
        (
            json!("no-such-campaign"),
            json!("late"),
            json!("trigger"),
            json!(false)
        )
    );
    assert_eq!(
        told("data"),
        Value::Null,
        "the list says nothing of anybody"
    );
    let id = told("id").as_str().unwrap().to_owned();
    let one = staff(
        &world,
        Role::Support,
        "GET",
        &format!("parked/{id}"),
        "",
        "",
    )
    .await;
    assert_eq!(one.done()["data"], early.to_string());

    // Too early still: it stays.
    let retry = format!("parked/{id}/retry");
    let again = staff(&world, Role::Publisher, "POST", &retry, "r-1", "").await;
    again.no(404, "no-such-campaign");
    assert_eq!(parked(&world).await.len(), 1);

    world.rewrite("acme/late.yaml", WHEEL).await;
    let before = world.get("ann", "/v1/acme/late").await.json()["context"]["chances"].clone();
    let done = staff(&world, Role::Publisher, "POST", &retry, "r-2", "")
        .await
        .done();
    let after = world.get("ann", "/v1/acme/late").await.json()["context"]["chances"].clone();
    assert_eq!(after.as_i64(), before.as_i64().map(|chances| chances + 1));
    assert_eq!(parked(&world).await, Vec::<Value>::new());
    // The answer was lost: the same call gives it again.
    let repeat = staff(&world, Role::Publisher, "POST", &retry, "r-2", "").await;
    assert_eq!((repeat.replayed(), repeat.json()), (true, done));
    let gone = staff(&world, Role::Publisher, "POST", &retry, "r-3", "").await;
    gone.no(404, "not-found");

    // The queue delivers it once more, late: it is the same event still.
    assert_eq!(
        function.messages(5, &[early]).await,
        Ok(json!({ "taken": 1, "parked": 0 }))
    );
    assert_eq!(
        world.get("ann", "/v1/acme/late").await.json()["context"]["chances"],
        after
    );
    let audit = staff(&world, Role::Finance, "GET", "audit", "", "")
        .await
        .text();
    assert!(
        audit.contains("retry-parked") && audit.contains(&id),
        "{audit}"
    );
}

#[tokio::test]
async fn what_is_given_up_has_its_reason_in_the_audit() {
    let world = World::of(ALL).await;
    let function = Function::of(&world);
    let mut bad = paid("ann");
    bad["payload"] = json!({ "sum": 3 });
    function.messages(1, &[bad]).await.unwrap();
    let id = parked(&world).await[0]["id"].as_str().unwrap().to_owned();
    let drop = format!("parked/{id}/drop");
    let call = async |key, body| staff(&world, Role::Publisher, "POST", &drop, key, body).await;
    call("d-1", "{}").await.no(422, "invalid-payload");
    call("d-1", r#"{"reason":" "}"#)
        .await
        .no(422, "invalid-payload");
    let done = call("d-2", r#"{"reason":"sent by a test"}"#).await.done();
    assert!(done["audit"].is_u64(), "{done}");
    assert_eq!(parked(&world).await, Vec::<Value>::new());
    let audit = staff(&world, Role::Finance, "GET", "audit", "", "")
        .await
        .text();
    assert!(
        audit.contains("drop-parked") && audit.contains("sent by a test"),
        "{audit}"
    );
}

/// Nobody's staff may read what names no tenant, and what can't be kept is delivered again.
#[tokio::test]
async fn what_cannot_be_kept_is_not_lost() {
    let world = World::of(ALL).await;
    let function = Function::of(&world);
    let mut stranger = paid("ann");
    stranger["tenant"] = json!("nobody");
    let unread = [json!("hello"), stranger];
    assert_eq!(
        function.messages(1, &unread).await,
        Ok(json!({ "taken": 0, "parked": 2 }))
    );
    assert_eq!(parked(&world).await, Vec::<Value>::new());

    world.store.fails("the disk is full");
    let mut nowhere = paid("ann");
    nowhere["campaign"] = json!("whel");
    let why = function.messages(9, &[nowhere]).await.unwrap_err();
    assert!(
        why.contains("not be parked") && why.contains("503"),
        "{why}"
    );
}
