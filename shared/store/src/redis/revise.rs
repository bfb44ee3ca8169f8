//! The next revision of a campaign and the shares of two live ones, as changes to its head, its lanes' settings and its counters.

use std::sync::Arc;

use machine::ids::Lane;
use machine::luck::Seed;
use machine::model::Durability;
use machine::world::{
    Admin, AdminOutcome, CounterKey, Done, Live, Publication, Refused, Revision, WHOLE,
    shared as with_share,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::admin::{Found, Plan, Setup, revision};
use super::batch::MOST;
use super::form;
use super::head::Head;
use super::shared::Shared;
use crate::Error;

/// A revision to come.
pub(super) struct New<'a> {
    pub definition: &'a Arc<[u8]>,
    pub figures: (&'a [(Arc<str>, u32)], Option<i64>),
    /// For the first of an edition.
    pub seeds: Option<&'a (Seed, Seed)>,
    /// The live revision that it stands beside, and the share that it takes of the users; none: it is for all of them.
    pub beside: Option<(u32, u32)>,
}

/// The next revision for all users; of an edition that was purged there is none.
pub(super) async fn publish(
    shared: &Shared,
    change: &Admin,
    found: &Found,
    new: &Publication,
) -> Result<Result<Plan, AdminOutcome>, Error> {
    if found.head.as_ref().is_some_and(|head| head.purged) {
        let no = Refused::Purged(new.campaign.clone(), new.edition);
        return Ok(Err(AdminOutcome::Refused(no)));
    }
    let new = New {
        definition: &new.definition,
        figures: (new.stock.as_slice(), new.budget),
        seeds: Some(&new.seeds),
        beside: None,
    };
    revise(shared, change, found, new).await
}

/// The next revision. Seeds are made with the first.
pub(super) async fn revise(
    shared: &Shared,
    change: &Admin,
    found: &Found,
    new: New<'_>,
) -> Result<Result<Plan, AdminOutcome>, Error> {
    let refused = |no| Ok(Err(AdminOutcome::Refused(no)));
    let sha256: [u8; 32] = Sha256::digest(new.definition).into();
    let live = found.head.as_ref().map_or(&[][..], |head| &head.live);
    let mut strict = durability(new.definition) == Durability::Strict;
    // One for all is published already if it is live for all; one for a share if anybody has it.
    if new.beside.is_some() || live.len() == 1 {
        for one in live {
            let Some(known) = revision(shared, &found.keys, one.revision).await? else {
                continue;
            };
            if known.sha256 == sha256 {
                return Ok(Err(AdminOutcome::Already));
            }
            if new.beside.is_some() {
                strict |= durability(&known.definition) == Durability::Strict;
            }
        }
    }
    let newest = found.head.as_ref().map_or(0, |head| head.newest);
    let number = newest + 1;
    let live = match new.beside {
        None => vec![Live {
            revision: number,
            share: WHOLE,
        }],
        Some((over, share)) => {
            let [only] = live else {
                return refused(Refused::TwoAreLive);
            };
            if only.revision != over {
                return refused(Refused::OthersAreLive);
            }
            if !(1..WHOLE).contains(&share) {
                return refused(Refused::NoShare);
            }
            vec![
                Live {
                    revision: over,
                    share: WHOLE - share,
                },
                Live {
                    revision: number,
                    share,
                },
            ]
        }
    };
    let Some(counters) = figures(new.figures) else {
        return refused(Refused::TooMuch);
    };
    let made = Revision {
        sha256,
        definition: new.definition.clone(),
        at: change.at,
        by: change.by.clone(),
    };
    let epoch = found
        .head
        .as_ref()
        .map_or(change.at.unsigned_abs().max(1), |head| head.epoch);
    let setup = |known: &Option<Setup>, seed: Option<&Seed>| {
        let begin = || {
            seed.map(|seed| Setup {
                seed: seed.clone(),
                epoch,
                clock_offset: 0,
                strict,
            })
        };
        let setup = known.clone().or_else(begin)?;
        Some(Setup { strict, ..setup })
    };
    Ok(Ok(Plan {
        head: Some(Head {
            epoch,
            newest: number,
            live,
            pause: found.head.as_ref().and_then(|head| head.pause.clone()),
            purged: false,
            stopped: found
                .head
                .as_ref()
                .map_or_else(Vec::new, |head| head.stopped.clone()),
            notice: found.head.as_ref().and_then(|head| head.notice.clone()),
        }),
        revision: Some((number, form::encode(&made)?)),
        setups: [
            setup(&found.setups[0], new.seeds.map(|seeds| &seeds.0)),
            setup(&found.setups[1], new.seeds.map(|seeds| &seeds.1)),
        ],
        tallies: found.head.is_none(),
        empties: false,
        renewed: None,
        counters,
        draft: None,
        done: Done {
            revision: Some(number),
            ..Done::default()
        },
    }))
}

/// Another share for the newer of two live revisions.
pub(super) async fn give_share(
    shared: &Shared,
    found: &Found,
    head: Head,
    (arms, share): ((u32, u32), u32),
    asked: (&[(Arc<str>, u32)], Option<i64>),
) -> Result<Result<Plan, AdminOutcome>, Error> {
    let live = match with_share(&head.live, arms, share) {
        Ok(live) => live,
        Err(no) => return Ok(Err(no)),
    };
    let Some(counters) = figures(asked) else {
        return Ok(Err(AdminOutcome::Refused(Refused::TooMuch)));
    };
    let mut strict = false;
    for one in &live {
        let known = revision(shared, &found.keys, one.revision).await?;
        // What is not there can't be known to be less.
        strict |= known.is_none_or(|known| durability(&known.definition) == Durability::Strict);
    }
    let setup = |known: &Option<Setup>| known.clone().map(|setup| Setup { strict, ..setup });
    Ok(Ok(Plan {
        head: Some(Head { live, ..head }),
        setups: [setup(&found.setups[0]), setup(&found.setups[1])],
        counters,
        done: Done {
            revision: Some(if share == 0 { arms.0 } else { arms.1 }),
            ..Done::default()
        },
        ..Plan::default()
    }))
}

/// The counters' new figures, in both lanes; none where one is beyond what a counter holds.
fn figures(
    (stock, budget): (&[(Arc<str>, u32)], Option<i64>),
) -> Option<Vec<(Lane, CounterKey, &'static str, String)>> {
    if budget.is_some_and(|figure| !(0..=MOST).contains(&figure)) {
        return None;
    }
    let mut counters = Vec::new();
    for lane in [Lane::Live, Lane::Test] {
        for (reward, units) in stock {
            let key = machine::raffle::counted(reward);
            counters.push((lane, key, "figure", units.to_string()));
        }
        if let Some(total) = budget {
            counters.push((lane, CounterKey::Budget, "figure", total.to_string()));
        }
    }
    Some(counters)
}

/// What a definition declares; what can't be read is taken for the stricter.
fn durability(definition: &[u8]) -> Durability {
    #[derive(Deserialize)]
    struct Declared {
        durability: Durability,
    }
    serde_json::from_slice::<Declared>(definition)
        .map_or(Durability::Strict, |declared| declared.durability)
}
