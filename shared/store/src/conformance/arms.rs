//! Two revisions live at once: each user has one of them, and the commit holds every step to it.

use machine::ids::Pseudonym;
use machine::world::{
    Action, Admin, AdminOutcome, Commit, Live, Outcome, Refused, WHOLE, arm, first_tampered,
};

use super::Failed;
use super::sample::{self, admin, commit, giving, live, publish, stock, test, user};
use super::stage::Stage;

type Done = Result<(), Failed>;

const SECOND: &str = "{\"second\":true}";

fn release(definition: &str, share: u32, mugs: u32) -> Admin {
    admin(Action::Release {
        campaign: sample::CAMPAIGN.into(),
        edition: 1,
        definition: definition.as_bytes().into(),
        stock: vec![("mug".into(), mugs)],
        budget: Some(1000),
        over: 1,
        share,
    })
}

fn share(parts: u32) -> Admin {
    admin(Action::Share {
        campaign: sample::CAMPAIGN.into(),
        edition: 1,
        arms: (1, 2),
        share: parts,
        stock: Vec::new(),
        budget: None,
    })
}

fn step(user: Pseudonym, revision: u32, expected: u64) -> Commit {
    let mut made = commit(user, expected, &format!("{revision}-{expected}"));
    made.revision = revision;
    made.core.revision = revision;
    made
}

async fn now_live(stage: &Stage) -> Result<Vec<(u32, u32)>, Failed> {
    let published = stage.store.published().await?;
    let found = published.first().map(|found| found.live.clone());
    let recalled = stage.recall_in(&live(), user(1)).await?.live;
    same!(found, Some(recalled.clone()));
    Ok(recalled
        .iter()
        .map(|one| (one.revision, one.share))
        .collect())
}

/// Those of `many` users whose revision is the second one where it has `share`.
fn newer(many: u64, share: u32) -> Vec<Pseudonym> {
    let parts = [(1, WHOLE - share), (2, share)];
    let parts = parts.map(|(revision, share)| Live { revision, share });
    let is_newer = |user: &Pseudonym| arm(&parts, &live(), user) == Some(2);
    (0..many).map(user).filter(is_newer).collect()
}

/// Tries every user's step under both revisions; those of `newer` must be the second one's.
async fn each_has_one(stage: &Stage, many: u64, newer: &[Pseudonym], expected: u64) -> Done {
    for user in (0..many).map(user) {
        let (own, other) = if newer.contains(&user) {
            (2, 1)
        } else {
            (1, 2)
        };
        same!(
            stage.commit(&step(user, other, expected)).await?,
            Outcome::Superseded
        );
        stage.committed(&step(user, own, expected)).await?;
    }
    Ok(())
}

pub(super) async fn a_step_is_of_the_users_own_revision(stage: Stage) -> Done {
    same!(
        stage.done_by(release(SECOND, 3000, 3)).await?.revision,
        Some(2)
    );
    same!(now_live(&stage).await?, vec![(1, 7000), (2, 3000)]);
    let some = newer(30, 3000);
    holds!(some.len() > 2 && some.len() < 20);
    each_has_one(&stage, 30, &some, 0).await?;
    // In the test lane, too.
    for (user, own) in (0..30).map(|n| (user(n), some.contains(&user(n)))) {
        let mut made = step(user, 2, 0);
        made.campaign = test();
        let outcome = stage.commit(&made).await?;
        same!(matches!(outcome, Outcome::Committed(_)), own);
    }
    Ok(())
}

pub(super) async fn a_share_grows_and_ends_as_the_whole(stage: Stage) -> Done {
    stage.done_by(release(SECOND, 1, 3)).await?;
    let mut before: Vec<Pseudonym> = newer(25, 1);
    for (expected, parts) in (0..).zip([1, 2000, 6000, 9999]) {
        if parts > 1 {
            stage.done_by(share(parts)).await?;
        }
        let now = newer(25, parts);
        holds!(before.iter().all(|user| now.contains(user)));
        each_has_one(&stage, 25, &now, expected).await?;
        before = now;
    }
    same!(stage.admin(share(9999)).await?, AdminOutcome::Already);
    let narrower = AdminOutcome::Refused(Refused::Narrower(9999));
    same!(stage.admin(share(1)).await?, narrower);
    same!(
        stage.admin(share(WHOLE + 1)).await?,
        AdminOutcome::Refused(Refused::NoShare)
    );
    stage.done_by(share(WHOLE)).await?;
    same!(now_live(&stage).await?, vec![(2, WHOLE)]);
    for user in (0..25).map(user) {
        same!(stage.commit(&step(user, 1, 4)).await?, Outcome::Superseded);
        stage.committed(&step(user, 2, 4)).await?;
    }
    let one = AdminOutcome::Refused(Refused::OneIsLive);
    same!(stage.admin(share(WHOLE)).await?, one);
    same!(stage.admin(share(0)).await?, one);
    Ok(())
}

pub(super) async fn what_is_taken_back_is_nobodys(stage: Stage) -> Done {
    let pause = stage.pause(Some("draw")).await?;
    stage.done_by(release(SECOND, 5000, 10)).await?;
    same!(stage.counter(&stock("mug")).await?.ceiling, 10);
    let some = newer(12, 5000);
    for (n, user) in some.iter().enumerate() {
        let mut made = giving(step(*user, 2, 0), "mug");
        made.key = format!("mug-{n}").into();
        stage.committed(&made).await?;
    }
    let gone = some.len() as i64;
    let mut back = share(0);
    if let Action::Share { stock, budget, .. } = &mut back.action {
        (*stock, *budget) = (vec![("mug".into(), 3)], Some(1000));
    }
    same!(stage.done_by(back).await?.revision, Some(1));
    same!(now_live(&stage).await?, vec![(1, WHOLE)]);
    // Shared by both while there were two; then the older one's figure again, but for what is gone.
    let mug = stage.counter(&stock("mug")).await?;
    same!(
        (mug.issued, mug.ceiling, mug.configured),
        (gone, gone.max(3), 3)
    );
    for user in &some {
        same!(stage.commit(&step(*user, 2, 1)).await?, Outcome::Superseded);
        let mut carried = step(*user, 1, 1);
        carried.carried = Some(Vec::new());
        stage.committed(&carried).await?;
        same!(stage.participant(*user).await?.core.revision, 1);
    }
    // What was taken back is still there to be read, and its number is used.
    let published = stage.store.published().await?;
    let newest = published
        .first()
        .map(|found| (found.newest, found.pause.clone()));
    same!(newest, Some((2, Some(pause))));
    let mut again = release(SECOND, 100, 3);
    same!(stage.done_by(again.clone()).await?.revision, Some(3));
    again.key = Some(("again".into(), [2; 32]));
    same!(stage.admin(again).await?, AdminOutcome::Already);
    Ok(())
}

pub(super) async fn a_release_stands_beside_one_revision(stage: Stage) -> Done {
    for (parts, over, refused) in [
        (0, 1, Refused::NoShare),
        (WHOLE, 1, Refused::NoShare),
        (500, 7, Refused::OthersAreLive),
    ] {
        let mut asked = release(SECOND, parts, 3);
        if let Action::Release { over: one, .. } = &mut asked.action {
            *one = over;
        }
        same!(stage.admin(asked).await?, AdminOutcome::Refused(refused));
    }
    same!(
        stage.admin(release("{}", 500, 3)).await?,
        AdminOutcome::Already
    );
    same!(now_live(&stage).await?, vec![(1, WHOLE)]);
    let mut elsewhere = release(SECOND, 500, 3);
    if let Action::Release { edition, .. } = &mut elsewhere.action {
        *edition = 2;
    }
    let nowhere = Refused::NoSuchCampaign(sample::CAMPAIGN.into(), 2);
    same!(
        stage.admin(elsewhere).await?,
        AdminOutcome::Refused(nowhere)
    );
    stage.done_by(release(SECOND, 500, 3)).await?;
    same!(
        stage.admin(release("{\"third\":true}", 500, 3)).await?,
        AdminOutcome::Refused(Refused::TwoAreLive)
    );
    // What is published for all is for all, whatever was released; and who looked before that is told so.
    stage.publish(SECOND, &[("mug", 3)]).await?;
    same!(now_live(&stage).await?, vec![(3, WHOLE)]);
    stage
        .done_by(admin(Action::Release {
            campaign: sample::CAMPAIGN.into(),
            edition: 1,
            definition: b"{\"fourth\":true}"[..].into(),
            stock: Vec::new(),
            budget: None,
            over: 3,
            share: 10,
        }))
        .await?;
    same!(
        stage.admin(share(500)).await?,
        AdminOutcome::Refused(Refused::OthersAreLive)
    );
    same!(now_live(&stage).await?, vec![(3, WHOLE - 10), (4, 10)]);
    stage
        .done_by(admin(publish("{\"fifth\":true}", &[], None)))
        .await?;
    same!(now_live(&stage).await?, vec![(5, WHOLE)]);
    Ok(())
}

pub(super) async fn a_release_is_in_the_audit_and_replayed(stage: Stage) -> Done {
    let mut keyed = release(SECOND, 500, 3);
    keyed.key = Some(("release".into(), [1; 32]));
    stage.done_by(keyed.clone()).await?;
    let mut wider = share(600);
    wider.key = Some(("wider".into(), [2; 32]));
    wider.why = Some("so far so good".into());
    stage.done_by(wider.clone()).await?;
    stage.done_by(share(WHOLE)).await?;
    for again in [keyed, wider] {
        holds!(matches!(
            stage.admin(again).await?,
            AdminOutcome::Replayed(_)
        ));
    }
    let audit = stage.store.audit(sample::TENANT, 0).await?;
    let words: Vec<_> = audit.iter().map(|entry| entry.action.as_str()).collect();
    same!(
        words,
        ["create-tenant", "publish", "publish", "share", "share"]
    );
    let told = |at: usize, part: &str| {
        let entry = audit.get(at);
        entry.is_some_and(|entry| entry.details.contains(part))
    };
    holds!(told(2, "\"share\":500") && told(2, "\"over\":1"));
    holds!(told(3, "{\"1\":9400,\"2\":600}") && told(3, "so far so good"));
    holds!(told(4, "{\"1\":0,\"2\":10000}"));
    same!(first_tampered(&audit), None);
    Ok(())
}
