//! A function on AWS Lambda: every front against the emulator of the runtime API, answers, streams, triggers, and the API's own
//! failures.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "only tests are here: an expectation that fails is their verdict"
)]

mod answers;
mod fronts;
mod function;
mod requests;
mod runtime;
mod streams;
mod triggers;
