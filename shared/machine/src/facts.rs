//! What was looked up for a step: what was found, what counts where it was not, and what of it is kept with the decision.
//! How it is looked up is the shell's.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::calendar::Day;
use crate::input::from_json;
use crate::model::FactDecl;
use crate::participant::Core;
use crate::redeem::Handed;
use crate::value::{Type, Value};

/// The longest text that a fact may be, in characters: a level's or a branch's name, not a person's.
pub const MOST_TEXT: usize = 64;

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It holds.
    Yes,
    /// It does not hold.
    No,
    /// It could not be found out in time; the declared answer for "unknown" applies.
    Unknown,
    /// This.
    Is(Value),
    /// Nobody asked, since nothing that decides reads it. Where something reads it all the same, it is unknown.
    NotAsked,
    /// How many of the user's team signed in.
    Tallies(Tallies),
    /// What the code is that the user handed in.
    Handed(Handed),
}

/// How many members of a team signed in, day by day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tallies {
    /// The team, by a hash; empty: none.
    pub team: Arc<str>,
    /// The day of the first figure.
    pub first: Day,
    /// One a day, up to the day of the step.
    pub counts: Vec<u32>,
    /// Whether the figures are known.
    pub known: bool,
}

impl Tallies {
    /// How many signed in on a day; 0 on one that is not among them.
    pub fn on(&self, day: Day) -> u32 {
        let place = usize::try_from(i64::from(day) - i64::from(self.first));
        let count = place.ok().and_then(|place| self.counts.get(place));
        count.copied().unwrap_or(0)
    }
}

impl Known {
    /// What a service said, if it is of this type; else it is unknown.
    pub fn said(json: Option<&Json>, ty: Type) -> Self {
        match json.and_then(|json| from_json(json, ty)) {
            Some(Value::Str(text)) if text.chars().count() > MOST_TEXT => Self::Unknown,
            Some(value) => Self::Is(value),
            None => Self::Unknown,
        }
    }
}

/// What was used of a fact, as the ledger keeps it: a value, and whether it was found or declared. In postcard the first two
/// are the bytes of `false` and `true`, as which logs of before typed facts hold them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Used {
    /// It was found not to hold.
    No,
    /// It was found to hold.
    Yes,
    /// This was found.
    Found(Value),
    /// It was unknown, and this is what the campaign says then.
    Declared(Value),
    /// Nobody asked.
    NotAsked,
    /// So many of the user's team had signed in.
    Tallies(Tallies),
    /// This was the code that the user handed in.
    Handed(Handed),
}

impl Used {
    /// The value; none where nobody asked.
    pub fn value(&self) -> Option<&Value> {
        static YES: Value = Value::Bool(true);
        static NO: Value = Value::Bool(false);
        match self {
            Self::No => Some(&NO),
            Self::Yes => Some(&YES),
            Self::Found(value) | Self::Declared(value) => Some(value),
            Self::NotAsked | Self::Tallies(_) | Self::Handed(_) => None,
        }
    }
}

/// What the shell looked up for a step, in the order the campaign declares its facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    used: Vec<Used>,
}

impl Facts {
    /// Settles each finding: "unknown", and what is not of the declared type, becomes the answer its declaration gives.
    pub fn settle(declared: &[FactDecl], found: impl IntoIterator<Item = Known>) -> Self {
        let mut found = found.into_iter();
        let settle = |decl: &FactDecl| match found.next().unwrap_or(Known::Unknown) {
            Known::Yes | Known::Is(Value::Bool(true)) if decl.ty() == Type::Bool => Used::Yes,
            Known::No | Known::Is(Value::Bool(false)) if decl.ty() == Type::Bool => Used::No,
            Known::Is(value) if decl.ty().admits(&value) => Used::Found(value),
            Known::NotAsked => Used::NotAsked,
            Known::Tallies(tallies) => Used::Tallies(tallies),
            Known::Handed(handed) => Used::Handed(handed),
            Known::Yes | Known::No | Known::Is(_) | Known::Unknown => {
                Used::Declared(decl.when_unknown.clone())
            }
        };
        Self {
            used: declared.iter().map(settle).collect(),
        }
    }

    /// The same, where what a record keeps of first sight stands above what was found now.
    #[must_use]
    pub fn with_kept(mut self, declared: &[FactDecl], core: &Core) -> Self {
        for (used, fact) in self.used.iter_mut().zip(declared) {
            match fact.first_sight().and_then(|first| first.of(core)) {
                Some(true) => *used = Used::Yes,
                Some(false) => *used = Used::No,
                None => {}
            }
        }
        self
    }

    /// What was used, in the order declared: kept with the decision.
    pub fn used(&self) -> &[Used] {
        &self.used
    }

    /// Whether the fact with this index holds; one that is no truth value, or that nobody declared, does not.
    pub fn holds(&self, index: u16) -> bool {
        matches!(self.value(index), Some(Value::Bool(true)))
    }

    /// What the fact with this index is; none where nobody asked.
    pub fn value(&self, index: u16) -> Option<&Value> {
        self.used.get(usize::from(index))?.value()
    }

    /// What is known of the user's team, where the fact with this index is about one.
    pub fn tallies(&self, index: u16) -> Option<&Tallies> {
        match self.used.get(usize::from(index))? {
            Used::Tallies(tallies) => Some(tallies),
            Used::No
            | Used::Yes
            | Used::Found(_)
            | Used::Declared(_)
            | Used::NotAsked
            | Used::Handed(_) => None,
        }
    }

    /// The code that the user handed in, where the fact with this index is about codes.
    pub fn handed(&self, index: u16) -> Option<&Handed> {
        match self.used.get(usize::from(index))? {
            Used::Handed(handed) => Some(handed),
            Used::No
            | Used::Yes
            | Used::Found(_)
            | Used::Declared(_)
            | Used::NotAsked
            | Used::Tallies(_) => None,
        }
    }

    /// The same, with this code handed in: for whoever plays and has no shell.
    #[must_use]
    pub fn with_handed(&self, index: u16, handed: Handed) -> Self {
        let mut facts = self.clone();
        if let Some(used) = facts.used.get_mut(usize::from(index)) {
            *used = Used::Handed(handed);
        }
        facts
    }

    /// Whether somebody asked.
    pub fn was_asked(&self, index: u16) -> bool {
        self.value(index).is_some()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{Asked, FactKind};

    fn fact(ty: Type, when_unknown: Value) -> FactDecl {
        FactDecl {
            what: FactKind::Asked(Asked {
                name: "x".to_owned(),
                connector: "crm".to_owned(),
                field: "x".to_owned(),
                ty,
            }),
            when_unknown,
        }
    }

    #[test]
    fn what_is_not_of_the_declared_type_is_unknown_and_counts_as_declared() {
        let int = [fact(Type::Int, Value::Int(7))];
        let one = |known| Facts::settle(&int, [known]).used()[0].clone();
        assert_eq!(one(Known::Is(Value::Int(3))), Used::Found(Value::Int(3)));
        for wrong in [
            Known::Unknown,
            Known::Yes,
            Known::No,
            Known::Is(Value::Bool(true)),
            Known::Is(Value::Str("3".into())),
        ] {
            assert_eq!(one(wrong), Used::Declared(Value::Int(7)));
        }
        assert_eq!(one(Known::NotAsked).value(), None);
        let none = Facts::settle(&int, []);
        assert_eq!(none.value(0), Some(&Value::Int(7)), "nothing said: unknown");
    }

    #[test]
    fn a_services_word_is_taken_as_its_type_or_not_at_all() {
        let rows = [
            (json!(true), Type::Bool, Known::Is(Value::Bool(true))),
            (json!("true"), Type::Bool, Known::Unknown),
            (json!(1), Type::Bool, Known::Unknown),
            (json!(3), Type::Int, Known::Is(Value::Int(3))),
            (json!(3.5), Type::Int, Known::Unknown),
            (json!(null), Type::Int, Known::Unknown),
            (
                json!("gold"),
                Type::Str,
                Known::Is(Value::Str("gold".into())),
            ),
            (json!("x".repeat(65)), Type::Str, Known::Unknown),
        ];
        for (json, ty, expected) in rows {
            assert_eq!(Known::said(Some(&json), ty), expected, "{json} as {ty}");
        }
        assert_eq!(Known::said(None, Type::Bool), Known::Unknown);
    }
}
