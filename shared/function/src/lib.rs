//! The shell that turns an activity into a function: identity, clock, draws, facts, HTTP, telemetry.
//! It holds no rule of any one activity.

pub mod ask;
pub mod bearer;
pub mod client;
pub mod clock;
#[cfg(feature = "yaml")]
pub mod compile;
pub mod cors;
pub mod engine;
pub mod fingerprint;
mod hosted;
pub mod http;
pub mod idempotency;
pub mod identity;
pub mod known_store;
pub mod lane;
pub mod lang;
pub mod lists;
pub mod pools;
pub mod poster;
#[cfg(feature = "yaml")]
pub mod posters;
pub mod preload;
pub mod preview;
pub mod problem;
pub mod raffle;
pub mod redeem;
pub mod registry;
pub mod relay;
pub mod render;
#[cfg(feature = "yaml")]
pub mod schedule;
pub mod serve;
pub mod served;
pub mod signed;
pub mod sweep;
pub mod telemetry;
pub mod trace;
pub mod words;

pub use hosted::{serve, serve_all};
