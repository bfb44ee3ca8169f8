//! Posters over HTTP: draft.

mod address;
mod pool;
mod secret;
pub mod share;
