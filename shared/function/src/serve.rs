//! A function as a process of its own, over plain HTTP: load, bind when ready, serve, stop without dropping anyone.
//! Other hosts' protocols come in as adapters beside this one.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use campaign::Activity;
use store::{Embedded, Store};
use tokio::net::TcpListener;

use crate::clock::SystemClock;
use crate::http::{Shell, router};
use crate::identity::{Cache, cache};
use crate::registry::{Registry, Report, stamp};
use crate::sweep;
use crate::telemetry::{AccessLog, Format, init_logs};

/// How often the configs folder and the store are looked at for changes.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long a stop waits for calls under way.
const DRAIN: Duration = Duration::from_secs(10);

/// One in how many calls is logged when nothing else is said.
pub const ACCESS_LOG_EVERY: u32 = 100;

/// Why a process could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The store can't be opened.
    #[error(transparent)]
    Store(#[from] store::embedded::OpenError),
    /// The configs can't be loaded.
    #[error(transparent)]
    Load(#[from] crate::registry::LoadError),
    /// The address can't be listened on.
    #[error("can't listen on {0}: is something else using it? Give another address with --listen")]
    Bind(SocketAddr, #[source] std::io::Error),
    /// The runtime or a socket failed.
    #[error("the process can't serve")]
    Io(#[from] std::io::Error),
    /// The store stopped while serving.
    #[error("the store has stopped: {0}; start again, and what was answered will be there")]
    Stopped(String),
}

/// What every serving process is made of.
pub struct Process {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// What is served.
    pub registry: Arc<Registry>,
    /// What the first load did.
    pub report: Report,
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process")
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}

/// Opens the embedded store in `data` and loads `configs` into it.
pub async fn open(
    configs: &Path,
    data: &Path,
    activities: &[&'static dyn Activity],
) -> Result<Process, ServeError> {
    let folder = data.to_owned();
    let opened = tokio::task::spawn_blocking(move || store::embedded::open(&folder)).await;
    let embedded: Embedded = opened.map_err(std::io::Error::other)??;
    let store: Arc<dyn Store> = Arc::new(embedded);
    let registry = Arc::new(Registry::new(
        configs,
        activities,
        store.clone(),
        Arc::new(SystemClock),
    ));
    let report = registry.load().await?;
    Ok(Process {
        store,
        registry,
        report,
    })
}

impl Process {
    /// The shell of one activity's function, or of all.
    pub fn shell(&self, activity: Option<&'static str>, access_log_every: u32) -> Arc<Shell> {
        Arc::new(Shell {
            registry: self.registry.clone(),
            store: self.store.clone(),
            clock: Arc::new(SystemClock),
            tokens: Cache::new(cache::MAX_ENTRIES),
            access: AccessLog::new(access_log_every),
            activity,
        })
    }

    /// Starts what runs beside the requests: the sweep, the watch over configs and store, the tidying of limits.
    pub fn spawn_background(&self) {
        tokio::spawn(sweep::run(self.shell(None, 0)));
        tokio::spawn(watch(self.registry.clone(), self.store.clone()));
        tokio::spawn(tidy(self.registry.clone()));
    }
}

/// Loads the folder again when a file changes, and the store's word when that changes.
async fn watch(registry: Arc<Registry>, store: Arc<dyn Store>) {
    let look = |dir: PathBuf| async move {
        tokio::task::spawn_blocking(move || stamp(&dir).ok())
            .await
            .ok()
            .flatten()
    };
    let mut changes = store.changes();
    let mut every = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            _ = every.tick() => {
                let now = look(registry.folder().to_owned()).await;
                if now.is_none_or(|now| registry.has_seen(&now)) {
                    continue;
                }
                match registry.load().await {
                    Ok(report) => tell(&report),
                    Err(error) => tracing::error!(%error, "the configs could not be loaded again"),
                }
            }
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
                if let Err(error) = registry.refresh().await {
                    tracing::error!(%error, "what is live could not be read from the store");
                }
            }
        }
    }
}

/// Logs what a reload did.
fn tell(report: &Report) {
    for (tenant, campaign, revision) in &report.published {
        tracing::info!(tenant, campaign, revision, "published a changed file");
    }
    let errors = report
        .diagnostics
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
    for problem in &report.problems {
        tracing::error!("{problem}");
    }
}

/// Gives back the memory of users who have not called lately.
async fn tidy(registry: Arc<Registry>) {
    let mut every = tokio::time::interval(Duration::from_secs(10));
    loop {
        every.tick().await;
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
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let listener = listener.tap_io(|stream| {
        // Answers are small and written whole: waiting to fill a segment only adds latency.
        let _ = stream.set_nodelay(true);
    });
    let served = axum::serve(
        listener,
        router.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(async move {
        stop.await;
        let _ = stopping.send(());
    });
    tokio::select! {
        served = async move { served.await } => Ok(served?),
        () = async {
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(DRAIN).await;
        } => {
            tracing::warn!("some calls did not finish in time; their outcome is in the store, the same key finds it");
            Ok(())
        }
    }
}

/// Resolves when the process is asked to stop, or the store has stopped.
pub async fn asked_to_stop(store: Arc<dyn Store>) {
    let failed = async {
        let mut every = tokio::time::interval(Duration::from_millis(200));
        while store.health().failure.is_none() {
            every.tick().await;
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated() => {}
        () = failed => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            terminate.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

/// Runs one activity as a function over plain HTTP: the whole of its `main`.
///
/// Reads `GALA_CONFIGS` (unset: `configs`), `GALA_DATA` (unset: `data`), `PORT` (unset: 8080).
pub fn serve(activity: &'static dyn Activity) -> ExitCode {
    match run(activity) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = chain(&error), "the function stops");
            ExitCode::FAILURE
        }
    }
}

fn run(activity: &'static dyn Activity) -> Result<(), ServeError> {
    // Whoever hosts a function collects its log; a second start in one process is a test's.
    let _ = init_logs(Format::Json, "info");
    let folder = |name: &str, default: &str| {
        std::env::var_os(name).map_or_else(|| PathBuf::from(default), PathBuf::from)
    };
    let port = std::env::var("PORT")
        .ok()
        .and_then(|port| port.parse().ok())
        .unwrap_or(8080);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let configs = folder("GALA_CONFIGS", "configs");
        let process = open(&configs, &folder("GALA_DATA", "data"), &[activity]).await?;
        tell(&process.report);
        process.spawn_background();
        let listener = bind(SocketAddr::from(([0, 0, 0, 0], port))).await?;
        tracing::info!(activity = activity.id(), address = %listener.local_addr()?, "ready");
        let shell = process.shell(Some(activity.id()), ACCESS_LOG_EVERY);
        let store = process.store.clone();
        listen(listener, router(shell), asked_to_stop(store.clone())).await?;
        match store.health().failure {
            Some(why) => Err(ServeError::Stopped(why)),
            None => Ok(()),
        }
    })
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
