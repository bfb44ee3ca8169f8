//! What can go wrong with a store, by what the caller may conclude from it.

/// A failure of the store, not a no of the rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing was written, for certain: the call may be made again.
    #[error("nothing was written: {0}")]
    NotWritten(String),
    /// Nobody knows whether it was written: the call must be made again with the same key.
    #[error("it is not known whether this was written: {0}")]
    Unknown(String),
    /// It was to be written under a lease that is no longer held: nothing was written, and the work is someone else's now.
    #[error("nothing was written: the lease is no longer held")]
    LeaseLost,
    /// More is waiting than the store takes: nothing was written.
    #[error("the store has more waiting than it takes")]
    Busy,
    /// A read failed.
    #[error("the store could not be read: {0}")]
    Read(String),
}
