//! The pure core: what a campaign is once checked, what one event does to one participant ([`step()`]),
//! and what it means to make that true ([`world::apply`]).
//!
//! Nothing here reads a clock, a socket, a file or a random source, and nothing here knows of YAML, CEL,
//! HTTP or Redis: time, chance, facts and state are arguments. The same arguments give the same answer on
//! every machine, which is what lets a retry, a replay after a crash, the simulator and `gala verify` agree.
//!
//! Reading order: [`value`] and [`calendar`], then [`model`] (the definition), [`expr`] (its programs),
//! [`participant`], [`block`], [`step()`], and last [`world`].

pub mod block;
pub mod calendar;
pub mod expr;
pub mod facts;
pub mod hand;
pub mod ids;
pub mod input;
pub mod ledger;
pub mod luck;
pub mod migrate;
pub mod model;
pub mod participant;
pub mod raffle;
mod reads;
pub mod redeem;
pub mod step;
pub mod text;
pub mod turn;
pub mod typed;
pub mod value;
pub mod view;
pub mod world;

pub use block::Block;
pub use calendar::{Calendar, Day, Millis};
pub use expr::Fault;
pub use input::{Facts, Known, Payload, User};
pub use luck::{Draws, Luck};
pub use model::{Campaign, Definition};
pub use participant::{Grant, Participant};
pub use step::{Call, Decision, No, Rejection, step};
pub use text::Text;
pub use value::{Type, Value};
