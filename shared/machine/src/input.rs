//! What comes in from outside with an event: who the user says they are, what the event carries, what was looked up.
//! All of it is read against the campaign's declarations here, so that a program only meets values of declared types.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::model::{Choice, ClaimDecl, EventDecl, Field};
use crate::value::{Type, Value};

/// The user's claims, in the order the tenant declares them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// One value a declared claim.
    pub claims: Vec<Value>,
}

impl User {
    /// Reads the declared claims from a token's. A claim that is missing or of another type takes its default:
    /// issuers add and drop claims without telling us, and a wrong one must not lock users out.
    pub fn read(declared: &[ClaimDecl], given: &Map<String, Json>) -> Self {
        let claims = declared
            .iter()
            .map(|decl| {
                given
                    .get(&decl.name)
                    .and_then(|json| from_json(json, decl.ty))
                    .unwrap_or_else(|| decl.default.clone())
            })
            .collect();
        Self { claims }
    }

    /// Nobody's claims: the defaults. For timers and back-end events, which no user's token accompanies.
    pub fn nobody(declared: &[ClaimDecl]) -> Self {
        Self {
            claims: declared.iter().map(|decl| decl.default.clone()).collect(),
        }
    }
}

/// An event's payload, in the order the event declares its fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payload {
    /// One value a declared field.
    pub fields: Vec<Value>,
}

/// What is wrong with a payload, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {message}")]
pub struct PayloadError {
    /// JSON pointer into the body.
    pub pointer: String,
    /// Plain words.
    pub message: String,
}

impl Payload {
    /// Reads a body against the event's declaration: unknown fields, wrong types and numbers out of range are refused,
    /// missing fields take their default or are refused.
    pub fn read(event: &EventDecl, body: &Map<String, Json>) -> Result<Self, PayloadError> {
        if let Some(unknown) = body
            .keys()
            .find(|key| !event.payload.iter().any(|field| field.name == **key))
        {
            let known: Vec<&str> = event
                .payload
                .iter()
                .map(|field| field.name.as_str())
                .collect();
            let message = if known.is_empty() {
                format!("event `{}` takes no payload", event.name)
            } else {
                format!(
                    "no such field; event `{}` takes {}",
                    event.name,
                    known.join(", ")
                )
            };
            return Err(PayloadError {
                pointer: format!("/{}", escape(unknown)),
                message,
            });
        }
        let fields = event
            .payload
            .iter()
            .map(|field| field_value(field, body.get(&field.name)));
        Ok(Self {
            fields: fields.collect::<Result<_, _>>()?,
        })
    }

    /// Fills an event's fields from those of another campaign's message, by name. What the event does not declare is passed
    /// over: a message may have other readers, who need more. A message says no types, so of numbers, dates, times and
    /// durations one is taken for another here; the check of the configs folder holds the declarations against each other.
    pub fn of_message(
        event: &EventDecl,
        message: &[(Arc<str>, Value)],
    ) -> Result<Self, PayloadError> {
        let fields = event.payload.iter().map(|field| {
            let mut fields = message.iter();
            match fields.find(|(name, _)| **name == *field.name) {
                Some((_, value)) => {
                    taken(field, Some(value.clone()).filter(|_| fits(value, field.ty)))
                }
                None => absent(field),
            }
        });
        Ok(Self {
            fields: fields.collect::<Result<_, _>>()?,
        })
    }
}

/// Whether a value can be one of this type.
fn fits(value: &Value, ty: Type) -> bool {
    match (value, ty) {
        (Value::Bool(_), Type::Bool)
        | (Value::Int(_), Type::Int | Type::Date | Type::Time | Type::Duration)
        | (Value::Str(_), Type::Str)
        | (Value::Strs(_), Type::Strs)
        | (Value::Days(_), Type::Days) => true,
        (Value::Bool(_) | Value::Int(_) | Value::Str(_) | Value::Strs(_) | Value::Days(_), _) => {
            false
        }
    }
}

fn field_value(field: &Field, given: Option<&Json>) -> Result<Value, PayloadError> {
    match given {
        Some(given) => taken(field, from_json(given, field.ty)),
        None => absent(field),
    }
}

/// The value of a field that is not sent.
fn absent(field: &Field) -> Result<Value, PayloadError> {
    field
        .default
        .clone()
        .ok_or_else(|| wrong(field, format!("is required ({})", wanted(field))))
}

/// What a field wants, in words.
fn wanted(field: &Field) -> String {
    let Some(choice) = &field.choice else {
        return field.ty.to_string();
    };
    let of = choice.of.join(", ");
    match field.ty {
        Type::Strs => format!("a list of {} of: {of}", choice.how_many),
        _ => format!("one of: {of}"),
    }
}

/// Whether what was sent can be chosen.
fn is_choice(choice: &Choice, value: &Value) -> bool {
    match value {
        Value::Str(text) => choice.of.contains(text),
        Value::Strs(texts) => {
            let different = |(at, text): (usize, &Arc<str>)| {
                choice.of.contains(text) && !texts.iter().take(at).any(|other| other == text)
            };
            texts.len() == choice.how_many as usize && texts.iter().enumerate().all(different)
        }
        Value::Bool(_) | Value::Int(_) | Value::Days(_) => true,
    }
}

fn wrong(field: &Field, message: String) -> PayloadError {
    PayloadError {
        pointer: format!("/{}", escape(&field.name)),
        message,
    }
}

/// The value that a field takes; `given` is none where what was sent is of another type.
fn taken(field: &Field, given: Option<Value>) -> Result<Value, PayloadError> {
    let wrong = |message: String| wrong(field, message);
    let value = given.ok_or_else(|| wrong(format!("must be of type {}", field.ty)))?;
    match &value {
        _ if field
            .choice
            .as_ref()
            .is_some_and(|choice| !is_choice(choice, &value)) =>
        {
            Err(wrong(format!("must be {}", wanted(field))))
        }
        Value::Int(number)
            if field.ty == Type::Int && !(field.at_least..=field.at_most).contains(number) =>
        {
            Err(wrong(format!(
                "must lie between {} and {}",
                field.at_least, field.at_most
            )))
        }
        Value::Str(text) if text.chars().count() > field.max_length as usize => Err(wrong(
            format!("must not be longer than {} characters", field.max_length),
        )),
        _ => Ok(value),
    }
}

/// A JSON pointer's way of writing a key (RFC 6901).
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn from_json(json: &Json, ty: Type) -> Option<Value> {
    match (ty, json) {
        (Type::Bool, Json::Bool(value)) => Some(Value::Bool(*value)),
        (Type::Int, Json::Number(number)) => whole(number).map(Value::Int),
        (Type::Str, Json::String(text)) => Some(Value::Str(Arc::from(text.as_str()))),
        (Type::Strs, Json::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map(Arc::from))
            .collect::<Option<Vec<Arc<str>>>>()
            .map(|items| Value::Strs(items.into())),
        (Type::Date, Json::String(text)) => text
            .parse()
            .ok()
            .map(|date| Value::Int(i64::from(crate::calendar::day_number(date)))),
        // Seconds, as JWT writes its times; a time may be RFC 3339 too.
        (Type::Time | Type::Duration, Json::Number(number)) => {
            whole(number)?.checked_mul(1000).map(Value::Int)
        }
        (Type::Time, Json::String(text)) => chrono::DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|time| Value::Int(time.timestamp_millis())),
        _ => None,
    }
}

/// A JSON number as an integer; `3.0` is 3, `3.5` and what does not fit 64 bits is nothing.
fn whole(number: &serde_json::Number) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i64)
    })
}

/// What a look-up found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Known {
    /// It holds.
    Yes,
    /// It does not hold.
    No,
    /// It could not be found out in time; the declared answer for "unknown" applies.
    Unknown,
}

/// What the shell looked up for a step, in the order the campaign declares its facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    found: Vec<bool>,
}

impl Facts {
    /// Settles each finding: "unknown" becomes the answer its declaration gives.
    pub fn settle(
        declared: &[crate::model::FactDecl],
        found: impl IntoIterator<Item = Known>,
    ) -> Self {
        let mut found = found.into_iter();
        let settle = |decl: &crate::model::FactDecl| match found.next().unwrap_or(Known::Unknown) {
            Known::Yes => true,
            Known::No => false,
            Known::Unknown => decl.when_unknown,
        };
        Self {
            found: declared.iter().map(settle).collect(),
        }
    }

    /// What was found, in the order declared: kept with the decision.
    pub fn found(&self) -> &[bool] {
        &self.found
    }

    /// Whether the fact with this index holds; an index nobody declared does not.
    pub fn holds(&self, index: u16) -> bool {
        self.found.get(usize::from(index)).copied().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> EventDecl {
        let field = |name: &str, ty, default| Field {
            name: name.to_owned(),
            ty,
            default,
            at_least: 0,
            at_most: 500,
            max_length: 5,
            choice: None,
        };
        EventDecl {
            payload: vec![
                field("words", Type::Int, None),
                field("note", Type::Str, Some(Value::Str("".into()))),
            ],
            ..EventDecl::named("study")
        }
    }

    #[test]
    fn a_messages_fields_fill_a_payload_by_name() {
        let message = |fields: &[(&str, Value)]| -> Result<Vec<Value>, String> {
            let fields: Vec<(Arc<str>, Value)> = fields
                .iter()
                .map(|(name, value)| ((*name).into(), value.clone()))
                .collect();
            let read = Payload::of_message(&event(), &fields);
            read.map(|payload| payload.fields)
                .map_err(|e| e.to_string())
        };
        let words = |number| ("words", Value::Int(number));
        let text = |text: &str| Value::Str(text.into());
        assert_eq!(
            message(&[("other", Value::Bool(true)), words(10)]),
            Ok(vec![Value::Int(10), text("")])
        );
        assert_eq!(
            message(&[("note", text("hello")), words(10)]),
            Ok(vec![Value::Int(10), text("hello")])
        );
        for (fields, expected) in [
            (vec![], "/words: is required (int)"),
            (vec![words(501)], "/words: must lie between 0 and 500"),
            (vec![("words", text("10"))], "/words: must be of type int"),
            (
                vec![words(1), ("note", text("123456"))],
                "/note: must not be longer than 5 characters",
            ),
        ] {
            assert_eq!(message(&fields), Err(expected.to_owned()));
        }
    }

    #[test]
    fn what_is_chosen_is_one_of_what_there_is() {
        let choice = |how_many| {
            Some(Choice {
                of: vec!["mug".into(), "book".into(), "shirt".into()],
                how_many,
            })
        };
        let field = |ty, how_many| Field {
            name: "choice".to_owned(),
            ty,
            default: None,
            at_least: 0,
            at_most: 0,
            max_length: 64,
            choice: choice(how_many),
        };
        let read = |field: Field, body: &str| {
            let event = EventDecl {
                payload: vec![field],
                ..EventDecl::named("claim")
            };
            let body = serde_json::from_str(body).unwrap();
            let read = Payload::read(&event, &body);
            read.map(|_| ()).map_err(|error| error.to_string())
        };
        let one = |body| read(field(Type::Str, 1), body);
        let two = |body| read(field(Type::Strs, 2), body);
        assert_eq!(one(r#"{"choice": "mug"}"#), Ok(()));
        assert_eq!(
            one("{}"),
            Err("/choice: is required (one of: mug, book, shirt)".to_owned())
        );
        assert_eq!(
            one(r#"{"choice": "car"}"#),
            Err("/choice: must be one of: mug, book, shirt".to_owned())
        );
        assert_eq!(two(r#"{"choice": ["mug", "shirt"]}"#), Ok(()));
        for body in [
            r#"{"choice": ["mug", "mug"]}"#,
            r#"{"choice": ["mug"]}"#,
            r#"{"choice": ["mug", "car"]}"#,
            r#"{"choice": ["mug", "book", "shirt"]}"#,
        ] {
            assert_eq!(
                two(body),
                Err("/choice: must be a list of 2 of: mug, book, shirt".to_owned()),
                "{body}"
            );
        }
    }

    #[test]
    fn a_payload_is_read_as_declared_or_refused_with_its_place() {
        let rows = [
            (r#"{"words": 10}"#, Ok(10)),
            (r#"{"words": 10.0}"#, Ok(10)),
            (r#"{"words": 10.5}"#, Err("/words: must be of type int")),
            (
                r#"{"words": -1}"#,
                Err("/words: must lie between 0 and 500"),
            ),
            (r#"{"words": 1e300}"#, Err("/words: must be of type int")),
            (r#"{"words": "10"}"#, Err("/words: must be of type int")),
            ("{}", Err("/words: is required (int)")),
            (
                r#"{"words": 1, "note": "123456"}"#,
                Err("/note: must not be longer than 5 characters"),
            ),
            (
                r#"{"words": 1, "a/b": 1}"#,
                Err("/a~1b: no such field; event `study` takes words, note"),
            ),
        ];
        for (body, expected) in rows {
            let body = serde_json::from_str(body).unwrap();
            let got = Payload::read(&event(), &body).map(|payload| payload.fields[0].clone());
            assert_eq!(
                got.map_err(|e| e.to_string()),
                expected.map(Value::Int).map_err(str::to_owned)
            );
        }
    }
}
