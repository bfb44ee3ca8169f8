//! Codes that users hand in: what the shell finds out about one before a step, and never the code itself. From the edge on a
//! code is its digest, made with the tenant's secret: neither the step nor what is kept of it holds anything that could be typed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ids::{Pseudonym, hex};
use crate::typed;

/// The field of an event in which a code comes.
pub const FIELD: &str = "code";

/// A code that somebody handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    /// Its digest ([`digest`]).
    pub code: Pseudonym,
    /// What it is.
    pub is: Standing,
}

/// What a code is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// One of this kind of the campaign's codes.
    Of(Arc<str>),
    /// None of the campaign's.
    Unknown,
    /// None that anybody made: its check symbol is wrong. Nothing was looked up.
    Mistyped,
}

/// The codes that a campaign takes: what the shell must know to say what a code is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedeemFact {
    /// The event with which they come.
    pub event: Arc<str>,
    /// Whether all of them have a check symbol ([`typed::read`]), so that a slip is told from a guess.
    pub checked: bool,
    /// The kinds of codes, in order: a code is the word that it is, else of the first whose list has it.
    pub kinds: Vec<CodeKind>,
    /// How many wrong ones are borne.
    pub tries: Tries,
}

impl RedeemFact {
    /// What a text is, as far as it can be said without asking anybody whether it is on a list: a word, or a slip. All words are looked
    /// at, and each to its end, whatever the first says: how long it takes tells nothing.
    pub fn at_sight(&self, tenant: &str, campaign: &str, text: &str) -> Option<Standing> {
        let Some(hash) = word(tenant, campaign, text) else {
            return Some(Standing::Mistyped);
        };
        let mut found = None;
        for kind in &self.kinds {
            if let CodesFrom::Word(known) = &kind.from
                && is_same(known, &hash)
                && found.is_none()
            {
                found = Some(Standing::Of(kind.id.clone()));
            }
        }
        let slip = self.checked && typed::read(text).is_err();
        found.or(slip.then_some(Standing::Mistyped))
    }

    /// The kinds whose codes stand on lists, each with its list.
    pub fn lists(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.kinds.iter().filter_map(|kind| match &kind.from {
            CodesFrom::List(list) => Some((&kind.id, list)),
            CodesFrom::Word(_) => None,
        })
    }
}

/// Whether two hashes are the same, in a time that does not depend on how far they are.
fn is_same(one: &str, other: &str) -> bool {
    let differ = one.bytes().zip(other.bytes());
    let differ = differ.fold(0, |differ, (one, other)| differ | one ^ other);
    one.len() == other.len() && differ == 0
}

/// One kind of codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeKind {
    /// Its id.
    pub id: Arc<str>,
    /// Which codes those are.
    pub from: CodesFrom,
}

/// Which codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodesFrom {
    /// Those on the tenant's list of this name.
    List(Arc<str>),
    /// The one word with this hash ([`word`]).
    Word(Arc<str>),
}

/// How many wrong codes are borne: so many at once, and then one more each time that their number goes into the span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tries {
    /// Of one user; at least 1.
    pub per_user: u32,
    /// Of all users of the campaign together; at least 1.
    pub in_all: u32,
    /// Within how many seconds; at least 1.
    pub per_secs: u32,
}

/// The digest of a code under a tenant's secret, however it is typed; none where the text can be no code.
pub fn digest(secret: &[u8; 32], text: &str) -> Option<Pseudonym> {
    let code = typed::canonical(text)?;
    // No member id has this character.
    Some(Pseudonym::of(secret, &format!("\0code\0{code}")))
}

/// The hash of a word that a campaign's file names, so that what is published does not show it to whoever looks. No secret goes
/// in, so a word that can be guessed can be found: what must stay secret stands on a list.
pub fn word(tenant: &str, campaign: &str, text: &str) -> Option<String> {
    let code = typed::canonical(text)?;
    let mut hash = Sha256::new();
    for part in ["gala word", tenant, campaign, &code] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    Some(hex(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_one_digest_however_it_is_typed_and_another_at_every_tenant() {
        let of = |text: &str| digest(&[7; 32], text);
        let same = of("welcome 2026");
        assert!(same.is_some());
        for other in ["WELCOME2026", "Welcome-2026", " ｗｅｌｃｏｍｅ２０２６ "] {
            assert_eq!(of(other), same, "{other}");
        }
        assert_ne!(
            of("WELC0ME2026"),
            same,
            "a zero is no O where codes are not our own"
        );
        assert_ne!(digest(&[8; 32], "WELCOME2026"), same);
        assert_eq!(of(" - "), None);
        assert_ne!(
            of("WELCOME2026"),
            Some(Pseudonym::of(&[7; 32], "WELCOME2026"))
        );
    }

    #[test]
    fn a_word_has_another_hash_in_every_campaign() {
        let one = word("acme", "spring", "welcome");
        assert_eq!(one, word("acme", "spring", "WEL-COME"));
        assert_ne!(one, word("acme", "autumn", "welcome"));
        assert_ne!(one, word("orchid", "spring", "welcome"));
    }
}
