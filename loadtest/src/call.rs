//! One call of a virtual user and what came of it, as the engine tells whoever keeps books. Nothing here sends or judges.

use std::time::Duration;

/// A call, as it was made. Its strings live as long as the telling.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Which campaign of the scenario (an index into [`crate::scenario::Scenario::campaigns`]).
    pub campaign: usize,
    /// Who: a number below the population's size. The member id that the target sees is made from it ([`member_id`]).
    pub user: u64,
    /// What was asked for.
    pub kind: Kind<'a>,
    /// The idempotency key; empty for a call that needs none.
    pub key: &'a str,
    /// Whether this key was sent before.
    pub again: Again,
    /// Since the run began: when the call was due.
    pub due: Duration,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind<'a> {
    /// The campaign's public page data, without a token.
    Page,
    /// The participant's view.
    View,
    /// An event of the user, by its id.
    Event(&'a str),
    /// All that the user was given.
    Grants,
    /// A poster, by its template.
    Poster(&'a str),
    /// What a browser asks before an event from another origin (`OPTIONS`).
    Preflight,
}

/// Whether a call's key was used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// For the first time.
    First,
    /// The answer before was lost, or said to ask again with this key.
    Retry,
    /// It had its answer; the judge wants to see the same bytes again.
    Replay,
}

/// What came.
#[derive(Debug, Clone, Copy)]
pub enum Answer<'a> {
    /// A whole answer.
    Came {
        /// The status.
        status: u16,
        /// Whether it said `Idempotency-Replayed: true`.
        replayed: bool,
        /// The body, whole.
        body: &'a [u8],
    },
    /// None, or not to the end. What the target did is not known.
    Lost(Lost),
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lost {
    /// No connection could be made: the target can't have seen the call.
    Refused,
    /// The connection ended before the answer's end.
    Closed,
    /// It took longer than the scenario's patience.
    TimedOut,
    /// The generator dropped the connection on purpose after it had sent the call.
    OnPurpose,
    /// What came was no HTTP/1.1.
    Garbled,
}

/// Who hears of every answer. One for each thread of the engine, so that none waits for another.
pub trait Books: Send + 'static {
    /// Hears of one call and its answer. Called on the engine's thread: what takes long here is seen as lag of the generator.
    fn heard(&mut self, call: &Call<'_>, answer: &Answer<'_>);
}

/// Books that keep nothing, for runs that only measure.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoBooks;

impl Books for NoBooks {
    fn heard(&mut self, _: &Call<'_>, _: &Answer<'_>) {}
}

/// The member id of a user: the same in every run with this mark, so that a second run finds returning users.
pub fn member_id(mark: &str, user: u64) -> String {
    format!("{mark}-{user}")
}

/// What an answer means to who looks at the figures.
///
/// `won`, `missed` and whatever else `outcome` says stand for themselves; an event's 200 without one is `ok`; a rejection is its code; a
/// 429 is `limited`; a 5xx is its code, an answer that is lost `lost`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It did what was asked.
    Good,
    /// The campaign's rules said no, in a sound answer: an outcome, not a failure.
    Rejected,
    /// A rate limit said no.
    Limited,
    /// The target failed: 5xx, no answer, or an answer that no client could expect (401, 404, 400, ... to a sound call).
    Failed,
}
