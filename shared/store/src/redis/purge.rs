//! The end of an edition: all of its keys go, save the head, which says that it was there. And a test lane emptied: all of its
//! keys go but its setup, and then it has counters again. Found unfinished after a crash, either is gone on with.

use redis::Value;

use super::keys::{Key, stem_of, test_lane_of};
use super::shared::{Shared, strange};
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

/// Empties the test lane of the edition that this note (`bytes`) is of, and makes its counters with these figures. Its tally is
/// gone already, so nothing is written there meanwhile; it comes back last, and whoever else is at the same note finds it and stops.
pub(super) async fn renew_test_lane(
    shared: &Shared,
    note: &Key,
    bytes: &[u8],
    counters: &[(String, u64)],
) -> Result<(), Error> {
    let Some(lane) = test_lane_of(note) else {
        return Err(Error::NotWritten(format!("`{note}` is no note")));
    };
    let (pattern, setup) = (format!("{}*", lane.all()), lane.setup());
    let mut cursor = Some("0".to_owned());
    while let Some(from) = cursor {
        let (next, found) = step(shared, note.clone(), &from, &pattern, COUNT).await?;
        // Fencing numbers are never used again, so leases stay.
        let leases = lane.leases();
        let goes = found
            .into_iter()
            .filter(|key| *key != setup && !key.as_bytes().starts_with(leases.as_bytes()));
        let call = shared
            .scripts
            .wipe
            .call()
            .key(note)
            .key(lane.tally())
            .keys(goes)
            .arg(bytes);
        match shared.run(&call).await? {
            Value::Int(1) => {}
            // Someone else has been here, and the lane is in use again.
            Value::Int(_) => return Ok(()),
            other => return Err(strange(&other)),
        }
        cursor = next;
    }
    let mut call = shared
        .scripts
        .renew
        .call()
        .key(note)
        .key(lane.tally())
        .key(lane.counters())
        .keys(counters.iter().map(|(name, _)| lane.counter_named(name)))
        .arg(bytes);
    for (name, figure) in counters {
        call = call.arg(name).arg(figure.to_string());
    }
    shared.run(&call).await.map(drop)
}
