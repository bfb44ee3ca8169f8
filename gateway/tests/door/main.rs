//! The contract of the public door, tested over all of it: gateway, functions, engine and the embedded store.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helper fails the test"
)]

mod faults;
mod files;
mod upstreams;
mod world;

mod arms;
mod bodies;
mod bundles;
mod codes;
mod drafts;
mod elsewhere;
mod examples;
mod facts;
mod first_sight;
mod gone;
mod gone_elsewhere;
mod headers;
mod limits;
mod lists;
mod lottery;
mod one_store;
mod openapi;
mod order;
mod packs;
mod pages;
mod poster_storage;
mod posters;
mod preview;
mod publish;
mod raffle;
mod redeem;
mod relay;
mod remote;
mod replays;
mod rounds;
mod shared;
mod teams;
mod test_lane;
mod triggers;
mod views;
