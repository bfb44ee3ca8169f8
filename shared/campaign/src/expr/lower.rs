//! From syntax tree to typed program, bottom-up: each part says its type, each operator says what it can join.
//!
//! A part that fails gives nothing and has reported why; its parent stays silent, so that one slip is one message.

use cel::common::ast::{CallExpr, Expr as Cel, IdedExpr, LiteralValue, operators};
use machine::expr::{Arith, BoolExpr, Compare, Expr, IntExpr, Source, StrExpr};
use machine::value::Type;

use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::document::{Node, date, is_duration};
use crate::expr::parse::{Parsed, Spot, parse};
use crate::expr::{Names, fold};

/// A program with what the check knows of it.
#[derive(Debug)]
pub(super) struct Typed {
    pub ty: Type,
    pub program: Program,
}

/// A program, or a list of strings, which only `in` can look into.
#[derive(Debug)]
pub(super) enum Program {
    Expr(Expr),
    List(Source),
}

impl Typed {
    pub fn bool(program: BoolExpr) -> Self {
        Self {
            ty: Type::Bool,
            program: Program::Expr(Expr::Bool(program)),
        }
    }

    pub fn int(ty: Type, program: IntExpr) -> Self {
        Self {
            ty,
            program: Program::Expr(Expr::Int(program)),
        }
    }

    pub fn str(program: StrExpr) -> Self {
        Self {
            ty: Type::Str,
            program: Program::Expr(Expr::Str(program)),
        }
    }
}

/// One expression being lowered.
pub(super) struct Lowering<'a> {
    pub spot: Spot<'a>,
    pub names: &'a mut dyn Names,
    pub out: &'a mut Diagnostics,
    /// What the whole must give, for better words about a bare name.
    pub want: Option<Type>,
}

pub(super) fn any(
    node: &Node,
    names: &mut dyn Names,
    out: &mut Diagnostics,
) -> Option<(Type, Expr)> {
    let Parsed { root, spot } = parse(node, out)?;
    let mut lowering = Lowering {
        spot,
        names,
        out,
        want: None,
    };
    let found = lowering.part(&root)?;
    let program = lowering.not_list(&root, found)?;
    Some((program.0, program.1))
}

pub(super) fn wanted(
    node: &Node,
    want: Type,
    names: &mut dyn Names,
    out: &mut Diagnostics,
) -> Option<Expr> {
    let Parsed { root, spot } = parse(node, out)?;
    let mut lowering = Lowering {
        spot,
        names,
        out,
        want: Some(want),
    };
    let found = lowering.part(&root)?;
    let (ty, program) = lowering.not_list(&root, found)?;
    if ty == want {
        return Some(program);
    }
    let text = node.scalar().unwrap_or("").trim();
    let help = match (want, ty) {
        (Type::Bool, Type::Int) => Some("compare it with something: `... > 0`".to_owned()),
        (Type::Bool, _) => Some("compare it with something: `... == ...`".to_owned()),
        (Type::Date, _) if date(text.trim_matches(['\'', '"'])).is_some() => Some(format!(
            "write `date('{}')`",
            text.trim_matches(['\'', '"'])
        )),
        (Type::Duration, _) if is_duration(text.trim_matches(['\'', '"'])) => Some(format!(
            "write `duration('{}')`",
            text.trim_matches(['\'', '"'])
        )),
        (Type::Date, Type::Time) => Some("`day_of(...)` is the day of a time".to_owned()),
        (Type::Str, _) => Some("a text needs quotes: '...'".to_owned()),
        _ => None,
    };
    let place = lowering.spot.part(&root);
    out.error(
        codes::EXPR_RESULT,
        &place,
        format!("{} is needed here, this is {}", a(want), a(ty)),
    )
    .maybe_help(help);
    None
}

/// A type with its article.
pub(super) fn a(ty: Type) -> String {
    match ty {
        Type::Int => "an int".to_owned(),
        other => format!("a {other}"),
    }
}

impl Lowering<'_> {
    /// Reports an error at the token of a part, and gives nothing.
    pub fn refuse<T>(
        &mut self,
        code: &'static str,
        part: &IdedExpr,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Option<T> {
        let place = self.spot.part(part);
        self.out.error(code, &place, message).maybe_help(help);
        None
    }

    fn not_list(&mut self, part: &IdedExpr, found: Typed) -> Option<(Type, Expr)> {
        match found.program {
            Program::Expr(program) => Some((found.ty, program)),
            Program::List(_) => {
                let name = self.source_of(part);
                self.refuse(
                    codes::EXPR_TYPES,
                    part,
                    format!("`{name}` is a list of strings, which can only be looked into"),
                    Some(format!("write `'x' in {name}`")),
                )
            }
        }
    }

    /// A part as it was written.
    pub fn source_of(&self, part: &IdedExpr) -> String {
        crate::document::short(self.spot.part(part).text())
    }

    /// Lowers a part of any type.
    pub fn part(&mut self, part: &IdedExpr) -> Option<Typed> {
        match &part.expr {
            Cel::Literal(value) => self.literal(part, value),
            Cel::Ident(name) => self.name(part, name),
            Cel::Select(select) => self.select(part, &select.operand, &select.field),
            Cel::Call(call) => self.call(part, call),
            Cel::List(_) => self.refuse(
                codes::EXPR_FEATURE,
                part,
                "a list can only stand on the right of `in`",
                Some("write `level in [1, 2]`".to_owned()),
            ),
            Cel::Map(_) => self.refuse(
                codes::EXPR_FEATURE,
                part,
                "maps are not part of expressions here",
                Some("an expression with `{` or `}` in it is usually a slip of YAML".to_owned()),
            ),
            Cel::Struct(_) => self.refuse(
                codes::EXPR_FEATURE,
                part,
                "messages are not part of expressions here",
                None,
            ),
            Cel::Comprehension(_) => self.refuse(
                codes::EXPR_FEATURE,
                part,
                "loops are not part of expressions here",
                None,
            ),
            Cel::Unspecified => self.refuse(
                codes::EXPR_SYNTAX,
                part,
                "this expression can't be read",
                None,
            ),
        }
    }

    fn literal(&mut self, part: &IdedExpr, value: &LiteralValue) -> Option<Typed> {
        let written = self.source_of(part);
        match value {
            LiteralValue::Boolean(value) => Some(Typed::bool(BoolExpr::Lit(*value.inner()))),
            LiteralValue::Int(value) => Some(Typed::int(Type::Int, IntExpr::Lit(*value.inner()))),
            LiteralValue::String(value) => Some(Typed::str(StrExpr::Lit(value.inner().into()))),
            LiteralValue::UInt(value) => {
                let help = format!("write `{}`", value.inner());
                self.refuse(codes::EXPR_FEATURE, part, format!("`{written}` has a suffix: numbers here are all whole and signed"), Some(help))
            }
            LiteralValue::Double(_) => self.refuse(
                codes::EXPR_FEATURE,
                part,
                format!("`{written}` is not a whole number: numbers here are all whole, so that they are exact"),
                Some("for a share of something, multiply first: `words * 10 >= goal * 25`".to_owned()),
            ),
            LiteralValue::Bytes(_) => self.refuse(codes::EXPR_FEATURE, part, "bytes are not part of expressions here", Some("drop the `b` before the quotes".to_owned())),
            LiteralValue::Null => self.refuse(
                codes::EXPR_FEATURE,
                part,
                "`null` is not part of expressions here: every name has a value",
                Some("compare with the declared default instead".to_owned()),
            ),
        }
    }

    fn call(&mut self, part: &IdedExpr, call: &CallExpr) -> Option<Typed> {
        let args = call.args.as_slice();
        match (call.func_name.as_str(), args) {
            (operators::LOGICAL_AND, args) => self
                .conditions(args)
                .map(|parts| Typed::bool(fold::all(parts))),
            (operators::LOGICAL_OR, args) => self
                .conditions(args)
                .map(|parts| Typed::bool(fold::any(parts))),
            (operators::LOGICAL_NOT, [inner]) => self
                .condition(inner)
                .map(|inner| Typed::bool(fold::not(inner))),
            (operators::NEGATE, [inner]) => self.negate(part, inner),
            (operators::CONDITIONAL, [condition, yes, no]) => self.choose(part, condition, yes, no),
            (operators::IN, [needle, list]) => self.is_in(part, needle, list),
            (operators::INDEX, [of, _]) => self.index(part, of),
            (operators::EQUALS, [left, right]) => self.compare(part, Compare::Eq, left, right),
            (operators::NOT_EQUALS, [left, right]) => self.compare(part, Compare::Ne, left, right),
            (operators::LESS, [left, right]) => self.compare(part, Compare::Lt, left, right),
            (operators::LESS_EQUALS, [left, right]) => self.compare(part, Compare::Le, left, right),
            (operators::GREATER, [left, right]) => self.compare(part, Compare::Gt, left, right),
            (operators::GREATER_EQUALS, [left, right]) => {
                self.compare(part, Compare::Ge, left, right)
            }
            (operators::ADD, [left, right]) => self.arith(part, Arith::Add, left, right),
            (operators::SUBSTRACT, [left, right]) => self.arith(part, Arith::Sub, left, right),
            (operators::MULTIPLY, [left, right]) => self.arith(part, Arith::Mul, left, right),
            (operators::DIVIDE, [left, right]) => self.arith(part, Arith::Div, left, right),
            (operators::MODULO, [left, right]) => self.arith(part, Arith::Rem, left, right),
            _ => self.function(part, call),
        }
    }

    /// A part of a known type other than a list.
    pub fn value(&mut self, part: &IdedExpr) -> Option<(Type, Expr)> {
        let found = self.part(part)?;
        self.not_list(part, found)
    }

    fn conditions(&mut self, parts: &[IdedExpr]) -> Option<Vec<BoolExpr>> {
        // All of them are looked at before any failure counts: each may have something to say.
        let lowered: Vec<_> = parts.iter().map(|part| self.condition(part)).collect();
        lowered.into_iter().collect()
    }

    pub fn condition(&mut self, part: &IdedExpr) -> Option<BoolExpr> {
        match self.value(part)? {
            (_, Expr::Bool(program)) => Some(program),
            (ty, Expr::Int(_) | Expr::Str(_)) => {
                let written = self.source_of(part);
                let help = if ty == Type::Int {
                    format!("compare it: `{written} > 0`")
                } else {
                    "compare it with something".to_owned()
                };
                self.refuse(
                    codes::EXPR_TYPES,
                    part,
                    format!("`{written}` is {}, a condition is needed here", a(ty)),
                    Some(help),
                )
            }
        }
    }
}
