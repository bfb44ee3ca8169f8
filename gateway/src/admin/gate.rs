//! The one way in: who calls, whether their role may, what they sent, and then the deed.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use function::bearer;
use function::fingerprint::parse_payload;
use function::http::{CALL_TIMEOUT, edge_problem};
use function::identity::{Claims, Reason, Unauthenticated};
use function::problem::{Code, Problem};
use function::served::TenantShell;
use function::trace::Trace;
use machine::Millis;
use machine::hand::Amend;
use machine::ids::Pseudonym;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};
use store::Store;

use super::{
    Deed, Desk, ROUTES, Route, Verb, backup, codes, draft, grants, history, ledger, lists,
    measures, parked, read, reconcile, release, review, revise, settlement, simulate, write,
};

/// How long a read of the log may take.
pub(super) const SCAN_TIMEOUT: Duration = Duration::from_mins(1);

/// A call whose caller is known and whose role may.
#[derive(Debug)]
pub(super) struct Visit {
    pub desk: Arc<Desk>,
    pub tenant: Arc<TenantShell>,
    /// The staff member's `sub`.
    pub by: String,
    pub params: BTreeMap<String, String>,
    pub parts: Parts,
    pub body: Map<String, Json>,
    pub now: Millis,
    pub request_id: String,
}

/// Answers one call of a route.
pub(super) async fn enter(
    route: &'static Route,
    State(desk): State<Arc<Desk>>,
    params: Result<Path<BTreeMap<String, String>>, PathRejection>,
    request: Request,
) -> Response {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let trace = Trace::from_headers(&parts.headers);
    // One request has one id, also where the client sent none.
    let mut headers = parts.headers.clone();
    trace.write(&mut headers);
    let request_id = trace.request_id.as_str().to_owned();
    let mut seen = (String::new(), "");
    let answer = async {
        let params = params
            .map(|Path(params)| params)
            .map_err(|_| Problem::new(Code::NotFound))?;
        let now = desk.clock.now();
        let (tenant, claims) = identify(&desk, route, &params, &parts, now)?;
        seen.0.clone_from(&tenant.tenant.id);
        let role = claims
            .admin_role()
            .filter(|role| route.roles.contains(role));
        let role = role.ok_or_else(|| Problem::new(Code::Forbidden))?;
        seen.1 = role.as_str();
        let mut file = None;
        let body = match route.verb {
            Verb::Get | Verb::Delete => Map::new(),
            Verb::Put | Verb::Post if route.deed.takes_file() => {
                file = Some(body);
                Map::new()
            }
            Verb::Post | Verb::Put => {
                let bytes = to_bytes(body, route.deed.body_bytes())
                    .await
                    .map_err(|_| Problem::new(Code::PayloadTooLarge))?;
                if route.deed == Deed::SaveDraft && is_yaml(&parts.headers) {
                    Map::from_iter([("yaml".to_owned(), text(&bytes)?.into())])
                } else {
                    parse_payload(&bytes)?
                }
            }
        };
        let by = claims.sub;
        let visit = Visit {
            desk,
            tenant,
            by,
            params,
            parts,
            body,
            now,
            request_id: request_id.clone(),
        };
        act(route.deed, visit, file).await
    };
    let mut response = match answer.await {
        Ok(mut response) => {
            trace.write(response.headers_mut());
            response
                .headers_mut()
                .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(problem) => edge_problem(problem, &headers),
    };
    trace.write(response.headers_mut());
    let (tenant, role) = seen;
    let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    tracing::info!(target: "admin", request_id, tenant, role, deed = ?route.deed, status = response.status().as_u16(), took_us,
        "{} {} answered {}", route.verb.as_str(), route.path, response.status().as_u16());
    response
}

/// What each deed does. No deed is reached but through here.
async fn act(deed: Deed, visit: Visit, file: Option<Body>) -> Result<Response, Problem> {
    match deed {
        Deed::Campaigns => read::campaigns(&visit).await,
        Deed::Stats => super::figures::stats(&visit).await,
        Deed::Raffle => super::raffle::raffle(&visit).await,
        Deed::Revisions => read::revisions(&visit).await,
        Deed::Revision => read::revision(&visit).await,
        Deed::Seed => read::seed(&visit).await,
        Deed::Ledger => ledger::ledger(visit).await,
        Deed::Audit => read::audit(&visit).await,
        Deed::History => history::history(&visit).await,
        Deed::Stock => write::stock(&visit).await,
        Deed::StopReward => measures::stop_reward(&visit).await,
        Deed::StartReward => measures::start_reward(&visit).await,
        Deed::PauseTenant => measures::pause_tenant(&visit).await,
        Deed::ResumeTenant => measures::resume_tenant(&visit).await,
        Deed::Block => measures::block(&visit).await,
        Deed::Unblock => measures::unblock(&visit).await,
        Deed::Notice => measures::notice(&visit).await,
        Deed::Grant => grants::by_hand(&visit).await,
        Deed::Hold => grants::amend(&visit, Amend::Hold).await,
        Deed::Release => grants::amend(&visit, Amend::Release).await,
        Deed::Void => grants::amend(&visit, Amend::Void).await,
        Deed::Settlement => settlement::settlement(&visit).await,
        Deed::Pause => write::pause(&visit).await,
        Deed::Resume => write::resume(&visit).await,
        Deed::MoveClock => write::move_clock(&visit).await,
        Deed::Backup => backup::backup(&visit).await,
        Deed::Check => revise::check(&visit).await,
        Deed::Publish => revise::publish(&visit).await,
        Deed::Rollback => revise::rollback(&visit).await,
        Deed::Share => release::share(&visit).await,
        Deed::Pools => codes::all(&visit).await,
        Deed::PutCodes => codes::put(&visit, file.unwrap_or_default()).await,
        Deed::Lists => lists::all(&visit).await,
        Deed::PutList => lists::put(&visit, file.unwrap_or_default()).await,
        Deed::DropList => lists::drop(&visit).await,
        Deed::Purge => revise::purge(&visit).await,
        Deed::Preview => super::preview::link(&visit),
        Deed::Reconcile => reconcile::reconcile(&visit).await,
        Deed::Parked => parked::list(&visit).await,
        Deed::ParkedEvent => parked::one(&visit).await,
        Deed::RetryParked => parked::retry(&visit).await,
        Deed::DropParked => parked::give_up(&visit).await,
        Deed::Draft => draft::show(&visit).await,
        Deed::SaveDraft => draft::save(&visit).await,
        Deed::DropDraft => draft::discard(&visit).await,
        Deed::ApproveDraft => review::approve(&visit).await,
        Deed::ObjectDraft => review::object(&visit).await,
        Deed::CancelPublish => draft::cancel(&visit).await,
        Deed::Simulate => simulate::simulate(&visit).await,
    }
}

/// Whether a body is a campaign's file as it is.
fn is_yaml(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next();
    matches!(
        kind.unwrap_or_default().trim(),
        "application/yaml" | "application/x-yaml" | "text/yaml" | "text/x-yaml"
    )
}

fn text(bytes: &[u8]) -> Result<String, Problem> {
    let not_text = |_| {
        let problem = Problem::new(Code::BadRequest);
        problem.with("problem", "the file is not UTF-8")
    };
    String::from_utf8(bytes.to_vec()).map_err(not_text)
}

/// Who calls, by a token for the admin door of the path's tenant; where the path names none, of any tenant.
///
/// A tenant that does not exist looks like a token that is not good: names cannot be tried out here.
fn identify(
    desk: &Desk,
    route: &Route,
    params: &BTreeMap<String, String>,
    parts: &Parts,
    now: Millis,
) -> Result<(Arc<TenantShell>, Claims), Problem> {
    let token = bearer::token(&parts.headers)?;
    let snapshot = desk.registry.snapshot();
    let verify = |tenant: &Arc<TenantShell>| {
        let claims = tenant.admins.verify(token, now / 1000)?;
        Ok((tenant.clone(), claims))
    };
    let of_any = Err(Unauthenticated::from(Reason::WrongAudience));
    let found = if route.path.contains("{tenant}") {
        let named = params
            .get("tenant")
            .and_then(|tenant| snapshot.tenants.get(tenant));
        named.map_or(of_any, verify)
    } else {
        snapshot
            .tenants
            .values()
            .map(verify)
            .find(Result::is_ok)
            .unwrap_or(of_any)
    };
    found.map_err(Problem::from)
}

impl Visit {
    /// The store.
    pub fn store(&self) -> &dyn Store {
        &*self.desk.store
    }

    /// The tenant's id.
    pub fn tenant_id(&self) -> &str {
        &self.tenant.tenant.id
    }

    /// A part of the path.
    pub fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// The user of the path: a member id, or `pseudonym:` with the 32 digits that ledgers name a user by.
    pub fn user(&self) -> Pseudonym {
        let user = self.param("user");
        let named = user.strip_prefix("pseudonym:").map(str::parse);
        match named {
            Some(Ok(pseudonym)) => pseudonym,
            Some(Err(_)) | None => self.tenant.pseudonym(user),
        }
    }

    /// The query; a parameter that nobody knows is a slip of the pen, and is refused.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        Query::try_from_uri(&self.parts.uri)
            .map(|Query(query)| query)
            .map_err(|error| Problem::new(Code::BadRequest).with("problem", reason(&error)))
    }

    /// The body; a field that nobody knows is refused.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_value(Json::Object(self.body.clone()))
            .map_err(|error| Problem::new(Code::InvalidPayload).with("problem", error.to_string()))
    }

    /// What the store says, if it says it soon.
    pub async fn soon<T>(
        &self,
        later: impl Future<Output = Result<T, store::Error>>,
    ) -> Result<T, Problem> {
        self.within(CALL_TIMEOUT, later).await
    }

    /// What the store says, if it says it within so long.
    pub async fn within<T>(
        &self,
        most: Duration,
        later: impl Future<Output = Result<T, store::Error>>,
    ) -> Result<T, Problem> {
        let said = tokio::time::timeout(most, later)
            .await
            .map_err(|_| Problem::new(Code::StoreUnavailable))?;
        said.map_err(|error| self.store_failed(&error))
    }

    /// What a failure of the store means to the caller.
    pub fn store_failed(&self, error: &store::Error) -> Problem {
        let request_id = &self.request_id;
        tracing::error!(request_id, %error, "the store failed an admin call");
        Problem::new(match error {
            store::Error::Busy => Code::Overloaded,
            store::Error::Unknown(_) => Code::OutcomeUnknown,
            store::Error::NotWritten(_) | store::Error::LeaseLost | store::Error::Read(_) => {
                Code::StoreUnavailable
            }
        })
    }

    /// Whether the call comes from this very machine, with nothing in between that forwards.
    pub fn is_local(&self) -> bool {
        let peer = self.parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let local = peer.is_some_and(|ConnectInfo(address)| match address.ip() {
            IpAddr::V4(ip) => ip.is_loopback(),
            IpAddr::V6(ip) => {
                ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback())
            }
        });
        let forwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
        local
            && !forwarded
                .iter()
                .any(|name| self.parts.headers.contains_key(*name))
    }
}

/// The innermost reason: serde's own words, without the framework's around them.
fn reason(error: &dyn std::error::Error) -> String {
    let mut at = error;
    while let Some(cause) = at.source() {
        at = cause;
    }
    at.to_string()
}

/// A JSON answer.
pub(super) fn json(body: &impl Serialize) -> Response {
    // Maps keyed by strings and plain values: nothing here can fail to serialise.
    bytes(serde_json::to_vec(body).unwrap_or_default())
}

/// An answer of JSON bytes.
pub(super) fn bytes(body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The process is alive.
pub(super) async fn healthz() -> Response {
    bytes(r#"{"status":"ok"}"#)
}

/// A path that leads nowhere.
pub(super) async fn nowhere(request: Request) -> Response {
    edge_problem(Problem::new(Code::NotFound), request.headers())
}

/// A path that leads somewhere, but not by this method.
pub(super) async fn not_that_way(request: Request) -> Response {
    let parts = request.uri().path().split('/').collect::<Vec<_>>();
    let fits = |route: &&Route| {
        let path = route.path.split('/').collect::<Vec<_>>();
        path.len() == parts.len()
            && path
                .iter()
                .zip(&parts)
                .all(|(want, has)| want.starts_with('{') || want == has)
    };
    let found = ROUTES.iter().filter(fits).map(|route| match route.verb {
        Verb::Get => "GET, HEAD",
        other => other.as_str(),
    });
    let found: Vec<&str> = found.collect();
    // What stands in no table is read.
    let allow = if found.is_empty() {
        "GET, HEAD".to_owned()
    } else {
        found.join(", ")
    };
    let problem = Problem::new(Code::MethodNotAllowed);
    // No preflight either: the admin API is for no web page.
    let problem = match HeaderValue::try_from(allow) {
        Ok(allow) => problem.header(ALLOW, allow),
        Err(_) => problem,
    };
    edge_problem(problem, request.headers())
}
