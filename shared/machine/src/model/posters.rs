//! The posters of a campaign as they were frozen with its revision: their templates, the pictures in them, and what is put where.
//! Nothing here draws, or knows what an SVG is.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::expr::{BoolExpr, Expr};
use crate::text::Text;
use crate::value::Type;

/// A campaign's posters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posters {
    /// Each, in the order written. Names are unique.
    pub each: Vec<Poster>,
    /// The files that their templates are made of, by their path from the tenant's folder: `posters/streak.svg`.
    pub files: BTreeMap<Arc<str>, PosterFile>,
    /// Where the code on a poster leads; none: nowhere.
    pub share: Option<Share>,
}

impl Posters {
    /// Whether nothing is said of posters or of sharing.
    pub fn is_empty(&self) -> bool {
        self.each.is_empty() && self.files.is_empty() && self.share.is_none()
    }

    /// The poster of this name.
    pub fn named(&self, name: &str) -> Option<&Poster> {
        self.each.iter().find(|poster| &*poster.name == name)
    }
}

/// A file of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PosterFile {
    /// A template's text.
    Svg(Arc<str>),
    /// A picture's bytes in Base64.
    Picture(Arc<str>),
}

/// A poster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poster {
    /// Its name: the last part of its address.
    pub name: Arc<str>,
    /// The path of its template by language; under the empty text that of all languages which have none of their own.
    pub templates: BTreeMap<String, Arc<str>>,
    /// Words for `words.*`, so that one template serves several languages and campaigns.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub words: BTreeMap<String, Text>,
    /// What `figures.*` come to, in the order written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<Figure>,
    /// The addresses of `pictures.*`, with placeholders in single braces: `https://codes.example.com/{share.id}.png`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pictures: BTreeMap<String, Arc<str>>,
    /// Whom it is offered to; everybody when absent. Reads neither an event nor facts of the tenant's services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<BoolExpr>,
}

impl Poster {
    /// The path of the template for a language: its own, that of all, that of the campaign's `fallback` language, any.
    pub fn template(&self, language: &str, fallback: &str) -> Option<&Arc<str>> {
        let own = |language: &str| self.templates.get(language);
        own(language)
            .or_else(|| own(""))
            .or_else(|| own(fallback))
            .or_else(|| self.templates.values().next())
    }
}

/// Something that is worked out from the record for a poster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// Its name, after `figures.`.
    pub name: String,
    /// What it is: a bool, a number, a text, a date, a time or a duration.
    pub ty: Type,
    /// How it is worked out. Reads neither an event nor facts of the tenant's services.
    pub program: Expr,
}

/// Where the code on a poster leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The address, with placeholders in single braces: `https://m.example.com/{campaign}?from={share.id}`.
    pub url: Arc<str>,
}
