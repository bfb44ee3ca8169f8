//! What is read back: the ledger, one user's history, timers, what is published.

use machine::Value;
use machine::input::Used;
use machine::world::{Action, AdminOutcome, Attribution, Publication};
use sha2::{Digest, Sha256};

use super::Failed;
use super::sample::{self, admin, commit, giving, live, publish, test, user};
use super::stage::Stage;

type Done = Result<(), Failed>;

/// Commits of five users by turns, with one row, two, or none.
async fn play(stage: &Stage) -> Result<u64, Failed> {
    let mut rows = 0;
    for round in 0..4 {
        for number in 0..5 {
            let mut made = commit(user(number), round, &format!("k{round}"));
            if round == 1 && number < 3 {
                made = giving(made, "mug");
            } else if round == 2 {
                made.rows.clear();
            }
            let applied = stage.committed(&made).await?;
            same!(applied.first_row, rows);
            rows += made.rows.len() as u64;
        }
    }
    Ok(rows)
}

pub(super) async fn rows_are_numbered_in_order(stage: Stage) -> Done {
    let rows = play(&stage).await?;
    let found = stage.ledger(&live()).await?;
    let numbers: Vec<u64> = found.iter().map(|row| row.number).collect();
    same!(numbers, (0..rows).collect::<Vec<_>>());
    same!(stage.lane(&live()).await?.rows, rows);
    let users: Vec<_> = found.iter().take(5).map(|row| row.user).collect();
    same!(users, (0..5).map(user).collect::<Vec<_>>());
    same!(stage.ledger(&test()).await?, Vec::new());
    Ok(())
}

pub(super) async fn rows_are_read_from_anywhere(stage: Stage) -> Done {
    play(&stage).await?;
    let all = stage.ledger(&live()).await?;
    for from in 0..=all.len() + 1 {
        for most in [0, 1, 3, 100] {
            let want: Vec<_> = all.iter().skip(from).take(most).cloned().collect();
            same!(stage.store.ledger(&live(), from as u64, most).await?, want);
        }
    }
    same!(stage.store.ledger(&live(), u64::MAX, 9).await?, Vec::new());
    Ok(())
}

pub(super) async fn a_row_tells_its_commit(stage: Stage) -> Done {
    let mut made = giving(commit(user(1), 0, "a"), "mug");
    made.attribution = Attribution {
        request_id: "r-1".into(),
        channel: Some("app".into()),
        scene: None,
        variant: Some("b".into()),
        occurred_at: Some(7),
        subjects: vec![("device".into(), "a1b2".into())],
        facts: vec![
            Used::Yes,
            Used::No,
            Used::Found(Value::Int(3)),
            Used::Declared(Value::Str("gold".into())),
            Used::NotAsked,
        ],
    };
    stage.committed(&made).await?;
    let rows = stage.ledger(&live()).await?;
    for row in &rows {
        same!(
            (&row.campaign, row.revision, row.user),
            (&made.campaign, 1, made.user)
        );
        same!(
            (&row.event, row.sender, row.at),
            (&made.event, made.sender, made.core.now)
        );
        same!(row.attribution, made.attribution);
    }
    let ids: Vec<_> = rows.iter().map(|row| row.grant_id().is_some()).collect();
    same!(ids, [false, true]);
    Ok(())
}

pub(super) async fn a_history_is_of_one_user(stage: Stage) -> Done {
    // The same pseudonym in another campaign of the tenant, in another lane, and in another tenant.
    let mut second = admin(publish("{}", &[], None));
    if let Action::Publish(Publication { campaign, .. }) = &mut second.action {
        *campaign = "autumn".into();
    }
    stage.done_by(second.clone()).await?;
    let mut tenant = admin(Action::CreateTenant {
        secret: machine::luck::Seed([4; 32]),
    });
    tenant.tenant = "other".into();
    stage.done_by(tenant).await?;
    second.tenant = "other".into();
    stage.done_by(second).await?;
    for at in 0..3 {
        stage
            .committed(&commit(user(1), at, &format!("a{at}")))
            .await?;
        stage
            .committed(&commit(user(2), at, &format!("b{at}")))
            .await?;
    }
    let mut autumn = commit(user(1), 0, "c");
    autumn.campaign.campaign = "autumn".into();
    // Campaigns have no order between them but time.
    autumn.core.now += 1;
    stage.committed(&autumn).await?;
    let mut foreign = autumn.clone();
    foreign.campaign.tenant = "other".into();
    stage.committed(&foreign).await?;

    let all = stage.store.history(sample::TENANT, user(1), 100).await?;
    let told: Vec<_> = all
        .iter()
        .map(|row| (&*row.campaign.campaign, row.number))
        .collect();
    same!(
        told,
        [("spring", 0), ("spring", 2), ("spring", 4), ("autumn", 0)]
    );
    holds!(
        all.iter()
            .all(|row| row.user == user(1) && &*row.campaign.tenant == sample::TENANT)
    );
    same!(
        stage.store.history(sample::TENANT, user(1), 2).await?,
        all[2..]
    );
    same!(
        stage.store.history(sample::TENANT, user(3), 9).await?,
        Vec::new()
    );
    same!(stage.store.history("nobody", user(1), 9).await?, Vec::new());
    Ok(())
}

pub(super) async fn timers_are_due_in_order(stage: Stage) -> Done {
    for (number, due) in [(1, 300), (2, 100), (3, 200), (4, 100)] {
        let mut made = commit(user(number), 0, "a");
        made.timer = Some(due);
        stage.committed(&made).await?;
    }
    let due = |now, most| stage.store.due(sample_key(), now, most);
    same!(due(99, 9).await?, Vec::new());
    same!(due(100, 9).await?, vec![user(2), user(4)]);
    same!(due(1000, 3).await?, vec![user(2), user(4), user(3)]);
    same!(
        due(1000, 9).await?,
        vec![user(2), user(4), user(3), user(1)]
    );
    // Looking takes nothing away.
    same!(due(100, 9).await?, vec![user(2), user(4)]);
    Ok(())
}

fn sample_key() -> &'static machine::ids::CampaignKey {
    static KEY: std::sync::LazyLock<machine::ids::CampaignKey> = std::sync::LazyLock::new(live);
    &KEY
}

pub(super) async fn a_timer_is_replaced_and_removed(stage: Stage) -> Done {
    let mut made = commit(user(1), 0, "a");
    made.timer = Some(100);
    stage.committed(&made).await?;
    let mut later = commit(user(1), 1, "b");
    later.timer = Some(200);
    stage.committed(&later).await?;
    same!(stage.store.due(&live(), 199, 9).await?, Vec::new());
    same!(stage.store.due(&live(), 200, 9).await?, vec![user(1)]);
    stage.committed(&commit(user(1), 2, "c")).await?;
    same!(stage.store.due(&live(), i64::MAX, 9).await?, Vec::new());
    Ok(())
}

pub(super) async fn recall_tells_what_is_live(stage: Stage) -> Done {
    let recalled = stage.recall_in(&live(), user(1)).await?;
    same!(
        (recalled.answer, recalled.participant, recalled.pause),
        (None, None, None)
    );
    let revisions =
        |live: &[machine::world::Live]| live.iter().map(|one| one.revision).collect::<Vec<_>>();
    same!(revisions(&recalled.live), [1]);
    stage.publish("{\"second\":true}", &[]).await?;
    let recalled = stage.recall_in(&live(), user(1)).await?;
    same!(revisions(&recalled.live), [2]);
    same!(
        recalled.live.iter().map(|one| one.share).sum::<u32>(),
        10_000
    );
    Ok(())
}

pub(super) async fn what_was_published_is_read_back(stage: Stage) -> Done {
    same!(
        stage.admin(admin(publish("{}", &[], Some(1000)))).await?,
        AdminOutcome::Already
    );
    stage.publish("{\"second\":true}", &[]).await?;
    let store = &stage.store;
    for (number, definition) in [(1, "{}"), (2, "{\"second\":true}")] {
        let found = store
            .revision(sample::TENANT, sample::CAMPAIGN, 1, number)
            .await?;
        let Some(found) = found else {
            return Err(Failed(format!("revision {number} is not there")));
        };
        same!(*found.definition, *definition.as_bytes());
        let sha256: [u8; 32] = Sha256::digest(definition).into();
        same!(
            (found.sha256, found.at, &*found.by),
            (sha256, sample::START, "ops@acme")
        );
    }
    same!(
        store
            .revision(sample::TENANT, sample::CAMPAIGN, 1, 3)
            .await?,
        None
    );
    same!(
        store
            .revision(sample::TENANT, sample::CAMPAIGN, 2, 1)
            .await?,
        None
    );
    same!(store.revision("other", sample::CAMPAIGN, 1, 1).await?, None);
    stage
        .committed(&{
            let mut made = giving(commit(user(1), 0, "a"), "mug");
            made.revision = 2;
            made
        })
        .await?;
    let published = store.published().await?;
    let told: Vec<_> = published
        .iter()
        .map(|one| {
            (
                &*one.tenant,
                &*one.campaign,
                one.edition,
                one.newest,
                one.granted_rules.len(),
            )
        })
        .collect();
    same!(told, [(sample::TENANT, sample::CAMPAIGN, 1, 2, 1)]);
    same!(
        store
            .tenant_secret(sample::TENANT)
            .await?
            .map(|seed| seed.0),
        Some([9; 32])
    );
    same!(store.tenant_secret("other").await?, None);
    Ok(())
}
