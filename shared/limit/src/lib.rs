//! How often: rate limits within one process. They hold no rules, no wording and no HTTP types.
//!
//! With N processes a caller gets up to N times its quota: this is the cheap first gate that keeps a flood
//! away from the store. What must hold exactly (a campaign's limits, budgets) is counted in the commit.

mod buckets;
pub mod decision;
pub mod limiter;

pub use decision::{Decision, Quota};
pub use limiter::{Limiter, MAX_KEYS};
