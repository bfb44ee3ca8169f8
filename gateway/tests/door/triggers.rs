//! Triggers at the end of their way: a queue's message is an event of a campaign, once however often it is delivered; a timer lets
//! time do what it does.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use function::http::events_router;
use host::{App, scf};
use serde_json::{Value, json};
use testbed::{ScfOutcome, ScfRuntime};

use crate::files::ALL;
use crate::world::World;

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
