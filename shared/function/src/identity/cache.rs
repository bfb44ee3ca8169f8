//! Tokens that were found good, so that the signature of a token is checked once and not with every call.
//!
//! A token is found by its bytes, compared by equality: no hash of it decides who somebody is. What is kept is
//! only ever the result of a full check, never a failure, so nobody can fill the cache without a signed token.
//! An entry belongs to one [`Verifier`]: another tenant's, another door's, and the same tenant's after its keys
//! have changed find nothing.
//!
//! The map's own hash is keyed per process, and its comparison only starts once that hash has matched: how
//! long a look-up takes tells nothing about tokens that are in it. Tokens stand here in plain text, as they
//! stand in each request that carries them; nothing here prints them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use super::token::{Claims, Unauthenticated, Verifier};

/// How many tokens are kept when not told otherwise.
pub const MAX_ENTRIES: usize = 100_000;
/// Longer tokens are checked anew each time: a few odd ones must not take the room of many.
const MAX_CACHED_BYTES: usize = 2048;
/// Bytes of tokens per entry that the cache is planned for; longer ones on average mean fewer entries.
const BYTES_PER_ENTRY: usize = 640;
const SHARDS: usize = 32;

/// A bounded memory of good tokens, shared by all tenants of a process.
///
/// Each shard keeps two generations. New and used entries are in the young one; when it has half of the
/// shard's share, the old one is dropped whole and the young one becomes old. So eviction costs nothing per
/// entry, and what was used lately stays.
pub struct Cache {
    shards: Box<[Mutex<Shard>]>,
    max_entries: usize,
    max_bytes: usize,
}

type Generation = HashMap<Box<str>, Entry>;

#[derive(Default)]
struct Shard {
    young: Generation,
    young_bytes: usize,
    old: Generation,
}

struct Entry {
    verifier: u64,
    claims: Arc<Claims>,
}

impl Cache {
    /// A cache of at most about `max_entries` tokens ([`MAX_ENTRIES`] is a good number). 0: keeps nothing.
    pub fn new(max_entries: usize) -> Self {
        // Per generation of one shard.
        let share = max_entries / SHARDS / 2;
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            max_entries: share,
            max_bytes: share * BYTES_PER_ENTRY,
        }
    }

    /// Checks a token at `now_secs`, by memory where it can. The claims are those of a full check.
    ///
    /// The memory holds until `exp` itself; the leeway after it is granted by full checks only.
    pub fn verify(
        &self,
        verifier: &Verifier,
        token: &str,
        now_secs: i64,
    ) -> Result<Arc<Claims>, Unauthenticated> {
        if let Some(claims) = self.get(verifier, token, now_secs) {
            return Ok(claims);
        }
        let claims = Arc::new(verifier.verify(token, now_secs)?);
        self.put(verifier, token, &claims);
        Ok(claims)
    }

    /// Tokens kept now.
    pub fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.lock())
            .map(|shard| shard.young.len() + shard.old.len())
            .sum()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn get(&self, verifier: &Verifier, token: &str, now_secs: i64) -> Option<Arc<Claims>> {
        let mut guard = self.shard(token).lock();
        let shard = &mut *guard;
        if let Some(entry) = shard.young.get(token) {
            return entry.good(verifier, now_secs);
        }
        // Used again: it moves to the young, whatever comes of it.
        let (token, entry) = shard.old.remove_entry(token)?;
        let claims = entry.good(verifier, now_secs)?;
        let retired = shard.insert(token, entry, self.max_entries, self.max_bytes);
        // Freeing a generation takes a while: not under the lock.
        drop(guard);
        drop(retired);
        Some(claims)
    }

    fn put(&self, verifier: &Verifier, token: &str, claims: &Arc<Claims>) {
        if self.max_entries == 0 || token.len() > MAX_CACHED_BYTES {
            return;
        }
        let entry = Entry {
            verifier: verifier.id,
            claims: Arc::clone(claims),
        };
        let retired =
            self.shard(token)
                .lock()
                .insert(token.into(), entry, self.max_entries, self.max_bytes);
        drop(retired);
    }

    fn shard(&self, token: &str) -> &Mutex<Shard> {
        // The last characters are the signature's, as good as random. The very last one carries fewer bits.
        let tail = token.as_bytes().iter().rev().skip(1).take(3);
        let at = tail.fold(0_usize, |at, byte| {
            at.wrapping_mul(31).wrapping_add(usize::from(*byte))
        });
        &self.shards[at % self.shards.len()]
    }
}

impl Entry {
    fn good(&self, verifier: &Verifier, now_secs: i64) -> Option<Arc<Claims>> {
        (self.verifier == verifier.id && now_secs < self.claims.exp)
            .then(|| Arc::clone(&self.claims))
    }
}

impl Shard {
    /// Puts an entry among the young; gives back a generation that has had its time, for the caller to drop.
    fn insert(
        &mut self,
        token: Box<str>,
        entry: Entry,
        max_entries: usize,
        max_bytes: usize,
    ) -> Generation {
        let mut retired = Generation::new();
        if self.young.len() >= max_entries || self.young_bytes >= max_bytes {
            retired = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
            self.young_bytes = 0;
        }
        let bytes = token.len();
        if self.young.insert(token, entry).is_none() {
            self.young_bytes += bytes;
        }
        retired
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("entries", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::identity::keys::{Alg, KeySet};
    use crate::identity::mint::{Minter, Ticket};
    use crate::identity::token::Reason;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const NOW: i64 = 1_800_000_000;

    fn verifier(audience: &str) -> Verifier {
        let mut keys = KeySet::new();
        keys.add("k", Alg::Hs256, SECRET).unwrap();
        Verifier::new(keys, audience.into())
    }

    fn token(sub: &str, ttl_secs: i64) -> String {
        let minter = Minter::hs256("k", SECRET).unwrap();
        minter
            .sign(
                &Ticket {
                    ttl_secs,
                    ..Ticket::user("acme", sub)
                },
                NOW,
            )
            .unwrap()
    }

    #[test]
    fn remembers_until_the_end_and_no_longer() {
        let (cache, acme, token) = (Cache::new(1000), verifier("acme"), token("ann", 60));
        let first = cache.verify(&acme, &token, NOW).unwrap();
        assert!(
            Arc::ptr_eq(&first, &cache.verify(&acme, &token, NOW + 59).unwrap()),
            "the same claims"
        );
        assert!(
            !Arc::ptr_eq(&first, &cache.verify(&acme, &token, NOW + 60).unwrap()),
            "in the leeway: checked anew"
        );
        assert_eq!(
            cache.verify(&acme, &token, NOW + 90).unwrap_err().reason,
            Reason::Expired
        );
    }

    #[test]
    fn an_entry_serves_its_own_verifier_only() {
        let (cache, acme, token) = (Cache::new(1000), verifier("acme"), token("ann", 60));
        cache.verify(&acme, &token, NOW).unwrap();
        for other in ["globex", "acme/admin"] {
            let error = cache.verify(&verifier(other), &token, NOW).unwrap_err();
            assert_eq!(error.reason, Reason::WrongAudience, "{other}");
        }
        let mut rotated = KeySet::new();
        rotated
            .add("k", Alg::Hs256, "another-secret-another-secret-32")
            .unwrap();
        let error = cache
            .verify(&Verifier::new(rotated, "acme".into()), &token, NOW)
            .unwrap_err();
        assert_eq!(
            error.reason,
            Reason::BadSignature,
            "a changed key ends what the old one let in"
        );
    }

    #[test]
    fn failures_are_not_kept() {
        let (cache, acme) = (Cache::new(1000), verifier("acme"));
        let mut forged = token("ann", 60);
        forged.truncate(forged.len() - 4);
        for _ in 0..10 {
            assert!(cache.verify(&acme, &forged, NOW).is_err());
        }
        assert!(cache.is_empty());
    }

    #[test]
    fn the_bound_holds_and_the_used_stay() {
        let (cache, acme, mine) = (Cache::new(640), verifier("acme"), token("ann", 60));
        let first = cache.verify(&acme, &mine, NOW).unwrap();
        for n in 0..2000 {
            cache
                .verify(&acme, &token(&format!("user-{n}"), 60), NOW)
                .unwrap();
            assert!(
                Arc::ptr_eq(&first, &cache.verify(&acme, &mine, NOW).unwrap()),
                "{n}"
            );
        }
        assert!(cache.len() <= 640, "{}", cache.len());
        assert!(cache.len() > 300, "{}", cache.len());

        let none = Cache::new(0);
        none.verify(&acme, &mine, NOW).unwrap();
        assert!(none.is_empty());
    }

    #[test]
    fn long_tokens_do_not_take_the_room_of_many() {
        let (cache, acme) = (Cache::new(64_000), verifier("acme"));
        let minter = Minter::hs256("k", SECRET).unwrap();
        for n in 0..40 {
            let mut ticket = Ticket::user("acme", &format!("user-{n}"));
            ticket.extra.insert("pad".into(), "x".repeat(3000).into());
            cache
                .verify(&acme, &minter.sign(&ticket, NOW).unwrap(), NOW)
                .unwrap();
        }
        assert!(cache.is_empty());
    }

    /// `cargo test --release -p function -- --ignored --nocapture cost`
    #[test]
    #[ignore = "a measurement, not a test"]
    fn cost_of_a_check() {
        let (cache, acme) = (Cache::new(MAX_ENTRIES), verifier("acme"));
        let tokens: Vec<_> = (0..20_000)
            .map(|n| {
                token(
                    &format!("member-{n:032}-of-the-tenant-acme-with-a-long-name"),
                    600,
                )
            })
            .collect();
        let timed = |what: &str, tokens: &[String], rounds: usize, check: &dyn Fn(&str)| {
            let start = Instant::now();
            for _ in 0..rounds {
                for token in tokens {
                    check(token);
                }
            }
            let each = start.elapsed().as_nanos() / (rounds * tokens.len()) as u128;
            println!("{what}, {} bytes: {each} ns", tokens[0].len());
        };
        timed("full check HS256", &tokens[..1000], 20, &|token| {
            std::hint::black_box(acme.verify(token, NOW)).unwrap();
        });
        timed("first sight", &tokens, 1, &|token| {
            drop(cache.verify(&acme, token, NOW).unwrap());
        });
        timed("cached, one token", &tokens[..1], 2_000_000, &|token| {
            std::hint::black_box(cache.verify(&acme, token, NOW)).unwrap();
        });
        timed("(only reading 20,000 tokens)", &tokens, 20, &|token| {
            std::hint::black_box(token.bytes().fold(0_u64, |sum, byte| sum + u64::from(byte)));
        });
        timed("cached, 20,000 tokens", &tokens, 20, &|token| {
            std::hint::black_box(cache.verify(&acme, token, NOW)).unwrap();
        });
    }
}
