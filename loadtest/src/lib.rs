//! Invented traffic against running programs, over HTTP and nothing else: no crate of ours is a dependency, so that what
//! is measured is what a client gets.
//!
//! It holds the draw bench (`draw-bench`): wrk on `draw` beside an axum hello and Koa + ioredis, interleaved in one run.
//! How to read its figures: `docs/BENCHMARKS.md`. And `neighbour`: what a tenant at many times its quota costs another;
//! `posters`: what posters cost the draws beside them.

pub mod contender;
pub mod error;
pub mod http;
pub mod machine;
pub mod neighbour;
pub mod pace;
pub mod posters;
pub mod process;
pub mod report;
pub mod stage;
pub mod token;
pub mod told;
pub mod wrk;

pub use error::Error;
