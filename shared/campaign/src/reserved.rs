//! The codes of our own answers (DESIGN section 7): a config's `reject` may not be one of them, for a client could not
//! tell them apart.

/// All of them.
pub const RESERVED: [&str; 32] = [
    "bad-request",
    "budget-spent",
    "challenge-required",
    "closed",
    "forbidden",
    "idempotency-key-required",
    "idempotency-key-reused",
    "internal",
    "invalid-payload",
    "method-not-allowed",
    "no-such-campaign",
    "no-such-event",
    "no-such-poster",
    "no-such-tenant",
    "not-acceptable",
    "not-eligible",
    "not-found",
    "not-open",
    "not-possible",
    "outcome-unknown",
    "overloaded",
    "paused",
    "payload-too-large",
    "rate-limited",
    "rejected",
    "risk-refused",
    "rule-failed",
    "sold-out",
    "stale-page",
    "stock-frozen",
    "store-unavailable",
    "unauthenticated",
];

/// Whether a code is one of ours.
pub fn is_reserved(code: &str) -> bool {
    RESERVED.contains(&code)
}
