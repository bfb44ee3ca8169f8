//! Any sequence of commits, admin changes and reads, with the folder closed and opened in between, comes out as on a plain
//! [`World`]; and whatever does not come out as done has changed nothing.

use machine::ids::Lane;
use machine::ledger::Row;
use machine::world::{
    Admin, Base, Bound, CounterKey, CounterMove, DraftDeed, DraftText, FromDraft, Keep, LaneWorld,
    Parked, ParkedFrom, Pause, Publication, apply_admin, apply_commit, apply_keep, first_tampered,
};
use proptest::prelude::*;

use super::sample::{giving, live, test, user};
use super::*;
use crate::{Asked, LedgerRow};

#[derive(Debug, Clone)]
enum Op {
    Commit(Box<Commit>, Expects),
    Admin(Box<Admin>),
    Keep(Keep),
    Recall {
        who: u64,
        key: u8,
        test: bool,
        later: i64,
    },
    Reopen {
        snapshot: bool,
    },
}

/// What version a commit names: mostly the right one.
#[derive(Debug, Clone, Copy)]
enum Expects {
    Right,
    This(u64),
}

const REWARDS: [&str; 3] = ["mug", "cup", "ghost"];

fn a_commit() -> impl Strategy<Value = Op> {
    let what = (
        0..6_u64,
        0..12_u8,
        prop::bool::weighted(0.1),
        prop::collection::vec(
            (0..REWARDS.len(), prop::option::weighted(0.2, 0..4_i64)),
            0..3,
        ),
    );
    let how = (
        prop::bool::weighted(0.15),
        prop_oneof![8 => Just(1_u32), 4 => Just(2), 1 => Just(3)],
        prop::option::weighted(0.3, -3..600_i64),
        prop::option::weighted(0.3, (0..20_i32, 0..30_i64)),
        prop_oneof![6 => Just(Expects::Right), 1 => (0..4_u64).prop_map(Expects::This)],
        (
            0..3_i64,
            prop::option::of(0..50_i64),
            prop::bool::weighted(0.05),
        ),
    );
    (what, how).prop_map(|((who, key, other_body, gives), how)| {
        let (testing, revision, cost, day, expects, (days, timer, unsound)) = how;
        let mut made = sample::commit(user(who), 0, &format!("key-{key}"));
        for (reward, held) in gives {
            made = giving(made, REWARDS[reward]);
            if let Some((units, movement)) = held.zip(made.moves.last_mut()) {
                movement.bound = Bound::Held(units);
            }
        }
        if let Some(cost) = cost {
            made = sample::costing(made, cost);
        }
        if let Some((day, add)) = day {
            made.moves.push(CounterMove {
                key: CounterKey::BudgetDay(day),
                add,
                bound: Bound::Given(40),
            });
        }
        if testing {
            made.campaign = test();
        }
        if other_body {
            made.fingerprint = [1; 32];
        }
        if unsound && !made.rows.is_empty() {
            made.rows.pop();
        }
        made.alternatives = vec![sample::moving(sample::stock("cup"), 1)];
        made.event = Some(if key % 3 == 0 { "draw" } else { "sign-in" }.into());
        made.revision = revision;
        made.at += days * machine::world::REMEMBER_MS / 2;
        made.timer = timer;
        Op::Commit(Box::new(made), expects)
    })
}

fn an_admin() -> impl Strategy<Value = Op> {
    let pause = |event: Option<&str>| Pause {
        reason: "why".to_owned(),
        notice: None,
        until: None,
        event: event.map(Arc::from),
    };
    let (campaign, edition) = (Arc::<str>::from(sample::CAMPAIGN), 1);
    let action = prop_oneof![
        2 => Just(Action::CreateTenant { secret: Seed([3; 32]) }),
        6 => (0..4_u8, 0..8_u32, 0..8_u32, prop::option::of(0..2000_i64)).prop_map(|(definition, mug, cup, budget)| {
            sample::publish(&definition.to_string(), &[("mug", mug), ("cup", cup)], budget)
        }),
        1 => prop_oneof![Just(None), Just(Some("draw"))].prop_map({
            let campaign = campaign.clone();
            move |event| Action::Pause { campaign: campaign.clone(), edition, pause: pause(event) }
        }),
        2 => Just(Action::Resume { campaign: campaign.clone(), edition }),
        2 => (0..3_usize, 1..4_u32, any::<bool>()).prop_map({
            let campaign = campaign.clone();
            move |(reward, add, testing)| Action::AddStock {
                campaign: campaign.clone(),
                edition,
                lane: if testing { Lane::Test } else { Lane::Live },
                reward: REWARDS[reward].into(),
                add,
            }
        }),
        1 => (0..4_u8, any::<bool>()).prop_map(|(number, given_up)| Action::Unpark {
            id: parked(number).id,
            reason: given_up.then(|| "why".into()),
        }),
        3 => a_deed().prop_map({
            let campaign = campaign.clone();
            move |deed| Action::Draft { campaign: campaign.clone(), deed }
        }),
        1 => (0..4_u8, 0..4_u64, 0..4_u32).prop_map({
            let campaign = campaign.clone();
            move |(definition, version, over)| Action::PublishDraft(Publication {
                campaign: campaign.clone(),
                edition,
                definition: definition.to_string().into_bytes().into(),
                stock: Vec::new(),
                budget: None,
                seeds: (Seed([1; 32]), Seed([2; 32])),
            }, FromDraft { version, over, approvals: 0, scheduled: None })
        }),
        1 => (-9..9_i64).prop_map(move |offset| Action::MoveClock { campaign: campaign.clone(), edition, offset }),
    ];
    (action, prop::option::weighted(0.4, 0..5_u8)).prop_map(|(action, key)| {
        let mut change = sample::admin(action);
        change.key = key.map(|key| (format!("admin-{key}").into(), [key % 2; 32]));
        Op::Admin(Box::new(change))
    })
}

fn a_deed() -> impl Strategy<Value = DraftDeed> {
    let save = (0..4_u64, 0..9_u8).prop_map(|(over, number)| DraftDeed::Save {
        over,
        base: Base::default(),
        text: Arc::new(DraftText {
            document: number.to_string().into(),
            ..DraftText::default()
        }),
    });
    let schedule = (0..4_u64, prop::option::of(0..9_i64))
        .prop_map(|(version, at)| DraftDeed::Schedule { version, at });
    let object = (0..4_u64, any::<bool>()).prop_map(|(version, objects)| DraftDeed::Object {
        version,
        comment: objects.then(|| "why".into()),
    });
    let drop = (0..4_u64).prop_map(|version| DraftDeed::Drop { version });
    prop_oneof![4 => save, 1 => schedule, 1 => object, 1 => drop]
}

fn parked(number: u8) -> Parked {
    Parked::new(ParkedFrom::Trigger, "/queue", &number.to_string(), 1).saying(&[number; 9])
}

fn a_keep() -> impl Strategy<Value = Op> {
    let mark = (any::<bool>(), 0..3_u8, 0..50_u64).prop_map(|(testing, name, at)| Keep::Mark {
        campaign: if testing { test() } else { live() },
        name: format!("reader-{name}").into(),
        at,
    });
    let park = (0..4_u8, prop::bool::weighted(0.1)).prop_map(|(number, stranger)| Keep::Park {
        tenant: if stranger { "nobody" } else { sample::TENANT }.into(),
        parked: Box::new(parked(number)),
    });
    prop_oneof![mark, park].prop_map(Op::Keep)
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let recall = (0..6_u64, 0..12_u8, prop::bool::weighted(0.15), 0..3_i64).prop_map(
        |(who, key, test, later)| Op::Recall {
            who,
            key,
            test,
            later,
        },
    );
    let op = prop_oneof![
        20 => a_commit(), 3 => an_admin(), 3 => a_keep(), 4 => recall,
        1 => any::<bool>().prop_map(|snapshot| Op::Reopen { snapshot }),
    ];
    prop::collection::vec(op, 1..120).prop_map(|mut ops| {
        let first = [
            Action::CreateTenant {
                secret: Seed([9; 32]),
            },
            sample::publish("{}", &[("mug", 4), ("cup", 6)], Some(1500)),
        ];
        ops.splice(
            0..0,
            first.map(|action| Op::Admin(Box::new(sample::admin(action)))),
        );
        ops
    })
}

/// Every unit that left a counter stands in a row, once, and none left that was not there.
fn conserved(lane: &LaneWorld, rows: &[LedgerRow]) {
    for (key, counter) in &lane.counters {
        assert!(counter.issued <= counter.ceiling, "{key}: {counter:?}");
        let CounterKey::Stock(reward) = key else {
            continue;
        };
        let mut serials: Vec<u64> = rows
            .iter()
            .filter_map(|row| match &row.row {
                Row::Grant(grant) if grant.reward == *reward => grant.serial,
                _ => None,
            })
            .collect();
        serials.sort_unstable();
        assert_eq!(
            serials,
            (0..counter.issued as u64).collect::<Vec<_>>(),
            "{key}"
        );
    }
    let due: Vec<_> = lane
        .participants
        .iter()
        .filter_map(|(user, entry)| Some((entry.timer?, *user)))
        .collect();
    assert_eq!(lane.timers.len(), due.len());
    assert!(due.iter().all(|timer| lane.timers.contains(timer)));
}

/// What was seen over all runs: a run that never comes to a corner proves nothing about it.
#[derive(Debug, Default)]
struct Seen(std::collections::BTreeMap<String, u64>);

impl Seen {
    fn note(&mut self, outcome: &impl std::fmt::Debug) {
        let words = format!("{outcome:?}");
        let word = words
            .split(|letter: char| !letter.is_alphanumeric())
            .next()
            .unwrap_or_default();
        *self.0.entry(word.to_owned()).or_default() += 1;
    }
}

async fn hold_against_the_model(ops: Vec<Op>, seen: &mut Seen) {
    let disk = disk();
    let mut store = open(&disk).unwrap();
    let mut model = World::default();
    for op in ops {
        match op {
            Op::Commit(mut made, expects) => {
                let entry = model
                    .lane(&made.campaign)
                    .and_then(|lane| lane.participants.get(&made.user));
                made.expected = match expects {
                    Expects::Right => entry.map_or(0, |entry| entry.participant.core.version),
                    Expects::This(version) => version,
                };
                made.core.version = made.expected;
                let outcome = commit(&store, (*made).clone()).await.unwrap();
                let before = model.clone();
                assert_eq!(outcome, apply_commit(&mut model, &mut made));
                if !matches!(outcome, Outcome::Committed(_)) {
                    assert!(model == before, "{outcome:?} changed something");
                }
                seen.note(&outcome);
            }
            Op::Admin(change) => {
                let outcome = store.admin(change.clone()).await.unwrap();
                let before = model.clone();
                assert_eq!(outcome, apply_admin(&mut model, &change));
                if !matches!(outcome, AdminOutcome::Done(_)) {
                    assert!(model == before, "{outcome:?} changed something");
                }
                seen.note(&outcome);
            }
            Op::Keep(keep) => {
                let kept = store.keep(keep.clone()).await.unwrap();
                assert_eq!(kept, apply_keep(&mut model, &keep));
                seen.note(&kept);
            }
            Op::Recall {
                who,
                key,
                test: testing,
                later,
            } => {
                let campaign = if testing { test() } else { live() };
                let (key, now) = (
                    format!("key-{key}"),
                    sample::START + later * machine::world::REMEMBER_MS / 2,
                );
                let fingerprint = sample::fingerprint(&key);
                let asked = Asked {
                    key: &key,
                    fingerprint: &fingerprint,
                    now,
                };
                let recalled = store
                    .recall(&campaign, user(who), Some(asked))
                    .await
                    .unwrap();
                assert_eq!(
                    recalled,
                    model.recall(&campaign, &user(who), Some((&key, &fingerprint, now)))
                );
            }
            Op::Reopen { snapshot } => {
                drop(store);
                let snapshot_after = if snapshot { 1 } else { u64::MAX };
                store = open_on(
                    Arc::new(disk.clone()),
                    &dir(),
                    Options {
                        snapshot_after,
                        ..SMALL
                    },
                )
                .unwrap();
            }
        }
    }
    assert!(world(&store) == model);
    drop(store);
    let store = open(&disk).unwrap();
    assert!(
        world(&store) == model,
        "the world that was opened again is another"
    );
    for key in [live(), test()] {
        let Some(lane) = model.lane(&key) else {
            continue;
        };
        let rows = store.ledger(&key, 0, 100_000).await.unwrap();
        assert!(rows.iter().map(|row| row.number).eq(0..lane.rows));
        conserved(lane, &rows);
    }
    for tenant in model.tenants.values() {
        assert_eq!(first_tampered(&tenant.audit), None);
    }
}

#[test]
fn the_store_is_the_model_with_a_disk() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let seen = std::cell::RefCell::new(Seen::default());
    let config = ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(ops in ops())| {
        runtime.block_on(hold_against_the_model(ops, &mut seen.borrow_mut()));
    });
    let seen = seen.into_inner().0;
    println!("{seen:?}");
    let corners = [
        "Committed",
        "Replayed",
        "KeyReused",
        "Stale",
        "Exhausted",
        "Superseded",
        "Paused",
        "Frozen",
        "Done",
        "Already",
        "Refused",
        "Nowhere",
    ];
    for corner in corners {
        assert!(
            seen.contains_key(corner),
            "no run came to {corner}: {seen:?}"
        );
    }
}
