//! For whom a token was made, and what a member of the staff may do.

use std::fmt;

/// Which door of a tenant a token opens. Each has an `aud` of its own, so that no token fits two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Users: `aud` is the tenant.
    User,
    /// Staff: `aud` is `<tenant>/admin`.
    Admin,
    /// The tenant's back end: `aud` is `<tenant>/service`.
    Service,
}

impl Audience {
    /// The value of `aud` in `tenant`. A tenant's id holds no `/`, so the three never meet.
    pub fn of(self, tenant: &str) -> String {
        match self {
            Self::User => tenant.to_owned(),
            Self::Admin => format!("{tenant}/admin"),
            Self::Service => format!("{tenant}/service"),
        }
    }
}

/// The scope that a service credential needs to send events for users.
pub const EVENTS_WRITE: &str = "events:write";

/// What a member of the staff is there for. Roles are no ladder: which of them may do what is a table of the
/// admin API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Looks at campaigns and numbers.
    Viewer,
    /// Answers users: sees a user's history, grants by hand within limits.
    Support,
    /// Sees the ledger and the money.
    Finance,
    /// Holds, releases and blocks.
    Risk,
    /// Writes drafts.
    Editor,
    /// Publishes, pauses, rolls back, restocks.
    Publisher,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::Viewer,
        Self::Support,
        Self::Finance,
        Self::Risk,
        Self::Editor,
        Self::Publisher,
    ];

    /// The role as the claim `role` writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Support => "support",
            Self::Finance => "finance",
            Self::Risk => "risk",
            Self::Editor => "editor",
            Self::Publisher => "publisher",
        }
    }

    /// The role of that name; exact, no role is guessed.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_read_as_written() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        for name in ["", "Publisher", "publisher ", "admin", "viewer,publisher"] {
            assert_eq!(Role::parse(name), None, "{name}");
        }
    }
}
