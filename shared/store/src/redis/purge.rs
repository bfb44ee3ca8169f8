//! The end of an edition: all of its keys go, save the head, which says that it was there. Found unfinished after a crash, it
//! is gone on with.

use super::keys::{Key, stem_of};
use super::shared::Shared;
use super::walk::step;
use crate::Error;

/// How many keys a step looks at.
const COUNT: usize = 1000;

/// Deletes all keys of the edition that this note is of, save its head and the note itself.
pub(super) async fn clear(shared: &Shared, note: &Key) -> Result<(), Error> {
    let Some(stem) = stem_of(note) else {
        return Err(Error::NotWritten(format!("`{note}` is no note")));
    };
    let (pattern, head) = (format!("{stem}*"), format!("{stem}head"));
    let mut cursor = Some("0".to_owned());
    while let Some(from) = cursor {
        let (next, found) = step(shared, note.clone(), &from, &pattern, COUNT).await?;
        let goes = |key: &&Key| **key != *note && key.as_bytes() != head.as_bytes();
        let mut command = redis::cmd("UNLINK");
        let mut any = false;
        for key in found.iter().filter(goes) {
            command.arg(key);
            any = true;
        }
        if any {
            shared.tell(&command).await?;
        }
        cursor = next;
    }
    Ok(())
}
