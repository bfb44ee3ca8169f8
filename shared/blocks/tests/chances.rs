//! Chances: what they are does not depend on who looks, or when time is written down.

// A failing helper fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use chances::Params;
use machine::calendar::{HOUR_MS, Millis};
use machine::expr::{BoolExpr, IntExpr};
use machine::ids::Pseudonym;
use machine::model::{Action, After, State, Transition};
use proptest::prelude::*;
use support::{Alone, Builder, OPENS, chances};

/// A campaign where each event spends a chance if there is one; and a second state, entered two days after the first,
/// that gives one, and back again after three more.
fn campaign(params: &Params, hold_at_most: i64) -> (Builder, u16) {
    let mut builder = Builder::new("America/New_York", vec![]);
    let (_, vars) = builder.block(
        "chances",
        serde_json::to_string(params).unwrap(),
        hold_at_most,
    );
    let spend = Transition {
        actions: vec![Action::Take(vars[0], IntExpr::Lit(1))],
        ..Transition::default()
    };
    builder.event("spend", &[], vec![spend]);
    let after = |days: i64, to: u16| After {
        delay: days * 24 * HOUR_MS + 1,
        transition: Transition {
            when: Some(BoolExpr::Lit(true)),
            actions: vec![Action::Add(vars[0], IntExpr::Lit(1))],
            to: Some(to),
            ..Transition::default()
        },
    };
    let machine = &mut builder.definition.machine;
    machine.states[0].after.push(after(2, 1));
    let events = machine.states[0].events.clone();
    machine.states.push(State {
        name: "other".into(),
        events,
        after: vec![after(3, 0)],
        ..State::default()
    });
    (builder, vars[0])
}

fn params() -> impl Strategy<Value = Params> {
    (0..4i64, 0..3i64, any::<bool>()).prop_map(|(first_visit, each_day, lost)| Params {
        first_visit,
        each_day,
        lost,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Looking changes nothing, time may be written down at any instant, and the bound holds.
    #[test]
    fn when_time_is_written_down_makes_no_difference(
        params in params(), hold in 1..12i64,
        steps in proptest::collection::vec((0..60i64, any::<bool>(), proptest::collection::vec(0..1000i64, 0..3)), 1..25),
    ) {
        let (builder, slot) = campaign(&params, hold);
        let campaign = builder.link();
        let mut once = Alone::new(&campaign, Pseudonym([1; 16]), OPENS);
        let mut often = Alone::new(&campaign, Pseudonym([1; 16]), OPENS);
        let mut now: Millis = OPENS;
        once.sweep(now);
        often.sweep(now);
        for (hours, spends, sweeps) in steps {
            let span = hours * HOUR_MS;
            let mut at: Vec<Millis> = sweeps.iter().map(|part| now + span * part / 1000).collect();
            at.sort_unstable();
            for at in at {
                let shown = often.shown(slot, at);
                prop_assert_eq!(shown, often.shown(slot, at));
                often.sweep(at);
                prop_assert_eq!(shown, often.shown(slot, at));
                // A clock that runs backwards changes nothing either.
                prop_assert_eq!(shown, often.shown(slot, at - 30 * HOUR_MS));
            }
            now += span;
            prop_assert_eq!(once.shown(slot, now), often.shown(slot, now));
            prop_assert!((0..=hold).contains(&once.shown(slot, now)));
            if spends {
                prop_assert_eq!(once.send(0, &[], now).is_ok(), often.send(0, &[], now).is_ok());
            }
        }
        once.sweep(now);
        often.sweep(now);
        prop_assert_eq!(&once.record.core.vars, &often.record.core.vars);
        prop_assert_eq!(once.record.core.state, often.record.core.state);
    }

    /// What is kept is what every calendar day since the first visit brought, less what was spent.
    #[test]
    fn every_day_counts_whether_or_not_anyone_came(
        first in 0..5i64, daily in 0..4i64, gaps in proptest::collection::vec(0..40i64, 1..20),
    ) {
        let (mut builder, slot) = campaign(&Params { first_visit: first, each_day: daily, lost: false }, i64::MAX);
        builder.definition.machine.states[0].after.clear();
        let campaign = builder.link();
        let mut alone = Alone::new(&campaign, Pseudonym([1; 16]), OPENS);
        alone.sweep(OPENS);
        let (mut day, mut spent) = (0, 0);
        for gap in gaps {
            day += gap;
            let expected = first + daily * (day + 1) - spent;
            prop_assert_eq!(alone.shown(slot, OPENS + day * 24 * HOUR_MS), expected);
            if alone.send(0, &[], OPENS + day * 24 * HOUR_MS).is_ok() {
                spent += 1;
            } else {
                prop_assert_eq!(expected, 0);
            }
        }
    }
}

/// Figures beyond reason are cut, and lock nobody out.
#[test]
fn an_absurd_figure_faults_nobody() {
    for hold in [10, i64::MAX] {
        let (builder, slot) = campaign(
            &Params {
                first_visit: i64::MAX - 1,
                each_day: i64::MAX,
                lost: false,
            },
            hold,
        );
        let alone = Alone::new(&builder.link(), Pseudonym([1; 16]), OPENS);
        assert_eq!(alone.shown(slot, OPENS), hold);
        assert!(
            alone
                .decide(Some(0), &[], OPENS + 900 * 24 * HOUR_MS)
                .is_ok()
        );
    }
}
