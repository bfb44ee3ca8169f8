//! Price tables: YAML that whoever runs a load test edits. Those that ship are in `loadtest/prices/`.

use serde::Deserialize;

use super::money::{Decimal, NotDecimal};

/// A price table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its currency.
    pub currency: String,
    /// Where its figures are from: said in every report that uses them.
    pub source: String,
    /// Of when they are.
    pub as_of: String,
    /// Memory that a function is given, in MB, where it is billed by that.
    pub function_mb: u32,
    /// What is paid for.
    pub parts: Vec<Part>,
}

/// What is paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// In words.
    pub what: String,
    /// What is counted.
    pub unit: Unit,
    /// What one of it costs.
    pub price: Decimal,
}

/// What can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// A million calls.
    MillionCalls,
    /// A gigabyte of a function's memory for a second.
    GbSecond,
    /// An instance for an hour.
    InstanceHour,
    /// A gigabyte of answers.
    GbOut,
}

impl Unit {
    /// As a report says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MillionCalls => "million calls",
            Self::GbSecond => "GB-seconds",
            Self::InstanceHour => "instance hours",
            Self::GbOut => "GB out",
        }
    }
}

/// Why a text is no price table.
#[derive(Debug, thiserror::Error)]
pub enum Unpriced {
    /// It is not shaped like one.
    #[error("it is no price table: {0}")]
    Shape(String),
    /// A price is none.
    #[error(transparent)]
    Price(#[from] NotDecimal),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    currency: String,
    source: String,
    as_of: String,
    #[serde(default)]
    function_mb: u32,
    parts: Vec<WrittenPart>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPart {
    what: String,
    unit: Unit,
    price: String,
}

impl Table {
    /// Reads one.
    ///
    /// # Errors
    /// A text that is none, with its place; a price that is none.
    pub fn read(text: &str) -> Result<Self, Unpriced> {
        let written: Written =
            serde_saphyr::from_str(text).map_err(|error| Unpriced::Shape(error.to_string()))?;
        let parts = written.parts.into_iter().map(|part| {
            Ok(Part {
                what: part.what,
                unit: part.unit,
                price: part.price.parse()?,
            })
        });
        let table = Self {
            name: written.name,
            currency: written.currency,
            source: written.source,
            as_of: written.as_of,
            function_mb: written.function_mb,
            parts: parts.collect::<Result<_, NotDecimal>>()?,
        };
        let by_memory = table.parts.iter().any(|part| part.unit == Unit::GbSecond);
        if by_memory && table.function_mb == 0 {
            let why = "it bills `gb-second` and does not say `function_mb`".to_owned();
            return Err(Unpriced::Shape(why));
        }
        Ok(table)
    }
}

/// The tables that ship, by name, as they are written.
pub fn shipped() -> [(&'static str, &'static str); 3] {
    [
        ("lambda", include_str!("../../prices/lambda.yaml")),
        ("scf", include_str!("../../prices/scf.yaml")),
        ("vm", include_str!("../../prices/vm.yaml")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_is_sound_and_says_where_it_is_from() {
        for (name, text) in shipped() {
            let table = Table::read(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(table.source.contains("check"), "{name}: {}", table.source);
            assert!(!table.as_of.is_empty() && !table.parts.is_empty(), "{name}");
        }
    }

    #[test]
    fn what_is_no_table_is_told_why() {
        let (_, good) = shipped()[0];
        for (text, why) in [
            ("", "no price table"),
            (&*good.replace("parts:", "pieces:"), "pieces"),
            (&*good.replace("gb-second", "gb-minute"), "gb-minute"),
            (
                &*good.replace("function_mb", "# function_mb"),
                "function_mb",
            ),
            (&*good.replace("\"0.20\"", "\"free\""), "`free` is no price"),
        ] {
            let said = Table::read(text).unwrap_err().to_string();
            assert!(said.contains(why), "{why}: {said}");
        }
    }
}
