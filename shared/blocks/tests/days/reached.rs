//! Days in a row give when they are reached: what an earlier day left open, since nothing was left or since only a later
//! revision promises it, is never given in a heap by the next sign-in.

use machine::calendar::Day;
use machine::ids::Pseudonym;
use machine::model::RewardKind;
use machine::value::Value;
use machine::world::{CounterKey, Left};

use super::play::*;
use super::support::streak::{Cycle, Due, Lot, Makeup, Params};
use super::support::{Alone, OPENS, Promise};
use blocks::odds::Odds;
use blocks::wheel::Slice;

/// A campaign that promises a coupon for each of these lengths, and draws one for each of those.
fn days(cycle: Cycle, lengths: &[u32], drawn: &[u32]) -> Days {
    Days::new("Asia/Shanghai", vec![], |builder| {
        let reward = builder.reward("coupon", RewardKind::Coupon, |reward| {
            reward.stock = Some(1000);
        });
        let promise = |length: &u32| {
            let rule = builder.rule(&format!("streak-{length}"));
            (*length, Promise { rule, reward })
        };
        let streak = lengths.iter().map(promise).collect();
        let rule = builder.rule("drawn");
        let lot = |length: &u32| Lot {
            due: Due::Streak(*length),
            name: format!("streak-{length}"),
            odds: Odds {
                whole: 1,
                slices: vec![Slice {
                    reward,
                    parts: 1,
                    rule,
                }],
                rest: None,
                rest_rule: None,
                names: vec![(reward, "coupon".into())],
            },
        };
        Params {
            cycle,
            makeup: Some(Makeup::free(30, 100)),
            streak,
            lots: drawn.iter().map(lot).collect(),
            ..Params::default()
        }
    })
}

fn sign(alone: &mut Alone, day: Day) -> usize {
    let now = noon(&alone.campaign, day);
    alone.send(SIGN, &[], now).unwrap().grants.len()
}

/// Carries the record over, as a publish does at its next touch.
fn revise(alone: &mut Alone, days: &Days) {
    let old = alone.campaign.clone();
    alone.campaign = days.link();
    alone.record = machine::migrate::migrate(&alone.record, &old, &alone.campaign);
}

/// After 70 days in a row a revision changes what they give: the 71st gives none of what would have been due before, and
/// from then on each is given on its day.
#[test]
fn a_revision_gives_what_is_reached_from_then_on() {
    let rows = [
        (
            days(Cycle::None, &[7], &[]),
            days(Cycle::Days(7), &[7], &[]),
            vec![77, 84],
        ),
        (
            days(Cycle::Days(7), &[7], &[]),
            days(Cycle::Days(7), &[3, 7], &[]),
            vec![73, 77, 80, 84],
        ),
        (
            days(Cycle::Days(7), &[7], &[]),
            days(Cycle::Days(7), &[7], &[7]),
            vec![77, 77, 84, 84],
        ),
        (
            days(Cycle::None, &[], &[]),
            days(Cycle::None, &[75], &[75]),
            vec![75, 75],
        ),
    ];
    for (row, (before, after, due)) in rows.into_iter().enumerate() {
        let campaign = before.link();
        let first = first_day() + 5;
        let mut alone = Alone::new(&campaign, Pseudonym([1; 16]), OPENS);
        for day in first..first + 70 {
            sign(&mut alone, day);
        }
        revise(&mut alone, &after);
        let mut got = Vec::new();
        for number in 71..=85 {
            let given = sign(&mut alone, first + number - 1);
            got.extend(std::iter::repeat_n(number, given));
        }
        assert_eq!(got, due, "row {row}");
    }
}

/// What a week had no stock for is left out for good: stock that comes later is for the weeks that end later.
#[test]
fn a_week_that_found_nothing_left_is_not_given_by_a_later_one() {
    let campaign = days(Cycle::Days(7), &[7], &[]).link();
    let first = first_day() + 5;
    let mut alone = Alone::new(&campaign, Pseudonym([1; 16]), OPENS);
    let sold_out = Left {
        key: CounterKey::Stock("coupon".into()),
        left: 0,
    };
    let mut given = Vec::new();
    for number in 1..=28 {
        alone.gone = if number <= 21 {
            vec![sold_out.clone()]
        } else {
            vec![]
        };
        given.extend((sign(&mut alone, first + number - 1) > 0).then_some(number));
    }
    assert_eq!(given, [28]);
}

/// A make-up that closes a gap gives what it makes due, wherever in the run that falls, and nothing else of a run that a
/// revision has given a cycle.
#[test]
fn a_make_up_after_a_revision_gives_what_it_has_reached() {
    let before = days(Cycle::None, &[7], &[]);
    let campaign = before.link();
    let first = first_day() + 5;
    let mut alone = Alone::new(&campaign, Pseudonym([1; 16]), OPENS);
    // Days 1 to 12 and 14 to 26: both runs gave once.
    for number in (1..=26).filter(|number| *number != 13) {
        sign(&mut alone, first + number - 1);
    }
    assert_eq!(alone.record.grants.len(), 2);
    revise(&mut alone, &days(Cycle::Days(7), &[7], &[]));
    // Two weeks are whole before it (1 to 7, and 14 to 20), three are after it: one more.
    let now = noon(&alone.campaign, first + 25);
    let day = [Value::Int(i64::from(first + 12))];
    assert_eq!(alone.send(MAKE_UP, &day, now).unwrap().grants.len(), 1);
    assert_eq!(sign(&mut alone, first + 26), 0);
    assert_eq!(sign(&mut alone, first + 27), 1);
}

/// The nearest promise in a row is the next cycle's once this one has no more, and so many days of being there away.
#[test]
fn what_comes_next_wraps_around_with_its_cycle() {
    // How many days in a row from January 1st on, which promise then is next, and how far away.
    let rows = [
        (Cycle::Days(7), vec![3, 7], 2, Some((3, 1))),
        (Cycle::Days(7), vec![3, 7], 3, Some((7, 4))),
        (Cycle::Days(7), vec![3, 7], 7, Some((3, 3))),
        (Cycle::Days(7), vec![3], 5, Some((3, 5))),
        (Cycle::Month, vec![2], 3, Some((2, 30))),
        (Cycle::Month, vec![2], 31, Some((2, 2))),
        (Cycle::None, vec![3], 5, None),
    ];
    for (row, (cycle, lengths, signed, next)) in rows.into_iter().enumerate() {
        let campaign = days(cycle, &lengths, &[]).link();
        let mut alone = Alone::new(&campaign, Pseudonym([1; 16]), OPENS);
        for day in first_day()..first_day() + signed {
            sign(&mut alone, day);
        }
        let last = noon(&campaign, first_day() + signed - 1);
        let shown = &alone.view(0, last)["next"]["streak"];
        let found = shown["days"].as_i64().zip(shown["to_go"].as_i64());
        assert_eq!(found, next, "row {row}: {shown}");
    }
}
