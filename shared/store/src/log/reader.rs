//! The reading end: records in order, from a sequence number up to what was durable at that moment.
//!
//! It may run beside the writer, in any number: durable bytes never change, and nothing behind them is looked at. Memory is one
//! frame. It never writes.
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

use super::disk::Disk;
use super::scan::{Scan, Step};
use super::segment::{self, Header, Page};

/// Reads a log; cheap to clone, to be used from any thread.
#[derive(Debug, Clone)]
pub struct Reader {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    durable: Arc<AtomicU64>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its sequence number, from 1 without gaps.
    pub seq: u64,
    /// What was appended.
    pub payload: Vec<u8>,
}

/// Why records could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The operating system refused.
    #[error("cannot read the log's segment {path} for record {seq}: check the disk")]
    Io {
        /// The segment.
        path: PathBuf,
        /// The record.
        seq: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The record is damaged.
    #[error(
        "{path} is damaged at byte {offset}: record {seq}: {what}; stop the process and restore a backup"
    )]
    Corrupt {
        /// The segment.
        path: PathBuf,
        /// Where in it, in bytes.
        offset: u64,
        /// The record.
        seq: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// No segment holds the record.
    #[error(
        "the log in {dir} has no segment that holds record {seq}: put the file back, or restore a backup"
    )]
    Missing {
        /// The folder.
        dir: PathBuf,
        /// The record.
        seq: u64,
    },
}

impl Reader {
    pub(super) fn new(disk: Arc<dyn Disk>, dir: PathBuf, durable: Arc<AtomicU64>) -> Self {
        Self { disk, dir, durable }
    }

    /// The sequence number of the last durable record, 0 if there is none.
    pub fn durable_seq(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// The records from `seq` (0 counts as 1) up to the one that is the last durable one now, both included. It reads the
    /// segment of `seq` from its beginning: there is no index.
    pub fn records_from(&self, seq: u64) -> Result<Records, ReadError> {
        let seq = seq.max(1);
        let mut records = Records {
            disk: Arc::clone(&self.disk),
            dir: self.dir.clone(),
            next_seq: seq,
            last_seq: self.durable_seq(),
            open: None,
        };
        if seq > records.last_seq {
            return Ok(records);
        }
        let io = |source| ReadError::Io {
            path: self.dir.clone(),
            seq,
            source,
        };
        let starts = segment::list(self.disk.as_ref(), &self.dir).map_err(io)?;
        let Some(first_seq) = starts.into_iter().rfind(|first_seq| *first_seq <= seq) else {
            return Err(ReadError::Missing {
                dir: self.dir.clone(),
                seq,
            });
        };
        records.next_seq = first_seq;
        while records.next_seq < seq {
            records.advance()?;
        }
        Ok(records)
    }
}

/// Records in order; the iterator owns each payload, [`Records::next_record`] lends it.
#[derive(Debug)]
pub struct Records {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    next_seq: u64,
    last_seq: u64,
    open: Option<Open>,
}

/// A segment that is being read.
#[derive(Debug)]
struct Open {
    path: PathBuf,
    scan: Scan,
    /// The checksum of the frame before.
    chain: u32,
}

impl Records {
    /// The last record that this will return, if nothing fails.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// The next record without copying it; `None` after the last one. After an error it is the same error again.
    pub fn next_record(&mut self) -> Result<Option<(u64, &[u8])>, ReadError> {
        if self.next_seq > self.last_seq {
            return Ok(None);
        }
        let header = self.advance()?;
        Ok(self
            .open
            .as_ref()
            .map(|open| (header.seq, open.scan.payload(&header))))
    }

    fn advance(&mut self) -> Result<super::frame::Header, ReadError> {
        let seq = self.next_seq;
        loop {
            let open = match (self.open.take(), &self.dir) {
                (Some(open), _) => open,
                (None, dir) => self.segment(seq)?.ok_or_else(|| ReadError::Missing {
                    dir: dir.clone(),
                    seq,
                })?,
            };
            let open = self.open.insert(open);
            let io = |source| ReadError::Io {
                path: open.path.clone(),
                seq,
                source,
            };
            let what = match open.scan.next(seq, open.chain).map_err(io)? {
                Step::Frame(header) => {
                    open.chain = header.crc;
                    self.next_seq += 1;
                    return Ok(header);
                }
                Step::End => "its place is empty",
                Step::Bad(what) => what,
            };
            let corrupt = ReadError::Corrupt {
                path: open.path.clone(),
                offset: open.scan.offset(),
                seq,
                what,
            };
            let (chain, first) = (
                open.chain,
                open.scan.offset() == segment::HEADER_BYTES as u64,
            );
            // A segment ends where the next one begins.
            match if first { None } else { self.segment(seq)? } {
                Some(next) if next.chain == chain => self.open = Some(next),
                _ => return Err(corrupt),
            }
        }
    }

    /// Opens the segment that begins with `seq`, if there is one.
    fn segment(&self, seq: u64) -> Result<Option<Open>, ReadError> {
        let path = self.dir.join(segment::name(seq));
        let io = |source| ReadError::Io {
            path: path.clone(),
            seq,
            source,
        };
        let file = match self.disk.open(&path, false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(io)?,
        };
        match Header::read(file.as_ref()).map_err(io)? {
            Page::Header(header) if header.first_seq == seq => Ok(Some(Open {
                path,
                chain: header.chain,
                scan: Scan::new(file, header.salt),
            })),
            _ => Err(ReadError::Corrupt {
                path,
                offset: 0,
                seq,
                what: "the segment's header is not valid",
            }),
        }
    }
}

impl Iterator for Records {
    type Item = Result<Record, ReadError>;

    /// Ends after the first error.
    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_record().map(|found| {
            found.map(|(seq, payload)| Record {
                seq,
                payload: payload.to_vec(),
            })
        });
        if next.is_err() {
            self.last_seq = 0;
        }
        next.transpose()
    }
}
