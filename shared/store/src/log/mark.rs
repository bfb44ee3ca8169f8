//! The file `durable`: a lower bound of what has been durable.
//!
//! It is written after a flush and not flushed itself, so any version of it that a crash leaves behind was true. It turns
//! "the tail looks torn" into "acknowledged records are gone" wherever it can. It is a witness, never needed to read the log.
use std::io;
use std::path::Path;

use super::disk::{Disk, DiskFile};
use super::frame::{u32_at, u64_at};

/// The file's name.
pub(super) const NAME: &str = "durable";

const MAGIC: &[u8; 8] = b"GALADUR\0";
/// Magic, seq, CRC32C of both: within one sector, so that it is never torn.
const BYTES: usize = 20;

/// The open file.
#[derive(Debug)]
pub(super) struct Mark {
    file: Box<dyn DiskFile>,
    broken: bool,
}

impl Mark {
    /// Opens or creates the file with `seq` in it, durably (the name only after the folder's next sync).
    pub(super) fn create(disk: &dyn Disk, dir: &Path, seq: u64) -> io::Result<Self> {
        let path = dir.join(NAME);
        let file = match disk.open(&path, true) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => disk.create(&path)?,
            opened => opened?,
        };
        file.write_all_at(&to_bytes(seq), 0)?;
        file.sync_all()?;
        Ok(Self {
            file,
            broken: false,
        })
    }

    /// Notes that everything up to `seq` is durable. A failure only makes the witness late: it is logged once.
    pub(super) fn note(&mut self, seq: u64) {
        if self.broken {
            return;
        }
        if let Err(error) = self.file.write_all_at(&to_bytes(seq), 0) {
            self.broken = true;
            tracing::warn!(%error, seq, "cannot write the log's file `durable`: it stays behind until the next start");
        }
    }

    /// Flushes what was noted, where time does not matter.
    pub(super) fn sync(&mut self) {
        if !self.broken
            && let Err(error) = self.file.sync_data()
        {
            self.broken = true;
            tracing::warn!(%error, "cannot flush the log's file `durable`: it stays behind until the next start");
        }
    }
}

/// What the file says; `None` if there is none, or it is damaged.
pub(super) fn read(disk: &dyn Disk, dir: &Path) -> io::Result<Option<u64>> {
    let file = match disk.open(&dir.join(NAME), false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut bytes = [0; BYTES];
    let whole = file.read_at(&mut bytes, 0)? == BYTES;
    let valid = whole && &bytes[..8] == MAGIC && u32_at(&bytes, 16) == crc32c::crc32c(&bytes[..16]);
    Ok(valid.then(|| u64_at(&bytes, 8)))
}

fn to_bytes(seq: u64) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..16].copy_from_slice(&seq.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..16]);
    bytes[16..].copy_from_slice(&crc.to_le_bytes());
    bytes
}
