//! Looks at a participant: their view, their grants. Nothing is committed.

use axum::extract::{Request, State};
use axum::response::Response;
use machine::luck::NoDraws;
use machine::model::Sender;
use machine::step::Call;

use super::answer::{failed, json, store_problem};
use super::context::{Context, Identified, PathOf, edge_problem, finish};
use super::{CALL_TIMEOUT, Shared};
use crate::engine::{Failed, user_of};
use crate::problem::{Code, Problem};
use crate::render;

/// How many grants one page shows.
const GRANTS_PAGE: usize = 100;

/// What is looked at.
#[derive(Clone, Copy)]
enum Look {
    /// The view.
    View,
    /// The grants from this place of the record on.
    Grants(usize),
}

/// A participant's view.
#[utoipa::path(get, path = "/v1/{tenant}/{campaign}", tag = "users",
    params(
        ("tenant" = String, Path, description = "The tenant's id"),
        ("campaign" = String, Path, description = "The campaign's id"),
        ("lane" = Option<String>, Query, description = "`test`: in the test lane, for testers"),
        ("lang" = Option<String>, Query, description = "The language of texts"),
    ),
    security(("user" = [])),
    responses(
        (status = 200, description = "The view, whatever the phase", body = render::ViewAnswer),
        (status = "default", description = "`code` says why not", content_type = "application/problem+json", body = super::openapi::ProblemAnswer),
    ))]
pub(super) async fn view(
    State(shell): Shared,
    path: PathOf<(String, String)>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let (tenant, campaign) = match path {
        Ok(path) => path.0,
        Err(_) => return edge_problem(Problem::new(Code::BadRequest), &parts.headers),
    };
    let mut context = Context::new(&shell, &parts, "view");
    let mut found = None;
    let answer = look(&mut context, &mut found, &tenant, &campaign, Look::View).await;
    finish(&context, answer, found.as_ref())
}

/// All that a user has been given here.
#[utoipa::path(get, path = "/v1/{tenant}/{campaign}/grants", tag = "users",
    params(
        ("tenant" = String, Path, description = "The tenant's id"),
        ("campaign" = String, Path, description = "The campaign's id"),
        ("after" = Option<String>, Query, description = "`next` of the page before"),
        ("lane" = Option<String>, Query, description = "`test`: in the test lane, for testers"),
        ("lang" = Option<String>, Query, description = "The language of texts"),
    ),
    security(("user" = [])),
    responses(
        (status = 200, description = "The grants, oldest first", body = render::GrantsAnswer),
        (status = "default", description = "`code` says why not", content_type = "application/problem+json", body = super::openapi::ProblemAnswer),
    ))]
pub(super) async fn grants(
    State(shell): Shared,
    path: PathOf<(String, String)>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let (tenant, campaign) = match path {
        Ok(path) => path.0,
        Err(_) => return edge_problem(Problem::new(Code::BadRequest), &parts.headers),
    };
    let mut context = Context::new(&shell, &parts, "grants");
    let mut found = None;
    let answer = match context.query.after.as_deref().map_or(Some(0), |after| after.parse().ok()) {
        Some(after) => look(&mut context, &mut found, &tenant, &campaign, Look::Grants(after)).await,
        None => Err(Problem::new(Code::BadRequest).with("problem", "after takes what `next` said")),
    };
    finish(&context, answer, found.as_ref())
}

/// Reads a participant: their view, or a page of their grants.
async fn look(
    context: &mut Context<'_>,
    found: &mut Option<Identified>,
    tenant: &str,
    campaign: &str,
    what: Look,
) -> Result<Response, Problem> {
    let who = context.identify(tenant, campaign, |tenant| &tenant.users)?;
    let who = &*found.insert(who);
    let limits = context.limit(&who.tenant, &who.claims.sub)?;
    let language = context.language(&who.tenant);
    let mut body = read(context, who, language, what).await;
    if matches!(body, Err(Failed::Behind)) {
        let newer = context.catch_up(who).await?;
        body = read(context, &newer, language, what).await;
    }
    let mut response = json(body.map_err(|error| failed(error, context, language))?);
    if let Some(limits) = limits {
        limits.write(response.headers_mut());
    }
    Ok(response)
}
