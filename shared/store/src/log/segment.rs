//! One segment file: its name, its header, its creation.
//!
//! It never looks at frames (`scan`) and never decides what a bad header means (`recover`).
use std::io;
use std::path::{Path, PathBuf};

use super::disk::{Disk, DiskFile};
use super::frame::{u32_at, u64_at};

/// Bytes before the first frame: a page, so that no write of frames ever rewrites the header's sector.
pub(super) const HEADER_BYTES: usize = 4096;
/// The format this program writes and reads.
pub(super) const VERSION: u32 = 1;

const MAGIC: &[u8; 8] = b"GALALOG\0";
const CRC_AT: usize = HEADER_BYTES - 4;

/// What a segment says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Seeds the checksums of its frames.
    pub salt: u32,
    /// The sequence number of its first frame.
    pub first_seq: u64,
    /// The checksum of the last frame before it; 0 in the first segment.
    pub chain: u32,
}

/// What the first page of a file turned out to be.
#[derive(Debug)]
pub(super) enum Page {
    /// A header.
    Header(Header),
    /// A header of another format.
    Version(u32),
    /// Not a header.
    Bad,
}

/// The file name of the segment that starts with `first_seq`.
pub(super) fn name(first_seq: u64) -> String {
    format!("{first_seq:020}.log")
}

/// The first sequence number of a segment, by its file name; `None` for any other file.
fn first_seq(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log")?;
    let all_digits = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().ok()).flatten()
}

/// The first sequence numbers of the segments of a folder, in order.
pub(super) fn list(disk: &dyn Disk, dir: &Path) -> io::Result<Vec<u64>> {
    let mut found: Vec<u64> = disk
        .list(dir)?
        .iter()
        .filter_map(|name| first_seq(name))
        .collect();
    found.sort_unstable();
    Ok(found)
}

impl Header {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut page = vec![0; HEADER_BYTES];
        page[..8].copy_from_slice(MAGIC);
        page[8..12].copy_from_slice(&VERSION.to_le_bytes());
        page[12..16].copy_from_slice(&self.salt.to_le_bytes());
        page[16..24].copy_from_slice(&self.first_seq.to_le_bytes());
        page[24..28].copy_from_slice(&self.chain.to_le_bytes());
        let crc = crc32c::crc32c(&page[..CRC_AT]);
        page[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        page
    }

    pub(super) fn read(file: &dyn DiskFile) -> io::Result<Page> {
        let mut page = vec![0; HEADER_BYTES];
        let whole = file.read_at(&mut page, 0)? == HEADER_BYTES;
        if !whole || &page[..8] != MAGIC || u32_at(&page, CRC_AT) != crc32c::crc32c(&page[..CRC_AT])
        {
            return Ok(Page::Bad);
        }
        match u32_at(&page, 8) {
            VERSION => Ok(Page::Header(Self {
                salt: u32_at(&page, 12),
                first_seq: u64_at(&page, 16),
                chain: u32_at(&page, 24),
            })),
            other => Ok(Page::Version(other)),
        }
    }
}

/// A segment that frames are written to.
#[derive(Debug)]
pub(super) struct Segment {
    pub file: Box<dyn DiskFile>,
    pub path: PathBuf,
    pub salt: u32,
    /// Where the next frame goes, in bytes.
    pub end: u64,
    /// How far the file is reserved, in bytes.
    pub size: u64,
}

/// Why a segment could not be created.
#[derive(Debug)]
pub(super) enum CreateError {
    /// There was no room or no right to make it; what there was of it is gone again.
    NotCreated(io::Error),
    /// It was made, and is not known to be durable.
    NotSynced(io::Error),
}

/// Creates a segment of `size` bytes with a durable header and a durable name.
pub(super) fn create(
    disk: &dyn Disk,
    dir: &Path,
    header: Header,
    size: u64,
) -> Result<Segment, CreateError> {
    let path = dir.join(name(header.first_seq));
    let made = disk.create(&path).and_then(|file| {
        file.allocate(size)?;
        file.write_all_at(&header.to_bytes(), 0)?;
        Ok(file)
    });
    let file = match made {
        Ok(file) => file,
        Err(error) => {
            // Best effort: a left-over is emptied by the next try, and an open recognises it by its unfinished header.
            let _ = disk.remove(&path);
            return Err(CreateError::NotCreated(error));
        }
    };
    file.sync_all().map_err(CreateError::NotSynced)?;
    disk.sync_folder(dir).map_err(CreateError::NotSynced)?;
    Ok(Segment {
        file,
        path,
        salt: header.salt,
        end: HEADER_BYTES as u64,
        size,
    })
}
