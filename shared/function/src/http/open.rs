//! What anyone may ask without a token: the public page, the rules, preflights, health, the API's description.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use machine::ids::{Lane, hex};
use sha2::{Digest, Sha256};

use super::answer::json;
use super::context::{Context, PathOf, edge_problem, edge_problem_in};
use super::{CALL_TIMEOUT, Shared};
use crate::engine::clock_off;
use crate::problem::{Code, Problem};
use crate::raffle::Drawn;
use crate::render::{self, Standing};
use crate::served::{Served, TenantShell};

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
    path: PathOf<(String, String)>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let (tenant, campaign) = match path {
        Ok(path) => path.0,
        Err(_) => return edge_problem(Problem::new(Code::BadRequest), &parts.headers),
    };
    let context = Context::new(&shell, &parts, "public");
    let drawn = drawn(&context, &tenant, &campaign).await;
    let page = open_page(&context, &tenant, &campaign, |context, tenant, served| {
        let campaign = served
            .newest()
            .ok_or_else(|| Problem::new(Code::NoSuchCampaign))?;
        let language = context.language(tenant);
        let key = served.key(Lane::Live);
        let body = render::public_answer(
            campaign,
            &key,
            &served.seeds.0,
            served.revealed(context.clock),
            Standing {
                pause: served.pause.as_ref(),
                blocked: false,
                notice: served.notice.as_ref(),
                drawn: drawn.as_deref(),
                posters: None,
            },
            context.clock,
            language,
        );
        Ok(("application/json", body))
    });
    let (answer, tenant, served) = page;
    context.finish(answer, tenant.as_deref(), served.as_deref(), |metrics| {
        &metrics.public
    })
}

/// The live lane's draw from entries, once it was made. A page goes without it where the store does not say: it comes again.
async fn drawn(context: &Context<'_>, tenant: &str, campaign: &str) -> Option<Arc<Drawn>> {
    let shell = context.shell;
    let snapshot = shell.registry.snapshot();
    let served = snapshot.tenants.get(tenant)?.campaigns.get(campaign)?;
    let (raffles, key) = (shell.registry.raffles(), served.key(Lane::Live));
    let found = raffles.of_page(&*shell.store, &key, served.newest()?, context.clock);
    let found = tokio::time::timeout(CALL_TIMEOUT, found).await;
    found.ok()?.ok().flatten()
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
    path: PathOf<(String, String)>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let (tenant, campaign) = match path {
        Ok(path) => path.0,
        Err(_) => return edge_problem(Problem::new(Code::BadRequest), &parts.headers),
    };
    let context = Context::new(&shell, &parts, "rules");
    let page = open_page(&context, &tenant, &campaign, |context, tenant, served| {
        let campaign = served
            .newest()
            .ok_or_else(|| Problem::new(Code::NoSuchCampaign))?;
        let text = campaign
            .rules
            .pick(context.language(tenant), &campaign.language);
        if text.is_empty() {
            return Err(Problem::new(Code::NotFound));
        }
        Ok(("text/markdown; charset=utf-8", text.as_bytes().to_vec()))
    });
    let (answer, tenant, served) = page;
    context.finish(answer, tenant.as_deref(), served.as_deref(), |metrics| {
        &metrics.public
    })
}

type Page = (
    Result<Response, Problem>,
    Option<Arc<TenantShell>>,
    Option<Arc<Served>>,
);

/// A page that needs no token and may be cached.
fn open_page(
    context: &Context<'_>,
    tenant: &str,
    campaign: &str,
    make: impl Fn(&Context<'_>, &TenantShell, &Served) -> Result<(&'static str, Vec<u8>), Problem>,
) -> Page {
    let tenant = match context.tenant(tenant) {
        Ok(tenant) => tenant,
        Err(problem) => return (Err(problem), None, None),
    };
    let served = match context.campaign(&tenant, campaign) {
        Ok(served) => served,
        Err(problem) => return (Err(problem), Some(tenant), None),
    };
    let answer =
        make(context, &tenant, &served).map(|(media, body)| cacheable(context, media, body));
    (answer, Some(tenant), Some(served))
}

fn cacheable(context: &Context<'_>, media: &'static str, body: Vec<u8>) -> Response {
    let tag = format!("\"{}\"", hex(&Sha256::digest(&body)[..12]));
    let known = context.header(IF_NONE_MATCH.as_str());
    let same = known.is_some_and(|known| {
        known
            .split(',')
            .map(str::trim)
            .any(|one| one == "*" || one.trim_start_matches("W/") == tag)
    });
    let mut response = if same {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(Body::from(body));
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(media));
        response
    };
    let headers = response.headers_mut();
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=5, stale-if-error=600"),
    );
    headers.append(
        axum::http::header::VARY,
        HeaderValue::from_static("Accept-Language"),
    );
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
        response
            .headers_mut()
            .extend(tenant.origins.preflight(&parts.headers));
    }
    response
}

/// The process is alive.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, description = "Alive")))]
pub(super) async fn healthz() -> Response {
    json(r#"{"status":"ok"}"#)
}

/// The store takes commits, its clock is ours, and the configs are loaded.
///
/// Campaigns that declare more durability than the
/// store gives now answer no events; the others go on, so the status stays 200.
#[utoipa::path(get, path = "/readyz", tag = "operations", responses(
    (status = 200, description = "Ready"), (status = 503, description = "Not ready; says why")))]
pub(super) async fn readyz(State(shell): Shared) -> Response {
    let health = shell.store.health();
    let snapshot = shell.registry.snapshot();
    let campaigns: usize = snapshot
        .tenants
        .values()
        .map(|tenant| tenant.campaigns.len())
        .sum();
    // How many, not which: the log names them, and this address is public.
    let not_loaded = shell.registry.problems().len();
    let under_durable = shell.registry.under_durable().len();
    let clock_off = clock_off(&*shell.store).is_some();
    let ready = health.failure.is_none() && campaigns > 0 && !clock_off;
    let body = serde_json::json!({
        "status": if ready { "ready" } else { "not-ready" },
        "store": health.failure.as_deref().map_or("ok", |_| "failed"),
        "clock": if clock_off { "off" } else { "ok" },
        "durability": health.durability,
        "under_durable": under_durable,
        "tenants": snapshot.tenants.len(),
        "campaigns": campaigns,
        "not_loaded": not_loaded,
    });
    let mut response = json(body.to_string());
    if !ready {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert(
            axum::http::header::RETRY_AFTER,
            HeaderValue::from_static("2"),
        );
    }
    response
}

/// The API, described.
#[utoipa::path(get, path = "/openapi.json", tag = "operations", responses(
    (status = 200, description = "This document")))]
pub(super) async fn openapi() -> Response {
    let mut response = json(super::openapi::openapi_json());
    response.headers_mut().insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    response
}

/// A path that leads nowhere.
pub(super) async fn nowhere(State(shell): Shared, request: Request) -> Response {
    edge_problem_in(
        &shell.registry.snapshot(),
        Problem::new(Code::NotFound),
        request.uri(),
        request.headers(),
    )
}

/// A path that leads somewhere, but not by this method. The router itself adds `Allow`.
pub(super) async fn not_that_way(State(shell): Shared, request: Request) -> Response {
    let problem = Problem::new(Code::MethodNotAllowed);
    edge_problem_in(
        &shell.registry.snapshot(),
        problem,
        request.uri(),
        request.headers(),
    )
}
