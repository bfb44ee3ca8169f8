//! Any bytes as `Idempotency-Key` headers: a key of printable characters within its bounds, or a plain no; quoting a key
//! makes no other key of it.
#![no_main]

use axum::http::{HeaderMap, HeaderValue};
use function::idempotency::{IDEMPOTENCY_KEY, Key, MAX_KEY};
use libfuzzer_sys::fuzz_target;

fn read(values: &[&[u8]]) -> Option<String> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(IDEMPOTENCY_KEY, HeaderValue::from_bytes(value).ok()?);
    }
    Key::from_headers(&headers)
        .ok()
        .map(|key| key.as_str().to_owned())
}

fuzz_target!(|data: &[u8]| {
    let values: Vec<&[u8]> = data.split(|byte| *byte == 0).collect();
    let Some(key) = read(&values) else { return };
    assert_eq!(values.len(), 1);
    assert!(
        (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| matches!(byte, b' '..=b'~'))
    );
    let quoted = format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""));
    assert_eq!(read(&[quoted.as_bytes()]), Some(key));
});
