//! Pools of codes: each code put once and handed out once, by the serial of the unit.

use std::collections::BTreeSet;
use std::sync::Arc;

use machine::ids::{CampaignKey, Pseudonym};
use machine::ledger::Row;
use machine::model::RewardKind;
use machine::world::{
    Action, Admin, AdminOutcome, CodeLines, CodesPut, Commit, Outcome, Owner, Pool, Refused, Unit,
    first_tampered,
};

use super::Failed;
use super::races::at_once;
use super::sample::{self, START, admin, commit, giving, live, test, user};
use super::stage::Stage;
use crate::codes::Codes;

type Done = Result<(), Failed>;

const POOL: &str = "course";

fn putting(pool: &str) -> Admin {
    admin(Action::PutCodes {
        pool: pool.into(),
        version: "".into(),
        codes: 0,
        lines: CodeLines::default(),
        sha256: [7; 32],
    })
}

fn owner(reward: &str) -> Owner {
    Owner {
        campaign: sample::CAMPAIGN.into(),
        edition: 1,
        reward: reward.into(),
        from: 0,
    }
}

fn binding(pool: &str, owner: Owner) -> Admin {
    let pool = pool.into();
    admin(Action::BindPool { pool, owner })
}

fn filling(reward: &str, units: u32) -> Admin {
    admin(Action::FillStock {
        campaign: sample::CAMPAIGN.into(),
        edition: 1,
        reward: reward.into(),
        units,
    })
}

fn code(number: u64) -> String {
    // Of different lengths, so that no store may count on one.
    format!("CODE-{number}")
}

fn some(numbers: impl IntoIterator<Item = u64>) -> Codes {
    let mut codes = Codes::default();
    for number in numbers {
        codes.push(code(number).as_bytes());
    }
    codes
}

async fn put(stage: &Stage, change: Admin, codes: Codes) -> Result<CodesPut, Failed> {
    match stage.store.put_codes(Box::new(change), codes).await? {
        AdminOutcome::Done(done) => Ok(done.codes.unwrap_or_default()),
        other => Err(Failed(format!("codes came out as {other:?}"))),
    }
}

async fn pool(stage: &Stage, name: &str) -> Result<Pool, Failed> {
    let pools = stage.store.pools(sample::TENANT).await?;
    let mut pools = pools.into_iter();
    let found = pools.find_map(|(known, pool)| (*known == *name).then_some(pool));
    found.ok_or_else(|| Failed(format!("there is no pool {name}")))
}

/// The codes of a reward's units.
async fn codes(stage: &Stage, reward: &str, serials: &[u64]) -> Result<Vec<String>, Failed> {
    let owner = owner(reward);
    let found = stage.store.codes(sample::TENANT, POOL, &owner, serials);
    let text = |code: Option<Arc<str>>| code.map_or_else(|| "-".to_owned(), |code| (*code).into());
    Ok(found.await?.into_iter().map(text).collect())
}

async fn units(stage: &Stage, key: &CampaignKey, who: Pseudonym) -> Result<Vec<Unit>, Failed> {
    Ok(stage.store.units(key, who).await?)
}

/// The same step, giving a code of `reward` too.
fn coding(commit: Commit, reward: &str) -> Commit {
    let mut commit = giving(commit, reward);
    if let Some(Row::Grant(row)) = commit.rows.last_mut() {
        row.kind = RewardKind::Code;
    }
    commit
}

/// What the units of a commit's codes are known by.
fn grants(commit: &Commit) -> Vec<u64> {
    let rows = commit.rows.iter().filter_map(|row| match row {
        Row::Grant(row) if row.kind == RewardKind::Code => {
            Some(Unit::grant(&row.reward, row.period, row.n))
        }
        _ => None,
    });
    rows.collect()
}

pub(super) async fn a_unit_is_the_code_at_its_serial(stage: Stage) -> Done {
    let first = put(&stage, putting(POOL), some(0..600)).await?;
    same!((first.added, first.known, first.codes), (600, 0, 600));
    same!(codes(&stage, "mug", &[0]).await?, ["-"]);
    stage.done_by(binding(POOL, owner("mug"))).await?;
    let second = put(&stage, putting(POOL), some(600..605)).await?;
    same!((second.added, second.codes), (5, 605));
    let serials = [0, 255, 256, 599, 600, 604, 605, 256];
    let expected = [0, 255, 256, 599, 600, 604].map(code).to_vec();
    let expected = [expected, vec!["-".to_owned(), code(256)]].concat();
    same!(codes(&stage, "mug", &serials).await?, expected);
    // Another reward's serials are no codes of this pool.
    same!(codes(&stage, "cup", &[0]).await?, ["-"]);
    same!(codes(&stage, "mug", &[]).await?, Vec::<String>::new());
    let found = pool(&stage, POOL).await?;
    same!(found.codes(), 605);
    let segments = found.segments.iter();
    let told: Vec<_> = segments.map(|one| (one.codes, one.at, &*one.by)).collect();
    same!(told, [(600, START, "ops@acme"), (5, START, "ops@acme")]);
    same!(stage.store.pools("another").await?, Vec::new());
    Ok(())
}

pub(super) async fn a_code_is_put_once(stage: Stage) -> Done {
    put(&stage, putting(POOL), some(0..300)).await?;
    put(&stage, putting("other"), some(300..310)).await?;
    // What stands in any pool of the tenant is left out, and the rest keeps its order.
    let numbers = [305, 900, 7, 299, 700, 900];
    let done = put(&stage, putting(POOL), some(numbers)).await?;
    same!((done.added, done.known, done.codes), (2, 3, 302));
    let done = put(&stage, putting(POOL), some(0..300)).await?;
    same!((done.added, done.known, done.codes), (0, 300, 302));
    stage.done_by(binding(POOL, owner("mug"))).await?;
    same!(
        codes(&stage, "mug", &[299, 300, 301, 302]).await?,
        [code(299), code(900), code(700), "-".to_owned()]
    );
    Ok(())
}

pub(super) async fn a_pool_is_one_rewards(stage: Stage) -> Done {
    // Before there is a code, too.
    stage.done_by(binding(POOL, owner("mug"))).await?;
    same!(pool(&stage, POOL).await?.owners, [owner("mug")]);
    let again = stage.admin(binding(POOL, owner("mug"))).await?;
    same!(again, AdminOutcome::Already);
    let edition = Owner {
        edition: 2,
        ..owner("mug")
    };
    for other in [owner("cup"), edition] {
        let no = AdminOutcome::Refused(Refused::PoolTaken(POOL.into(), owner("mug")));
        same!(stage.admin(binding(POOL, other)).await?, no);
    }
    stage.done_by(binding("second", owner("cup"))).await?;
    Ok(())
}

pub(super) async fn a_put_is_audited_without_a_code(stage: Stage) -> Done {
    let mut keyed = putting(POOL);
    keyed.key = Some(("put".into(), [1; 32]));
    put(&stage, keyed.clone(), some(0..3)).await?;
    let again = stage.store.put_codes(Box::new(keyed.clone()), some(0..3));
    let AdminOutcome::Replayed(body) = again.await? else {
        return Err(Failed("the same again was put again".to_owned()));
    };
    let body = String::from_utf8_lossy(&body).into_owned();
    holds!(body.contains(r#""codes":{"added":3,"known":0,"codes":3}"#));
    let mut other = keyed;
    other.key = Some(("put".into(), [2; 32]));
    let reused = stage.store.put_codes(Box::new(other), some(5..6)).await?;
    same!(reused, AdminOutcome::KeyReused);
    let mut stranger = putting(POOL);
    stranger.tenant = "nobody".into();
    let no = stage
        .store
        .put_codes(Box::new(stranger), some(5..6))
        .await?;
    same!(
        no,
        AdminOutcome::Refused(Refused::NoSuchTenant("nobody".into()))
    );
    same!(pool(&stage, POOL).await?.codes(), 3);
    stage.done_by(binding(POOL, owner("mug"))).await?;
    stage.done_by(filling("mug", 9)).await?;
    let audit = stage.store.audit(sample::TENANT, 0).await?;
    let words: Vec<_> = audit.iter().map(|entry| entry.action.as_str()).collect();
    same!(
        words,
        [
            "create-tenant",
            "publish",
            "put-codes",
            "bind-pool",
            "fill-stock"
        ]
    );
    holds!(audit.iter().all(|entry| !entry.details.contains("CODE")));
    let details = audit.get(2).map(|entry| entry.details.clone());
    let details = details.unwrap_or_default();
    holds!(details.contains("\"added\":3") && details.contains(&"07".repeat(32)));
    same!(first_tampered(&audit), None);
    Ok(())
}

pub(super) async fn a_fill_moves_the_stock_of_both_lanes(stage: Stage) -> Done {
    stage
        .committed(&coding(commit(user(1), 0, "a"), "mug"))
        .await?;
    stage.done_by(filling("mug", 8)).await?;
    for (lane, issued) in [(live(), 1), (test(), 0)] {
        let lane = stage.lane(&lane).await?;
        let mug = lane
            .counters
            .iter()
            .find(|(key, _)| *key == sample::stock("mug"));
        let told = mug.map(|(_, counter)| (counter.issued, counter.ceiling, counter.configured));
        same!(told, Some((issued, 8, 8)));
    }
    same!(stage.admin(filling("mug", 8)).await?, AdminOutcome::Already);
    // Lower, and never below what is gone; a raise makes up for that first.
    stage.done_by(filling("mug", 0)).await?;
    stage.done_by(filling("mug", 4)).await?;
    let mug = stage.counter(&sample::stock("mug")).await?;
    same!((mug.issued, mug.ceiling, mug.shortfall), (1, 4, 0));
    let nowhere = admin(Action::FillStock {
        campaign: "autumn".into(),
        edition: 1,
        reward: "mug".into(),
        units: 1,
    });
    let no = Refused::NoSuchCampaign("autumn".into(), 1);
    same!(stage.admin(nowhere).await?, AdminOutcome::Refused(no));
    Ok(())
}

pub(super) async fn a_record_keeps_which_units_it_has(stage: Stage) -> Done {
    stage.done_by(filling("mug", 9)).await?;
    same!(units(&stage, &live(), user(1)).await?, Vec::new());
    // Not of what is no code.
    let first = giving(coding(coding(commit(user(1), 0, "a"), "mug"), "mug"), "cup");
    stage.committed(&first).await?;
    stage
        .committed(&coding(commit(user(2), 0, "b"), "mug"))
        .await?;
    let mut known: Vec<Unit> = grants(&first)
        .into_iter()
        .zip([0, 1])
        .map(|(grant, serial)| Unit { grant, serial })
        .collect();
    same!(known.len(), 2);
    same!(units(&stage, &live(), user(1)).await?, known);
    // They stay while answers come and go, are replayed, and grants are carried to another revision's tables.
    for number in 1..40 {
        let mut next = commit(user(1), number, &format!("next-{number}"));
        if number == 5 || number == 25 {
            next = coding(next, "mug");
        }
        if number == 30 {
            next.carried = Some(stage.participant(user(1)).await?.grants.clone());
        }
        if number == 33 {
            next.at += 30 * 3_600_000;
        }
        stage.committed(&next).await?;
        if number == 5 || number == 25 {
            let serial = 3 + u64::from(number == 25);
            let new = grants(&next).into_iter();
            known.extend(new.map(|grant| Unit { grant, serial }));
        }
        same!(units(&stage, &live(), user(1)).await?, known);
        let again = stage.commit(&next).await?;
        same!(again, Outcome::Replayed(next.answer.clone()));
    }
    // Stale brings the record, and a refused commit leaves the units.
    let late = coding(commit(user(1), 3, "late"), "mug");
    let record = stage.participant(user(1)).await?;
    same!(
        stage.commit(&late).await?,
        Outcome::Stale(Some(record.clone()))
    );
    same!(record.grants.len(), 5);
    same!(units(&stage, &live(), user(1)).await?, known);
    same!(units(&stage, &test(), user(1)).await?, Vec::new());
    // What a unit is found by takes the first one first.
    let mut left = known.clone();
    let (reward, period, n) = match first.rows.get(1) {
        Some(Row::Grant(row)) => (row.reward.clone(), row.period, row.n),
        _ => return Err(Failed("the sample gives no mug".to_owned())),
    };
    same!(Unit::take(&mut left, &reward, period, n), Some(0));
    same!(Unit::take(&mut left, &reward, period, n), None);
    Ok(())
}

pub(super) async fn of_many_winners_each_has_another_code(stage: Stage) -> Done {
    put(&stage, putting(POOL), some(0..40)).await?;
    stage.done_by(binding(POOL, owner("mug"))).await?;
    stage.done_by(filling("mug", 40)).await?;
    let store = stage.store.clone();
    let won = at_once(move |number| {
        let store = store.clone();
        async move {
            let made = coding(commit(user(number), 0, &format!("w-{number}")), "mug");
            let outcome = store.commit(Box::new(made)).await?;
            if !matches!(outcome, Outcome::Committed(_)) {
                return Ok(None);
            }
            let units = store.units(&live(), user(number)).await?;
            let serials: Vec<u64> = units.iter().map(|unit| unit.serial).collect();
            let owner = owner("mug");
            let codes = store.codes(sample::TENANT, POOL, &owner, &serials);
            Ok(codes.await?.into_iter().next().flatten())
        }
    })
    .await?;
    let codes: BTreeSet<Arc<str>> = won.into_iter().flatten().collect();
    same!(codes.len(), 40);
    same!(codes, (0..40).map(|number| code(number).into()).collect());
    Ok(())
}
