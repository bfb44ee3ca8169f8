//! Any axum router as a program on any host: plain HTTP (a container, Knative, Cloud Run), a Tencent SCF web or event
//! function, an AWS Lambda function. The router never learns which: the same request gives the same answer everywhere.
//!
//! An [`App`] has two routers: what the public may call, and the route that takes what triggers tell (timers, queues, buckets) in
//! the form of [CloudEvents](event::Event). Nothing from outside reaches the second. [`Host::find`] says where the program is, and
//! a host's own module turns its protocol into calls of the app and the answers back:
//!
//! | module | host |
//! |---|---|
//! | [`plain`] | HTTP on a port; an SCF web function is that, with headers of its own |
//! | [`lambda`] | AWS Lambda's runtime API: events by long poll, answers in the form of what is in front |
//! | [`scf`] | SCF's custom runtime: events by long poll, integrated answers |
//!
//! [`run`] is the one way in; [`proxy`] makes a router of any HTTP server.
//!
//! Knows nothing of campaigns, tenants or stores: it runs any router, a wrapped server's too.

mod answer;
mod app;
mod base_path;
mod binary;
pub mod event;
mod guard;
mod headers;
mod kind;
pub mod lambda;
pub mod plain;
mod proxy;
mod run;
pub mod scf;
mod trouble;
mod uri;

pub use app::{App, Invocation};
pub use base_path::{BasePath, NotABasePath};
pub use kind::{Host, NotAHost};
pub use proxy::{event_proxy, proxy};
pub use run::{NotRun, run, stop_signal};
pub use trouble::{Plain, Trouble, Words};
