//! Real servers for tests, started on free ports of 127.0.0.1 in a temporary folder and ended when dropped. Nothing of the
//! product knows this crate; only tests and chores are built with it.
//!
//! Everything here blocks and panics: a test without its server has no verdict, and is never skipped silently. Every state is
//! waited for by asking, with a deadline.
//!
//! | what | holds |
//! |---|---|
//! | [`Server`] | one redis-server: killed, stopped, restarted on the same port, emptied |
//! | [`Replicated`] | a primary and replicas, their links through proxies; a replica is promoted by hand |
//! | [`Sentinels`] | a primary, replicas and three sentinels that promote by themselves |
//! | [`Cluster`] | primaries with or without replicas; slots are moved while in use |
//! | [`lambda`] | AWS Lambda's runtime API: events handed over, outcomes kept, failures played |
//! | [`ScfRuntime`] | the interface that an SCF event function asks for its events |
//! | [`tls`] | certificates, and a door that speaks TLS before any server |
//! | [`Proxy`] | a door before any server: cuts connections at a byte, pauses, points elsewhere |

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "only tests are built with it: an expectation that fails is their verdict"
)]

mod cluster;
pub mod lambda;
mod port;
mod process;
mod proxy;
mod replicated;
mod scf;
mod sentinels;
mod server;
pub mod tls;
mod until;

pub use cluster::Cluster;
pub use port::free_port;
pub use process::Process;
pub use proxy::{Counts, Proxy};
pub use replicated::Replicated;
pub use scf::{ScfManner, ScfOutcome, ScfRuntime};
pub use sentinels::Sentinels;
pub use server::Server;
pub use until::until;
