//! The public door: how often, then where to. Knows activities by the name a campaign carries and functions by tables
//! it is handed, of those in this process and of those elsewhere; holds no rule.

mod address;
mod body;
mod client;
mod dial;
mod headers;
mod health;
mod place;
mod remote;
mod routes;
mod upstream;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use function::client::FloodKey;
use function::http::{Function, edge_problem_in};
use function::problem::{Code, Problem};
use function::registry::Registry;
use function::served::{Snapshot, TenantShell};
use function::telemetry::meters::{UnderWay, rejection};
use function::trace::Trace;
use limit::{Limiter, MAX_KEYS, Quota};

pub use address::{Address, NotAnAddress, Speaks};
pub use remote::{Ask, Asks, NotCallable, Patience, Remote};
pub use routes::{NotARoute, Routes};

use client::Client;
use place::Place;

/// What one process takes on.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How many calls may be under way at once; more are refused at once, which costs less than keeping them waiting.
    pub under_way: usize,
    /// How often one address may call, a second and at once: high, since a whole school may sit behind it.
    pub flood: (u32, u32),
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            under_way: 8192,
            flood: (100_000, 200_000),
        }
    }
}

/// Functions in this process by the activity they serve.
pub type Functions = BTreeMap<&'static str, Function>;

/// Functions elsewhere by the activity they serve.
pub type Remotes = BTreeMap<&'static str, Arc<Remote>>;

/// What is not in this process.
#[derive(Debug, Default)]
pub struct Elsewhere {
    /// Functions of activities.
    pub functions: Remotes,
    /// Servers that are not ours, by path.
    pub routes: Routes,
}

struct Door {
    registry: Arc<Registry>,
    functions: Functions,
    elsewhere: Elsewhere,
    flood: Option<Limiter<FloodKey>>,
    bounds: Bounds,
    under_way: AtomicUsize,
    /// The same, to be seen.
    shown: UnderWay,
}

/// The public router in front of `functions`.
pub fn router(registry: Arc<Registry>, functions: Functions) -> Router {
    router_within(registry, functions, Bounds::default())
}

/// The same within other bounds.
pub fn router_within(registry: Arc<Registry>, functions: Functions, bounds: Bounds) -> Router {
    router_to(registry, functions, Elsewhere::default(), bounds)
}

/// The same, with activities whose functions run elsewhere, and other servers' paths. The functions go before a function of this process for the same activity,
/// which is still wanted: paths of no campaign (health, the API's description, addresses that lead nowhere) are answered here,
/// whatever is the matter elsewhere.
pub fn router_to(
    registry: Arc<Registry>,
    functions: Functions,
    elsewhere: Elsewhere,
    bounds: Bounds,
) -> Router {
    let flood =
        Quota::new(bounds.flood.0, bounds.flood.1).map(|quota| Limiter::new(quota, MAX_KEYS));
    let door = Door {
        registry,
        functions,
        elsewhere,
        flood,
        bounds,
        under_way: AtomicUsize::new(0),
        shown: UnderWay::new(),
    };
    Router::new().fallback(enter).with_state(Arc::new(door))
}

async fn enter(State(door): State<Arc<Door>>, request: Request) -> Response {
    let snapshot = door.registry.snapshot();
    let tenant = snapshot.of_path(request.uri().path());
    // Handed the request anew each time: a body can't be looked at from two threads, so no reference may outlive a wait.
    let refuse = |request: &Request, problem: Problem| {
        if let Some(tenant) = tenant {
            // Which campaign it was for is not looked at: this is where calls must cost least.
            rejection(&tenant.tenant.id, "", problem.code());
        }
        edge_problem_in(&snapshot, problem, request.uri(), request.headers())
    };
    let Some(_place) = Place::take(&door.under_way, door.bounds.under_way) else {
        return refuse(&request, Problem::new(Code::Overloaded));
    };
    let _shown = door.shown.enter();
    if let Err(problem) = door.flood(tenant, &request) {
        return refuse(&request, problem);
    }
    if let Err(problem) = quota(tenant).await {
        return refuse(&request, problem);
    }
    match door.way(tenant, request.uri().path()) {
        Some(Way::Here(function)) => function.call(request).await,
        // Boxed, so that calls that stay here have nothing to carry of it.
        Some(Way::Elsewhere(remote)) => {
            Box::pin(elsewhere(remote, &snapshot, tenant, request)).await
        }
        None => refuse(&request, Problem::new(Code::Internal)),
    }
}

async fn elsewhere(
    remote: &Remote,
    snapshot: &Snapshot,
    tenant: Option<&Arc<TenantShell>>,
    request: Request,
) -> Response {
    let client = Client::of(tenant, &request);
    let (mut parts, body) = request.into_parts();
    // Whoever answers, the function or the door, the call has one id.
    let trace = Trace::from_headers(&parts.headers);
    trace.write(&mut parts.headers);
    match remote.call(&parts, body, &client, &trace).await {
        Ok(answer) => answer,
        Err(problem) => {
            if let Some(tenant) = tenant {
                rejection(&tenant.tenant.id, "", problem.code());
            }
            edge_problem_in(snapshot, problem, &parts.uri, &parts.headers)
        }
    }
}

/// Where a call goes.
enum Way<'a> {
    Here(&'a Function),
    Elsewhere(&'a Arc<Remote>),
}

impl Door {
    /// How often one address may call.
    fn flood(&self, tenant: Option<&Arc<TenantShell>>, request: &Request) -> Result<(), Problem> {
        if let Some(flood) = &self.flood {
            let decision = flood.check(&FloodKey::from(client::address(tenant, request)));
            if !decision.allowed {
                return Err(Problem::new(Code::RateLimited).retry_after(decision.retry_after_secs));
            }
        }
        Ok(())
    }

    /// The way to the function of the path's campaign. Paths of no campaign go to any function here: all answer those alike.
    fn way(&self, tenant: Option<&Arc<TenantShell>>, path: &str) -> Option<Way<'_>> {
        if let Some(server) = self.elsewhere.routes.of(path) {
            return Some(Way::Elsewhere(server));
        }
        let campaign = path.split('/').nth(3);
        let served = tenant
            .zip(campaign)
            .and_then(|(tenant, campaign)| tenant.campaigns.get(campaign));
        let activity = served
            .and_then(|served| served.newest())
            .map(|campaign| &*campaign.activity);
        if let Some(remote) = activity.and_then(|activity| self.elsewhere.functions.get(activity)) {
            return Some(Way::Elsewhere(remote));
        }
        activity
            .and_then(|activity| self.functions.get(activity))
            .or_else(|| self.functions.values().next())
            .map(Way::Here)
    }
}

/// The tenant's quota, after the address: over all processes where the store is shared.
async fn quota(tenant: Option<&Arc<TenantShell>>) -> Result<(), Problem> {
    let Some(limit) = tenant.and_then(|tenant| tenant.tenant_limit.as_ref()) else {
        return Ok(());
    };
    let decision = limit.check().await;
    if decision.allowed {
        return Ok(());
    }
    let mut problem = Problem::new(Code::RateLimited).retry_after(decision.retry_after_secs);
    let headers = [
        ("ratelimit-policy", limit.quota().policy("tenant")),
        ("ratelimit", decision.rate_limit("tenant")),
    ];
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            problem = problem.header(HeaderName::from_static(name), value);
        }
    }
    Err(problem)
}
