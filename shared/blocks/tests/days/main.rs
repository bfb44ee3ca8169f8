//! Days beyond the plain streak: what is forgiven, frozen, measured, drawn, made up and reminded of, over months of random days,
//! across daylight-saving changes, month ends and skipped days.

// A failing helper fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod play;
mod reached;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;

use blocks::odds::Odds;
use blocks::wheel::Slice;
use machine::calendar::{Day, HOUR_MS, Millis};
use machine::ids::{Period, Pseudonym};
use machine::ledger::Row;
use machine::model::{RewardKind, VarKind};
use machine::step::{Decision, No, Rejection};
use machine::value::{Type, Value};
use play::*;
use proptest::prelude::*;
use streak::{Cards, Due, Lot, Makeup, Measure, Params, Remind, signature_of};
use support::{Alone, OPENS, Promise, streak};

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_saved_is_what_a_clerk_would_save_at_each_days_end(
        zone in 0..ZONES.len(), cycle in cycles(), forgive in forgives(), freeze in cards(), skip in skips(), moves in moves(),
    ) {
        let skip: BTreeSet<Day> = skip.into_iter().map(|day| first_day() + day).collect();
        let (days, campaign) = saving(zone, cycle, forgive, freeze, &skip);
        let calendar = &campaign.calendar;
        let opens = calendar.day(OPENS);
        let mut alone = Alone::new(&campaign, Pseudonym([1; 16]), OPENS);
        let mut naive = Naive {
            skip: skip.clone(),
            cards: freeze.map_or(0, |cards| cards.start),
            ..Naive::default()
        };
        let (mut today, mut now) = (opens, OPENS);
        for (later, part, deed) in moves {
            for day in today..today + later {
                naive.end_of(day, cycle, forgive, opens);
            }
            today += later;
            now = now.max(at(calendar, today, part));
            let done = send(&mut alone, today, deed, now).is_some();
            match deed {
                Deed::Sign if done => { naive.signed.insert(today); }
                Deed::MakeUp(back) if done => { naive.signed.insert(today - back); }
                Deed::Earn => if let Some(cards) = freeze {
                    naive.cards = (naive.cards + 1).min(cards.hold_at_most.max(naive.cards));
                },
                Deed::Sign | Deed::MakeUp(_) => {}
            }
            prop_assert_eq!(alone.shown(days.slot("streak"), now), naive.streak(today, cycle), "streak on {}", today - opens);
            if !done {
                continue;
            }
            if freeze.is_some() {
                prop_assert_eq!(days_of(&alone, days.slot("$streak.frozen")), naive.frozen.clone());
                prop_assert_eq!(number(&alone, days.slot("freeze_cards")), naive.cards);
            }
            if forgive.is_some() {
                prop_assert_eq!(days_of(&alone, days.slot("$streak.forgiven")), naive.forgiven.clone());
            }
        }
    }

    #[test]
    fn freezing_does_not_depend_on_when_one_looks(
        zone in 0..ZONES.len(), cycle in cycles(), forgive in forgives(), freeze in cards(), skip in skips(), moves in moves(),
        looks in proptest::collection::vec(0..1000i64, 100),
    ) {
        let skip: BTreeSet<Day> = skip.into_iter().map(|day| first_day() + day).collect();
        let (_, campaign) = saving(zone, cycle, forgive, freeze, &skip);
        let calendar = &campaign.calendar;
        let play = |daily: bool| {
            let mut alone = Alone::new(&campaign, Pseudonym([1; 16]), OPENS);
            let (mut today, mut now) = (calendar.day(OPENS), OPENS);
            for (later, part, deed) in &moves {
                for day in today + 1..today + later {
                    if daily {
                        let part = looks[day.unsigned_abs() as usize % looks.len()];
                        now = now.max(at(calendar, day, part));
                        alone.sweep(now);
                    }
                }
                today += later;
                now = now.max(at(calendar, today, *part));
                send(&mut alone, today, *deed, now);
            }
            // Long after, both look.
            alone.sweep(calendar.start_of(today + 10));
            (alone.record.core.vars, alone.record.grants)
        };
        prop_assert_eq!(play(true), play(false));
    }

    #[test]
    fn a_reminder_comes_once_a_day_whether_a_sweep_or_the_next_touch_fires_it(
        zone in 0..ZONES.len(), cycle in cycles(), forgive in forgives(), freeze in cards(), skip in skips(), moves in moves(),
        hour in 0..24u32, from_streak in 1..4u32, closes in 20..200i32,
    ) {
        let skip: BTreeSet<Day> = skip.into_iter().map(|day| first_day() + day).collect();
        let mut days = Days::new(ZONES[zone], skip.iter().copied().collect(), |_| Params {
            cycle,
            forgive,
            freeze,
            makeup: Some(Makeup::free(5, 1000)),
            remind: Some(Remind { at_secs: hour * 3600, message: "at-risk".to_owned(), from_streak }),
            ..Params::default()
        });
        let window = &mut days.builder.definition.window;
        window.closes = OPENS + i64::from(closes) * 24 * HOUR_MS;
        window.claim_until = window.closes;
        let closes = window.closes;
        let campaign = days.link();
        let calendar = &campaign.calendar;
        let play = |sweeps: bool| {
            let mut told: Vec<(Day, i64, Millis)> = Vec::new();
            let hear = |decision: &Decision, told: &mut Vec<(Day, i64, Millis)>, due: Millis| {
                for row in &decision.rows {
                    let Row::Message(message) = row else { continue };
                    let [(_, Value::Int(streak)), (_, Value::Int(day))] = &message.fields[..] else { panic!() };
                    told.push((*day as Day, *streak, due));
                }
            };
            let mut alone = Alone::new(&campaign, Pseudonym([1; 16]), OPENS);
            let (mut today, mut now) = (calendar.day(OPENS), OPENS);
            let mut timer = None;
            let end = moves.iter().map(|(later, ..)| *later).sum::<i32>() + 30;
            let last = (end, 500, Deed::Earn);
            let mut signed = BTreeSet::new();
            for (later, part, deed) in moves.iter().chain([&last]) {
                today += later;
                let next = now.max(at(calendar, today, *part));
                if sweeps {
                    while let Some(due) = timer.filter(|due| *due <= next) {
                        let decision = alone.sweep(due);
                        hear(&decision, &mut told, due);
                        assert!(decision.timer.is_none_or(|then| then > due), "time stands still");
                        timer = decision.timer;
                    }
                }
                now = next;
                if now >= closes {
                    let decision = alone.sweep(now);
                    hear(&decision, &mut told, now);
                    timer = decision.timer;
                    continue;
                }
                if let Some(decision) = send(&mut alone, today, *deed, now) {
                    hear(&decision, &mut told, now);
                    timer = decision.timer;
                    if matches!(deed, Deed::Sign) {
                        signed.insert((today, now));
                    }
                }
            }
            (told, signed, alone.record.core.vars)
        };
        let (swept, signed, vars) = play(true);
        let (touched, _, same) = play(false);
        let what = |told: &[(Day, i64, Millis)]| told.iter().map(|(day, streak, _)| (*day, *streak)).collect::<Vec<_>>();
        prop_assert_eq!(what(&swept), what(&touched));
        prop_assert_eq!(vars, same);
        let on: BTreeSet<Day> = swept.iter().map(|(day, ..)| *day).collect();
        prop_assert_eq!(on.len(), swept.len(), "two on one day");
        for (day, streak, due) in &swept {
            prop_assert!(*streak >= i64::from(from_streak));
            prop_assert!(*due < closes && calendar.day(*due) == *day && !skip.contains(day));
            prop_assert!(!signed.iter().any(|(on, at)| on == day && at < due), "reminded of what was done");
        }
    }

    #[test]
    fn a_day_counts_however_its_amounts_are_cut(
        zone in 0..ZONES.len(), at_least in 1..40i64,
        parts in proptest::collection::vec((0..3i32, 0..1000i64, 0..30i64), 1..40),
    ) {
        let days = Days::new(ZONES[zone], vec![], |_| Params {
            measure: Some(Measure { at_least, field: "words".to_owned(), unit: machine::Text::one("en", "words") }),
            ..Params::default()
        });
        let campaign = days.link();
        let calendar = &campaign.calendar;
        let mut alone = Alone::new(&campaign, Pseudonym([1; 16]), OPENS);
        let (mut today, mut now) = (calendar.day(OPENS), OPENS);
        let mut sums = std::collections::BTreeMap::<Day, i64>::new();
        for (later, part, amount) in parts {
            today += later;
            now = now.max(at(calendar, today, part));
            *sums.entry(today).or_default() += amount;
            let decision = alone.send(STUDY, &[Value::Int(amount)], now).unwrap();
            let (sum, before) = (sums[&today], sums[&today] - amount);
            prop_assert_eq!(decision.outcome.is_some(), sum >= at_least && before < at_least);
            prop_assert_eq!(number(&alone, days.slot("day_sum")), sum);
            // The user's own sign-in is no way around.
            let own = alone.decide(Some(SIGN), &[], now);
            let code = if sum >= at_least { "not-possible" } else { "not-enough-today" };
            prop_assert!(matches!(own, Err(No::Rejected(no)) if no.code() == code));
        }
        let counted: BTreeSet<Day> = sums.iter().filter(|(_, sum)| **sum >= at_least).map(|(day, _)| *day).collect();
        prop_assert_eq!(days_of(&alone, days.slot("$streak.days")), counted);
    }

    #[test]
    fn no_order_of_make_ups_earns_a_promise_twice(
        cycle in cycles(), signed in proptest::collection::btree_set(0..20i32, 1..15),
        order in Just((0..20i32).collect::<Vec<_>>()).prop_shuffle(), length in 2..6u32,
    ) {
        let days = Days::new("America/New_York", vec![], |builder| {
            let reward = builder.reward("badge", RewardKind::Entitlement, |_| {});
            let nothing = builder.reward("nothing", RewardKind::Nothing, |_| {});
            let given = Promise { rule: builder.rule("given"), reward };
            let drawn = builder.rule("drawn");
            let odds = Odds {
                whole: 2,
                slices: vec![Slice { reward, parts: 1, rule: drawn }],
                rest: Some(nothing),
                rest_rule: None,
                names: vec![(reward, "badge".into()), (nothing, "nothing".into())],
            };
            Params {
                cycle,
                makeup: Some(Makeup::free(30, 100)),
                streak: vec![(length, given)],
                lots: vec![Lot { due: Due::Streak(length), name: "streak".to_owned(), odds }],
                ..Params::default()
            }
        });
        let campaign = days.link();
        let first = first_day() + 20;
        let mut alone = Alone::new(&campaign, Pseudonym([1; 16]), OPENS);
        for day in &signed {
            alone.send(SIGN, &[], noon(&campaign, first + day)).unwrap();
        }
        let now = noon(&campaign, first + 21);
        let drawn_days = days.slot("$streak.drawn.streak");
        let mut before = alone.record.grants.iter().filter(|grant| grant.rule == 0).count();
        for day in order.iter().filter(|day| !signed.contains(day)) {
            alone.send(MAKE_UP, &[Value::Int(i64::from(first + day))], now).unwrap();
            // What is drawn is drawn for the days for which the same promise is kept.
            let kept: BTreeSet<Day> = alone.record.grants.iter().filter(|grant| grant.rule == 0).map(|grant| match grant.period {
                Period::Day(on) => on,
                _ => panic!(),
            }).collect();
            prop_assert_eq!(&days_of(&alone, drawn_days), &kept);
            prop_assert_eq!(alone.record.core.draws, kept.len() as u64);
            prop_assert_eq!(alone.record.grants.iter().filter(|grant| grant.rule == 0).count(), kept.len());
            // One day more can make a promise due once, wherever it falls.
            prop_assert!(kept.len() <= before + 1);
            before = kept.len();
        }
    }
}

/// The same days, looked at on a day of 23 and one of 25 hours, and over a month's end.
#[test]
fn a_frozen_day_keeps_the_streak_over_a_change_of_clocks_and_a_months_end() {
    for (zone, missed) in [
        ("America/New_York", "2026-03-08"),
        ("America/New_York", "2026-11-01"),
        ("Asia/Shanghai", "2026-01-31"),
    ] {
        let days = Days::new(zone, vec![], |_| Params {
            freeze: Some(Cards {
                start: 1,
                hold_at_most: 2,
            }),
            ..Params::default()
        });
        let campaign = days.link();
        let missed = machine::calendar::day_number(missed.parse().unwrap());
        let mut alone = Alone::new(&campaign, Pseudonym([1; 16]), OPENS);
        alone.send(SIGN, &[], noon(&campaign, missed - 2)).unwrap();
        alone.send(SIGN, &[], noon(&campaign, missed - 1)).unwrap();
        let last = campaign.calendar.start_of(missed + 1) - 1;
        assert_eq!(alone.shown(days.slot("freeze_cards"), last), 1, "{zone}");
        let next = campaign.calendar.start_of(missed + 1);
        assert_eq!(alone.shown(days.slot("freeze_cards"), next), 0, "{zone}");
        alone.send(SIGN, &[], next).unwrap();
        assert_eq!(number(&alone, days.slot("streak")), 3, "{zone}");
        // A second one breaks it: there is no card left.
        let later = noon(&campaign, missed + 3);
        assert_eq!(alone.shown(days.slot("streak"), later), 0, "{zone}");
    }
}

#[test]
fn a_card_that_is_earned_a_day_later_saves_nothing() {
    let days = Days::new("Asia/Shanghai", vec![], |_| Params {
        freeze: Some(Cards {
            start: 0,
            hold_at_most: 2,
        }),
        ..Params::default()
    });
    let campaign = days.link();
    let first = first_day() + 3;
    let mut alone = Alone::new(&campaign, Pseudonym([1; 16]), OPENS);
    alone.send(SIGN, &[], noon(&campaign, first)).unwrap();
    alone.send(EARN, &[], noon(&campaign, first + 2)).unwrap();
    assert_eq!(number(&alone, days.slot("freeze_cards")), 1);
    assert_eq!(number(&alone, days.slot("streak")), 0);
}

#[test]
fn making_up_a_frozen_day_makes_it_count_and_gives_no_card_back() {
    let days = Days::new("Asia/Shanghai", vec![], |_| Params {
        freeze: Some(Cards {
            start: 1,
            hold_at_most: 2,
        }),
        makeup: Some(Makeup::free(3, 1)),
        ..Params::default()
    });
    let campaign = days.link();
    let first = first_day() + 3;
    let mut alone = Alone::new(&campaign, Pseudonym([1; 16]), OPENS);
    alone.send(SIGN, &[], noon(&campaign, first)).unwrap();
    let third = noon(&campaign, first + 2);
    alone.send(SIGN, &[], third).unwrap();
    assert_eq!(number(&alone, days.slot("streak")), 2);
    let second = [Value::Int(i64::from(first + 1))];
    alone.send(MAKE_UP, &second, third).unwrap();
    assert_eq!(number(&alone, days.slot("streak")), 3);
    assert_eq!(number(&alone, days.slot("freeze_cards")), 0);
}

#[test]
fn a_make_up_is_paid_or_refused_with_the_code_of_what_is_missing() {
    let days = Days::new("Asia/Shanghai", vec![], |builder| {
        builder.definition.vars.push(machine::model::VarDecl {
            name: "points".to_owned(),
            ty: Type::Int,
            default: Value::Int(0),
            show: true,
            kind: VarKind::Balance,
            at_most: i64::MAX,
        });
        Params {
            makeup: Some(Makeup {
                per_month: Some(2),
                cost: Some((0, 15)),
                cards: Some(Cards {
                    start: 0,
                    hold_at_most: 5,
                }),
                ..Makeup::free(10, Makeup::WITHOUT_LIMIT)
            }),
            ..Params::default()
        }
    });
    let campaign = days.link();
    let first = first_day() + 20;
    let now = noon(&campaign, first);
    let mut alone = Alone::new(&campaign, Pseudonym([1; 16]), OPENS);
    let day = |back: i32| [Value::Int(i64::from(first - back))];
    let no = |alone: &Alone, back: i32, now: Millis| match alone.decide(
        Some(MAKE_UP),
        &day(back),
        now,
    ) {
        Err(No::Rejected(no)) => Some(no),
        Ok(_) => None,
        Err(No::Fault(fault)) => panic!("{fault:?}"),
    };
    let code = |code: &str| Some(Rejection::Custom(code.into()));
    assert_eq!(no(&alone, 1, now), code("no-makeup-cards"));
    alone.send(EARN, &[], now).unwrap();
    assert_eq!(no(&alone, 1, now), code("not-enough-for-makeup"));
    for _ in 0..4 {
        alone.send(EARN, &[], now).unwrap();
    }
    for back in 1..3 {
        alone.send(MAKE_UP, &day(back), now).unwrap();
    }
    assert_eq!(number(&alone, days.slot("makeup_cards")), 3);
    assert_eq!(number(&alone, days.slot("points")), 20);
    // Two in January: the third is one of February's.
    assert_eq!(no(&alone, 3, now), Some(Rejection::NotPossible));
    let february = noon(&campaign, first_day() + 31);
    assert_eq!(no(&alone, -10, february), None);
}

#[test]
fn a_gift_of_a_date_is_for_being_there_on_it() {
    let day = first_day() + 10;
    let days = Days::new("Asia/Shanghai", vec![], |builder| {
        let reward = builder.reward("gift", RewardKind::Entitlement, |_| {});
        let gift = Promise {
            rule: builder.rule("date"),
            reward,
        };
        Params {
            dates: vec![(day, gift)],
            makeup: Some(Makeup::free(3, 3)),
            ..Params::default()
        }
    });
    let campaign = days.link();
    let mut there = Alone::new(&campaign, Pseudonym([1; 16]), OPENS);
    let mut late = Alone::new(&campaign, Pseudonym([2; 16]), OPENS);
    assert_eq!(
        there
            .send(SIGN, &[], noon(&campaign, day))
            .unwrap()
            .grants
            .len(),
        1
    );
    let made_up = late.send(
        MAKE_UP,
        &[Value::Int(i64::from(day))],
        noon(&campaign, day + 1),
    );
    assert_eq!(made_up.unwrap().grants.len(), 0);
}

/// A definition that an earlier program wrote has none of the new parts, and none of their variables.
#[test]
fn an_older_streak_reads_and_hashes_as_it_did() {
    let older = r#"{"cycle":{"Days":7},"makeup":{"days_back":3,"at_most":2},"each_day":[{"rule":0,"reward":0}],"streak":[],"total":[]}"#;
    let params: Params = serde_json::from_str(older).unwrap();
    assert_eq!(serde_json::to_string(&params).unwrap(), older);
    let names = signature_of(&params).vars.into_iter().map(|var| var.name);
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["$streak.days", "streak", "total_days", "makeups_used"]
    );
}
