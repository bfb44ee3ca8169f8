//! The participants of a remote store as this process saw them last: what an attempt may be made on, and what nothing may
//! be refused on.
//!
//! An old record in here costs one more round trip and nothing else, as long as a version never names two records. A
//! primary that comes back without its last writes does name two, so whenever a commit's outcome is not known, everything
//! in here is forgotten, and so it is when the store says that its history is another.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use machine::ids::{CampaignKey, Pseudonym};
use machine::participant::{Grant, Heard, Participant};
use machine::value::Value;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// How many participants the memory is planned for: 671 bytes each, which is a record with some twenty variables and a
/// few grants.
const PLANNED: usize = 100_000;

/// How much is kept, in bytes as [`Bytes`] estimates them: 64 MiB a process.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// A bounded memory of records, shared by all functions of a process. Empty beside an embedded store.
pub struct LastSeen {
    /// Made when the first participant comes: it takes its room at once, which a start need not wait for.
    records: LazyLock<Cache<Place, Arc<Participant>, Bytes>>,
    /// Counts how often all was forgotten; what was kept before is not found any more, and makes room in its time.
    age: AtomicU64,
    /// How often the store had lost what it told, when this was last looked at.
    rewinds: AtomicU64,
}

type Place = (u64, CampaignKey, Pseudonym);

impl Default for LastSeen {
    fn default() -> Self {
        Self {
            records: LazyLock::new(|| Cache::with_weighter(PLANNED, MOST_BYTES, Bytes)),
            age: AtomicU64::new(0),
            rewinds: AtomicU64::new(0),
        }
    }
}

impl fmt::Debug for LastSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastSeen")
            .field("participants", &self.records.len())
            .finish_non_exhaustive()
    }
}

impl LastSeen {
    /// A participant's record, if it is here.
    pub fn get(&self, key: &CampaignKey, user: Pseudonym) -> Option<Arc<Participant>> {
        self.records.get(&self.place(key, user))
    }

    /// Keeps what the store says is a participant's record; none: that it is not known.
    pub fn keep(&self, key: &CampaignKey, user: Pseudonym, record: Option<Arc<Participant>>) {
        let place = self.place(key, user);
        match record {
            Some(record) => self.records.insert(place, record),
            None => {
                self.records.remove(&place);
            }
        }
    }

    /// Forgets everything where the store may have lost what it told since this was last asked.
    pub fn follow(&self, rewinds: u64) {
        if self.rewinds.load(Ordering::Relaxed) != rewinds {
            self.rewinds.store(rewinds, Ordering::Relaxed);
            self.forget_all();
        }
    }

    /// Forgets everything, at once.
    pub fn forget_all(&self) {
        self.age.fetch_add(1, Ordering::Relaxed);
    }

    fn place(&self, key: &CampaignKey, user: Pseudonym) -> Place {
        (self.age.load(Ordering::Relaxed), key.clone(), user)
    }
}

/// A record as a commit under way will leave it, but for its version.
pub(super) struct Seen(pub Participant);

impl Seen {
    /// With the version that the commit gave it.
    pub fn at(mut self, version: u64) -> Arc<Participant> {
        self.0.core.version = version;
        Arc::new(self.0)
    }
}

/// About how many bytes a record takes.
#[derive(Debug, Clone)]
struct Bytes;

impl Bytes {
    /// The map's entry, the key, and the record's fixed part.
    const ENTRY: usize = 256;

    /// A set of days: some months of sign-ins.
    const DAYS: usize = 64;
}

impl Weighter<Place, Arc<Participant>> for Bytes {
    fn weight(&self, _: &Place, record: &Arc<Participant>) -> u64 {
        let vars = record.core.vars.iter().map(|var| {
            let apart = match var {
                Value::Bool(_) | Value::Int(_) => 0,
                Value::Str(text) => text.len(),
                Value::Strs(texts) => texts.iter().map(|text| text.len() + 32).sum(),
                Value::Days(_) => Self::DAYS,
            };
            size_of::<Value>() + apart
        });
        let grants = record.grants.len() * size_of::<Grant>();
        let heard = record.heard.iter();
        let heard = heard.map(|one| size_of::<Heard>() + one.source.len());
        (Self::ENTRY + vars.sum::<usize>() + grants + heard.sum::<usize>()) as u64
    }
}

#[cfg(test)]
mod tests {
    use machine::ids::Lane;
    use machine::participant::Core;

    use super::*;

    fn key(lane: Lane) -> CampaignKey {
        CampaignKey {
            tenant: "acme".into(),
            campaign: "wheel".into(),
            edition: 1,
            lane,
        }
    }

    fn record(version: u64, texts: usize) -> Arc<Participant> {
        Arc::new(Participant {
            core: Core {
                revision: 1,
                version,
                state: 0,
                entered_at: 0,
                now: 0,
                draws: 0,
                after_done: 0,
                vars: vec![Value::Str("x".repeat(1000).into()); texts],
            },
            grants: Vec::new(),
            heard: Vec::new(),
        })
    }

    fn user(n: u32) -> Pseudonym {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        Pseudonym(bytes)
    }

    #[test]
    fn a_record_is_found_where_it_belongs_until_all_is_forgotten() {
        let seen = LastSeen::default();
        let (live, test) = (key(Lane::Live), key(Lane::Test));
        seen.keep(&live, user(1), Some(record(3, 0)));
        assert_eq!(seen.get(&live, user(1)), Some(record(3, 0)));
        assert_eq!(seen.get(&test, user(1)), None);
        assert_eq!(seen.get(&live, user(2)), None);
        seen.keep(&live, user(1), Some(record(2, 0)));
        assert_eq!(
            seen.get(&live, user(1)),
            Some(record(2, 0)),
            "the last word counts"
        );
        seen.keep(&live, user(1), None);
        assert_eq!(seen.get(&live, user(1)), None);
        seen.keep(&live, user(1), Some(record(3, 0)));
        seen.forget_all();
        assert_eq!(seen.get(&live, user(1)), None);
    }

    #[test]
    fn it_is_bounded_in_bytes() {
        let seen = LastSeen::default();
        for n in 0..5000 {
            seen.keep(&key(Lane::Live), user(n), Some(record(1, 50)));
        }
        assert!(seen.records.weight() <= MOST_BYTES);
        assert!(seen.records.len() < 2000, "{seen:?}");
        assert!(seen.records.len() > 500, "{seen:?}");
    }
}
