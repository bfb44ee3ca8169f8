//! The one thread that changes the world: take what waits, apply, append with one flush, answer.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use machine::world::{
    Admin, AdminOutcome, Change, Commit, Outcome, apply_admin, apply_commit,
};
use parking_lot::RwLock;
use tokio::sync::{oneshot, watch};

use super::Failure;
use super::history::chain;
use super::state::State;
use crate::Error;
use crate::log::{AppendError, Log};

/// The most requests in one batch: bounds how long the first of them waits for the last.
const BATCH: usize = 1024;

/// More than a stamp can add to an encoded commit: a row number and a serial for each row.
const STAMP_BYTES: usize = 10;

/// Where an answer goes.
pub(super) type Done<T> = oneshot::Sender<Result<T, Error>>;

/// What the writer is asked.
#[derive(Debug)]
pub(super) enum Request {
    Commit(Box<Commit>, Done<Outcome>),
    Admin(Box<Admin>, Done<AdminOutcome>),
    /// Answered once everything before it is durable.
    Fence(Done<()>),
}

/// An answer that waits for the flush.
enum Answer {
    Commit(Outcome, Done<Outcome>),
    Admin(AdminOutcome, Done<AdminOutcome>),
    Fence(Done<()>),
}

pub(super) struct Writer {
    pub log: Log,
    pub state: Arc<RwLock<State>>,
    pub failure: Arc<Failure>,
    pub changes: watch::Sender<u64>,
}

impl Writer {
    /// Runs until nobody can ask any more, or the log fails.
    pub fn run(mut self, queue: &Receiver<Request>) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut encoded: Vec<Vec<u8>> = Vec::new();
        while let Ok(first) = queue.recv() {
            batch.push(first);
            while batch.len() < BATCH
                && let Ok(next) = queue.try_recv()
            {
                batch.push(next);
            }
            if !self.serve(&mut batch, &mut encoded) {
                return;
            }
        }
    }

    /// Serves a batch; false once the log has failed.
    fn serve(&mut self, batch: &mut Vec<Request>, encoded: &mut Vec<Vec<u8>>) -> bool {
        if let Err(error) = self.reserve(batch) {
            match error {
                AppendError::NotWritten(error) => {
                    refuse(batch, &Error::NotWritten(chain(&error)));
                    return true;
                }
                AppendError::Fatal(error) => {
                    let why = chain(&error);
                    self.failure.set(&why);
                    refuse(batch, &Error::NotWritten(why));
                    return false;
                }
            }
        }
        let mut published = false;
        let mut used = 0;
        let mut answers = Vec::with_capacity(batch.len());
        {
            let mut state = self.state.write();
            let mut seq = self.log.durable_seq();
            for request in batch.drain(..) {
                let answer = match request {
                    Request::Commit(mut commit, done) => {
                        let outcome = apply_commit(&mut state.world, &mut commit);
                        if matches!(outcome, Outcome::Committed(_)) {
                            seq += 1;
                            state.begin(Some(commit.user));
                            state.index.note(&commit, seq);
                            encode(encoded, &mut used, &Change::Commit(commit));
                        }
                        Answer::Commit(outcome, done)
                    }
                    Request::Admin(change, done) => {
                        let outcome = apply_admin(&mut state.world, &change);
                        if matches!(outcome, AdminOutcome::Done(_)) {
                            seq += 1;
                            published = true;
                            state.begin(None);
                            encode(encoded, &mut used, &Change::Admin(change));
                        }
                        Answer::Admin(outcome, done)
                    }
                    Request::Fence(done) => Answer::Fence(done),
                };
                answers.push(answer);
            }
        }
        if used > 0 {
            let payloads: Vec<&[u8]> = encoded.iter().take(used).map(Vec::as_slice).collect();
            if let Err(error) = self.log.append(&payloads) {
                // The world in memory is ahead of the disk and stays so: nothing is read or written any more.
                let why = chain(&error);
                tracing::error!(error = %why, "the store stops: its log failed");
                self.failure.set(&why);
                for answer in answers {
                    answer.fail(&Error::Unknown(why.clone()));
                }
                return false;
            }
            self.state.write().settled();
            if published {
                self.changes.send_modify(|number| *number += 1);
            }
        }
        for answer in answers {
            answer.send();
        }
        true
    }

    /// Makes sure that the batch will find room before anything of it is applied.
    fn reserve(&mut self, batch: &[Request]) -> Result<(), AppendError> {
        let sizes = batch.iter().filter_map(|request| match request {
            Request::Commit(commit, _) => Some(size_of_commit(commit)),
            Request::Admin(change, _) => Some(size_of_admin(change)),
            Request::Fence(_) => None,
        });
        self.log.reserve(sizes)
    }
}

/// At least as many bytes as the encoded commit will have, found without encoding it.
fn size_of_commit(commit: &Commit) -> usize {
    let encoded = postcard::experimental::serialized_size(commit).unwrap_or(usize::MAX / 4);
    encoded + 16 + STAMP_BYTES * (commit.rows.len() + 2)
}

fn size_of_admin(change: &Admin) -> usize {
    postcard::experimental::serialized_size(change).unwrap_or(usize::MAX / 4) + 16
}

/// Encodes a change into the next buffer, all of which are kept from batch to batch.
fn encode(buffers: &mut Vec<Vec<u8>>, used: &mut usize, change: &Change) {
    if buffers.len() == *used {
        buffers.push(Vec::with_capacity(1024));
    }
    if let Some(buffer) = buffers.get_mut(*used) {
        let mut taken = std::mem::take(buffer);
        taken.clear();
        // Writing to memory does not fail, and every part of a change has a postcard form.
        *buffer = postcard::to_extend(change, taken).unwrap_or_default();
    }
    *used += 1;
}

fn refuse(batch: &mut Vec<Request>, error: &Error) {
    for request in batch.drain(..) {
        match request {
            Request::Commit(_, done) => drop(done.send(Err(error.clone()))),
            Request::Admin(_, done) => drop(done.send(Err(error.clone()))),
            Request::Fence(done) => drop(done.send(Ok(()))),
        }
    }
}

impl Answer {
    // Whoever asked may have gone away; what was done stays done.
    fn send(self) {
        match self {
            Self::Commit(outcome, done) => drop(done.send(Ok(outcome))),
            Self::Admin(outcome, done) => drop(done.send(Ok(outcome))),
            Self::Fence(done) => drop(done.send(Ok(()))),
        }
    }

    fn fail(self, error: &Error) {
        match self {
            Self::Commit(_, done) => drop(done.send(Err(error.clone()))),
            Self::Admin(_, done) => drop(done.send(Err(error.clone()))),
            Self::Fence(done) => drop(done.send(Err(error.clone()))),
        }
    }
}
