//! Tables of a map's keys: what may stand there, what must, and what each means. The check and the JSON Schema read
//! the same tables, so that they can't drift apart.

use crate::codes;
use crate::diagnostic::{Diagnostics, did_you_mean};
use crate::document::scalars::a;
use crate::document::{Entry, Kind, Node};
use crate::source::Place;

/// The keys of one kind of map.
#[derive(Debug)]
pub struct Keys {
    /// What the map is, as messages say it: `reward`. Unique among all tables: it names the schema's definition.
    pub name: &'static str,
    /// What it is for.
    pub doc: &'static str,
    /// Its keys, in the order people should write them.
    pub keys: &'static [Key],
}

/// One key.
#[derive(Debug)]
pub struct Key {
    /// The key itself.
    pub name: &'static str,
    /// What its value is.
    pub shape: Shape,
    /// What it means, in a sentence.
    pub doc: &'static str,
    /// Whether it must be there.
    pub required: bool,
}

impl Key {
    /// A key that must be there.
    pub const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self {
            name,
            shape,
            doc,
            required: true,
        }
    }

    /// A key that may be there.
    pub const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self {
            name,
            shape,
            doc,
            required: false,
        }
    }
}

/// What a value may be: for the schema only; the readers do the checking.
#[derive(Debug)]
pub enum Shape {
    /// Anything.
    Any,
    /// A single text.
    String,
    /// A text per language, or one text.
    Text,
    /// A whole number within bounds, both included.
    Int(i64, i64),
    /// `true` or `false`.
    Bool,
    /// An amount of money.
    Money,
    /// Odds: `10%`, `1/3`, `rest`.
    Odds,
    /// A length of time: `7 days`.
    Duration,
    /// A point in time.
    DateTime,
    /// A date.
    Date,
    /// An IANA timezone.
    Timezone,
    /// A time of day.
    Clock,
    /// An id.
    Id,
    /// An expression.
    Expr,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list of such values.
    List(&'static Shape),
    /// A map from any key to such values.
    MapOf(&'static Shape),
    /// A map with these keys.
    Keys(&'static Keys),
    /// One of these.
    Either(&'static [Shape]),
}

/// A map whose keys were checked.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'n> {
    /// The map.
    pub node: &'n Node,
    entries: &'n [Entry],
}

impl<'n> Fields<'n> {
    /// The value of a key.
    pub fn get(&self, name: &str) -> Option<&'n Node> {
        self.entry(name).map(|entry| &entry.value)
    }

    /// A key with its value.
    pub fn entry(&self, name: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.name() == name)
    }

    /// Whether the key is there.
    pub fn has(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    /// Where the key stands; the whole map when it does not.
    pub fn key_place(&self, name: &str) -> &'n Place {
        self.entry(name)
            .map_or(&self.node.place, |entry| &entry.key.place)
    }

    /// All entries, in the order written.
    pub fn entries(&self) -> &'n [Entry] {
        self.entries
    }
}

impl Node {
    /// This map's values by key. Reports keys that the table lacks and keys that the map lacks; nothing only if this is
    /// no map at all.
    pub fn fields<'n>(
        &'n self,
        keys: &'static Keys,
        diagnostics: &mut Diagnostics,
    ) -> Option<Fields<'n>> {
        let entries = match &self.kind {
            Kind::Map(entries) => entries.as_slice(),
            Kind::Null | Kind::Scalar { .. } | Kind::List(_) => {
                let names = list_names(keys);
                diagnostics
                    .error(
                        codes::WRONG_SHAPE,
                        &self.place,
                        format!("{} is a map of keys, this is {}", a(keys.name), self.what()),
                    )
                    .help(format!("its keys are {names}"));
                return None;
            }
        };
        // A slip of the finger is one error: the key it was meant to be is not missing as well.
        let mut slips = Vec::new();
        for entry in entries {
            let name = entry.name();
            if keys.keys.iter().all(|key| key.name != name) {
                let near = did_you_mean(name, keys.keys.iter().map(|key| key.name));
                slips.extend(near);
                // `kind：coupon` is one long key to YAML.
                let wide = name.contains('：');
                let meant = name.split('：').next().unwrap_or(name).trim();
                slips.extend(
                    keys.keys
                        .iter()
                        .map(|key| key.name)
                        .find(|key| wide && *key == meant),
                );
                let help = match near {
                    // `stock: 1,000` within braces ends at its comma.
                    _ if name.bytes().all(|byte| byte.is_ascii_digit()) => {
                        "a `,` ends the value before it: numbers are written without separators"
                            .to_owned()
                    }
                    _ if wide => "write the plain `:` and a space".to_owned(),
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("its keys are {}", list_names(keys)),
                };
                diagnostics
                    .error(
                        codes::UNKNOWN_KEY,
                        &entry.key.place,
                        format!("`{name}` is not a key of {}", a(keys.name)),
                    )
                    .help(help);
            }
        }
        for key in keys.keys.iter().filter(|key| key.required) {
            if entries.iter().all(|entry| entry.name() != key.name) && !slips.contains(&key.name) {
                diagnostics.error(
                    codes::MISSING_KEY,
                    &self.head(),
                    format!("`{}` is missing: {}", key.name, lower(key.doc)),
                );
            }
        }
        Some(Fields {
            node: self,
            entries,
        })
    }

    /// The first line of a map: underlining all of it would hide the rest.
    fn head(&self) -> Place {
        let text = self.place.text();
        let line = text.split('\n').next().unwrap_or(text).trim_end();
        Place::new(
            &self.place.source,
            self.place.span.start,
            self.place.span.start + line.len(),
        )
    }
}

fn list_names(keys: &Keys) -> String {
    keys.keys
        .iter()
        .map(|key| format!("`{}`", key.name))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A sentence as it stands after a colon.
fn lower(doc: &str) -> String {
    let mut letters = doc.trim_end_matches('.').chars();
    letters.next().map_or(String::new(), |first| {
        first.to_lowercase().chain(letters).collect()
    })
}
