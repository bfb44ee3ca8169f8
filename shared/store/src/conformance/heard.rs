//! What a record keeps of other campaigns' messages: with its commit, and nowhere else.

use std::sync::Arc;

use machine::model::Sender;
use machine::participant::Heard;
use machine::world::{Commit, Outcome, REMEMBER_MOST};

use super::Failed;
use super::sample::{commit, user};
use super::stage::Stage;

type Done = Result<(), Failed>;

fn heard(source: &str, sequence: u64) -> Heard {
    Heard {
        source: source.into(),
        sequence,
    }
}

/// A commit that a message of another campaign brought about.
fn told(expected: u64, heard: &[Heard]) -> Commit {
    Commit {
        sender: Sender::Campaign,
        heard: heard.to_vec(),
        ..commit(user(1), expected, "told")
    }
}

pub(super) async fn what_was_heard_stays_until_it_is_replaced(stage: Stage) -> Done {
    let steps = [
        vec![],
        vec![heard("words/1", 0)],
        vec![heard("words/1", u64::MAX), heard("words/2", 3)],
        vec![],
    ];
    for (expected, heard) in (0..).zip(steps) {
        stage.committed(&told(expected, &heard)).await?;
        same!(stage.participant(user(1)).await?.heard, heard);
    }
    Ok(())
}

pub(super) async fn a_message_pushes_out_no_answer(stage: Stage) -> Done {
    let first = commit(user(1), 0, "a");
    stage.committed(&first).await?;
    for sequence in 1..=REMEMBER_MOST as u64 + 1 {
        stage
            .committed(&told(sequence, &[heard("words/1", sequence)]))
            .await?;
    }
    same!(
        stage.commit(&first).await?,
        Outcome::Replayed(first.answer.clone())
    );
    Ok(())
}

/// Only a store that may lose its last writes need look.
pub(super) async fn a_record_that_heard_less_is_no_ground(stage: Stage) -> Done {
    if !stage.store.is_remote() {
        return Ok(());
    }
    stage.committed(&told(0, &[heard("words/1", 7)])).await?;
    let current = stage.participant(user(1)).await?;
    let mut other = (*current).clone();
    other.heard.clear();
    let mut made = told(1, &[heard("words/1", 8)]);
    made.seen = Some(Arc::new(other));
    same!(
        stage.commit(&made).await?,
        Outcome::Stale(Some(current.clone()))
    );
    made.seen = Some(current);
    stage.committed(&made).await?;
    Ok(())
}
