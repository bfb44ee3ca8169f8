//! The meaning of a commit, on worlds in memory: all checks before any write, no unit out of nothing, and the same again
//! from the same beginning. What a store adds to this is held against the same rules by `store::conformance`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

use std::collections::BTreeMap;
use std::sync::Arc;

use machine::ids::{CampaignKey, Lane, Period, Pseudonym};
use machine::ledger::{GrantRow, Row};
use machine::luck::Seed;
use machine::model::{RewardKind, Sender};
use machine::participant::Core;
use machine::world::{
    Action, Admin, AdminOutcome, Attribution, Bound, Change, Commit, Counter, CounterKey,
    CounterMove, Left, Outcome, Publication, REMEMBER_MOST, REMEMBER_MS, World, apply, apply_admin,
    apply_commit,
};
use proptest::prelude::*;

fn key(lane: Lane) -> CampaignKey {
    CampaignKey {
        tenant: "acme".into(),
        campaign: "spring".into(),
        edition: 1,
        lane,
    }
}

fn admin(action: Action) -> Admin {
    Admin {
        tenant: "acme".into(),
        by: "ops".into(),
        at: 0,
        key: None,
        action,
        why: None,
    }
}

fn publish(definition: &str, mugs: u32) -> Admin {
    admin(Action::Publish(Publication {
        campaign: "spring".into(),
        edition: 1,
        definition: definition.as_bytes().into(),
        stock: vec![("mug".into(), mugs)],
        budget: Some(100),
        seeds: (Seed([1; 32]), Seed([2; 32])),
    }))
}

fn done(world: &mut World, change: &Admin) {
    let outcome = apply_admin(world, change);
    assert!(matches!(outcome, AdminOutcome::Done(_)), "{outcome:?}");
}

fn world(mugs: u32) -> World {
    let mut world = World::default();
    done(
        &mut world,
        &admin(Action::CreateTenant {
            secret: Seed([9; 32]),
        }),
    );
    done(&mut world, &publish("1", mugs));
    world
}

fn mug() -> CounterKey {
    CounterKey::Stock("mug".into())
}

fn commit(user: u8, expected: u64, idempotency: &str, mugs: usize) -> Commit {
    let row = Row::Grant(GrantRow {
        rule: "pack-mug".into(),
        reward: "mug".into(),
        kind: RewardKind::Physical,
        period: Period::Draw(expected),
        n: 1,
        amount: 1,
        value: 0,
        cost: 0,
        expires: None,
        serial: None,
    });
    let moves = vec![CounterMove {
        key: mug(),
        add: mugs as i64,
        bound: Bound::Own,
    }];
    Commit {
        campaign: key(Lane::Live),
        revision: 1,
        user: Pseudonym([user; 16]),
        expected,
        event: Some("claim".into()),
        sender: Sender::User,
        key: idempotency.into(),
        fingerprint: [0; 32],
        at: 1000,
        attribution: Attribution::default(),
        core: Core {
            revision: 1,
            version: expected,
            state: 0,
            entered_at: 0,
            now: 1000,
            draws: 0,
            after_done: 0,
            vars: Vec::new(),
        },
        grants: Vec::new(),
        moves: if mugs > 0 { moves } else { Vec::new() },
        alternatives: Vec::new(),
        rows: vec![row; mugs],
        first_row: 0,
        timer: None,
        answer: Arc::from(idempotency.as_bytes()),
        carried: None,
        heard: Vec::new(),
        seen: None,
    }
}

fn counter(world: &World, counter: &CounterKey) -> Counter {
    world.lane(&key(Lane::Live)).unwrap().counters[counter]
}

fn serials(commit: &Commit) -> Vec<Option<u64>> {
    let serial = |row: &Row| match row {
        Row::Grant(grant) => grant.serial,
        _ => None,
    };
    commit.rows.iter().map(serial).collect()
}

#[test]
fn serials_and_rows_are_stamped() {
    let mut world = world(5);
    let mut first = commit(1, 0, "a", 2);
    let mut second = commit(2, 0, "a", 3);
    assert!(matches!(
        apply_commit(&mut world, &mut first),
        Outcome::Committed(_)
    ));
    assert!(matches!(
        apply_commit(&mut world, &mut second),
        Outcome::Committed(_)
    ));
    assert_eq!(
        (first.first_row, serials(&first)),
        (0, vec![Some(0), Some(1)])
    );
    assert_eq!(
        (second.first_row, serials(&second)),
        (2, vec![Some(2), Some(3), Some(4)])
    );
    let left = apply_commit(&mut world, &mut commit(3, 0, "a", 1));
    assert_eq!(
        left,
        Outcome::Exhausted(vec![Left {
            key: mug(),
            left: 0
        }])
    );
}

/// Each row changes one thing about a commit that would succeed; what comes of it changes nothing.
#[test]
fn what_is_not_committed_changes_nothing() {
    let mut world = world(2);
    let mut before = commit(1, 0, "first", 1);
    apply_commit(&mut world, &mut before);
    let with = |change: fn(&mut Commit)| {
        let mut made = commit(1, 1, "next", 1);
        made.timer = Some(9);
        change(&mut made);
        made
    };
    let unit = |key, add, bound| CounterMove { key, add, bound };
    let none = Outcome::Exhausted(Vec::new());
    let cases: Vec<(&str, Commit, Outcome)> = vec![
        (
            "replayed",
            commit(1, 0, "first", 1),
            Outcome::Replayed(before.answer.clone()),
        ),
        (
            "another body",
            {
                let mut made = commit(1, 1, "first", 1);
                made.fingerprint = [1; 32];
                made
            },
            Outcome::KeyReused,
        ),
        (
            "another tenant",
            with(|made| made.campaign.tenant = "other".into()),
            Outcome::Superseded,
        ),
        (
            "another edition",
            with(|made| made.campaign.edition = 2),
            Outcome::Superseded,
        ),
        (
            "another revision",
            with(|made| made.revision = 2),
            Outcome::Superseded,
        ),
        (
            "an old version",
            with(|made| made.expected = 0),
            Outcome::Stale(None),
        ),
        (
            "a version to come",
            with(|made| made.expected = 2),
            Outcome::Stale(None),
        ),
        (
            "nobody's version",
            with(|made| made.user = Pseudonym([7; 16])),
            Outcome::Stale(None),
        ),
        ("too many units", commit(1, 1, "next", 2), none.clone()),
        (
            "a unit that waits for a later release",
            with(|made| made.moves[0].bound = Bound::Held(1)),
            none.clone(),
        ),
        (
            "more held back than there is",
            with(|made| made.moves[0].bound = Bound::Held(i64::MAX)),
            none.clone(),
        ),
        (
            "a budget overdrawn",
            {
                let mut made = commit(1, 1, "n", 0);
                made.moves = vec![unit(CounterKey::Budget, 101, Bound::Own)];
                made
            },
            none.clone(),
        ),
        (
            "a budget overdrawn in two",
            {
                let mut made = commit(1, 1, "n", 0);
                made.moves = vec![unit(CounterKey::Budget, 51, Bound::Own); 2];
                made
            },
            none.clone(),
        ),
        (
            "a negative move",
            {
                let mut made = commit(1, 1, "n", 0);
                made.moves = vec![unit(CounterKey::Budget, -1, Bound::Own)];
                made
            },
            none.clone(),
        ),
        (
            "two that add up to little",
            {
                let mut made = commit(1, 1, "n", 0);
                made.moves = vec![
                    unit(CounterKey::Budget, 150, Bound::Own),
                    unit(CounterKey::Budget, -100, Bound::Own),
                ];
                made
            },
            none.clone(),
        ),
        (
            "sums beyond all numbers",
            {
                let mut made = commit(1, 1, "n", 0);
                made.moves = vec![unit(CounterKey::Budget, i64::MAX, Bound::Own); 2];
                made
            },
            none.clone(),
        ),
        (
            "a bound below all numbers",
            {
                let mut made = commit(1, 1, "n", 0);
                made.moves = vec![unit(CounterKey::BudgetDay(1), 1, Bound::Given(i64::MIN))];
                made
            },
            none,
        ),
        (
            "no such counter",
            {
                let mut made = commit(1, 1, "n", 0);
                made.moves = vec![unit(CounterKey::Stock("cup".into()), 0, Bound::Given(9))];
                made
            },
            Outcome::Frozen(CounterKey::Stock("cup".into())),
        ),
        (
            "more rows than units",
            with(|made| made.moves[0].add = 0),
            Outcome::Frozen(mug()),
        ),
        (
            "more units than rows",
            with(|made| made.rows.clear()),
            Outcome::Frozen(mug()),
        ),
    ];
    for (name, mut made, want) in cases {
        let clone = world.clone();
        let outcome = apply_commit(&mut world, &mut made);
        // Of a refusal with particulars, the conformance suite compares those; here the kind is enough.
        assert_eq!(
            std::mem::discriminant(&outcome),
            std::mem::discriminant(&want),
            "{name}: {outcome:?}"
        );
        if let (Outcome::Replayed(_) | Outcome::Frozen(_), want) = (&outcome, want) {
            assert_eq!(outcome, want, "{name}");
        }
        assert!(world == clone, "{name} changed something");
    }
    let mut good = with(|_| ());
    assert!(matches!(
        apply_commit(&mut world, &mut good),
        Outcome::Committed(_)
    ));
}

#[test]
fn remembered_answers_are_bounded() {
    let mut world = world(0);
    for at in 0..50 {
        apply_commit(&mut world, &mut commit(1, at, &format!("key-{at}"), 0));
    }
    let remembered = |world: &World| {
        world.lane(&key(Lane::Live)).unwrap().participants[&Pseudonym([1; 16])]
            .remembered
            .len()
    };
    assert_eq!(remembered(&world), REMEMBER_MOST);
    let mut next_day = commit(1, 50, "key-50", 0);
    next_day.at += REMEMBER_MS;
    apply_commit(&mut world, &mut next_day);
    assert_eq!(remembered(&world), 1);
    // A clock that went back takes nothing from those that came later.
    apply_commit(&mut world, &mut commit(1, 51, "key-51", 0));
    assert_eq!(remembered(&world), 2);
}

#[test]
fn old_days_budgets_are_forgotten_and_never_the_others() {
    let mut world = world(1);
    for day in 0..40 {
        let mut made = commit(1, u64::from(day as u16), &format!("key-{day}"), 0);
        made.moves = vec![CounterMove {
            key: CounterKey::BudgetDay(day),
            add: 1,
            bound: Bound::Given(1),
        }];
        assert!(matches!(
            apply_commit(&mut world, &mut made),
            Outcome::Committed(_)
        ));
    }
    let counters = &world.lane(&key(Lane::Live)).unwrap().counters;
    assert!(counters.contains_key(&mug()) && counters.contains_key(&CounterKey::Budget));
    assert_eq!(counters.len(), 2 + 9);
    // A bound that was lowered below what is gone leaves a counter that adds up.
    let mut none = commit(1, 40, "none", 0);
    none.moves = vec![CounterMove {
        key: CounterKey::BudgetDay(39),
        add: 0,
        bound: Bound::Given(0),
    }];
    apply_commit(&mut world, &mut none);
    let counter = counter(&world, &CounterKey::BudgetDay(39));
    assert!(counter.issued <= counter.ceiling, "{counter:?}");
}

#[test]
fn a_replayed_log_must_fit() {
    let mut world = world(1);
    let mut change = Change::Commit(Box::new(commit(1, 0, "a", 1)));
    assert!(apply(&mut world, &mut change));
    assert!(!apply(&mut world, &mut change));
    let mut again = Change::Admin(Box::new(publish("1", 1)));
    assert!(!apply(&mut world, &mut again));
}

/// What a publish, a top-up and giving do to one counter, kept apart from the code under test.
#[derive(Debug, Clone, Copy)]
enum Stock {
    Publish(u32),
    Add(u32),
    Give,
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// However figures go up and down, units given never exceed the largest total that was ever promised; and what is left is
    /// that figure and the top-ups less what is gone, whenever the figure is not below what is gone.
    #[test]
    fn units_come_from_figures_and_top_ups_only(
        steps in prop::collection::vec(prop_oneof![
            2 => (0..12_u32).prop_map(Stock::Publish), 1 => (1..4_u32).prop_map(Stock::Add), 6 => Just(Stock::Give),
        ], 0..60),
    ) {
        let mut world = world(5);
        let (mut figure, mut most, mut added, mut given, mut revision) = (5_i64, 5_i64, 0_i64, 0_i64, 1);
        for (at, step) in steps.into_iter().enumerate() {
            match step {
                Stock::Publish(units) => {
                    revision += 1;
                    done(&mut world, &publish(&format!("at {at}"), units));
                    figure = i64::from(units);
                    most = most.max(figure);
                }
                Stock::Add(add) => {
                    let (campaign, reward) = ("spring".into(), "mug".into());
                    let before = counter(&world, &mug()).ceiling;
                    done(&mut world, &admin(Action::AddStock { campaign, edition: 1, lane: Lane::Live, reward, add }));
                    added += i64::from(add);
                    prop_assert_eq!(counter(&world, &mug()).ceiling, before + i64::from(add));
                }
                Stock::Give => {
                    let mut made = commit(1, given as u64, &format!("key-{at}"), 1);
                    made.revision = revision;
                    given += i64::from(matches!(apply_commit(&mut world, &mut made), Outcome::Committed(_)));
                }
            }
            let found = counter(&world, &mug());
            prop_assert_eq!(found.issued, given);
            prop_assert!(found.issued <= found.ceiling);
            prop_assert_eq!(found.ceiling - found.shortfall, figure + added);
            prop_assert!(given <= most + added, "{} of {} and {}", given, most, added);
        }
    }

    /// The same changes from the same beginning give the same world, and only those that were done count.
    #[test]
    fn a_world_is_the_sum_of_what_was_done(
        calls in prop::collection::vec((0..4_u8, 0..4_u64, 0..8_u8, 0..3_usize), 0..60),
    ) {
        let (mut first, mut log) = (world(9), Vec::new());
        let mut outcomes = BTreeMap::new();
        for (user, expected, idempotency, mugs) in calls {
            let mut made = commit(user, expected, &format!("key-{idempotency}"), mugs);
            let before = first.clone();
            let outcome = apply_commit(&mut first, &mut made);
            if matches!(outcome, Outcome::Committed(_)) {
                log.push(Change::Commit(Box::new(made)));
            } else {
                prop_assert!(first == before);
            }
            *outcomes.entry(format!("{:?}", std::mem::discriminant(&outcome))).or_insert(0) += 1;
        }
        let mut second = world(9);
        for change in &mut log {
            prop_assert!(apply(&mut second, change));
        }
        prop_assert!(first == second);
    }
}
