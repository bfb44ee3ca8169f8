//! Stock and budgets: what is exhausted, what is frozen, which serial a unit has.

use std::sync::Arc;

use machine::ids::{CampaignKey, Lane, Pseudonym};
use machine::ledger::Row;
use machine::world::{
    Action, AdminOutcome, Bound, Commit, CounterKey, CounterMove, Left, Outcome, TALLY_MOST,
};

use super::Failed;
use super::sample::{CAMPAIGN, admin, commit, costing, giving, live, moving, stock, test, user};
use super::stage::Stage;
use crate::LedgerRow;

type Done = Result<(), Failed>;

fn serials(rows: &[LedgerRow], reward: &str) -> Vec<Option<u64>> {
    let serial = |row: &LedgerRow| match &row.row {
        Row::Grant(grant) if *grant.reward == *reward => Some(grant.serial),
        _ => None,
    };
    rows.iter().filter_map(serial).collect()
}

pub(super) async fn serials_count_up_from_nought(stage: Stage) -> Done {
    for number in 0..3 {
        stage
            .committed(&giving(commit(user(number), 0, "a"), "mug"))
            .await?;
        stage
            .committed(&giving(commit(user(number), 1, "b"), "cup"))
            .await?;
    }
    let left = stage
        .exhausted(&giving(commit(user(9), 0, "a"), "mug"))
        .await?;
    same!(
        left,
        [Left {
            key: stock("mug"),
            left: 0
        }]
    );
    let rows = stage.ledger(&live()).await?;
    same!(serials(&rows, "mug"), [Some(0), Some(1), Some(2)]);
    same!(serials(&rows, "cup"), [Some(0), Some(1), Some(2)]);
    same!(stage.counter(&stock("mug")).await?.issued, 3);
    Ok(())
}

pub(super) async fn exhausted_names_every_counter_with_what_is_left(stage: Stage) -> Done {
    let mut all = commit(user(1), 0, "a");
    for _ in 0..3 {
        all = giving(all, "mug");
    }
    stage.committed(&costing(all, 990)).await?;
    let mut dear = costing(giving(commit(user(2), 0, "b"), "mug"), 11);
    let day = CounterKey::BudgetDay(20_000);
    dear.alternatives = vec![
        moving(stock("cup"), 1),
        CounterMove {
            key: day.clone(),
            add: 6,
            bound: Bound::Given(5),
        },
        moving(stock("mug"), 1),
    ];
    let left = stage.exhausted(&dear).await?;
    let named = |key, left| Left { key, left };
    same!(
        left,
        [
            named(stock("mug"), 0),
            named(CounterKey::Budget, 10),
            named(day, 5)
        ]
    );
    // Alternatives are looked at only when a move fails: there is no need of them else.
    let mut cheap = costing(commit(user(2), 0, "b"), 10);
    cheap.alternatives = dear.alternatives;
    stage.committed(&cheap).await?;
    Ok(())
}

pub(super) async fn exhausted_moves_nothing(stage: Stage) -> Done {
    for number in 0..3 {
        stage
            .committed(&giving(commit(user(number), 0, "a"), "mug"))
            .await?;
    }
    let before = (
        stage.lane(&live()).await?,
        stage.participant(user(1)).await?,
    );
    let mut late = costing(giving(giving(commit(user(1), 1, "b"), "cup"), "mug"), 1);
    late.timer = Some(5);
    stage.exhausted(&late).await?;
    same!(
        (
            stage.lane(&live()).await?,
            stage.participant(user(1)).await?
        ),
        before
    );
    same!(stage.ledger(&live()).await?.len() as u64, before.0.rows);
    same!(stage.store.due(&live(), i64::MAX, 9).await?, Vec::new());
    same!(stage.remembered(&late, 0).await?, None);
    Ok(())
}

pub(super) async fn a_missing_counter_is_frozen(stage: Stage) -> Done {
    let ghost = giving(commit(user(1), 0, "a"), "ghost");
    same!(stage.commit(&ghost).await?, Outcome::Frozen(stock("ghost")));
    same!(stage.recall_in(&live(), user(1)).await?.participant, None);
    for number in 0..3 {
        stage
            .committed(&giving(commit(user(number), 0, "b"), "mug"))
            .await?;
    }
    // Also where only an alternative is missing: what is gone can't be told.
    let mut late = giving(commit(user(9), 0, "a"), "mug");
    late.alternatives = vec![moving(stock("ghost"), 1)];
    same!(stage.commit(&late).await?, Outcome::Frozen(stock("ghost")));
    Ok(())
}

pub(super) async fn only_a_days_budget_begins_by_itself(stage: Stage) -> Done {
    let mut sly = giving(commit(user(1), 0, "a"), "ghost");
    for known in &mut sly.moves {
        known.bound = Bound::Given(100);
    }
    same!(stage.commit(&sly).await?, Outcome::Frozen(stock("ghost")));
    let mut four = commit(user(1), 0, "b");
    for _ in 0..4 {
        four = giving(four, "mug");
    }
    for known in &mut four.moves {
        known.bound = Bound::Given(100);
    }
    same!(
        stage.exhausted(&four).await?,
        [Left {
            key: stock("mug"),
            left: 3
        }]
    );
    let mut unbound = commit(user(1), 0, "c");
    unbound.moves = vec![moving(CounterKey::BudgetDay(1), 1)];
    same!(
        stage.commit(&unbound).await?,
        Outcome::Frozen(CounterKey::BudgetDay(1))
    );
    Ok(())
}

pub(super) async fn a_budget_is_never_overdrawn(stage: Stage) -> Done {
    stage
        .committed(&costing(commit(user(1), 0, "a"), 999))
        .await?;
    let left = stage
        .exhausted(&costing(commit(user(2), 0, "b"), 2))
        .await?;
    same!(
        left,
        [Left {
            key: CounterKey::Budget,
            left: 1
        }]
    );
    stage
        .exhausted(&costing(commit(user(2), 0, "c"), -1))
        .await?;
    stage
        .exhausted(&costing(commit(user(2), 0, "d"), i64::MAX))
        .await?;
    stage
        .committed(&costing(commit(user(2), 0, "e"), 1))
        .await?;
    same!(stage.counter(&CounterKey::Budget).await?.issued, 1000);
    Ok(())
}

pub(super) async fn a_budget_of_a_day_begins_anew(stage: Stage) -> Done {
    let on = |day, add, bound| CounterMove {
        key: CounterKey::BudgetDay(day),
        add,
        bound: Bound::Given(bound),
    };
    let spend = |expected: u64, movement: CounterMove| {
        let mut made = commit(user(1), expected, &format!("k{expected}"));
        made.moves = vec![movement];
        made
    };
    stage.committed(&spend(0, on(100, 40, 50))).await?;
    let left = stage.exhausted(&spend(1, on(100, 11, 50))).await?;
    same!(
        left,
        [Left {
            key: CounterKey::BudgetDay(100),
            left: 10
        }]
    );
    stage.committed(&spend(1, on(101, 50, 50))).await?;
    // The bound comes with the move, so a new revision's bound holds from the next commit on.
    stage.committed(&spend(2, on(100, 30, 70))).await?;
    let left = stage.exhausted(&spend(3, on(100, 1, 20))).await?;
    same!(
        left,
        [Left {
            key: CounterKey::BudgetDay(100),
            left: 0
        }]
    );
    same!(stage.counter(&CounterKey::BudgetDay(100)).await?.issued, 70);
    Ok(())
}

/// A user's step that takes one of what a rule gives on a day, and is given it.
fn taking(number: u64, rule: &str, day: i32, most: i64) -> Commit {
    let mut made = commit(user(number), 0, &format!("{rule}-{day}"));
    made.moves = vec![CounterMove {
        key: CounterKey::Quota(rule.into(), day),
        add: 1,
        bound: Bound::Given(most),
    }];
    made
}

pub(super) async fn a_quota_begins_by_itself_and_is_one_rules_and_one_days(stage: Stage) -> Done {
    let key = |rule: &str, day| CounterKey::Quota(rule.into(), day);
    for number in 0..2 {
        stage
            .committed(&taking(number, "flash-1000-mug", 20_000, 2))
            .await?;
    }
    let late = taking(9, "flash-1000-mug", 20_000, 2);
    same!(
        stage.exhausted(&late).await?,
        [Left {
            key: key("flash-1000-mug", 20_000),
            left: 0
        }]
    );
    // What was refused has taken nothing; another window, and another day, have their own.
    stage
        .committed(&taking(3, "flash-2000-mug", 20_000, 2))
        .await?;
    stage
        .committed(&taking(4, "flash-1000-mug", 20_001, 2))
        .await?;
    // The bound comes with the move: a new revision's holds from the next commit on.
    stage
        .committed(&taking(5, "flash-1000-mug", 20_000, 3))
        .await?;
    same!(
        stage.counter(&key("flash-1000-mug", 20_000)).await?.issued,
        3
    );
    same!(
        stage.counter(&key("flash-2000-mug", 20_000)).await?.issued,
        1
    );
    same!(
        stage.counter(&key("flash-1000-mug", 20_001)).await?.issued,
        1
    );
    let mut unbound = taking(6, "flash-1000-mug", 20_000, 0);
    unbound.moves = vec![moving(key("flash-1000-mug", 20_000), 1)];
    same!(
        stage.commit(&unbound).await?,
        Outcome::Frozen(key("flash-1000-mug", 20_000))
    );
    Ok(())
}

pub(super) async fn counters_of_days_long_past_are_forgotten(stage: Stage) -> Done {
    stage.committed(&taking(1, "flash", 20_000, 5)).await?;
    stage.committed(&taking(2, "flash", 20_008, 5)).await?;
    let kept = |lane: crate::Lane| {
        let days = lane.counters.iter().filter_map(|(key, _)| key.day());
        days.collect::<Vec<_>>()
    };
    same!(kept(stage.lane(&live()).await?), [20_000, 20_008]);
    stage.committed(&taking(3, "flash", 20_009, 5)).await?;
    same!(kept(stage.lane(&live()).await?), [20_008, 20_009]);
    Ok(())
}

pub(super) async fn a_tally_begins_by_itself_and_is_read_by_its_team(stage: Stage) -> Done {
    let (red, blue): (Arc<str>, Arc<str>) = ("red".into(), "blue".into());
    let counted = |number: u64, expected, team: &Arc<str>, day| {
        let mut made = commit(user(number), expected, &format!("k{expected}"));
        made.moves = vec![CounterMove {
            key: CounterKey::Tally(team.clone(), day),
            add: 1,
            bound: Bound::Given(TALLY_MOST),
        }];
        made
    };
    let tallies =
        async |key: &CampaignKey, team: &Arc<str>, days| stage.store.tallies(key, team, days).await;
    same!(tallies(&live(), &red, 99..=101).await?, [0, 0, 0]);
    for number in 0..3 {
        stage.committed(&counted(number, 0, &red, 100)).await?;
    }
    stage.committed(&counted(0, 1, &red, 101)).await?;
    stage.committed(&counted(9, 0, &blue, 100)).await?;
    // What is refused counts nobody.
    let mut gone = giving(counted(8, 0, &red, 101), "mug");
    gone.expected = 7;
    let refused = stage.commit(&gone).await?;
    holds!(matches!(refused, Outcome::Stale(_)));
    same!(tallies(&live(), &red, 99..=102).await?, [0, 3, 1, 0]);
    same!(tallies(&live(), &blue, 100..=100).await?, [1]);
    same!(tallies(&test(), &red, 100..=100).await?, [0]);
    let all = [
        (blue.clone(), 100, 1),
        (red.clone(), 100, 3),
        (red.clone(), 101, 1),
    ];
    let mut told = stage.store.all_tallies(&live()).await?;
    told.sort();
    same!(told, all);
    same!(stage.store.all_tallies(&test()).await?, []);
    // They are not among the counters that are looked at as a whole.
    let lane = stage.store.lane(&live()).await?;
    let counters = lane.map(|lane| lane.counters).unwrap_or_default();
    holds!(
        !counters
            .iter()
            .any(|(key, _)| matches!(key, CounterKey::Tally(..)))
    );
    // A move without its bound is unsound, as a day's budget is.
    let mut unbound = counted(7, 0, &red, 100);
    unbound.moves = vec![moving(CounterKey::Tally(red.clone(), 100), 1)];
    let frozen = stage.commit(&unbound).await?;
    same!(frozen, Outcome::Frozen(CounterKey::Tally(red, 100)));
    Ok(())
}

pub(super) async fn a_code_begins_by_itself_and_is_used_as_often_as_it_may(stage: Stage) -> Done {
    let using = |number: u64, code: Pseudonym, uses: i64| {
        let mut made = commit(user(number), 0, "k");
        made.moves = vec![CounterMove {
            key: CounterKey::Code(code),
            add: 1,
            bound: Bound::Given(uses),
        }];
        made
    };
    let (once, thrice, never) = (user(901), user(902), user(903));
    let all = [once, thrice, never];
    let uses = async |key: &CampaignKey| stage.store.uses(key, &all).await;
    same!(uses(&live()).await?, [0, 0, 0]);
    stage.committed(&using(1, once, 1)).await?;
    let gone = Left {
        key: CounterKey::Code(once),
        left: 0,
    };
    same!(stage.exhausted(&using(2, once, 1)).await?, [gone]);
    for number in 3..6 {
        stage.committed(&using(number, thrice, 3)).await?;
    }
    stage.exhausted(&using(6, thrice, 3)).await?;
    // A later revision may let it be used more often, or less.
    stage.committed(&using(6, thrice, 4)).await?;
    stage.exhausted(&using(7, thrice, 2)).await?;
    same!(uses(&live()).await?, [1, 4, 0]);
    same!(stage.store.uses(&live(), &[]).await?, Vec::<u32>::new());
    // Each lane has its own.
    let mut tried = using(1, once, 1);
    tried.campaign = test();
    stage.committed(&tried).await?;
    same!(uses(&test()).await?, [1, 0, 0]);
    let empty = Action::PurgeTest {
        campaign: CAMPAIGN.into(),
        edition: 1,
        reason: None,
    };
    stage.done_by(admin(empty)).await?;
    same!(uses(&test()).await?, [0, 0, 0]);
    same!(uses(&live()).await?, [1, 4, 0]);
    // They are not among the counters that are looked at as a whole.
    let lane = stage.lane(&live()).await?;
    holds!(!lane.counters.iter().any(|(key, _)| key.is_apart()));
    let mut unbound = using(8, never, 1);
    unbound.moves = vec![moving(CounterKey::Code(never), 1)];
    let frozen = stage.commit(&unbound).await?;
    same!(frozen, Outcome::Frozen(CounterKey::Code(never)));
    Ok(())
}

pub(super) async fn two_moves_of_one_counter_count_together(stage: Stage) -> Done {
    let mut twice = costing(costing(commit(user(1), 0, "a"), 501), 500);
    same!(
        stage.exhausted(&twice).await?,
        [Left {
            key: CounterKey::Budget,
            left: 1000
        }]
    );
    if let Some(known) = twice.moves.first_mut() {
        known.add = 500;
    }
    stage.committed(&twice).await?;
    same!(stage.counter(&CounterKey::Budget).await?.issued, 1000);
    Ok(())
}

pub(super) async fn what_waits_for_a_release_is_not_given(stage: Stage) -> Done {
    let held = |user_number, key: &str, units| {
        let mut made = giving(commit(user(user_number), 0, key), "mug");
        for known in &mut made.moves {
            known.bound = Bound::Held(units);
        }
        made
    };
    let none = [Left {
        key: stock("mug"),
        left: 0,
    }];
    same!(stage.exhausted(&held(1, "a", i64::MAX)).await?, none);
    same!(stage.exhausted(&held(1, "b", 3)).await?, none);
    stage.committed(&held(1, "c", 2)).await?;
    same!(stage.exhausted(&held(2, "a", 2)).await?, none);
    // As an alternative it is told by the same measure.
    let mut other = costing(commit(user(2), 0, "b"), 1001);
    other.alternatives = held(2, "b", 1).moves;
    same!(stage.exhausted(&other).await?.len(), 1);
    for known in &mut other.alternatives {
        known.bound = Bound::Held(2);
    }
    same!(
        stage.exhausted(&other).await?.last().map(|left| left.left),
        Some(0)
    );
    // What is topped up is there at once, and once.
    let (campaign, reward) = (CAMPAIGN.into(), "mug".into());
    let more = admin(Action::AddStock {
        campaign,
        edition: 1,
        lane: Lane::Live,
        reward,
        add: 1,
    });
    holds!(matches!(stage.admin(more).await?, AdminOutcome::Done(_)));
    stage.committed(&held(2, "c", 2)).await?;
    same!(stage.exhausted(&held(3, "a", 2)).await?, none);
    // The release, and then no more than there is.
    stage.committed(&held(3, "b", 1)).await?;
    stage.committed(&held(4, "a", 0)).await?;
    same!(stage.exhausted(&held(5, "a", 0)).await?, none);
    // A figure below nought gives nothing away.
    same!(stage.exhausted(&held(5, "b", -9)).await?, none);
    same!(stage.counter(&stock("mug")).await?.issued, 4);
    Ok(())
}

pub(super) async fn several_units_in_one_commit(stage: Stage) -> Done {
    let two = giving(giving(giving(commit(user(1), 0, "a"), "mug"), "cup"), "mug");
    stage.committed(&two).await?;
    let left = stage
        .exhausted(&giving(giving(commit(user(2), 0, "a"), "mug"), "mug"))
        .await?;
    same!(
        left,
        [Left {
            key: stock("mug"),
            left: 1
        }]
    );
    stage
        .committed(&giving(commit(user(2), 0, "b"), "mug"))
        .await?;
    let rows = stage.ledger(&live()).await?;
    same!(serials(&rows, "mug"), [Some(0), Some(1), Some(2)]);
    same!(serials(&rows, "cup"), [Some(0)]);
    Ok(())
}

pub(super) async fn units_and_rows_must_agree(stage: Stage) -> Done {
    let mut fewer = giving(commit(user(1), 0, "a"), "mug");
    fewer.rows.clear();
    let mut more = giving(giving(commit(user(1), 0, "a"), "mug"), "mug");
    for known in &mut more.moves {
        known.add = 1;
    }
    for unsound in [fewer, more] {
        same!(stage.commit(&unsound).await?, Outcome::Frozen(stock("mug")));
    }
    same!(stage.counter(&stock("mug")).await?.issued, 0);
    // A reward without a counter move has no serial, whatever the caller says.
    let mut free = giving(commit(user(1), 0, "a"), "mug");
    free.moves.clear();
    for row in &mut free.rows {
        if let Row::Grant(grant) = row {
            grant.serial = Some(77);
        }
    }
    stage.committed(&free).await?;
    same!(serials(&stage.ledger(&live()).await?, "mug"), [None]);
    Ok(())
}

pub(super) async fn lanes_are_apart(stage: Stage) -> Done {
    for number in 0..3 {
        stage
            .committed(&giving(commit(user(number), 0, "a"), "mug"))
            .await?;
    }
    let mut tester = costing(giving(commit(user(1), 0, "a"), "mug"), 10);
    tester.campaign = test();
    tester.timer = Some(5);
    stage.committed(&tester).await?;
    same!(serials(&stage.ledger(&test()).await?, "mug"), [Some(0)]);
    same!(stage.ledger(&live()).await?.len(), 6);
    same!(stage.counter(&CounterKey::Budget).await?.issued, 0);
    same!(stage.store.due(&live(), 9, 9).await?, Vec::new());
    same!(stage.store.due(&test(), 9, 9).await?, vec![user(1)]);
    let (live, test) = (stage.lane(&live()).await?, stage.lane(&test()).await?);
    same!((live.participants, test.participants), (3, 1));
    holds!(live.seed != test.seed);
    Ok(())
}
