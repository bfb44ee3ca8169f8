//! Signing in day by day: a calendar, a streak, rewards by day, by streak and by days in all, and make-up sign-ins.
//!
//! The set of signed days is the truth; the streak is worked out from it, so that a make-up that closes a gap counts
//! as it would have. Days that the campaign skips neither break nor count. A promise is kept once for each run of
//! days (each cycle of it): a make-up that makes a run begin earlier earns nothing twice.

mod run;

use machine::block::{ActionSig, Block, FunctionSig, Look, Signature, VarSig};
use machine::calendar::{Calendar, date};
use machine::expr::Fault;
use machine::ids::Period;
use machine::model::LinkError;
use machine::step::{No, Rejection};
use machine::turn::Turn;
use machine::value::Days;
use machine::{Millis, Type, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use self::run::{back, day_after, first_of_run};
use crate::promise::{Promise, shown};

/// This kind of block.
pub const KIND: &str = "streak";

/// The parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// When the streak begins again by itself.
    pub cycle: Cycle,
    /// Whether missed days can be made up.
    pub makeup: Option<Makeup>,
    /// What each day gives.
    pub each_day: Vec<Promise>,
    /// What so many days in a row give.
    pub streak: Vec<(u32, Promise)>,
    /// What so many days in all give.
    pub total: Vec<(u32, Promise)>,
}

/// When a streak begins again by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cycle {
    /// Never.
    None,
    /// With each calendar month.
    Month,
    /// After this many days; at least 1.
    Days(u32),
}

/// Make-up sign-ins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Makeup {
    /// How many days back.
    pub days_back: u32,
    /// How many in the whole edition.
    pub at_most: u32,
}

/// The block.
#[derive(Debug)]
pub struct Streak {
    params: Params,
    days: u16,
    length: u16,
    total: u16,
    made_up: u16,
}

/// What the check knows of it.
pub fn signature() -> Signature {
    let int = |name: &str| VarSig {
        name: name.to_owned(),
        ty: Type::Int,
        balance: false,
        show: true,
        default: Value::Int(0),
        at_most: i64::MAX,
    };
    Signature {
        vars: vec![
            VarSig {
                ty: Type::Days,
                show: false,
                default: Value::Days(Days::default()),
                ..int("$streak.days")
            },
            int("streak"),
            int("total_days"),
            int("makeups_used"),
        ],
        actions: vec![
            ActionSig {
                name: "sign",
                args: vec![],
                outcomes: &["signed"],
                draws: false,
            },
            ActionSig {
                name: "make_up",
                args: vec![Type::Date],
                outcomes: &["made-up"],
                draws: false,
            },
        ],
        functions: vec![
            FunctionSig {
                name: "signed_today",
                args: vec![],
                result: Type::Bool,
            },
            FunctionSig {
                name: "signed_on",
                args: vec![Type::Date],
                result: Type::Bool,
            },
            FunctionSig {
                name: "can_make_up",
                args: vec![Type::Date],
                result: Type::Bool,
            },
            FunctionSig {
                name: "makeups_left",
                args: vec![],
                result: Type::Int,
            },
            FunctionSig {
                name: "skipped_today",
                args: vec![],
                result: Type::Bool,
            },
        ],
    }
}

/// The places of the actions in the signature.
const SIGN: u16 = 0;
const MAKE_UP: u16 = 1;

impl Streak {
    pub(crate) fn new(params: Params, vars: &[u16]) -> Result<Self, LinkError> {
        let [days, length, total, made_up] = crate::slots(KIND, vars)?;
        if params.cycle == Cycle::Days(0) {
            let message = "a cycle has at least one day".to_owned();
            return Err(LinkError::Params {
                kind: KIND.to_owned(),
                message,
            });
        }
        Ok(Self {
            params,
            days,
            length,
            total,
            made_up,
        })
    }

    fn signed<'a>(&self, vars: &'a [Value]) -> Result<&'a Days, Fault> {
        match vars.get(usize::from(self.days)) {
            Some(Value::Days(days)) => Ok(days),
            _ => Err(Fault::Mismatch("the signed days are missing")),
        }
    }

    fn makeups_left(&self, look: &Look<'_>) -> Result<i64, Fault> {
        let most = self
            .params
            .makeup
            .map_or(0, |makeup| i64::from(makeup.at_most));
        Ok((most - look.int(self.made_up)?).max(0))
    }

    fn can_make_up(&self, day: i64, look: &Look<'_>) -> Result<bool, Fault> {
        let Some(makeup) = self.params.makeup else {
            return Ok(false);
        };
        let Ok(day) = i32::try_from(day) else {
            return Ok(false);
        };
        let today = look.today();
        let calendar = &look.campaign.calendar;
        Ok(day < today
            && today.saturating_sub(day) <= makeup.days_back.min(i32::MAX as u32) as i32
            && day >= calendar.day(look.campaign.window.opens)
            && !calendar.skips(day)
            && !self.signed(&look.core.vars)?.contains(day)
            && self.makeups_left(look)? > 0)
    }

    /// Signs `day` and keeps every promise that this makes due.
    fn sign(&self, day: i32, turn: &mut Turn<'_>) -> Result<(), No> {
        let mut days = self.signed(&turn.core.vars)?.clone();
        days.insert(day);
        let total = days.len() as i64;
        turn.set(self.days, Value::Days(days))?;
        turn.set(self.total, Value::Int(total))?;
        turn.set(self.length, Value::Int(self.current(turn)?))?;

        for promise in &self.params.each_day {
            turn.give(promise.rule, promise.reward, Period::Day(day), 1)?;
        }
        for (length, promise) in &self.params.streak {
            self.keep(*length, *promise, day, turn)?;
        }
        for (_, promise) in self
            .params
            .total
            .iter()
            .filter(|(days, _)| i64::from(*days) <= total)
        {
            turn.give(promise.rule, promise.reward, Period::Ever, 1)?;
        }
        Ok(())
    }

    /// Keeps a promise for so many days in a row, once for each time that the run around `day` holds them.
    fn keep(
        &self,
        length: u32,
        promise: Promise,
        day: i32,
        turn: &mut Turn<'_>,
    ) -> Result<(), Fault> {
        let calendar = &turn.campaign.calendar;
        let days = self.signed(&turn.core.vars)?;
        let first = first_of_run(days, day, calendar);
        // A make-up that makes a run begin earlier moves where its cycles begin, so the places at which an earlier sign-in
        // kept the promise need not be the places at which it is due now. What counts is how often.
        let cycle = self.params.cycle;
        let mut due: Vec<(i32, i32)> = Vec::new();
        let mut number = 0;
        let mut place: u64 = 0;
        let (mut at, mut before) = (first, first);
        while days.contains(at) {
            if cycle.begins(place, at, before) {
                number = 0;
            }
            number += 1;
            place += 1;
            if number == length {
                due.push((at, cycle.part(at)));
            }
            (before, at) = (at, day_after(at, calendar));
        }
        let last = before;
        if due.is_empty() {
            return Ok(());
        }
        let look = turn.look();
        let kept: Vec<(i32, i32)> = look
            .all_grants()
            .filter(|grant| grant.rule == promise.rule)
            .filter_map(|grant| match grant.period {
                Period::Day(on) if (first..=last).contains(&on) => Some((on, cycle.part(on))),
                _ => None,
            })
            .collect();
        // The latest of the open places first: that is the one this sign-in has reached.
        let mut open: Vec<i32> = Vec::new();
        for (at, (on, part)) in due.iter().enumerate().rev() {
            let due_here = due.iter().filter(|(_, other)| other == part).count();
            let kept_here = kept.iter().filter(|(_, other)| other == part).count();
            let chosen = due
                .iter()
                .skip(at + 1)
                .filter(|(other_on, other)| other == part && open.contains(other_on));
            if kept_here + chosen.count() < due_here
                && !kept.iter().any(|(kept_on, _)| kept_on == on)
            {
                open.push(*on);
            }
        }
        for on in open.into_iter().rev() {
            turn.give(promise.rule, promise.reward, Period::Day(on), 1)?;
        }
        Ok(())
    }

    /// The streak as of today: of the run that reaches today or the last day that counts before it.
    fn current(&self, turn: &Turn<'_>) -> Result<i64, Fault> {
        let days = self.signed(&turn.core.vars)?;
        Ok(self.streak_on(days, turn.today(), &turn.campaign.calendar))
    }

    fn streak_on(&self, days: &Days, today: i32, calendar: &Calendar) -> i64 {
        let last = if days.contains(today) && !calendar.skips(today) {
            today
        } else {
            calendar.day_before(today)
        };
        if !days.contains(last) {
            return 0;
        }
        let number = match self.params.cycle {
            Cycle::None => back(days, last, calendar, |_| true),
            Cycle::Month => {
                let month = Calendar::month(last);
                back(days, last, calendar, |day| Calendar::month(day) == month)
            }
            Cycle::Days(length) => {
                (back(days, last, calendar, |_| true) - 1) % i64::from(length.max(1)) + 1
            }
        };
        // A finished cycle, or a month that has ended, counts on only until the next day begins a new one.
        let fresh = last != today
            && match self.params.cycle {
                Cycle::None => false,
                Cycle::Month => Calendar::month(last) != Calendar::month(today),
                Cycle::Days(length) => number == i64::from(length),
            };
        if fresh { 0 } else { number }
    }
}

impl Block for Streak {
    fn act(&self, action: u16, args: &[Value], turn: &mut Turn<'_>) -> Result<Option<u16>, No> {
        let day = match (action, args) {
            (SIGN, _) => turn.today(),
            (MAKE_UP, [Value::Int(day)]) => {
                i32::try_from(*day).map_err(|_| Rejection::NotPossible)?
            }
            _ => return Err(Fault::Mismatch("no such action of the streak").into()),
        };
        let look = turn.look();
        let possible = match action {
            MAKE_UP => self.can_make_up(i64::from(day), &look)?,
            _ => !look.campaign.calendar.skips(day) && !self.signed(&look.core.vars)?.contains(day),
        };
        if !possible {
            // After a draw, or with nobody there to be told, nothing is rejected any more: then it just does nothing.
            return if turn.quiet() {
                Ok(None)
            } else {
                Err(Rejection::NotPossible.into())
            };
        }
        if action == MAKE_UP {
            let used = turn.int(self.made_up)?;
            turn.set(self.made_up, Value::Int(used.saturating_add(1)))?;
        }
        self.sign(day, turn)?;
        turn.raise(if action == MAKE_UP {
            "made-up"
        } else {
            "signed"
        });
        Ok(Some(0))
    }

    fn call(&self, function: u16, args: &[Value], look: &Look<'_>) -> Result<Value, Fault> {
        let signed = |day: i64| -> Result<bool, Fault> {
            let days = self.signed(&look.core.vars)?;
            Ok(i32::try_from(day).is_ok_and(|day| days.contains(day)))
        };
        match (function, args) {
            (0, _) => signed(i64::from(look.today())).map(Value::Bool),
            (1, [Value::Int(day)]) => signed(*day).map(Value::Bool),
            (2, [Value::Int(day)]) => self.can_make_up(*day, look).map(Value::Bool),
            (3, _) => self.makeups_left(look).map(Value::Int),
            (4, _) => Ok(Value::Bool(look.campaign.calendar.skips(look.today()))),
            _ => Err(Fault::Mismatch("no such function of the streak")),
        }
    }

    /// A streak that was broken reads 0 from the day it is broken on.
    fn refresh(&self, turn: &mut Turn<'_>) -> Result<(), Fault> {
        // Not left out where it reads 0: a revision that skips the day of an outage mends what that day broke.
        if self.signed(&turn.core.vars)?.is_empty() {
            return Ok(());
        }
        let streak = self.current(turn)?;
        turn.set(self.length, Value::Int(streak))
    }

    fn view(&self, look: &Look<'_>, language: &str) -> Option<(&'static str, Json)> {
        const SHOWN_DAYS: i32 = 42;
        let days = self.signed(&look.core.vars).ok()?;
        let today = look.today();
        let calendar = &look.campaign.calendar;
        let first = calendar
            .day(look.campaign.window.opens)
            .max(today.saturating_sub(SHOWN_DAYS - 1));
        let shown_days: Vec<Json> = (first..=today)
            .map(|day| {
                let state = if days.contains(day) {
                    "signed"
                } else if calendar.skips(day) {
                    "skipped"
                } else if day == today {
                    "today"
                } else if self.can_make_up(i64::from(day), look).unwrap_or(false) {
                    "can-make-up"
                } else {
                    "missed"
                };
                json!({ "day": date(day).to_string(), "state": state })
            })
            .collect();
        let steps = |promises: &[(u32, Promise)]| -> Vec<Json> {
            promises
                .iter()
                .map(|(days, promise)| {
                    let mut step = shown(look.campaign, promise.reward, language);
                    step["days"] = json!(days);
                    step
                })
                .collect()
        };
        Some((
            "calendar",
            json!({
                "today": date(today).to_string(),
                "signed_today": days.contains(today),
                "days": shown_days,
                "makeups_left": self.makeups_left(look).unwrap_or(0),
                "streak_rewards": steps(&self.params.streak),
                "total_rewards": steps(&self.params.total),
            }),
        ))
    }

    fn next_at(&self, look: &Look<'_>) -> Option<Millis> {
        Some(
            look.campaign
                .calendar
                .start_of(look.today().saturating_add(1)),
        )
    }
}
