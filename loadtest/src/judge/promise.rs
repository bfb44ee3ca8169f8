//! What the books hold in memory: promises and the answers to keys, a few bytes each, and what was found wrong while they were kept.
//! Nothing here reads answers or ledgers.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

/// How many examples of one fault are kept.
const EXAMPLES: usize = 10;

/// A grant's id, in sixteen bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GrantId([u8; 16]);

impl GrantId {
    /// The id that stands in an answer or a row: 32 hexadecimal digits. What is no such id gets one of its own, made of its text.
    pub fn of(text: &str) -> Self {
        let plain =
            text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let read = plain.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        let read = read.unwrap_or_else(|| {
            let [high, low] = [0_u8, 1].map(|salt| u128::from(digest((salt, text))));
            high << 64 | low
        });
        Self(read.to_be_bytes())
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// 64 bits that stand for a value. With ten million of them, one in about 400,000 runs has two that collide.
pub fn digest(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A grant that an answer named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// To whom.
    pub user: u32,
    /// Half of the digest of the key whose answer gave it; 0: a view or `/grants` showed it.
    pub by: u32,
}

/// What is known of an event's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The digest of the answer's bytes, where there was a yes.
    pub answer: u64,
    /// Whose.
    pub user: u32,
    /// What is known.
    pub state: State,
}

/// What is known of what a call did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing: every try was lost, or answered with 5xx.
    Open,
    /// It was done: there was a 200.
    Said,
    /// It was refused, and no try before that was lost: nothing was done.
    No,
    /// It was refused in the end; a try before that was lost, and may have been done after all.
    Settled,
    /// More than one user came with it, so that nothing can be said.
    Shared,
}

/// A fault with what is needed to look it up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// What is wrong, in a sentence.
    pub says: String,
    /// `tenant/campaign`.
    pub campaign: String,
    /// Ids by what they are: `grant`, `user`, `key`, `row`, ...
    pub ids: BTreeMap<String, String>,
}

/// Faults of one kind: all counted, the first ten kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// How many.
    pub count: u64,
    /// Ten of them.
    pub examples: Vec<Example>,
}

impl Faults {
    /// Counts one; `say` is asked only for the first ten.
    pub fn count(&mut self, say: impl FnOnce() -> Example) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(say());
        }
    }

    /// Counts all that somebody else found.
    pub fn add(&mut self, other: Self) {
        self.count += other.count;
        let free = EXAMPLES - self.examples.len().min(EXAMPLES);
        self.examples.extend(other.examples.into_iter().take(free));
    }
}

impl Example {
    /// One.
    pub fn new<const N: usize>(
        campaign: &str,
        says: impl Into<String>,
        ids: [(&str, String); N],
    ) -> Self {
        Self {
            says: says.into(),
            campaign: campaign.to_owned(),
            ids: ids.map(|(what, id)| (what.to_owned(), id)).into(),
        }
    }
}
