//! Opening: the newest snapshot, then every change after it, applied again.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use machine::world::{Change, World, apply};
use parking_lot::RwLock;
use tokio::sync::watch;

use super::state::{Index, State};
use super::writer::Writer;
use super::{Embedded, Failure, QUEUE};
use crate::log::{self, Log, Options, snapshot};

/// After replaying this many changes a snapshot is written, so that the next start is quick.
const SNAPSHOT_AFTER: u64 = 50_000;

/// Why a folder can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The log is locked, damaged, or can't be read.
    #[error(transparent)]
    Log(#[from] log::OpenError),
    /// A record can't be read.
    #[error(transparent)]
    Read(#[from] log::ReadError),
    /// A snapshot can't be read or written.
    #[error(transparent)]
    Snapshot(#[from] snapshot::SnapshotError),
    /// A record or snapshot is whole and yet makes no sense.
    #[error("{what} in {dir} {problem}: it was written by another version of gala, or this is a bug; restore a backup, or open it with the version that wrote it")]
    Meaning {
        /// The folder.
        dir: PathBuf,
        /// Which record or snapshot.
        what: String,
        /// What is wrong.
        problem: String,
    },
    /// The writer's thread could not be started.
    #[error("the store's writer could not be started")]
    Thread(#[source] std::io::Error),
}

/// Opens the store in `dir`, creating it if there is none.
pub fn open(dir: &Path) -> Result<Embedded, OpenError> {
    let (mut world, mut index, from) = from_snapshot(dir)?;
    let (log, recovered) = Log::open(dir, Options { verify_from: from + 1, ..Options::default() })?;
    let reader = log.reader();
    let mut records = reader.records_from(from + 1)?;
    let mut replayed = 0;
    while let Some((seq, payload)) = records.next_record()? {
        let meaning = |problem: String| OpenError::Meaning {
            dir: dir.to_owned(),
            what: format!("record {seq} of the log"),
            problem,
        };
        let mut change: Change =
            postcard::from_bytes(payload).map_err(|error| meaning(format!("can't be read ({error})")))?;
        if !apply(&mut world, &mut change) {
            return Err(meaning("can't be applied".to_owned()));
        }
        if let Change::Commit(commit) = &change {
            index.note(commit, seq);
        }
        replayed += 1;
    }
    if replayed >= SNAPSHOT_AFTER {
        write_snapshot(dir, recovered.last_seq, &world, &index)?;
    }
    tracing::info!(
        folder = %dir.display(), changes = recovered.last_seq, replayed, torn_bytes = recovered.torn_bytes,
        "opened the embedded store"
    );
    let state = Arc::new(RwLock::new(State::new(world, index)));
    let failure = Arc::new(Failure::default());
    let (queue, requests) = sync_channel(QUEUE);
    let (changes, changed) = watch::channel(0);
    let writer = Writer { log, state: state.clone(), failure: failure.clone(), changes };
    let thread = std::thread::Builder::new().name("store-writer".to_owned());
    let writer = thread.spawn(move || writer.run(&requests)).map_err(OpenError::Thread)?;
    Ok(Embedded {
        dir: dir.to_owned(),
        state,
        reader,
        queue: Some(queue),
        writer: Some(writer),
        failure,
        changes: changed,
    })
}

fn from_snapshot(dir: &Path) -> Result<(World, Index, u64), OpenError> {
    if !dir.exists() {
        return Ok((World::default(), Index::default(), 0));
    }
    let newest = snapshot::newest(dir)?;
    for damaged in &newest.damaged {
        tracing::warn!(file = %damaged.display(), "a snapshot is damaged; using an older one, or the whole log");
    }
    let Some(mut found) = newest.snapshot else { return Ok((World::default(), Index::default(), 0)) };
    let path = found.path.clone();
    let meaning = |problem: String| OpenError::Meaning {
        dir: dir.to_owned(),
        what: format!("snapshot {}", path.display()),
        problem,
    };
    let mut bytes = Vec::new();
    let seq = found.seq;
    found.read_to_end(&mut bytes).map_err(|error| meaning(format!("can't be read ({error})")))?;
    let (world, index) =
        postcard::from_bytes(&bytes).map_err(|error| meaning(format!("can't be read ({error})")))?;
    Ok((world, index, seq))
}

fn write_snapshot(dir: &Path, seq: u64, world: &World, index: &Index) -> Result<(), OpenError> {
    let encoded = postcard::to_stdvec(&(world, index)).map_err(|error| OpenError::Meaning {
        dir: dir.to_owned(),
        what: "the world".to_owned(),
        problem: format!("can't be written as a snapshot ({error})"),
    })?;
    snapshot::write(dir, seq, &mut |out| out.write_all(&encoded))?;
    Ok(())
}
