//! Why there is no reply, and what that lets one conclude.

use redis::{ErrorKind, RedisError, ServerError, Value};

/// Why there is no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Nothing was sent: there is no connection, or the breaker is open.
    #[error("the store can't be reached: {0}")]
    Away(String),
    /// It was sent, and no reply came: it was carried out or not.
    #[error("no reply from the store: {0}")]
    Lost(String),
    /// The server said no. A single command did nothing then; a script may have written before it failed.
    #[error("the store refused: {code} {detail}")]
    Refused {
        /// The first word of the server's error: `NOSCRIPT`, `OOM`, `READONLY`, ...
        code: String,
        /// The rest of it.
        detail: String,
    },
}

impl LinkError {
    /// What an error means once the bytes may have left. Whatever is not an answer of the server leaves it open whether
    /// the command was carried out.
    pub(super) fn after_sending(error: RedisError) -> Self {
        match error.kind() {
            ErrorKind::Server(_) | ErrorKind::Extension => match error.clone().into_server_errors()
            {
                Some(errors) => match errors.first() {
                    Some((_, error)) => Self::refused(error),
                    None => Self::Lost(error.to_string()),
                },
                None => Self::Lost(error.to_string()),
            },
            _ => Self::Lost(error.to_string()),
        }
    }

    pub(super) fn refused(error: &ServerError) -> Self {
        Self::Refused {
            code: error.code().to_owned(),
            detail: error.details().unwrap_or_default().to_owned(),
        }
    }

    /// Whether this says that nobody was there to answer, which is what a breaker counts. A refusal comes from a server
    /// that is well, save those by which one says that it can't serve at all.
    pub(super) fn means_nobody_home(&self) -> bool {
        match self {
            Self::Away(_) | Self::Lost(_) => true,
            Self::Refused { code, .. } => matches!(
                code.as_str(),
                "LOADING" | "MASTERDOWN" | "CLUSTERDOWN" | "READONLY"
            ),
        }
    }

    /// Whether this comes from a server that is not, or no longer, the primary.
    pub(super) fn means_not_the_primary(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "READONLY" || code == "MASTERDOWN")
    }
}

/// A reply, or the refusal in it.
pub(super) fn read(value: Value) -> Result<Value, LinkError> {
    match value {
        Value::ServerError(error) => Err(LinkError::refused(&error)),
        value => Ok(value),
    }
}
