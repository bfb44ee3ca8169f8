//! SQS, EventBridge and what is of neither.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::lambda::{Failure, Outcome};

use crate::function::Function;

const QUEUE: &str = "arn:aws:sqs:us-east-2:123456789012:orders";

fn batch(queue: &str, bodies: &[&str]) -> Value {
    let record = |(number, body): (usize, &&str)| {
        json!({
            "messageId": format!("m{number}"),
            "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": "1545082649183",
                "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "ApproximateFirstReceiveTimestamp": "1545082649185",
                "MessageGroupId": "g1",
            },
            "messageAttributes": {},
            "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
            "eventSource": "aws:sqs",
            "eventSourceARN": queue,
            "awsRegion": "us-east-2",
        })
    };
    let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
    json!({ "Records": records })
}

fn failures(function: &Function, event: &Value) -> Vec<String> {
    let told: Value = serde_json::from_slice(&function.answered(event)).expect("JSON");
    let failures = told["batchItemFailures"].as_array().expect("a list");
    let ids = failures.iter().map(|one| one["itemIdentifier"].as_str());
    ids.map(|id| id.expect("a text").to_owned()).collect()
}

fn failed(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::Failed(failure) => failure,
        other => panic!("it did not fail: {other:?}"),
    }
}

fn seen(function: &Function) -> Vec<(String, String)> {
    let seen = function.seen.lock().expect("no poison");
    seen.iter()
        .map(|(path, event)| (path.clone(), event.id.clone()))
        .collect()
}

#[test]
fn a_message_is_an_event() {
    let function = Function::start();
    assert!(failures(&function, &batch(QUEUE, &["{\"paid\":7}"])).is_empty());
    let seen = function.seen.lock().expect("no poison");
    let (path, event) = &seen[0];
    assert_eq!(path, "/events");
    assert_eq!(event.source, format!("/sqs/{QUEUE}"));
    assert_eq!(
        (event.id.as_str(), event.kind.as_str()),
        ("m0", "com.amazonaws.sqs.message")
    );
    assert_eq!(event.time.as_deref(), Some("2018-12-17T21:37:29.183Z"));
    assert_eq!(
        (event.data_type.as_deref(), &event.data[..]),
        (Some("application/json"), &b"{\"paid\":7}"[..])
    );
    assert!(
        event
            .extensions
            .contains(&("messagegroup".to_owned(), "g1".to_owned()))
    );
}

#[test]
fn of_a_batch_only_what_failed_comes_again() {
    let function = Function::start();
    let mixed = batch(QUEUE, &["fine", "again", "never", "panic", "fine"]);
    assert_eq!(failures(&function, &mixed), ["m1", "m3"]);
    let told = |path: &str, id: &str| (path.to_owned(), id.to_owned());
    assert_eq!(
        seen(&function),
        [
            told("/events", "m0"),
            told("/events", "m1"),
            told("/events", "m2"),
            told("/events/parked", "m2"),
            told("/events", "m3"),
            told("/events", "m4"),
        ]
    );
}

#[test]
fn a_queue_with_an_order_stops_at_the_first_failure() {
    let function = Function::start();
    let fifo = format!("{QUEUE}.fifo");
    assert_eq!(
        failures(
            &function,
            &batch(&fifo, &["fine", "never", "again", "fine", "fine"])
        ),
        ["m2", "m3", "m4"]
    );
    assert_eq!(
        seen(&function).len(),
        4,
        "the parked one is there twice, and nothing after m2"
    );
}

#[test]
fn what_there_is_no_time_for_comes_again() {
    let function = Function::start();
    let event = batch(QUEUE, &["fine", "slow", "fine"]).to_string();
    let id = function
        .lambda
        .push_with(event, Duration::from_millis(300), &[]);
    let Outcome::Answered(bytes) = function.lambda.outcome(&id) else {
        panic!("no answer");
    };
    let told: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!(
        told,
        json!({ "batchItemFailures": [{ "itemIdentifier": "m1" }, { "itemIdentifier": "m2" }] })
    );
    assert_eq!(seen(&function).len(), 2);
}

fn bus(kind: &str, source: &str, detail: &Value) -> Value {
    json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": kind,
        "source": source,
        "account": "123456789012",
        "time": "2026-12-01T10:00:00Z",
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/daily"],
        "detail": detail,
    })
}

#[test]
fn eventbridge_is_events_and_its_schedules_timers() {
    let function = Function::start();
    for event in [
        bus("Order Paid", "com.shop.orders", &json!({ "order": 7 })),
        bus("Scheduled Event", "aws.events", &json!({})),
        bus("Scheduled Event", "aws.scheduler", &"{}".into()),
    ] {
        assert_eq!(function.answered(&event), br#"{"parked":0,"taken":1}"#);
    }
    let seen = function.seen.lock().expect("no poison");
    let told: Vec<(&str, &str, &[u8])> = seen
        .iter()
        .map(|(_, event)| (event.source.as_str(), event.kind.as_str(), &event.data[..]))
        .collect();
    assert_eq!(
        told,
        [
            ("com.shop.orders", "Order Paid", &b"{\"order\":7}"[..]),
            ("aws.events", "com.amazonaws.scheduled", b"{}"),
            ("aws.scheduler", "com.amazonaws.scheduled", b"{}"),
        ]
    );
    let (_, timer) = &seen[1];
    assert_eq!(timer.id, "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa");
    assert_eq!(timer.time.as_deref(), Some("2026-12-01T10:00:00Z"));
    assert_eq!(
        timer.subject.as_deref(),
        Some("arn:aws:events:us-east-1:123456789012:rule/daily")
    );
    assert_eq!(timer.data_type.as_deref(), Some("application/json"));
}

#[test]
fn an_event_that_was_not_taken_is_a_failed_invocation() {
    let function = Function::start();
    for word in ["again", "panic"] {
        let failure = failed(function.invoke(&bus("t", "s", &json!({ "a": word }))));
        assert_eq!(failure.kind, "Function.EventFailed");
        let told: Value = serde_json::from_slice(&failure.body).expect("JSON");
        assert!(
            told["errorMessage"]
                .as_str()
                .expect("a text")
                .starts_with("s 53dc4d37"),
            "{told}"
        );
    }
    assert_eq!(
        function.answered(&bus("t", "s", &json!({ "a": "never" }))),
        br#"{"parked":1,"taken":0}"#
    );
}

#[test]
fn a_function_without_events_takes_none() {
    let function = Function::with(|app| app.with_events(axum::Router::new()), false);
    failed(function.invoke(&bus("t", "s", &json!({}))));
    assert_eq!(failures(&function, &batch(QUEUE, &["fine"])), ["m0"]);
}

#[test]
fn what_nobody_knows_is_a_failed_invocation_and_the_instance_lives() {
    let function = Function::start();
    for event in [
        json!({}),
        json!({ "order": 7 }),
        json!([1]),
        json!("text"),
        json!(null),
        json!({ "Records": [] }),
        json!({ "Records": [{ "eventSource": "aws:s3" }] }),
        json!({ "Records": [{ "eventSource": "aws:sqs", "body": "nameless" }] }),
        json!({ "detail-type": "t", "source": "s" }),
        json!({ "requestContext": { "connectionId": "c", "eventType": "MESSAGE" } }),
    ] {
        failed(function.invoke(&event));
    }
    let id = function.lambda.push("{");
    failed(function.lambda.outcome(&id));
    assert!(seen(&function).is_empty());
    assert!(failures(&function, &batch(QUEUE, &["fine"])).is_empty());
}
