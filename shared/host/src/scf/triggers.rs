//! What SCF's triggers tell, as events: timer, COS, CKafka, CMQ, event bus. Fields that samples write differently are read either way.

use chrono::{DateTime, SecondsFormat};
use serde_json::Value;

use crate::event::Event;

/// Events that came in one call.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub events: Vec<Event>,
    /// Whether one must not be taken before those that stand ahead of it.
    pub in_order: bool,
}

/// Reads what a trigger tells; `request_id` names what has no name of its own. None: of no known trigger.
pub(super) fn read(event: &Value, request_id: &str) -> Option<Batch> {
    let one = |event| Batch {
        events: vec![event],
        in_order: false,
    };
    if text(event, "Type").as_deref() == Some("Timer") {
        return Some(one(timer(event, request_id)));
    }
    if event.get("specversion").is_some() {
        return bus(event).map(one);
    }
    let records = event
        .get("Records")?
        .as_array()
        .filter(|records| !records.is_empty())?;
    let all =
        |read: fn(&Value) -> Option<Event>| records.iter().map(read).collect::<Option<Vec<_>>>();
    let (read, in_order): (fn(&Value) -> Option<Event>, bool) = match records.first()? {
        first if first.get("cos").is_some() => (cos, false),
        first if first.get("Ckafka").is_some() => (ckafka, true),
        first if first.get("CMQ").is_some() => (cmq, false),
        _ => return None,
    };
    Some(Batch {
        events: all(read)?,
        in_order,
    })
}

/// A timer. Its `Time` is the fire time in samples and the trigger's creation in the page, so the call's own name tells one
/// firing from the next: the platform's repeats of a failed call keep it.
fn timer(event: &Value, request_id: &str) -> Event {
    let name = text(event, "TriggerName").unwrap_or_default();
    let message = text(event, "Message").unwrap_or_default();
    let mut told = Event::new(
        format!("/timer/{name}"),
        request_id,
        "com.tencent.scf.timer",
    )
    .with_text(&message);
    told.time = text(event, "Time");
    told
}

/// An object in a bucket. `key` begins with `/appid/bucket/`.
fn cos(record: &Value) -> Option<Event> {
    let (object, bucket) = (
        record.pointer("/cos/cosObject")?,
        record.pointer("/cos/cosBucket")?,
    );
    let event = record.get("event")?;
    let (name, appid) = (
        text(bucket, "name")?,
        text(bucket, "appid").unwrap_or_default(),
    );
    let key = text(object, "key")?;
    let subject = key
        .strip_prefix(&format!("/{appid}/{name}/"))
        .unwrap_or(&key)
        .to_owned();
    // A sample has a space in front of it.
    let happened = text(event, "eventName")?.trim().to_owned();
    let secs = text(event, "eventTime").unwrap_or_default();
    let request = text(event, "reqid").unwrap_or_default();
    let mut told = Event::new(
        format!("/cos/{name}-{appid}"),
        format!("{request}-{secs}-{happened}-{subject}"),
        format!(
            "com.tencent.{}",
            happened.trim_end_matches(':').replace(':', ".")
        ),
    )
    .with_json(record);
    told.subject = Some(subject);
    told.time = secs.parse().ok().and_then(rfc3339);
    Some(told)
}

/// A message of a topic: its offset names it within its partition.
fn ckafka(record: &Value) -> Option<Event> {
    let message = record.get("Ckafka")?;
    let topic = text(message, "topic")?;
    let partition = text(message, "partition")
        .or_else(|| text(message, "Partition"))
        .filter(|partition| !partition.is_empty());
    let body = text(message, "msgBody").unwrap_or_default();
    let source = format!("/ckafka/{topic}/{}", partition.as_deref().unwrap_or("0"));
    let mut told = Event::new(
        source,
        text(message, "offset")?,
        "com.tencent.ckafka.message",
    )
    .with_text(&body);
    // A message without a key has the word `None` there.
    told.subject = text(message, "msgKey").filter(|key| !key.is_empty() && key != "None");
    Some(told)
}

/// A message of a topic's subscription. Tags come as a list, or as one text with commas.
fn cmq(record: &Value) -> Option<Event> {
    let message = record.get("CMQ")?;
    let (owner, topic) = (
        text(message, "topicOwner").unwrap_or_default(),
        text(message, "topicName")?,
    );
    let subscription = text(message, "subscriptionName").unwrap_or_default();
    let body = text(message, "msgBody").unwrap_or_default();
    let mut told = Event::new(
        format!("/cmq/{owner}/{topic}/{subscription}"),
        text(message, "msgId")?,
        "com.tencent.cmq.message",
    )
    .with_text(&body);
    told.time = text(message, "publishTime");
    let tags: Vec<String> = match message.get("msgTag") {
        Some(Value::Array(tags)) => tags
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        Some(Value::String(tags)) => tags.split(',').map(|tag| tag.trim().to_owned()).collect(),
        _ => Vec::new(),
    };
    let tags: Vec<String> = tags.into_iter().filter(|tag| !tag.is_empty()).collect();
    if !tags.is_empty() {
        told.extensions.push(("tags".to_owned(), tags.join(",")));
    }
    Some(told)
}

/// An event of the bus: nearly a CloudEvent, with its time in milliseconds.
fn bus(event: &Value) -> Option<Event> {
    let mut told = Event::new(
        text(event, "source")?,
        text(event, "id")?,
        text(event, "type")?,
    );
    told.subject = text(event, "subject").filter(|subject| !subject.is_empty());
    let time = text(event, "time");
    let millis = time.as_deref().and_then(|time| time.parse::<i64>().ok());
    told.time = match millis {
        Some(millis) => rfc3339(millis.div_euclid(1000)),
        None => time,
    };
    Some(match event.get("data") {
        None | Some(Value::Null) => told,
        Some(Value::String(text)) => told.with_text(text),
        Some(data) => told.with_json(data),
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

/// Seconds since 1970 as RFC 3339.
fn rfc3339(secs: i64) -> Option<String> {
    DateTime::from_timestamp(secs, 0).map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
}
