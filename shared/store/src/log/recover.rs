//! What an existing folder holds: the rules by which a log is whole, torn, or damaged; and the repair of a torn tail.
//!
//! [`inspect`] only reads, so that a backup can be judged with it; [`repair`] is the one place that changes an old log.
use std::path::{Path, PathBuf};

use super::disk::{Disk, DiskFile};
use super::error::OpenError;
use super::scan::{self, Scan, Step};
use super::segment::{self, Header, Page, Segment};
use super::{mark, snapshot};

/// What opening a log found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    /// The last record, 0 if there is none. Everything up to it is durable.
    pub last_seq: u64,
    /// The number of segments.
    pub segments: usize,
    /// How many bytes of unacknowledged, torn writes were cut from the end; 0 after a clean stop.
    pub torn_bytes: u64,
    /// Where the cut was made: the segment, and the byte in it.
    pub torn_at: Option<(PathBuf, u64)>,
}

/// How much of a folder to judge.
#[derive(Debug, Clone, Copy)]
pub(super) enum Extent {
    /// All of it, as nobody writes there. Segments that end before this record are judged by their headers only.
    All {
        /// A sequence number; 1 reads everything.
        verify_from: u64,
    },
    /// The records up to this one, as someone may be writing behind it.
    UpTo(u64),
}

/// A segment with a good header.
#[derive(Debug)]
pub(super) struct Piece {
    pub path: PathBuf,
    pub header: Header,
    /// One past its last frame, in bytes.
    pub end: u64,
}

/// A log that is whole, but for its tail.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Its segments, in order.
    pub pieces: Vec<Piece>,
    pub last_seq: u64,
    /// The checksum of the last frame.
    pub chain: u32,
    /// Where the last batch starts in the last segment, in bytes: nothing before it needs to be made durable again.
    pub last_batch: u64,
    /// One past the last byte in the last segment that is not zero, if that is behind its last frame.
    pub dirty_end: Option<u64>,
    /// A last file without a header: a crash in the creation of a segment.
    pub stub: Option<PathBuf>,
}

impl Found {
    pub(super) fn recovered(&self) -> Recovered {
        let torn = self
            .pieces
            .last()
            .zip(self.dirty_end)
            .filter(|(piece, dirty_end)| *dirty_end > piece.end);
        Recovered {
            last_seq: self.last_seq,
            segments: self.pieces.len(),
            torn_bytes: torn.map_or(0, |(piece, dirty_end)| dirty_end - piece.end),
            torn_at: torn.map(|(piece, _)| (piece.path.clone(), piece.end)),
        }
    }
}

/// Reads a folder and judges it. Changes nothing.
pub(super) fn inspect(disk: &dyn Disk, dir: &Path, extent: Extent) -> Result<Found, OpenError> {
    let mut starts = segment::list(disk, dir).map_err(OpenError::io("list", dir))?;
    // What must be there. The witnesses were true when they were written, see `mark`.
    let durable_seq = match extent {
        Extent::UpTo(seq) => {
            starts.retain(|first_seq| *first_seq <= seq);
            seq
        }
        Extent::All { .. } => {
            let noted =
                mark::read(disk, dir).map_err(OpenError::io("read", &dir.join(mark::NAME)))?;
            let snapshots = snapshot::list(disk, dir).map_err(OpenError::io("list", dir))?;
            noted.max(snapshots.last().copied()).unwrap_or(0)
        }
    };
    let mut found = Found::default();
    if let Some(first_seq) = starts.last().copied()
        && let Some(path) = find_stub(disk, dir, first_seq, durable_seq)?
    {
        found.stub = Some(path);
    }
    let ends = starts.iter().skip(1).copied().map(Some).chain([None]);
    for (first_seq, next_start) in starts.iter().copied().zip(ends) {
        let path = dir.join(segment::name(first_seq));
        if first_seq != found.last_seq + 1 {
            let seq = found.last_seq + 1;
            return Err(OpenError::Missing {
                dir: dir.to_owned(),
                name: segment::name(seq),
                seq,
            });
        }
        if found.stub.as_ref() == Some(&path) {
            break;
        }
        let file = disk
            .open(&path, false)
            .map_err(OpenError::io("open", &path))?;
        let header = good_header(file.as_ref(), &path, first_seq)?;
        if header.first_seq != first_seq || header.chain != found.chain {
            let what = "segment's header does not continue the segment before it";
            return Err(OpenError::Corrupt {
                path,
                offset: 0,
                seq: first_seq,
                what,
            });
        }
        let skip = match (extent, next_start) {
            (Extent::All { verify_from }, Some(next)) => {
                next <= verify_from && found.stub.is_none()
            }
            _ => false,
        };
        let piece = Piece {
            path,
            header,
            end: segment::HEADER_BYTES as u64,
        };
        if let (true, Some(next)) = (skip, next_start) {
            let next_path = dir.join(segment::name(next));
            let next_file = disk
                .open(&next_path, false)
                .map_err(OpenError::io("open", &next_path))?;
            found.chain = good_header(next_file.as_ref(), &next_path, next)?.chain;
            found.last_seq = next - 1;
            found.pieces.push(piece);
        } else {
            let ends_log =
                next_start.is_none_or(|next| found.stub.is_some() && Some(&next) == starts.last());
            let bound = Bound {
                extent,
                next_start,
                ends_log,
                durable_seq,
            };
            read_piece(&mut found, piece, file, bound)?;
        }
    }
    if found.last_seq < durable_seq {
        return Err(OpenError::Lost {
            dir: dir.to_owned(),
            last_seq: found.last_seq,
            durable_seq,
        });
    }
    Ok(found)
}

/// The last file, if it is what a crash in a segment's creation leaves: no header and not one byte of a frame.
fn find_stub(
    disk: &dyn Disk,
    dir: &Path,
    first_seq: u64,
    durable_seq: u64,
) -> Result<Option<PathBuf>, OpenError> {
    let path = dir.join(segment::name(first_seq));
    let io = |error| OpenError::io("read", &path)(error);
    let file = disk.open(&path, false).map_err(io)?;
    if !matches!(Header::read(file.as_ref()).map_err(io)?, Page::Bad) || first_seq <= durable_seq {
        return Ok(None);
    }
    // The header is durable before the first frame is written.
    let behind =
        scan::tail(file.as_ref(), 0, segment::HEADER_BYTES as u64, first_seq).map_err(io)?;
    Ok((behind.dirty_end == 0).then_some(path))
}

fn good_header(file: &dyn DiskFile, path: &Path, first_seq: u64) -> Result<Header, OpenError> {
    match Header::read(file).map_err(OpenError::io("read", path))? {
        Page::Header(header) => Ok(header),
        Page::Version(found) => Err(OpenError::Version {
            path: path.to_owned(),
            found,
            known: segment::VERSION,
        }),
        Page::Bad => {
            let what = "segment's header is not valid";
            Err(OpenError::Corrupt {
                path: path.to_owned(),
                offset: 0,
                seq: first_seq,
                what,
            })
        }
    }
}

/// What is known about the end of a segment before it is read.
#[derive(Debug, Clone, Copy)]
struct Bound {
    extent: Extent,
    /// Where the next segment begins.
    next_start: Option<u64>,
    /// No frames come behind this segment.
    ends_log: bool,
    /// The last record that must be in the log.
    durable_seq: u64,
}

/// Reads the frames of a segment up to where it must, or can, end.
fn read_piece(
    found: &mut Found,
    mut piece: Piece,
    file: Box<dyn DiskFile>,
    bound: Bound,
) -> Result<(), OpenError> {
    let last_wanted = match (bound.extent, bound.next_start) {
        (_, Some(next)) => Some(next - 1),
        (Extent::UpTo(seq), None) => Some(seq),
        (Extent::All { .. }, None) => None,
    };
    let path = piece.path.clone();
    let io = OpenError::io("read", &path);
    let salt = piece.header.salt;
    let mut scan = Scan::new(file, salt);
    let mut synced = None;
    found.last_batch = scan.offset();
    let mut empty = false;
    let what = loop {
        if last_wanted == Some(found.last_seq) {
            break None;
        }
        let offset = scan.offset();
        match scan.next(found.last_seq + 1, found.chain) {
            Err(error) => return Err(io(error)),
            Ok(Step::End) => {
                empty = true;
                break Some("place is empty");
            }
            Ok(Step::Bad(what)) => break Some(what),
            Ok(Step::Frame(header)) => {
                // All frames of a batch, and no others, say the same.
                if synced.replace(header.synced) != Some(header.synced) {
                    found.last_batch = offset;
                }
                found.last_seq = header.seq;
                found.chain = header.crc;
            }
        }
    };
    piece.end = scan.offset();
    let seq = found.last_seq + 1;
    let offset = piece.end;
    let corrupt = |what| OpenError::Corrupt {
        path: path.clone(),
        offset,
        seq,
        what,
    };
    if let Some(what) = what.filter(|_| last_wanted.is_some()) {
        if let (true, Some(_), Some(dir)) = (empty, bound.next_start, path.parent()) {
            return Err(OpenError::Missing {
                dir: dir.to_owned(),
                name: segment::name(seq),
                seq,
            });
        }
        return Err(corrupt(what));
    }
    if bound.ends_log && matches!(bound.extent, Extent::All { .. }) {
        let tail = scan::tail(scan.into_file().as_ref(), salt, piece.end, seq).map_err(io)?;
        let nothing = empty && tail.dirty_end == 0;
        if let Some(what) = what.filter(|_| tail.synced.max(bound.durable_seq) >= seq && !nothing) {
            return Err(corrupt(what));
        }
        found.dirty_end = Some(tail.dirty_end);
    }
    found.pieces.push(piece);
    Ok(())
}

/// Makes a found log ready to be written on: all of it durable, and nothing but zeros behind it. Returns the segment to write
/// to, if there is one; the caller flushes the folder. A crash in between leaves a log that is found and repaired again.
pub(super) fn repair(disk: &dyn Disk, found: &Found) -> Result<Option<Segment>, OpenError> {
    if let Some(stub) = &found.stub {
        disk.remove(stub).map_err(OpenError::io("remove", stub))?;
    }
    let Some(piece) = found.pieces.last() else {
        return Ok(None);
    };
    let path = &piece.path;
    let file = disk.open(path, true).map_err(OpenError::io("open", path))?;
    // The last batch may be known to the page cache only: after a failed fsync the kernel counts its pages as clean, and no
    // later fsync would write them. Written again they are dirty, and the flush below makes them what they seem to be.
    rewrite(file.as_ref(), 0, segment::HEADER_BYTES as u64)
        .map_err(OpenError::io("rewrite", path))?;
    rewrite(file.as_ref(), found.last_batch, piece.end).map_err(OpenError::io("rewrite", path))?;
    let size = file.len().map_err(OpenError::io("measure", path))?;
    zero(file.as_ref(), piece.end, found.dirty_end.unwrap_or(0))
        .map_err(OpenError::io("clear the end of", path))?;
    file.sync_all().map_err(OpenError::io("flush", path))?;
    Ok(Some(Segment {
        file,
        path: path.clone(),
        salt: piece.header.salt,
        end: piece.end,
        size,
    }))
}

fn rewrite(file: &dyn DiskFile, start: u64, end: u64) -> std::io::Result<()> {
    let mut chunk = vec![0; 256 << 10];
    let mut offset = start;
    while offset < end {
        let want = (end - offset).min(chunk.len() as u64) as usize;
        let count = file.read_at(&mut chunk[..want], offset)?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        file.write_all_at(&chunk[..count], offset)?;
        offset += count as u64;
    }
    Ok(())
}

fn zero(file: &dyn DiskFile, start: u64, end: u64) -> std::io::Result<()> {
    let zeros = vec![0; 256 << 10];
    let mut offset = start;
    while offset < end {
        let count = (end - offset).min(zeros.len() as u64) as usize;
        file.write_all_at(&zeros[..count], offset)?;
        offset += count as u64;
    }
    Ok(())
}
