//! Wheels and packs when things run out: chains, pity, all or none.

// A failing helper fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Arc;

use machine::calendar::HOUR_MS;
use machine::expr::{BoolExpr, Expr, IntExpr};
use machine::ids::{Period, Pseudonym};
use machine::ledger::{DrawRow, Row};
use machine::luck::Draws;
use machine::model::{Campaign, RewardKind, Transition, Within};
use machine::step::{No, Rejection};
use machine::turn::replay_chain;
use machine::value::{Type, Value};
use machine::world::{CounterKey, Left};
use proptest::prelude::*;
use support::{Alone, Builder, OPENS, Promise, acts, pack, wheel};

/// A reward by its traits: limited, its cost, its `per_user`, what stands in for it (an offset to a later one).
type Trait = (bool, i64, Option<u32>, usize);

fn traits() -> impl Strategy<Value = Vec<Trait>> {
    proptest::collection::vec(
        (
            any::<bool>(),
            0..4i64,
            proptest::option::of(1..4u32),
            0..4usize,
        ),
        2..7,
    )
}

/// A wheel over these rewards and a blank, with equal odds. `free` (if it exists) stands in when the budget is spent.
fn wheel(traits: &[Trait], free: Option<usize>, pity: Option<(u32, bool)>) -> Arc<Campaign> {
    let mut builder = Builder::new("Asia/Shanghai", vec![]);
    let mut names = Vec::new();
    let mut slices = Vec::new();
    for (place, (limited, cost, per_user, next)) in traits.iter().enumerate() {
        let id = format!("r{place}");
        let reward = builder.reward(&id, RewardKind::Coupon, |reward| {
            reward.stock = limited.then_some(5);
            reward.cost = if free == Some(place) { 0 } else { *cost };
            reward.per_user = *per_user;
            let stand_in = place + next;
            reward.when_gone = (*next > 0 && stand_in < traits.len()).then_some(stand_in as u16);
        });
        let rule = builder.rule(&format!("wheel-{id}"));
        names.push((reward, id.as_str().into()));
        slices.push(wheel::Slice {
            reward,
            parts: 1,
            rule,
        });
    }
    let blank = builder.reward("nothing", RewardKind::Nothing, |_| {});
    names.push((blank, "nothing".into()));
    builder.budget(1000, Some(100), free.map(|place| place as u16));
    let rule = builder.rule("wheel-pity");
    let params = wheel::Params {
        whole: traits.len() as u64 * 3,
        slices,
        rest: Some(blank),
        rest_rule: None,
        pity: pity.map(|(losses, any_win)| wheel::Pity {
            losses,
            reward: 0,
            rule,
            any_win,
        }),
        names,
        ..wheel::Params::default()
    };
    let (block, _) = builder.block("wheel", serde_json::to_string(&params).unwrap(), 0);
    builder.event("draw", &[], vec![acts(block, 0, vec![])]);
    builder.link()
}

fn row(rows: &[Row]) -> &DrawRow {
    rows.iter()
        .find_map(|row| {
            if let Row::Draw(draw) = row {
                Some(draw)
            } else {
                None
            }
        })
        .unwrap()
}

/// What the store says is left: of each reward none or plenty, of the budget so much.
fn gone(traits: &[Trait], sold_out: u8, budget: i64, of_day: i64) -> Vec<Left> {
    let stock = traits
        .iter()
        .enumerate()
        .filter(|(place, (limited, ..))| *limited && sold_out >> place & 1 == 1);
    let mut gone: Vec<Left> = stock
        .map(|(place, _)| Left {
            key: CounterKey::Stock(format!("r{place}").into()),
            left: 0,
        })
        .collect();
    gone.push(Left {
        key: CounterKey::Budget,
        left: budget,
    });
    let today = machine::calendar::day_number("2026-01-01".parse().unwrap());
    gone.push(Left {
        key: CounterKey::BudgetDay(today),
        left: of_day,
    });
    gone
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every draw's row alone tells what it gave, and the pity count is the one that the rows before it tell.
    #[test]
    fn a_row_tells_what_its_draw_gave(
        traits in traits(), free in proptest::option::of(0..7usize), pity in proptest::option::of((1..5u32, any::<bool>())),
        draws in proptest::collection::vec((any::<u8>(), 0..5i64, 0..5i64), 1..40), who in any::<[u8; 16]>(),
    ) {
        let free = free.filter(|place| *place < traits.len());
        let campaign = wheel(&traits, free, pity);
        let mut alone = Alone::new(&campaign, Pseudonym(who), OPENS);
        let mut misses = 0;
        for (number, (sold_out, budget, of_day)) in draws.into_iter().enumerate() {
            alone.gone = gone(&traits, sold_out, budget, of_day);
            let had = |id: &str| alone.record.grants.iter().filter(|grant| *campaign.rewards[usize::from(grant.reward)].id == *id).count();
            let had: Vec<usize> = campaign.rewards.iter().map(|reward| had(&reward.id)).collect();
            let decision = alone.send(0, &[], OPENS).unwrap();
            let draw = row(&decision.rows);
            prop_assert_eq!(draw.index, number as u64);
            prop_assert_eq!(draw.misses, misses);
            let again = campaign.blocks[0].redraw(&mut alone.draws().at(draw.index, "wheel"), draw.index, misses).unwrap().rolled;
            prop_assert_eq!(&again, &draw.rolled);
            prop_assert_eq!(again.pity, pity.is_some_and(|(losses, _)| misses >= i64::from(losses)));
            let end = replay_chain(&campaign, campaign.reward(&again.reward).unwrap(), &draw.exhausted, &draw.had);
            let end = end.map(|reward| campaign.rewards[usize::from(reward)].id.clone());
            prop_assert_eq!(&end, &draw.given);
            for id in &draw.had {
                let place = usize::from(campaign.reward(id).unwrap());
                prop_assert!(had[place] >= campaign.rewards[place].per_user.unwrap() as usize);
            }
            // Nothing is given that is gone, or beyond its `per_user`, and what is given is booked as this draw's.
            if let Some(id) = &draw.given {
                let place = usize::from(campaign.reward(id).unwrap());
                let reward = &campaign.rewards[place];
                prop_assert!(reward.per_user.is_none_or(|most| had[place] < most as usize));
                prop_assert!(reward.stock.is_none() || sold_out >> place & 1 == 0);
                prop_assert!(reward.cost <= budget.min(of_day) || reward.cost == 0);
                prop_assert_eq!(decision.grants.len(), 1);
                prop_assert_eq!(decision.grants[0].period, Period::Draw(draw.index));
            } else {
                prop_assert!(decision.grants.is_empty() && decision.moves.is_empty());
            }
            let starts_over = draw.rolled.pity || match (&draw.given, pity) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(id), Some((_, any_win))) => any_win || **id == *"r0",
            };
            misses = if starts_over { 0 } else { misses + 1 };
        }
    }

    /// While the pity reward lasts nobody loses more often in a row than promised.
    #[test]
    fn bad_luck_is_bounded(losses in 1..6u32, who in any::<[u8; 16]>(), count in 20..80u32) {
        let campaign = wheel(&[(false, 0, None, 0), (true, 0, None, 0)], None, Some((losses, true)));
        let mut alone = Alone::new(&campaign, Pseudonym(who), OPENS);
        alone.gone = vec![Left { key: CounterKey::Stock("r1".into()), left: 0 }];
        let mut in_a_row = 0;
        for _ in 0..count {
            let decision = alone.send(0, &[], OPENS).unwrap();
            in_a_row = if decision.grants.is_empty() { in_a_row + 1 } else { 0 };
            prop_assert!(in_a_row <= losses);
        }
    }

    /// Pity whose reward is gone does not keep anyone from winning later.
    #[test]
    fn pity_that_is_gone_locks_nobody_out(losses in 1..6u32, who in any::<[u8; 16]>()) {
        let campaign = wheel(&[(true, 0, None, 0), (false, 0, None, 0)], None, Some((losses, true)));
        let mut alone = Alone::new(&campaign, Pseudonym(who), OPENS);
        alone.gone = vec![Left { key: CounterKey::Stock("r0".into()), left: 0 }];
        let wins = (0..300).filter(|_| !alone.send(0, &[], OPENS).unwrap().grants.is_empty()).count();
        // One draw in six rolls the other prize: of some 250 that pity leaves over, about 40.
        prop_assert!(wins > 5, "{}", wins);
    }

    /// A pack is given whole or not at all, and once.
    #[test]
    fn a_pack_is_all_or_none(traits in traits(), sold_out in any::<u8>(), budget in 0..12i64) {
        let mut builder = Builder::new("Asia/Shanghai", vec![]);
        let mut gives = Vec::new();
        for (place, (limited, cost, ..)) in traits.iter().enumerate() {
            let id = format!("r{place}");
            let reward = builder.reward(&id, RewardKind::Coupon, |reward| {
                reward.stock = limited.then_some(5);
                reward.cost = *cost;
            });
            gives.push(Promise { rule: builder.rule(&format!("pack-{id}")), reward });
        }
        builder.budget(1000, None, None);
        let (block, _) = builder.block("pack", serde_json::to_string(&pack::Params { gives, ..pack::Params::default() }).unwrap(), 0);
        builder.event("claim", &[], vec![acts(block, 0, vec![])]);
        let mut alone = Alone::new(&builder.link(), Pseudonym([1; 16]), OPENS);
        alone.gone = gone(&traits, sold_out, budget, 1000);
        let sum: i64 = traits.iter().map(|(_, cost, ..)| cost).sum();
        let sold_out = traits.iter().enumerate().any(|(place, (limited, ..))| *limited && sold_out >> place & 1 == 1);
        let decision = alone.send(0, &[], OPENS);
        if sold_out || sum > budget {
            let told = matches!(decision, Err(No::Rejected(Rejection::SoldOut { .. } | Rejection::BudgetSpent)));
            prop_assert!(told);
            prop_assert!(alone.record.grants.is_empty());
        } else {
            let decision = decision.unwrap();
            prop_assert_eq!(decision.grants.len(), traits.len());
            let cost: i64 = decision.moves.iter().filter(|moved| moved.key == CounterKey::Budget).map(|moved| moved.add).sum();
            prop_assert_eq!(cost, sum);
            prop_assert!(matches!(alone.send(0, &[], OPENS), Err(No::Rejected(Rejection::NotPossible))));
        }
    }

    /// With nobody there to be told, or after a draw, a pack is given whole or not at all as well; what is not given has moved no
    /// counter and raised no outcome, and nothing is ever rejected.
    #[test]
    fn nobody_is_given_half_a_pack(
        traits in traits(), sold_out in any::<u8>(), budget in 0..12i64, left in proptest::option::of(0..2i64), drawn: bool,
    ) {
        let mut builder = Builder::new("UTC", vec![]);
        let mut gives = Vec::new();
        for (place, (limited, cost, ..)) in traits.iter().enumerate() {
            let id = format!("r{place}");
            let reward = builder.reward(&id, RewardKind::Coupon, |reward| {
                reward.stock = limited.then_some(5);
                reward.cost = *cost;
            });
            gives.push(Promise { rule: builder.rule(&format!("pack-{id}")), reward });
        }
        builder.budget(1000, None, None);
        let window = |gives| pack::flash::Window { from: 0, until: 0, stock: 9, gives, choice: None };
        let params = match left {
            None => pack::Params { gives, ..pack::Params::default() },
            Some(_) => pack::Params {
                flash: Some(pack::flash::Flash { windows: vec![window(gives)], days: vec![], each_day: true }),
                ..pack::Params::default()
            },
        };
        let (block, _) = builder.block("pack", serde_json::to_string(&params).unwrap(), 0);
        let (wheel, _) = builder.wheel(&wheel::Params { whole: 1, ..wheel::Params::default() });
        let [draw, claim] = [wheel, block].map(|block| acts(block, 0, vec![]).actions[0].clone());
        let transition = if drawn {
            Transition { actions: vec![draw, claim], ..Transition::default() }
        } else {
            builder.definition.machine.states[0].entry = vec![claim];
            Transition::default()
        };
        builder.event("go", &[], vec![transition]);
        let mut alone = Alone::new(&builder.link(), Pseudonym([1; 16]), OPENS);
        alone.gone = gone(&traits, sold_out, budget, 1000);
        let today = machine::calendar::day_number("2026-01-01".parse().unwrap());
        let quota = CounterKey::Quota("pack-r0".into(), today);
        alone.gone.extend(left.map(|left| Left { key: quota.clone(), left }));
        let sum: i64 = traits.iter().map(|(_, cost, ..)| cost).sum();
        let sold_out = traits.iter().enumerate().any(|(place, (limited, ..))| *limited && sold_out >> place & 1 == 1);
        let decision = alone.send(0, &[], OPENS).unwrap();
        let moved = decision.moves.iter().filter(|moved| moved.key == quota).count();
        if sold_out || sum > budget || left == Some(0) {
            prop_assert!(decision.grants.is_empty() && decision.moves.is_empty());
            prop_assert_eq!(decision.outcome, drawn.then_some("missed"));
        } else {
            prop_assert_eq!(decision.grants.len(), traits.len());
            prop_assert_eq!(moved, usize::from(left.is_some()));
            prop_assert!(decision.outcome.is_some_and(|outcome| outcome != "missed"));
        }
    }
}

/// What can be chosen is what this user may have now: not what they have had today or this week, nor what is not for them.
#[test]
fn a_choice_shows_as_possible_what_may_be_chosen_now() {
    let mut builder = Builder::new("UTC", vec![]);
    let weekly = builder.reward("weekly", RewardKind::Coupon, |reward| {
        reward.within = Some(Within {
            day: None,
            week: Some(1),
        });
    });
    let others = builder.reward("others", RewardKind::Coupon, |reward| {
        reward.not_for = Some(BoolExpr::Not(Box::new(BoolExpr::Any(vec![]))));
    });
    let free = builder.reward("free", RewardKind::Coupon, |_| {});
    let window = pack::flash::Window {
        from: 0,
        until: 0,
        stock: 9,
        gives: vec![],
        choice: Some(builder.rule("choice")),
    };
    let params = pack::Params {
        choose: Some(pack::choose::Choose {
            of: vec![weekly, others, free],
            how_many: 1,
        }),
        flash: Some(pack::flash::Flash {
            windows: vec![window],
            days: vec![],
            each_day: true,
        }),
        ..pack::Params::default()
    };
    let (block, _) = builder.block("pack", serde_json::to_string(&params).unwrap(), 0);
    let field = vec![Expr::Int(IntExpr::Lit(0))];
    builder.event(
        "claim",
        &[("choice", Type::Str)],
        vec![acts(block, 0, field)],
    );
    let mut alone = Alone::new(&builder.link(), Pseudonym([1; 16]), OPENS);
    let possible = |alone: &Alone, now| {
        let shown = alone.view(block, now);
        let of = shown["choose"]["of"].as_array().unwrap().clone();
        of.into_iter()
            .filter(|option| option["possible"] == true)
            .map(|option| option["reward"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    // 2026-01-01 is a Thursday.
    let day = |number: i64| OPENS + number * 24 * HOUR_MS;
    assert_eq!(possible(&alone, day(0)), ["weekly", "free"]);
    alone
        .send(0, &[Value::Str("weekly".into())], day(0))
        .unwrap();
    assert_eq!(possible(&alone, day(1)), ["free"]);
    assert_eq!(possible(&alone, day(4)), ["weekly", "free"]);
}
