//! The Redis store: many processes, one truth.

pub mod address;
pub mod link;

mod open;

pub use open::{OpenError, open};
