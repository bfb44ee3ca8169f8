//! Real `gala serve` processes, killed, starved and stopped under load: what was answered is there, byte for byte, and nothing
//! is given twice.
//!
//! Clients play over HTTP and keep books of their own; the judge holds those against the ledger, the counters and each
//! user's own list. What the answers and files look like is all that these programs know of the product.
//!
//! `GALA_CRASH_SEED` repeats a run's choices (what the clock and the scheduler do is never the same twice), and
//! `GALA_CRASH_LIVES` sets how many processes are killed. `docs/TESTING.md` says how to read the report.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: an expectation that fails is its verdict"
)]

mod books;
mod client;
mod judge;
mod log;
mod luck;
mod player;
mod server;
mod world;

mod chaos;

mod disk_full;
mod kills;
mod second;
mod stops;
mod switches;
mod tails;
