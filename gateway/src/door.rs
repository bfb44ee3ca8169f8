//! The public door: how often, then where to. Knows activities by the name a campaign carries and functions by a table
//! it is handed; holds no rule.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use function::client::FloodKey;
use function::http::{Function, edge_problem_in};
use function::problem::{Code, Problem};
use function::registry::Registry;
use function::served::TenantShell;
use function::telemetry::meters::rejection;
use limit::{Limiter, MAX_KEYS, Quota};

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

/// Functions by the activity they serve.
pub type Functions = BTreeMap<&'static str, Function>;

struct Door {
    registry: Arc<Registry>,
    functions: Functions,
    flood: Option<Limiter<FloodKey>>,
    bounds: Bounds,
    under_way: AtomicUsize,
}

/// The public router in front of `functions`.
pub fn router(registry: Arc<Registry>, functions: Functions) -> Router {
    router_within(registry, functions, Bounds::default())
}

/// The same within other bounds.
pub fn router_within(registry: Arc<Registry>, functions: Functions, bounds: Bounds) -> Router {
    let flood =
        Quota::new(bounds.flood.0, bounds.flood.1).map(|quota| Limiter::new(quota, MAX_KEYS));
    let door = Door {
        registry,
        functions,
        flood,
        bounds,
        under_way: AtomicUsize::new(0),
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
    if let Err(problem) = door.flood(tenant, &request) {
        return refuse(&request, problem);
    }
    if let Err(problem) = quota(tenant).await {
        return refuse(&request, problem);
    }
    let Some(function) = door.function(tenant, request.uri().path()) else {
        return refuse(&request, Problem::new(Code::Internal));
    };
    function.call(request).await
}

impl Door {
    /// How often one address may call.
    fn flood(&self, tenant: Option<&Arc<TenantShell>>, request: &Request) -> Result<(), Problem> {
        if let Some(flood) = &self.flood {
            let decision = flood.check(&FloodKey::from(client(tenant, request)));
            if !decision.allowed {
                return Err(Problem::new(Code::RateLimited).retry_after(decision.retry_after_secs));
            }
        }
        Ok(())
    }

    /// The function of the path's campaign. Paths of no campaign go to any of them: all answer those alike.
    fn function(&self, tenant: Option<&Arc<TenantShell>>, path: &str) -> Option<&Function> {
        let campaign = path.split('/').nth(3);
        let served = tenant
            .zip(campaign)
            .and_then(|(tenant, campaign)| tenant.campaigns.get(campaign));
        let activity = served
            .and_then(|served| served.newest())
            .map(|campaign| &*campaign.activity);
        activity
            .and_then(|activity| self.functions.get(activity))
            .or_else(|| self.functions.values().next())
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

/// The client's address: the peer's, or what the tenant's trusted proxies say.
fn client(tenant: Option<&Arc<TenantShell>>, request: &Request) -> IpAddr {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0.ip());
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    tenant.map_or(peer, |tenant| {
        tenant.proxies.client(peer, request.headers())
    })
}

/// A call's place among those under way; given back when the call is over, or its client gone.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(under_way: &'a AtomicUsize, most: usize) -> Option<Self> {
        if under_way.fetch_add(1, Ordering::AcqRel) < most {
            Some(Self(under_way))
        } else {
            under_way.fetch_sub(1, Ordering::AcqRel);
            None
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
