//! Looks at a participant: their view, their grants. Nothing is committed.

use axum::extract::{Request, State};
use axum::response::Response;
use machine::Millis;
use machine::luck::NoDraws;
use machine::model::Sender;
use machine::step::Call;
use tokio::time::Instant;

use super::answer::{failed, json};
use super::context::{Context, Door, Identified, PathOf, edge_problem, finish};
use super::{CALL_TIMEOUT, Shared};
use crate::ask::Whom;
use crate::engine::{Caller, Failed, record, user_of};
use crate::pools;
use crate::poster::Offer;
use crate::problem::{Code, Problem};
use crate::render::{self, Standing};

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
    let answer = match context
        .query
        .after
        .as_deref()
        .map_or(Some(0), |after| after.parse().ok())
    {
        Some(after) => {
            look(
                &mut context,
                &mut found,
                &tenant,
                &campaign,
                Look::Grants(after),
            )
            .await
        }
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
    let who = context.identify(tenant, campaign, Door::Users)?;
    let who = &*found.insert(who);
    let limits = Context::limit(who, &who.claims.sub)?;
    let language = context.language(&who.tenant);
    let until = Instant::now() + CALL_TIMEOUT;
    let ahead_ms = who.preview.as_ref().map_or(0, |link| link.ahead_ms);
    let mut body = {
        let caller = context.caller(who, &who.claims.sub, true, language).await?;
        read(context, &caller, ahead_ms, what, until).await
    };
    if matches!(body, Err(Failed::Behind)) {
        let newer = context.catch_up(who, until).await?;
        let caller = context
            .caller(&newer, &who.claims.sub, true, language)
            .await?;
        body = read(context, &caller, ahead_ms, what, until).await;
    }
    let mut response = json(body.map_err(|error| failed(error, context, language))?);
    if let Some(limits) = limits {
        limits.write(response.headers_mut());
    }
    Ok(response)
}

async fn read(
    context: &Context<'_>,
    caller: &Caller<'_>,
    ahead_ms: Millis,
    what: Look,
    until: Instant,
) -> Result<Vec<u8>, Failed> {
    let (served, user, language) = (caller.served, caller.user, caller.language);
    let key = served.key(caller.lane);
    let recalled =
        tokio::time::timeout_at(until, context.shell.store.recall(&key, user, None)).await;
    let recalled = recalled.map_err(|_| Failed::Slow)??;
    let campaign = served.revision_of(&user).ok_or(Failed::Behind)?;
    // Of a campaign that the store has lost, what this process knows is still worth a look.
    if !served.lost && !served.is_own(&recalled.live, &user, campaign) {
        return Err(Failed::Behind);
    }
    let record = record(caller, recalled.participant.as_ref(), campaign)?;
    let many = record.grants.len();
    let shown = match what {
        // The newest: a page asks `/grants` for the rest. A record can hold thousands.
        Look::View => many.saturating_sub(GRANTS_PAGE)..many,
        Look::Grants(after) => after.min(many)..after.saturating_add(GRANTS_PAGE).min(many),
    };
    let store = &*context.shell.store;
    let codes = pools::codes(store, campaign, &key, user, &record.grants, shown.clone());
    let codes = tokio::time::timeout_at(until, codes);
    let codes = codes.await.map_err(|_| Failed::Slow)??;
    if let Look::Grants(_) = what {
        return Ok(render::grants_answer(
            campaign,
            &record.grants,
            shown,
            &key,
            &user,
            language,
            &codes,
        ));
    }
    // Only for `eligible`: an event's own facts are asked for when it comes.
    // A team's tallies are shown, and are one read of our own store; who is new decides of buttons, and is another, once.
    let claims = user_of(campaign, caller.claims);
    let mut wanted = campaign.facts_of(campaign.audience.as_ref());
    let teams = (0_u16..).zip(&campaign.facts);
    wanted.extend(teams.filter_map(|(at, fact)| fact.team().map(|_| at)));
    wanted.extend(campaign.first_sights().map(|(at, _)| at));
    let wanted = campaign.open(wanted, &record.core);
    let whom = Whom {
        store: &*context.shell.store,
        key: &key,
        member: caller.member,
        user,
        claims: &claims,
        now: caller.now,
        code: None,
    };
    let asked = caller.shell.ask(campaign, &wanted, &whom);
    let answers = tokio::time::timeout_at(until, asked)
        .await
        .unwrap_or_default();
    let facts = caller
        .shell
        .facts_with(campaign, caller.member, &caller.listed, &answers)
        .with_kept(&campaign.facts, &record.core);
    let call = Call {
        campaign,
        participant: &record,
        user: &claims,
        sender: Sender::User,
        event: None,
        facts: &facts,
        now: caller.now,
        rehearsal: caller.rehearsal,
        draws: &NoDraws,
        exhausted: &[],
    };
    let (store, raffles) = (&*context.shell.store, context.shell.registry.raffles());
    let drawn = raffles.of_page(store, &key, campaign, caller.now);
    let drawn = tokio::time::timeout_at(until, drawn).await;
    let drawn = drawn.map_err(|_| Failed::Slow)??;
    let offer = Offer {
        tenant: caller.shell,
        key: &key,
        user: &user,
        claims: caller.claims,
        language,
        ahead_ms,
        clock: context.clock,
    };
    let standing = Standing {
        pause: recalled.pause.as_ref(),
        blocked: recalled
            .blocked
            .is_some_and(|blocked| blocked.holds(caller.now)),
        notice: served.notice.as_ref(),
        drawn: drawn.as_deref(),
        posters: Some(&offer),
    };
    let page = (&codes, shown);
    render::view_answer(&call, standing, &key, &user, language, page).map_err(Failed::Rule)
}
