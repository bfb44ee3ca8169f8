//! What Lambda's triggers tell, as events: SQS and EventBridge, scheduled rules among the latter.
//!
//! A queue's mapping must be told to take answers in parts (`FunctionResponseTypes: ReportBatchItemFailures`): without that
//! Lambda reads no answer, and deletes what failed.

use std::time::Instant;

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use crate::app::{App, Invocation};
use crate::event::{Delivered, Event};

/// What came in one invocation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Batch {
    /// Messages of a queue; in their order, where it keeps one.
    Sqs {
        messages: Vec<Event>,
        in_order: bool,
    },
    /// An event of a bus.
    One(Event),
}

/// Reads what a trigger tells. None: of no known trigger.
pub(super) fn read(event: &Value) -> Option<Batch> {
    if event.get("detail-type").is_some() && event.get("source").is_some() {
        return bus(event).map(Batch::One);
    }
    let records = event.get("Records")?.as_array()?;
    let first = records.first()?;
    if text(first, "eventSource").as_deref() != Some("aws:sqs") {
        return None;
    }
    let in_order = text(first, "eventSourceARN")
        .is_some_and(|queue| queue.rsplit_once('.').is_some_and(|(_, end)| end == "fifo"));
    let messages = records.iter().map(message).collect::<Option<_>>()?;
    Some(Batch::Sqs { messages, in_order })
}

/// Delivers one by one, and tells in the trigger's own way what must come again.
pub(super) async fn deliver(
    app: &App,
    batch: Batch,
    invocation: &Invocation,
) -> Result<Vec<u8>, String> {
    let answer = match batch {
        Batch::One(event) => match app.deliver(&event, invocation).await {
            Delivered::Done => json!({ "taken": 1, "parked": 0 }),
            Delivered::Never(_) => json!({ "taken": 0, "parked": 1 }),
            Delivered::Again(why) => return Err(format!("{} {}: {why}", event.source, event.id)),
        },
        Batch::Sqs { messages, in_order } => {
            let again = again(app, &messages, in_order, invocation).await;
            let again: Vec<Value> = again
                .into_iter()
                .map(|id| json!({ "itemIdentifier": id }))
                .collect();
            json!({ "batchItemFailures": again })
        }
    };
    Ok(answer.to_string().into_bytes())
}

/// The messages that must come again. In a queue with an order, none is taken before one that stands ahead of it.
async fn again<'m>(
    app: &App,
    messages: &'m [Event],
    in_order: bool,
    invocation: &Invocation,
) -> Vec<&'m str> {
    let mut again = Vec::new();
    for message in messages {
        let late = || invocation.deadline.is_some_and(|end| end <= Instant::now());
        if in_order && !again.is_empty() || late() {
            again.push(message.id.as_str());
            continue;
        }
        if let Delivered::Again(why) = app.deliver(message, invocation).await {
            let (source, id) = (&message.source, &message.id);
            tracing::error!(
                source,
                id,
                request_id = invocation.id,
                why,
                "a message failed"
            );
            again.push(id);
        }
    }
    again
}

/// A message. Its id is the same whenever it is delivered.
fn message(record: &Value) -> Option<Event> {
    let queue = text(record, "eventSourceARN").unwrap_or_default();
    let mut told = Event::new(
        format!("/sqs/{queue}"),
        text(record, "messageId")?,
        "com.amazonaws.sqs.message",
    )
    .with_text(&text(record, "body").unwrap_or_default());
    let attribute = |name| text(record.get("attributes")?, name);
    told.time = attribute("SentTimestamp")
        .and_then(|millis| DateTime::from_timestamp_millis(millis.parse().ok()?))
        .map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true));
    for (name, of_sqs) in [
        ("messagegroup", "MessageGroupId"),
        ("sequence", "SequenceNumber"),
        ("receivecount", "ApproximateReceiveCount"),
    ] {
        let value = attribute(of_sqs).map(|value| (name.to_owned(), value));
        told.extensions.extend(value);
    }
    Some(told)
}

/// An event of EventBridge. What it calls `detail` is the data; a schedule writes that as text.
fn bus(event: &Value) -> Option<Event> {
    let kind = match text(event, "detail-type")?.as_str() {
        "Scheduled Event" => "com.amazonaws.scheduled".to_owned(),
        other => other.to_owned(),
    };
    let mut told = Event::new(text(event, "source")?, text(event, "id")?, kind);
    told.time = text(event, "time");
    // For a schedule that is the rule: which timer it was.
    told.subject = event
        .pointer("/resources/0")
        .and_then(Value::as_str)
        .map(str::to_owned);
    for (name, of_bus) in [("account", "account"), ("region", "region")] {
        let value = text(event, of_bus).map(|value| (name.to_owned(), value));
        told.extensions.extend(value);
    }
    Some(match event.get("detail") {
        None | Some(Value::Null) => told,
        Some(Value::String(text)) => told.with_text(text),
        Some(detail) => told.with_json(detail),
    })
}

/// A field's text; a number's digits.
fn text(value: &Value, name: &str) -> Option<String> {
    match value.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
