//! The `Idempotency-Key` header: which call this is, so that a repeat of it is recognised.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::problem::{Code, Problem, Words};

/// The header's name.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest key, in characters.
pub const MAX_KEY: usize = 255;

/// A client's name for one call: 1 to 255 printable ASCII characters, unescaped.
///
/// Both spellings are the same key: `abc` (as Stripe's clients write it) and `"abc"` (a structured-field
/// string, draft-ietf-httpapi-idempotency-key-header-07).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// The one key of a request.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, KeyError> {
        let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
        let value = values.next().ok_or(KeyError::Missing)?;
        if values.next().is_some() {
            return Err(KeyError::Repeated);
        }
        Self::parse(value)
    }

    /// The key itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(value: &HeaderValue) -> Result<Self, KeyError> {
        let value = value.as_bytes().trim_ascii();
        let key = match value {
            [b'"', quoted @ ..] => unquote(quoted)?,
            bare => bare.to_vec(),
        };
        if key.is_empty() {
            return Err(KeyError::Empty);
        }
        if key.len() > MAX_KEY {
            return Err(KeyError::TooLong);
        }
        match String::from_utf8(key) {
            Ok(key) if key.bytes().all(|b| matches!(b, b' '..=b'~')) => Ok(Self(key)),
            _ => Err(KeyError::NotPrintable),
        }
    }
}

/// Reads a structured-field string (RFC 9651) behind its first quote: `\"` and `\\` are the only escapes, and
/// nothing may follow the last quote.
fn unquote(quoted: &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut key = Vec::with_capacity(quoted.len());
    let mut rest = quoted.iter();
    loop {
        match rest.next() {
            Some(b'"') if rest.as_slice().is_empty() => return Ok(key),
            Some(b'\\') => match rest.next() {
                Some(escaped @ (b'"' | b'\\')) => key.push(*escaped),
                _ => return Err(KeyError::BadQuotes),
            },
            Some(b'"') | None => return Err(KeyError::BadQuotes),
            Some(byte) => key.push(*byte),
        }
    }
}

/// Why a request has no usable key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no such header.
    #[error("there is no Idempotency-Key header")]
    Missing,
    /// There is more than one.
    #[error("there is more than one Idempotency-Key header")]
    Repeated,
    /// It holds nothing.
    #[error("the Idempotency-Key is empty")]
    Empty,
    /// It is longer than [`MAX_KEY`].
    #[error("the Idempotency-Key is longer than 255 characters")]
    TooLong,
    /// It holds something else than printable ASCII.
    #[error("the Idempotency-Key holds something else than printable ASCII characters")]
    NotPrintable,
    /// It opens a quote and does not close it as a structured-field string does.
    #[error("the Idempotency-Key is not a well-formed quoted string")]
    BadQuotes,
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        let words = match error {
            KeyError::Missing => return Self::new(Code::IdempotencyKeyRequired),
            KeyError::Repeated => Words {
                en: "There is more than one Idempotency-Key header; send exactly one.",
                zh: "Idempotency-Key 请求头只能有一个。",
            },
            KeyError::Empty => Words {
                en: "The Idempotency-Key is empty; send 1 to 255 printable ASCII characters.",
                zh: "Idempotency-Key 为空，应为 1 到 255 个可打印 ASCII 字符。",
            },
            KeyError::TooLong => Words {
                en: "The Idempotency-Key is too long; send at most 255 characters.",
                zh: "Idempotency-Key 过长，最多 255 个字符。",
            },
            KeyError::NotPrintable => Words {
                en: "The Idempotency-Key may hold printable ASCII characters only.",
                zh: "Idempotency-Key 只能包含可打印 ASCII 字符。",
            },
            KeyError::BadQuotes => Words {
                en: "The Idempotency-Key starts with a quote but is not a well-formed quoted string.",
                zh: "Idempotency-Key 以引号开头，但不是合法的带引号字符串。",
            },
        };
        Self::new(Code::BadRequest).saying(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[&[u8]]) -> Result<String, KeyError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(IDEMPOTENCY_KEY, HeaderValue::from_bytes(value).unwrap());
        }
        Key::from_headers(&headers).map(|key| key.as_str().to_owned())
    }

    #[test]
    fn both_spellings() {
        let rows: [(&str, &str); 9] = [
            ("abc", "abc"),
            ("\"abc\"", "abc"),
            ("  abc  ", "abc"),
            (
                "8e03978e-40d5-43dd-bc93-6894a57f9324",
                "8e03978e-40d5-43dd-bc93-6894a57f9324",
            ),
            (r#""a\"b\\c""#, r#"a"b\c"#),
            (r#"a"b\c"#, r#"a"b\c"#),
            ("a, b", "a, b"),
            ("\" \"", " "),
            ("order 7", "order 7"),
        ];
        for (sent, key) in rows {
            assert_eq!(check(&[sent.as_bytes()]).as_deref(), Ok(key), "{sent}");
        }
    }

    #[test]
    fn what_is_refused() {
        let long = "k".repeat(256);
        let very_long = "k".repeat(300);
        let quoted = format!("\"{long}\"");
        let rows: [(&[&[u8]], KeyError); 16] = [
            (&[], KeyError::Missing),
            (&[b"a", b"a"], KeyError::Repeated),
            (&[b"a", b"b"], KeyError::Repeated),
            (&[b""], KeyError::Empty),
            (&[b"   "], KeyError::Empty),
            (&[b"\"\""], KeyError::Empty),
            (&[long.as_bytes()], KeyError::TooLong),
            (&[very_long.as_bytes()], KeyError::TooLong),
            (&[quoted.as_bytes()], KeyError::TooLong),
            (&["钥匙".as_bytes()], KeyError::NotPrintable),
            (&[b"a\tb"], KeyError::NotPrintable),
            (&[b"a\xffb"], KeyError::NotPrintable),
            (&[b"\""], KeyError::BadQuotes),
            (&[b"\"abc"], KeyError::BadQuotes),
            (&[b"\"abc\";p=1"], KeyError::BadQuotes),
            (&[br#""a\nb""#], KeyError::BadQuotes),
        ];
        for (sent, error) in rows {
            assert_eq!(check(sent), Err(error), "{sent:?}");
        }
        assert!(check(&[&[b'k'; 255]]).is_ok());
        assert!(
            check(&[format!("\"{}\"", "\\\\".repeat(255)).as_bytes()]).is_ok(),
            "255 after unescaping"
        );
    }

    #[test]
    fn the_answer_says_what_is_wrong() {
        assert_eq!(
            Problem::from(KeyError::Missing).code(),
            "idempotency-key-required"
        );
        let problem = Problem::from(KeyError::TooLong).finish("r", "en");
        assert_eq!(
            (problem.code(), problem.message()),
            (
                "bad-request",
                "The Idempotency-Key is too long; send at most 255 characters."
            )
        );
    }
}
