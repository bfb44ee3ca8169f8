//! What stores share about marks and parked events: which names are taken, and what an outcome is to whoever asked.

use std::sync::Arc;

use machine::world::{Kept, is_mark};

use crate::Error;

/// The name of a mark, if it can be one.
pub(crate) fn mark_name(name: &str) -> Result<Arc<str>, Error> {
    if is_mark(name) {
        return Ok(name.into());
    }
    let shown: String = name.chars().take(40).collect();
    Err(Error::NotWritten(format!("{shown:?} can't name a mark")))
}

/// Where a mark stands.
pub(crate) fn stands(kept: Kept) -> u64 {
    match kept {
        Kept::Done(at) | Kept::Already(at) => at,
        Kept::Nowhere => 0,
    }
}

/// How often an event was parked.
pub(crate) fn parked(kept: Kept, tenant: &str) -> Result<u64, Error> {
    match kept {
        Kept::Done(times) | Kept::Already(times) => Ok(times),
        Kept::Nowhere => Err(Error::NotWritten(format!(
            "tenant `{tenant}` is not known to this store"
        ))),
    }
}
