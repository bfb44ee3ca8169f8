//! What can go wrong with a log, each with the place and the way out.
//!
//! It holds error types only. The two that matter most are [`AppendError::NotWritten`] (nothing happened, the log goes on) and
//! [`AppendError::Fatal`] (nobody knows what happened, the log is finished).
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a log could not be opened. Nothing was changed, unless a [`OpenError::Io`] came from repairing a torn tail, which is
/// safe to repeat.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process (or another `Log` of this one) has the folder open.
    #[error("the log in {dir} is already open{}: stop that process, or use another folder", holder(*.pid))]
    Locked {
        /// The folder.
        dir: PathBuf,
        /// The process that holds it, as its lock file says.
        pid: Option<u32>,
    },
    /// The operating system refused.
    #[error("cannot {doing} {path}: check the disk and the folder's permissions, then start again")]
    Io {
        /// What was tried, as a verb.
        doing: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Durable records are damaged.
    #[error(
        "{path} is damaged at byte {offset}: record {seq} was durable, but its {what}; \
         restore a backup into an empty folder, and keep this one for examination"
    )]
    Corrupt {
        /// The segment.
        path: PathBuf,
        /// Where in it the damage begins, in bytes.
        offset: u64,
        /// The sequence number that belongs there.
        seq: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A segment is not there.
    #[error(
        "{dir} has no segment {name} for record {seq}: put the file back, or restore a backup into an empty folder"
    )]
    Missing {
        /// The folder.
        dir: PathBuf,
        /// The missing file's name.
        name: String,
        /// The first record in it.
        seq: u64,
    },
    /// The log ends before what is known to have been durable.
    #[error(
        "the log in {dir} ends at record {last_seq}, but record {durable_seq} was durable: \
         restore a backup into an empty folder, and keep this one for examination"
    )]
    Lost {
        /// The folder.
        dir: PathBuf,
        /// The last record found.
        last_seq: u64,
        /// The last record that must be there.
        durable_seq: u64,
    },
    /// Another version of this program wrote the segment.
    #[error(
        "{path} has format version {found}, and this program reads version {known}: use the program that wrote it"
    )]
    Version {
        /// The segment.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" in process {pid}"))
        .unwrap_or_default()
}

impl OpenError {
    /// For `map_err`: names what was tried and where.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}

/// Why a batch was not acknowledged.
#[derive(Debug, Error)]
pub enum AppendError {
    /// Nothing was written; the log is as before and can be used on.
    #[error("the batch was not written")]
    NotWritten(#[from] NotWritten),
    /// The outcome is unknown, and the log is closed for writing: stop the process, and let the next open find out.
    ///
    /// It is never tried again: after a failed fsync the kernel has marked the pages clean, so that a second fsync would
    /// succeed without writing them (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020).
    #[error(
        "the log failed and takes no more writes: stop the process, check the disk, start again"
    )]
    Fatal(#[from] Failure),
}

/// Why nothing was written.
#[derive(Debug, Error)]
pub enum NotWritten {
    /// A payload is over the limit of a frame.
    #[error("payload {index} of the batch has {bytes} bytes, the limit is {max}: split it")]
    PayloadTooLarge {
        /// Its place in the batch, from 0.
        index: usize,
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The batch is over its limit.
    #[error("the batch has {bytes} bytes, the limit is {max}: split it")]
    BatchTooLarge {
        /// Its size with frames.
        bytes: u64,
        /// The limit.
        max: u64,
    },
    /// The next segment could not be created; usually the disk is full.
    #[error(
        "cannot reserve {bytes} bytes for the next segment {path}: free some space, then try again"
    )]
    NoSegment {
        /// The segment.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// What the system said.
        source: io::Error,
    },
}

/// The failure that closed a log for writing; every later call returns it again.
#[derive(Debug, Clone, Error)]
#[error("could not {doing} {path}: {message}")]
pub struct Failure {
    /// What was tried, as a verb.
    pub doing: &'static str,
    /// On which file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub message: String,
}
