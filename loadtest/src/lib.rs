//! Load tests before launch: invented traffic against running programs, over HTTP and nothing else, and a judge that keeps books of its
//! own. No crate of ours is a dependency, so that what is measured is what a client gets.
//!
//! A [`scenario`] says who comes, what they do and how many a second; the engine plays it in an open model and makes a [`run::Run`] of
//! it, while [`call::Books`] hear of every answer. The judge compares the books with the target's ledger, and the report says go or
//! no-go. `docs/LOADTEST.md` is for who runs it. [`mod@bench`] holds the project's own measurements (`docs/BENCHMARKS.md`).

pub mod bench;
pub mod call;
pub mod capacity;
pub mod engine;
pub mod error;
pub mod find;
pub mod histogram;
pub mod judge;
pub mod limit;
pub mod live;
mod machine;
pub mod report;
pub mod run;
pub mod scenario;
pub mod server;
pub mod summary;
pub mod token;

pub use error::Error;
