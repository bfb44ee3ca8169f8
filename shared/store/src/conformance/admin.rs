//! What ops staff does: tenants, publishes, stock, pauses, keys, the audit.

use machine::ids::Lane;
use machine::luck::Seed;
use machine::world::{Action, Admin, AdminOutcome, Outcome, Publication, Refused, first_tampered};

use super::Failed;
use super::sample::{self, admin, commit, giving, live, publish, stock, test, user};
use super::stage::Stage;

type Done = Result<(), Failed>;

fn adding(add: u32) -> Admin {
    let (campaign, reward) = (sample::CAMPAIGN.into(), "mug".into());
    admin(Action::AddStock {
        campaign,
        edition: 1,
        lane: Lane::Live,
        reward,
        add,
    })
}

/// Gives `units` mugs to users of their own.
async fn give(stage: &Stage, revision: u32, from: u64, units: u64) -> Done {
    for number in from..from + units {
        let mut made = giving(commit(user(number), 0, "a"), "mug");
        made.revision = revision;
        stage.committed(&made).await?;
    }
    Ok(())
}

/// How many mugs can still be given: tried, not read.
async fn left(stage: &Stage, revision: u32, from: u64) -> Result<u64, Failed> {
    for given in 0.. {
        let mut made = giving(commit(user(from + given), 0, "a"), "mug");
        made.revision = revision;
        match stage.commit(&made).await? {
            Outcome::Committed(_) => {}
            Outcome::Exhausted(_) => return Ok(given),
            other => return Err(Failed(format!("giving came out as {other:?}"))),
        }
    }
    Ok(0)
}

pub(super) async fn a_tenant_is_created_once(stage: Stage) -> Done {
    let again = admin(Action::CreateTenant {
        secret: Seed([8; 32]),
    });
    same!(stage.admin(again).await?, AdminOutcome::Already);
    same!(
        stage.store.tenant_secret(sample::TENANT).await?,
        Some(Seed([9; 32]))
    );
    Ok(())
}

pub(super) async fn nothing_is_done_for_a_stranger(stage: Stage) -> Done {
    let mut stranger = admin(publish("{}", &[], None));
    stranger.tenant = "other".into();
    let refused = AdminOutcome::Refused(Refused::NoSuchTenant("other".into()));
    same!(stage.admin(stranger).await?, refused);
    let unknown = admin(Action::Resume {
        campaign: "winter".into(),
        edition: 1,
    });
    let refused = AdminOutcome::Refused(Refused::NoSuchCampaign("winter".into(), 1));
    same!(stage.admin(unknown).await?, refused);
    let mut ghost = adding(1);
    if let Action::AddStock { reward, .. } = &mut ghost.action {
        *reward = "ghost".into();
    }
    let refused = AdminOutcome::Refused(Refused::NoSuchStock("ghost".into()));
    same!(stage.admin(ghost).await?, refused);
    same!(stage.store.published().await?.len(), 1);
    same!(stage.store.audit(sample::TENANT, 0).await?.len(), 2);
    Ok(())
}

pub(super) async fn the_same_definition_is_published_once(stage: Stage) -> Done {
    let again = admin(publish("{}", &[("mug", 3), ("cup", 5)], Some(1000)));
    same!(stage.admin(again).await?, AdminOutcome::Already);
    stage.publish("{\"second\":true}", &[]).await?;
    // To go back to an earlier definition is a new revision.
    same!(stage.publish("{}", &[]).await?.revision, Some(3));
    Ok(())
}

pub(super) async fn a_new_definition_is_live_at_once(stage: Stage) -> Done {
    let seeds = (
        stage.lane(&live()).await?.seed,
        stage.lane(&test()).await?.seed,
    );
    let mut second = admin(publish("{\"second\":true}", &[], None));
    if let Action::Publish(Publication { seeds, .. }) = &mut second.action {
        *seeds = (Seed([7; 32]), Seed([7; 32]));
    }
    same!(stage.done_by(second).await?.revision, Some(2));
    same!(
        stage.commit(&commit(user(1), 0, "a")).await?,
        Outcome::Superseded
    );
    let mut made = commit(user(1), 0, "a");
    made.revision = 2;
    stage.committed(&made).await?;
    // Seeds are made once.
    same!(
        (
            stage.lane(&live()).await?.seed,
            stage.lane(&test()).await?.seed
        ),
        seeds
    );
    Ok(())
}

pub(super) async fn a_ceiling_moves_with_the_figure(stage: Stage) -> Done {
    give(&stage, 1, 0, 2).await?;
    stage.publish("2", &[("mug", 6), ("bowl", 1)]).await?;
    same!(stage.counter(&stock("mug")).await?.ceiling, 6);
    same!(stage.counter(&stock("cup")).await?.ceiling, 5);
    same!(stage.counter(&stock("bowl")).await?.ceiling, 1);
    stage.publish("3", &[("mug", 4)]).await?;
    same!(left(&stage, 3, 100).await?, 2);
    Ok(())
}

pub(super) async fn a_ceiling_stays_above_what_is_gone(stage: Stage) -> Done {
    give(&stage, 1, 0, 3).await?;
    stage.publish("2", &[("mug", 1)]).await?;
    let counter = stage.counter(&stock("mug")).await?;
    same!((counter.issued, counter.ceiling), (3, 3));
    same!(left(&stage, 2, 100).await?, 0);
    // A top-up adds exactly, also now; and a publish that leaves the figure alone leaves the top-up alone.
    same!(stage.done_by(adding(2)).await?.ceiling, Some(5));
    stage.publish("3", &[("mug", 1)]).await?;
    same!(left(&stage, 3, 200).await?, 2);
    Ok(())
}

pub(super) async fn lowering_and_raising_makes_no_units(stage: Stage) -> Done {
    give(&stage, 1, 0, 3).await?;
    stage.publish("2", &[("mug", 1)]).await?;
    stage.publish("3", &[("mug", 3)]).await?;
    same!(left(&stage, 3, 100).await?, 0);
    stage.publish("4", &[("mug", 4)]).await?;
    same!(left(&stage, 4, 200).await?, 1);
    Ok(())
}

pub(super) async fn added_stock_is_exact(stage: Stage) -> Done {
    give(&stage, 1, 0, 1).await?;
    same!(stage.done_by(adding(4)).await?.ceiling, Some(7));
    stage.publish("2", &[("mug", 2)]).await?;
    same!(left(&stage, 2, 100).await?, 5);
    let tests = stage.lane(&test()).await?.counters;
    let mug = tests
        .iter()
        .find(|(key, _)| *key == stock("mug"))
        .map(|(_, counter)| counter.ceiling);
    same!(mug, Some(2));
    Ok(())
}

pub(super) async fn a_resume_ends_a_pause(stage: Stage) -> Done {
    let resume = admin(Action::Resume {
        campaign: sample::CAMPAIGN.into(),
        edition: 1,
    });
    same!(stage.admin(resume.clone()).await?, AdminOutcome::Already);
    let pause = stage.pause(None).await?;
    let published = stage.store.published().await?;
    same!(
        published.first().and_then(|one| one.pause.clone()),
        Some(pause)
    );
    stage.done_by(resume).await?;
    stage.committed(&commit(user(1), 0, "a")).await?;
    Ok(())
}

pub(super) async fn a_clock_is_moved(stage: Stage) -> Done {
    let (campaign, edition) = (sample::CAMPAIGN.into(), 1);
    stage
        .done_by(admin(Action::MoveClock {
            campaign,
            edition,
            offset: -5,
        }))
        .await?;
    same!(stage.lane(&live()).await?.clock_offset, 0);
    same!(stage.lane(&test()).await?.clock_offset, -5);
    Ok(())
}

pub(super) async fn a_key_is_replayed(stage: Stage) -> Done {
    let mut keyed = adding(4);
    keyed.key = Some(("top-up".into(), [1; 32]));
    stage.done_by(keyed.clone()).await?;
    let AdminOutcome::Replayed(first) = stage.admin(keyed.clone()).await? else {
        return Err(Failed("the second time was not a replay".to_owned()));
    };
    holds!(!first.is_empty());
    same!(
        stage.admin(keyed.clone()).await?,
        AdminOutcome::Replayed(first)
    );
    let mut other = adding(5);
    other.key = Some(("top-up".into(), [2; 32]));
    same!(stage.admin(other).await?, AdminOutcome::KeyReused);
    same!(stage.counter(&stock("mug")).await?.ceiling, 7);
    same!(stage.store.audit(sample::TENANT, 0).await?.len(), 3);
    // Forgotten after a day, like a user's.
    keyed.at += machine::world::REMEMBER_MS;
    same!(stage.done_by(keyed).await?.ceiling, Some(11));
    Ok(())
}

pub(super) async fn an_audit_shows_tampering(stage: Stage) -> Done {
    for add in 1..4 {
        stage.done_by(adding(add)).await?;
    }
    let audit = stage.store.audit(sample::TENANT, 0).await?;
    let words: Vec<_> = audit.iter().map(|entry| entry.action.as_str()).collect();
    same!(
        words,
        [
            "create-tenant",
            "publish",
            "add-stock",
            "add-stock",
            "add-stock"
        ]
    );
    same!(first_tampered(&audit), None);
    same!(stage.store.audit(sample::TENANT, 3).await?, audit[3..]);
    same!(stage.store.audit(sample::TENANT, 9).await?, Vec::new());
    same!(stage.store.audit("other", 0).await?, Vec::new());
    for (at, entry) in audit.iter().enumerate() {
        let mut altered = audit.clone();
        altered[at].details = entry.details.replace('1', "2") + " ";
        same!(first_tampered(&altered), Some(at as u64));
        let mut dropped = audit.clone();
        dropped.remove(at);
        let place = (at + 1 < audit.len()).then_some(at as u64);
        same!(first_tampered(&dropped), place);
    }
    // Secrets never stand in it.
    holds!(
        audit
            .iter()
            .all(|entry| !entry.details.contains("9, 9") && !entry.details.contains("seed"))
    );
    Ok(())
}

pub(super) async fn changes_are_told(stage: Stage) -> Done {
    let mut changes = stage.store.changes();
    changes.mark_unchanged();
    stage.committed(&commit(user(1), 0, "a")).await?;
    same!(changes.has_changed().ok(), Some(false));
    stage.publish("{\"second\":true}", &[]).await?;
    let soon = std::time::Duration::from_secs(10);
    holds!(matches!(
        tokio::time::timeout(soon, changes.changed()).await,
        Ok(Ok(()))
    ));
    stage.pause(None).await?;
    holds!(matches!(
        tokio::time::timeout(soon, changes.changed()).await,
        Ok(Ok(()))
    ));
    Ok(())
}
