//! Pictures that posters show and that come from elsewhere: users' avatars, codes that a tenant's service draws. They are fetched only from
//! hosts that the tenant names, kept for a while, and never trusted: whatever goes wrong, the template's own picture stands in, and a
//! counter says so. What is in the bytes is looked at where posters are drawn (`poster::decode`), not here.

mod fetch;
mod target;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::body::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::telemetry::meters::poster_picture;

pub use fetch::{Found, Lookup, System};

/// The longest picture that is fetched, in bytes: what `poster::decode` takes of an avatar.
pub const MOST_BYTES: usize = 2 << 20;

/// How long a fetch may take, redirects and all: then the poster goes out without it.
pub const PATIENCE: Duration = Duration::from_millis(1200);

/// How long a picture is shown again without being asked for: people change their avatars, and look whether it shows.
const KEPT: Duration = Duration::from_mins(10);

/// How long one that could not be had is not asked for again.
const FAILED_FOR: Duration = Duration::from_secs(20);

/// How many fetches are under way at once.
const AT_ONCE: usize = 64;

/// How much is kept, in bytes, and how many pictures that is planned for.
const KEPT_BYTES: u64 = 32 << 20;
const PLANNED: usize = 1000;

/// A picture as it came, not looked into yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its bytes.
    pub bytes: Bytes,
    /// SHA-256 of them.
    pub sha256: [u8; 32],
}

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotFetched {
    /// It is no address that pictures are fetched from.
    #[error("it is not `https://`, or not an address")]
    Address,
    /// The tenant does not name its host.
    #[error("its host is not one of the tenant's `picture_hosts`")]
    Host,
    /// The host stands for an address of our own network.
    #[error("its host stands for an address that is not public")]
    Private,
    /// The host can't be reached, or ended the call.
    #[error("its host does not answer")]
    Away,
    /// It answered with something else.
    #[error("its host answers that it has none")]
    Status,
    /// It is led on and on.
    #[error("it is redirected too often")]
    Redirects,
    /// It is too long.
    #[error("it is longer than {MOST_BYTES} bytes")]
    Long,
    /// It took too long.
    #[error("it did not come in time")]
    Late,
    /// So many are fetched that this one must do without.
    #[error("too many pictures are fetched at once")]
    Busy,
}

impl NotFetched {
    /// A word for counters.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Host => "host",
            Self::Private => "private",
            Self::Away => "away",
            Self::Status => "status",
            Self::Redirects => "redirects",
            Self::Long => "long",
            Self::Late => "late",
            Self::Busy => "busy",
        }
    }
}

type Kept = (Instant, Result<Arc<Fetched>, NotFetched>);

/// The pictures that a process has fetched.
pub struct Pictures {
    lookup: Arc<dyn Lookup>,
    /// Made when the first is fetched.
    kept: LazyLock<Cache<String, Kept, Length>>,
    at_once: Semaphore,
}

impl Default for Pictures {
    fn default() -> Self {
        Self::found_by(Arc::new(System))
    }
}

impl fmt::Debug for Pictures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pictures")
    }
}

impl Pictures {
    /// With another resolver than the system's.
    pub fn found_by(lookup: Arc<dyn Lookup>) -> Self {
        Self {
            lookup,
            kept: LazyLock::new(|| Cache::with_weighter(PLANNED, KEPT_BYTES, Length)),
            at_once: Semaphore::new(AT_ONCE),
        }
    }

    /// The picture at an address, for a tenant who names these hosts.
    pub async fn get(
        &self,
        tenant: &str,
        hosts: &[String],
        address: &str,
    ) -> Result<Arc<Fetched>, NotFetched> {
        // Before all else: what another tenant may fetch is nobody else's.
        if let Err(why) = target::Target::of(address, hosts) {
            poster_picture(tenant, why.word());
            return Err(why);
        }
        let (found, word) = self.kept_or_fetched(tenant, hosts, address).await;
        poster_picture(tenant, word);
        found
    }

    async fn kept_or_fetched(
        &self,
        tenant: &str,
        hosts: &[String],
        address: &str,
    ) -> (Result<Arc<Fetched>, NotFetched>, &'static str) {
        // By tenant, too: a redirect that one tenant's hosts allow, another's do not.
        let key = format!("{tenant} {address}");
        let is_fresh = |(at, found): &Kept| {
            let most = if found.is_ok() { KEPT } else { FAILED_FOR };
            at.elapsed() < most
        };
        self.kept.remove_if(&key, |kept| !is_fresh(kept));
        match self.kept.get_value_or_guard_async(&key).await {
            Ok((_, Ok(found))) => (Ok(found), "kept"),
            Ok((_, Err(why))) => (Err(why), "kept-failure"),
            Err(guard) => {
                let found = self.fetch(hosts, address).await;
                let word = match &found {
                    Ok(_) => "fetched",
                    Err(why) => why.word(),
                };
                if let Err(why) = found {
                    // The address is a user's: it is not logged.
                    tracing::debug!(tenant, %why, "a picture for a poster was not fetched");
                }
                // Of what did not come because of us nothing is concluded.
                if found != Err(NotFetched::Busy) {
                    let _ = guard.insert((Instant::now(), found.clone()));
                }
                (found, word)
            }
        }
    }

    async fn fetch(&self, hosts: &[String], address: &str) -> Result<Arc<Fetched>, NotFetched> {
        let Ok(_place) = self.at_once.try_acquire() else {
            return Err(NotFetched::Busy);
        };
        let fetch = fetch::fetch(&*self.lookup, hosts, address, MOST_BYTES);
        let bytes = timeout(PATIENCE, fetch)
            .await
            .map_err(|_| NotFetched::Late)??;
        let sha256 = Sha256::digest(&bytes).into();
        Ok(Arc::new(Fetched { bytes, sha256 }))
    }
}

/// About how many bytes an entry takes.
#[derive(Debug, Clone)]
struct Length;

impl Weighter<String, Kept> for Length {
    fn weight(&self, address: &String, (_, found): &Kept) -> u64 {
        let bytes = found.as_ref().map_or(0, |found| found.bytes.len());
        (bytes + address.len() + 128) as u64
    }
}
