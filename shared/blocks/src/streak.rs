//! Signing in day by day: a calendar, a streak, rewards by day, by date, by streak and by days in all, given or drawn; make-up
//! sign-ins; missed days that are forgiven or frozen; days that count by what was done on them; reminders.
//!
//! The set of signed days is the truth; the streak is worked out from it, so that a make-up that closes a gap counts
//! as it would have. Days that the campaign skips, and missed ones that were saved, neither break nor count.

mod keep;
mod makeup;
mod measure;
mod params;
mod remind;
mod run;
mod saved;
mod show;
mod vars;

use std::sync::Arc;

use machine::block::{Block, Look};
use machine::expr::Fault;
use machine::model::{BlockSpec, LinkError};
use machine::participant::Core;
use machine::step::{No, Rejection};
use machine::turn::Turn;
use machine::{Campaign, Millis, Value};
use serde_json::Value as Json;

use self::run::Course;
use self::vars::Slots;

pub use self::makeup::{NO_CARDS, TOO_DEAR};
pub use self::measure::NOT_ENOUGH;
pub use self::params::{Cards, Cycle, Due, Forgive, Lot, Makeup, Measure, Params, Remind, Span};
pub use self::vars::{FREEZE_CARDS, MAKEUP_CARDS, signature, signature_of};

/// This kind of block.
pub const KIND: &str = "streak";

/// The block.
#[derive(Debug)]
pub struct Streak {
    params: Params,
    slots: Slots,
    /// What the draws of each lot are for.
    purposes: Vec<Arc<str>>,
}

/// The places of the actions in the signature.
const SIGN: u16 = 0;
const MAKE_UP: u16 = 1;
const MEASURE: u16 = 2;

impl Streak {
    pub(crate) fn new(params: Params, spec: &BlockSpec) -> Result<Self, LinkError> {
        let wrong = |message: &str| LinkError::Params {
            kind: KIND.to_owned(),
            message: message.to_owned(),
        };
        if params.cycle == Cycle::Days(0) {
            return Err(wrong("a cycle has at least one day"));
        }
        for lot in &params.lots {
            if !lot.odds.odds().are_sound() {
                return Err(wrong("the odds are more than the whole"));
            }
        }
        let purposes = params.lots.iter();
        let purposes = purposes.map(|lot| lot.purpose(&spec.name).into());
        Ok(Self {
            slots: Slots::of(&params, &spec.vars)?,
            purposes: purposes.collect(),
            params,
        })
    }

    /// The days of a record, as runs are read off them.
    fn course<'a>(&self, campaign: &'a Campaign, vars: &'a [Value]) -> Result<Course<'a>, Fault> {
        Ok(Course {
            signed: self.signed(vars)?,
            forgiven: Self::noted(self.slots.forgiven, vars),
            frozen: Self::noted(self.slots.frozen, vars),
            calendar: &campaign.calendar,
        })
    }

    /// The streak as of today: of the run that reaches today or the last day that counts before it.
    fn current(&self, turn: &Turn<'_>) -> Result<i64, Fault> {
        let course = self.course(turn.campaign, &turn.core.vars)?;
        Ok(course.streak_on(turn.today(), self.params.cycle))
    }

    /// Signs today in, as a user asks for it.
    fn sign_today(&self, turn: &mut Turn<'_>) -> Result<Option<u16>, No> {
        let look = turn.look();
        let today = look.today();
        let no = if look.campaign.calendar.skips(today)
            || self.signed(&look.core.vars)?.contains(today)
        {
            Some(Rejection::NotPossible)
        } else if self.enough_today(&look)? {
            None
        } else {
            Some(Rejection::Custom(NOT_ENOUGH.into()))
        };
        match no {
            None => {
                self.sign(today, false, turn)?;
                turn.raise("signed");
                Ok(Some(0))
            }
            // After a draw, or with nobody there to be told, nothing is rejected any more: then it just does nothing.
            Some(_) if turn.quiet() => Ok(None),
            Some(no) => Err(no.into()),
        }
    }
}

impl Block for Streak {
    fn act(&self, action: u16, args: &[Value], turn: &mut Turn<'_>) -> Result<Option<u16>, No> {
        match (action, args) {
            (SIGN, _) => self.sign_today(turn),
            (MAKE_UP, [Value::Int(day)]) => {
                let day = i32::try_from(*day).map_err(|_| Rejection::NotPossible)?;
                self.make_up(day, turn)
            }
            (MEASURE, [Value::Int(amount)]) => self.add_up(*amount, turn),
            _ => Err(Fault::Mismatch("no such action of the streak").into()),
        }
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
            (5, _) => self.has_makeup_card(look).map(Value::Bool),
            (6, _) => self.can_pay_makeup(look).map(Value::Bool),
            (7, _) => self.enough_today(look).map(Value::Bool),
            _ => Err(Fault::Mismatch("no such function of the streak")),
        }
    }

    /// Missed days are decided; then a streak that was broken reads 0 from the day it is broken on.
    fn refresh(&self, turn: &mut Turn<'_>) -> Result<(), Fault> {
        self.begin_sum(turn)?;
        // Not left out where it reads 0: a revision that skips the day of an outage mends what that day broke.
        self.save(turn)?;
        if !self.signed(&turn.core.vars)?.is_empty() {
            let streak = self.current(turn)?;
            turn.set(self.slots.length, Value::Int(streak))?;
        }
        self.pass_reminders(turn)
    }

    fn view(&self, look: &Look<'_>, language: &str) -> Option<(&'static str, Json)> {
        self.calendar(look, language).ok()
    }

    fn public(&self, campaign: &Campaign, language: &str) -> Option<(&'static str, Json)> {
        Some(("calendar", self.promised(campaign, language)))
    }

    fn next_at(&self, look: &Look<'_>) -> Option<Millis> {
        Some(
            look.campaign
                .calendar
                .start_of(look.today().saturating_add(1)),
        )
    }

    fn timer(&self, campaign: &Campaign, core: &Core) -> Option<Millis> {
        self.next_reminder(campaign, core)
    }

    fn elapse(&self, turn: &mut Turn<'_>) -> Result<(), No> {
        Ok(self.remind(turn)?)
    }
}
