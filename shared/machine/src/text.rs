//! Words in several languages, as a config writes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One text in each language it is written in, keyed by BCP 47 tag (`en`, `zh-CN`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(pub BTreeMap<String, String>);

impl Text {
    /// A text in one language.
    pub fn one(lang: &str, words: &str) -> Self {
        Self(BTreeMap::from([(lang.to_owned(), words.to_owned())]))
    }

    /// The words in `lang`; where they are missing in `fallback`, else in the first language there is.
    /// Empty only when the text itself is empty.
    pub fn pick(&self, lang: &str, fallback: &str) -> &str {
        self.0
            .get(lang)
            .or_else(|| self.0.get(fallback))
            .or_else(|| self.0.values().next())
            .map_or("", String::as_str)
    }

    /// Whether nothing is written in any language.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
