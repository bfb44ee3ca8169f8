//! How often: rate limits within one process ([`Limiter`]) and over all of them ([`Shared`]). They hold no rules, no wording
//! and no HTTP types.
//!
//! With N processes a caller of a [`Limiter`] gets up to N times its quota: it is the cheap first gate that keeps a flood
//! away from the store. [`Shared`] asks the store for tokens, a few at a time. What must hold exactly (a campaign's limits,
//! budgets) is counted in the commit.

mod buckets;
pub mod decision;
mod hand;
pub mod limiter;
pub mod shared;
pub mod tries;

pub use decision::{Decision, Quota};
pub use limiter::{Limiter, MAX_KEYS};
pub use shared::Shared;
pub use tries::{Allowance, Tries};
