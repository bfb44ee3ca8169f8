//! Campaigns of days, random lives in them, and a clerk who keeps the same books by hand: what the tests of this folder hold the
//! block against.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::support::streak::{Cards, Cycle, Forgive, Makeup, Params, Span, signature_of};
use super::support::{Alone, Builder, OPENS, acts, first_field};
use machine::calendar::{Calendar, Day, HOUR_MS, Millis};
use machine::expr::{Expr, IntExpr, Source};
use machine::model::{Action, Campaign, Transition, VarKind};
use machine::step::{Decision, No};
use machine::value::{Type, Value};
use proptest::prelude::*;

pub(crate) const ZONES: [&str; 5] = [
    "Asia/Shanghai",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/Sao_Paulo",
];

pub(crate) const SIGN: u16 = 0;
pub(crate) const MAKE_UP: u16 = 1;
pub(crate) const STUDY: u16 = 2;
/// Earns a freeze card, a make-up card and ten points, as far as there are such balances.
pub(crate) const EARN: u16 = 3;

/// A campaign with these days.
pub(crate) struct Days {
    pub(crate) builder: Builder,
    pub(crate) names: Vec<String>,
}

impl Days {
    pub(crate) fn new(
        zone: &str,
        skip: Vec<Day>,
        params: impl FnOnce(&mut Builder) -> Params,
    ) -> Self {
        let mut builder = Builder::new(zone, skip);
        let params = params(&mut builder);
        // As a check adds them: the variables of just these parameters.
        let mut vars = Vec::new();
        for var in signature_of(&params).vars {
            vars.push(builder.definition.vars.len() as u16);
            builder.definition.vars.push(machine::model::VarDecl {
                name: var.name,
                ty: var.ty,
                default: var.default,
                show: var.show,
                kind: if var.balance {
                    VarKind::Balance
                } else {
                    VarKind::Hidden
                },
                at_most: var.at_most,
            });
        }
        let block = builder.definition.blocks.len() as u16;
        builder.definition.blocks.push(machine::model::BlockSpec {
            kind: "streak".to_owned(),
            name: "streak".into(),
            params: serde_json::to_string(&params).unwrap(),
            vars,
        });
        builder.event("sign-in", &[], vec![acts(block, 0, vec![])]);
        let day = vec![first_field()];
        builder.event("make-up", &[("day", Type::Date)], vec![acts(block, 1, day)]);
        let amount = vec![Expr::Int(IntExpr::Get(Source::Event(0)))];
        builder.event(
            "study",
            &[("words", Type::Int)],
            vec![acts(block, 2, amount)],
        );
        let vars = builder.definition.vars.iter().enumerate();
        let adds = vars.filter(|(_, var)| var.kind == VarKind::Balance);
        let adds = adds.map(|(slot, var)| {
            let amount = if var.name == "points" { 10 } else { 1 };
            Action::Add(slot as u16, IntExpr::Lit(amount))
        });
        let actions = adds.collect();
        builder.event(
            "earn",
            &[],
            vec![Transition {
                actions,
                ..Transition::default()
            }],
        );
        let names = builder.definition.vars.iter();
        let names = names.map(|var| var.name.clone()).collect();
        Self { builder, names }
    }

    pub(crate) fn slot(&self, name: &str) -> u16 {
        self.names.iter().position(|known| known == name).unwrap() as u16
    }

    pub(crate) fn link(&self) -> Arc<Campaign> {
        self.builder.link()
    }
}

pub(crate) fn number(alone: &Alone, slot: u16) -> i64 {
    match alone.record.core.vars[usize::from(slot)] {
        Value::Int(value) => value,
        _ => panic!("not a number"),
    }
}

pub(crate) fn noon(campaign: &Campaign, day: Day) -> Millis {
    campaign.calendar.start_of(day) + 12 * HOUR_MS
}

/// The instant at so many thousandths of a day, and never before the campaign opens.
pub(crate) fn at(calendar: &Calendar, day: Day, part: i64) -> Millis {
    let (from, until) = (calendar.start_of(day), calendar.start_of(day + 1));
    (from + (until - from) * part / 1000).max(OPENS)
}

pub(crate) fn cycles() -> impl Strategy<Value = Cycle> {
    prop_oneof![
        2 => Just(Cycle::None),
        1 => Just(Cycle::Month),
        1 => (2..9u32).prop_map(Cycle::Days)
    ]
}

pub(crate) fn forgives() -> impl Strategy<Value = Option<Forgive>> {
    let span = prop_oneof![
        Just(Span::Month),
        Just(Span::Week),
        (3..12u32).prop_map(Span::Days)
    ];
    let some = (1..3u32, span).prop_map(|(days, every)| Some(Forgive { days, every }));
    prop_oneof![1 => Just(None), 2 => some]
}

pub(crate) fn cards() -> impl Strategy<Value = Option<Cards>> {
    let some = (0..3i64, 2..4i64).prop_map(|(start, hold_at_most)| {
        Some(Cards {
            start,
            hold_at_most,
        })
    });
    prop_oneof![1 => Just(None), 2 => some]
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    Sign,
    MakeUp(i32),
    Earn,
}

/// After how many days, at which thousandth of the day, what.
pub(crate) type Move = (i32, i64, Deed);

pub(crate) fn moves() -> impl Strategy<Value = Vec<Move>> {
    let deed = prop_oneof![
        8 => Just(Deed::Sign),
        1 => (1..6i32).prop_map(Deed::MakeUp),
        1 => Just(Deed::Earn)
    ];
    let days = prop_oneof![3 => Just(0), 12 => Just(1), 5 => Just(2), 1 => 3..40i32];
    proptest::collection::vec((days, 0..1000i64, deed), 1..50)
}

pub(crate) fn skips() -> impl Strategy<Value = BTreeSet<i32>> {
    proptest::collection::btree_set(0..900i32, 0..80)
}

pub(crate) fn first_day() -> Day {
    machine::calendar::day_number("2026-01-01".parse().unwrap())
}

pub(crate) fn send(alone: &mut Alone, today: Day, deed: Deed, now: Millis) -> Option<Decision> {
    let sent = match deed {
        Deed::Sign => alone.send(SIGN, &[], now),
        Deed::MakeUp(back) => alone.send(MAKE_UP, &[Value::Int(i64::from(today - back))], now),
        Deed::Earn => alone.send(EARN, &[], now),
    };
    match sent {
        Ok(decision) => Some(decision),
        Err(No::Rejected(_)) => None,
        Err(No::Fault(fault)) => panic!("{fault:?}"),
    }
}

/// What is saved, worked out day by day as each ends.
#[derive(Default)]
pub(crate) struct Naive {
    pub(crate) signed: BTreeSet<Day>,
    pub(crate) forgiven: BTreeSet<Day>,
    pub(crate) frozen: BTreeSet<Day>,
    pub(crate) cards: i64,
    pub(crate) skip: BTreeSet<Day>,
}

impl Naive {
    /// The number of `day` in its run and cycle if it is signed; else of the last day before it that is not passed over.
    pub(crate) fn streak(&self, today: Day, cycle: Cycle) -> i64 {
        let mut number = 0;
        let mut last: Option<Day> = None;
        let Some(first) = self.signed.first() else {
            return 0;
        };
        let mut at = *first;
        while at <= today {
            let signed = self.signed.contains(&at);
            let passes = self.skip.contains(&at)
                || !signed && (self.forgiven.contains(&at) || self.frozen.contains(&at));
            if !passes {
                let over = last.is_some_and(|last| match cycle {
                    Cycle::None => false,
                    Cycle::Month => Calendar::month(last) != Calendar::month(at),
                    Cycle::Days(length) => number == i64::from(length),
                });
                if signed {
                    number = if over { 1 } else { number + 1 };
                    last = Some(at);
                } else if at < today || over {
                    (number, last) = (0, if at < today { None } else { last });
                }
            } else if at == today
                && last.is_some_and(|last| match cycle {
                    Cycle::None => false,
                    Cycle::Month => Calendar::month(last) != Calendar::month(at),
                    Cycle::Days(length) => number == i64::from(length),
                })
            {
                number = 0;
            }
            at += 1;
        }
        number
    }

    pub(crate) fn end_of(&mut self, day: Day, cycle: Cycle, forgive: Option<Forgive>, opens: Day) {
        if self.signed.contains(&day) || self.skip.contains(&day) || self.streak(day, cycle) == 0 {
            return;
        }
        let left = forgive.map_or(0, |forgive| {
            let span = forgive.every.of(day, opens);
            let used = self.forgiven.iter();
            let used = used.filter(|day| forgive.every.of(**day, opens) == span);
            i64::from(forgive.days) - used.count() as i64
        });
        if left > 0 {
            self.forgiven.insert(day);
        } else if self.cards > 0 {
            self.cards -= 1;
            self.frozen.insert(day);
        }
    }
}

/// A campaign that saves days, and one who plays it.
pub(crate) fn saving(
    zone: usize,
    cycle: Cycle,
    forgive: Option<Forgive>,
    freeze: Option<Cards>,
    skip: &BTreeSet<Day>,
) -> (Days, Arc<Campaign>) {
    let days = Days::new(ZONES[zone], skip.iter().copied().collect(), |_| Params {
        cycle,
        forgive,
        freeze,
        makeup: Some(Makeup::free(5, 1000)),
        ..Params::default()
    });
    let campaign = days.link();
    (days, campaign)
}

pub(crate) fn days_of(alone: &Alone, slot: u16) -> BTreeSet<Day> {
    match &alone.record.core.vars[usize::from(slot)] {
        Value::Days(days) => days.iter().collect(),
        _ => panic!("not days"),
    }
}
