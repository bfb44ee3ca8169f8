//! Who has which unit, by the records of those who were drawn, and what they are to be told next.
//!
//! No two ever have the same unit: a unit is free once every record that had it says that it lapsed, and a record that says so
//! never claims. Free units go to alternates in the order of the draw, one after another; who tells the k-th has read what
//! the k-1 before them were given (which never changes), and of two who tell the k-th one is refused by its record.

use std::collections::BTreeSet;

use blocks::raffle::{Standing, of, standing};
use futures_util::future::join_all;
use machine::Millis;
use machine::ids::{Lane, Pseudonym};
use machine::model::Campaign;
use machine::raffle::{Told, reward_of};
use store::lease::Held;

use super::known::Drawn;
use super::{Place, Stopped};
use crate::engine::{Caller, Failed, record, tell as tell_one};
use crate::lists::Listed;

/// How long after its time a prize lapses, in milliseconds: another process' clock may be a little behind, and whoever claims
/// there in the last second shall not find it gone.
const GRACE_MS: Millis = 5_000;

/// After how long somebody is tried again who could not be given what they won.
const AGAIN_MS: Millis = 30_000;

/// How many are read, or told, at the same time.
const AT_ONCE: usize = 32;

/// What a round came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round {
    /// How many were told something.
    pub told: usize,
    /// When there is something to do next.
    pub due: Millis,
}

/// Tells everybody what there is to tell them now.
pub(super) async fn tell(
    place: &Place<'_>,
    newest: &Campaign,
    drawn: &Drawn,
    held: Option<&Held>,
) -> Result<Round, Stopped> {
    let order = &drawn.row.order;
    let winners = drawn.row.winners() as usize;
    let until = |within: i64| {
        let end = newest.window.claim_until;
        place.now.saturating_add(within).min(end)
    };
    let mut round = Round {
        told: 0,
        due: Millis::MAX,
    };
    let stands = stand(place, order).await?;
    let again = place.now.saturating_add(AGAIN_MS);
    let mut news: Vec<(Pseudonym, Told<'_>)> = Vec::new();
    for (at, (who, stands)) in order.iter().zip(&stands).enumerate() {
        let Some(stands) = stands else {
            round.due = round.due.min(again);
            continue;
        };
        let told = match stands {
            Standing::Nothing if at < winners => {
                let slot = at as u32 + 1;
                let Some(reward) = reward_of(&drawn.row.prizes, slot) else {
                    continue;
                };
                Told::Won {
                    slot,
                    reward,
                    until: drawn.row.claim_within.map(until),
                }
            }
            Standing::Nothing => Told::Alternate {
                place: (at - winners) as u32 + 1,
            },
            Standing::Won { until, .. } if until.saturating_add(GRACE_MS) <= place.now => {
                Told::Lapsed
            }
            Standing::Won { until, .. } => {
                round.due = round.due.min(until.saturating_add(GRACE_MS));
                continue;
            }
            Standing::Alternate | Standing::Given { .. } | Standing::Lapsed { .. } => continue,
        };
        news.push((*who, told));
    }
    for some in news.chunks(AT_ONCE) {
        if held.is_some_and(|held| !held.is_held()) {
            // Another process goes on from here.
            round.due = place.now;
            return Ok(round);
        }
        let all = some
            .iter()
            .map(|(who, told)| one(place, *who, told, drawn, held));
        for ((who, _), result) in some.iter().zip(join_all(all).await) {
            match result {
                Ok(true) => {
                    round.told += 1;
                    round.due = place.now;
                }
                // Somebody whom staff keep from it, or whose prize they have stopped, has it kept for them.
                Ok(false) | Err(Failed::Blocked) => round.due = round.due.min(again),
                Err(other) => {
                    alone(place, *who, other)?;
                    round.due = round.due.min(again);
                }
            }
        }
    }
    if round.told > 0 {
        // What is free is looked at when they are.
        return Ok(round);
    }
    promote(place, drawn, &stands, until, held, &mut round).await?;
    Ok(round)
}

/// Lets what failed with one record be that record's alone: the others are told all the same. What would fail with theirs, too,
/// stops the round.
fn alone(place: &Place<'_>, who: Pseudonym, failed: Failed) -> Result<(), Stopped> {
    match failed {
        Failed::Rule(_)
        | Failed::Rejected(..)
        | Failed::KeyReused
        | Failed::Frozen(_)
        | Failed::Contended => {
            let campaign = place.served.key(place.lane);
            let error = Stopped::Told(failed);
            tracing::warn!(%error, %campaign, %who, "somebody who was drawn can't be told yet");
            Ok(())
        }
        other => Err(Stopped::Told(other)),
    }
}

/// Gives free units to the next alternates.
async fn promote(
    place: &Place<'_>,
    drawn: &Drawn,
    stands: &[Option<Standing>],
    until: impl Fn(i64) -> Millis,
    held: Option<&Held>,
    round: &mut Round,
) -> Result<(), Stopped> {
    let Some(within) = drawn.row.claim_within else {
        return Ok(());
    };
    let winners = drawn.row.winners() as usize;
    let free = free(stands);
    let waiting = drawn.row.order.iter().zip(stands).skip(winners);
    // In their order, and nobody is passed over: not even who could not be told yet that they come next.
    let waiting =
        waiting.take_while(|(_, stands)| !matches!(stands, None | Some(Standing::Nothing)));
    let waiting = waiting.filter(|(_, stands)| matches!(stands, Some(Standing::Alternate)));
    for (slot, (who, _)) in free.into_iter().zip(waiting) {
        if held.is_some_and(|held| !held.is_held()) {
            break;
        }
        let Some(reward) = reward_of(&drawn.row.prizes, slot) else {
            continue;
        };
        let told = Told::Won {
            slot,
            reward,
            until: Some(until(within)),
        };
        // Whoever comes after one who could not be told is told in another round, when it is known what became of that.
        match one(place, *who, &told, drawn, held).await {
            Ok(true) => round.told += 1,
            Ok(false) => {
                round.due = place.now;
                break;
            }
            Err(other) => {
                alone(place, *who, other)?;
                round.due = round.due.min(place.now.saturating_add(AGAIN_MS));
                break;
            }
        }
        round.due = place.now;
    }
    Ok(())
}

/// The units that lapsed and are nobody's now. One whose winner was not told yet, or whose record can't be read, is not free.
fn free(stands: &[Option<Standing>]) -> BTreeSet<u32> {
    let known = || stands.iter().flatten();
    let mut free: BTreeSet<u32> = known()
        .filter_map(|stands| match stands {
            Standing::Lapsed { slot } => Some(*slot),
            _ => None,
        })
        .collect();
    for stands in known() {
        if let Standing::Won { slot, .. } | Standing::Given { slot } = stands {
            free.remove(slot);
        }
    }
    free
}

/// How far each of them is, in order; nothing for one whose record can't be brought up to this revision.
async fn stand(place: &Place<'_>, order: &[Pseudonym]) -> Result<Vec<Option<Standing>>, Stopped> {
    let store = &*place.shell.store;
    let key = place.served.key(place.lane);
    let mut found = Vec::with_capacity(order.len());
    for some in order.chunks(AT_ONCE) {
        let all = some.iter().map(|who| store.recall(&key, *who, None));
        for (who, recalled) in some.iter().zip(join_all(all).await) {
            let caller = place.caller(*who);
            let campaign = caller.served.revision_of(who);
            let campaign = campaign.ok_or(Stopped::Told(Failed::Behind))?;
            let record = match record(&caller, recalled?.participant.as_ref(), campaign) {
                Ok(record) => record,
                Err(failed) => {
                    alone(place, *who, failed)?;
                    found.push(None);
                    continue;
                }
            };
            let stands = of(campaign).and_then(|(_, spec)| standing(spec, &record.core));
            let lost = || Stopped::Draw("this revision has no raffle".to_owned());
            found.push(Some(stands.ok_or_else(lost)?));
        }
    }
    Ok(found)
}

async fn one(
    place: &Place<'_>,
    who: Pseudonym,
    told: &Told<'_>,
    drawn: &Drawn,
    held: Option<&Held>,
) -> Result<bool, Failed> {
    let from = format!("raffle/{}/{}", drawn.row.draw, drawn.number);
    let store = &*place.shell.store;
    let caller = place.caller(who);
    tell_one(store, &caller, told, &from, held.map(Held::lease)).await
}

impl<'a> Place<'a> {
    fn caller(&self, user: Pseudonym) -> Caller<'a> {
        Caller {
            shell: self.tenant,
            served: self.served,
            member: "",
            user,
            claims: None,
            lane: self.lane,
            rehearsal: self.lane == Lane::Test,
            now: self.now,
            language: self.tenant.tenant.language(),
            listed: Listed::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_free_once_it_lapsed_and_nobody_has_it() {
        let won = |slot| Some(Standing::Won { slot, until: 1 });
        let lapsed = |slot| Some(Standing::Lapsed { slot });
        for (stands, expected) in [
            (vec![won(1), Some(Standing::Given { slot: 2 })], vec![]),
            (vec![lapsed(1), won(2)], vec![1]),
            (vec![lapsed(1), lapsed(2), won(1)], vec![2]),
            (
                vec![lapsed(1), lapsed(1), Some(Standing::Alternate)],
                vec![1],
            ),
            // Their winner was not told yet, or nobody can say.
            (vec![Some(Standing::Nothing), None, lapsed(3)], vec![3]),
        ] {
            assert_eq!(
                free(&stands).into_iter().collect::<Vec<_>>(),
                expected,
                "{stands:?}"
            );
        }
    }
}
