//! Opening a Redis as a store.

use super::address::Address;

/// Why a Redis can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// This program can't yet.
    #[error("{0} can't be opened: this program keeps nothing in Redis yet")]
    NotYet(String),
}

/// Opens a Redis.
///
/// # Errors
///
/// It can't be reached, or its settings would lose what the store promises.
pub async fn open(address: &Address) -> Result<crate::Embedded, OpenError> {
    Err(OpenError::NotYet(address.to_string()))
}
