//! Operators: what each can join, and what comes of it.

use cel::common::ast::{Expr as Cel, IdedExpr};
use machine::expr::{Arith, BoolExpr, Compare, Expr, IntExpr, StrExpr};
use machine::value::Type;

use crate::codes;
use crate::expr::fold;
use crate::expr::lower::{Lowering, Program, Typed, a};
use crate::expr::names::reward_field;

impl Lowering<'_> {
    pub fn negate(&mut self, part: &IdedExpr, inner: &IdedExpr) -> Option<Typed> {
        match self.value(inner)? {
            (ty @ (Type::Int | Type::Duration), Expr::Int(program)) => match fold::neg(program) {
                Ok(program) => Some(Typed::int(ty, program)),
                Err(fault) => {
                    self.refuse(codes::EXPR_OVERFLOW, part, format!("this is {fault}"), None)
                }
            },
            (ty, _) => {
                let written = self.source_of(inner);
                let help = (ty == Type::Bool).then(|| format!("write `!{written}` for \"not\""));
                self.refuse(
                    codes::EXPR_TYPES,
                    part,
                    format!("`{written}` is {}, it has no negative", a(ty)),
                    help,
                )
            }
        }
    }

    pub fn choose(
        &mut self,
        part: &IdedExpr,
        condition: &IdedExpr,
        yes: &IdedExpr,
        no: &IdedExpr,
    ) -> Option<Typed> {
        let (condition, yes_found, no_found) =
            (self.condition(condition), self.value(yes), self.value(no));
        let (condition, (yes_ty, yes_program), (no_ty, no_program)) =
            (condition?, yes_found?, no_found?);
        if yes_ty != no_ty {
            let message = format!(
                "`{}` is {}, `{}` is {}: both branches must be of one type",
                self.source_of(yes),
                a(yes_ty),
                self.source_of(no),
                a(no_ty)
            );
            return self.refuse(codes::EXPR_TYPES, part, message, None);
        }
        let program = match (condition, yes_program, no_program) {
            (BoolExpr::Lit(true), yes, _) => yes,
            (BoolExpr::Lit(false), _, no) => no,
            (condition, Expr::Bool(yes), Expr::Bool(no)) => {
                Expr::Bool(BoolExpr::If(Box::new((condition, yes, no))))
            }
            (condition, Expr::Int(yes), Expr::Int(no)) => {
                Expr::Int(IntExpr::If(Box::new((condition, yes, no))))
            }
            (condition, Expr::Str(yes), Expr::Str(no)) => {
                Expr::Str(StrExpr::If(Box::new((condition, yes, no))))
            }
            // One type has one kind of program.
            _ => return None,
        };
        Some(Typed {
            ty: yes_ty,
            program: Program::Expr(program),
        })
    }

    pub fn is_in(&mut self, part: &IdedExpr, needle: &IdedExpr, list: &IdedExpr) -> Option<Typed> {
        let found = self.value(needle);
        let Cel::List(items) = &list.expr else {
            let within = self.part(list)?;
            let (ty, needle_program) = found?;
            return match (needle_program, within.program) {
                (Expr::Str(needle), Program::List(source)) => {
                    Some(Typed::bool(BoolExpr::Has(needle, source)))
                }
                (_, Program::List(_)) => {
                    let message = format!(
                        "`{}` is {}, the list has strings",
                        self.source_of(needle),
                        a(ty)
                    );
                    self.refuse(codes::EXPR_TYPES, needle, message, None)
                }
                (_, Program::Expr(_)) => {
                    let message = format!(
                        "`in` looks into a list, `{}` is {}",
                        self.source_of(list),
                        a(within.ty)
                    );
                    self.refuse(
                        codes::EXPR_TYPES,
                        list,
                        message,
                        Some(
                            "write `x in [1, 2]`, or `x in user.tags` for a claim that is a list"
                                .to_owned(),
                        ),
                    )
                }
            };
        };
        let items: Vec<_> = items
            .elements
            .iter()
            .map(|item| (item, self.value(item)))
            .collect();
        let (ty, needle_program) = found?;
        if items.is_empty() {
            return self.refuse(
                codes::EXPR_TYPES,
                list,
                "this list is empty: nothing is ever in it",
                None,
            );
        }
        let (mut ints, mut strs) = (Vec::new(), Vec::new());
        let mut sound = true;
        for (item, lowered) in items {
            match lowered {
                None => sound = false,
                Some((found, _)) if found != ty => {
                    let message = format!(
                        "`{}` is {}, `{}` is {}: they can't be compared",
                        self.source_of(needle),
                        a(ty),
                        self.source_of(item),
                        a(found)
                    );
                    self.refuse::<()>(
                        codes::EXPR_TYPES,
                        item,
                        message,
                        Self::compare_help(ty, found),
                    );
                    sound = false;
                }
                Some((_, Expr::Int(program))) => ints.push(program),
                Some((_, Expr::Str(program))) => strs.push(program),
                Some((_, Expr::Bool(_))) => {
                    return self.refuse(
                        codes::EXPR_TYPES,
                        part,
                        "a bool is compared with `==`, not with `in`",
                        None,
                    );
                }
            }
        }
        if !sound {
            return None;
        }
        match needle_program {
            Expr::Int(needle) => Some(Typed::bool(fold::int_in(needle, ints))),
            Expr::Str(needle) => Some(Typed::bool(fold::str_in(needle, strs))),
            Expr::Bool(_) => None,
        }
    }

    pub fn compare(
        &mut self,
        part: &IdedExpr,
        how: Compare,
        left: &IdedExpr,
        right: &IdedExpr,
    ) -> Option<Typed> {
        let (left_found, right_found) = (self.value(left), self.value(right));
        let ((left_ty, left_program), (right_ty, right_program)) = (left_found?, right_found?);
        if left_ty != right_ty {
            let message = format!(
                "`{}` is {}, `{}` is {}: they can't be compared",
                self.source_of(left),
                a(left_ty),
                self.source_of(right),
                a(right_ty)
            );
            return self.refuse(
                codes::EXPR_TYPES,
                part,
                message,
                Self::compare_help(left_ty, right_ty),
            );
        }
        let equality = |same: BoolExpr| match how {
            Compare::Eq => Some(same),
            Compare::Ne => Some(fold::not(same)),
            Compare::Lt | Compare::Le | Compare::Gt | Compare::Ge => None,
        };
        let program = match (left_program, right_program) {
            (Expr::Int(left), Expr::Int(right)) => Some(fold::compare(how, left, right)),
            (Expr::Str(left), Expr::Str(right)) => equality(fold::same_str(left, right)),
            (Expr::Bool(left), Expr::Bool(right)) => equality(fold::same_bool(left, right)),
            _ => None,
        };
        match program {
            Some(program) => Some(Typed::bool(program)),
            None => self.refuse(
                codes::EXPR_TYPES,
                part,
                format!("a {left_ty} has no order: only `==` and `!=` compare it"),
                None,
            ),
        }
    }

    fn compare_help(left: Type, right: Type) -> Option<String> {
        let both = [left, right];
        let has = |ty| both.contains(&ty);
        let words = if has(Type::Date) && has(Type::Time) {
            "`day_of(...)` is the day of a time"
        } else if has(Type::Date) && has(Type::Str) {
            "write a date as `date('2026-12-01')`"
        } else if has(Type::Time) && has(Type::Str) {
            "write a time as `time('2026-12-01 10:00')`"
        } else if has(Type::Duration) {
            "write a length of time as `duration('7 days')`"
        } else if has(Type::Int) && has(Type::Str) {
            "a number stands without quotes, a text with them"
        } else if has(Type::Int) && has(Type::Bool) {
            "a bool stands alone, or with `!` before it"
        } else {
            return None;
        };
        Some(words.to_owned())
    }

    pub fn arith(
        &mut self,
        part: &IdedExpr,
        how: Arith,
        left: &IdedExpr,
        right: &IdedExpr,
    ) -> Option<Typed> {
        // `rewards.my-coupon.given` is a difference to CEL; what stands right of its dash means nothing by itself.
        if how == Arith::Sub && reward_field(left).is_some() {
            return self.part(left);
        }
        let (left_found, right_found) = (self.value(left), self.value(right));
        let ((left_ty, left_program), (right_ty, right_program)) = (left_found?, right_found?);
        let (Some(ty), Expr::Int(left_program), Expr::Int(right_program)) =
            (joined(how, left_ty, right_ty), left_program, right_program)
        else {
            let (sign, verb) = sign(how);
            let message = format!(
                "`{}` is {}, `{}` is {}: `{sign}` can't {verb}",
                self.source_of(left),
                a(left_ty),
                self.source_of(right),
                a(right_ty)
            );
            return self.refuse(
                codes::EXPR_TYPES,
                part,
                message,
                arith_help(left_ty, right_ty),
            );
        };
        match fold::arith(how, left_program, right_program) {
            Ok(program) => Some(Typed::int(ty, program)),
            Err(fault) => self.refuse(
                codes::EXPR_OVERFLOW,
                part,
                format!("this always fails: {fault}"),
                None,
            ),
        }
    }
}

/// What an operator makes of two types; nothing if they don't go together.
fn joined(how: Arith, left: Type, right: Type) -> Option<Type> {
    use Arith::{Add, Div, Mul, Sub};
    use Type::{Date, Duration, Int, Time};
    match (how, left, right) {
        (_, Int, Int) | (Sub, Date, Date) | (Div, Duration, Duration) => Some(Int),
        (Add | Sub, Date, Int) | (Add, Int, Date) => Some(Date),
        (Add | Sub, Time, Duration) | (Add, Duration, Time) => Some(Time),
        (Sub, Time, Time)
        | (Add | Sub, Duration, Duration)
        | (Mul | Div, Duration, Int)
        | (Mul, Int, Duration) => Some(Duration),
        _ => None,
    }
}

fn sign(how: Arith) -> (&'static str, &'static str) {
    match how {
        Arith::Add => ("+", "add them"),
        Arith::Sub => ("-", "subtract them"),
        Arith::Mul => ("*", "multiply them"),
        Arith::Div => ("/", "divide them"),
        Arith::Rem => ("%", "take their remainder"),
    }
}

fn arith_help(left: Type, right: Type) -> Option<String> {
    let both = [left, right];
    let has = |ty| both.contains(&ty);
    let words = if has(Type::Str) {
        "texts can't be put together here; a message's texts stand in `messages`"
    } else if has(Type::Date) && has(Type::Duration) {
        "a date moves by days: `today + 7`"
    } else if has(Type::Time) && has(Type::Int) {
        "a time moves by a length of time: `now + duration('1 hour')`"
    } else if has(Type::Date) && has(Type::Time) {
        "`day_of(...)` is the day of a time"
    } else {
        return None;
    };
    Some(words.to_owned())
}
