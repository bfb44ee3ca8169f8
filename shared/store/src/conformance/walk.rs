//! A walk over all participants of a lane.

use std::collections::BTreeMap;
use std::sync::Arc;

use machine::ids::{CampaignKey, Pseudonym};
use machine::participant::Participant;

use super::Failed;
use super::sample::{commit, giving, live, test, user};
use super::stage::Stage;

type Done = Result<(), Failed>;
type Met = BTreeMap<Pseudonym, Arc<Participant>>;

/// Everyone, `most` at a time; a walk that never ends is broken off.
async fn walk(stage: &Stage, key: &CampaignKey, most: usize) -> Result<Met, Failed> {
    let mut met = Met::new();
    let mut from: Option<String> = None;
    for _ in 0..10_000 {
        let page = stage.store.participants(key, from.as_deref(), most).await?;
        met.extend(page.participants);
        from = page.next;
        if from.is_none() {
            return Ok(met);
        }
    }
    Err(Failed("the walk does not end".to_owned()))
}

pub(super) async fn everyone_is_met(stage: Stage) -> Done {
    for number in 0..37 {
        stage.committed(&commit(user(number), 0, "a")).await?;
    }
    stage.committed(&giving(commit(user(3), 1, "b"), "mug")).await?;
    let mut tester = commit(user(99), 0, "a");
    tester.campaign = test();
    stage.committed(&tester).await?;
    for most in [1, 5, 37, 1000] {
        let met = walk(&stage, &live(), most).await?;
        same!(
            met.keys().copied().collect::<Vec<_>>(),
            (0..37).map(user).collect::<Vec<_>>()
        );
        same!(met.get(&user(3)), Some(&stage.participant(user(3)).await?));
    }
    same!(
        walk(&stage, &test(), 10).await?.into_keys().collect::<Vec<_>>(),
        [user(99)]
    );
    Ok(())
}

pub(super) async fn a_walk_of_nobody_ends(stage: Stage) -> Done {
    same!(walk(&stage, &live(), 10).await?.len(), 0);
    let mut unknown = live();
    unknown.campaign = "winter".into();
    same!(walk(&stage, &unknown, 10).await?.len(), 0);
    Ok(())
}
