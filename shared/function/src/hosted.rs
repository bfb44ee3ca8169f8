//! One activity as a program of its own, on whatever host it finds itself. What the host speaks is the business of the crate `host`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use campaign::Activity;
use host::{App, BasePath, Host};

use crate::http::{Shell, events_router, router};
use crate::preload::{Phases, Start, preload};
use crate::serve::{ACCESS_LOG_EVERY, ServeError, asked_to_stop, chain, stopped, tell};
use crate::signed::{GatewayKey, KeyError, behind_gateway};
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
    /// `GALA_GATEWAY_KEY` can't be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The host failed.
    #[error(transparent)]
    Run(#[from] host::NotRun),
}

/// Runs one activity as a function, on whatever host it finds itself: the whole of its `main`.
///
/// Reads `GALA_HOST` (unset: found from the environment), what [`Start::from_env`] says, `GALA_GATEWAY_KEY` (unset: no gateway is
/// believed), `GALA_BASE_PATH` (where it is mounted; unset: at the root), `GALA_EVENT_KEY` (who has it may send CloudEvents over HTTP;
/// unset: nobody), and over plain HTTP `PORT` (unset: 8080).
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
    let host = Host::find(variable)?;
    let key = GatewayKey::from_env()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let all = activities.to_vec();
    runtime.block_on(async move {
        // On a worker and not on this thread: there, what the store and the network say wakes no other thread up.
        let begun = tokio::spawn(begin(all, only, host, key));
        begun.await.map_err(std::io::Error::other)?
    })
}

async fn begin(
    activities: Vec<&'static dyn Activity>,
    only: Option<&'static str>,
    host: Host,
    key: Option<GatewayKey>,
) -> Result<(), NotServed> {
    let start = Start::from_env()?;
    let process = match preload(&start, &activities).await {
        Ok(process) => process,
        Err(error) => {
            told_to(host, &error).await;
            return Err(error.into());
        }
    };
    tell(&process.report);
    for differs in &process.report.differs {
        tracing::info!("{differs}");
    }
    process.spawn_background();
    let app = app(process.shell(only, ACCESS_LOG_EVERY), key)?;
    let stop = asked_to_stop(process.store.clone());
    let took = process.took;
    let ready = |at: &str| ready(only.unwrap_or("all"), host, at, &start, &took);
    host::run(app, host, None, stop, ready).await?;
    match stopped(&*process.store) {
        Some(why) => Err(ServeError::Stopped(why).into()),
        None => Ok(()),
    }
}

/// Tells a host why its function can't begin, where it has an ear for that.
async fn told_to(host: Host, why: &ServeError) {
    if host == Host::Lambda
        && let Ok(settings) = host::lambda::Settings::of(variable)
    {
        // Whoever does not hear it sees the process end.
        let _ = host::lambda::fail_to_begin(&settings, &chain(why)).await;
    }
}

/// Says that the function is there, and what it waited for.
fn ready(activity: &str, host: Host, at: &str, start: &Start, took: &Phases) {
    let us = |took: Duration| u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    tracing::info!(
        activity,
        %host,
        address = at,
        store = %start.store,
        configs = %start.configs,
        total_us = us(took.total),
        store_us = us(took.store),
        scripts_us = us(took.warm),
        configs_us = us(took.configs),
        campaigns_us = us(took.live),
        "ready in {took}"
    );
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The function as every host runs it.
fn app(shell: Arc<Shell>, key: Option<GatewayKey>) -> Result<App, NotServed> {
    let base_path: BasePath = variable("GALA_BASE_PATH").unwrap_or_default().parse()?;
    // The host has put the client's address there by now; a gateway's word on it comes before that.
    let public = behind_gateway(router(shell.clone()), key, shell.clock.clone());
    let app = App::new(public)
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
