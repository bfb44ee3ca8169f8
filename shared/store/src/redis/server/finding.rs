//! One thing that an operator should know about a server.

use machine::model::Durability;
use serde::Serialize;

/// One thing that an operator should know: what it is, what can be lost by it, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A stable word in kebab-case, as `no-aof`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The least durability that can't be promised because of it; none: it takes nothing away. Who can't promise
    /// `standard` can't promise `strict` either.
    #[serde(skip)]
    pub denies: Option<Durability>,
    /// What was found.
    pub says: String,
    /// What can be lost, in plain words; empty: nothing.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub loses: String,
    /// The exact line that ends it, or what to do; empty: nothing needs to be done.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub way_out: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// It will hurt one day.
    Warn,
    /// Campaigns that declare more than is left are not answered.
    UnderDurable,
    /// Nothing is served from such a server.
    Refuse,
}

impl Severity {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warn => "warn",
            Self::UnderDurable => "under-durable",
            Self::Refuse => "refuse",
        }
    }
}

impl Finding {
    pub(super) fn new(code: &'static str, severity: Severity, says: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            denies: None,
            says: says.into(),
            loses: String::new(),
            way_out: String::new(),
        }
    }

    pub(super) fn denies(mut self, denied: Durability) -> Self {
        self.denies = Some(denied);
        self
    }

    pub(super) fn loses(mut self, loses: impl Into<String>) -> Self {
        self.loses = loses.into();
        self
    }

    pub(super) fn way_out(mut self, way_out: impl Into<String>) -> Self {
        self.way_out = way_out.into();
        self
    }
}
