//! What a call's body means, and the fingerprint by which a repeat of the same call is told from another one.

use std::fmt::{self, Write as _};

use serde_json::{Map, Number, Value};
use sha2::{Digest, Sha256};

mod payload;
pub(crate) use payload::StrictObject;
pub use payload::{MAX_DEPTH, PayloadError, parse_payload};

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
