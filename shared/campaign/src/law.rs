//! What a country's law asks of a campaign, as far as a program can check it. docs/LAW.md says where each rule comes from, and that
//! counsel must confirm it.

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
}
