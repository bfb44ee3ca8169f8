//! The streak against a naive model, over months of random sign-ins and make-ups, across daylight-saving changes, month
//! ends and skipped days.

// A failing helper fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;

use machine::calendar::{Calendar, Day, HOUR_MS, Millis};
use machine::expr::Expr;
use machine::ids::{Period, Pseudonym};
use machine::model::RewardKind;
use machine::value::{Type, Value};
use proptest::prelude::*;
use streak::{Cycle, Makeup, Params};
use support::{Alone, Builder, OPENS, Promise, acts, first_field, streak};

const ZONES: [&str; 5] = [
    "Asia/Shanghai",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/Sao_Paulo",
];
const MILESTONES: [u32; 3] = [2, 3, 7];
const TOTALS: [u32; 2] = [4, 10];
const MAKEUP: Makeup = Makeup::free(4, 3);

#[derive(Debug, Clone, Copy)]
enum Deed {
    Sign,
    MakeUp(i32),
    Look,
}

/// After how many days, at which thousandth of the day, what.
type Move = (i32, i64, Deed);

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let deed = prop_oneof![6 => Just(Deed::Sign), 3 => (-1..6i32).prop_map(Deed::MakeUp), 1 => Just(Deed::Look)];
    let days = prop_oneof![2 => Just(0), 12 => Just(1), 2 => Just(2), 1 => 3..40i32];
    proptest::collection::vec((days, 0..1000i64, deed), 1..60)
}

fn cycles() -> impl Strategy<Value = Cycle> {
    prop_oneof![
        Just(Cycle::None),
        Just(Cycle::Month),
        (1..9u32).prop_map(Cycle::Days)
    ]
}

/// What a streak is, worked out the slow way.
struct Naive {
    cycle: Cycle,
    skip: BTreeSet<Day>,
    signed: BTreeSet<Day>,
    made_up: u32,
}

impl Naive {
    /// The unbroken runs: each day with its number within its cycle.
    fn runs(&self) -> Vec<Vec<(Day, i64)>> {
        let mut runs: Vec<Vec<(Day, i64)>> = Vec::new();
        let (Some(first), Some(last)) = (self.signed.first(), self.signed.last()) else {
            return runs;
        };
        let mut broken = true;
        for day in (*first..=*last).filter(|day| !self.skip.contains(day)) {
            if !self.signed.contains(&day) {
                broken = true;
                continue;
            }
            if broken {
                runs.push(Vec::new());
            }
            broken = false;
            let run = runs.last_mut().unwrap();
            let number = match (self.cycle, run.last()) {
                (_, None) => 1,
                (Cycle::None, Some((_, number))) => number + 1,
                (Cycle::Month, Some((before, number))) => {
                    if Calendar::month(*before) == Calendar::month(day) {
                        number + 1
                    } else {
                        1
                    }
                }
                (Cycle::Days(length), Some((_, number))) => {
                    if *number == i64::from(length) {
                        1
                    } else {
                        number + 1
                    }
                }
            };
            run.push((day, number));
        }
        runs
    }

    fn streak(&self, today: Day) -> i64 {
        let mut last = today;
        if !self.signed.contains(&today) {
            last -= 1;
            while self.skip.contains(&last) {
                last -= 1;
            }
        }
        let runs = self.runs();
        let Some((_, number)) = runs.iter().flatten().find(|(day, _)| *day == last) else {
            return 0;
        };
        let over = match self.cycle {
            Cycle::None => false,
            Cycle::Month => Calendar::month(last) != Calendar::month(today),
            Cycle::Days(length) => *number == i64::from(length),
        };
        if last != today && over { 0 } else { *number }
    }

    fn can_make_up(&self, day: Day, today: Day, opens: Day) -> bool {
        day < today
            && today - day <= MAKEUP.days_back as i32
            && day >= opens
            && !self.skip.contains(&day)
            && !self.signed.contains(&day)
            && self.made_up < MAKEUP.at_most
    }
}

/// A campaign with a promise for each day, for some streaks and for some totals; its rules in that order.
fn campaign(zone: &str, cycle: Cycle, skip: &BTreeSet<Day>) -> (Builder, Vec<u16>) {
    let mut builder = Builder::new(zone, skip.iter().copied().collect());
    let reward = builder.reward("points", RewardKind::Entitlement, |_| {});
    let mut promise = |id: String| Promise {
        rule: builder.rule(&id),
        reward,
    };
    let params = Params {
        cycle,
        makeup: Some(MAKEUP),
        each_day: vec![promise("each-day".to_owned())],
        streak: MILESTONES
            .iter()
            .map(|days| (*days, promise(format!("streak-{days}"))))
            .collect(),
        total: TOTALS
            .iter()
            .map(|days| (*days, promise(format!("total-{days}"))))
            .collect(),
        ..Params::default()
    };
    let (block, vars) = builder.block("streak", serde_json::to_string(&params).unwrap(), 0);
    builder.event("sign-in", &[], vec![acts(block, 0, vec![])]);
    builder.event(
        "make-up",
        &[("day", Type::Date)],
        vec![acts(block, 1, vec![first_field()])],
    );
    (builder, vars)
}

fn play(
    zone: &str,
    cycle: Cycle,
    start: i32,
    skip: &BTreeSet<Day>,
    moves: &[Move],
) -> Result<(), TestCaseError> {
    let (builder, vars) = campaign(zone, cycle, skip);
    let (streak_var, total_var) = (vars[1], vars[2]);
    let campaign = builder.link();
    let calendar = &campaign.calendar;
    let opens = calendar.day(OPENS);
    let mut today = opens + start;
    let at = |today: Day, part: i64| -> Millis {
        let (from, until) = (calendar.start_of(today), calendar.start_of(today + 1));
        from + (until - from) * part / 1000
    };
    let mut alone = Alone::new(&campaign, Pseudonym([1; 16]), at(today, 0));
    let mut naive = Naive {
        cycle,
        skip: skip.clone(),
        signed: BTreeSet::new(),
        made_up: 0,
    };
    // West of Greenwich the campaign opens within its first day: before that nothing is taken.
    let mut now = OPENS;
    for (days, part, deed) in moves {
        today += days;
        now = now.max(at(today, *part));
        prop_assert_eq!(calendar.day(now), today);
        prop_assert_eq!(alone.ask(0, 4, vec![], now), skip.contains(&today));
        let before = alone.record.grants.clone();
        let (done, expected) = match deed {
            Deed::Look => {
                prop_assert_eq!(alone.shown(streak_var, now), naive.streak(today));
                continue;
            }
            Deed::Sign => {
                let may = !skip.contains(&today) && !naive.signed.contains(&today);
                if may {
                    naive.signed.insert(today);
                }
                (alone.send(0, &[], now).is_ok(), may)
            }
            Deed::MakeUp(back) => {
                let day = today - back;
                let may = naive.can_make_up(day, today, opens);
                let day_value = Value::Int(i64::from(day));
                let asked = Expr::Int(machine::expr::IntExpr::Lit(i64::from(day)));
                prop_assert_eq!(alone.ask(0, 2, vec![asked], now), may);
                if may {
                    naive.signed.insert(day);
                    naive.made_up += 1;
                }
                (alone.send(1, &[day_value], now).is_ok(), may)
            }
        };
        prop_assert_eq!(done, expected, "{:?} on {}", deed, today);
        let record = &alone.record;
        prop_assert_eq!(
            record.core.vars[usize::from(total_var)].clone(),
            Value::Int(naive.signed.len() as i64)
        );
        prop_assert_eq!(alone.shown(streak_var, now), naive.streak(today));

        // Each day gives once.
        let of = |rule: usize| {
            record
                .grants
                .iter()
                .filter(move |grant| usize::from(grant.rule) == rule)
        };
        let each: BTreeSet<Day> = of(0)
            .map(|grant| {
                if let Period::Day(day) = grant.period {
                    day
                } else {
                    Day::MIN
                }
            })
            .collect();
        prop_assert_eq!(&each, &naive.signed);
        prop_assert_eq!(of(0).count(), naive.signed.len());

        // A streak's promise is kept as often as each run holds it, and what was kept earlier counts.
        for (rule, length) in MILESTONES.iter().enumerate() {
            let rule = rule + 1;
            let kept = |day: &Day| of(rule).any(|grant| grant.period == Period::Day(*day));
            let kept_before = |day: &Day| {
                before.iter().any(|grant| {
                    usize::from(grant.rule) == rule && grant.period == Period::Day(*day)
                })
            };
            for run in naive.runs() {
                let months: BTreeSet<i32> =
                    run.iter().map(|(day, _)| Calendar::month(*day)).collect();
                let parts: Vec<Vec<(Day, i64)>> = if cycle == Cycle::Month {
                    let of_month = |month: &i32| {
                        run.iter()
                            .copied()
                            .filter(|(day, _)| Calendar::month(*day) == *month)
                            .collect()
                    };
                    months.iter().map(of_month).collect()
                } else {
                    vec![run.clone()]
                };
                for part in parts {
                    let due = part
                        .iter()
                        .filter(|(_, number)| *number == i64::from(*length))
                        .count();
                    let had = part.iter().filter(|(day, _)| kept_before(day)).count();
                    let has = part.iter().filter(|(day, _)| kept(day)).count();
                    prop_assert_eq!(has, due.max(had), "streak-{} in {:?}", length, part);
                }
            }
            let ids: BTreeSet<Period> = of(rule).map(|grant| grant.period).collect();
            prop_assert_eq!(ids.len(), of(rule).count(), "one grant id twice");
        }
        for (rule, total) in TOTALS.iter().enumerate() {
            let rule = rule + 1 + MILESTONES.len();
            prop_assert_eq!(
                of(rule).count(),
                usize::from(naive.signed.len() >= *total as usize)
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_streak_is_what_it_looks_like(
        zone in 0..ZONES.len(), cycle in cycles(), start in 0..700i32,
        skip in proptest::collection::btree_set(0..900i32, 0..80), moves in moves(),
    ) {
        let first = machine::calendar::day_number("2026-01-01".parse().unwrap());
        let skip = skip.into_iter().map(|day| first + day).collect();
        play(ZONES[zone], cycle, start, &skip, &moves)?;
    }
}

/// A make-up that makes a run begin a day earlier moves where its cycles end, and earns nothing twice.
#[test]
fn a_make_up_before_a_run_of_cycles_earns_nothing_twice() {
    let (builder, _) = campaign("Asia/Shanghai", Cycle::Days(2), &BTreeSet::new());
    let campaign = builder.link();
    let first = campaign.calendar.day(OPENS) + 5;
    let noon = |day: Day| campaign.calendar.start_of(day) + 12 * HOUR_MS;
    let mut alone = Alone::new(&campaign, Pseudonym([1; 16]), noon(first));
    for day in first..first + 4 {
        alone.send(0, &[], noon(day)).unwrap();
    }
    let pairs = |alone: &Alone| {
        alone
            .record
            .grants
            .iter()
            .filter(|grant| grant.rule == 1)
            .count()
    };
    assert_eq!(pairs(&alone), 2);
    // Five days hold two pairs, as four did: the fifth stands alone, be it the first of them.
    alone
        .send(1, &[Value::Int(i64::from(first - 1))], noon(first + 3))
        .unwrap();
    assert_eq!(pairs(&alone), 2);
    alone.send(0, &[], noon(first + 4)).unwrap();
    assert_eq!(pairs(&alone), 3);
}

/// An outage: a later revision skips its day, and the streak that it broke is whole again.
#[test]
fn skipping_the_day_of_an_outage_mends_the_streak() {
    let (builder, vars) = campaign("Asia/Shanghai", Cycle::None, &BTreeSet::new());
    let campaign = builder.link();
    let first = campaign.calendar.day(OPENS);
    let noon = |day: Day| campaign.calendar.start_of(day) + 12 * HOUR_MS;
    let mut alone = Alone::new(&campaign, Pseudonym([1; 16]), noon(first));
    for day in first..first + 3 {
        alone.send(0, &[], noon(day)).unwrap();
    }
    // Down all of the fourth day; a sweep on the fifth finds the streak broken and commits that.
    alone.sweep(noon(first + 4));
    assert_eq!(alone.shown(vars[1], noon(first + 4)), 0);
    let (mended, _) = self::campaign("Asia/Shanghai", Cycle::None, &BTreeSet::from([first + 3]));
    alone.campaign = mended.link();
    assert_eq!(alone.shown(vars[1], noon(first + 4)), 3);
    alone.send(0, &[], noon(first + 4)).unwrap();
    assert_eq!(alone.shown(vars[1], noon(first + 4)), 4);
}
