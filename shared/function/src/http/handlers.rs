//! What each route does.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use machine::Millis;
use machine::ids::{Lane, hex};
use machine::luck::NoDraws;
use machine::model::Sender;
use machine::step::Call;
use machine::world::Attribution;
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

use super::answer::{answered, failed, json, store_problem};
use super::context::{Context, Identified, edge_problem};
use super::{BODY_BYTES, CALL_TIMEOUT, Shell};
use crate::engine::{Sent, act, user_of};
use crate::fingerprint::{Fingerprint, PayloadError, parse_payload};
use crate::idempotency::Key;
use crate::identity::role::EVENTS_WRITE;
use crate::problem::{Code, Problem};
use crate::render;
use crate::served::TenantShell;

/// How many grants one page shows.
const GRANTS_PAGE: usize = 100;

type Shared = State<Arc<Shell>>;

/// An event of a user.
#[utoipa::path(post, path = "/v1/{tenant}/{campaign}/events/{event}", tag = "users",
    params(
        ("tenant" = String, Path, description = "The tenant's id"),
        ("campaign" = String, Path, description = "The campaign's id"),
        ("event" = String, Path, description = "The event"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 printable characters, bare or quoted; the same key gives the same answer again"),
        ("If-Match" = Option<String>, Header, description = "The version the page shows; another one is refused with `stale-page`"),
        ("lang" = Option<String>, Query, description = "The language of texts"),
        ("channel" = Option<String>, Query, description = "Kept for attribution"),
        ("scene" = Option<String>, Query, description = "Kept for attribution"),
    ),
    request_body(content = Object, description = "The event's payload, or nothing"),
    security(("user" = [])),
    responses(
        (status = 200, description = "Done, or done before (`Idempotency-Replayed: true`)", body = render::EventAnswer),
        (status = "default", description = "Not done; `code` says why", content_type = "application/problem+json", body = super::openapi::ProblemAnswer),
    ))]
pub(super) async fn event(
    State(shell): Shared,
    Path((tenant, campaign, event)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let context = Context::new(&shell, &parts, "event");
    let mut found = None;
    let answer = take_event(&context, body, &mut found, &Addressed { tenant, campaign, event, user: None }).await;
    finish(&context, answer, found.as_ref())
}

/// An event that a tenant's back end reports of a user.
#[utoipa::path(post, path = "/v1/{tenant}/{campaign}/users/{user}/events/{event}", tag = "back ends",
    params(
        ("tenant" = String, Path, description = "The tenant's id"),
        ("campaign" = String, Path, description = "The campaign's id"),
        ("user" = String, Path, description = "The member id"),
        ("event" = String, Path, description = "The event"),
        ("Idempotency-Key" = String, Header, description = "The back end's own id of what happened"),
        ("occurred_at" = Option<String>, Query, description = "When it happened (RFC 3339); kept in the ledger"),
    ),
    request_body(content = Object, description = "The event's payload, or nothing"),
    security(("service" = [])),
    responses(
        (status = 200, description = "Done, or done before", body = render::EventAnswer),
        (status = "default", description = "Not done; `code` says why", content_type = "application/problem+json", body = super::openapi::ProblemAnswer),
    ))]
pub(super) async fn backend_event(
    State(shell): Shared,
    Path((tenant, campaign, user, event)): Path<(String, String, String, String)>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let context = Context::new(&shell, &parts, "backend-event");
    let mut found = None;
    let address = Addressed { tenant, campaign, event, user: Some(user) };
    let answer = take_event(&context, body, &mut found, &address).await;
    finish(&context, answer, found.as_ref())
}

/// What the path of an event says.
struct Addressed {
    tenant: String,
    campaign: String,
    event: String,
    /// Set on the back ends' route.
    user: Option<String>,
}

async fn take_event(
    context: &Context<'_>,
    body: Body,
    found: &mut Option<Identified>,
    address: &Addressed,
) -> Result<Response, Problem> {
    let key = Key::from_headers(&context.parts.headers).map_err(Problem::from)?;
    let if_match = if_match(context.parts)?;
    let backend = address.user.is_some();
    let who = context.identify(&address.tenant, &address.campaign, |tenant: &TenantShell| {
        if backend { &tenant.services } else { &tenant.users }
    })?;
    let who = &*found.insert(who);
    if backend && !who.claims.has_scope(EVENTS_WRITE) {
        return Err(Problem::new(Code::Forbidden).with("scope", EVENTS_WRITE));
    }
    let bytes = to_bytes(body, BODY_BYTES).await.map_err(|_| Problem::new(Code::PayloadTooLarge))?;
    let payload = parse_payload(&bytes).map_err(|error: PayloadError| Problem::from(error))?;
    let member = address.user.as_deref().unwrap_or(&who.claims.sub);
    if !(1..=255).contains(&member.len()) {
        return Err(Problem::new(Code::BadRequest).with("problem", "a member id has 1 to 255 bytes"));
    }
    let limits = if backend { None } else { context.limit(&who.tenant, member)? };
    let language = context.language(&who.tenant);
    let caller = context.caller(who, member, !backend, language)?;
    let fingerprint = Fingerprint::of(&address.event, &payload);
    let sent = Sent {
        event: &address.event,
        sender: if backend { Sender::Backend } else { Sender::User },
        body: &payload,
        key: key.as_str(),
        fingerprint: fingerprint.as_bytes(),
        if_match,
        attribution: attribution(context, who, backend)?,
    };
    let asked = act(&*context.shell.store, &caller, &sent, &|caller, campaign, record, decision, sent| {
        let user = user_of(campaign, caller.claims);
        let facts = caller.shell.facts(campaign, caller.member);
        let call = Call {
            campaign,
            participant: record,
            user: &user,
            sender: sent.sender,
            event: None,
            facts: &facts,
            now: caller.now,
            rehearsal: caller.rehearsal,
            draws: &NoDraws,
            exhausted: &[],
        };
        let key = caller.served.key(caller.lane);
        let who = caller.shell.pseudonym(caller.member);
        render::event_answer(&call, decision, &key, &who, sent.event, caller.language)
            .unwrap_or_default()
            .into()
    });
    // The commit itself goes on in the store when nobody waits for it any more.
    let answer = tokio::time::timeout(CALL_TIMEOUT, asked)
        .await
        .map_err(|_| Problem::new(Code::OutcomeUnknown))?
        .map_err(|error| failed(error, context, language))?;
    let mut response = answered(answer);
    if let Some(limits) = limits {
        limits.write(response.headers_mut());
    }
    Ok(response)
}

fn if_match(parts: &Parts) -> Result<Option<u64>, Problem> {
    let Some(value) = parts.headers.get(IF_MATCH) else { return Ok(None) };
    let version = value.to_str().ok().and_then(|text| text.trim().trim_matches('"').parse().ok());
    version.map(Some).ok_or_else(|| {
        Problem::new(Code::BadRequest).with("problem", "If-Match takes the version as a quoted number: \"3\"")
    })
}

fn attribution(context: &Context<'_>, who: &Identified, backend: bool) -> Result<Attribution, Problem> {
    const MOST: usize = 64;
    let short = |text: &str| -> Arc<str> { text.chars().take(MOST).collect::<String>().into() };
    let query = &context.query;
    let channel = query.channel.as_deref().or(context.header("gala-channel"));
    let scene = query.scene.as_deref().or(context.header("gala-scene"));
    let occurred_at = match query.occurred_at.as_deref().filter(|_| backend) {
        None => None,
        Some(text) => Some(rfc3339(text).ok_or_else(|| {
            Problem::new(Code::BadRequest).with("problem", "occurred_at takes an RFC 3339 time")
        })?),
    };
    Ok(Attribution {
        request_id: context.trace.request_id.as_str().into(),
        channel: channel.map(short),
        scene: scene.map(short),
        variant: None,
        occurred_at,
        subjects: if backend { Vec::new() } else { subjects(&who.claims.extra) },
        facts: Vec::new(),
    })
}

/// The hashes that the token's issuer signed of whose account this is: `subjects: { device: "..", phone: ".." }`.
fn subjects(claims: &Map<String, Json>) -> Vec<(Arc<str>, Arc<str>)> {
    const KINDS: [&str; 4] = ["device", "phone", "payee", "household"];
    const MOST_BYTES: usize = 128;
    let Some(Json::Object(given)) = claims.get("subjects") else { return Vec::new() };
    let known = KINDS.iter().filter_map(|kind| Some((*kind, given.get(*kind)?.as_str()?)));
    known
        .filter(|(_, hash)| (1..=MOST_BYTES).contains(&hash.len()))
        .map(|(kind, hash)| (kind.into(), hash.into()))
        .collect()
}

fn rfc3339(text: &str) -> Option<Millis> {
    chrono::DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis())
}

/// A participant's view.
#[utoipa::path(get, path = "/v1/{tenant}/{campaign}", tag = "users",
    params(
        ("tenant" = String, Path, description = "The tenant's id"),
        ("campaign" = String, Path, description = "The campaign's id"),
        ("lang" = Option<String>, Query, description = "The language of texts"),
    ),
    security(("user" = [])),
    responses(
        (status = 200, description = "The view, whatever the phase", body = render::ViewAnswer),
        (status = "default", description = "`code` says why not", content_type = "application/problem+json", body = super::openapi::ProblemAnswer),
    ))]
pub(super) async fn view(
    State(shell): Shared,
    Path((tenant, campaign)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let context = Context::new(&shell, &parts, "view");
    let mut found = None;
    let answer = look(&context, &mut found, &tenant, &campaign, None).await;
    finish(&context, answer, found.as_ref())
}

/// All that a user has been given here.
#[utoipa::path(get, path = "/v1/{tenant}/{campaign}/grants", tag = "users",
    params(
        ("tenant" = String, Path, description = "The tenant's id"),
        ("campaign" = String, Path, description = "The campaign's id"),
        ("after" = Option<String>, Query, description = "`next` of the page before"),
        ("lang" = Option<String>, Query, description = "The language of texts"),
    ),
    security(("user" = [])),
    responses(
        (status = 200, description = "The grants, oldest first", body = render::GrantsAnswer),
        (status = "default", description = "`code` says why not", content_type = "application/problem+json", body = super::openapi::ProblemAnswer),
    ))]
pub(super) async fn grants(
    State(shell): Shared,
    Path((tenant, campaign)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let context = Context::new(&shell, &parts, "grants");
    let mut found = None;
    let after = context.query.after.as_deref().map_or(Some(0), |after| after.parse().ok());
    let answer = look(&context, &mut found, &tenant, &campaign, Some(after)).await;
    finish(&context, answer, found.as_ref())
}

/// Reads a participant: their view, or a page of their grants.
async fn look(
    context: &Context<'_>,
    found: &mut Option<Identified>,
    tenant: &str,
    campaign: &str,
    grants_after: Option<Option<usize>>,
) -> Result<Response, Problem> {
    if grants_after == Some(None) {
        return Err(Problem::new(Code::BadRequest).with("problem", "after takes what `next` said"));
    }
    let who = context.identify(tenant, campaign, |tenant| &tenant.users)?;
    let who = &*found.insert(who);
    let limits = context.limit(&who.tenant, &who.claims.sub)?;
    let language = context.language(&who.tenant);
    let caller = context.caller(who, &who.claims.sub, true, language)?;
    let key = who.served.key(caller.lane);
    let user = who.tenant.pseudonym(caller.member);
    let read = context.shell.store.recall(&key, user, None);
    let recalled = tokio::time::timeout(CALL_TIMEOUT, read)
        .await
        .map_err(|_| Problem::new(Code::StoreUnavailable))?
        .map_err(|error| store_problem(&error, context.trace.request_id.as_str()))?;
    let fault = |fault| failed(crate::engine::Failed::Rule(fault), context, language);
    let live = who.served.revision_of(&user).ok_or_else(|| Problem::new(Code::NoSuchCampaign))?;
    let record = who.served.record(recalled.participant.as_ref(), live, caller.now).map_err(fault)?;
    let body = if let Some(Some(after)) = grants_after {
        render::grants_answer(live, &record.grants, after, GRANTS_PAGE, &key, &user, language)
    } else {
        let (user_claims, facts) = (user_of(live, caller.claims), who.tenant.facts(live, caller.member));
        let call = Call {
            campaign: live,
            participant: &record,
            user: &user_claims,
            sender: Sender::User,
            event: None,
            facts: &facts,
            now: caller.now,
            rehearsal: caller.rehearsal,
            draws: &NoDraws,
            exhausted: &[],
        };
        let pause = recalled.pause.as_ref();
        render::view_answer(&call, pause, &key, &user, language).map_err(fault)?
    };
    let mut response = json(body);
    if let Some(limits) = limits {
        limits.write(response.headers_mut());
    }
    Ok(response)
}

/// The page that anyone may see.
#[utoipa::path(get, path = "/v1/{tenant}/{campaign}/public", tag = "anyone",
    params(
        ("tenant" = String, Path, description = "The tenant's id"),
        ("campaign" = String, Path, description = "The campaign's id"),
        ("lang" = Option<String>, Query, description = "The language of texts"),
    ),
    responses(
        (status = 200, description = "Titles, window, prizes with exact odds, the seed's hash; cacheable", body = render::PublicAnswer),
        (status = 304, description = "As the `ETag` that the client has"),
        (status = "default", description = "`code` says why not", content_type = "application/problem+json", body = super::openapi::ProblemAnswer),
    ))]
pub(super) async fn public(
    State(shell): Shared,
    Path((tenant, campaign)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let context = Context::new(&shell, &parts, "public");
    let page = open_page(&context, &tenant, &campaign, |context, tenant, served| {
        let campaign = served.newest().ok_or_else(|| Problem::new(Code::NoSuchCampaign))?;
        let language = context.language(tenant);
        let key = served.key(Lane::Live);
        let seed = served.seeds.0.commitment();
        let body =
            render::public_answer(campaign, &key, &seed, served.pause.as_ref(), context.clock, language);
        Ok(("application/json", body))
    });
    let (answer, tenant, served) = page;
    context.finish(answer, tenant.as_deref(), served.as_deref(), |metrics| &metrics.public)
}

/// A campaign's rules as users read them.
#[utoipa::path(get, path = "/v1/{tenant}/{campaign}/rules", tag = "anyone",
    params(
        ("tenant" = String, Path, description = "The tenant's id"),
        ("campaign" = String, Path, description = "The campaign's id"),
        ("lang" = Option<String>, Query, description = "The language"),
    ),
    responses(
        (status = 200, description = "The rules, as Markdown", content_type = "text/markdown", body = String),
        (status = "default", description = "`code` says why not", content_type = "application/problem+json", body = super::openapi::ProblemAnswer),
    ))]
pub(super) async fn rules(
    State(shell): Shared,
    Path((tenant, campaign)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let context = Context::new(&shell, &parts, "rules");
    let page = open_page(&context, &tenant, &campaign, |context, tenant, served| {
        let campaign = served.newest().ok_or_else(|| Problem::new(Code::NoSuchCampaign))?;
        let text = campaign.rules.pick(context.language(tenant), &campaign.language);
        if text.is_empty() {
            return Err(Problem::new(Code::NotFound));
        }
        Ok(("text/markdown; charset=utf-8", text.as_bytes().to_vec()))
    });
    let (answer, tenant, served) = page;
    context.finish(answer, tenant.as_deref(), served.as_deref(), |metrics| &metrics.public)
}

type Page = (
    Result<Response, Problem>,
    Option<Arc<TenantShell>>,
    Option<Arc<crate::served::Served>>,
);

/// A page that needs no token and may be cached.
fn open_page(
    context: &Context<'_>,
    tenant: &str,
    campaign: &str,
    make: impl Fn(&Context<'_>, &TenantShell, &crate::served::Served) -> Result<(&'static str, Vec<u8>), Problem>,
) -> Page {
    let tenant = match context.tenant(tenant) {
        Ok(tenant) => tenant,
        Err(problem) => return (Err(problem), None, None),
    };
    let served = match context.campaign(&tenant, campaign) {
        Ok(served) => served,
        Err(problem) => return (Err(problem), Some(tenant), None),
    };
    let answer = make(context, &tenant, &served).map(|(media, body)| cacheable(context, media, body));
    (answer, Some(tenant), Some(served))
}

fn cacheable(context: &Context<'_>, media: &'static str, body: Vec<u8>) -> Response {
    let tag = format!("\"{}\"", hex(&Sha256::digest(&body)[..12]));
    let known = context.header(IF_NONE_MATCH.as_str());
    let same = known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
    let mut response = if same {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(Body::from(body));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
        response
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=5, stale-if-error=600"));
    headers.append(axum::http::header::VARY, HeaderValue::from_static("Accept-Language"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    response
}

/// A browser asks whether it may.
pub(super) async fn preflight(State(shell): Shared, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let mut response = StatusCode::NO_CONTENT.into_response();
    let tenant = parts.uri.path().split('/').nth(2).unwrap_or_default();
    if let Some(tenant) = shell.registry.snapshot().tenants.get(tenant) {
        response.headers_mut().extend(tenant.origins.preflight(&parts.headers));
    }
    response
}

/// The process is alive.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, description = "Alive")))]
pub(super) async fn healthz() -> Response {
    json(r#"{"status":"ok"}"#)
}

/// The store takes commits and the configs are loaded.
#[utoipa::path(get, path = "/readyz", tag = "operations", responses(
    (status = 200, description = "Ready"), (status = 503, description = "Not ready; says why")))]
pub(super) async fn readyz(State(shell): Shared) -> Response {
    let health = shell.store.health();
    let snapshot = shell.registry.snapshot();
    let campaigns: usize = snapshot.tenants.values().map(|tenant| tenant.campaigns.len()).sum();
    // How many, not which: the log names them, and this address is public.
    let not_loaded = shell.registry.problems().len();
    let ready = health.failure.is_none() && campaigns > 0;
    let body = serde_json::json!({
        "status": if ready { "ready" } else { "not-ready" },
        "store": health.failure.as_deref().map_or("ok", |_| "failed"),
        "durability": health.durability,
        "tenants": snapshot.tenants.len(),
        "campaigns": campaigns,
        "not_loaded": not_loaded,
    });
    let mut response = json(body.to_string());
    if !ready {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert(axum::http::header::RETRY_AFTER, HeaderValue::from_static("2"));
    }
    response
}

/// The API, described.
pub(super) async fn openapi() -> Response {
    let mut response = json(super::openapi::openapi_json());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// A path that leads nowhere.
pub(super) async fn nowhere(request: Request) -> Response {
    edge_problem(Problem::new(Code::NotFound), request.headers())
}

/// A path that leads somewhere, but not by this method.
pub(super) async fn not_that_way(request: Request) -> Response {
    let post = request.uri().path().contains("/events/");
    let allow = HeaderValue::from_static(if post { "POST, OPTIONS" } else { "GET, OPTIONS" });
    edge_problem(Problem::new(Code::MethodNotAllowed).header(ALLOW, allow), request.headers())
}

fn finish(context: &Context<'_>, answer: Result<Response, Problem>, found: Option<&Identified>) -> Response {
    let tenant = found.map(|found| found.tenant.clone()).or_else(|| {
        // Even a refused page must be readable by the tenant's own web pages.
        let tenant = context.parts.uri.path().split('/').nth(2)?;
        context.snapshot.tenants.get(tenant).cloned()
    });
    let served = found.map(|found| found.served.clone());
    let route = context.route;
    context.finish(answer, tenant.as_deref(), served.as_deref(), |metrics| match route {
        "view" => &metrics.view,
        "grants" => &metrics.grants,
        _ => &metrics.event,
    })
}
