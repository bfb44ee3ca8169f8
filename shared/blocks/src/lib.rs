//! Reusable parts of machines, one file each: typed parameters, actions that may raise outcomes, functions for
//! expressions, variables of their own in the record. No block knows an activity, and none does any I/O.

pub mod chances;
pub mod odds;
pub mod pack;
pub mod promise;
pub mod raffle;
pub mod redeem;
pub mod streak;
pub mod tasks;
pub mod team;
pub mod wheel;

use std::sync::Arc;

use machine::block::Signature;
use machine::migrate::Stranded;
use machine::model::{BlockSpec, LinkError};
use machine::{Block, Definition, Millis};
use serde::de::DeserializeOwned;

pub use promise::Promise;

/// The kinds of blocks, in the order their variables stand in a record.
pub const KINDS: [&str; 8] = [
    chances::KIND,
    wheel::KIND,
    streak::KIND,
    pack::KIND,
    tasks::KIND,
    team::KIND,
    raffle::KIND,
    redeem::KIND,
];

/// Attaches the code of a block to its parameters.
pub fn link(spec: &BlockSpec) -> Result<Box<dyn Block>, LinkError> {
    match spec.kind.as_str() {
        chances::KIND => Ok(Box::new(chances::Chances::new(params(spec)?, &spec.vars)?)),
        wheel::KIND => Ok(Box::new(wheel::Wheel::new(params(spec)?, spec)?)),
        streak::KIND => Ok(Box::new(streak::Streak::new(params(spec)?, spec)?)),
        pack::KIND => Ok(Box::new(pack::Pack::new(params(spec)?))),
        tasks::KIND => Ok(Box::new(tasks::Tasks::new(params(spec)?, &spec.vars)?)),
        team::KIND => Ok(Box::new(team::Team::new(params(spec)?, &spec.vars)?)),
        raffle::KIND => Ok(Box::new(raffle::Raffle::new(params(spec)?, spec)?)),
        redeem::KIND => Ok(Box::new(redeem::Redeem::new(params(spec)?, &spec.vars)?)),
        unknown => Err(LinkError::UnknownBlock(unknown.to_owned())),
    }
}

/// What the check knows of a kind of block; none for a kind that does not exist. `hold_at_most` bounds the balance of
/// [`chances`] and is ignored by the others.
pub fn signature(kind: &str, hold_at_most: i64) -> Option<Signature> {
    match kind {
        chances::KIND => Some(chances::signature(hold_at_most)),
        wheel::KIND => Some(wheel::signature(false)),
        streak::KIND => Some(streak::signature()),
        pack::KIND => Some(pack::signature()),
        tasks::KIND => Some(tasks::signature()),
        team::KIND => Some(team::signature()),
        raffle::KIND => Some(raffle::signature()),
        redeem::KIND => Some(redeem::signature()),
        _ => None,
    }
}

/// The figures that a publish of this definition asks for: the stock of each limited reward, and what its draws count their
/// entries with.
pub fn figures(definition: &Definition) -> Vec<(Arc<str>, u32)> {
    let limited = definition.rewards.iter();
    let stock = limited.filter_map(|reward| Some((reward.id.clone(), reward.stock?)));
    let raffles = definition.blocks.iter();
    let raffles = raffles.filter(|spec| spec.kind == raffle::KIND);
    let entries = raffles.map(|spec| machine::raffle::figure(&spec.name));
    stock.chain(entries).collect()
}

/// All that stands against `new` following `old` at `now`: what the machine says of its own, and what blocks have promised.
pub fn stranded<'a>(
    old: &Definition,
    new: &Definition,
    granted: impl IntoIterator<Item = &'a Arc<str>>,
    now: Millis,
) -> Vec<Stranded> {
    let mut found = machine::migrate::stranded(old, new, granted, now);
    found.extend(raffle::stranded(old, new, now));
    found
}

fn params<P: DeserializeOwned>(spec: &BlockSpec) -> Result<P, LinkError> {
    serde_json::from_str(&spec.params).map_err(|error| LinkError::Params {
        kind: spec.kind.clone(),
        message: error.to_string(),
    })
}

/// The variables a block was given, as many as its signature has.
fn slots<const N: usize>(kind: &str, vars: &[u16]) -> Result<[u16; N], LinkError> {
    vars.try_into().map_err(|_| LinkError::Params {
        kind: kind.to_owned(),
        message: format!(
            "needs {N} variables of the record, was given {}",
            vars.len()
        ),
    })
}
