//! The tests of campaigns, in one program: in programs of their own each would link the whole checker once more.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helper fails the test"
)]

mod generate;
mod ledger;
mod said;
mod sound;
mod support;

mod bad_configs;
mod bad_files;
mod changes;
mod definitions;
mod draws;
mod explain;
mod fairness_page;
mod fairness_raffle;
mod heard;
mod load;
mod packs;
mod posters;
mod proved;
mod proved_sound;
mod redeem;
mod relays;
mod rules;
mod schema;
mod simulate;
mod step_never_panics;
mod stories;
mod stories_fail;
mod tasks;
mod teams;
mod verify;
