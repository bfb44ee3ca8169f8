//! What a country's law asks of a campaign, as far as a program can check it. docs/LAW.md says where each rule comes from, and that
//! counsel must confirm it. Here is what holds while a campaign runs; what a file must say is `terms`'s.

#[cfg(feature = "yaml")]
pub(crate) mod terms;

use machine::Millis;
use machine::calendar::HOUR_MS;

/// Two years, however long they are, in milliseconds.
pub const TWO_YEARS_MS: Millis = 2 * 366 * 24 * HOUR_MS;

/// A law that is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// The People's Republic of China: the interim provisions on promotional activities (SAMR order 32 of 2020).
    Cn,
}

impl Law {
    /// The law of a tenant's `law:`; none for one that is not known here.
    pub fn of(code: &str) -> Option<Self> {
        (code == "CN").then_some(Self::Cn)
    }

    /// Its code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cn => "CN",
        }
    }

    /// Whether what users were told may be changed to their loss while a campaign is open. Where it may not, it can be paused.
    pub const fn lets_terms_worsen(self) -> bool {
        match self {
            Self::Cn => false,
        }
    }

    /// For how long an edition's books are kept after its last claim at the least, in milliseconds.
    pub const fn archive_ms(self) -> Millis {
        match self {
            // Two years have at most one 29th of February.
            Self::Cn => (2 * 365 + 1) * 24 * HOUR_MS,
        }
    }

    /// Whether the words of the rules may be changed while a campaign is open without anybody saying that users lose nothing by
    /// it. No program can read that out of a text.
    pub const fn lets_rules_be_reworded(self) -> bool {
        match self {
            Self::Cn => false,
        }
    }
}

/// Whether a diagnostic is of what a tenant itself lacks by its law: while it does, no campaign of it is published by hand.
#[cfg(feature = "yaml")]
pub fn of_the_tenant(code: &str) -> bool {
    [crate::codes::LAW_ORGANIZER, crate::codes::LAW_ARCHIVE].contains(&code)
}
