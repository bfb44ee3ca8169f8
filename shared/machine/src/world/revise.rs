//! The next revision of a campaign: what it makes live, and what it does to the counters. Whether it may follow the one
//! before is for the caller to know ([`crate::migrate::stranded`]): a world does not read definitions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::admin::{Admin, AdminOutcome};
use super::change::CounterKey;
use super::state::{CampaignWorld, Counter, LaneWorld, Live, Revision};
use crate::calendar::Millis;
use crate::luck::Seed;

/// The bounds that a definition asks for.
pub(super) struct Figures<'a> {
    /// The stock of each limited reward.
    pub stock: &'a [(Arc<str>, u32)],
    /// The budget in all, in minor units.
    pub budget: Option<i64>,
}

/// Makes `definition` the next revision and the live one, and gives its number; nothing happens if it is so already.
pub(super) fn publish(
    found: &mut CampaignWorld,
    change: &Admin,
    definition: &Arc<[u8]>,
    figures: &Figures<'_>,
) -> Result<u32, AdminOutcome> {
    let sha256: [u8; 32] = Sha256::digest(definition).into();
    let newest = found
        .revisions
        .last_key_value()
        .map(|(number, revision)| (*number, revision.sha256));
    let live = found
        .live
        .iter()
        .any(|live| Some(live.revision) == newest.map(|(number, _)| number));
    if live && newest.is_some_and(|(_, known)| known == sha256) {
        return Err(AdminOutcome::Already);
    }
    let number = newest.map_or(1, |(number, _)| number + 1);
    let revision = Revision {
        sha256,
        definition: definition.clone(),
        at: change.at,
        by: change.by.clone(),
    };
    found.revisions.insert(number, revision);
    found.live = vec![Live {
        revision: number,
        share: 10_000,
    }];
    for lane in [&mut found.live_lane, &mut found.test_lane] {
        for (reward, units) in figures.stock {
            configure(lane, CounterKey::Stock(reward.clone()), i64::from(*units));
        }
        if let Some(total) = figures.budget {
            configure(lane, CounterKey::Budget, total);
        }
    }
    Ok(number)
}

/// Creates a counter, or moves its ceiling by what the configured figure moved; never below what is gone already. What a
/// lowering could not take back, a later raise makes up for first: top-ups stay exact, and no unit comes twice.
fn configure(lane: &mut LaneWorld, key: CounterKey, figure: i64) {
    let counter = lane.counters.entry(key).or_insert(Counter {
        issued: 0,
        ceiling: figure,
        configured: figure,
        shortfall: 0,
    });
    let moved = figure.saturating_sub(counter.configured);
    let made_up = counter.shortfall.min(moved.max(0));
    counter.shortfall -= made_up;
    let wanted = counter.ceiling.saturating_add(moved - made_up);
    counter.ceiling = wanted.max(counter.issued);
    counter.shortfall = counter
        .shortfall
        .saturating_add(counter.ceiling.saturating_sub(wanted));
    counter.configured = figure;
}

impl CampaignWorld {
    /// One without a revision yet; `seeds` are the live and the test lane's.
    pub(super) fn new(seeds: &(Seed, Seed), at: Millis) -> Self {
        Self {
            revisions: BTreeMap::new(),
            live: Vec::new(),
            pause: None,
            granted_rules: BTreeSet::new(),
            live_lane: LaneWorld::new(seeds.0.clone(), at),
            test_lane: LaneWorld::new(seeds.1.clone(), at),
            stopped: BTreeSet::new(),
            notice: None,
        }
    }
}

impl LaneWorld {
    fn new(seed: Seed, at: Millis) -> Self {
        Self {
            seed,
            epoch: at.unsigned_abs().max(1),
            clock_offset: 0,
            counters: BTreeMap::new(),
            participants: BTreeMap::new(),
            timers: BTreeSet::new(),
            rows: 0,
            marks: BTreeMap::new(),
        }
    }
}
