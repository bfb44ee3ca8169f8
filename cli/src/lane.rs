//! A lane on the command line.

use clap::ValueEnum;

/// Whose books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Lane {
    /// What users play in.
    Live,
    /// What testers play in.
    Test,
}

impl Lane {
    /// As the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}
