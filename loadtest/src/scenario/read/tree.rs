//! The file as a tree in which each value knows its place, and the list of what is wrong. Nothing here knows what a scenario is.

use std::fmt;
use std::sync::Arc;

use miette::{NamedSource, SourceSpan};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::{Location, Spanned};

/// All that is wrong with a scenario.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("the scenario `{name}` can't be played: {}", Many(.all.len()))]
pub struct Mistakes {
    /// The file.
    pub name: String,
    /// One after another, as they stand in the file.
    #[related]
    pub all: Vec<Mistake>,
}

/// One thing that is wrong, where, and the way out.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("{what}")]
pub struct Mistake {
    /// What.
    pub what: String,
    /// The way out.
    #[help]
    pub way_out: Option<String>,
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1.
    pub column: u64,
    #[source_code]
    source_code: NamedSource<Arc<String>>,
    #[label("here")]
    at: SourceSpan,
}

struct Many(usize);

impl fmt::Display for Many {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => out.write_str("there is one mistake"),
            many => write!(out, "there are {many} mistakes"),
        }
    }
}

impl Mistakes {
    /// Each in a line, with its place and the way out, for where nothing can be drawn.
    pub fn lines(&self) -> String {
        let lines = self.all.iter().map(|mistake| {
            let way_out = mistake
                .way_out
                .as_ref()
                .map_or_else(String::new, |way_out| format!("; {way_out}"));
            format!(
                "{}:{}:{}: {}{way_out}",
                self.name, mistake.line, mistake.column, mistake.what
            )
        });
        lines.collect::<Vec<String>>().join("\n")
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    pub at: Location,
    pub kind: Kind,
}

#[derive(Debug, Clone)]
pub enum Kind {
    Null,
    /// A text, a number, true or false.
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub struct Entry {
    pub key: String,
    pub at: Location,
    pub value: Node,
}

impl Node {
    /// A scalar as it would be written.
    pub fn text(&self) -> Option<String> {
        match &self.kind {
            Kind::Scalar(Value::String(text)) => Some(text.trim().to_owned()),
            Kind::Scalar(value) => Some(value.to_string()),
            Kind::Null | Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Scalar(value) => value.clone(),
            Kind::List(items) => items.iter().map(Self::json).collect(),
            Kind::Map(entries) => {
                let fields = entries.iter();
                Value::Object(
                    fields
                        .map(|entry| (entry.key.clone(), entry.value.json()))
                        .collect(),
                )
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(deserializer)?;
        Ok(Self {
            at: spanned.referenced,
            kind: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Kinds)
    }
}

struct Kinds;

impl<'de> Visitor<'de> for Kinds {
    type Value = Kind;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        Kind::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kind, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Kind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Kind, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            map.push(Entry {
                key: key.value,
                at: key.referenced,
                value: entries.next_value()?,
            });
        }
        Ok(Kind::Map(map))
    }
}

/// Collects what is wrong.
pub struct Said {
    name: String,
    text: Arc<String>,
    all: Vec<Mistake>,
}

impl Said {
    pub fn new(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: Arc::new(text.to_owned()),
            all: Vec::new(),
        }
    }

    /// Something is wrong.
    pub fn wrong(&mut self, at: Location, what: impl Into<String>, way_out: impl Into<String>) {
        let way_out = way_out.into();
        let span = at.span();
        let from = span.byte_offset().unwrap_or(0) as usize;
        let from = from.min(self.text.len());
        let len = span.byte_len().unwrap_or(0) as usize;
        // A list or a map is shown by where it begins.
        let rest = self.text.get(from..from + len).unwrap_or("");
        let len = rest.lines().next().map_or(0, str::len).max(1);
        self.all.push(Mistake {
            what: what.into(),
            way_out: (!way_out.is_empty()).then_some(way_out),
            line: at.line(),
            column: at.column(),
            source_code: NamedSource::new(&self.name, Arc::clone(&self.text)),
            at: (from, len).into(),
        });
    }

    /// The list, if there is anything in it.
    pub fn end(mut self) -> Result<(), Mistakes> {
        if self.all.is_empty() {
            return Ok(());
        }
        self.all
            .sort_by_key(|mistake| (mistake.line, mistake.column));
        Err(Mistakes {
            name: self.name,
            all: self.all,
        })
    }

    /// Whether nothing is wrong so far.
    pub fn is_sound(&self) -> bool {
        self.all.is_empty()
    }
}

/// The name among `known` that is meant by `word`, if one is near.
pub fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = 1 + word.chars().count() / 4;
    let known = known
        .into_iter()
        .map(|known| (distance(word, known), known));
    known
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, known)| known)
}

/// Letters to change, add or take away (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, against) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *against);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}
