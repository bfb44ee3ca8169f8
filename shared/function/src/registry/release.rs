//! A revision for a share of the users: what may be live beside what, and whether it can be taken back.

use blocks::stranded;
use campaign::changes::{changes, public};
use machine::world::{Action, WHOLE};
use machine::{Definition, Millis};
use store::{Published, Store};

use super::revise::{NotPublished, Terms, follows, stored};
use crate::pools;

/// The change that gives a definition to `share` parts of 10,000 of the users, beside what is live. What is judged is what a
/// publish is judged by, with all rules for granted ones, since those of the live revision go on granting meanwhile; and what users
/// are told must be the same. One that could not be taken back, were every rule of it to grant, is made only where that is meant
/// (`one_way`). Where two are live already the store says no, or answers a repeat as it answered before.
pub async fn release(
    store: &dyn Store,
    definition: &Definition,
    known: &Published,
    (share, one_way): (u32, bool),
    terms: Terms<'_>,
    now: Millis,
) -> Result<Result<Action, NotPublished>, store::Error> {
    let over = known
        .live
        .first()
        .map_or(known.newest, |live| live.revision);
    if let [_] = known.live.as_slice() {
        if let Err(no) = follows(store, known, definition, terms, now).await? {
            return Ok(Err(no));
        }
        match stored(store, known, over).await? {
            None => {}
            Some(Err(error)) => return Ok(Err(error.into())),
            Some(Ok(old)) => {
                let against = stranded(&old, definition, rules(&old), now);
                if !against.is_empty() {
                    return Ok(Err(NotPublished::Stranded {
                        revision: over,
                        against,
                    }));
                }
                let apart = public(&changes(&old, definition));
                if !apart.is_empty() {
                    return Ok(Err(NotPublished::Apart {
                        revision: over,
                        changes: apart,
                    }));
                }
                let against = stranded(definition, &old, rules(definition), now);
                if !against.is_empty() && !one_way {
                    return Ok(Err(NotPublished::OneWay {
                        revision: over,
                        against,
                    }));
                }
            }
        }
    }
    let stock = match pools::stock(store, definition).await? {
        Ok(stock) => stock,
        Err(no) => return Ok(Err(no.into())),
    };
    Ok(Ok(Action::Release {
        campaign: definition.campaign.clone(),
        edition: definition.edition,
        definition: campaign::encode(definition).into(),
        stock,
        budget: definition.budget.as_ref().map(|budget| budget.total),
        over,
        share,
    }))
}

fn rules(definition: &Definition) -> impl Iterator<Item = &std::sync::Arc<str>> {
    definition.rules_of_giving.iter().map(|rule| &rule.id)
}

/// Where a release goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    /// To so many parts of 10,000 of the users; to all of them with 10,000.
    To(u32),
    /// Back: to nobody.
    Back,
}

/// The change that gives the newer of two live revisions another share. It is taken back only where the older one has a place for
/// everybody: their states, and all rules that have granted.
pub async fn shift(
    store: &dyn Store,
    known: &Published,
    to: Shift,
    now: Millis,
) -> Result<Result<Action, NotPublished>, store::Error> {
    let action = |arms, share| Action::Share {
        campaign: known.campaign.clone(),
        edition: known.edition,
        arms,
        share,
        stock: Vec::new(),
        budget: None,
    };
    let share = match to {
        Shift::To(share) => share,
        Shift::Back => 0,
    };
    let [old, new] = known.live.as_slice() else {
        // The store says that there is nothing to shift, or answers a repeat as it answered before.
        return Ok(Ok(action((0, 0), share.min(WHOLE))));
    };
    let arms = (old.revision, new.revision);
    if to != Shift::Back {
        return Ok(Ok(action(arms, share)));
    }
    let (before, after) = (
        stored(store, known, arms.0).await?,
        stored(store, known, arms.1).await?,
    );
    let (Some(before), Some(after)) = (before, after) else {
        return Ok(Ok(action(arms, share)));
    };
    let (before, after) = match (before, after) {
        (Ok(before), Ok(after)) => (before, after),
        (Err(error), _) | (_, Err(error)) => return Ok(Err(error.into())),
    };
    let against = stranded(&after, &before, &known.granted_rules, now);
    if !against.is_empty() {
        return Ok(Err(NotPublished::NoWayBack {
            revision: arms.0,
            against,
        }));
    }
    let stock = match pools::stock(store, &before).await? {
        Ok(stock) => stock,
        Err(no) => return Ok(Err(no.into())),
    };
    Ok(Ok(Action::Share {
        campaign: known.campaign.clone(),
        edition: known.edition,
        arms,
        share,
        stock,
        budget: before.budget.as_ref().map(|budget| budget.total),
    }))
}
