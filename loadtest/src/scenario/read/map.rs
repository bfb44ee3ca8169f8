//! A map whose keys are known: what it lacks, what it has too much, and its values with the words for what is expected.

use serde_saphyr::Location;

use super::tree::{Entry, Kind, Node, Said, near};

/// A map whose keys are known.
pub struct Map<'a> {
    at: Location,
    entries: &'a [Entry],
    what: String,
}

impl<'a> Map<'a> {
    /// Says what is no map, and what is no key of it.
    pub fn of(node: &'a Node, what: &str, keys: &[&str], said: &mut Said) -> Self {
        let entries: &[Entry] = if let Kind::Map(entries) = &node.kind {
            entries
        } else {
            said.wrong(
                node.at,
                format!("{what} is written as `key: value` lines"),
                format!("it has {}", listed(keys)),
            );
            &[]
        };
        for entry in entries {
            if !keys.contains(&entry.key.as_str()) {
                let way_out = near(&entry.key, keys.iter().copied()).map_or_else(
                    || format!("{what} has {}", listed(keys)),
                    |near| format!("did you mean `{near}`?"),
                );
                said.wrong(
                    entry.at,
                    format!("{what} has no key `{}`", entry.key),
                    way_out,
                );
            }
        }
        Self {
            at: node.at,
            entries,
            what: what.to_owned(),
        }
    }

    pub fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| &entry.value)
    }

    pub fn need(&self, key: &str, way_out: impl Into<String>, said: &mut Said) -> Option<&'a Node> {
        let node = self.get(key);
        if node.is_none() {
            said.wrong(self.at, format!("{} has no `{key}`", self.what), way_out);
        }
        node
    }

    /// Something is wrong at a key's value; at the whole if it is not there.
    pub fn wrong(
        &self,
        key: &str,
        what: impl Into<String>,
        way_out: impl Into<String>,
        said: &mut Said,
    ) {
        said.wrong(self.get(key).map_or(self.at, |node| node.at), what, way_out);
    }

    pub fn read<T>(
        &self,
        key: &str,
        read: impl Fn(&str) -> Result<T, &'static str>,
        said: &mut Said,
    ) -> Option<T> {
        let node = self.get(key)?;
        let text = node.text().unwrap_or_default();
        match read(&text) {
            Ok(value) => Some(value),
            Err(expected) => {
                said.wrong(node.at, format!("`{key}` can't be read: {expected}"), "");
                None
            }
        }
    }

    pub fn string(&self, key: &str, said: &mut Said) -> Option<String> {
        self.read(
            key,
            |text| {
                if text.is_empty() {
                    Err("a text is expected")
                } else {
                    Ok(text.to_owned())
                }
            },
            said,
        )
    }

    pub fn required(&self, key: &str, said: &mut Said) -> Option<String> {
        self.need(key, format!("write `{key}: ...`"), said)?;
        self.string(key, said)
    }

    pub fn number(&self, key: &str, least: u64, most: u64, said: &mut Said) -> Option<u64> {
        let node = self.get(key)?;
        // 10_000 is easier to read than 10000.
        let number = node
            .text()
            .and_then(|text| text.replace('_', "").parse::<u64>().ok());
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            said.wrong(
                node.at,
                format!("`{key}` is a whole number from {least} to {most}"),
                "",
            );
        }
        number
    }

    /// The entries of a map of free names, which must not be empty.
    pub fn entries(&self, key: &str, example: &str, said: &mut Said) -> &'a [Entry] {
        match self
            .need(key, example, said)
            .map(|node| (&node.kind, node.at))
        {
            Some((Kind::Map(entries), _)) if !entries.is_empty() => entries,
            Some((_, at)) => {
                said.wrong(at, format!("`{key}` names nothing"), example);
                &[]
            }
            None => &[],
        }
    }
}

/// Names, for a list of what there is.
pub fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
