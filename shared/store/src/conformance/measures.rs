//! What is done when something is wrong: stopped rewards, withdrawn stock, a tenant's pause, blocked users, notices.

use std::sync::Arc;

use machine::ids::{CampaignKey, Lane, Pseudonym};
use machine::ledger::{AmendedRow, Row};
use machine::model::Sender;
use machine::participant::Status;
use machine::world::{
    Action, Admin, AdminOutcome, Block, Blocked, Commit, CounterKey, Deed, Left, Measure, Notice,
    Outcome, Pause, Publication, Refused,
};

use super::Failed;
use super::sample::{
    CAMPAIGN, START, TENANT, admin, commit, giving, live, moving, publish, stock, test, user,
};
use super::stage::Stage;
use crate::Published;

type Done = Result<(), Failed>;

fn measure(measure: Measure) -> Admin {
    admin(Action::Measure(measure))
}

fn stop(reward: &str) -> Admin {
    measure(Measure::StopReward {
        campaign: CAMPAIGN.into(),
        edition: 1,
        reward: reward.into(),
    })
}

fn start(reward: &str) -> Admin {
    measure(Measure::StartReward {
        campaign: CAMPAIGN.into(),
        edition: 1,
        reward: reward.into(),
    })
}

fn withdraw(lane: Lane, reward: &str, units: Option<u32>) -> Admin {
    measure(Measure::Withdraw {
        campaign: CAMPAIGN.into(),
        edition: 1,
        lane,
        reward: reward.into(),
        units,
    })
}

fn pause() -> Pause {
    Pause {
        reason: "an incident".to_owned(),
        notice: Some("back soon".to_owned()),
        until: None,
        event: None,
    }
}

fn block(user: Pseudonym, until: Option<i64>) -> Admin {
    measure(Measure::Block { user, until })
}

/// A step that gives a reward without stock.
fn points(step: Commit) -> Commit {
    let mut step = giving(step, "points");
    step.moves.retain(|moved| moved.key != stock("points"));
    step
}

fn stopped(reward: &str) -> Left {
    Left {
        key: CounterKey::Stopped(reward.into()),
        left: 0,
    }
}

async fn published(stage: &Stage, campaign: &str) -> Result<Published, Failed> {
    let all = stage.store.published().await?;
    let found = all.into_iter().find(|found| *found.campaign == *campaign);
    found.ok_or_else(|| Failed(format!("{campaign} is not published")))
}

/// The same step in another campaign of the tenant.
fn there(mut step: Commit) -> Commit {
    step.campaign.campaign = "winter".into();
    step
}

async fn publish_there(stage: &Stage) -> Done {
    let Action::Publish(Publication {
        edition,
        definition,
        stock,
        budget,
        seeds,
        ..
    }) = publish("{\"winter\":true}", &[("mug", 3)], None)
    else {
        return Err(Failed("a publish".to_owned()));
    };
    let action = Action::Publish(Publication {
        campaign: "winter".into(),
        edition,
        definition,
        stock,
        budget,
        seeds,
    });
    stage.done_by(admin(action)).await?;
    Ok(())
}

pub(super) async fn nothing_of_a_stopped_reward_is_given(stage: Stage) -> Done {
    stage
        .committed(&points(giving(commit(user(1), 0, "a"), "mug")))
        .await?;
    stage.done_by(stop("mug")).await?;
    stage.done_by(stop("points")).await?;
    same!(stage.admin(stop("mug")).await?, AdminOutcome::Already);
    // Whatever is given, one answer names all that is stopped.
    let all = [stopped("mug"), stopped("points")];
    for step in [
        giving(commit(user(2), 0, "a"), "mug"),
        points(commit(user(2), 0, "a")),
        points(giving(commit(user(2), 0, "a"), "cup")),
    ] {
        same!(stage.exhausted(&step).await?, all);
    }
    same!(stage.counter(&stock("mug")).await?.issued, 1);
    same!(stage.counter(&stock("cup")).await?.issued, 0);
    // What is gone comes before it, alternatives too.
    let mut late = giving(commit(user(2), 0, "a"), "mug");
    late.alternatives = vec![moving(stock("cup"), 6)];
    let cups = Left {
        key: stock("cup"),
        left: 5,
    };
    same!(
        stage.exhausted(&late).await?,
        [cups.clone(), all[0].clone(), all[1].clone()]
    );
    let mut many = giving(commit(user(2), 0, "a"), "cup");
    for _ in 0..5 {
        many = giving(many, "cup");
    }
    same!(
        stage.exhausted(&many).await?,
        [cups, all[0].clone(), all[1].clone()]
    );
    // Another reward, and a name that begins alike, go on; so does the test lane.
    stage
        .committed(&giving(commit(user(2), 0, "a"), "cup"))
        .await?;
    let mut alike = points(commit(user(3), 0, "a"));
    for row in &mut alike.rows {
        if let Row::Grant(grant) = row {
            grant.reward = "point".into();
        }
    }
    stage.committed(&alike).await?;
    let mut tester = points(giving(commit(user(4), 0, "a"), "mug"));
    tester.campaign = test();
    stage.committed(&tester).await?;
    // A retry of what was given before is answered as it was.
    let first = points(giving(commit(user(1), 0, "a"), "mug"));
    same!(
        stage.commit(&first).await?,
        Outcome::Replayed(first.answer.clone())
    );
    same!(
        published(&stage, CAMPAIGN).await?.stopped,
        [Arc::from("mug"), Arc::from("points")]
    );
    // A new revision leaves it stopped.
    stage.publish("{\"second\":true}", &[]).await?;
    let mut second = giving(commit(user(5), 0, "a"), "mug");
    second.revision = 2;
    same!(stage.exhausted(&second).await?, all);
    stage.done_by(start("mug")).await?;
    same!(stage.admin(start("mug")).await?, AdminOutcome::Already);
    stage.committed(&second).await?;
    stage.done_by(start("points")).await?;
    let mut third = points(commit(user(6), 0, "a"));
    third.revision = 2;
    stage.committed(&third).await?;
    same!(published(&stage, CAMPAIGN).await?.stopped.len(), 0);
    Ok(())
}

pub(super) async fn what_is_left_is_withdrawn(stage: Stage) -> Done {
    stage
        .committed(&giving(commit(user(1), 0, "a"), "cup"))
        .await?;
    let done = stage.done_by(withdraw(Lane::Live, "cup", Some(1))).await?;
    same!((done.withdrawn, done.ceiling), (Some(1), Some(4)));
    // More than is left, and all of it: never what is gone.
    let done = stage.done_by(withdraw(Lane::Live, "cup", Some(9))).await?;
    same!((done.withdrawn, done.ceiling), (Some(3), Some(1)));
    same!(
        stage.admin(withdraw(Lane::Live, "cup", None)).await?,
        AdminOutcome::Already
    );
    // Fewer than were published: that is not sold out.
    let none = [
        Left {
            key: stock("cup"),
            left: 0,
        },
        stopped("cup"),
    ];
    let late = giving(commit(user(2), 0, "a"), "cup");
    same!(stage.exhausted(&late).await?, none);
    stage.done_by(stop("cup")).await?;
    same!(stage.exhausted(&late).await?, none);
    stage.done_by(start("cup")).await?;
    let done = stage.done_by(withdraw(Lane::Test, "mug", None)).await?;
    same!((done.withdrawn, done.ceiling), (Some(3), Some(0)));
    same!(stage.counter(&stock("mug")).await?.ceiling, 3);
    same!(
        stage.admin(withdraw(Lane::Live, "ghost", None)).await?,
        AdminOutcome::Refused(Refused::NoSuchStock("ghost".into()))
    );
    // What the config says is another figure: a publish moves on from here.
    stage.publish("{\"second\":true}", &[("cup", 7)]).await?;
    same!(stage.counter(&stock("cup")).await?.ceiling, 3);
    let audit = stage.store.audit(TENANT, 0).await?;
    let told: Vec<_> = audit
        .iter()
        .filter(|entry| entry.action == "withdraw-stock")
        .map(|entry| entry.details.as_str())
        .collect();
    same!(told.len(), 3);
    holds!(told[1].contains("\"asked\":9") && told[1].contains("\"withdrawn\":3"));
    holds!(told[1].contains("\"ceiling\":1"));
    Ok(())
}

pub(super) async fn a_tenants_pause_stops_all_its_campaigns(stage: Stage) -> Done {
    publish_there(&stage).await?;
    let halt = || measure(Measure::PauseTenant { pause: pause() });
    stage.done_by(halt()).await?;
    let here = commit(user(1), 0, "a");
    for step in [here.clone(), there(here.clone())] {
        same!(stage.commit(&step).await?, Outcome::Paused(pause()));
        let recalled = stage.recall_in(&step.campaign, step.user).await?;
        same!(recalled.pause, Some(pause()));
    }
    let mut tester = here.clone();
    tester.campaign = test();
    stage.committed(&tester).await?;
    same!(stage.recall_in(&test(), user(1)).await?.pause, None);
    // A campaign's own pause and its end change nothing of it, nor does a new revision.
    stage.pause(Some("sign-in")).await?;
    let found = published(&stage, CAMPAIGN).await?;
    same!(found.stop(), Some(&pause()));
    holds!(found.pause.is_some_and(|own| own != pause()));
    let (campaign, edition) = (CAMPAIGN.into(), 1);
    stage
        .done_by(admin(Action::Resume { campaign, edition }))
        .await?;
    stage.publish("{\"second\":true}", &[]).await?;
    let mut second = here.clone();
    second.revision = 2;
    same!(stage.commit(&second).await?, Outcome::Paused(pause()));
    let end = || measure(Measure::ResumeTenant);
    stage.done_by(end()).await?;
    same!(stage.admin(end()).await?, AdminOutcome::Already);
    stage.committed(&second).await?;
    stage.committed(&there(here)).await?;
    same!(published(&stage, "winter").await?.stop(), None);
    Ok(())
}

pub(super) async fn a_tenants_pause_stops_what_is_published_later(stage: Stage) -> Done {
    stage
        .done_by(measure(Measure::PauseTenant { pause: pause() }))
        .await?;
    stage.done_by(block(user(7), None)).await?;
    publish_there(&stage).await?;
    let step = there(commit(user(1), 0, "a"));
    same!(stage.commit(&step).await?, Outcome::Paused(pause()));
    stage.done_by(measure(Measure::ResumeTenant)).await?;
    stage.committed(&step).await?;
    let step = there(commit(user(7), 0, "a"));
    same!(
        stage.commit(&step).await?,
        Outcome::Blocked(Blocked { until: None })
    );
    Ok(())
}

pub(super) async fn a_blocked_user_is_refused(stage: Stage) -> Done {
    publish_there(&stage).await?;
    let first = commit(user(1), 0, "a");
    stage.committed(&first).await?;
    let mut change = block(user(1), None);
    change.why = Some("a farm".into());
    stage.done_by(change).await?;
    let kept = Blocked { until: None };
    let second = commit(user(1), 1, "b");
    let mut of_time = second.clone();
    of_time.event = None;
    of_time.sender = Sender::Timer;
    let mut tester = commit(user(1), 0, "c");
    tester.campaign = test();
    for step in [&second, &of_time, &tester, &there(commit(user(1), 0, "d"))] {
        same!(stage.commit(step).await?, Outcome::Blocked(kept));
    }
    // Before the version, after the remembered answer.
    let stale = commit(user(1), 0, "e");
    same!(stage.commit(&stale).await?, Outcome::Blocked(kept));
    same!(
        stage.commit(&first).await?,
        Outcome::Replayed(first.answer.clone())
    );
    let recalled = stage.recall_in(&live(), user(1)).await?;
    same!(recalled.blocked, Some(kept));
    same!(
        recalled.participant.map(|known| known.core.version),
        Some(1)
    );
    let known = Block {
        until: None,
        at: START,
        by: "ops@acme".into(),
        why: Some("a farm".into()),
    };
    same!(stage.store.block(TENANT, user(1)).await?, Some(known));
    // Nobody else is.
    stage.committed(&commit(user(2), 0, "a")).await?;
    same!(stage.recall_in(&live(), user(2)).await?.blocked, None);
    let free = || measure(Measure::Unblock { user: user(1) });
    stage.done_by(free()).await?;
    same!(stage.admin(free()).await?, AdminOutcome::Already);
    same!(stage.store.block(TENANT, user(1)).await?, None);
    stage.committed(&second).await?;
    stage.committed(&there(commit(user(1), 0, "d"))).await?;
    Ok(())
}

pub(super) async fn a_block_ends_by_itself(stage: Stage) -> Done {
    stage.done_by(block(user(1), Some(START + 10))).await?;
    let at = |later: i64, key: &str| {
        let mut step = commit(user(1), 0, key);
        step.at = START + later;
        step
    };
    let kept = Blocked {
        until: Some(START + 10),
    };
    same!(stage.commit(&at(9, "a")).await?, Outcome::Blocked(kept));
    stage.committed(&at(10, "b")).await?;
    Ok(())
}

pub(super) async fn a_blocked_user_is_not_due(stage: Stage) -> Done {
    for number in 0..5 {
        let mut step = commit(user(number), 0, "a");
        step.timer = Some(number.cast_signed());
        stage.committed(&step).await?;
    }
    let due = |most| stage.store.due(&KEY, 9, most);
    for number in [0, 1, 3] {
        stage.done_by(block(user(number), None)).await?;
    }
    // Those who are blocked stand first in line and keep nobody from their turn.
    same!(due(1).await?, vec![user(2)]);
    same!(due(9).await?, vec![user(2), user(4)]);
    stage
        .done_by(measure(Measure::Unblock { user: user(0) }))
        .await?;
    same!(due(2).await?, vec![user(0), user(2)]);
    Ok(())
}

static KEY: std::sync::LazyLock<CampaignKey> = std::sync::LazyLock::new(live);

/// A row that says a grant of this step is held.
fn holding(step: &Commit) -> Row {
    Row::Amended(AmendedRow {
        rule: "wheel-mug".into(),
        reward: "mug".into(),
        period: step.grants[0].period,
        n: 1,
        was: Status::Pending,
        now: Status::Held,
        taken: 0,
        by: "risk@acme".into(),
        why: "a look".into(),
    })
}

pub(super) async fn staff_amend_what_is_stopped(stage: Stage) -> Done {
    let given = giving(commit(user(1), 0, "a"), "mug");
    stage.committed(&given).await?;
    stage.pause(None).await?;
    stage
        .done_by(measure(Measure::PauseTenant { pause: pause() }))
        .await?;
    stage.done_by(block(user(1), None)).await?;
    let mut amends = commit(user(1), 1, "b");
    amends.event = None;
    amends.sender = Sender::Staff;
    let mut held = given.grants[0].clone();
    held.status = Status::Held;
    amends.carried = Some(vec![held.clone()]);
    amends.rows = vec![holding(&given)];
    // Who would give something by hand is stopped like anyone.
    let mut gives = giving(amends.clone(), "mug");
    gives.carried = None;
    same!(stage.commit(&gives).await?, Outcome::Paused(pause()));
    stage.committed(&amends).await?;
    same!(stage.participant(user(1)).await?.grants, [held]);
    let rows = stage.ledger(&live()).await?;
    same!(
        rows.last().map(|row| row.row.clone()),
        Some(holding(&given))
    );
    stage.done_by(measure(Measure::ResumeTenant)).await?;
    let (campaign, edition) = (CAMPAIGN.into(), 1);
    stage
        .done_by(admin(Action::Resume { campaign, edition }))
        .await?;
    gives.expected = 2;
    same!(
        stage.commit(&gives).await?,
        Outcome::Blocked(Blocked { until: None })
    );
    // What staff do is not remembered among the user's answers.
    same!(stage.remembered(&amends, 0).await?, None);
    Ok(())
}

pub(super) async fn what_is_given_by_hand_is_no_promise(stage: Stage) -> Done {
    let mut given = giving(commit(user(1), 0, "a"), "mug");
    for row in &mut given.rows {
        if let Row::Grant(grant) = row {
            grant.rule = machine::ledger::BY_HAND.into();
        }
    }
    stage.committed(&given).await?;
    same!(published(&stage, CAMPAIGN).await?.granted_rules.len(), 0);
    Ok(())
}

pub(super) async fn what_is_done_to_a_user_is_booked(stage: Stage) -> Done {
    let deed = Deed::Grant {
        reward: "mug".into(),
        n: 2,
        ticket: "T-1".into(),
    };
    let mut change = measure(Measure::OnUser {
        campaign: CAMPAIGN.into(),
        edition: 1,
        lane: Lane::Live,
        user: user(1),
        deed,
    });
    change.key = Some(("k".into(), [1; 32]));
    change.why = Some("it broke".into());
    let done = stage.done_by(change.clone()).await?;
    holds!(matches!(
        stage.admin(change.clone()).await?,
        AdminOutcome::Replayed(_)
    ));
    change.key = Some(("k".into(), [2; 32]));
    same!(stage.admin(change).await?, AdminOutcome::KeyReused);
    let audit = stage.store.audit(TENANT, done.audit).await?;
    same!(audit.len(), 1);
    same!(audit[0].action, "grant-by-hand");
    for told in ["T-1", "it broke", "mug", &user(1).to_string()] {
        holds!(audit[0].details.contains(told));
    }
    Ok(())
}

pub(super) async fn a_notice_is_kept(stage: Stage) -> Done {
    let notice = Notice {
        text: machine::Text::one("zh-CN", "发货 推迟 一周"),
        until: Some(START + 1),
    };
    let said = |notice: &Option<Notice>| {
        measure(Measure::Notice {
            campaign: CAMPAIGN.into(),
            edition: 1,
            notice: notice.clone(),
        })
    };
    let notice = Some(notice);
    stage.done_by(said(&notice)).await?;
    same!(stage.admin(said(&notice)).await?, AdminOutcome::Already);
    same!(published(&stage, CAMPAIGN).await?.notice, notice);
    // It stops nothing, and neither a pause nor a revision ends it.
    stage.committed(&commit(user(1), 0, "a")).await?;
    stage.pause(None).await?;
    let late = commit(user(1), 1, "b");
    holds!(matches!(stage.commit(&late).await?, Outcome::Paused(_)));
    stage.publish("{\"second\":true}", &[]).await?;
    same!(published(&stage, CAMPAIGN).await?.notice, notice);
    stage.done_by(said(&None)).await?;
    same!(published(&stage, CAMPAIGN).await?.notice, None);
    Ok(())
}
