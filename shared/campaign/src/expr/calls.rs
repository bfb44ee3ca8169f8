//! What calls stand for: the functions that every expression knows, and the blocks'.

use cel::common::ast::{CallExpr, Expr as Cel, IdedExpr, LiteralValue};
use machine::calendar::day_number;
use machine::expr::{BlockCall, BoolExpr, Expr, IntExpr, StrExpr};
use machine::value::Type;

use crate::codes;
use crate::diagnostic::{did_you_mean, meant};
use crate::document::{date, duration, instant};
use crate::expr::lower::{Lowering, Typed, a};
use crate::expr::names::names;

/// Functions that every expression knows, with an example.
pub(super) const FUNCTIONS: [(&str, &str); 8] = [
    ("count_today", "count_today('order-paid')"),
    ("count_total", "count_total('order-paid')"),
    ("in_list", "in_list('vip-2026')"),
    ("date", "date('2026-12-01')"),
    ("time", "time('2026-12-01 10:00')"),
    ("duration", "duration('7 days')"),
    ("day_of", "day_of(now)"),
    ("size", "size(user.city)"),
];

/// CEL's loops and its test for presence, which expressions here do without.
const MACROS: [&str; 9] = [
    "all",
    "exists",
    "exists_one",
    "existsOne",
    "map",
    "filter",
    "has",
    "transformList",
    "transformMap",
];

impl Lowering<'_> {
    pub fn function(&mut self, part: &IdedExpr, call: &CallExpr) -> Option<Typed> {
        let name = call.func_name.as_str();
        let place = self.spot.called(part, name);
        if MACROS.contains(&name) {
            let help = "write `'x' in user.tags` to look into a list; every name here has a value";
            self.out
                .error(
                    codes::EXPR_FEATURE,
                    &place,
                    format!("`{name}` is not part of expressions here: they have no loops"),
                )
                .help(help);
            return None;
        }
        if call.target.is_some() {
            let known = FUNCTIONS.iter().any(|(known, _)| *known == name);
            let help = known.then(|| format!("write `{name}(...)`"));
            self.out
                .error(
                    codes::EXPR_FEATURE,
                    &place,
                    format!(
                        "`.{name}(...)` is not part of expressions here: values have no methods"
                    ),
                )
                .maybe_help(help);
            return None;
        }
        match name {
            "count_today" | "count_total" | "in_list" | "date" | "time" | "duration" => {
                self.of_literal(part, name, &call.args)
            }
            "day_of" => {
                let [(_, instant)] = self
                    .args(part, name, &[Type::Time], &call.args)?
                    .try_into()
                    .ok()?;
                match instant {
                    Expr::Int(instant) => {
                        Some(Typed::int(Type::Date, IntExpr::DayOf(Box::new(instant))))
                    }
                    Expr::Bool(_) | Expr::Str(_) => None,
                }
            }
            "size" => {
                let [(_, text)] = self
                    .args(part, name, &[Type::Str], &call.args)?
                    .try_into()
                    .ok()?;
                match text {
                    Expr::Str(StrExpr::Lit(text)) => Some(Typed::int(
                        Type::Int,
                        IntExpr::Lit(text.chars().count() as i64),
                    )),
                    Expr::Str(text) => Some(Typed::int(Type::Int, IntExpr::Size(text))),
                    Expr::Bool(_) | Expr::Int(_) => None,
                }
            }
            _ => self.block_function(part, call),
        }
    }

    fn block_function(&mut self, part: &IdedExpr, call: &CallExpr) -> Option<Typed> {
        let name = call.func_name.as_str();
        let Some(function) = self.names.function(name) else {
            let mut known = self.names.function_names();
            known.extend(FUNCTIONS.iter().map(|(known, _)| (*known).to_owned()));
            let help = match did_you_mean(name, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None if name == "if" => "write `condition ? a : b`".to_owned(),
                None => format!("known are {}", names(&known)),
            };
            let place = self.spot.called(part, name);
            self.out
                .error(
                    codes::EXPR_FUNCTION,
                    &place,
                    format!("`{name}` is not a function that expressions know here"),
                )
                .help(help);
            return None;
        };
        let args = self.args(part, name, &function.args, &call.args)?;
        if let Some((code, texts)) = &function.texts {
            self.is_known(code, texts, name, &args, &call.args)?;
        }
        let call = BlockCall {
            block: function.block,
            function: function.function,
            args: args.into_iter().map(|(_, arg)| arg).collect(),
        };
        match function.result {
            Type::Bool => Some(Typed::bool(BoolExpr::Call(call))),
            ty @ (Type::Int | Type::Date | Type::Time | Type::Duration) => {
                Some(Typed::int(ty, IntExpr::Call(call)))
            }
            ty @ (Type::Str | Type::Strs | Type::Days) => self.refuse(
                codes::EXPR_TYPES,
                part,
                format!("`{name}` gives {}, which expressions can't use", a(ty)),
                None,
            ),
        }
    }

    /// Reports a text that is none of those there are, or is not written out.
    fn is_known(
        &mut self,
        code: &'static str,
        known: &[String],
        name: &str,
        args: &[(Type, Expr)],
        written: &[IdedExpr],
    ) -> Option<()> {
        for ((_, program), arg) in args.iter().zip(written) {
            let Expr::Str(StrExpr::Lit(text)) = program else {
                let example = known.first().map_or("", String::as_str);
                return self.refuse(
                    codes::EXPR_ARGS,
                    arg,
                    format!("`{name}` takes a text written out in quotes"),
                    Some(format!("write `{name}('{example}')`")),
                );
            };
            if known.iter().all(|one| **one != **text) {
                let help = meant(text, known.iter().map(String::as_str))
                    .unwrap_or_else(|| format!("known are {}", names(known)));
                return self.refuse(code, arg, format!("there is no task `{text}`"), Some(help));
            }
        }
        Some(())
    }

    /// Arguments of the types a function takes.
    fn args(
        &mut self,
        part: &IdedExpr,
        name: &str,
        want: &[Type],
        args: &[IdedExpr],
    ) -> Option<Vec<(Type, Expr)>> {
        if args.len() != want.len() {
            let takes = match want {
                [] => "nothing".to_owned(),
                types => types.iter().map(|ty| a(*ty)).collect::<Vec<_>>().join(", "),
            };
            return self.refuse(
                codes::EXPR_ARGS,
                part,
                format!("`{name}` takes {takes}; {} given", given(args.len())),
                None,
            );
        }
        let lowered: Vec<_> = args.iter().map(|arg| self.value(arg)).collect();
        let mut all = Vec::new();
        for ((arg, found), want) in args.iter().zip(lowered).zip(want) {
            match found {
                Some((ty, program)) if ty == *want => all.push((ty, program)),
                Some((ty, _)) => {
                    let message = format!(
                        "`{name}` takes {}, `{}` is {}",
                        a(*want),
                        self.source_of(arg),
                        a(ty)
                    );
                    let help = (*want == Type::Date && ty == Type::Str)
                        .then(|| "write a date as `date('2026-12-01')`".to_owned());
                    self.refuse::<()>(codes::EXPR_ARGS, arg, message, help);
                }
                None => {}
            }
        }
        (all.len() == want.len()).then_some(all)
    }

    /// The functions that take a text written out, so that the check can follow it.
    fn of_literal(&mut self, part: &IdedExpr, name: &str, args: &[IdedExpr]) -> Option<Typed> {
        let example = FUNCTIONS
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, example)| example);
        let [arg] = args else {
            return self.refuse(
                codes::EXPR_ARGS,
                part,
                format!("`{name}` takes one text; {} given", given(args.len())),
                Some(format!("write `{example}`")),
            );
        };
        let Cel::Literal(LiteralValue::String(text)) = &arg.expr else {
            return self.refuse(
                codes::EXPR_ARGS,
                arg,
                format!("`{name}` takes a text written out in quotes"),
                Some(format!("write `{example}`")),
            );
        };
        let text = text.inner();
        match name {
            "count_today" | "count_total" => {
                let Some(count) = self.names.count(text) else {
                    let known = self.names.event_names();
                    let help = meant(text, known.iter().map(String::as_str))
                        .unwrap_or_else(|| format!("known are {}", names(&known)));
                    return self.refuse(
                        codes::EXPR_NAME,
                        arg,
                        format!("`{text}` is not an event of this campaign"),
                        Some(help),
                    );
                };
                let program = if name == "count_today" {
                    IntExpr::CountToday(count)
                } else {
                    IntExpr::CountTotal(count)
                };
                Some(Typed::int(Type::Int, program))
            }
            "in_list" => {
                if let Some(fact) = self.names.list(text) {
                    return Some(Typed::bool(BoolExpr::Fact(fact)));
                }
                let known = self.names.list_names();
                let help = meant(text, known.iter().map(String::as_str)).unwrap_or_else(|| {
                    let known = names(&known);
                    format!(
                        "a list is a file `lists/{text}.csv` beside the campaign; known are {known}"
                    )
                });
                self.refuse(
                    codes::EXPR_NAME,
                    arg,
                    format!("`{text}` is not a list of this tenant"),
                    Some(help),
                )
            }
            "date" => match date(text.trim()) {
                Some(day) => Some(Typed::int(Type::Date, IntExpr::Lit(day_number(day).into()))),
                None => self.refuse(
                    codes::EXPR_ARGS,
                    arg,
                    format!("`{text}` is not a date"),
                    Some(format!("write `{example}`")),
                ),
            },
            "time" => match instant(text, self.names.calendar()) {
                Some(at) => Some(Typed::int(Type::Time, IntExpr::Lit(at))),
                None => self.refuse(
                    codes::EXPR_ARGS,
                    arg,
                    format!("`{text}` is not a point in time"),
                    Some(format!("write `{example}`")),
                ),
            },
            _ => match duration(text) {
                Ok(millis) => Some(Typed::int(Type::Duration, IntExpr::Lit(millis))),
                Err(message) => self.refuse(
                    codes::EXPR_ARGS,
                    arg,
                    message,
                    Some(format!(
                        "write `{example}`; the units are seconds, minutes, hours, days, weeks"
                    )),
                ),
            },
        }
    }
}

fn given(count: usize) -> String {
    if count == 1 {
        "1 is".to_owned()
    } else {
        format!("{count} are")
    }
}
