//! Spendable entries: some on the first visit, some each day. Other rules earn more with `add: { chances: 1 }`.
//!
//! A day's chances are credited for every calendar day since the first visit, not only for days on which the user did
//! something: what the page showed yesterday is still there today, although looking at a page commits nothing.

use machine::block::{Block, Look, Signature, VarSig};
use machine::expr::Fault;
use machine::model::LinkError;
use machine::step::No;
use machine::turn::Turn;
use machine::{Millis, Type, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// This kind of block.
pub const KIND: &str = "chances";

/// The parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// How many on the first visit.
    pub first_visit: i64,
    /// How many each calendar day, the first one included.
    pub each_day: i64,
    /// Whether what is left at the day's end is gone, earned ones too; else it is kept.
    pub lost: bool,
}

/// The block.
#[derive(Debug)]
pub struct Chances {
    params: Params,
    balance: u16,
    day: u16,
}

/// What the check knows of it.
pub fn signature(hold_at_most: i64) -> Signature {
    Signature {
        vars: vec![
            VarSig {
                name: "chances".to_owned(),
                ty: Type::Int,
                balance: true,
                show: true,
                default: Value::Int(0),
                at_most: hold_at_most,
            },
            VarSig {
                name: "$chances.day".to_owned(),
                ty: Type::Int,
                balance: false,
                show: false,
                default: Value::Int(NEVER),
                at_most: i64::MAX,
            },
        ],
        actions: vec![],
        functions: vec![],
    }
}

/// The day of someone who was never here.
const NEVER: i64 = i64::MIN;

impl Chances {
    pub(crate) fn new(params: Params, vars: &[u16]) -> Result<Self, LinkError> {
        let [balance, day] = crate::slots(KIND, vars)?;
        Ok(Self {
            params,
            balance,
            day,
        })
    }
}

impl Block for Chances {
    fn act(&self, _action: u16, _args: &[Value], _turn: &mut Turn<'_>) -> Result<Option<u16>, No> {
        Err(Fault::Mismatch("the chances have no action").into())
    }

    fn call(&self, _function: u16, _args: &[Value], _look: &Look<'_>) -> Result<Value, Fault> {
        Err(Fault::Mismatch("the chances have no function"))
    }

    fn refresh(&self, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let today = i64::from(turn.today());
        let last = turn.int(self.day)?;
        if last >= today {
            return Ok(());
        }
        if last == NEVER {
            turn.add(self.balance, self.params.first_visit.max(0))?;
        } else if self.params.lost {
            turn.set(self.balance, Value::Int(0))?;
        }
        let days = if last == NEVER || self.params.lost {
            1
        } else {
            today - last
        };
        // However long the absence: what no number can hold is cut, or the participant would be locked out.
        let room = i64::MAX - turn.int(self.balance)?.max(0);
        let credit = self.params.each_day.max(0).saturating_mul(days);
        turn.add(self.balance, credit.min(room))?;
        turn.set(self.day, Value::Int(today))
    }

    fn view(&self, look: &Look<'_>, _language: &str) -> Option<(&'static str, Json)> {
        let left = look.int(self.balance).ok()?;
        Some((
            "chances",
            json!({ "left": left, "each_day": self.params.each_day, "kept": !self.params.lost }),
        ))
    }

    fn next_at(&self, look: &Look<'_>) -> Option<Millis> {
        (self.params.each_day > 0).then(|| {
            look.campaign
                .calendar
                .start_of(look.today().saturating_add(1))
        })
    }
}
