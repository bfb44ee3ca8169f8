//! The names under which one call is found again: its request id, and its place in a W3C trace.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use rand::TryRng as _;
use rand::rngs::SysRng;

/// The header that carries the request id, both ways.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header that carries the trace context, both ways.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The longest request id that is taken over from a client.
pub const MAX_REQUEST_ID: usize = 64;

/// Both names of one call.
#[derive(Debug, Clone)]
pub struct Trace {
    /// What clients, logs and support speak of.
    pub request_id: RequestId,
    /// What tracing systems speak of.
    pub context: TraceContext,
}

impl Trace {
    /// Takes over what the request brings where it is well formed, and makes the rest. The span id is always new.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        Self {
            request_id: RequestId::from_headers(headers),
            context: TraceContext::from_headers(headers),
        }
    }

    /// Writes both into an answer's, or an onward request's, headers.
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.insert(X_REQUEST_ID, self.request_id.0.clone());
        headers.insert(TRACEPARENT, self.context.header());
    }
}

/// One call's id: 1 to 64 characters of `[A-Za-z0-9._-]`. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The client's own, when there is exactly one and it is well formed; else a new one.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(X_REQUEST_ID).iter();
        match (values.next(), values.next()) {
            (Some(value), None) if well_formed(value.as_bytes()) => Self(value.clone()),
            _ => Self::new(),
        }
    }

    /// A new one: 32 hexadecimal digits, unique within the process and, but for chance, everywhere. It is no
    /// secret: who knows one can guess the next.
    #[expect(
        clippy::new_without_default,
        reason = "a default that differs each time would surprise"
    )]
    pub fn new() -> Self {
        let (high, low) = unique();
        let mut digits = [0; 32];
        hex(high, &mut digits[..16]);
        hex(low, &mut digits[16..]);
        // Digits are always a legal header value; the branch exists because the type does not know that.
        Self(HeaderValue::from_bytes(&digits).unwrap_or(HeaderValue::from_static("unknown")))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or("unknown")
    }

    /// The id as a header's value.
    pub fn header(&self) -> &HeaderValue {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn well_formed(id: &[u8]) -> bool {
    (1..=MAX_REQUEST_ID).contains(&id.len())
        && id
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// A place in a trace (W3C Trace Context, level 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// The whole trace; never 0.
    pub trace_id: u128,
    /// The caller's span; `None` where the trace begins here.
    pub parent_id: Option<u64>,
    /// Our own span; never 0.
    pub span_id: u64,
    /// Whether the caller keeps its spans of this trace.
    pub sampled: bool,
}

impl TraceContext {
    /// Goes on with the caller's trace, when there is exactly one well-formed `traceparent`; else begins one.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let parent = match (values.next(), values.next()) {
            (Some(value), None) => parse_traceparent(value.as_bytes()),
            _ => None,
        };
        let (high, low) = unique();
        match parent {
            Some((trace_id, parent_id, sampled)) => Self {
                trace_id,
                parent_id: Some(parent_id),
                span_id: low.max(1),
                sampled,
            },
            None => Self {
                trace_id: ((u128::from(high) << 64) | u128::from(low)).max(1),
                parent_id: None,
                span_id: mix(high ^ low).max(1),
                sampled: false,
            },
        }
    }

    /// The value of `traceparent` that names our own span.
    pub fn header(&self) -> HeaderValue {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        hex((self.trace_id >> 64) as u64, &mut text[3..19]);
        hex(self.trace_id as u64, &mut text[19..35]);
        hex(self.span_id, &mut text[36..52]);
        text[54] = if self.sampled { b'1' } else { b'0' };
        HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("00"))
    }
}

/// Trace id, parent's span id, sampled flag; `None` for what the specification calls invalid.
fn parse_traceparent(value: &[u8]) -> Option<(u128, u64, bool)> {
    let (known, rest) = value.split_at_checked(55)?;
    let version = unhex(&known[..2])?;
    // Versions to come may add fields behind a dash; version 255 is forbidden.
    let shape = known[2] == b'-' && known[35] == b'-' && known[52] == b'-';
    let tail = if version == 0 {
        rest.is_empty()
    } else {
        rest.is_empty() || rest[0] == b'-'
    };
    if version == 255 || !shape || !tail {
        return None;
    }
    let trace_id = (u128::from(unhex(&known[3..19])?) << 64) | u128::from(unhex(&known[19..35])?);
    let parent_id = unhex(&known[36..52])?;
    let flags = unhex(&known[53..55])?;
    (trace_id != 0 && parent_id != 0).then_some((trace_id, parent_id, flags & 1 == 1))
}

/// Up to 16 lower-case hexadecimal digits; upper case is invalid by the specification.
fn unhex(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some((number << 4) | u64::from(value))
    })
}

fn hex(mut number: u64, out: &mut [u8]) {
    for digit in out.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}

/// Two numbers that no other call of this process gets as a pair: a counter from a random start, well mixed.
fn unique() -> (u64, u64) {
    static START: OnceLock<(u64, u64)> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let (high, low) = START.get_or_init(|| {
        let random = || SysRng.try_next_u64();
        if let (Ok(high), Ok(low)) = (random(), random()) {
            return (high, low);
        }
        // Without system randomness, the time and the process id must do: ids are no secrets.
        let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        (since.as_nanos() as u64, u64::from(std::process::id()))
    });
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    // An odd step runs through all of 2^64, and `mix` is a bijection: `high` never repeats.
    let step = count.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (
        mix(high.wrapping_add(step)),
        mix(low ^ step.rotate_left(32)),
    )
}

/// The finalizer of SplitMix64: a bijection that leaves no visible order.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(name: &HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    #[test]
    fn a_clients_id_is_taken_when_it_is_one() {
        let long = "a".repeat(64);
        let too_long = "a".repeat(65);
        for (values, taken) in [
            (&["req-1.A_b"] as &[&str], true),
            (&[&long], true),
            (&[], false),
            (&[""], false),
            (&[&too_long], false),
            (&["a b"], false),
            (&["a\"b"], false),
            (&["${jndi:ldap://x}"], false),
            (&["é"], false),
            (&["a", "b"], false),
        ] {
            let id = RequestId::from_headers(&headers(&X_REQUEST_ID, values));
            assert_eq!(
                values.first().is_some_and(|value| id.as_str() == *value),
                taken,
                "{values:?}"
            );
            assert!(well_formed(id.as_str().as_bytes()));
        }
    }

    #[test]
    fn new_ids_differ() {
        let ids: HashSet<_> = (0..10_000).map(|_| RequestId::new().to_string()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == 32));
    }

    #[test]
    fn a_trace_goes_on() {
        let context = TraceContext::from_headers(&headers(&TRACEPARENT, &[GOOD]));
        assert_eq!(context.trace_id, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_eq!(context.parent_id, Some(0x00f0_67aa_0ba9_02b7));
        assert!(context.sampled && Some(context.span_id) != context.parent_id);
        let onward = context.header();
        let (trace_id, span_id, sampled) = parse_traceparent(onward.as_bytes()).unwrap();
        assert_eq!(
            (trace_id, span_id, sampled),
            (context.trace_id, context.span_id, true)
        );
    }

    #[test]
    fn what_is_no_trace_begins_one() {
        let later = format!("01{}-extra", &GOOD[2..]);
        let extra = format!("{GOOD}-extra");
        let rows: [(&str, bool); 14] = [
            (GOOD, true),
            (&later, true),
            (&extra, false),
            (&format!("01{}extra", &GOOD[2..]), false),
            (&format!("ff{}", &GOOD[2..]), false),
            (&GOOD.to_uppercase(), false),
            (&GOOD[..54], false),
            ("", false),
            ("00", false),
            (&GOOD.replace('-', "_"), false),
            (
                &GOOD.replace(
                    "4bf92f3577b34da6a3ce929d0e0e4736",
                    "00000000000000000000000000000000",
                ),
                false,
            ),
            (&GOOD.replace("00f067aa0ba902b7", "0000000000000000"), false),
            (&GOOD.replace("4bf9", "4bg9"), false),
            (&GOOD.replace("4bf9", "é49"), false),
        ];
        for (value, goes_on) in rows {
            let context = TraceContext::from_headers(&headers(&TRACEPARENT, &[value]));
            assert_eq!(context.parent_id.is_some(), goes_on, "{value}");
            assert!(context.trace_id != 0 && context.span_id != 0);
        }
        let two = TraceContext::from_headers(&headers(&TRACEPARENT, &[GOOD, GOOD]));
        assert_eq!(two.parent_id, None);
    }

    #[test]
    fn both_are_written_back() {
        let trace = Trace::from_headers(&headers(&X_REQUEST_ID, &["r-1"]));
        let mut answer = HeaderMap::new();
        trace.write(&mut answer);
        assert_eq!(answer[X_REQUEST_ID], "r-1");
        assert_eq!(answer[TRACEPARENT].len(), 55);
    }

    /// `cargo test --release -p function -- --ignored --nocapture cost`
    #[test]
    #[ignore = "a measurement, not a test"]
    fn cost_of_an_id() {
        let start = std::time::Instant::now();
        for _ in 0..2_000_000 {
            std::hint::black_box(RequestId::new());
        }
        println!("request id: {} ns", start.elapsed().as_nanos() / 2_000_000);
    }
}
