//! One user's commits: versions, keys, remembered answers, pauses, revisions.

use std::sync::Arc;

use machine::participant::Grant;
use machine::world::{Applied, KeyWasUsed, Outcome, REMEMBER_MOST, REMEMBER_MS};

use super::Failed;
use super::sample::{answer, commit, giving, live, test, user};
use super::stage::Stage;

type Done = Result<(), Failed>;

pub(super) async fn the_first_creates(stage: Stage) -> Done {
    same!(stage.recall_in(&live(), user(1)).await?.participant, None);
    let first = commit(user(1), 0, "a");
    same!(
        stage.commit(&first).await?,
        Outcome::Committed(Applied {
            version: 1,
            first_row: 0
        })
    );
    let found = stage.participant(user(1)).await?;
    same!(found.core.version, 1);
    same!(found.core.vars, first.core.vars);
    same!(stage.lane(&live()).await?.participants, 1);
    Ok(())
}

pub(super) async fn the_next_replaces_and_appends(stage: Stage) -> Done {
    let first = giving(commit(user(1), 0, "a"), "mug");
    let second = giving(commit(user(1), 1, "b"), "cup");
    stage.committed(&first).await?;
    same!(
        stage.committed(&second).await?,
        Applied {
            version: 2,
            first_row: 2
        }
    );
    let found = stage.participant(user(1)).await?;
    same!(found.core.vars, second.core.vars);
    same!(found.grants, [first.grants, second.grants].concat());
    same!(stage.lane(&live()).await?.participants, 1);
    Ok(())
}

pub(super) async fn a_carried_record_brings_its_grants(stage: Stage) -> Done {
    let first = giving(giving(commit(user(1), 0, "a"), "mug"), "cup");
    stage.committed(&first).await?;
    // Under the next revision's tables the same rewards stand in other places.
    let carried: Vec<_> = first
        .grants
        .iter()
        .map(|grant| Grant {
            reward: grant.reward + 3,
            ..grant.clone()
        })
        .collect();
    let mut second = giving(commit(user(1), 1, "b"), "cup");
    second.carried = Some(carried.clone());
    stage.committed(&second).await?;
    let all = [carried, second.grants].concat();
    same!(stage.participant(user(1)).await?.grants, all);
    stage.committed(&commit(user(1), 2, "c")).await?;
    same!(stage.participant(user(1)).await?.grants, all);
    // Also where nothing new is given.
    let mut third = commit(user(1), 3, "d");
    third.carried = Some(all[1..].to_vec());
    stage.committed(&third).await?;
    same!(stage.participant(user(1)).await?.grants, all[1..]);
    Ok(())
}

pub(super) async fn a_wrong_version_is_stale_and_brings_the_record(stage: Stage) -> Done {
    same!(
        stage.commit(&commit(user(1), 1, "a")).await?,
        Outcome::Stale(None)
    );
    stage
        .committed(&giving(commit(user(1), 0, "b"), "mug"))
        .await?;
    let current = stage.participant(user(1)).await?;
    for wrong in [0, 2, u64::MAX] {
        let outcome = stage.commit(&commit(user(1), wrong, "c")).await?;
        same!(outcome, Outcome::Stale(Some(current.clone())));
    }
    same!(stage.participant(user(1)).await?, current);
    same!(stage.lane(&live()).await?.rows, 2);
    Ok(())
}

/// Only a store that may lose its last writes need look; one that never does is right without.
pub(super) async fn a_version_of_another_history_is_no_ground(stage: Stage) -> Done {
    if !stage.store.is_remote() {
        return Ok(());
    }
    stage.committed(&commit(user(1), 0, "a")).await?;
    let current = stage.participant(user(1)).await?;
    let mut other = (*current).clone();
    other.core.draws += 1;
    let mut made = commit(user(1), 1, "b");
    made.seen = Some(Arc::new(other));
    same!(
        stage.commit(&made).await?,
        Outcome::Stale(Some(current.clone()))
    );
    made.seen = Some(current);
    stage.committed(&made).await?;
    Ok(())
}

pub(super) async fn the_same_again_is_replayed(stage: Stage) -> Done {
    let first = giving(commit(user(1), 0, "a"), "mug");
    stage.committed(&first).await?;
    let before = (
        stage.participant(user(1)).await?,
        stage.lane(&live()).await?,
    );
    // A retry may have been decided anew, on a newer record and with another answer: what counts is key and fingerprint.
    let mut again = giving(commit(user(1), 1, "a"), "cup");
    again.answer = Arc::from(*b"another");
    for retry in [&first, &again] {
        same!(
            stage.commit(retry).await?,
            Outcome::Replayed(first.answer.clone())
        );
    }
    same!(stage.remembered(&first, 0).await?, Some(Ok(first.answer)));
    same!(
        (
            stage.participant(user(1)).await?,
            stage.lane(&live()).await?
        ),
        before
    );
    Ok(())
}

pub(super) async fn a_replay_outlives_whatever_comes_after(stage: Stage) -> Done {
    let first = giving(commit(user(1), 0, "a"), "mug");
    stage.committed(&first).await?;
    stage.committed(&commit(user(1), 1, "b")).await?;
    for other in 2..4 {
        stage
            .committed(&giving(commit(user(other), 0, "a"), "mug"))
            .await?;
    }
    // By now its version has moved on and its reward is sold out.
    same!(
        stage.commit(&first).await?,
        Outcome::Replayed(first.answer.clone())
    );
    Ok(())
}

pub(super) async fn a_replay_comes_before_pause_and_revision(stage: Stage) -> Done {
    let first = commit(user(1), 0, "a");
    stage.committed(&first).await?;
    stage.pause(None).await?;
    same!(
        stage.commit(&first).await?,
        Outcome::Replayed(first.answer.clone())
    );
    stage.publish("{\"second\":true}", &[]).await?;
    same!(
        stage.commit(&first).await?,
        Outcome::Replayed(first.answer.clone())
    );
    let mut other = first.clone();
    other.fingerprint[0] ^= 1;
    same!(stage.commit(&other).await?, Outcome::KeyReused);
    Ok(())
}

pub(super) async fn another_body_under_the_key_is_refused(stage: Stage) -> Done {
    let first = commit(user(1), 0, "a");
    stage.committed(&first).await?;
    for bit in [0, 7, 31] {
        let mut other = giving(commit(user(1), 1, "a"), "mug");
        other.fingerprint[bit] ^= 0x80;
        same!(stage.commit(&other).await?, Outcome::KeyReused);
        same!(stage.remembered(&other, 0).await?, Some(Err(KeyWasUsed)));
    }
    same!(stage.lane(&live()).await?.rows, 1);
    Ok(())
}

pub(super) async fn a_key_is_a_users_own(stage: Stage) -> Done {
    stage.committed(&commit(user(1), 0, "a")).await?;
    let mut others = commit(user(2), 0, "a");
    others.fingerprint = [7; 32];
    stage.committed(&others).await?;
    same!(
        stage.remembered(&others, 0).await?,
        Some(Ok(answer(user(2), 0, "a")))
    );
    // Nor does a key hold from lane to lane.
    let mut tester = commit(user(1), 0, "a");
    tester.campaign = test();
    stage.committed(&tester).await?;
    Ok(())
}

pub(super) async fn an_answer_is_forgotten_after_a_day(stage: Stage) -> Done {
    let first = commit(user(1), 0, "a");
    stage.committed(&first).await?;
    same!(
        stage.remembered(&first, REMEMBER_MS - 1).await?,
        Some(Ok(first.answer.clone()))
    );
    same!(stage.remembered(&first, REMEMBER_MS).await?, None);
    let mut late = first.clone();
    late.at += REMEMBER_MS - 1;
    same!(
        stage.commit(&late).await?,
        Outcome::Replayed(first.answer.clone())
    );
    late.at += 1;
    // Forgotten, it is a new call: one that saw an old version.
    holds!(matches!(
        stage.commit(&late).await?,
        Outcome::Stale(Some(_))
    ));
    late.expected = 1;
    late.answer = Arc::from(*b"anew");
    stage.committed(&late).await?;
    same!(
        stage.remembered(&late, 0).await?,
        Some(Ok(late.answer.clone()))
    );
    Ok(())
}

pub(super) async fn the_newest_sixteen_answers_are_remembered(stage: Stage) -> Done {
    let most = REMEMBER_MOST as u64;
    let sent: Vec<_> = (0..=most)
        .map(|at| commit(user(1), at, &format!("key-{at}")))
        .collect();
    for one in &sent {
        stage.committed(one).await?;
    }
    for (at, one) in sent.iter().enumerate() {
        let known = (at > 0).then(|| Ok(one.answer.clone()));
        same!(stage.remembered(one, 0).await?, known);
    }
    Ok(())
}

pub(super) async fn a_rejection_is_not_remembered(stage: Stage) -> Done {
    let mut early = commit(user(1), 5, "a");
    same!(stage.commit(&early).await?, Outcome::Stale(None));
    same!(stage.remembered(&early, 0).await?, None);
    early.expected = 0;
    early.fingerprint = [3; 32];
    stage.committed(&early).await?;
    Ok(())
}

pub(super) async fn a_revision_that_is_not_live_is_superseded(stage: Stage) -> Done {
    let mut ahead = commit(user(1), 0, "a");
    ahead.revision = 2;
    same!(stage.commit(&ahead).await?, Outcome::Superseded);
    stage.publish("{\"second\":true}", &[]).await?;
    same!(
        stage.commit(&commit(user(1), 0, "b")).await?,
        Outcome::Superseded
    );
    stage.committed(&ahead).await?;
    Ok(())
}

pub(super) async fn an_unknown_campaign_is_superseded(stage: Stage) -> Done {
    let mut strange = commit(user(1), 0, "a");
    for at in 0..3 {
        strange.campaign = live();
        match at {
            0 => strange.campaign.tenant = "other".into(),
            1 => strange.campaign.campaign = "other".into(),
            _ => strange.campaign.edition = 2,
        }
        same!(stage.commit(&strange).await?, Outcome::Superseded);
        let recalled = stage.recall_in(&strange.campaign, user(1)).await?;
        same!((recalled.participant, recalled.live), (None, Vec::new()));
        same!(stage.store.lane(&strange.campaign).await?, None);
    }
    Ok(())
}

pub(super) async fn a_pause_stops_the_live_lane(stage: Stage) -> Done {
    let pause = stage.pause(None).await?;
    let mut silent = commit(user(1), 0, "a");
    same!(stage.commit(&silent).await?, Outcome::Paused(pause.clone()));
    silent.event = None;
    same!(stage.commit(&silent).await?, Outcome::Paused(pause.clone()));
    same!(stage.recall_in(&live(), user(1)).await?.pause, Some(pause));
    same!(stage.recall_in(&test(), user(1)).await?.pause, None);
    let mut tester = commit(user(1), 0, "a");
    tester.campaign = test();
    stage.committed(&tester).await?;
    Ok(())
}

pub(super) async fn a_pause_may_stop_one_event(stage: Stage) -> Done {
    let pause = stage.pause(Some("draw")).await?;
    stage.committed(&commit(user(1), 0, "a")).await?;
    let mut drawing = commit(user(1), 1, "b");
    drawing.event = Some("draw".into());
    same!(stage.commit(&drawing).await?, Outcome::Paused(pause));
    drawing.event = None;
    stage.committed(&drawing).await?;
    Ok(())
}
