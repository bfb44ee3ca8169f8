//! Snapshots: the caller's state after a record, so that a start need not replay the whole log.
//!
//! They hold whatever the caller writes, between a header and a checksum. They are never the truth: with every one of them
//! gone the log still holds everything from record 1, and so **no log segment is ever deleted because of a snapshot**.
//!
//! File `snapshot-<seq>.bin`, little-endian: magic `GALASNP\0`, version `u32`, zero `u32`, seq `u64`; the body; the body's length
//! `u64`, and the CRC32C `u32` of all bytes before it. It is written under a temporary name, flushed, renamed.
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::disk::{Disk, DiskFile, RealDisk};
use super::frame::{u32_at, u64_at};

/// How many snapshots are kept.
pub const KEPT: usize = 2;

const MAGIC: &[u8; 8] = b"GALASNP\0";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 24;
const TRAILER_BYTES: usize = 12;
const CHUNK_BYTES: usize = 256 << 10;

/// Why a snapshot could not be written or looked for.
#[derive(Debug, Error)]
#[error("cannot {doing} {path}: check the disk; the log itself is not touched by this")]
pub struct SnapshotError {
    /// What was tried, as a verb.
    pub doing: &'static str,
    /// On which file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// The best snapshot of a folder.
#[derive(Debug)]
pub struct Newest {
    /// The newest whole one, if there is any; without one, replay the log from record 1.
    pub snapshot: Option<Snapshot>,
    /// Newer ones that are damaged. They are left where they are; the next [`write()`]s will outnumber them.
    pub damaged: Vec<PathBuf>,
}

/// A whole snapshot, to be read to its end.
#[derive(Debug)]
pub struct Snapshot {
    /// The last record that is in it.
    pub seq: u64,
    /// Its file.
    pub path: PathBuf,
    file: Box<dyn DiskFile>,
    offset: u64,
    end: u64,
}

impl Read for Snapshot {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let want = (self.end - self.offset).min(buffer.len() as u64) as usize;
        let count = self.file.read_at(&mut buffer[..want], self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

/// Writes the state after record `seq`, which must be durable in the log of `dir`: opening it refuses a log that ends before a
/// snapshot. `body` may be called once. The newest [`KEPT`] are kept. Returns the file.
pub fn write(
    dir: &Path,
    seq: u64,
    body: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> Result<PathBuf, SnapshotError> {
    write_on(&RealDisk, dir, seq, body)
}

/// [`write()`] on another disk.
pub fn write_on(
    disk: &dyn Disk,
    dir: &Path,
    seq: u64,
    body: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> Result<PathBuf, SnapshotError> {
    let path = dir.join(name(seq));
    let temporary = dir.join(format!("{}.tmp", name(seq)));
    let io = |doing| {
        move |source| SnapshotError {
            doing,
            path: temporary_of(dir, seq),
            source,
        }
    };
    let written = disk.create(&temporary).and_then(|file| {
        let mut out = Summed {
            file: file.as_ref(),
            buffer: Vec::with_capacity(CHUNK_BYTES),
            offset: 0,
            crc: 0,
        };
        out.write_all(MAGIC)?;
        out.write_all(&VERSION.to_le_bytes())?;
        out.write_all(&[0; 4])?;
        out.write_all(&seq.to_le_bytes())?;
        body(&mut out)?;
        let len = out.offset + out.buffer.len() as u64 - HEADER_BYTES as u64;
        out.write_all(&len.to_le_bytes())?;
        out.flush()?;
        let crc = out.crc;
        out.write_all(&crc.to_le_bytes())?;
        out.flush()?;
        file.sync_all()
    });
    if let Err(error) = written {
        // It would be overwritten or swept by a later one; on a full disk the room is wanted now.
        let _ = disk.remove(&temporary);
        return Err(io("write")(error));
    }
    disk.rename(&temporary, &path).map_err(io("rename"))?;
    disk.sync_folder(dir).map_err(io("flush the name of"))?;
    sweep(disk, dir).map_err(|source| SnapshotError {
        doing: "remove old snapshots from",
        path: dir.into(),
        source,
    })?;
    Ok(path)
}

/// Finds the newest snapshot whose checksum is right, by reading it through.
pub fn newest(dir: &Path) -> Result<Newest, SnapshotError> {
    newest_on(&RealDisk, dir)
}

/// [`newest`] on another disk.
pub fn newest_on(disk: &dyn Disk, dir: &Path) -> Result<Newest, SnapshotError> {
    let io = |doing, path: &Path, source| SnapshotError {
        doing,
        path: path.to_owned(),
        source,
    };
    let mut damaged = Vec::new();
    for seq in list(disk, dir)
        .map_err(|error| io("list", dir, error))?
        .into_iter()
        .rev()
    {
        let path = dir.join(name(seq));
        match open(disk, &path, seq) {
            Ok(Some(snapshot)) => {
                return Ok(Newest {
                    snapshot: Some(snapshot),
                    damaged,
                });
            }
            Ok(None) => {
                tracing::warn!(path = %path.display(), seq, "a snapshot is damaged: an older one is used");
                damaged.push(path);
            }
            // Swept by the writer in the meantime.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io("read", &path, error)),
        }
    }
    Ok(Newest {
        snapshot: None,
        damaged,
    })
}

/// The snapshots of a folder, by their last record, in order; nothing is read.
pub(super) fn list(disk: &dyn Disk, dir: &Path) -> io::Result<Vec<u64>> {
    let mut found: Vec<u64> = disk
        .list(dir)?
        .iter()
        .filter_map(|name| seq_of(name))
        .collect();
    found.sort_unstable();
    Ok(found)
}

/// The file name of the snapshot after record `seq`.
pub(super) fn name(seq: u64) -> String {
    format!("snapshot-{seq:020}.bin")
}

fn temporary_of(dir: &Path, seq: u64) -> PathBuf {
    dir.join(format!("{}.tmp", name(seq)))
}

fn seq_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("snapshot-")?.strip_suffix(".bin")?;
    let all_digits = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().ok()).flatten()
}

/// Opens a snapshot and reads it through; `None` if it is damaged.
pub(super) fn open(disk: &dyn Disk, path: &Path, seq: u64) -> io::Result<Option<Snapshot>> {
    let file = disk.open(path, false)?;
    let size = file.len()?;
    let Some(end) = size
        .checked_sub(TRAILER_BYTES as u64)
        .filter(|end| *end >= HEADER_BYTES as u64)
    else {
        return Ok(None);
    };
    let mut head = [0; HEADER_BYTES];
    let mut trailer = [0; TRAILER_BYTES];
    file.read_at(&mut head, 0)?;
    file.read_at(&mut trailer, end)?;
    let mut crc = 0;
    let mut offset = 0;
    let mut chunk = vec![0; CHUNK_BYTES];
    while offset < size - 4 {
        let want = (size - 4 - offset).min(CHUNK_BYTES as u64) as usize;
        let count = file.read_at(&mut chunk[..want], offset)?;
        if count == 0 {
            return Ok(None);
        }
        crc = crc32c::crc32c_append(crc, &chunk[..count]);
        offset += count as u64;
    }
    let whole = &head[..8] == MAGIC
        && u32_at(&head, 8) == VERSION
        && u64_at(&head, 16) == seq
        && u64_at(&trailer, 0) == end - HEADER_BYTES as u64
        && u32_at(&trailer, 8) == crc;
    Ok(whole.then(|| Snapshot {
        seq,
        path: path.to_owned(),
        file,
        offset: HEADER_BYTES as u64,
        end,
    }))
}

/// Removes all but the newest whole-named snapshots, and what unfinished ones left behind.
fn sweep(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    let mut seqs = list(disk, dir)?;
    seqs.truncate(seqs.len().saturating_sub(KEPT));
    let unfinished = disk.list(dir)?.into_iter().filter(|name| {
        name.strip_suffix(".tmp")
            .is_some_and(|name| seq_of(name).is_some())
    });
    for old in seqs.into_iter().map(name).chain(unfinished) {
        disk.remove(&dir.join(old))?;
    }
    Ok(())
}

/// A buffered writer that sums up what it writes.
struct Summed<'a> {
    file: &'a dyn DiskFile,
    buffer: Vec<u8>,
    offset: u64,
    crc: u32,
}

impl Write for Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        let count = bytes.len().min(CHUNK_BYTES - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.buffer, self.offset)?;
        self.crc = crc32c::crc32c_append(self.crc, &self.buffer);
        self.offset += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}
