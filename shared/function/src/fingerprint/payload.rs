//! Reading a body strictly, so that it has one meaning only.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::problem::{Code, Problem, Words};

/// The deepest nesting of a body; the outermost object is level 1.
pub const MAX_DEPTH: usize = 32;

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
            let error = parse_payload(body.as_bytes()).unwrap_err();
            assert!(is(&error), "{body:.60}: {error:?}");
            assert_eq!(Problem::from(error).code(), "bad-request");
        }
        assert!(parse_payload(deep(32).as_bytes()).is_ok());
        assert!(matches!(
            parse_payload(b"{\"a\":\"\xff\"}"),
            Err(PayloadError::NotJson(_))
        ));
    }
}
