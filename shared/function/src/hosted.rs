//! One activity as a program of its own, on whatever host it finds itself. What the host speaks is the business of the crate `host`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use campaign::Activity;
use host::{App, BasePath, Host};

use crate::http::{Shell, events_router, router};
use crate::serve::{
    ACCESS_LOG_EVERY, ServeError, StoreChoice, asked_to_stop, bind, chain, open, stopped, tell,
};
use crate::telemetry::{Format, init_logs};
use crate::words::Problems;

/// Why a function could not start or go on.
#[derive(Debug, thiserror::Error)]
enum NotServed {
    /// As every serving process.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The runtime or a socket failed.
    #[error("the function can't serve")]
    Io(#[from] std::io::Error),
    /// `GALA_HOST` names none.
    #[error(transparent)]
    Host(#[from] host::NotAHost),
    /// `GALA_BASE_PATH` is none.
    #[error("GALA_BASE_PATH: {0}")]
    BasePath(#[from] host::NotABasePath),
    /// `PORT` is none.
    #[error("`{0}` is no port (PORT): it is a number from 1 to 65535")]
    Port(String),
    /// SCF's runtime interface failed.
    #[error(transparent)]
    Scf(#[from] host::scf::ApiError),
    /// A host that is not spoken yet.
    #[error("this build does not run on {0} yet")]
    NotYet(Host),
}

/// Runs one activity as a function, on whatever host it finds itself: the whole of its `main`.
///
/// Reads `GALA_HOST` (`http`, `scf-web`, `scf-event`; unset: found from the environment), `GALA_CONFIGS` (unset: `configs`),
/// `GALA_STORE` (the address of a Redis; unset: the embedded store), `GALA_DATA` (the embedded store's folder; unset: `data`),
/// `GALA_BASE_PATH` (where it is mounted; unset: at the root), `GALA_EVENT_KEY` (who has it may send CloudEvents over HTTP; unset:
/// nobody), and over plain HTTP `PORT` (unset: 8080).
pub fn serve(activity: &'static dyn Activity) -> ExitCode {
    serve_all(&[activity])
}

/// Runs several activities as one function, as [`serve`] runs one: where functions are few.
pub fn serve_all(activities: &[&'static dyn Activity]) -> ExitCode {
    match run(activities) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = chain(&error), "the function stops");
            ExitCode::FAILURE
        }
    }
}

fn run(activities: &[&'static dyn Activity]) -> Result<(), NotServed> {
    // A function of one activity does not know the others' campaigns.
    let only = match activities {
        [one] => Some(one.id()),
        _ => None,
    };
    // Whoever hosts a function collects its log; a second start in one process is a test's.
    let _ = init_logs(Format::Json, "info");
    let folder = |name: &str, default: &str| {
        std::env::var_os(name).map_or_else(|| PathBuf::from(default), PathBuf::from)
    };
    let host = Host::find(variable)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let configs = folder("GALA_CONFIGS", "configs");
        let address = variable("GALA_STORE");
        let choice = StoreChoice::of(address.as_deref(), &folder("GALA_DATA", "data"))
            .map_err(ServeError::from)?;
        let process = open(&configs, &choice, activities, false).await?;
        tell(&process.report);
        for differs in &process.report.differs {
            tracing::info!("{differs}");
        }
        process.spawn_background();
        let app = app(process.shell(only, ACCESS_LOG_EVERY))?;
        let stop = asked_to_stop(process.store.clone());
        let ready = |at: &str| {
            tracing::info!(activity = only.unwrap_or("all"), %host, at, store = %choice, "ready");
        };
        match host {
            Host::Http | Host::ScfWeb => {
                let listener = bind(address_on(host)?).await?;
                ready(&listener.local_addr()?.to_string());
                host::plain::serve(app, host, listener, stop).await?;
            }
            Host::ScfEvent => {
                let settings = host::scf::Settings::of(variable)?;
                ready(&settings.api);
                host::scf::run(app, &settings, stop).await?;
            }
            Host::Lambda => return Err(NotServed::NotYet(host)),
        }
        match stopped(&*process.store) {
            Some(why) => Err(ServeError::Stopped(why).into()),
            None => Ok(()),
        }
    })
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The function as every host runs it.
fn app(shell: Arc<Shell>) -> Result<App, NotServed> {
    let base_path: BasePath = variable("GALA_BASE_PATH").unwrap_or_default().parse()?;
    let app = App::new(router(shell.clone()))
        .with_events(events_router(shell))
        .with_words(Problems)
        .below(base_path);
    Ok(
        match variable("GALA_EVENT_KEY").filter(|key| !key.is_empty()) {
            Some(key) => app.with_event_key(&key),
            None => app,
        },
    )
}

/// Where a host expects HTTP: an SCF web function on one port always, others where `PORT` says.
fn address_on(host: Host) -> Result<SocketAddr, NotServed> {
    let port = match variable("PORT").filter(|_| host == Host::Http) {
        Some(text) => text.parse().map_err(|_| NotServed::Port(text))?,
        None if host == Host::Http => 8080,
        None => host::plain::SCF_PORT,
    };
    Ok(SocketAddr::from(([0, 0, 0, 0], port)))
}
