//! Lists of entries: numbered without gaps, and closed for good.

use machine::ids::{CampaignKey, Lane};
use machine::ledger::{EntryRow, RaffleRow, Row};
use machine::raffle::{MOST_ENTRIES, figure, nobody};
use machine::world::{Action, AdminOutcome, Commit, CounterKey, Left, Measure, Outcome, Refused};

use super::Failed;
use super::races::at_once;
use super::sample::{self, admin, commit, live, moving, test, user};
use super::stage::Stage;

type Done = Result<(), Failed>;

const DRAW: &str = "raffle";

fn entries() -> CounterKey {
    CounterKey::Entries(DRAW.into())
}

async fn open(stage: &Stage) -> Result<u32, Failed> {
    let (name, most) = figure(DRAW);
    let done = stage
        .publish("draw", &[("mug", 3), ("cup", 5), (&name, most)])
        .await?;
    Ok(done.revision.unwrap_or_default())
}

/// The same step, entering the draw as often.
fn entering(mut made: Commit, times: u32) -> Commit {
    made.revision = 2;
    made.moves.push(moving(entries(), i64::from(times)));
    for _ in 0..times {
        made.rows.push(Row::Entry(EntryRow {
            draw: DRAW.into(),
            number: None,
        }));
    }
    made
}

fn close(lane: Lane) -> Action {
    Action::CloseEntries {
        campaign: sample::CAMPAIGN.into(),
        edition: 1,
        lane,
        draw: DRAW.into(),
    }
}

async fn numbers(stage: &Stage, key: &CampaignKey) -> Result<Vec<Option<u64>>, Failed> {
    let rows = stage.ledger(key).await?;
    let number = |row: &Row| match row {
        Row::Entry(entry) => Some(entry.number),
        _ => None,
    };
    Ok(rows.iter().filter_map(|row| number(&row.row)).collect())
}

pub(super) async fn entries_are_numbered_lane_by_lane(stage: Stage) -> Done {
    open(&stage).await?;
    let mut tried = entering(commit(user(1), 0, "t"), 1);
    tried.campaign = test();
    stage.committed(&tried).await?;
    stage
        .committed(&entering(commit(user(1), 0, "a"), 2))
        .await?;
    stage
        .committed(&entering(commit(user(2), 0, "b"), 1))
        .await?;
    stage
        .committed(&entering(sample::giving(commit(user(1), 1, "c"), "mug"), 1))
        .await?;
    same!(
        numbers(&stage, &live()).await?,
        (0..4).map(Some).collect::<Vec<_>>()
    );
    same!(numbers(&stage, &test()).await?, [Some(0)]);
    same!(stage.counter(&entries()).await?.issued, 4);
    // A unit without its row would be a hole in the list.
    let mut unsound = entering(commit(user(3), 0, "d"), 1);
    unsound.rows.pop();
    same!(stage.commit(&unsound).await?, Outcome::Frozen(entries()));
    Ok(())
}

pub(super) async fn a_closed_list_takes_no_entry(stage: Stage) -> Done {
    open(&stage).await?;
    stage
        .committed(&entering(commit(user(1), 0, "a"), 2))
        .await?;
    let done = stage.done_by(admin(close(Lane::Live))).await?;
    same!(done.ceiling, Some(2));
    let left = stage
        .exhausted(&entering(commit(user(2), 0, "b"), 1))
        .await?;
    same!(
        left,
        [Left {
            key: entries(),
            left: 0
        }]
    );
    same!(
        stage.admin(admin(close(Lane::Live))).await?,
        AdminOutcome::Already
    );
    let audit = stage.store.audit(sample::TENANT, done.audit).await?;
    same!(
        audit.first().map(|entry| entry.action.as_str()),
        Some("close-entries")
    );
    // Nothing that staff or a publish do opens it again.
    let (name, most) = figure(DRAW);
    stage.publish("other", &[("mug", 3), (&name, most)]).await?;
    let reward = name.clone();
    let (campaign, edition, lane) = (sample::CAMPAIGN.into(), 1, Lane::Live);
    let add = Action::AddStock {
        campaign,
        edition,
        lane,
        reward,
        add: 5,
    };
    let no = AdminOutcome::Refused(Refused::NoSuchStock(name.clone()));
    same!(stage.admin(admin(add)).await?, no);
    let mut again = entering(commit(user(2), 0, "c"), 1);
    again.revision = 3;
    stage.exhausted(&again).await?;
    let counter = stage.counter(&entries()).await?;
    same!((counter.issued, counter.ceiling), (2, 2));
    // The other lane is open, and a lane that is emptied begins anew.
    let mut tried = again.clone();
    tried.campaign = test();
    stage.committed(&tried).await?;
    stage.done_by(admin(close(Lane::Test))).await?;
    let (campaign, edition, reason) = (sample::CAMPAIGN.into(), 1, None);
    stage
        .done_by(admin(Action::PurgeTest {
            campaign,
            edition,
            reason,
        }))
        .await?;
    stage.committed(&tried).await?;
    same!(numbers(&stage, &test()).await?, [Some(0)]);
    Ok(())
}

pub(super) async fn there_is_no_list_without_a_draw(stage: Stage) -> Done {
    let no = AdminOutcome::Refused(Refused::NoSuchDraw(DRAW.into()));
    same!(stage.admin(admin(close(Lane::Live))).await?, no);
    let mut made = entering(commit(user(1), 0, "a"), 1);
    made.revision = 1;
    same!(stage.commit(&made).await?, Outcome::Frozen(entries()));
    same!(MOST_ENTRIES > 1_000_000, true);
    let (campaign, edition, lane) = (sample::CAMPAIGN.into(), 1, Lane::Live);
    let reward: std::sync::Arc<str> = figure(DRAW).0;
    let take = Measure::Withdraw {
        campaign,
        edition,
        lane,
        reward: reward.clone(),
        units: None,
    };
    let no = AdminOutcome::Refused(Refused::NoSuchStock(reward));
    same!(stage.admin(admin(Action::Measure(take))).await?, no);
    Ok(())
}

/// Whoever is told that they entered is on the list, and nobody else, whenever it is closed.
pub(super) async fn who_entered_is_on_the_list_and_nobody_else(stage: Stage) -> Done {
    open(&stage).await?;
    let store = stage.store.clone();
    let entered = at_once(move |number| {
        let store = store.clone();
        async move {
            if number % 16 == 7 {
                let closed = store.admin(Box::new(admin(close(Lane::Live)))).await;
                // Too many entries meanwhile: whoever closes tries again.
                return Ok((number, false, closed.is_ok()));
            }
            let made = entering(commit(user(number), 0, "a"), 1);
            let outcome = store.commit(Box::new(made)).await?;
            match outcome {
                Outcome::Committed(_) => Ok((number, true, false)),
                Outcome::Exhausted(_) => Ok((number, false, false)),
                other => Err(Failed(format!("{number} came out as {other:?}"))),
            }
        }
    })
    .await?;
    stage.admin(admin(close(Lane::Live))).await?;
    let counter = stage.counter(&entries()).await?;
    same!(counter.issued, counter.ceiling);
    let rows = stage.ledger(&live()).await?;
    let listed = rows.iter().filter(|row| matches!(row.row, Row::Entry(_)));
    let mut listed: Vec<_> = listed.map(|row| row.user).collect();
    let mut told: Vec<_> = entered
        .iter()
        .filter(|(_, entered, _)| *entered)
        .map(|(number, ..)| user(*number))
        .collect();
    listed.sort_unstable();
    told.sort_unstable();
    same!(listed, told);
    same!(counter.issued, listed.len() as i64);
    let expected: Vec<_> = (0..counter.issued.unsigned_abs()).map(Some).collect();
    same!(numbers(&stage, &live()).await?, expected);
    Ok(())
}

/// A draw is booked on a record of nobody's: the first one stands, and is found again.
pub(super) async fn a_draw_is_booked_once(stage: Stage) -> Done {
    open(&stage).await?;
    let who = nobody(&live(), DRAW);
    let row = Row::Raffle(RaffleRow {
        draw: DRAW.into(),
        entries: 2,
        sha256: [7; 32],
        prizes: vec![("mug".into(), 1)],
        alternates: 1,
        claim_within: Some(1000),
        order: vec![user(2), user(1)],
    });
    let mut made = commit(who, 0, "draw");
    made.revision = 2;
    made.event = None;
    made.rows = vec![row.clone()];
    stage.committed(&made).await?;
    let mut second = made.clone();
    second.key = "other".into();
    match stage.commit(&second).await? {
        Outcome::Stale(Some(_)) => {}
        other => return Err(Failed(format!("a second draw came out as {other:?}"))),
    }
    let found = stage.store.history(sample::TENANT, who, 1).await?;
    let found: Vec<_> = found
        .into_iter()
        .map(|found| (found.campaign, found.row))
        .collect();
    same!(found, [(live(), row)]);
    Ok(())
}
