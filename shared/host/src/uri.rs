//! Addresses in origin form, made of what hosts tell: some hand over decoded paths and queries.

use std::fmt::Write as _;

use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// The same uri, in origin form, with another path.
pub(crate) fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    origin(&text)
}

/// A path with its query as a uri in origin form.
pub(crate) fn origin(text: &str) -> Option<Uri> {
    text.parse::<PathAndQuery>()
        .ok()
        .filter(|_| text.starts_with('/'))
        .map(Uri::from)
}

/// A path whose escapes stand and whose other bytes that a path can't hold are escaped: right for hosts that decode and for
/// those that don't, but for a decoded `%` before two hexadecimal digits, which nobody can tell from an escape.
pub(crate) fn escape_path(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut escaped = String::with_capacity(path.len());
    for (at, byte) in bytes.iter().enumerate() {
        let is_escape = || {
            let digits = bytes.get(at + 1..at + 3);
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        };
        match byte {
            b'%' if is_escape() => escaped.push('%'),
            // RFC 3986, 3.3: pchar and the slash.
            b'/' | b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*'
            | b'+' | b',' | b';' | b'=' | b':' | b'@' => escaped.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => escaped.push(char::from(*byte)),
            byte => escape(&mut escaped, *byte),
        }
    }
    escaped
}

/// A decoded part of a query, escaped: a space becomes `%20`, which both readings of a query understand.
pub(crate) fn escape_query(text: &str, escaped: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            escape(escaped, byte);
        }
    }
}

/// A query as it came, with what no query can hold escaped; what is escaped stays so.
pub(crate) fn mend_query(query: &str) -> String {
    let mut mended = String::with_capacity(query.len());
    for byte in query.bytes() {
        match byte {
            0x21 | 0x24..=0x3B | 0x3D | 0x3F..=0x7E => mended.push(char::from(byte)),
            byte => escape(&mut mended, byte),
        }
    }
    mended
}

/// Bytes that a header can carry: `%`, quotes, spaces and what is not printable ASCII are escaped (CloudEvents over HTTP, 3.1.3.2).
pub(crate) fn escape_header(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'"' && byte != b'%' {
            escaped.push(char::from(byte));
        } else {
            escape(&mut escaped, byte);
        }
    }
    escaped
}

/// The text that escapes stand for, decoded once; none where what comes out is no UTF-8 or an escape is cut short.
pub(crate) fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if *first == b'%' {
            let digits = after
                .get(..2)
                .filter(|two| two.iter().all(u8::is_ascii_hexdigit))?;
            let digits = std::str::from_utf8(digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after.get(2..)?;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

fn escape(escaped: &mut String, byte: u8) {
    // Writing to a string does not fail.
    let _ = write!(escaped, "%{byte:02X}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_stays_so_and_the_rest_becomes_so() {
        assert_eq!(
            escape_path("/a b/春%2F/%zz/50%"),
            "/a%20b/%E6%98%A5%2F/%25zz/50%25"
        );
        assert_eq!(escape_path("/v1/a:b@c;d=e?f"), "/v1/a:b@c;d=e%3Ff");
        let mut query = String::new();
        escape_query("a b&c=d+e%春", &mut query);
        assert_eq!(query, "a%20b%26c%3Dd%2Be%25%E6%98%A5");
        assert_eq!(
            mend_query("a=1+2%26&b={x}&c=a 春#"),
            "a=1+2%26&b={x}&c=a%20%E6%98%A5%23"
        );
        assert_eq!(unescape("a%20b%E6%98%A5"), Some("a b春".to_owned()));
        for bad in ["%", "%2", "%zz", "%FF"] {
            assert_eq!(unescape(bad), None, "{bad}");
        }
        assert_eq!(
            unescape(&escape_header("\"100 %\" 春")).as_deref(),
            Some("\"100 %\" 春")
        );
    }
}
