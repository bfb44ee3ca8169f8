//! What a program reads from outside: claims, fields, facts. For whoever must know before it runs.

use crate::expr::{BoolExpr, Expr, IntExpr, Source, StrExpr};

impl BoolExpr {
    /// Whether it reads the event's payload.
    pub fn reads_event(&self) -> bool {
        let mut reads = false;
        self.each_source(&mut |source| reads |= matches!(source, Source::Event(_)));
        reads
    }

    /// Calls `each` with every source that it may read, as often as it does.
    pub fn each_source(&self, each: &mut dyn FnMut(Source)) {
        match self {
            Self::Lit(_) | Self::Fact(_) => {}
            Self::Get(source) => each(*source),
            Self::Not(inner) => inner.each_source(each),
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.each_source(each);
                }
            }
            Self::Compare(_, left, right) => {
                left.each_source(each);
                right.each_source(each);
            }
            Self::SameStr(left, right) => {
                left.each_source(each);
                right.each_source(each);
            }
            Self::SameBool(left, right) => {
                left.each_source(each);
                right.each_source(each);
            }
            Self::IntIn(needle, list) => {
                needle.each_source(each);
                for item in list {
                    item.each_source(each);
                }
            }
            Self::StrIn(needle, list) => {
                needle.each_source(each);
                for item in list {
                    item.each_source(each);
                }
            }
            Self::Has(needle, source) => {
                needle.each_source(each);
                each(*source);
            }
            Self::If(parts) => {
                parts.0.each_source(each);
                parts.1.each_source(each);
                parts.2.each_source(each);
            }
            Self::Call(call) => call.args.iter().for_each(|arg| arg.each_source(each)),
        }
    }
}

impl IntExpr {
    fn each_source(&self, each: &mut dyn FnMut(Source)) {
        match self {
            Self::Lit(_)
            | Self::Now
            | Self::Today
            | Self::Given(_)
            | Self::CountToday(_)
            | Self::CountTotal(_) => {}
            Self::Get(source) => each(*source),
            Self::DayOf(inner) | Self::Neg(inner) => inner.each_source(each),
            Self::Arith(_, parts) => {
                parts.0.each_source(each);
                parts.1.each_source(each);
            }
            Self::If(parts) => {
                parts.0.each_source(each);
                parts.1.each_source(each);
                parts.2.each_source(each);
            }
            Self::Size(text) => text.each_source(each),
            Self::Call(call) => call.args.iter().for_each(|arg| arg.each_source(each)),
        }
    }
}

impl StrExpr {
    fn each_source(&self, each: &mut dyn FnMut(Source)) {
        match self {
            Self::Lit(_) => {}
            Self::Get(source) => each(*source),
            Self::If(parts) => {
                parts.0.each_source(each);
                parts.1.each_source(each);
                parts.2.each_source(each);
            }
        }
    }
}

impl Expr {
    /// Whether it reads the event's payload.
    pub fn reads_event(&self) -> bool {
        let mut reads = false;
        self.each_source(&mut |source| reads |= matches!(source, Source::Event(_)));
        reads
    }

    /// Calls `each` with every source that it may read, as often as it does.
    pub fn each_source(&self, each: &mut dyn FnMut(Source)) {
        match self {
            Self::Bool(program) => program.each_source(each),
            Self::Int(program) => program.each_source(each),
            Self::Str(program) => program.each_source(each),
        }
    }
}
