//! Values that are whole records: postcard behind a byte that names the form, so that a later version still reads what this
//! one wrote, and this one says plainly that it can't read what a later one wrote.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::record::Unreadable;
use crate::Error;

/// The form that is written now.
const FORM: u8 = 1;

/// A record as bytes.
pub(super) fn encode<T: Serialize>(record: &T) -> Result<Vec<u8>, Error> {
    postcard::to_extend(record, vec![FORM])
        .map_err(|error| Error::NotWritten(format!("it can't be encoded: {error}")))
}

/// What [`encode`] wrote; `what` names it where it can't be read.
pub(super) fn decode<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, Error> {
    let unreadable = |why: Unreadable| Error::Read(format!("{what}: {why}"));
    match bytes {
        [FORM, record @ ..] => {
            postcard::from_bytes(record).map_err(|_| unreadable(Unreadable::Damaged(what)))
        }
        [form, ..] => Err(unreadable(Unreadable::Form(*form))),
        [] => Err(unreadable(Unreadable::Damaged(what))),
    }
}
