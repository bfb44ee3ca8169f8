//! The admin API: what ops staff see and do, with role-bound tokens, on an address of its own (loopback by default).
//!
//! Every route stands in [`ROUTES`] with the roles that may use it, and there is one way in (`gate`): identity, role,
//! body, and only then the deed. Changes go through `Store::admin`, which books each into the tenant's audit.
//!
//! The listener must hand over the peer's address (`into_make_service_with_connect_info::<SocketAddr>`): without it
//! nobody counts as local, and a backup is refused.

mod backup;
mod codes;
mod draft;
mod figures;
mod find;
mod gate;
mod grants;
mod history;
mod ledger;
mod lines;
mod lists;
mod measures;
mod metrics;
mod parked;
mod preview;
mod process;
mod raffle;
mod read;
mod reconcile;
mod release;
mod review;
mod revise;
mod routes;
pub mod row;
mod settlement;
mod simulate;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodFilter, get, on};
use function::clock::{Clock, SystemClock};
use function::http::Shell;
use function::identity::Cache;
use function::registry::Registry;
use function::telemetry::{AccessLog, PrometheusHandle};
use store::Store;
use tokio::sync::Semaphore;

pub use routes::{Deed, ROUTES, Route, Verb};

/// The largest body of an admin call, in bytes.
pub const BODY_BYTES: usize = 16 * 1024;

/// The largest body of a publish, which may hold a campaign's file, in bytes.
pub const DOCUMENT_BYTES: usize = 1024 * 1024;

/// How many bytes posters add to a body that carries them: those that a revision may have, as text in JSON.
pub const POSTERS_BYTES: usize = 4 * 1024 * 1024;

/// How many forecasts are made at once: one fills a core.
const FORECASTS: usize = 1;

/// How many calls may read the log from disk at once: staff must not slow players down.
const READERS: usize = 4;

/// What the admin API needs.
pub struct Desk {
    pub(crate) registry: Arc<Registry>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Option<PrometheusHandle>,
    pub(crate) readers: Arc<Semaphore>,
    pub(crate) forecasts: Arc<Semaphore>,
}

impl Desk {
    /// A desk over what is served and where it is kept. Without a handle `/metrics` is not found.
    pub fn new(
        registry: Arc<Registry>,
        store: Arc<dyn Store>,
        metrics: Option<PrometheusHandle>,
    ) -> Self {
        Self {
            registry,
            store,
            clock: Arc::new(SystemClock),
            metrics,
            readers: Arc::new(Semaphore::new(READERS)),
            forecasts: Arc::new(Semaphore::new(FORECASTS)),
        }
    }

    /// What tells a parked event again: of every activity, and without what calls of the public need.
    pub(crate) fn shell(&self) -> Shell {
        Shell {
            registry: self.registry.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            tokens: Cache::new(1),
            seen: Arc::default(),
            access: AccessLog::new(0),
            activity: None,
        }
    }

    /// The same by another clock.
    #[must_use]
    pub fn by_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}

/// The routes of the admin address.
pub fn router(desk: Desk) -> Router {
    let open = Router::new()
        .route("/metrics", get(metrics::scrape))
        .route("/healthz", get(gate::healthz));
    let guarded = ROUTES.iter().fold(open, |router, route| {
        let enter = move |desk, params, request| gate::enter(route, desk, params, request);
        let filter = match route.verb {
            Verb::Get => MethodFilter::GET,
            Verb::Post => MethodFilter::POST,
            Verb::Put => MethodFilter::PUT,
            Verb::Delete => MethodFilter::DELETE,
        };
        router.route(route.path, on(filter, enter))
    });
    guarded
        .fallback(gate::nowhere)
        .method_not_allowed_fallback(gate::not_that_way)
        .with_state(Arc::new(desk))
}
