//! Typed programs: what an expression of a config becomes once it is checked, and the only thing that runs.
//!
//! One enum per result type, so that a program that type-checked cannot meet a value of the wrong type; what is left
//! to fail at run time is arithmetic (overflow, division by zero). A failure refuses the whole event: it is never
//! "false", since a reject guard that failed would grant.
//!
//! `&&` and `||` are evaluated left to right and stop early; a fault on the left is a fault. (CEL would let the other
//! side absorb it. Ours is the stricter reading: a broken guard is always heard.)

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::block::Look;
use crate::value::Value;

/// Why an expression that passed the check could not be evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A result beyond 64 bits.
    #[error("a number grew beyond 64 bits")]
    Overflow,
    /// A division or remainder by zero.
    #[error("a division by zero")]
    DivisionByZero,
    /// The program, the record or the arguments do not belong together: a bug of ours or a record of another revision.
    #[error("the campaign's program and the record do not fit together ({0})")]
    Mismatch(&'static str),
    /// More steps than any checked machine needs.
    #[error("the machine did not come to rest")]
    Restless,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// A variable or balance of the record.
    Var(u16),
    /// A claim of the user's token, in the order the tenant declares them.
    User(u16),
    /// A field of the event's payload, in the order the event declares them.
    Event(u16),
    /// What one of the tenant's services said, in the order the campaign declares its facts.
    Fact(u16),
}

/// How two integers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compare {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl Compare {
    /// Applies it.
    pub fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Self::Eq => left == right,
            Self::Ne => left != right,
            Self::Lt => left < right,
            Self::Le => left <= right,
            Self::Gt => left > right,
            Self::Ge => left >= right,
        }
    }
}

/// Integer arithmetic. Division truncates toward zero, as CEL's does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arith {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
}

impl Arith {
    /// Applies it.
    pub fn of(self, left: i64, right: i64) -> Result<i64, Fault> {
        match self {
            Self::Add => left.checked_add(right).ok_or(Fault::Overflow),
            Self::Sub => left.checked_sub(right).ok_or(Fault::Overflow),
            Self::Mul => left.checked_mul(right).ok_or(Fault::Overflow),
            Self::Div | Self::Rem if right == 0 => Err(Fault::DivisionByZero),
            Self::Div => left.checked_div(right).ok_or(Fault::Overflow),
            Self::Rem => left.checked_rem(right).ok_or(Fault::Overflow),
        }
    }
}

/// A call of a block's function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockCall {
    /// Which block of the campaign.
    pub block: u16,
    /// Which of its functions, in the order of its signature.
    pub function: u16,
    /// Its arguments, of the types its signature names.
    pub args: Vec<Expr>,
}

/// A program with a boolean result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BoolExpr {
    /// `true` or `false`.
    Lit(bool),
    /// A boolean variable, claim or field.
    Get(Source),
    /// `!x`
    Not(Box<BoolExpr>),
    /// `a && b && ...`
    All(Vec<BoolExpr>),
    /// `a || b || ...`
    Any(Vec<BoolExpr>),
    /// Two integers, dates, times or durations compared.
    Compare(Compare, IntExpr, IntExpr),
    /// Two strings are the same.
    SameStr(StrExpr, StrExpr),
    /// Two booleans are the same.
    SameBool(Box<BoolExpr>, Box<BoolExpr>),
    /// An integer is one of a list.
    IntIn(IntExpr, Vec<IntExpr>),
    /// A string is one of a list.
    StrIn(StrExpr, Vec<StrExpr>),
    /// A string is one of a claim's or field's list.
    Has(StrExpr, Source),
    /// `c ? a : b`
    If(Box<(BoolExpr, BoolExpr, BoolExpr)>),
    /// A fact the shell looked up: whether the user is on a list.
    Fact(u16),
    /// A block's function.
    Call(BlockCall),
}

/// A program with an integer result (also dates, times and durations).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum IntExpr {
    /// A constant.
    Lit(i64),
    /// An integer variable, claim or field.
    Get(Source),
    /// The instant of this step, in milliseconds.
    Now,
    /// The calendar day of this step.
    Today,
    /// The calendar day of an instant.
    DayOf(Box<IntExpr>),
    /// `-x`
    Neg(Box<IntExpr>),
    /// `a + b` and its like.
    Arith(Arith, Box<(IntExpr, IntExpr)>),
    /// `c ? a : b`
    If(Box<(BoolExpr, IntExpr, IntExpr)>),
    /// The number of characters of a string.
    Size(StrExpr),
    /// How often this participant has been given a reward.
    Given(u16),
    /// How often an event has fired today; the operand is an index into the campaign's counts.
    CountToday(u16),
    /// How often an event has fired in all.
    CountTotal(u16),
    /// A block's function.
    Call(BlockCall),
}

/// A program with a string result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StrExpr {
    /// A constant.
    Lit(Arc<str>),
    /// A string variable, claim or field.
    Get(Source),
    /// `c ? a : b`
    If(Box<(BoolExpr, StrExpr, StrExpr)>),
}

/// A program of any of the three kinds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expr {
    /// Boolean.
    Bool(BoolExpr),
    /// Integer, date, time or duration.
    Int(IntExpr),
    /// String.
    Str(StrExpr),
}

impl Expr {
    /// Evaluates it.
    pub fn eval(&self, look: &Look<'_>) -> Result<Value, Fault> {
        match self {
            Self::Bool(program) => program.eval(look).map(Value::Bool),
            Self::Int(program) => program.eval(look).map(Value::Int),
            Self::Str(program) => program.eval(look).map(|found| Value::Str(found.clone())),
        }
    }
}

impl BoolExpr {
    /// Evaluates it.
    pub fn eval(&self, look: &Look<'_>) -> Result<bool, Fault> {
        match self {
            Self::Lit(value) => Ok(*value),
            Self::Get(source) => match look.get(*source)? {
                Value::Bool(value) => Ok(*value),
                _ => Err(Fault::Mismatch("a boolean was expected")),
            },
            Self::Not(inner) => inner.eval(look).map(|value| !value),
            Self::All(parts) => {
                for part in parts {
                    if !part.eval(look)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Any(parts) => {
                for part in parts {
                    if part.eval(look)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Compare(how, left, right) => Ok(how.holds(left.eval(look)?, right.eval(look)?)),
            Self::SameStr(left, right) => Ok(left.eval(look)? == right.eval(look)?),
            Self::SameBool(left, right) => Ok(left.eval(look)? == right.eval(look)?),
            Self::IntIn(needle, list) => {
                let needle = needle.eval(look)?;
                for item in list {
                    if item.eval(look)? == needle {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::StrIn(needle, list) => {
                let needle = needle.eval(look)?;
                for item in list {
                    if item.eval(look)? == needle {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Has(needle, source) => match look.get(*source)? {
                Value::Strs(items) => {
                    let needle = needle.eval(look)?;
                    Ok(items.iter().any(|item| item == needle))
                }
                _ => Err(Fault::Mismatch("a list of strings was expected")),
            },
            Self::If(parts) => {
                let (condition, yes, no) = &**parts;
                if condition.eval(look)? {
                    yes.eval(look)
                } else {
                    no.eval(look)
                }
            }
            Self::Fact(index) => Ok(look.facts.holds(*index)),
            Self::Call(call) => match look.call(call)? {
                Value::Bool(value) => Ok(value),
                _ => Err(Fault::Mismatch(
                    "a block's function should have given a boolean",
                )),
            },
        }
    }
}

impl IntExpr {
    /// Evaluates it.
    pub fn eval(&self, look: &Look<'_>) -> Result<i64, Fault> {
        match self {
            Self::Lit(value) => Ok(*value),
            Self::Get(source) => match look.get(*source)? {
                Value::Int(value) => Ok(*value),
                _ => Err(Fault::Mismatch("an integer was expected")),
            },
            Self::Now => Ok(look.now),
            Self::Today => Ok(i64::from(look.today())),
            Self::DayOf(instant) => Ok(i64::from(look.campaign.calendar.day(instant.eval(look)?))),
            Self::Neg(inner) => inner.eval(look)?.checked_neg().ok_or(Fault::Overflow),
            Self::Arith(how, parts) => how.of(parts.0.eval(look)?, parts.1.eval(look)?),
            Self::If(parts) => {
                let (condition, yes, no) = &**parts;
                if condition.eval(look)? {
                    yes.eval(look)
                } else {
                    no.eval(look)
                }
            }
            Self::Size(text) => Ok(text.eval(look)?.chars().count() as i64),
            Self::Given(reward) => Ok(look.given(*reward)),
            Self::CountToday(count) => look.count_today(*count),
            Self::CountTotal(count) => look.count_total(*count),
            Self::Call(call) => match look.call(call)? {
                Value::Int(value) => Ok(value),
                _ => Err(Fault::Mismatch(
                    "a block's function should have given an integer",
                )),
            },
        }
    }
}

impl StrExpr {
    /// Evaluates it.
    pub fn eval<'a>(&'a self, look: &Look<'a>) -> Result<&'a Arc<str>, Fault> {
        match self {
            Self::Lit(value) => Ok(value),
            Self::Get(source) => match look.get(*source)? {
                Value::Str(value) => Ok(value),
                _ => Err(Fault::Mismatch("a string was expected")),
            },
            Self::If(parts) => {
                let (condition, yes, no) = &**parts;
                if condition.eval(look)? {
                    yes.eval(look)
                } else {
                    no.eval(look)
                }
            }
        }
    }
}
