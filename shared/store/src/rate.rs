//! Rate limits that all processes share: what a store is asked for, and what it answers. How often a process asks, and what
//! it does meanwhile, is `limit`'s business; what is refused to whom is nobody's here.

use std::time::Duration;

use crate::Later;

/// How fast tokens come back, as GCRA counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Nanoseconds in which one token comes back; at least 1.
    pub cell_nanos: u64,
    /// The most tokens that lie ready; at least 1.
    pub burst: u32,
}

/// What came of asking for tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tokens {
    /// How many were given: at most as many as were wanted, and what was there if that was less.
    pub granted: u32,
    /// How many are left.
    pub left: u32,
    /// After how long there will be one more than none; zero while some are left.
    pub wait: Duration,
    /// All that were ever given, to whomever, since the bucket was last full for a while: it only grows, or begins anew.
    pub total: u64,
}

/// Gives tokens to all processes from one bucket.
pub trait TokenSource: Send + Sync {
    /// Takes up to `want` tokens of a tenant's limit `name` (`[a-z0-9-]{1,64}`). None comes back by itself: an answer that
    /// is lost costs what it held.
    fn take<'a>(
        &'a self,
        tenant: &'a str,
        name: &'a str,
        rate: Rate,
        want: u32,
    ) -> Later<'a, Tokens>;

    /// Gives back tokens that were taken before it was known whether they would have to be: those that a right code took, of a limit on
    /// wrong ones.
    fn give_back<'a>(
        &'a self,
        tenant: &'a str,
        name: &'a str,
        rate: Rate,
        tokens: u32,
    ) -> Later<'a, ()>;
}
