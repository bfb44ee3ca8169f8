//! The one thread that changes the world: take what waits, apply, append with one flush, answer.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use machine::world::{
    Admin, AdminOutcome, Change, Commit, Keep, Kept, Outcome, apply_admin, apply_commit, apply_keep,
};
use parking_lot::RwLock;
use tokio::sync::{oneshot, watch};

use super::Failure;
use super::history::chain;
use super::lease::Leases;
use super::record;
use super::state::State;
use crate::log::{AppendError, Log, MAX_PAYLOAD_BYTES};
use crate::{Error, Lease};

/// The most requests in one batch: bounds how long the first of them waits for the last.
const BATCH: usize = 1024;

/// A batch that has reached this many bytes takes nothing more: with the last request, it stays far below what the log takes.
const BATCH_BYTES: usize = 8 << 20;

/// An encoding buffer above this is given back after its batch.
const KEPT_BUFFER_BYTES: usize = 64 << 10;

/// More than a stamp can add to an encoded commit: a row number and a serial for each row.
const STAMP_BYTES: usize = 10;

/// Where an answer goes.
pub(super) type Done<T> = oneshot::Sender<Result<T, Error>>;

/// What the writer is asked, with the most bytes that it can need in the log.
pub(super) enum Request {
    Commit(Box<Commit>, Option<Lease>, usize, Done<Outcome>),
    Admin(Box<Admin>, usize, Done<AdminOutcome>),
    Keep(Keep, usize, Done<Kept>),
    /// A look at the world at a moment when nothing of it is ahead of the disk.
    Look(Box<dyn FnOnce(&State) + Send>),
}

impl Request {
    /// A commit; an error when no log record could hold it, so that it is refused alone and not with the batch it would be in.
    pub fn commit(
        commit: Box<Commit>,
        under: Option<Lease>,
        done: Done<Outcome>,
    ) -> Result<Self, Error> {
        let rows = commit.rows.len() + 2;
        let size = size_of(&*commit)?.saturating_add(STAMP_BYTES * rows);
        Ok(Self::Commit(commit, under, within(size)?, done))
    }

    pub fn admin(change: Box<Admin>, done: Done<AdminOutcome>) -> Result<Self, Error> {
        let size = size_of(&*change)?;
        Ok(Self::Admin(change, within(size)?, done))
    }

    pub fn keep(keep: Keep, done: Done<Kept>) -> Result<Self, Error> {
        let size = size_of(&keep)?;
        Ok(Self::Keep(keep, within(size)?, done))
    }

    fn size(&self) -> usize {
        match self {
            Self::Commit(_, _, size, _) | Self::Admin(_, size, _) | Self::Keep(_, size, _) => *size,
            Self::Look(_) => 0,
        }
    }
}

/// At least as many bytes as the change that holds this will have, found without encoding it.
fn size_of(part: &impl serde::Serialize) -> Result<usize, Error> {
    let size = postcard::experimental::serialized_size(part);
    size.map(|size| size.saturating_add(16))
        .map_err(|error| Error::NotWritten(format!("it can't be encoded ({error})")))
}

fn within(size: usize) -> Result<usize, Error> {
    if size > MAX_PAYLOAD_BYTES {
        return Err(Error::NotWritten(format!(
            "it takes up to {size} bytes, and a change may take {MAX_PAYLOAD_BYTES}"
        )));
    }
    Ok(size)
}

/// An answer that waits for the flush.
enum Answer {
    Commit(Outcome, Done<Outcome>),
    Admin(AdminOutcome, Done<AdminOutcome>),
    Keep(Kept, Done<Kept>),
    Look(Box<dyn FnOnce(&State) + Send>),
}

pub(super) struct Writer {
    pub log: Log,
    pub state: Arc<RwLock<State>>,
    pub failure: Arc<Failure>,
    pub leases: Arc<Leases>,
    pub changes: watch::Sender<u64>,
}

impl Writer {
    /// Runs until nobody can ask any more, or the log fails.
    pub fn run(mut self, queue: &Receiver<Request>) {
        let _fuse = Fuse(self.failure.clone());
        let mut batch = Vec::with_capacity(BATCH);
        let mut encoded: Vec<Vec<u8>> = Vec::new();
        while let Ok(first) = queue.recv() {
            let mut bytes = first.size();
            batch.push(first);
            while batch.len() < BATCH
                && bytes < BATCH_BYTES
                && let Ok(next) = queue.try_recv()
            {
                bytes += next.size();
                batch.push(next);
            }
            if !self.serve(&mut batch, &mut encoded) {
                self.turn_away(queue);
                return;
            }
        }
    }

    /// Serves a batch; false once the log has failed.
    fn serve(&mut self, batch: &mut Vec<Request>, encoded: &mut Vec<Vec<u8>>) -> bool {
        // Room is made before anything of the batch is applied: after this, an append succeeds or is fatal.
        match self
            .log
            .reserve(batch.iter().map(Request::size).filter(|size| *size > 0))
        {
            Ok(()) => {}
            Err(AppendError::NotWritten(error)) => {
                self.refuse(batch, &chain(&error));
                return true;
            }
            Err(AppendError::Fatal(error)) => {
                let why = chain(&error);
                self.failure.set(&why);
                self.refuse(batch, &why);
                return false;
            }
        }
        let mut changes = Vec::new();
        let mut published = false;
        let mut answers = Vec::with_capacity(batch.len());
        {
            let mut state = self.state.write();
            // Declared after the lock, so that it blows before the lock is let go of.
            let _fuse = Fuse(self.failure.clone());
            let mut seq = self.log.durable_seq();
            for request in batch.drain(..) {
                let answer = match request {
                    // Asked under the lock on the world: whoever takes the lease after this reads what is written here.
                    Request::Commit(_, Some(lease), _, done) if !self.leases.knows(&lease) => {
                        drop(done.send(Err(Error::LeaseLost)));
                        continue;
                    }
                    Request::Commit(mut commit, _, _, done) => {
                        let outcome = apply_commit(&mut state.world, &mut commit);
                        if matches!(outcome, Outcome::Committed(_)) {
                            seq += 1;
                            state.begin(commit.user);
                            state.index.note(&commit, seq);
                            changes.push(Change::Commit(commit));
                        }
                        Answer::Commit(outcome, done)
                    }
                    Request::Admin(change, _, done) => {
                        let outcome = apply_admin(&mut state.world, &change);
                        if matches!(outcome, AdminOutcome::Done(_)) {
                            seq += 1;
                            published = true;
                            state.begin_admin();
                            state.index.forget(&change);
                            changes.push(Change::Admin(change));
                        }
                        Answer::Admin(outcome, done)
                    }
                    Request::Keep(keep, _, done) => {
                        let kept = apply_keep(&mut state.world, &keep);
                        if matches!(kept, Kept::Done(_)) {
                            seq += 1;
                            state.begin_keep();
                            changes.push(Change::Keep(keep));
                        }
                        Answer::Keep(kept, done)
                    }
                    Request::Look(look) => Answer::Look(look),
                };
                answers.push(answer);
            }
        }
        if !changes.is_empty() {
            // Encoded after the lock is let go of: readers of others' records need not wait for it.
            let written = encode(encoded, &changes)
                .and_then(|payloads| self.log.append(&payloads).map_err(|error| chain(&error)));
            if let Err(why) = written {
                // The world in memory is ahead of the disk and stays so: nothing is read or written any more.
                tracing::error!(error = %why, "the store stops: its log failed");
                self.failure.set(&why);
                for answer in answers {
                    answer.fail(&Error::Unknown(why.clone()));
                }
                return false;
            }
            encoded.retain(|buffer| buffer.capacity() <= KEPT_BUFFER_BYTES);
            self.state.write().settled();
            if published {
                self.changes.send_modify(|number| *number += 1);
            }
        }
        for answer in answers {
            self.send(answer);
        }
        true
    }

    // Whoever asked may have gone away; what was done stays done.
    fn send(&self, answer: Answer) {
        match answer {
            Answer::Commit(outcome, done) => drop(done.send(Ok(outcome))),
            Answer::Admin(outcome, done) => drop(done.send(Ok(outcome))),
            Answer::Keep(kept, done) => drop(done.send(Ok(kept))),
            Answer::Look(look) => look(&self.state.read()),
        }
    }

    /// Answers a batch of which nothing was applied. The world is as durable as ever, so looks are answered.
    fn refuse(&self, batch: &mut Vec<Request>, why: &str) {
        for request in batch.drain(..) {
            match request {
                Request::Commit(_, _, _, done) => {
                    drop(done.send(Err(Error::NotWritten(why.to_owned()))));
                }
                Request::Admin(_, _, done) => {
                    drop(done.send(Err(Error::NotWritten(why.to_owned()))));
                }
                Request::Keep(_, _, done) => {
                    drop(done.send(Err(Error::NotWritten(why.to_owned()))));
                }
                Request::Look(look) => {
                    if self.failure.get().is_none() {
                        look(&self.state.read());
                    }
                }
            }
        }
    }

    /// Answers those that still wait when the store has stopped: none of theirs was applied.
    fn turn_away(&self, queue: &Receiver<Request>) {
        let why = self.failure.get().unwrap_or_default();
        // Whoever saw no failure yet is about to send; the wait catches those, and the rest are told that nobody knows.
        let moment = std::time::Duration::from_millis(50);
        loop {
            match queue.recv_timeout(moment) {
                Ok(request) => self.refuse(&mut vec![request], &why),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

/// Encodes changes into buffers that are kept from batch to batch.
fn encode<'a>(buffers: &'a mut Vec<Vec<u8>>, changes: &[Change]) -> Result<Vec<&'a [u8]>, String> {
    if buffers.len() < changes.len() {
        buffers.resize_with(changes.len(), || Vec::with_capacity(1024));
    }
    for (buffer, change) in buffers.iter_mut().zip(changes) {
        *buffer = record::encode(change, std::mem::take(buffer))
            .map_err(|error| format!("a change can't be encoded ({error})"))?;
    }
    Ok(buffers
        .iter()
        .take(changes.len())
        .map(Vec::as_slice)
        .collect())
}

impl Answer {
    /// A look needs no word: whoever waits for it sees that its sender is gone.
    fn fail(self, error: &Error) {
        match self {
            Self::Commit(_, done) => drop(done.send(Err(error.clone()))),
            Self::Admin(_, done) => drop(done.send(Err(error.clone()))),
            Self::Keep(_, done) => drop(done.send(Err(error.clone()))),
            Self::Look(_) => {}
        }
    }
}

/// Stops the store when the writer panics: a world that was changed by half must not be read.
struct Fuse(Arc<Failure>);

impl Drop for Fuse {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.set("the writer panicked; this is a bug");
        }
    }
}
