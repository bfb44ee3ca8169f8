//! A YAML file as a tree in which every key and value knows its place.
//!
//! The tree keeps scalars as text: what a text means is for the readers to say (`scalars`), who know what is wanted,
//! so that no number ever passes through a float. A map's keys are declared in tables ([`Keys`]) that also make the
//! JSON Schema.

mod keys;
mod numbers;
mod parse;
mod scalars;
mod slips;
mod syntax;
#[cfg(test)]
mod tests;
mod times;

pub use keys::{Fields, Key, Keys, Shape};
pub use numbers::Odds;
pub use parse::{MAX_BYTES, MAX_DEPTH, MAX_NODES, parse};
pub use scalars::is_id;
pub(crate) use scalars::short;
pub use times::Moment;
pub(crate) use times::{date, duration, instant, is_duration};

use crate::source::Place;

/// A value of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub kind: Kind,
}

/// The kinds of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Nothing, or a plain `null` or `~`.
    Null,
    /// A single value, as text.
    Scalar {
        /// The text, escapes resolved.
        text: String,
        /// Whether it was written in quotes (or as a block), and so is meant as text.
        quoted: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A map, in the order written; keys are scalars and unique.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key: a scalar.
    pub key: Node,
    /// The value.
    pub value: Node,
}

impl Entry {
    /// The key's text.
    pub fn name(&self) -> &str {
        self.key.scalar().unwrap_or("")
    }
}

impl Node {
    /// The text of a scalar, whatever it means.
    pub fn scalar(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            Kind::Null | Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// The value of a key, if this is a map that has it. Nothing is reported.
    pub fn get(&self, name: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Map(entries) => entries
                .iter()
                .find(|entry| entry.name() == name)
                .map(|entry| &entry.value),
            Kind::Null | Kind::Scalar { .. } | Kind::List(_) => None,
        }
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        matches!(self.kind, Kind::List(_))
    }

    /// Whether it is a map.
    pub fn is_map(&self) -> bool {
        matches!(self.kind, Kind::Map(_))
    }

    /// What it is, in words: `a list`, `a map`, `nothing`, `a single value`.
    pub fn what(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Scalar { .. } => "a single value",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }
}
