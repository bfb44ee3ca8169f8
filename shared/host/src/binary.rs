//! Whether an answer's bytes may travel as text in a host's JSON.

use axum::http::{HeaderMap, header};

/// The bytes as text. None, so that they travel in base64: where they are encoded (any coding), are no UTF-8, or are of a type that
/// is not known to be text. A type that is not said counts as text.
pub(crate) fn as_text<'b>(headers: &HeaderMap, bytes: &'b [u8]) -> Option<&'b str> {
    let encoded = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if encoded {
        return None;
    }
    let kind = headers.get(header::CONTENT_TYPE);
    let is_text = match kind.map(|kind| kind.to_str()) {
        None => true,
        Some(Ok(kind)) => textual(kind),
        Some(Err(_)) => false,
    };
    std::str::from_utf8(bytes).ok().filter(|_| is_text)
}

/// Whether a media type is text: `text/*`, JSON, XML, YAML, scripts, forms, and what is built on them (`+json`). What declares
/// another character set than UTF-8 is not: its bytes must arrive as they are.
fn textual(kind: &str) -> bool {
    let mut parts = kind.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let other_charset = parts.any(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim_matches('"');
        name.eq_ignore_ascii_case("charset")
            && !["utf-8", "utf8", "us-ascii"]
                .iter()
                .any(|known| value.eq_ignore_ascii_case(known))
    });
    if other_charset {
        return false;
    }
    let subtype = essence.strip_prefix("application/").unwrap_or_default();
    let known = [
        "json",
        "javascript",
        "xml",
        "yaml",
        "x-yaml",
        "x-ndjson",
        "ndjson",
        "x-www-form-urlencoded",
        "graphql",
        "problem+json",
    ];
    essence.starts_with("text/")
        || known.contains(&subtype)
        || ["+json", "+xml", "+yaml"]
            .iter()
            .any(|suffix| essence.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn text_is_told_from_bytes() {
        let told = |kind: Option<&str>, coding: Option<&str>, bytes: &[u8]| {
            let mut headers = HeaderMap::new();
            for (name, value) in [
                (header::CONTENT_TYPE, kind),
                (header::CONTENT_ENCODING, coding),
            ] {
                if let Some(value) = value {
                    headers.insert(name, HeaderValue::from_str(value).unwrap());
                }
            }
            as_text(&headers, bytes).is_some()
        };
        let text = "春".as_bytes();
        for kind in [
            "text/html",
            "application/json",
            "application/problem+json; charset=utf-8",
            "image/svg+xml",
            "Text/Plain",
        ] {
            assert!(told(Some(kind), None, text), "{kind}");
        }
        for kind in [
            "image/png",
            "application/octet-stream",
            "font/woff2",
            "text/html; charset=gbk",
            "text/plain; charset=\"ISO-8859-1\"",
        ] {
            assert!(!told(Some(kind), None, text), "{kind}");
        }
        assert!(told(None, None, text) && !told(None, None, &[0xff]));
        assert!(!told(Some("text/html"), None, &[0xc3, 0x28]));
        for coding in ["gzip", "br", "zstd"] {
            assert!(!told(Some("text/html"), Some(coding), text), "{coding}");
        }
        assert!(told(Some("text/html"), Some("identity"), text));
    }
}
