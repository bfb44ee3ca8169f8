//! Opening: the newest snapshot, then every change after it, applied again.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use machine::ledger::Row;
use machine::world::{Change, Commit, World, apply};
use parking_lot::RwLock;
use tokio::sync::watch;

use super::codes::Pools;
use super::lease::Leases;
use super::lists::Lists;
use super::record;
use super::state::{Index, State};
use super::writer::Writer;
use super::{Embedded, Failure, QUEUE};
use crate::log::{self, Disk, Log, RealDisk, Records, snapshot};

/// What a snapshot's body begins with; to be changed whenever the world's form changes, so that an old snapshot is passed
/// over and the log replayed.
const SNAPSHOT_FORM: u32 = 9;

/// How a store is kept.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// After replaying this many changes at an open, a snapshot is written, so that the next start is quick.
    pub snapshot_after: u64,
    /// The size of a segment of the log, reserved when it is created; in bytes.
    pub segment_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            snapshot_after: 50_000,
            segment_bytes: log::Options::default().segment_bytes,
        }
    }
}

/// Why a folder can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The log is locked, damaged, or can't be read.
    #[error(transparent)]
    Log(#[from] log::OpenError),
    /// A record can't be read.
    #[error(transparent)]
    Read(#[from] log::ReadError),
    /// The snapshots can't be looked for.
    #[error(transparent)]
    Snapshot(#[from] snapshot::SnapshotError),
    /// A record is whole and yet makes no sense.
    #[error(
        "{what} in {dir} {problem}: it was written by another version of gala, or this is a bug; restore a backup, or open it with the version that wrote it"
    )]
    Meaning {
        /// The folder.
        dir: PathBuf,
        /// Which record.
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
    open_with(dir, Options::default())
}

/// [`open`], kept as `options` say.
pub fn open_with(dir: &Path, options: Options) -> Result<Embedded, OpenError> {
    open_on(Arc::new(RealDisk), dir, options)
}

/// [`open_with`] on another disk.
pub fn open_on(disk: Arc<dyn Disk>, dir: &Path, options: Options) -> Result<Embedded, OpenError> {
    disk.create_folder(dir)
        .map_err(|source| log::OpenError::Io {
            doing: "create",
            path: dir.to_owned(),
            source,
        })?;
    let (mut world, mut index, from) = from_snapshot(disk.as_ref(), dir)?;
    let log_options = log::Options {
        segment_bytes: options.segment_bytes,
        verify_from: from + 1,
    };
    let (log, recovered) = Log::open_on(disk.clone(), dir, log_options)?;
    let reader = log.reader();
    let replayed = replay(reader.records_from(from + 1)?, &mut world, &mut index, dir)?;
    if replayed >= options.snapshot_after
        && let Err(error) = write_snapshot(disk.as_ref(), dir, recovered.last_seq, &world, &index)
    {
        // It would only have made the next start quicker.
        let error = super::history::chain(&error);
        tracing::warn!(%error, "no snapshot was written: the next start replays as much again");
    }
    tracing::info!(
        folder = %dir.display(), changes = recovered.last_seq, replayed, torn_bytes = recovered.torn_bytes,
        "opened the embedded store"
    );
    let lists = Arc::new(Lists::open(disk.clone(), dir, &world));
    let pools = Arc::new(Pools::open(disk.clone(), dir, &world));
    let state = Arc::new(RwLock::new(State::new(world, index)));
    let failure = Arc::new(Failure::default());
    let (queue, requests) = sync_channel(QUEUE);
    let (changes, changed) = watch::channel(0);
    let leases = Arc::new(Leases::default());
    let writer = Writer {
        log,
        state: state.clone(),
        failure: failure.clone(),
        leases: leases.clone(),
        changes,
    };
    let thread = std::thread::Builder::new().name("store-writer".to_owned());
    let writer = thread
        .spawn(move || writer.run(&requests))
        .map_err(OpenError::Thread)?;
    Ok(Embedded {
        disk,
        dir: dir.to_owned(),
        state,
        reader,
        queue: Some(queue),
        writer: Some(writer),
        failure,
        leases,
        lists,
        pools,
        changes: changed,
    })
}

/// Applies every change again. Each must come out as it did: a world that only resembles the one that answered is not it.
fn replay(
    mut records: Records,
    world: &mut World,
    index: &mut Index,
    dir: &Path,
) -> Result<u64, OpenError> {
    let mut replayed = 0;
    while let Some((seq, payload)) = records.next_record()? {
        let meaning = |problem: String| OpenError::Meaning {
            dir: dir.to_owned(),
            what: format!("record {seq} of the log"),
            problem,
        };
        let mut change =
            record::decode(payload).map_err(|error| meaning(format!("can't be read ({error})")))?;
        let logged = stamps(&change);
        if !apply(world, &mut change) {
            return Err(meaning("can't be applied".to_owned()));
        }
        if stamps(&change) != logged {
            return Err(meaning("gets other serials than it had".to_owned()));
        }
        match &change {
            Change::Commit(commit) => index.note(commit, seq),
            Change::Admin(admin) => index.forget(admin),
            Change::Keep(_) => {}
        }
        replayed += 1;
    }
    Ok(replayed)
}

/// What `apply` stamped on a change.
fn stamps(change: &Change) -> Option<(u64, Vec<Option<u64>>)> {
    let serials = |commit: &Commit| {
        let serial = |row: &Row| match row {
            Row::Grant(grant) => grant.serial,
            Row::Entry(entry) => entry.number,
            Row::Draw(_) | Row::Message(_) | Row::Hand(_) | Row::Amended(_) | Row::Raffle(_) => {
                None
            }
        };
        commit.rows.iter().map(serial).collect()
    };
    match change {
        Change::Commit(commit) => Some((commit.first_row, serials(commit))),
        Change::Admin(_) | Change::Keep(_) => None,
    }
}

/// The newest snapshot that can be used. None is needed: the log has everything.
fn from_snapshot(disk: &dyn Disk, dir: &Path) -> Result<(World, Index, u64), OpenError> {
    let newest = snapshot::newest_on(disk, dir)?;
    let Some(mut found) = newest.snapshot else {
        return Ok((World::default(), Index::default(), 0));
    };
    let mut bytes = Vec::new();
    let body = match found.read_to_end(&mut bytes) {
        Ok(_) => bytes.strip_prefix(&SNAPSHOT_FORM.to_le_bytes()),
        Err(_) => None,
    };
    if let Some((world, index)) = body.and_then(|body| postcard::from_bytes(body).ok()) {
        return Ok((world, index, found.seq));
    }
    tracing::warn!(
        file = %found.path.display(),
        "a snapshot is of another version of gala: the whole log is replayed"
    );
    Ok((World::default(), Index::default(), 0))
}

fn write_snapshot(
    disk: &dyn Disk,
    dir: &Path,
    seq: u64,
    world: &World,
    index: &Index,
) -> Result<(), snapshot::SnapshotError> {
    snapshot::write_on(disk, dir, seq, &mut |out| {
        out.write_all(&SNAPSHOT_FORM.to_le_bytes())?;
        // Piece by piece: a second copy of a large world might not fit into memory.
        postcard::to_io(&(world, index), Piecewise(out)).map_err(std::io::Error::other)?;
        Ok(())
    })?;
    Ok(())
}

/// `postcard` flushes its writer at the end; the snapshot's writer has its own time for that.
struct Piecewise<'a>(&'a mut dyn Write);

impl Write for Piecewise<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
