//! What every serving process does: opens the store, loads the configs, watches both, listens, stops without dropping anyone.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use campaign::Activity;
use store::Store;
use store::redis::address::{Address, NotAnAddress};
use tokio::net::TcpListener;
use tokio::time::{Instant, interval_at};

use crate::clock::SystemClock;
use crate::engine::{LastSeen, clock_off};
use crate::http::Shell;
use crate::identity::{Cache, cache};
use crate::known_store;
use crate::preload::{Phases, Start, preload};
use crate::raffle;
use crate::registry::{ConfigsChoice, Registry, Report};
use crate::relay;
use crate::signed::KeyError;
use crate::sweep;
use crate::telemetry::AccessLog;

/// How often the configs folder and the store are looked at for changes.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How often what a remote store says is read although it told of no change: a message that was lost only delays.
const REFRESH_EVERY: Duration = Duration::from_secs(5);

/// How often limits are tidied.
const TIDY_EVERY: Duration = Duration::from_secs(10);

/// One in how many calls is logged when nothing else is said.
pub const ACCESS_LOG_EVERY: u32 = 100;

/// Why a process could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The store can't be opened.
    #[error(transparent)]
    Store(#[from] store::embedded::OpenError),
    /// The address of a Redis can't be understood.
    #[error("the address in --store or GALA_STORE can't be understood")]
    Address(#[from] NotAnAddress),
    /// The Redis can't be used.
    #[error(transparent)]
    Redis(#[from] store::redis::OpenError),
    /// The Redis is not the one that was there before.
    #[error(transparent)]
    AnotherStore(#[from] known_store::AnotherStore),
    /// The configs can't be loaded.
    #[error(transparent)]
    Load(#[from] crate::registry::LoadError),
    /// The address can't be listened on.
    #[error("can't listen on {0}: is something else using it? Give another address with --listen")]
    Bind(SocketAddr, #[source] std::io::Error),
    /// The gateway's key can't be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Functions elsewhere can't be called as asked.
    #[error("{0}")]
    Elsewhere(String),
    /// The runtime or a socket failed.
    #[error("the process can't serve")]
    Io(#[from] std::io::Error),
    /// The store stopped while serving.
    #[error("the store has stopped: {0}; start again, and what was answered will be there")]
    Stopped(String),
}

/// Where a process keeps everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreChoice {
    /// In this folder; one process at a time.
    Embedded(PathBuf),
    /// In a Redis that many processes share.
    Redis {
        /// Where it is.
        address: Box<Address>,
        /// The folder in which this process notes which store it has seen there.
        data: PathBuf,
    },
}

impl StoreChoice {
    /// The Redis that is named, else the embedded store in `data`. The address holds a password: no error repeats it.
    pub fn of(address: Option<&str>, data: &Path) -> Result<Self, NotAnAddress> {
        match address.filter(|address| !address.is_empty()) {
            Some(address) => Ok(Self::Redis {
                address: Box::new(address.parse()?),
                data: data.to_owned(),
            }),
            None => Ok(Self::Embedded(data.to_owned())),
        }
    }
}

/// As people are told; an address is shown without its password.
impl std::fmt::Display for StoreChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Embedded(folder) => write!(f, "{}", folder.display()),
            Self::Redis { address, .. } => write!(f, "{address}"),
        }
    }
}

/// What every serving process is made of.
pub struct Process {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// What is served.
    pub registry: Arc<Registry>,
    /// What the first load did.
    pub report: Report,
    /// Participants as this process saw them last.
    pub seen: Arc<LastSeen>,
    /// How long the start took.
    pub took: Phases,
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process")
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}

/// Opens the store and loads the folder `configs` into it. A process that `seeds` publishes what stands in the folder where a
/// remote store has no revision of it; a function never does, since only a publish may create stock.
pub async fn open(
    configs: &Path,
    choice: &StoreChoice,
    activities: &[&'static dyn Activity],
    seeds: bool,
) -> Result<Process, ServeError> {
    let start = Start {
        configs: ConfigsChoice::Folder(configs.to_owned()),
        store: choice.clone(),
        tenants: None,
        seeds,
        patience: Duration::ZERO,
    };
    preload(&start, activities).await
}

impl Process {
    /// The shell of one activity's function, or of all.
    pub fn shell(&self, activity: Option<&'static str>, access_log_every: u32) -> Arc<Shell> {
        Arc::new(Shell {
            registry: self.registry.clone(),
            store: self.store.clone(),
            clock: Arc::new(SystemClock),
            tokens: Cache::new(cache::MAX_ENTRIES),
            seen: self.seen.clone(),
            access: AccessLog::new(access_log_every),
            activity,
        })
    }

    /// Starts what runs beside the requests: the sweep, the relay, draws from entries, the watch over configs and store, the tidying of limits.
    pub fn spawn_background(&self) {
        tokio::spawn(sweep::run(self.shell(None, 0)));
        tokio::spawn(relay::run(self.shell(None, 0)));
        tokio::spawn(raffle::run(self.shell(None, 0)));
        #[cfg(feature = "yaml")]
        tokio::spawn(crate::schedule::run(self.shell(None, 0)));
        tokio::spawn(watch(
            self.registry.clone(),
            self.store.clone(),
            self.report.differs.clone(),
        ));
        tokio::spawn(tidy(self.registry.clone()));
    }
}

/// Loads the configs again when a file changes, and the store's word when that changes; and says what changed.
async fn watch(registry: Arc<Registry>, store: Arc<dyn Store>, differs: Vec<String>) {
    let mut said = Said {
        differs,
        ..Said::default()
    };
    let mut changes = store.changes();
    // Both begin by waiting: all was looked at just now.
    let mut every = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
    let mut refresh = interval_at(Instant::now() + REFRESH_EVERY, REFRESH_EVERY);
    for every in [&mut every, &mut refresh] {
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    }
    loop {
        said.say(&registry, &*store);
        tokio::select! {
            _ = every.tick() => {
                let now = registry.stamp().await;
                if now.is_none_or(|now| registry.has_seen(&now)) {
                    continue;
                }
                match registry.load().await {
                    Ok(report) => tell(&report),
                    Err(error) => tracing::error!(error = chain(&error), "the configs could not be loaded again"),
                }
            }
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
                look_again(&registry).await;
            }
            _ = refresh.tick(), if store.is_remote() => look_again(&registry).await,
        }
    }
}

async fn look_again(registry: &Registry) {
    if let Err(error) = registry.refresh().await {
        tracing::error!(%error, "what is live could not be read from the store");
    }
}

/// What the log was told, so that it is told again only when it changes.
#[derive(Default)]
struct Said {
    differs: Vec<String>,
    under_durable: Vec<String>,
    clock_off: bool,
}

impl Said {
    fn say(&mut self, registry: &Registry, store: &dyn Store) {
        let differs = registry.differs();
        for new in differs.iter().filter(|new| !self.differs.contains(new)) {
            tracing::info!("{new}");
        }
        self.differs = differs;
        let short = registry.under_durable();
        for new in short.iter().filter(|new| !self.under_durable.contains(new)) {
            tracing::error!(
                "its events are answered 503, since the store gives less than it declares: {new}"
            );
        }
        if short.is_empty() && !self.under_durable.is_empty() {
            tracing::info!("the store gives every campaign the durability that it declares again");
        }
        self.under_durable = short;
        let off = clock_off(store);
        match off {
            Some(ahead_ms) if !self.clock_off => tracing::error!(
                ahead_ms,
                "this machine's clock is off the store's: events are answered 503 until it is set"
            ),
            None if self.clock_off => tracing::info!("this machine's clock is the store's again"),
            _ => {}
        }
        self.clock_off = off.is_some();
    }
}

/// Logs what a reload did.
pub(crate) fn tell(report: &Report) {
    for (tenant, campaign, revision) in &report.published {
        tracing::info!(tenant, campaign, revision, "published a changed file");
    }
    #[cfg(feature = "yaml")]
    tell_errors(&report.diagnostics);
    for id in &report.unknown_tenants {
        tracing::warn!(
            tenant = id,
            "GALA_TENANTS names `{id}`, which the configs do not have"
        );
    }
    for problem in &report.problems {
        tracing::error!("{problem}");
    }
}

#[cfg(feature = "yaml")]
fn tell_errors(found: &campaign::Diagnostics) {
    let errors = found
        .iter()
        .filter(|found| found.severity == campaign::Severity::Error);
    for diagnostic in errors {
        tracing::error!(
            code = diagnostic.code,
            file = diagnostic.place.source.name(),
            line = diagnostic.place.line(),
            column = diagnostic.place.column(),
            "{}",
            diagnostic.message
        );
    }
}

/// Gives back the memory of users who have not called lately.
async fn tidy(registry: Arc<Registry>) {
    let mut every = interval_at(Instant::now() + TIDY_EVERY, TIDY_EVERY);
    loop {
        every.tick().await;
        registry.drawing().tidy(&registry.snapshot());
        for tenant in registry.snapshot().tenants.values() {
            if let Some(limit) = &tenant.user_limit {
                limit.tidy();
            }
            if let Some(limit) = &tenant.tenant_limit {
                limit.tidy();
            }
        }
    }
}

/// Binds an address.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| ServeError::Bind(address, error))
}

/// Serves until `stop`, then lets calls under way finish, for at most ten seconds.
pub async fn listen(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    Ok(host::plain::listen(listener, router, stop).await?)
}

/// Why a store has stopped for good. A remote one that is away may come back: that ends no process.
pub fn stopped(store: &dyn Store) -> Option<String> {
    store.health().failure.filter(|_| !store.is_remote())
}

/// Resolves when the process is asked to stop, or the store has stopped for good. It listens from this call on, so make it
/// before anyone is told that the process is there; within a runtime.
pub fn asked_to_stop(store: Arc<dyn Store>) -> impl Future<Output = ()> + Send + 'static {
    let asked = host::stop_signal();
    async move { stop_of(store, asked).await }
}

async fn stop_of(store: Arc<dyn Store>, asked: impl Future<Output = ()>) {
    let failed = async {
        let mut every = tokio::time::interval(Duration::from_millis(200));
        while stopped(&*store).is_none() {
            every.tick().await;
        }
    };
    tokio::select! {
        () = asked => {}
        () = failed => {}
    }
}

/// An error with its causes, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut at = error.source();
    while let Some(cause) = at {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        at = cause.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redis_is_chosen_where_one_is_named() {
        let data = Path::new("data");
        let embedded = StoreChoice::Embedded("data".into());
        for none in [None, Some("")] {
            assert_eq!(StoreChoice::of(none, data).unwrap(), embedded);
        }
        assert_eq!(embedded.to_string(), "data");
        let redis = StoreChoice::of(Some("redis://127.0.0.1:6379"), data).unwrap();
        assert!(matches!(redis, StoreChoice::Redis { .. }));
        assert_eq!(redis.to_string(), "redis://127.0.0.1:6379");
        assert!(StoreChoice::of(Some("postgres://127.0.0.1"), data).is_err());
    }
}
