//! A sequence of events in words.

use machine::calendar::HOUR_MS;
use machine::model::{Campaign, Field};
use machine::{Millis, Type, Value};

use super::{Done, Record};

/// The events that led to a record, in order: "`join`, 2 days later `study` (minutes 240)". Empty for the first.
pub(super) fn way(campaign: &Campaign, records: &[Record], at: usize) -> String {
    let mut steps = Vec::new();
    let mut next = records.get(at);
    while let Some(Record {
        before: Some((before, done)),
        ..
    }) = next
    {
        steps.push(done);
        next = records.get(*before);
    }
    steps.reverse();
    let mut words = Vec::new();
    let mut clock = campaign.window.opens;
    let last = steps.len().saturating_sub(1);
    for (place, done) in steps.into_iter().enumerate() {
        // Time that passes before an event is told with it.
        if done.event.is_some() || place == last {
            words.push(told(campaign, clock, done));
            clock = done.at;
        }
    }
    words.join(", ")
}

/// One of them, after the one at `clock`.
pub(super) fn told(campaign: &Campaign, clock: Millis, done: &Done) -> String {
    let after = passed(done.at.saturating_sub(clock));
    let Some((event, payload)) = &done.event else {
        return after.trim_end().to_owned();
    };
    let Some(event) = campaign.events.get(usize::from(*event)) else {
        return after;
    };
    let fields = event.payload.iter().zip(&payload.fields);
    let fields: Vec<String> = fields.map(|(field, value)| shown(field, value)).collect();
    let fields = match fields.as_slice() {
        [] => String::new(),
        fields => format!(" ({})", fields.join(", ")),
    };
    let outcome = done
        .outcome
        .map_or_else(String::new, |outcome| format!(": {outcome}"));
    format!("{after}`{}`{fields}{outcome}", event.name)
}

fn passed(span: Millis) -> String {
    const DAY_MS: i64 = 24 * HOUR_MS;
    const MINUTE_MS: i64 = HOUR_MS / 60;
    let (count, unit) = match span {
        ..=0 => return String::new(),
        // A day is counted from its start, and may be an hour shorter.
        _ if span >= DAY_MS - HOUR_MS => ((span + HOUR_MS) / DAY_MS, "day"),
        _ if span >= HOUR_MS => (span / HOUR_MS, "hour"),
        _ => ((span / MINUTE_MS).max(1), "minute"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} later ")
}

fn shown(field: &Field, value: &Value) -> String {
    let name = &field.name;
    match value {
        Value::Bool(value) => format!("{name}: {value}"),
        Value::Int(value) if field.ty == Type::Date => {
            let day = i32::try_from(*value).unwrap_or(i32::MAX);
            format!("{name}: {}", machine::calendar::date(day))
        }
        Value::Int(value) => format!("{name}: {value}"),
        Value::Str(text) => format!("{name}: \"{text}\""),
        Value::Strs(_) | Value::Days(_) => name.clone(),
    }
}
