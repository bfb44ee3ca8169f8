//! The function as an axum router. Routes read as a table; what each does stands in `handlers`.

mod answer;
mod context;
mod handlers;
mod openapi;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use store::Store;

use crate::clock::Clock;
use crate::identity::Cache;
use crate::registry::Registry;
use crate::telemetry::AccessLog;

pub use context::edge_problem;
pub use openapi::{Api, openapi_json};

/// The largest body of an event, in bytes.
pub const BODY_BYTES: usize = 16 * 1024;

/// How long a call may take before it is answered `outcome-unknown` or `store-unavailable`.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(2);

/// What a function needs to answer calls.
pub struct Shell {
    /// What is served.
    pub registry: Arc<Registry>,
    /// Where it is kept.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Tokens that were found good.
    pub tokens: Cache,
    /// The log of calls.
    pub access: AccessLog,
    /// The activity that this function serves; none: all of them.
    pub activity: Option<&'static str>,
}

impl std::fmt::Debug for Shell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shell").field("activity", &self.activity).finish_non_exhaustive()
    }
}

/// The routes of a function.
pub fn router(shell: Arc<Shell>) -> Router {
    Router::new()
        .route("/v1/{tenant}/{campaign}", get(handlers::view).options(handlers::preflight))
        .route("/v1/{tenant}/{campaign}/public", get(handlers::public).options(handlers::preflight))
        .route("/v1/{tenant}/{campaign}/rules", get(handlers::rules).options(handlers::preflight))
        .route("/v1/{tenant}/{campaign}/grants", get(handlers::grants).options(handlers::preflight))
        .route(
            "/v1/{tenant}/{campaign}/events/{event}",
            post(handlers::event).options(handlers::preflight),
        )
        .route(
            "/v1/{tenant}/{campaign}/users/{user}/events/{event}",
            post(handlers::backend_event),
        )
        .route("/healthz", get(handlers::healthz))
        .route("/readyz", get(handlers::readyz))
        .route("/openapi.json", get(handlers::openapi))
        .fallback(handlers::nowhere)
        .method_not_allowed_fallback(handlers::not_that_way)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(shell)
}
