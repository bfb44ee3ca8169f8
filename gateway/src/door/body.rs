//! An answer's body on its way back: passed on as it comes, never kept, and not waited for without end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::place::KeptPlace;
use super::upstream::Upstream;

/// The body of a function's answer.
pub(super) struct Passed {
    body: Incoming,
    upstream: Arc<Upstream>,
    /// How long the next piece may take.
    patience: Duration,
    until: Pin<Box<Sleep>>,
    /// Whether `until` runs: a client that reads slowly is not the function's fault.
    waiting: bool,
    _places: (KeptPlace, Option<KeptPlace>),
}

impl Passed {
    pub(super) fn new(
        body: Incoming,
        upstream: Arc<Upstream>,
        patience: Duration,
        places: (KeptPlace, Option<KeptPlace>),
    ) -> Self {
        Self {
            body,
            upstream,
            patience,
            until: Box::pin(sleep(patience)),
            waiting: false,
            _places: places,
        }
    }
}

/// Why a body ends before its end. The client sees a broken answer: its head is gone already.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The function's connection failed.
    #[error("the function's answer broke off")]
    Cut(#[source] hyper::Error),
    /// Nothing came for too long.
    #[error("the function's answer did not go on")]
    Slow,
}

impl Body for Passed {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Poll::Ready(next) = Pin::new(&mut self.body).poll_frame(context) {
            let next = next.map(|next| {
                next.map_err(|error| {
                    self.upstream.cut("its answer broke off");
                    Broken::Cut(error)
                })
            });
            self.waiting = false;
            return Poll::Ready(next);
        }
        if !self.waiting {
            self.waiting = true;
            let until = Instant::now() + self.patience;
            self.until.as_mut().reset(until);
        }
        ready!(self.until.as_mut().poll(context));
        self.upstream.cut("its answer did not go on");
        Poll::Ready(Some(Err(Broken::Slow)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
