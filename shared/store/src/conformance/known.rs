//! Who has a record where: what first sight is decided by.

use machine::ids::CampaignKey;
use machine::world::Outcome;

use super::Failed;
use super::revise::{edition, purge};
use super::sample::{commit, giving, live, test, user};
use super::stage::Stage;

type Done = Result<(), Failed>;

fn second() -> CampaignKey {
    CampaignKey {
        edition: 2,
        ..live()
    }
}

async fn known(stage: &Stage, lanes: &[CampaignKey], number: u64) -> Result<bool, Failed> {
    Ok(stage.store.is_known(lanes, user(number)).await?)
}

pub(super) async fn who_was_here_is_known_lane_by_lane(stage: Stage) -> Done {
    stage.done_by(edition(2)).await?;
    let nowhere = CampaignKey {
        campaign: "nowhere".into(),
        ..live()
    };
    let mut tester = commit(user(2), 0, "a");
    tester.campaign = test();
    stage.committed(&commit(user(1), 0, "a")).await?;
    stage.committed(&tester).await?;
    holds!(known(&stage, &[live()], 1).await?);
    holds!(known(&stage, &[second(), nowhere.clone(), live()], 1).await?);
    holds!(!known(&stage, &[], 1).await?);
    holds!(!known(&stage, &[nowhere, second(), test()], 1).await?);
    holds!(known(&stage, &[test()], 2).await?);
    holds!(!known(&stage, &[live()], 2).await?);
    // More lanes than are asked for at once.
    let editions = (3..600).map(|edition| CampaignKey { edition, ..live() });
    let mut many: Vec<CampaignKey> = editions.collect();
    holds!(!known(&stage, &many, 1).await?);
    many.push(live());
    holds!(known(&stage, &many, 1).await?);
    Ok(())
}

pub(super) async fn what_was_refused_makes_nobody_known(stage: Stage) -> Done {
    let mut gone = giving(commit(user(1), 0, "a"), "mug");
    gone.expected = 7;
    holds!(matches!(stage.commit(&gone).await?, Outcome::Stale(None)));
    holds!(!known(&stage, &[live()], 1).await?);
    stage.recall_in(&live(), user(1)).await?;
    holds!(!known(&stage, &[live()], 1).await?);
    Ok(())
}

pub(super) async fn who_was_purged_is_not_known(stage: Stage) -> Done {
    stage.done_by(edition(2)).await?;
    let mut next = commit(user(2), 0, "a");
    next.campaign = second();
    stage.committed(&commit(user(1), 0, "a")).await?;
    stage.committed(&next).await?;
    stage.done_by(purge(1)).await?;
    holds!(!known(&stage, &[live(), second()], 1).await?);
    holds!(known(&stage, &[live(), second()], 2).await?);
    Ok(())
}
