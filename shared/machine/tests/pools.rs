//! Pools of codes, whatever happens in whatever order: no code is told to two, and with stock that follows the pool there is a code for
//! each unit that is given.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

use std::collections::BTreeMap;
use std::sync::Arc;

use machine::ids::{CampaignKey, Lane, Period, Pseudonym};
use machine::ledger::{GrantRow, Row};
use machine::luck::Seed;
use machine::model::{RewardKind, Sender};
use machine::participant::Core;
use machine::world::{
    Action, Admin, AdminOutcome, Attribution, Bound, CodeLines, Commit, CounterKey, CounterMove,
    Measure, Outcome, Owner, Pool, Publication, World, apply_admin, apply_commit,
};
use proptest::prelude::*;

/// Two campaigns that name one pool.
const CAMPAIGNS: [&str; 2] = ["spring", "autumn"];
const REWARD: &str = "course";
/// The most that each gives.
const STOCK: u64 = 12;

#[derive(Debug, Clone)]
enum Deed {
    Put(u64),
    Bind(usize),
    /// The stock follows the pool as it was so many puts ago: whoever looks at it may be late.
    Fill(usize, usize),
    Withdraw(usize, u32),
    Give {
        campaign: usize,
        user: u8,
        codes: u32,
    },
    PurgeTest(usize),
}

fn deed() -> impl Strategy<Value = Deed> {
    let campaign = || 0..CAMPAIGNS.len();
    prop_oneof![
        (0..6_u64).prop_map(Deed::Put),
        campaign().prop_map(Deed::Bind),
        (campaign(), 0..3_usize).prop_map(|(campaign, ago)| Deed::Fill(campaign, ago)),
        (campaign(), 0..4_u32).prop_map(|(campaign, units)| Deed::Withdraw(campaign, units)),
        (campaign(), 0..4_u8, 1..4_u32).prop_map(|(campaign, user, codes)| Deed::Give {
            campaign,
            user,
            codes
        }),
        campaign().prop_map(Deed::PurgeTest),
    ]
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

fn key(campaign: usize) -> CampaignKey {
    CampaignKey {
        tenant: "acme".into(),
        campaign: CAMPAIGNS[campaign].into(),
        edition: 1,
        lane: Lane::Live,
    }
}

fn begin() -> World {
    let mut world = World::default();
    let create = Action::CreateTenant {
        secret: Seed([9; 32]),
    };
    apply_admin(&mut world, &admin(create));
    for campaign in CAMPAIGNS {
        let publish = Action::Publish(Publication {
            campaign: campaign.into(),
            edition: 1,
            definition: Arc::from(*b"{}"),
            stock: vec![(REWARD.into(), 0)],
            budget: None,
            seeds: (Seed([1; 32]), Seed([2; 32])),
        });
        apply_admin(&mut world, &admin(publish));
    }
    world
}

fn give(campaign: usize, user: u8, codes: u32, version: u64) -> Commit {
    let row = |n| {
        Row::Grant(GrantRow {
            rule: "pack".into(),
            reward: REWARD.into(),
            kind: RewardKind::Code,
            period: Period::Draw(version),
            n,
            amount: 1,
            value: 0,
            cost: 0,
            expires: None,
            serial: None,
        })
    };
    Commit {
        campaign: key(campaign),
        revision: 1,
        user: Pseudonym([user; 16]),
        expected: version,
        event: Some("claim".into()),
        sender: Sender::User,
        key: format!("{user}-{version}").into(),
        fingerprint: [0; 32],
        at: 1000,
        attribution: Attribution::default(),
        core: Core {
            revision: 1,
            version,
            state: 0,
            entered_at: 0,
            now: 1000,
            draws: 0,
            after_done: 0,
            vars: Vec::new(),
        },
        grants: Vec::new(),
        moves: vec![CounterMove {
            key: CounterKey::Stock(REWARD.into()),
            add: i64::from(codes),
            bound: Bound::Own,
        }],
        alternatives: Vec::new(),
        rows: (1..=codes).map(row).collect(),
        first_row: 0,
        timer: None,
        answer: Arc::from([]),
        carried: None,
        heard: Vec::new(),
        seen: None,
    }
}

fn pool(world: &World) -> Pool {
    let pools = &world.tenants["acme"].pools;
    pools.get("codes").cloned().unwrap_or_default()
}

/// Who is told which place of the pool.
fn told(world: &World) -> Vec<(u64, usize, Pseudonym)> {
    let pool = pool(world);
    let mut told = Vec::new();
    for (campaign, name) in CAMPAIGNS.iter().enumerate() {
        for user in world.lane(&key(campaign)).unwrap().participants.keys() {
            for unit in world.units(&key(campaign), user) {
                let place = pool.place(name, 1, REWARD, unit.serial);
                told.extend(place.map(|place| (place, campaign, *user)));
            }
        }
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_code_is_told_to_two_and_each_unit_has_one(deeds in prop::collection::vec(deed(), 1..60)) {
        let mut world = begin();
        let mut history = vec![pool(&world)];
        let mut kept: BTreeMap<u64, (usize, Pseudonym)> = BTreeMap::new();
        for deed in deeds {
            match deed {
                Deed::Put(codes) => {
                    let put = Action::PutCodes {
                        pool: "codes".into(),
                        version: "v".into(),
                        codes,
                        lines: CodeLines::default(),
                        sha256: [0; 32],
                    };
                    apply_admin(&mut world, &admin(put));
                }
                Deed::Bind(campaign) => {
                    let owner = Owner {
                        campaign: CAMPAIGNS[campaign].into(),
                        edition: 1,
                        reward: REWARD.into(),
                        from: 0,
                    };
                    let bind = Action::BindPool { pool: "codes".into(), owner };
                    let before = pool(&world).owners;
                    let bound = apply_admin(&mut world, &admin(bind));
                    // Only the first is ever done.
                    prop_assert_eq!(matches!(bound, AdminOutcome::Done(_)), before.is_empty());
                }
                Deed::Fill(campaign, ago) => {
                    let seen = &history[history.len().saturating_sub(1 + ago)];
                    let units = seen.units(CAMPAIGNS[campaign], 1, REWARD).min(STOCK);
                    let fill = Action::FillStock {
                        campaign: CAMPAIGNS[campaign].into(),
                        edition: 1,
                        reward: REWARD.into(),
                        units: units as u32,
                    };
                    apply_admin(&mut world, &admin(fill));
                }
                Deed::Withdraw(campaign, units) => {
                    let withdraw = Measure::Withdraw {
                        campaign: CAMPAIGNS[campaign].into(),
                        edition: 1,
                        lane: Lane::Live,
                        reward: REWARD.into(),
                        units: (units > 0).then_some(units),
                    };
                    apply_admin(&mut world, &admin(Action::Measure(withdraw)));
                }
                Deed::Give { campaign, user, codes } => {
                    let lane = world.lane(&key(campaign)).unwrap();
                    let entry = lane.participants.get(&Pseudonym([user; 16]));
                    let version = entry.map_or(0, |entry| entry.participant.core.version);
                    let mut commit = give(campaign, user, codes, version);
                    let outcome = apply_commit(&mut world, &mut commit);
                    prop_assert!(matches!(outcome, Outcome::Committed(_) | Outcome::Exhausted(_)));
                }
                Deed::PurgeTest(campaign) => {
                    let purge = Action::PurgeTest {
                        campaign: CAMPAIGNS[campaign].into(),
                        edition: 1,
                        reason: None,
                    };
                    apply_admin(&mut world, &admin(purge));
                }
            }
            history.push(pool(&world));
            let mut now = BTreeMap::new();
            for (place, campaign, user) in told(&world) {
                prop_assert_eq!(now.insert(place, (campaign, user)), None, "told to two: {}", place);
            }
            // What was told stays told, to the same user.
            for (place, whose) in &kept {
                prop_assert_eq!(now.get(place), Some(whose));
            }
            kept = now;
            // A code for each unit, and no more units than the campaign gives.
            let issued: i64 = (0..CAMPAIGNS.len())
                .map(|campaign| {
                    let lane = world.lane(&key(campaign)).unwrap();
                    lane.counters[&CounterKey::Stock(REWARD.into())].issued
                })
                .sum();
            prop_assert_eq!(issued, kept.len() as i64);
            prop_assert!(issued as u64 <= pool(&world).codes().min(STOCK));
        }
    }
}
