//! The shell that turns an activity into a function: identity, clock, draws, facts, HTTP, telemetry.
//! It holds no rule of any one activity.

pub mod bearer;
pub mod client;
pub mod cors;
pub mod fingerprint;
pub mod idempotency;
pub mod identity;
pub mod lang;
pub mod problem;
pub mod telemetry;
pub mod trace;
