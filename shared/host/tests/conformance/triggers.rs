//! Triggers: what each host tells becomes the same events, each taken once, and a failure is the host's failure.

use std::collections::BTreeMap;

use host::event::Event;
use serde_json::{Value, json};
use testbed::ScfOutcome;

use crate::call::Call;
use crate::fronts::{EVENT_KEY, Form, Front as _, Http, ScfEvents};

fn function() -> ScfEvents {
    ScfEvents::start(Form::Url, "")
}

fn response(outcome: ScfOutcome) -> Value {
    match outcome {
        ScfOutcome::Response(bytes) => serde_json::from_slice(&bytes).unwrap(),
        ScfOutcome::Error(why) => panic!("it failed: {why}"),
    }
}

fn error(outcome: ScfOutcome) -> String {
    match outcome {
        ScfOutcome::Error(why) => why,
        ScfOutcome::Response(bytes) => panic!("it succeeded: {}", String::from_utf8_lossy(&bytes)),
    }
}

/// An event's attributes, in one line.
fn line(event: &Event) -> String {
    let extensions: BTreeMap<_, _> = event.extensions.iter().cloned().collect();
    format!(
        "{} {} {} subject={} time={} {extensions:?} {} {}",
        event.kind,
        event.source,
        event.id,
        event.subject.as_deref().unwrap_or("-"),
        event.time.as_deref().unwrap_or("-"),
        event.data_type.as_deref().unwrap_or("-"),
        String::from_utf8_lossy(&event.data),
    )
}

fn kafka(offset: u64, body: &str) -> Value {
    json!({ "Ckafka": {
        "topic": "orders", "partition": 1, "offset": offset, "msgKey": "None", "msgBody": body,
    } })
}

#[test]
fn each_trigger_of_scf_is_an_event() {
    let told = [
        // As the page has it.
        json!({ "Type": "Timer", "TriggerName": "nightly", "Time": "2026-12-01T16:00:00Z", "Message": "{\"a\":1}" }),
        // With the stray space of a sample.
        json!({ "Records": [{
            "cos": {
                "cosSchemaVersion": "1.0",
                "cosObject": { "url": "http://x", "meta": {}, "vid": "", "key": "/125/lists/vip/2026.csv", "size": 7 },
                "cosBucket": { "region": "gz", "name": "lists", "appid": "125" },
                "cosNotificationId": "unkown",
            },
            "event": {
                "eventName": " cos:ObjectCreated:Put", "eventVersion": "1.0", "eventTime": 1_796_140_800,
                "eventSource": "qcs::cos", "reqid": 1000,
            },
        }] }),
        json!({ "Records": [kafka(41, "plain"), { "Ckafka": {
            "topic": "orders", "Partition": 2, "offset": 7, "msgKey": "member-1", "msgBody": "[1]",
        } }] }),
        json!({ "Records": [{ "CMQ": {
            "type": "topic", "topicOwner": 120, "topicName": "t", "subscriptionName": "s",
            "publishTime": "2026-12-01T00:00:00.000Z", "msgId": "m-1", "msgBody": "hello", "msgTag": "a, b,c",
        } }] }),
        json!({ "Records": [{ "CMQ": {
            "topicOwner": "120", "topicName": "t", "subscriptionName": "s", "msgId": "m-2", "msgBody": "", "msgTag": ["a", "b"],
        } }] }),
        json!({
            "specversion": "0", "id": "e-1", "type": "connector:tdmq", "source": "tdmq.cloud.tencent", "subjuct": "x",
            "time": "1796140800123", "data": { "msgBody": "{}" },
        }),
    ];
    let function = function();
    for event in &told {
        let answer = response(function.invoke(event));
        assert_eq!(answer["parked"], 0, "{event}");
    }
    let lines: Vec<String> = function.delivered().iter().map(line).collect();
    let object = told[1]["Records"][0].to_string();
    assert_eq!(
        lines,
        [
            "com.tencent.scf.timer /timer/nightly scf-1 subject=- time=2026-12-01T16:00:00Z {} application/json {\"a\":1}".to_owned(),
            format!(
                "com.tencent.cos.ObjectCreated.Put /cos/lists-125 1000-1796140800-cos:ObjectCreated:Put-vip/2026.csv \
                 subject=vip/2026.csv time=2026-12-01T16:00:00Z {{}} application/json {object}"
            ),
            "com.tencent.ckafka.message /ckafka/orders/1 41 subject=- time=- {} text/plain; charset=utf-8 plain".to_owned(),
            "com.tencent.ckafka.message /ckafka/orders/2 7 subject=member-1 time=- {} application/json [1]".to_owned(),
            "com.tencent.cmq.message /cmq/120/t/s m-1 subject=- time=2026-12-01T00:00:00.000Z {\"tags\": \"a,b,c\"} text/plain; charset=utf-8 hello".to_owned(),
            "com.tencent.cmq.message /cmq/120/t/s m-2 subject=- time=- {\"tags\": \"a,b\"} text/plain; charset=utf-8 ".to_owned(),
            "connector:tdmq tdmq.cloud.tencent e-1 subject=- time=2026-12-01T16:00:00Z {} application/json {\"msgBody\":\"{}\"}".to_owned(),
        ]
    );
}

#[test]
fn a_failure_is_the_hosts_failure() {
    let function = function();
    let timer = json!({ "Type": "Timer", "TriggerName": "t", "Time": "", "Message": "again" });
    let why = error(function.invoke(&timer));
    assert!(why.contains("503"), "{why}");
    for unknown in [
        json!({}),
        json!([]),
        json!("x"),
        json!({ "Records": [] }),
        json!({ "Records": [{ "x": 1 }] }),
        json!({ "Records": [{ "Ckafka": {} }] }),
    ] {
        let why = error(function.invoke(&unknown));
        assert!(why.contains("no trigger that is known"), "{why}");
    }
    assert_eq!(function.call(&Call::get("/a")).status, 200);
    assert!(function.delivered().is_empty());
}

#[test]
fn one_poisoned_message_does_not_hold_up_the_others() {
    let function = function();
    let batch = json!({ "Records": [kafka(1, "one"), kafka(2, "poison"), kafka(3, "three")] });
    assert_eq!(
        response(function.invoke(&batch)),
        json!({ "taken": 2, "parked": 1 })
    );
    let seen: Vec<(String, String)> = function
        .delivered()
        .iter()
        .map(|event| (event.id.clone(), event.kind.clone()))
        .collect();
    let message = "com.tencent.ckafka.message".to_owned();
    assert_eq!(
        seen,
        [
            ("1".to_owned(), message.clone()),
            ("2".to_owned(), format!("parked {message}")),
            ("3".to_owned(), message)
        ]
    );
}

#[test]
fn what_has_an_order_keeps_it() {
    let function = function();
    let batch = json!({ "Records": [kafka(1, "one"), kafka(2, "again"), kafka(3, "three")] });
    error(function.invoke(&batch));
    let seen: Vec<String> = function
        .delivered()
        .iter()
        .map(|event| event.id.clone())
        .collect();
    assert_eq!(
        seen,
        ["1"],
        "what comes after the one that failed waits for it"
    );
    let cmq =
        |id: &str, body: &str| json!({ "CMQ": { "topicName": "t", "msgId": id, "msgBody": body } });
    error(function.invoke(&json!({ "Records": [cmq("a", "again"), cmq("b", "two")] })));
    let last = function.delivered().pop().unwrap();
    assert_eq!(last.id, "b", "what has none is tried, each for itself");
}

/// The key, as it stands in an address.
const KEYED: &str = "/events?key=a%20key%20of%20events%20%2F%2050%25";

#[test]
fn cloudevents_come_over_http_from_who_has_the_key() {
    let host = Http::start(host::Host::Http, "");
    let binary = |path| {
        Call::post(path, r#"{"n":1}"#)
            .with("content-type", "application/json")
            .with("ce-specversion", "1.0")
            .with("ce-id", "7")
            .with("ce-source", "/shop")
            .with("ce-type", "order-paid")
            .with("ce-subject", "%E6%98%A5%20%22x%22")
    };
    assert_eq!(host.call(&binary("/events")).status, 401);
    assert_eq!(host.call(&binary("/events?key=wrong")).status, 401);
    assert_eq!(
        host.call(&binary("/events").with("Authorization", "Bearer wrong"))
            .status,
        401
    );
    assert_eq!(host.delivered().len(), 0);
    assert_eq!(host.call(&binary(KEYED)).status, 204);
    let bearer = ["Bearer", EVENT_KEY].join(" ").leak();
    let structured = r#"{"specversion":"1.0","id":"7","source":"/shop","type":"order-paid","subject":"春 \"x\"","datacontenttype":"application/json","data":{"n":1}}"#;
    let call = Call::post("/events", structured)
        .with("content-type", "application/cloudevents+json")
        .with("Authorization", bearer);
    assert_eq!(host.call(&call).status, 204);
    let seen = host.delivered();
    assert_eq!((seen.len(), &seen[0]), (2, &seen[1]));
    assert_eq!(seen[0].subject.as_deref(), Some("春 \"x\""));

    let of = |kind: &'static str, body: &str| Call::post(KEYED, body).with("content-type", kind);
    let cases = [
        (of("application/cloudevents-batch+json", "[]"), 415),
        (of("application/cloudevents+avro", ""), 415),
        (of("application/cloudevents+json", "{"), 400),
        (of("application/json", "{}"), 400),
        (binary(KEYED).with("ce-own", "%FF"), 400),
        (Call::get(KEYED), 405),
    ];
    for (call, status) in cases {
        assert_eq!(host.call(&call).status, status, "{call:?}");
    }
    let asked = Call::get(KEYED)
        .method("OPTIONS")
        .with("WebHook-Request-Origin", "shop.example.com");
    assert_eq!(
        host.call(&asked).header("webhook-allowed-origin"),
        ["shop.example.com"]
    );

    // Its failure is one, and what can never be taken is parked.
    let told = |body: &str| {
        let mut call = binary(KEYED);
        call.body = body.as_bytes().to_vec();
        let answer = host.call(&call);
        (answer.status, answer.header("retry-after").len())
    };
    assert_eq!(told("again"), (503, 1));
    assert_eq!(told("poison"), (202, 0));
    assert_eq!(host.delivered().last().unwrap().kind, "parked order-paid");
}
