//! The bounded store of buckets behind a limiter: how many there may be, and what happens when there are too many.
//!
//! A bucket is found by the keyed hash of its key, not by the key. That makes a look-up free of allocation,
//! an entry 16 bytes however long the key is, and the memory a number that can be written down. Two keys that
//! hash alike would share a bucket: with 200,000 keys the odds of one such pair are about one in a billion,
//! nobody outside can search for one (the hash is keyed per process), and the harm would be a shared quota.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use parking_lot::Mutex;

/// Below this many keys one shard is enough, and the bound is then exact.
const SMALL: usize = 4096;
const SHARDS: usize = 64;
/// A full shard looks for stale buckets at most this often, so that an inventor of keys cannot make us scan.
const SCAN_EVERY_NANOS: u64 = 100_000_000;

/// Buckets by keyed hash; each value is GCRA's theoretical arrival time in nanoseconds since the limiter's start.
pub(crate) struct Buckets {
    shards: Box<[Mutex<Shard>]>,
    max_per_shard: usize,
    cell_nanos: u64,
    /// The one bucket of all keys that found no room; 0: unused.
    overflow: Mutex<u64>,
    overflowed: Arc<AtomicU64>,
}

#[derive(Default)]
struct Shard {
    arrivals: HashMap<u64, u64, BuildHasherDefault<AlreadyHashed>>,
    scanned_at: u64,
}

impl Buckets {
    pub(crate) fn new(max_keys: usize, cell_nanos: u64) -> Self {
        let shards = if max_keys < SMALL { 1 } else { SHARDS };
        Self {
            shards: (0..shards).map(|_| Mutex::default()).collect(),
            max_per_shard: (max_keys / shards).max(1),
            cell_nanos,
            overflow: Mutex::new(0),
            overflowed: Arc::default(),
        }
    }

    /// Counts the calls that went to the overflow bucket; shared, because governor keeps the store to itself.
    pub(crate) fn overflowed(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.overflowed)
    }

    fn shard(&self, hash: u64) -> &Mutex<Shard> {
        // The top bits choose the shard, the low ones the place in its table. There is always a shard.
        let at = (hash >> 58) as usize % self.shards.len();
        &self.shards[at]
    }
}

impl Shard {
    /// Whether there is room for one more; a full shard first drops what is stale at `now`.
    fn has_room(&mut self, max: usize, now: u64) -> bool {
        if self.arrivals.len() < max {
            return true;
        }
        if now.saturating_sub(self.scanned_at) < SCAN_EVERY_NANOS && self.scanned_at != 0 {
            return false;
        }
        self.scanned_at = now.max(1);
        // An arrival time that has passed is a full bucket, the same as none.
        self.arrivals.retain(|_, arrival| *arrival > now);
        self.arrivals.len() < max
    }
}

impl StateStore for Buckets {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut shard = self.shard(*key).lock();
        if let Some(arrival) = shard.arrivals.get_mut(key) {
            let (outcome, next) = measure(Some((*arrival).into()))?;
            *arrival = next.into();
            return Ok(outcome);
        }
        // An unused bucket lets its first call through, and its arrival time is one cell from now.
        let (outcome, next) = measure(None)?;
        let next: u64 = next.into();
        if shard.has_room(self.max_per_shard, next.saturating_sub(self.cell_nanos)) {
            shard.arrivals.insert(*key, next);
            return Ok(outcome);
        }
        drop(shard);
        self.overflowed.fetch_add(1, Ordering::Relaxed);
        let mut arrival = self.overflow.lock();
        let before = (*arrival != 0).then(|| Nanos::from(*arrival));
        let (outcome, next) = measure(before)?;
        *arrival = next.into();
        Ok(outcome)
    }
}

impl ShrinkableKeyedStateStore<u64> for Buckets {
    fn retain_recent(&self, drop_below: Nanos) {
        let drop_below = u64::from(drop_below);
        for shard in &self.shards {
            shard
                .lock()
                .arrivals
                .retain(|_, arrival| *arrival > drop_below);
        }
    }

    fn shrink_to_fit(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            // Only when most of it is empty: giving memory back to take it again at once is work for nothing.
            if shard.arrivals.capacity() > shard.arrivals.len().saturating_mul(4).max(64) {
                shard.arrivals.shrink_to_fit();
            }
        }
    }

    fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.lock().arrivals.len())
            .sum()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The keys are hashes already; hashing them again would only cost time.
#[derive(Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Never reached: the only key type is u64. Kept right anyway.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
