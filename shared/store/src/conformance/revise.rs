//! Back to an earlier revision, and the end of an edition: rollback and purge.

use machine::ids::CampaignKey;
use machine::world::{Action, Admin, AdminOutcome, Outcome, Publication, Refused, first_tampered};

use super::Failed;
use super::sample::{self, admin, commit, giving, live, publish, stock, test, user};
use super::stage::Stage;

type Done = Result<(), Failed>;

fn rollback(to: u32, mugs: u32) -> Admin {
    admin(Action::Rollback {
        campaign: sample::CAMPAIGN.into(),
        edition: 1,
        to,
        stock: vec![("mug".into(), mugs)],
        budget: Some(1000),
    })
}

pub(super) fn purge(edition: u32) -> Admin {
    admin(Action::Purge {
        campaign: sample::CAMPAIGN.into(),
        edition,
        reason: Some("a test".into()),
    })
}

/// A publish of another edition.
pub(super) fn edition(number: u32) -> Admin {
    let mut other = admin(publish("{}", &[("mug", 3)], None));
    if let Action::Publish(Publication { edition, .. }) = &mut other.action {
        *edition = number;
    }
    other
}

pub(super) async fn a_rollback_is_the_next_revision(stage: Stage) -> Done {
    stage.publish("{\"second\":true}", &[("mug", 3)]).await?;
    let pause = stage.pause(None).await?;
    same!(stage.done_by(rollback(1, 3)).await?.revision, Some(3));
    let read = async |number| {
        stage
            .store
            .revision(sample::TENANT, sample::CAMPAIGN, 1, number)
            .await
    };
    let (first, third) = (read(1).await?, read(3).await?);
    let bytes = first.as_ref().map(|revision| revision.definition.clone());
    same!(
        third.as_ref().map(|revision| revision.definition.clone()),
        bytes
    );
    same!(
        third.map(|revision| revision.sha256),
        first.map(|revision| revision.sha256)
    );
    let published = stage.store.published().await?;
    let found = published.first().map(|found| {
        let live: Vec<_> = found.live.iter().map(|live| live.revision).collect();
        (found.newest, live, found.pause.clone())
    });
    // What is stopped stays stopped.
    same!(found, Some((3, vec![3], Some(pause))));
    let resume = Action::Resume {
        campaign: sample::CAMPAIGN.into(),
        edition: 1,
    };
    stage.done_by(admin(resume)).await?;
    let mut made = commit(user(1), 0, "a");
    for superseded in [1, 2] {
        made.revision = superseded;
        same!(stage.commit(&made).await?, Outcome::Superseded);
    }
    made.revision = 3;
    stage.committed(&made).await?;
    // It is so already.
    same!(stage.admin(rollback(1, 3)).await?, AdminOutcome::Already);
    same!(stage.admin(rollback(3, 3)).await?, AdminOutcome::Already);
    let audit = stage.store.audit(sample::TENANT, 0).await?;
    let booked = audit.iter().find(|entry| entry.action == "rollback");
    let told = booked.map(|entry| (entry.details.contains("\"to\":1"), entry.campaign.clone()));
    same!(told, Some((true, Some(sample::CAMPAIGN.into()))));
    same!(first_tampered(&audit), None);
    Ok(())
}

pub(super) async fn a_rollback_moves_the_ceilings(stage: Stage) -> Done {
    stage.publish("2", &[("mug", 10)]).await?;
    for number in 0..5 {
        let mut made = giving(commit(user(number), 0, "a"), "mug");
        made.revision = 2;
        stage.committed(&made).await?;
    }
    stage.done_by(rollback(1, 3)).await?;
    // Five are gone and three were asked for: what could not be taken back is owed.
    let mug = stage.counter(&stock("mug")).await?;
    same!((mug.issued, mug.ceiling, mug.configured), (5, 5, 3));
    same!(stage.done_by(rollback(2, 10)).await?.revision, Some(4));
    same!(stage.counter(&stock("mug")).await?.ceiling, 10);
    Ok(())
}

pub(super) async fn a_rollback_to_nowhere_is_refused(stage: Stage) -> Done {
    for to in [0, 2, u32::MAX] {
        let refused = Refused::NoSuchRevision(sample::CAMPAIGN.into(), to);
        same!(
            stage.admin(rollback(to, 3)).await?,
            AdminOutcome::Refused(refused)
        );
    }
    let mut elsewhere = rollback(1, 3);
    if let Action::Rollback { edition, .. } = &mut elsewhere.action {
        *edition = 2;
    }
    let refused = Refused::NoSuchCampaign(sample::CAMPAIGN.into(), 2);
    same!(
        stage.admin(elsewhere).await?,
        AdminOutcome::Refused(refused)
    );
    Ok(())
}

async fn nothing_is_left(stage: &Stage, key: &CampaignKey) -> Done {
    same!(stage.store.lane(key).await?, None);
    same!(stage.ledger(key).await?, Vec::new());
    let recalled = stage.recall_in(key, user(1)).await?;
    same!(
        (recalled.participant, recalled.live, recalled.pause),
        (None, Vec::new(), None)
    );
    let page = stage.store.participants(key, None, 10).await?;
    same!((page.participants.len(), page.next), (0, None));
    same!(stage.store.due(key, i64::MAX, 10).await?, Vec::new());
    Ok(())
}

pub(super) async fn a_purge_leaves_nothing(stage: Stage) -> Done {
    let mut made = giving(commit(user(1), 0, "a"), "mug");
    made.timer = Some(sample::START + 1);
    stage.committed(&made).await?;
    let mut tester = commit(user(1), 0, "a");
    tester.campaign = test();
    stage.committed(&tester).await?;
    stage.done_by(purge(1)).await?;
    nothing_is_left(&stage, &live()).await?;
    nothing_is_left(&stage, &test()).await?;
    same!(stage.store.published().await?.len(), 0);
    same!(
        stage
            .store
            .revision(sample::TENANT, sample::CAMPAIGN, 1, 1)
            .await?,
        None
    );
    same!(
        stage.store.history(sample::TENANT, user(1), 100).await?,
        Vec::new()
    );
    same!(stage.remembered(&made, 0).await?, None);
    same!(stage.commit(&made).await?, Outcome::Superseded);
    made.expected = 1;
    same!(stage.commit(&made).await?, Outcome::Superseded);
    Ok(())
}

pub(super) async fn a_purge_is_final(stage: Stage) -> Done {
    let mut keyed = purge(1);
    keyed.key = Some(("purge".into(), [1; 32]));
    stage.done_by(keyed.clone()).await?;
    holds!(matches!(
        stage.admin(keyed).await?,
        AdminOutcome::Replayed(_)
    ));
    same!(stage.admin(purge(1)).await?, AdminOutcome::Already);
    let refused = AdminOutcome::Refused(Refused::Purged(sample::CAMPAIGN.into(), 1));
    same!(stage.admin(edition(1)).await?, refused);
    let nowhere = AdminOutcome::Refused(Refused::NoSuchCampaign(sample::CAMPAIGN.into(), 1));
    same!(stage.admin(rollback(1, 3)).await?, nowhere);
    let unknown = AdminOutcome::Refused(Refused::NoSuchCampaign(sample::CAMPAIGN.into(), 7));
    same!(stage.admin(purge(7)).await?, unknown);
    let audit = stage.store.audit(sample::TENANT, 0).await?;
    let words: Vec<_> = audit.iter().map(|entry| entry.action.as_str()).collect();
    same!(words, ["create-tenant", "publish", "purge"]);
    holds!(audit.iter().any(|entry| entry.details.contains("a test")));
    same!(first_tampered(&audit), None);
    Ok(())
}

pub(super) async fn a_purge_leaves_the_other_editions(stage: Stage) -> Done {
    stage.done_by(edition(2)).await?;
    let mut first = commit(user(1), 0, "a");
    let mut second = giving(commit(user(1), 0, "a"), "mug");
    second.campaign.edition = 2;
    stage.committed(&first).await?;
    stage.committed(&second).await?;
    stage.done_by(purge(1)).await?;
    let next = second.campaign.clone();
    same!(stage.ledger(&next).await?.len(), 2);
    same!(
        stage.store.history(sample::TENANT, user(1), 9).await?.len(),
        2
    );
    same!(stage.lane(&next).await?.participants, 1);
    same!(stage.store.published().await?.len(), 1);
    first.campaign.edition = 2;
    first.expected = 1;
    first.key = "b".into();
    stage.committed(&first).await?;
    Ok(())
}

/// What was played in the test lane goes, and nothing of the live one; then it is played in again, from the beginning.
pub(super) async fn a_test_lane_is_emptied_alone(stage: Stage) -> Done {
    let empty = || {
        admin(Action::PurgeTest {
            campaign: sample::CAMPAIGN.into(),
            edition: 1,
            reason: Some("tried out".into()),
        })
    };
    let seed = stage.lane(&test()).await?.seed;
    stage
        .done_by(admin(Action::MoveClock {
            campaign: sample::CAMPAIGN.into(),
            edition: 1,
            offset: 5000,
        }))
        .await?;
    stage
        .done_by(admin(Action::AddStock {
            campaign: sample::CAMPAIGN.into(),
            edition: 1,
            lane: machine::ids::Lane::Test,
            reward: "mug".into(),
            add: 4,
        }))
        .await?;
    let played = giving(commit(user(1), 0, "a"), "mug");
    let mut tried = played.clone();
    tried.campaign = test();
    for one in [&played, &tried] {
        stage.committed(one).await?;
    }
    let live_before = (
        stage.ledger(&live()).await?,
        stage.counter(&stock("mug")).await?,
        stage.participant(user(1)).await?,
    );
    stage.done_by(empty()).await?;
    let lane = stage.lane(&test()).await?;
    same!(lane.participants, 0);
    same!(lane.clock_offset, 0);
    same!(lane.seed, seed);
    let mugs = lane.counters.iter().find(|(key, _)| *key == stock("mug"));
    let fresh = mugs.map(|(_, mugs)| (mugs.issued, mugs.ceiling, mugs.configured));
    same!(fresh, Some((0, 3, 3)));
    same!(stage.ledger(&test()).await?, Vec::new());
    let seen = stage.recall_in(&test(), user(1)).await?;
    holds!(seen.participant.is_none());
    let history = stage.store.history(sample::TENANT, user(1), 100).await?;
    same!(history, live_before.0.clone());
    let live_after = (
        stage.ledger(&live()).await?,
        stage.counter(&stock("mug")).await?,
        stage.participant(user(1)).await?,
    );
    same!(live_after, live_before);
    // A record that was seen before is none any more, and an answer of then is no answer.
    let mut stale = tried.clone();
    stale.expected = 1;
    stale.key = "b".into();
    holds!(matches!(stage.commit(&stale).await?, Outcome::Stale(None)));
    stage.committed(&tried).await?;
    same!(stage.ledger(&test()).await?.len(), live_before.0.len());
    stage.done_by(empty()).await?;
    same!(stage.ledger(&test()).await?, Vec::new());
    let audit = stage.store.audit(sample::TENANT, 0).await?;
    let last = audit.last().map(|entry| entry.action.as_str());
    same!(last, Some("purge-test"));
    same!(first_tampered(&audit), None);
    Ok(())
}
