//! Several draws at once, tiers, limits by day and week: what a wheel promises whatever happens around it.

// A failing helper fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Arc;

use machine::calendar::{Calendar, Day, HOUR_MS};
use machine::expr::{Expr, IntExpr};
use machine::ids::Pseudonym;
use machine::ledger::{DrawRow, Row};
use machine::model::{Campaign, RewardKind, Within};
use machine::step::{No, Rejection};
use machine::world::{CounterKey, CounterMove, Left};
use proptest::prelude::*;
use support::{Alone, Builder, OPENS, acts, wheel};
use wheel::{AtMost, Pity, Slice, Tier};

/// A reward by its traits: limited, its cost, its `per_user`, per day and week, what stands in (an offset to a later one).
type Trait = (bool, i64, (Option<u32>, Option<u32>, Option<u32>), usize);

fn traits() -> impl Strategy<Value = Vec<Trait>> {
    let limit = || proptest::option::of(1..4u32);
    let one = (
        any::<bool>(),
        0..4i64,
        (limit(), limit(), limit()),
        0..4usize,
    );
    proptest::collection::vec(one, 2..6)
}

/// What else a wheel has.
#[derive(Debug, Clone)]
struct Terms {
    pity: Option<(u32, bool)>,
    at_most: AtMost,
    tiers: Vec<u64>,
}

fn terms() -> impl Strategy<Value = Terms> {
    let limit = || proptest::option::of(5..40u32);
    (
        proptest::option::of((1..5u32, any::<bool>())),
        (limit(), limit(), limit()),
        proptest::collection::btree_set(1..30u64, 0..3),
    )
        .prop_map(|(pity, (day, week, edition), tiers)| Terms {
            pity,
            at_most: AtMost { day, week, edition },
            tiers: tiers.into_iter().collect(),
        })
}

/// A wheel over these rewards and a blank, with equal odds; each tier lacks one reward more than the one after it. Event 0 draws once,
/// event 1 ten times.
fn campaign(traits: &[Trait], terms: &Terms) -> Arc<Campaign> {
    let mut builder = Builder::new("Asia/Shanghai", vec![]);
    let (mut names, mut slices) = (Vec::new(), Vec::new());
    for (place, (limited, cost, (edition, day, week), next)) in traits.iter().enumerate() {
        let id = format!("r{place}");
        let within = Within {
            day: *day,
            week: *week,
        };
        let reward = builder.reward(&id, RewardKind::Coupon, |reward| {
            reward.stock = limited.then_some(5);
            reward.cost = *cost;
            reward.per_user = *edition;
            reward.within = (!within.is_free()).then_some(within);
            let stand_in = place + next;
            reward.when_gone = (*next > 0 && stand_in < traits.len()).then_some(stand_in as u16);
        });
        let rule = builder.rule(&format!("wheel-{id}"));
        names.push((reward, id.as_str().into()));
        slices.push(Slice {
            reward,
            parts: 1,
            rule,
        });
    }
    let blank = builder.reward("nothing", RewardKind::Nothing, |_| {});
    names.push((blank, "nothing".into()));
    builder.budget(1000, Some(100), None);
    let rule = builder.rule("wheel-pity");
    let whole = traits.len() as u64 * 2;
    let tiers = terms
        .tiers
        .iter()
        .enumerate()
        .map(|(place, first_draws)| Tier {
            first_draws: *first_draws,
            whole,
            slices: slices.iter().skip(1 + place).copied().collect(),
            rest: Some(blank),
            rest_rule: None,
        });
    let params = wheel::Params {
        whole,
        tiers: tiers.collect(),
        slices,
        rest: Some(blank),
        pity: terms.pity.map(|(losses, any_win)| Pity {
            losses,
            reward: 0,
            rule,
            any_win,
        }),
        names,
        at_most: terms.at_most,
        ..wheel::Params::default()
    };
    let (block, _) = builder.wheel(&params);
    builder.event("draw", &[], vec![acts(block, 0, vec![])]);
    let ten = vec![Expr::Int(IntExpr::Lit(10))];
    builder.event("draw-ten", &[], vec![acts(block, 0, ten)]);
    builder.link()
}

fn draws(rows: &[Row]) -> Vec<&DrawRow> {
    rows.iter()
        .filter_map(|row| match row {
            Row::Draw(draw) => Some(draw),
            _ => None,
        })
        .collect()
}

/// What the store says is left of each reward and of the budgets.
fn left(traits: &[Trait], units: &[i64], budget: i64, of_day: i64) -> Vec<Left> {
    let stock = traits.iter().zip(units).enumerate();
    let mut left: Vec<Left> = stock
        .filter(|(_, ((limited, ..), _))| *limited)
        .map(|(place, (_, units))| Left {
            key: CounterKey::Stock(format!("r{place}").into()),
            left: *units,
        })
        .collect();
    let today = machine::calendar::day_number("2026-01-01".parse().unwrap());
    left.push(Left {
        key: CounterKey::Budget,
        left: budget,
    });
    left.push(Left {
        key: CounterKey::BudgetDay(today),
        left: of_day,
    });
    left
}

/// As a store has it after a commit.
fn take(left: &mut [Left], moves: &[CounterMove]) {
    for moved in moves {
        if let Some(known) = left.iter_mut().find(|known| known.key == moved.key) {
            known.left -= moved.add;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Ten draws in one call come to what ten calls come to when nothing else happens between: the same luck, rows, grants, pity
    /// and counts, down to the unit with which each reward and the budget run out.
    #[test]
    fn ten_draws_equal_ten_single_draws(
        traits in traits(), terms in terms(), who in any::<[u8; 16]>(), before in 0..20usize,
        units in proptest::collection::vec(0..6i64, 6), budget in 0..20i64, of_day in 0..20i64,
    ) {
        let terms = Terms { at_most: AtMost::default(), ..terms };
        let campaign = campaign(&traits, &terms);
        let mut single = Alone::new(&campaign, Pseudonym(who), OPENS);
        single.gone = left(&traits, &[9; 6], 900, 900);
        for _ in 0..before {
            single.send(0, &[], OPENS).unwrap();
        }
        single.gone = left(&traits, &units, budget, of_day);
        let mut at_once = Alone::new(&campaign, Pseudonym(who), OPENS);
        at_once.record = single.record.clone();
        at_once.gone = single.gone.clone();

        let together = at_once.send(1, &[], OPENS).unwrap();
        let (mut rows, mut grants) = (Vec::new(), Vec::new());
        for _ in 0..10 {
            let decision = single.send(0, &[], OPENS).unwrap();
            take(&mut single.gone, &decision.moves);
            rows.extend(decision.rows);
            grants.extend(decision.grants);
        }
        prop_assert_eq!(&together.rows, &rows);
        prop_assert_eq!(&together.grants, &grants);
        prop_assert_eq!(&at_once.record.core.vars, &single.record.core.vars);
        prop_assert_eq!(at_once.record.core.draws, single.record.core.draws);
        prop_assert_eq!(together.outcome, Some(if grants.is_empty() { "missed" } else { "won" }));
        // Never more of a counter than is left, and each counter once.
        for moved in &together.moves {
            let known = at_once.gone.iter().find(|known| known.key == moved.key);
            prop_assert!(known.is_none_or(|known| moved.add <= known.left));
            prop_assert_eq!(together.moves.iter().filter(|other| other.key == moved.key).count(), 1);
        }
        let mut named: Vec<_> = together.alternatives.iter().map(|counter| &counter.key).collect();
        let count = named.len();
        named.sort();
        named.dedup();
        prop_assert_eq!(named.len(), count);
    }

    /// However draws are spread over days and weeks, one at a time or ten, with whatever gone: nobody is given more of a reward within
    /// a day, a week or in all than its limit, nor draws more often, and who is refused has reached a limit.
    #[test]
    fn limits_by_day_week_and_edition_never_leak(
        traits in traits(), terms in terms(), who in any::<[u8; 16]>(),
        turns in proptest::collection::vec((any::<bool>(), 0..20i64, any::<[bool; 6]>()), 1..60),
    ) {
        let campaign = campaign(&traits, &terms);
        let mut alone = Alone::new(&campaign, Pseudonym(who), OPENS);
        let mut now = OPENS;
        let mut drawn: Vec<Day> = Vec::new();
        let mut given: Vec<(u16, Day)> = Vec::new();
        for (ten, hours, gone) in turns {
            now += hours * HOUR_MS;
            let day = campaign.calendar.day(now);
            let units: Vec<i64> = gone.iter().map(|gone| if *gone { 0 } else { 50 }).collect();
            alone.gone = left(&traits, &units, 1000, 100);
            let most = terms.at_most;
            let within = Within { day: most.day, week: most.week };
            let times = if ten { 10 } else { 1 };
            // One draw after the other, as a count by hand has it.
            let mut tried = drawn.clone();
            let fits = (0..times).all(|_| {
                let room = !within.is_full(tried.iter().copied(), day)
                    && most.edition.is_none_or(|most| tried.len() < most as usize);
                tried.push(day);
                room
            });
            match alone.send(u16::from(ten), &[], now) {
                Ok(decision) => {
                    prop_assert!(fits);
                    let rows = draws(&decision.rows);
                    prop_assert_eq!(rows.len(), times);
                    for row in rows {
                        prop_assert_eq!(row.index, drawn.len() as u64);
                        let tier = terms.tiers.iter().position(|first| row.index < *first);
                        prop_assert_eq!(row.terms.tier, tier.map(|place| place as u16 + 1));
                        prop_assert!(!terms.at_most.counts() || row.terms.day == Some(day));
                        drawn.push(day);
                        if let Some(id) = &row.given {
                            given.push((campaign.reward(id).unwrap(), day));
                            prop_assert!(campaign.rewards[usize::from(given[given.len() - 1].0)].within.is_none() || row.terms.day == Some(day));
                        }
                    }
                }
                Err(No::Rejected(Rejection::Custom(code))) => {
                    prop_assert_eq!(&*code, wheel::DRAW_LIMIT);
                    prop_assert!(!fits);
                }
                Err(other) => prop_assert!(false, "{other:?}"),
            }
            for (place, (_, _, (edition, of_day, of_week), _)) in traits.iter().enumerate() {
                let days = || given.iter().filter(|(reward, _)| usize::from(*reward) == place).map(|(_, day)| *day);
                let count = |wanted: &dyn Fn(Day) -> bool| days().filter(|day| wanted(*day)).count() as u32;
                prop_assert!(edition.is_none_or(|most| count(&|_| true) <= most));
                prop_assert!(of_day.is_none_or(|most| count(&|at| at == day) <= most));
                let week = Calendar::week(day);
                prop_assert!(of_week.is_none_or(|most| count(&|at| Calendar::week(at) == week) <= most));
            }
        }
    }

    /// Pity keeps its word to the draw: whatever is gone, however many are drawn at once, whatever the tier, there are never more than
    /// `losses` draws in a row that neither end the count nor are decided by pity, and the next one is pity's.
    #[test]
    fn pity_never_takes_longer_than_it_says(
        traits in traits(), terms in terms(), losses in 1..6u32, any_win: bool, who in any::<[u8; 16]>(),
        turns in proptest::collection::vec((any::<bool>(), any::<[bool; 6]>()), 1..40),
    ) {
        let terms = Terms { pity: Some((losses, any_win)), at_most: AtMost::default(), ..terms };
        let campaign = campaign(&traits, &terms);
        let mut alone = Alone::new(&campaign, Pseudonym(who), OPENS);
        let mut in_a_row = 0;
        for (ten, gone) in turns {
            let units: Vec<i64> = gone.iter().map(|gone| if *gone { 0 } else { 50 }).collect();
            alone.gone = left(&traits, &units, 1000, 100);
            let decision = alone.send(u16::from(ten), &[], OPENS).unwrap();
            for row in draws(&decision.rows) {
                prop_assert_eq!(row.rolled.pity, in_a_row == losses);
                let wanted = row.given.as_deref() == Some("r0");
                let over = row.rolled.pity || wanted || (any_win && row.given.is_some());
                in_a_row = if over { 0 } else { in_a_row + 1 };
                prop_assert!(in_a_row <= losses);
            }
        }
    }
}
