//! The next revision of a campaign: what it makes live, and what it does to the counters. Whether it may follow the one
//! before is for the caller to know ([`crate::migrate::stranded`]): a world does not read definitions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::admin::{Admin, AdminOutcome, Refused};
use super::arms::WHOLE;
use super::change::CounterKey;
use super::state::{CampaignWorld, Counter, LaneWorld, Live, Revision};
use crate::calendar::Millis;
use crate::luck::Seed;
use crate::raffle::counted;

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
    if let [only] = *found.live.as_slice()
        && says(found, only.revision, definition)
    {
        return Err(AdminOutcome::Already);
    }
    let number = add(found, change, definition, figures);
    found.live = vec![everybodys(number)];
    Ok(number)
}

/// Makes `definition` the next revision and gives it to `share` of the users; the others keep `over`, the one that is live now.
pub(super) fn release(
    found: &mut CampaignWorld,
    change: &Admin,
    definition: &Arc<[u8]>,
    figures: &Figures<'_>,
    (over, share): (u32, u32),
) -> Result<u32, AdminOutcome> {
    let refused = |no| Err(AdminOutcome::Refused(no));
    if found
        .live
        .iter()
        .any(|live| says(found, live.revision, definition))
    {
        return Err(AdminOutcome::Already);
    }
    let [only] = found.live.as_slice() else {
        return refused(Refused::TwoAreLive);
    };
    if only.revision != over {
        return refused(Refused::OthersAreLive);
    }
    if !(1..WHOLE).contains(&share) {
        return refused(Refused::NoShare);
    }
    let number = add(found, change, definition, figures);
    found.live = vec![
        Live {
            revision: over,
            share: WHOLE - share,
        },
        Live {
            revision: number,
            share,
        },
    ];
    Ok(number)
}

/// The live set with another share for the newer of `arms`: all of it, more of it, or (0) none. `Already` where it has that share.
pub fn shared(live: &[Live], arms: (u32, u32), share: u32) -> Result<Vec<Live>, AdminOutcome> {
    let refused = |no| Err(AdminOutcome::Refused(no));
    let [old, new] = live else {
        return refused(Refused::OneIsLive);
    };
    if (old.revision, new.revision) != arms {
        return refused(Refused::OthersAreLive);
    }
    match share {
        0 => Ok(vec![everybodys(old.revision)]),
        WHOLE => Ok(vec![everybodys(new.revision)]),
        _ if share > WHOLE => refused(Refused::NoShare),
        _ if share == new.share => Err(AdminOutcome::Already),
        _ if share < new.share => refused(Refused::Narrower(new.share)),
        _ => Ok(vec![
            Live {
                share: WHOLE - share,
                ..*old
            },
            Live { share, ..*new },
        ]),
    }
}

/// Gives the newer of two live revisions another share; ceilings move as by a publish where figures are given.
pub(super) fn share(
    found: &mut CampaignWorld,
    arms: (u32, u32),
    share: u32,
    figures: &Figures<'_>,
) -> Result<u32, AdminOutcome> {
    found.live = shared(&found.live, arms, share)?;
    configure_all(found, figures);
    Ok(if share == 0 { arms.0 } else { arms.1 })
}

/// A revision that is live for all.
fn everybodys(revision: u32) -> Live {
    Live {
        revision,
        share: WHOLE,
    }
}

/// Whether a revision's definition is this one.
fn says(found: &CampaignWorld, revision: u32, definition: &Arc<[u8]>) -> bool {
    let sha256: [u8; 32] = Sha256::digest(definition).into();
    let known = found.revisions.get(&revision);
    known.is_some_and(|known| known.sha256 == sha256)
}

/// Adds a revision, live for nobody yet.
fn add(
    found: &mut CampaignWorld,
    change: &Admin,
    definition: &Arc<[u8]>,
    figures: &Figures<'_>,
) -> u32 {
    let newest = found.revisions.last_key_value();
    let number = newest.map_or(1, |(number, _)| number + 1);
    let revision = Revision {
        sha256: Sha256::digest(definition).into(),
        definition: definition.clone(),
        at: change.at,
        by: change.by.clone(),
    };
    found.revisions.insert(number, revision);
    configure_all(found, figures);
    number
}

fn configure_all(found: &mut CampaignWorld, figures: &Figures<'_>) {
    for lane in [&mut found.live_lane, &mut found.test_lane] {
        for (reward, units) in figures.stock {
            configure(lane, counted(reward), i64::from(*units));
        }
        if let Some(total) = figures.budget {
            configure(lane, CounterKey::Budget, total);
        }
    }
}

/// Gives a reward's stock another figure in both lanes; false where it has that figure.
pub(super) fn fill(found: &mut CampaignWorld, reward: &Arc<str>, units: u32) -> bool {
    let key = CounterKey::Stock(reward.clone());
    let figure = i64::from(units);
    let lanes = [&found.live_lane, &found.test_lane];
    let known = lanes.map(|lane| lane.counters.get(&key).map(|counter| counter.configured));
    if known == [Some(figure); 2] {
        return false;
    }
    configure(&mut found.live_lane, key.clone(), figure);
    configure(&mut found.test_lane, key, figure);
    true
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
