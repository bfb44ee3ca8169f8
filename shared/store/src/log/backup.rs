//! Copies of a whole log: a backup while it is written, a restore into a new folder, and a check of either.
//!
//! They hold no second opinion: what is whole is decided by `recover`. They never write into the folder they read.
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::disk::{Disk, DiskFile, RealDisk};
use super::error::OpenError;
use super::mark::{self, Mark};
use super::recover::{self, Extent, Found, Recovered};
use super::{segment, snapshot};

const CHUNK_BYTES: usize = 1 << 20;

/// The folders beside the log.
const BESIDE: [&str; 2] = [crate::embedded::LISTS, crate::embedded::CODES];

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The last record of the copy.
    pub last_seq: u64,
    /// The number of segments.
    pub segments: usize,
    /// The number of snapshots; a damaged one is left out.
    pub snapshots: usize,
    /// All bytes of both.
    pub bytes: u64,
}

/// Why a log could not be copied. What there is of the copy is without its `durable` file, and refused by [`restore`].
#[derive(Debug, Error)]
pub enum BackupError {
    /// The target has something in it.
    #[error("{dir} is not empty: name a new or an empty folder")]
    NotEmpty {
        /// The target.
        dir: PathBuf,
    },
    /// The source is a copy that was broken off, or no log at all.
    #[error("{dir} has no valid file `durable`, so it is no finished backup: use another backup")]
    Unfinished {
        /// The source.
        dir: PathBuf,
    },
    /// The source is damaged.
    #[error("the log to copy is damaged")]
    Source(#[from] OpenError),
    /// The copy could not be written.
    #[error("cannot copy to {path}: check the disk, then start again with an empty folder")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Copies the log of `dir`, which may be written meanwhile, into the folder `dest`, which must be empty or not exist: all
/// records up to `durable_seq` ([`super::Reader::durable_seq`]), verified, and the whole snapshots among the newest.
/// [`super::Log::open`] opens the copy.
pub fn backup(dir: &Path, dest: &Path, durable_seq: u64) -> Result<Copied, BackupError> {
    backup_on(&RealDisk, dir, dest, durable_seq)
}

/// [`backup`] on another disk.
pub fn backup_on(
    disk: &dyn Disk,
    dir: &Path,
    dest: &Path,
    durable_seq: u64,
) -> Result<Copied, BackupError> {
    must_be_empty(disk, dest)?;
    let found = recover::inspect(disk, dir, Extent::UpTo(durable_seq))?;
    copy(disk, dir, dest, &found)
}

/// Copies the backup `from` into the folder `into`, which must be empty or not exist, after reading all of it.
pub fn restore(from: &Path, into: &Path) -> Result<Copied, BackupError> {
    restore_on(&RealDisk, from, into)
}

/// [`restore`] on another disk.
pub fn restore_on(disk: &dyn Disk, from: &Path, into: &Path) -> Result<Copied, BackupError> {
    must_be_empty(disk, into)?;
    if mark::read(disk, from)
        .map_err(OpenError::io("read", from))?
        .is_none()
    {
        return Err(BackupError::Unfinished {
            dir: from.to_owned(),
        });
    }
    let found = recover::inspect(disk, from, Extent::All { verify_from: 1 })?;
    copy(disk, from, into, &found)
}

/// Reads a whole log that nobody writes, and changes nothing: what would opening it find?
pub fn verify(dir: &Path) -> Result<Recovered, OpenError> {
    verify_on(&RealDisk, dir)
}

/// [`verify`] on another disk.
pub fn verify_on(disk: &dyn Disk, dir: &Path) -> Result<Recovered, OpenError> {
    recover::inspect(disk, dir, Extent::All { verify_from: 1 }).map(|found| found.recovered())
}

fn must_be_empty(disk: &dyn Disk, dir: &Path) -> Result<(), BackupError> {
    match disk.list(dir) {
        Ok(names) if names.is_empty() => Ok(()),
        Ok(_) => Err(BackupError::NotEmpty {
            dir: dir.to_owned(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(BackupError::Io {
            path: dir.to_owned(),
            source,
        }),
    }
}

fn copy(disk: &dyn Disk, from: &Path, into: &Path, found: &Found) -> Result<Copied, BackupError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| BackupError::Io { path, source }
    };
    disk.create_folder(into).map_err(io(into))?;
    let mut copied = Copied {
        last_seq: found.last_seq,
        segments: found.pieces.len(),
        snapshots: 0,
        bytes: 0,
    };
    for piece in &found.pieces {
        let path = into.join(segment::name(piece.header.first_seq));
        let source = disk
            .open(&piece.path, false)
            .map_err(OpenError::io("open", &piece.path))?;
        copy_file(disk, source.as_ref(), &path, piece.end).map_err(io(&path))?;
        copied.bytes += piece.end;
    }
    let snapshots = snapshot::list(disk, from).map_err(OpenError::io("list", from))?;
    for seq in snapshots.into_iter().filter(|seq| *seq <= found.last_seq) {
        let source = from.join(snapshot::name(seq));
        // A damaged one is of no use, and one that is gone was swept by the writer.
        let Ok(Some(_)) = snapshot::open(disk, &source, seq) else {
            continue;
        };
        let Ok(file) = disk.open(&source, false) else {
            continue;
        };
        let path = into.join(snapshot::name(seq));
        let size = file.len().map_err(io(&path))?;
        copy_file(disk, file.as_ref(), &path, size).map_err(io(&path))?;
        copied.snapshots += 1;
        copied.bytes += size;
    }
    for folder in BESIDE {
        copied.bytes += copy_beside(disk, from, into, folder)?;
    }
    disk.sync_folder(into).map_err(io(into))?;
    // Last, for it says that the copy is whole.
    Mark::create(disk, into, found.last_seq).map_err(io(into))?;
    disk.sync_folder(into).map_err(io(into))?;
    Ok(copied)
}

/// Copies a folder that lies beside the log: the members of lists or the codes of pools, which the log names and does not hold. Whoever
/// writes there removes nothing meanwhile.
fn copy_beside(
    disk: &dyn Disk,
    from: &Path,
    into: &Path,
    folder: &str,
) -> Result<u64, BackupError> {
    let (from, into) = (from.join(folder), into.join(folder));
    let Ok(names) = disk.list(&from) else {
        // There is none before the first list, or pool.
        return Ok(0);
    };
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| BackupError::Io { path, source }
    };
    disk.create_folder(&into).map_err(io(&into))?;
    let mut bytes = 0;
    for name in names {
        let (source, path) = (from.join(&name), into.join(&name));
        let file = disk.open(&source, false).map_err(io(&source))?;
        let size = file.len().map_err(io(&source))?;
        // Members of lists are no more secret than the log, and codes are.
        let copy = disk.create_private(&path).map_err(io(&path))?;
        copy_into(copy.as_ref(), file.as_ref(), size).map_err(io(&path))?;
        bytes += size;
    }
    disk.sync_folder(&into).map_err(io(&into))?;
    Ok(bytes)
}

fn copy_file(disk: &dyn Disk, source: &dyn DiskFile, path: &Path, size: u64) -> io::Result<()> {
    copy_into(disk.create(path)?.as_ref(), source, size)
}

fn copy_into(file: &dyn DiskFile, source: &dyn DiskFile, size: u64) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut offset = 0;
    while offset < size {
        let want = (size - offset).min(CHUNK_BYTES as u64) as usize;
        let count = source.read_at(&mut chunk[..want], offset)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        file.write_all_at(&chunk[..count], offset)?;
        offset += count as u64;
    }
    file.sync_all()
}
