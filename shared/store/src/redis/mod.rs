//! The Redis store: many processes, one truth.

pub mod address;
pub mod link;
pub mod server;
