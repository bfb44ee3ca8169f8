//! A start, in phases, each timed: the store is connected to, and meanwhile the configs are read; what is live is read from the
//! store and linked, and meanwhile the scripts are loaded. Only then is anyone told that the process is there.
//!
//! What may fail late is tried again late. At the start: a store that is away, for [`PATIENCE`] in a function; then the
//! process ends with a clear error, and whoever hosts it starts it again. Afterwards: scripts that could not be loaded are sent
//! with the first call; a key that is missing, a campaign that can't be read, a bundle that was damaged on its way are tried
//! again at the next look, and keep nobody else from being served.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use campaign::Activity;
use futures_util::future::join;
use store::redis::Redis;
use store::redis::link::LinkError;
use store::{Embedded, Store};

use crate::clock::SystemClock;
use crate::known_store;
use crate::registry::{ConfigsChoice, EarlyLook, LoadError, Registry};
use crate::serve::{Process, ServeError, StoreChoice, chain};

/// How long a function's start waits for a store that is away. Less than the ten seconds that AWS Lambda gives a start.
pub const PATIENCE: Duration = Duration::from_secs(8);

/// The pause after the first failed try; each next one is twice as long, up to a second.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// What a start needs to know.
#[derive(Debug, Clone)]
pub struct Start {
    /// Where the configs are.
    pub configs: ConfigsChoice,
    /// Where everything is kept.
    pub store: StoreChoice,
    /// The only tenants to serve; none: all.
    pub tenants: Option<BTreeSet<String>>,
    /// Whether to publish what a remote store has no revision of. A function never does: only a publish may create stock.
    pub seeds: bool,
    /// How long to wait for a store that is away.
    pub patience: Duration,
}

impl Start {
    /// A function's, as its environment says: [`ConfigsChoice::from_env`], `GALA_STORE` (the address of a Redis; unset: the
    /// embedded store), `GALA_DATA` (the embedded store's folder; unset: `data`), `GALA_TENANTS` (ids with commas between
    /// them; unset: all).
    pub fn from_env() -> Result<Self, ServeError> {
        let data = std::env::var_os("GALA_DATA").map_or_else(|| "data".into(), PathBuf::from);
        let address = std::env::var("GALA_STORE").ok();
        Ok(Self {
            configs: ConfigsChoice::from_env(),
            store: StoreChoice::of(address.as_deref(), &data)?,
            tenants: named(&std::env::var("GALA_TENANTS").unwrap_or_default()),
            seeds: false,
            patience: PATIENCE,
        })
    }
}

/// The tenants of a list like `acme,orchid`; none where it names nobody.
fn named(list: &str) -> Option<BTreeSet<String>> {
    let ids = list.split(',').map(str::trim).filter(|id| !id.is_empty());
    let ids: BTreeSet<String> = ids.map(str::to_owned).collect();
    (!ids.is_empty()).then_some(ids)
}

/// How long each phase of a start took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Phases {
    /// All of it.
    pub total: Duration,
    /// Connecting to the store, with all that is asked of it first; with the embedded store reading its log.
    pub store: Duration,
    /// Loading the scripts, while what is live is read.
    pub warm: Duration,
    /// Reading the configs, while the store is connected to.
    pub configs: Duration,
    /// Reading what is live from the store, and linking it.
    pub live: Duration,
}

/// In milliseconds, as the log says it: `12 ms: store 2, scripts 1, configs 3, campaigns 6`.
impl fmt::Display for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |took: Duration| took.as_millis();
        write!(
            f,
            "{} ms: store {}, scripts {}, configs {}, campaigns {}",
            ms(self.total),
            ms(self.store),
            ms(self.warm),
            ms(self.configs),
            ms(self.live)
        )
    }
}

/// Makes everything ready that calls need.
pub async fn preload(
    start: &Start,
    activities: &[&'static dyn Activity],
) -> Result<Process, ServeError> {
    let started = Instant::now();
    let until = started + start.patience;
    let mut took = Phases::default();
    // While the store is connected to.
    let early = EarlyLook::begin(&start.configs, activities);
    let (store, redis) = store(start, until, &mut took).await?;
    let registry = Registry::of(
        start.configs.clone(),
        activities,
        store.clone(),
        Arc::new(SystemClock),
    );
    let registry = registry.limited_to(start.tenants.clone()).looked_at(early);
    let registry = Arc::new(if start.seeds {
        registry
    } else {
        registry.without_seeding()
    });
    let is_away = |error: &LoadError| matches!(error, LoadError::Store(_)) && store.is_remote();
    // Neither waits for the other.
    let loaded = patiently(until, is_away, || registry.load());
    let (report, warm) = join(loaded, warm(redis.as_deref())).await;
    let report = report?;
    took.warm = warm;
    (took.configs, took.live) = (report.configs_took, report.live_took);
    took.total = started.elapsed();
    Ok(Process {
        store,
        registry,
        report,
        seen: Arc::default(),
        took,
    })
}

async fn store(
    start: &Start,
    until: Instant,
    took: &mut Phases,
) -> Result<(Arc<dyn Store>, Option<Arc<Redis>>), ServeError> {
    let begun = Instant::now();
    let (address, data) = match &start.store {
        StoreChoice::Embedded(folder) => {
            let folder = folder.clone();
            let opened = tokio::task::spawn_blocking(move || store::embedded::open(&folder)).await;
            let embedded: Embedded = opened.map_err(std::io::Error::other)??;
            took.store = begun.elapsed();
            return Ok((Arc::new(embedded), None));
        }
        StoreChoice::Redis { address, data } => (address, data),
    };
    let is_away = |error: &store::redis::OpenError| match error {
        // A server that is starting says no in a word; whoever says it in another has decided.
        store::redis::OpenError::Link { source, .. } => {
            !matches!(source, LinkError::Refused { code, .. } if code != "LOADING")
        }
        store::redis::OpenError::Refused { .. } => false,
    };
    let redis = patiently(until, is_away, || store::redis::open(address)).await?;
    if start.seeds {
        known_store::check(data, address, redis.id())?;
    }
    took.store = begun.elapsed();
    let redis = Arc::new(redis);
    Ok((redis.clone(), Some(redis)))
}

/// Loads the scripts; how long that took.
async fn warm(redis: Option<&Redis>) -> Duration {
    let begun = Instant::now();
    let Some(redis) = redis else {
        return Duration::ZERO;
    };
    if let Err(error) = redis.warm().await {
        tracing::warn!(%error, "the store could not be warmed: the first calls will be slower by a round trip");
    }
    begun.elapsed()
}

/// Tries until it is done, fails for another reason than that the store is away, or it is too late.
async fn patiently<T, E, F>(
    until: Instant,
    is_away: impl Fn(&E) -> bool,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E>
where
    E: std::error::Error,
    F: Future<Output = Result<T, E>>,
{
    let mut pause = FIRST_PAUSE;
    loop {
        match attempt().await {
            Err(error) if is_away(&error) && Instant::now() + pause < until => {
                tracing::warn!(
                    error = chain(&error),
                    "the store is away; it is tried again"
                );
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_tenants() {
        let rows: [(&str, &[&str]); 4] = [
            ("acme", &["acme"]),
            (" orchid, acme,,acme ", &["acme", "orchid"]),
            ("", &[]),
            (" , ", &[]),
        ];
        for (list, expected) in rows {
            let ids = expected.iter().map(|&id| id.to_owned()).collect();
            let expected = (!expected.is_empty()).then_some(ids);
            assert_eq!(named(list), expected, "{list:?}");
        }
    }

    #[derive(Debug, thiserror::Error)]
    #[error("away: {0}")]
    struct Away(bool);

    #[tokio::test]
    async fn what_is_away_is_waited_for_and_nothing_else() {
        let far = Instant::now() + Duration::from_mins(1);
        let mut tries = 0;
        let outcome = patiently(
            far,
            |error: &Away| error.0,
            || {
                tries += 1;
                std::future::ready(if tries < 3 {
                    Err(Away(true))
                } else {
                    Ok(tries)
                })
            },
        );
        assert_eq!(outcome.await.unwrap(), 3);
        for (until, is_away) in [(far, false), (Instant::now(), true)] {
            let mut tries = 0;
            let outcome = patiently(
                until,
                |error: &Away| error.0,
                || {
                    tries += 1;
                    std::future::ready(Err::<(), _>(Away(is_away)))
                },
            );
            outcome.await.unwrap_err();
            assert_eq!(tries, 1, "{is_away}");
        }
    }

    #[test]
    fn phases_in_words() {
        let ms = Duration::from_millis;
        let phases = Phases {
            total: ms(12),
            store: ms(2),
            warm: ms(1),
            configs: ms(3),
            live: ms(6),
        };
        assert_eq!(
            phases.to_string(),
            "12 ms: store 2, scripts 1, configs 3, campaigns 6"
        );
    }
}
