//! The Redis store: many processes, one truth.

pub mod address;
pub mod lease;
pub mod link;
pub mod rate;

mod eval;
