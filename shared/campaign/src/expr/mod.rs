//! Expressions: CEL, read and lowered to the typed programs of `machine::expr`.
//!
//! A useful part of CEL, without macros: what can't be checked here can't be written here. After [`lower`] the only
//! faults left are those of arithmetic on values nobody knows yet.

mod calls;
mod fold;
mod lower;
mod names;
mod operators;
mod parse;
mod syntax;
#[cfg(test)]
mod tests;

use machine::calendar::Calendar;
use machine::expr::{BoolExpr, Expr, IntExpr};
use machine::value::Type;

use crate::diagnostic::Diagnostics;
use crate::document::Node;

pub use parse::{MAX_BYTES, MAX_DEPTH, MAX_PARTS};

/// Names that a variable can't have: expressions read them otherwise.
pub const RESERVED: &[&str] = &[
    "now",
    "today",
    "user",
    "event",
    "rewards",
    "facts",
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Whether an expression can name it bare: letters, digits and `_`, not beginning with a digit, not reserved.
pub fn is_name(text: &str) -> bool {
    let first = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    first
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !RESERVED.contains(&text)
}

/// A block's function, as an expression may call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Which block of the campaign.
    pub block: u16,
    /// Which of its functions.
    pub function: u16,
    /// What it takes.
    pub args: Vec<Type>,
    /// What it gives.
    pub result: Type,
    /// What its text may be, where it takes one and knows what there is: the code for another one, and all there is.
    pub texts: Option<(&'static str, Vec<String>)>,
}

/// What the names in an expression stand for. The lists of names are for "did you mean" only.
pub trait Names {
    /// A variable or balance that expressions may read: its slot and type.
    fn var(&self, name: &str) -> Option<(u16, Type)>;
    /// The names of all of them.
    fn var_names(&self) -> Vec<String>;
    /// A claim: `user.<claim>`.
    fn user(&self, claim: &str) -> Option<(u16, Type)>;
    /// The names of all claims.
    fn user_names(&self) -> Vec<String>;
    /// The event whose payload `event.<field>` reads; nothing where no event is (an audience, say).
    fn event(&self) -> Option<&str> {
        None
    }
    /// A field of that event's payload.
    fn event_field(&self, field: &str) -> Option<(u16, Type)> {
        let _ = field;
        None
    }
    /// The names of all its fields.
    fn event_fields(&self) -> Vec<String> {
        Vec::new()
    }
    /// A block's function.
    fn function(&self, name: &str) -> Option<Function> {
        let _ = name;
        None
    }
    /// The names of all block functions.
    fn function_names(&self) -> Vec<String> {
        Vec::new()
    }
    /// A reward by its id, dashes and all.
    fn reward(&self, id: &str) -> Option<u16> {
        let _ = id;
        None
    }
    /// The ids of all rewards.
    fn reward_ids(&self) -> Vec<String> {
        Vec::new()
    }
    /// The count of an event (its place in `Definition.counts`), made at its first use; nothing if there is no such event.
    fn count(&mut self, event: &str) -> Option<u16> {
        let _ = event;
        None
    }
    /// The names of all events.
    fn event_names(&self) -> Vec<String> {
        Vec::new()
    }
    /// The fact "on this list" (its place in `Definition.facts`), made at its first use; nothing if there is no such list.
    fn list(&mut self, list: &str) -> Option<u16> {
        let _ = list;
        None
    }
    /// The names of all lists.
    fn list_names(&self) -> Vec<String> {
        Vec::new()
    }
    /// The campaign's days: for constants such as `time('2026-12-01 10:00')`.
    fn calendar(&self) -> &Calendar;
}

/// Reads an expression that must give `want`; nothing only after an error was reported.
pub fn lower(
    node: &Node,
    want: Type,
    names: &mut dyn Names,
    diagnostics: &mut Diagnostics,
) -> Option<Expr> {
    lower::wanted(node, want, names, diagnostics)
}

/// Reads an expression of whatever type, and says which.
pub fn lower_any(
    node: &Node,
    names: &mut dyn Names,
    diagnostics: &mut Diagnostics,
) -> Option<(Type, Expr)> {
    lower::any(node, names, diagnostics)
}

/// Reads a condition.
pub fn lower_bool(
    node: &Node,
    names: &mut dyn Names,
    diagnostics: &mut Diagnostics,
) -> Option<BoolExpr> {
    match lower(node, Type::Bool, names, diagnostics)? {
        Expr::Bool(program) => Some(program),
        Expr::Int(_) | Expr::Str(_) => None,
    }
}

/// Reads a whole number.
pub fn lower_int(
    node: &Node,
    names: &mut dyn Names,
    diagnostics: &mut Diagnostics,
) -> Option<IntExpr> {
    match lower(node, Type::Int, names, diagnostics)? {
        Expr::Int(program) => Some(program),
        Expr::Bool(_) | Expr::Str(_) => None,
    }
}
