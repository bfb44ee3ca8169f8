//! Many at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use machine::ledger::Row;
use machine::world::{Bound, CounterKey, CounterMove, Outcome, REMEMBER_MOST};
use tokio::task::JoinSet;

use super::Failed;
use super::sample::{commit, giving, live, user};
use super::stage::Stage;
use crate::Store;

type Done = Result<(), Failed>;

const TASKS: u64 = 64;

/// Runs `task` for each number at once and collects what they give.
pub(super) async fn at_once<T, F>(task: impl Fn(u64) -> F) -> Result<Vec<T>, Failed>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Failed>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for number in 0..TASKS {
        tasks.spawn(task(number));
    }
    let mut found = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        found.push(ended.map_err(|error| Failed(format!("a task failed: {error}")))??);
    }
    Ok(found)
}

pub(super) async fn ten_units_have_ten_winners(stage: Stage) -> Done {
    stage.publish("2", &[("mug", 10)]).await?;
    let store = stage.store.clone();
    // Two tasks for each user, so that versions clash too; each repeats its call as a client with a bad line would.
    let won = at_once(move |number| win_a_mug(store.clone(), number)).await?;
    same!(won.iter().filter(|won| **won).count(), 10);
    let rows = stage.ledger(&live()).await?;
    let serial = |row: &Row| match row {
        Row::Grant(grant) => grant.serial,
        _ => None,
    };
    let serials: Vec<u64> = rows.iter().filter_map(|row| serial(&row.row)).collect();
    same!(serials, (0..10).collect::<Vec<_>>());
    Ok(())
}

pub(super) async fn a_window_gives_exactly_its_stock(stage: Stage) -> Done {
    let store = stage.store.clone();
    let key = CounterKey::Quota("flash-1000-mug".into(), 20_000);
    let quota = key.clone();
    let got = at_once(move |number| {
        let (store, key) = (store.clone(), quota.clone());
        async move {
            let mut made = commit(user(number), 0, "claim");
            made.moves = vec![CounterMove {
                key,
                add: 1,
                bound: Bound::Given(10),
            }];
            match store.commit(Box::new(made)).await? {
                Outcome::Committed(_) => Ok(true),
                Outcome::Exhausted(_) => Ok(false),
                other => Err(Failed(format!("claim {number} came out as {other:?}"))),
            }
        }
    })
    .await?;
    same!(got.iter().filter(|got| **got).count(), 10);
    same!(stage.counter(&key).await?.issued, 10);
    Ok(())
}

pub(super) async fn a_code_is_used_by_exactly_one(stage: Stage) -> Done {
    let store = stage.store.clone();
    let code = user(4711);
    let used = at_once(move |number| {
        let store = store.clone();
        async move {
            let mut made = commit(user(number), 0, "redeem");
            made.moves = vec![CounterMove {
                key: CounterKey::Code(code),
                add: 1,
                bound: Bound::Given(1),
            }];
            match store.commit(Box::new(made)).await? {
                Outcome::Committed(_) => Ok(true),
                Outcome::Exhausted(_) => Ok(false),
                other => Err(Failed(format!("redeem {number} came out as {other:?}"))),
            }
        }
    })
    .await?;
    same!(used.iter().filter(|used| **used).count(), 1);
    same!(stage.store.uses(&live(), &[code]).await?, [1]);
    Ok(())
}

async fn win_a_mug(store: Arc<dyn Store>, number: u64) -> Result<bool, Failed> {
    let who = user(number % (TASKS / 2));
    let key = format!("task-{number}");
    let mut expected = 0;
    let mut answered = None;
    for _ in 0..10_000 {
        let mut made = giving(commit(who, expected, &key), "mug");
        made.revision = 2;
        let bytes = made.answer.clone();
        match store.commit(Box::new(made)).await? {
            Outcome::Committed(_) if answered.is_none() => answered = Some(bytes),
            Outcome::Replayed(again) => {
                same!(Some(again), answered);
                return Ok(true);
            }
            Outcome::Stale(current) => expected = current.map_or(0, |found| found.core.version),
            Outcome::Exhausted(_) if answered.is_none() => return Ok(false),
            other => return Err(Failed(format!("{key} came out as {other:?}"))),
        }
    }
    Err(Failed(format!("{key} found no end")))
}

pub(super) async fn twins_get_one_answer(stage: Stage) -> Done {
    let store = stage.store.clone();
    let outcomes = at_once(move |number| {
        let store = store.clone();
        async move {
            // Each twin was answered in words of its own; what is sent is what the one that was first said.
            let mut twin = giving(commit(user(1), 0, "twin"), "mug");
            twin.answer = format!("twin {number}").into_bytes().into();
            let said = twin.answer.clone();
            Ok((said, store.commit(Box::new(twin)).await?))
        }
    })
    .await?;
    let (mut committed, mut replayed) = (Vec::new(), Vec::new());
    for (said, outcome) in outcomes {
        match outcome {
            Outcome::Committed(_) => committed.push(said),
            Outcome::Replayed(bytes) => replayed.push(bytes),
            other => return Err(Failed(format!("a twin came out as {other:?}"))),
        }
    }
    same!((committed.len(), replayed.len()), (1, TASKS as usize - 1));
    holds!(
        replayed
            .iter()
            .all(|bytes| Some(bytes) == committed.first())
    );
    same!(stage.participant(user(1)).await?.core.version, 1);
    Ok(())
}

pub(super) async fn one_user_is_never_in_two_places(stage: Stage) -> Done {
    let store = stage.store.clone();
    let versions = at_once(move |number| {
        let store = store.clone();
        async move {
            let key = format!("task-{number}");
            let mut expected = 0;
            loop {
                match store
                    .commit(Box::new(commit(user(1), expected, &key)))
                    .await?
                {
                    Outcome::Committed(applied) => return Ok(applied.version),
                    Outcome::Stale(current) => {
                        expected = current.map_or(0, |found| found.core.version);
                    }
                    other => return Err(Failed(format!("{key} came out as {other:?}"))),
                }
            }
        }
    })
    .await?;
    same!(
        versions.into_iter().collect::<BTreeSet<_>>(),
        (1..=TASKS).collect::<BTreeSet<_>>()
    );
    same!(stage.participant(user(1)).await?.core.version, TASKS);
    same!(stage.lane(&live()).await?.rows, TASKS);
    Ok(())
}

pub(super) async fn a_dropped_commit_still_commits(stage: Stage) -> Done {
    let most = REMEMBER_MOST as u64;
    for number in 0..most {
        let later = stage.store.commit(Box::new(commit(user(number), 0, "a")));
        drop(later);
    }
    for number in 0..most {
        let made = commit(user(number), 0, "a");
        let mut found = None;
        for _ in 0..1000 {
            found = stage.remembered(&made, 0).await?;
            if found.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        same!(found, Some(Ok(made.answer)));
    }
    Ok(())
}
