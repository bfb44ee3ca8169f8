//! A crowd on scarce prizes, several processes, and nothing broken: what races alone can do.

use testbed::Server;

use super::field::{Field, Scale, manner};
use super::report::Report;
use super::store::durable;
use crate::luck::Luck;

/// How many calls each client is served, about, before the judgement.
const CALLS_EACH: u64 = 60;

pub fn scene(scale: Scale, luck: &mut Luck) -> Report {
    let store = Server::with(&durable());
    let mut field = Field::open(&store.address(), scale, "strict", manner());
    let calls = CALLS_EACH * scale.players as u64;
    field.play(luck, |_, service| service.wait_for(calls));
    field.judge(luck)
}
