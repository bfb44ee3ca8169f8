//! The function as an axum router. Routes read as a table; what each does stands in the files beside this one.

mod answer;
mod context;
mod events;
mod function;
mod looks;
mod open;
mod openapi;
mod parked;
mod posters;
mod triggers;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use store::Store;

use crate::clock::Clock;
use crate::engine::LastSeen;
use crate::identity::Cache;
use crate::registry::Registry;
use crate::telemetry::AccessLog;

pub use context::{edge_problem, edge_problem_in};
pub use events::read_body;
pub use function::Function;
pub use openapi::{Api, openapi_json};
pub use parked::retell;
pub use triggers::events_router;

/// The largest body of an event, in bytes.
pub const BODY_BYTES: usize = 16 * 1024;

/// How long a call may take, once it is read, before it is answered `outcome-unknown` or `store-unavailable`: all it does
/// in the store together.
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
    /// Participants as this process saw them last; one for all its functions.
    pub seen: Arc<LastSeen>,
    /// The log of calls.
    pub access: AccessLog,
    /// The activity that this function serves; none: all of them.
    pub activity: Option<&'static str>,
}

impl std::fmt::Debug for Shell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shell")
            .field("activity", &self.activity)
            .finish_non_exhaustive()
    }
}

type Shared = axum::extract::State<Arc<Shell>>;

/// The routes of a function.
pub fn router(shell: Arc<Shell>) -> Router {
    let routes: [(&str, MethodRouter<Arc<Shell>>); 7] = [
        ("/v1/{tenant}/{campaign}", get(looks::view)),
        ("/v1/{tenant}/{campaign}/public", get(open::public)),
        ("/v1/{tenant}/{campaign}/rules", get(open::rules)),
        ("/v1/{tenant}/{campaign}/grants", get(looks::grants)),
        (
            "/v1/{tenant}/{campaign}/poster/{template}",
            get(posters::poster),
        ),
        (
            "/v1/{tenant}/{campaign}/events/{event}",
            post(events::event),
        ),
        (
            "/v1/{tenant}/{campaign}/users/{user}/events/{event}",
            post(events::backend_event),
        ),
    ];
    let mut router = Router::new()
        .route("/healthz", get(open::healthz))
        .route("/readyz", get(open::readyz))
        .route("/openapi.json", get(open::openapi));
    for (path, route) in routes {
        router = router.route(path, route.options(open::preflight));
    }
    router
        .fallback(open::nowhere)
        .method_not_allowed_fallback(open::not_that_way)
        .layer(map_response(secured))
        .with_state(shell)
}

/// What keeps a browser from taking an answer for anything but data.
async fn secured(mut response: Response) -> Response {
    context::secure(response.headers_mut());
    response
}
