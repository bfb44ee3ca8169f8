//! What names, their parts and calls stand for.

use cel::common::ast::{Expr as Cel, IdedExpr, LiteralValue};
use machine::expr::{BoolExpr, IntExpr, Source, StrExpr};
use machine::value::Type;

use crate::codes;
use crate::diagnostic::meant;
use crate::expr::calls::FUNCTIONS;
use crate::expr::lower::{Lowering, Program, Typed};

impl Lowering<'_> {
    pub fn name(&mut self, part: &IdedExpr, name: &str) -> Option<Typed> {
        // CEL writes a name from the root as `.name`.
        let name = name.strip_prefix('.').unwrap_or(name);
        match name {
            "now" => return Some(Typed::int(Type::Time, IntExpr::Now)),
            "today" => return Some(Typed::int(Type::Date, IntExpr::Today)),
            "user" => return self.bare(part, "user", "claim", &self.names.user_names()),
            "facts" => return self.bare(part, "facts", "fact", &self.names.fact_names()),
            "event" => return self.bare(part, "event", "field", &self.names.event_fields()),
            "rewards" => {
                let ids: Vec<_> = self
                    .names
                    .reward_ids()
                    .iter()
                    .map(|id| format!("{}.given", id.replace('-', "_")))
                    .collect();
                return self.bare(part, "rewards", "reward", &ids);
            }
            _ => {}
        }
        if let Some((slot, ty)) = self.names.var(name) {
            return self.get(part, Source::Var(slot), ty);
        }
        let help = self.name_help(name);
        self.refuse(
            codes::EXPR_NAME,
            part,
            format!("`{name}` is not a name that expressions know here"),
            Some(help),
        )
    }

    fn bare(&mut self, part: &IdedExpr, name: &str, what: &str, known: &[String]) -> Option<Typed> {
        let help = known.first().map(|first| format!("write `{name}.{first}`"));
        self.refuse(
            codes::EXPR_NAME,
            part,
            format!("`{name}` alone has no value: name a {what} of it"),
            help,
        )
    }

    /// The way out for an unknown name: the same word elsewhere, a slip, or all there is.
    fn name_help(&self, name: &str) -> String {
        let dashed = name.replace('_', "-");
        let same = |known: &String| known == name || *known == dashed;
        if self.names.user_names().iter().any(same) {
            return format!("did you mean `user.{name}`?");
        }
        if self.names.event_fields().iter().any(same) {
            return format!("did you mean `event.{name}`?");
        }
        if self.names.fact_names().iter().any(same) {
            return format!("did you mean `facts.{name}`?");
        }
        if self.names.function_names().iter().any(same)
            || FUNCTIONS.iter().any(|(known, _)| *known == name)
        {
            return format!("`{name}` is a function: write `{name}(...)`");
        }
        if self.names.reward_ids().iter().any(same) {
            return format!("did you mean `rewards.{name}.given`, how often it was given?");
        }
        if self.names.event_names().iter().any(same) {
            return format!("did you mean `count_today('{dashed}')` or `count_total('{dashed}')`?");
        }
        let mut all = self.names.var_names();
        all.extend(["now", "today", "user", "event", "rewards"].map(str::to_owned));
        all.extend(
            self.names
                .user_names()
                .iter()
                .map(|claim| format!("user.{claim}")),
        );
        all.extend(
            self.names
                .event_fields()
                .iter()
                .map(|field| format!("event.{field}")),
        );
        if let Some(near) = meant(name, all.iter().map(String::as_str)) {
            return near;
        }
        if self.want == Some(Type::Str) {
            return format!("for the text itself write `'{name}'`, in quotes");
        }
        format!("known are {}", names(&all))
    }

    /// A value as a program of its type.
    fn get(&mut self, part: &IdedExpr, source: Source, ty: Type) -> Option<Typed> {
        Some(match ty {
            Type::Bool => Typed::bool(BoolExpr::Get(source)),
            Type::Int | Type::Date | Type::Time | Type::Duration => {
                Typed::int(ty, IntExpr::Get(source))
            }
            Type::Str => Typed::str(StrExpr::Get(source)),
            Type::Strs => Typed {
                ty,
                program: Program::List(source),
            },
            Type::Days => {
                return self.refuse(
                    codes::EXPR_TYPES,
                    part,
                    "a set of days can't be read by an expression",
                    None,
                );
            }
        })
    }

    pub fn select(&mut self, part: &IdedExpr, operand: &IdedExpr, field: &str) -> Option<Typed> {
        match &operand.expr {
            Cel::Ident(root) if root == "user" => {
                if let Some((slot, ty)) = self.names.user(field) {
                    return self.get(part, Source::User(slot), ty);
                }
                let known = self.names.user_names();
                self.unknown_part(
                    part,
                    field,
                    format!("`{field}` is not a claim of this tenant"),
                    &known,
                    "claims are declared in tenant.yaml under `claims`",
                )
            }
            Cel::Ident(root) if root == "event" => {
                let Some(event) = self.names.event().map(str::to_owned) else {
                    let help = "keep what you need in a variable of `context` when the event comes";
                    return self.refuse(
                        codes::EXPR_EVENT,
                        part,
                        "no event happens where this expression runs",
                        Some(help.to_owned()),
                    );
                };
                if let Some((slot, ty)) = self.names.event_field(field) {
                    return self.get(part, Source::Event(slot), ty);
                }
                let known = self.names.event_fields();
                self.unknown_part(
                    part,
                    field,
                    format!("`{field}` is not a field of the event `{event}`"),
                    &known,
                    "an event's fields are declared under its `payload`",
                )
            }
            Cel::Ident(root) if root == "facts" => {
                if let Some((slot, ty)) = self.names.fact(field) {
                    return self.get(part, Source::Fact(slot), ty);
                }
                let known = self.names.fact_names();
                self.unknown_part(
                    part,
                    field,
                    format!("`{field}` is not a fact of this campaign"),
                    &known,
                    "facts are declared under `facts`, with the service that is asked",
                )
            }
            Cel::Ident(root) if root == "rewards" => {
                let name = field.replace('_', "-");
                if self.names.reward(&name).is_none() && self.names.reward(field).is_none() {
                    return self.unknown_reward(part, field);
                }
                self.refuse(
                    codes::EXPR_NAME,
                    part,
                    format!("`rewards.{field}` alone has no value"),
                    Some(format!(
                        "write `rewards.{field}.given`: how often it was given to this user"
                    )),
                )
            }
            Cel::Select(inner) if is_rewards(&inner.operand) => {
                self.reward_part(part, operand, &inner.field, field)
            }
            Cel::Call(call)
                if call.func_name == "_[_]" && call.args.first().is_some_and(is_rewards) =>
            {
                match call.args.get(1).map(|key| &key.expr) {
                    Some(Cel::Literal(LiteralValue::String(id))) => {
                        self.reward_part(part, operand, id.inner(), field)
                    }
                    _ => self.refuse(
                        codes::EXPR_FEATURE,
                        part,
                        "a reward is named by its id",
                        Some("write `rewards.my_coupon.given`".to_owned()),
                    ),
                }
            }
            _ => {
                let written = self.source_of(operand);
                self.refuse(
                    codes::EXPR_FEATURE,
                    part,
                    format!(
                        "`{written}` has no parts: only `user`, `event`, `facts` and `rewards` have"
                    ),
                    None,
                )
            }
        }
    }

    fn reward_part(
        &mut self,
        part: &IdedExpr,
        operand: &IdedExpr,
        id: &str,
        field: &str,
    ) -> Option<Typed> {
        let dashed = id.replace('_', "-");
        let Some(reward) = self.names.reward(id).or_else(|| self.names.reward(&dashed)) else {
            return self.unknown_reward(operand, id);
        };
        if field == "given" {
            return Some(Typed::int(Type::Int, IntExpr::Given(reward)));
        }
        let place = self.spot.field(part, field);
        self.out
            .error(
                codes::EXPR_NAME,
                &place,
                format!("a reward has no `{field}` in expressions"),
            )
            .help("only `given`: how often it was given to this user");
        None
    }

    fn unknown_reward(&mut self, part: &IdedExpr, id: &str) -> Option<Typed> {
        let ids = self.names.reward_ids();
        // `rewards.my-coupon` is read as a difference; the first word of an id gives that away.
        let cut = ids.iter().find(|known| known.split('-').next() == Some(id));
        let help = match cut {
            Some(known) => format!(
                "write `_` for `-`: `rewards.{}.given`",
                known.replace('-', "_")
            ),
            None => meant(id, ids.iter().map(String::as_str))
                .unwrap_or_else(|| format!("known are {}", names(&ids))),
        };
        self.refuse(
            codes::EXPR_NAME,
            part,
            format!("`{id}` is not a reward of this campaign"),
            Some(help),
        )
    }

    fn unknown_part(
        &mut self,
        part: &IdedExpr,
        field: &str,
        message: String,
        known: &[String],
        otherwise: &str,
    ) -> Option<Typed> {
        let help = meant(field, known.iter().map(String::as_str)).unwrap_or_else(|| {
            if known.is_empty() {
                otherwise.to_owned()
            } else {
                format!("known are {}; {otherwise}", names(known))
            }
        });
        let place = self.spot.field(part, field);
        self.out.error(codes::EXPR_NAME, &place, message).help(help);
        None
    }

    pub fn index(&mut self, part: &IdedExpr, of: &IdedExpr) -> Option<Typed> {
        let help = if is_rewards(of) {
            "write `rewards['my-coupon'].given`"
        } else {
            "write `x in user.tags` to look into a list"
        };
        self.refuse(
            codes::EXPR_FEATURE,
            part,
            "nothing is looked up with `[...]` here",
            Some(help.to_owned()),
        )
    }
}

/// Whether it is `rewards.<field>`.
pub(super) fn reward_field(part: &IdedExpr) -> Option<&str> {
    match &part.expr {
        Cel::Select(select) if is_rewards(&select.operand) => Some(&select.field),
        _ => None,
    }
}

fn is_rewards(part: &IdedExpr) -> bool {
    matches!(&part.expr, Cel::Ident(name) if name == "rewards")
}

/// A few names for a message.
pub(super) fn names(all: &[String]) -> String {
    const MOST: usize = 20;
    let shown: Vec<_> = all
        .iter()
        .take(MOST)
        .map(|name| format!("`{name}`"))
        .collect();
    match (all.len(), shown.join(", ")) {
        (0, _) => "none".to_owned(),
        (count, shown) if count > MOST => format!("{shown} and {} more", count - MOST),
        (_, shown) => shown,
    }
}
