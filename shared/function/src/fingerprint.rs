//! What a call's body means, and the fingerprint by which a repeat of the same call is told from another one.

use std::fmt::{self, Write as _};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use sha2::{Digest, Sha256};

use crate::problem::{Code, Problem, Words};

/// The deepest nesting of a body; the outermost object is level 1.
pub const MAX_DEPTH: usize = 32;

/// SHA-256 of an event's name and the canonical JSON of its body.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of `event` with a body read by [`parse_payload`].
    ///
    /// The fields are length-prefixed, so that no event's name can swallow a part of a body.
    pub fn of(event: &str, payload: &Map<String, Value>) -> Self {
        let canonical = canonical(payload);
        let mut hash = Sha256::new();
        for field in [event, &canonical] {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field.as_bytes());
        }
        Self(hash.finalize().into())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads a body strictly: one JSON object (an empty body is `{}`), no key twice, at most [`MAX_DEPTH`] levels.
///
/// Numbers are normalised (`1.0` is `1`, `-0` is `0`), so that bodies with one fingerprint also read alike in
/// every rule. Numbers of 2^64 and more are refused: different ones would read the same.
pub fn parse_payload(bytes: &[u8]) -> Result<Map<String, Value>, PayloadError> {
    if bytes.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }
        .deserialize(&mut reader)
        .map_err(|error| PayloadError::from_json(&error))?;
    reader
        .end()
        .map_err(|error| PayloadError::from_json(&error))?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(PayloadError::NotAnObject),
    }
}

/// The canonical JSON of an object: keys sorted by their bytes, no white space, integers without a fraction,
/// other numbers as the shortest that reads back the same. In the spirit of RFC 8785, but nobody else's
/// concern: it must agree with itself over all instances and releases within the memory of answers.
pub fn canonical(object: &Map<String, Value>) -> String {
    let mut out = String::with_capacity(128);
    write_object(&mut out, object);
    out
}

fn write_object(out: &mut String, object: &Map<String, Value>) {
    // Sorted here, whatever order the map keeps: a feature of serde_json, which any crate may turn on, decides that.
    let mut members: Vec<_> = object.iter().collect();
    members.sort_unstable_by_key(|(name, _)| name.as_bytes());
    out.push('{');
    for (at, (name, value)) in members.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_string(out, name);
        out.push(':');
        write_value(out, value);
    }
    out.push('}');
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
        Value::Number(number) => write_number(out, number),
        Value::String(text) => write_string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(object) => write_object(out, object),
    }
}

fn write_number(out: &mut String, number: &Number) {
    // The standard library's formats, not serde_json's: those are not promised to stay. Writing to a String
    // cannot fail.
    let _ = if let Some(whole) = number.as_i64() {
        write!(out, "{whole}")
    } else if let Some(whole) = number.as_u64() {
        write!(out, "{whole}")
    } else {
        write!(out, "{:e}", number.as_f64().unwrap_or_default())
    };
}

/// Escapes as RFC 8785 does: the two that must be, the five short ones, and `\u00xx` for other controls.
fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Why a body cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Not JSON; with the parser's words and place.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    /// JSON, but not an object.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// A key stands twice in one object.
    #[error("the body names {0} twice in one object")]
    DuplicateKey(String),
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("the body is nested more than 32 levels deep")]
    TooDeep,
    /// A number of 2^64 or more.
    #[error("a number in the body is too large")]
    NumberTooLarge,
}

// What our own visitor says, found again in serde's error, which carries text only. A parser's own message
// never starts with a control character.
const DUPLICATE: &str = "\u{1}duplicate ";
const DEEP: &str = "\u{1}deep";
const LARGE: &str = "\u{1}large";

impl PayloadError {
    fn from_json(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        if let Some(rest) = text.strip_prefix(DUPLICATE) {
            let key = rest.rsplit_once(" at line ").map_or(rest, |(key, _)| key);
            Self::DuplicateKey(key.to_owned())
        } else if text.starts_with(DEEP) || text.starts_with("recursion limit exceeded") {
            Self::TooDeep
        } else if text.starts_with(LARGE) || text.starts_with("number out of range") {
            Self::NumberTooLarge
        } else {
            Self::NotJson(text)
        }
    }
}

impl From<PayloadError> for Problem {
    fn from(error: PayloadError) -> Self {
        let words = match error {
            PayloadError::NotJson(_) => Words {
                en: "The body is not JSON.",
                zh: "请求体不是合法的 JSON。",
            },
            PayloadError::NotAnObject => Words {
                en: "The body must be a JSON object or empty.",
                zh: "请求体必须是 JSON 对象或为空。",
            },
            PayloadError::DuplicateKey(_) => Words {
                en: "The body names a key twice in one object.",
                zh: "请求体中有重复的键。",
            },
            PayloadError::TooDeep => Words {
                en: "The body is nested more than 32 levels deep.",
                zh: "请求体嵌套超过 32 层。",
            },
            PayloadError::NumberTooLarge => Words {
                en: "A number in the body is too large.",
                zh: "请求体中有数字过大。",
            },
        };
        Self::new(Code::BadRequest).saying(words)
    }
}

/// A JSON object without duplicate keys, at any depth; for documents other than bodies, such as a token's claims.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct StrictObject(pub Map<String, Value>);

impl<'de> serde::Deserialize<'de> for StrictObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match (Strict { depth: 0 }).deserialize(deserializer)? {
            Value::Object(object) => Ok(Self(object)),
            _ => Err(D::Error::custom("not an object")),
        }
    }
}

/// Reads one value, refusing what [`parse_payload`] refuses. `depth` is how many levels it stands in.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            Err(E::custom(DEEP))
        } else {
            Ok(Self {
                depth: self.depth + 1,
            })
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Value, E> {
        Ok(Value::Bool(yes))
    }

    fn visit_i64<E>(self, whole: i64) -> Result<Value, E> {
        Ok(whole.into())
    }

    fn visit_u64<E>(self, whole: u64) -> Result<Value, E> {
        Ok(whole.into())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
        // 2^63 and 2^64 are exact as f64; the casts below are exact inside their ranges.
        const TWO_63: f64 = 9_223_372_036_854_775_808.0;
        if !(-TWO_63..2.0 * TWO_63).contains(&number) {
            return Err(E::custom(LARGE));
        }
        if number.fract() != 0.0 {
            return Ok(number.into());
        }
        Ok(if number < 0.0 {
            (number as i64).into()
        } else {
            (number as u64).into()
        })
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format_args!("{DUPLICATE}{name}")));
            }
            object.insert(name, members.next_value_seed(inner)?);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canon(body: &str) -> Result<String, PayloadError> {
        parse_payload(body.as_bytes()).map(|payload| canonical(&payload))
    }

    fn print(event: &str, body: &str) -> Fingerprint {
        Fingerprint::of(event, &parse_payload(body.as_bytes()).unwrap())
    }

    #[test]
    fn one_meaning_one_text() {
        let rows = [
            ("", "{}"),
            ("  \r\n", "{}"),
            ("{ }", "{}"),
            (r#"{"b":1,"a":2}"#, r#"{"a":2,"b":1}"#),
            (
                r#"{"a":1.0,"b":-0.0,"c":1e2,"d":-5.0}"#,
                r#"{"a":1,"b":0,"c":100,"d":-5}"#,
            ),
            (r#"{"a":0.1,"b":1.5e-7}"#, r#"{"a":1e-1,"b":1.5e-7}"#),
            (
                r#"{"a":18446744073709551615,"b":-9223372036854775808}"#,
                r#"{"a":18446744073709551615,"b":-9223372036854775808}"#,
            ),
            (
                r#"{"a":[1, {"z":null,"y":true}, "\u4e2d"]}"#,
                r#"{"a":[1,{"y":true,"z":null},"中"]}"#,
            ),
            (
                "{\"a\":\"\\u0001\\n\\\"\\/\"}",
                "{\"a\":\"\\u0001\\n\\\"/\"}",
            ),
        ];
        for (body, text) in rows {
            assert_eq!(canon(body).as_deref(), Ok(text), "{body}");
            assert_eq!(
                canon(text).as_deref(),
                Ok(text),
                "canonical text stays as it is"
            );
        }
    }

    #[test]
    fn what_is_refused() {
        type Row<'a> = (&'a str, fn(&PayloadError) -> bool);
        let deep = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        let abyss = format!("{{\"a\":{}", "[".repeat(100_000));
        let wide = format!("{{\"a\":{}{}}}", "[".repeat(32), "]".repeat(32));
        let rows: [Row<'_>; 14] = [
            ("[]", |e| *e == PayloadError::NotAnObject),
            ("null", |e| *e == PayloadError::NotAnObject),
            ("\"x\"", |e| *e == PayloadError::NotAnObject),
            ("{", |e| matches!(e, PayloadError::NotJson(_))),
            ("{} {}", |e| matches!(e, PayloadError::NotJson(_))),
            ("{\"a\":NaN}", |e| matches!(e, PayloadError::NotJson(_))),
            ("{\"a\":1,}", |e| matches!(e, PayloadError::NotJson(_))),
            (r#"{"a":1,"a":1}"#, |e| {
                *e == PayloadError::DuplicateKey("a".into())
            }),
            (r#"{"x":[{"k":1,"\u006b":2}]}"#, |e| {
                *e == PayloadError::DuplicateKey("k".into())
            }),
            ("{\"a\":1e400}", |e| *e == PayloadError::NumberTooLarge),
            ("{\"a\":18446744073709551616}", |e| {
                *e == PayloadError::NumberTooLarge
            }),
            (&deep(33), |e| *e == PayloadError::TooDeep),
            (&abyss, |e| *e == PayloadError::TooDeep),
            (&wide, |e| *e == PayloadError::TooDeep),
        ];
        for (body, is) in rows {
            let error = canon(body).unwrap_err();
            assert!(is(&error), "{body:.60}: {error:?}");
            assert_eq!(Problem::from(error).code(), "bad-request");
        }
        assert!(canon(&deep(32)).is_ok());
        assert!(matches!(
            parse_payload(b"{\"a\":\"\xff\"}"),
            Err(PayloadError::NotJson(_))
        ));
    }

    #[test]
    fn fingerprints_tell_calls_apart() {
        let same = [
            (("draw", ""), ("draw", "{}")),
            (("draw", r#"{"n":1}"#), ("draw", r#"{ "n" : 1.0 }"#)),
            (("draw", r#"{"a":1,"b":2}"#), ("draw", r#"{"b":2,"a":1}"#)),
        ];
        for ((event, body), (event2, body2)) in same {
            assert_eq!(print(event, body), print(event2, body2), "{body} {body2}");
        }
        let other = [
            (("draw", "{}"), ("draw2", "{}")),
            (("draw", r#"{"n":1}"#), ("draw", r#"{"n":"1"}"#)),
            (("draw", r#"{"n":null}"#), ("draw", "{}")),
            (("draw", r#"{"n":[1,2]}"#), ("draw", r#"{"n":[2,1]}"#)),
        ];
        for ((event, body), (event2, body2)) in other {
            assert_ne!(print(event, body), print(event2, body2), "{body} {body2}");
        }
    }

    #[test]
    fn a_fingerprint_survives_releases() {
        // It is stored with the remembered answers: a new release must find what an old one wrote.
        assert_eq!(
            print("draw", r#"{"n":1,"x":0.5}"#).to_string(),
            "e2571b6ced9fedf7e77db178145475d96ec740c988d6f727d065a65836f03e06"
        );
    }
}
