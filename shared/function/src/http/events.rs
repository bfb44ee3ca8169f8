//! Events: of users, and of the back ends that report what users did.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, IF_MATCH};
use axum::http::request::Parts;
use axum::response::Response;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use machine::Millis;
use machine::model::Sender;
use machine::step::{Call, Decision};
use machine::world::{Attribution, Pause};
use serde_json::{Map, Value as Json};
use tokio::time::Instant;

use super::answer::{answered, failed};
use super::context::{Context, Door, Identified, PathOf, edge_problem, finish};
use super::{BODY_BYTES, CALL_TIMEOUT, Shared, Shell};
use crate::engine::{Answered, Caller, Failed, Sent, act};
use crate::fingerprint::{Fingerprint, PayloadError, parse_payload};
use crate::idempotency::Key;
use crate::identity::role::EVENTS_WRITE;
use crate::identity::token::MAX_SUB_BYTES;
use crate::poster::share;
use crate::problem::{Code, Problem, Words};
use crate::redeem;
use crate::render;

/// How long a client may take to send a body of a few kilobytes.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// An event of a user.
#[utoipa::path(post, path = "/v1/{tenant}/{campaign}/events/{event}", tag = "users",
    params(
        ("tenant" = String, Path, description = "The tenant's id"),
        ("campaign" = String, Path, description = "The campaign's id"),
        ("event" = String, Path, description = "The event"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 printable characters, bare or quoted; the same key gives the same answer again"),
        ("If-Match" = Option<String>, Header, description = "The version the page shows; another one is refused with `stale-page`"),
        ("lang" = Option<String>, Query, description = "The language of texts"),
        ("lane" = Option<String>, Query, description = "`test`: in the test lane, for testers"),
        ("channel" = Option<String>, Query, description = "Kept for attribution; also as a header"),
        ("scene" = Option<String>, Query, description = "Kept for attribution; also as a header"),
        ("from" = Option<String>, Query, description = "The `share.id` of whoever brought them (a `scene` that is one does, too): kept for attribution"),
    ),
    request_body(content = Object, description = "The event's payload, or nothing"),
    security(("user" = [])),
    responses(
        (status = 200, description = "Done, or done before (`Idempotency-Replayed: true`)", body = render::EventAnswer),
        (status = "default", description = "Not done; `code` says why", content_type = "application/problem+json", body = super::openapi::ProblemAnswer),
    ))]
pub(super) async fn event(
    State(shell): Shared,
    path: PathOf<(String, String, String)>,
    request: Request,
) -> Response {
    let (tenant, campaign, event) = match path {
        Ok(path) => path.0,
        Err(_) => return edge_problem(Problem::new(Code::BadRequest), request.headers()),
    };
    let address = Addressed {
        tenant,
        campaign,
        event,
        user: None,
    };
    user_event(&shell, address, request).await
}

/// An event of a user, its path read.
pub(super) async fn user_event(shell: &Shell, address: Addressed, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut context = Context::new(shell, &parts, "event");
    let mut found = None;
    let answer = take_event(&mut context, body, &mut found, &address).await;
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
        ("If-Match" = Option<String>, Header, description = "As on the users' route"),
        ("lang" = Option<String>, Query, description = "The language of texts"),
        ("lane" = Option<String>, Query, description = "`test`: in the test lane, for testers"),
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
    path: PathOf<(String, String, String, String)>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let (tenant, campaign, user, event) = match path {
        Ok(path) => path.0,
        Err(_) => return edge_problem(Problem::new(Code::BadRequest), &parts.headers),
    };
    let mut context = Context::new(&shell, &parts, "backend-event");
    let mut found = None;
    let address = Addressed {
        tenant,
        campaign,
        event,
        user: Some(user),
    };
    let answer = take_event(&mut context, body, &mut found, &address).await;
    finish(&context, answer, found.as_ref())
}

/// What the path of an event says.
pub(super) struct Addressed {
    pub tenant: String,
    pub campaign: String,
    pub event: String,
    /// Set on the back ends' route.
    pub user: Option<String>,
}

/// Judges a call in the contract's order: key and syntax, identity, tenant and campaign, size, rate; then carries it out.
async fn take_event(
    context: &mut Context<'_>,
    body: Body,
    found: &mut Option<Identified>,
    address: &Addressed,
) -> Result<Response, Problem> {
    let key = Key::from_headers(&context.parts.headers).map_err(Problem::from)?;
    let if_match = if_match(context.parts)?;
    let backend = address.user.is_some();
    let who = context.identify(
        &address.tenant,
        &address.campaign,
        if backend { Door::BackEnds } else { Door::Users },
    )?;
    let who = &*found.insert(who);
    if backend && !who.claims.has_scope(EVENTS_WRITE) {
        return Err(Problem::new(Code::Forbidden).with("scope", EVENTS_WRITE));
    }
    let bytes = read_body(context.parts, body, BODY_BYTES).await?;
    let mut payload = parse_payload(&bytes).map_err(|error: PayloadError| Problem::from(error))?;
    let code = redeem::seal(&who.tenant, &who.served, &address.event, &mut payload);
    let member = address.user.as_deref().unwrap_or(&who.claims.sub);
    if !is_member(member) {
        let what = "a member id has 1 to 255 bytes and no control characters";
        return Err(Problem::new(Code::BadRequest).with("problem", what));
    }
    let limits = if backend {
        None
    } else {
        Context::limit(who, member)?
    };
    let fingerprint = Fingerprint::of(&address.event, &payload);
    let sent = Sent {
        event: &address.event,
        sender: if backend {
            Sender::Backend
        } else {
            Sender::User
        },
        body: &payload,
        key: key.as_str(),
        fingerprint: fingerprint.as_bytes(),
        code: code.as_ref(),
        if_match,
        attribution: attribution(context, who, backend)?,
    };
    let mut response = carry(context, who, member, &sent).await?;
    if let Some(limits) = limits {
        limits.write(response.headers_mut());
    }
    Ok(response)
}

/// Whether a text can be a member id: 1 to 255 bytes without control characters.
pub(super) fn is_member(member: &str) -> bool {
    (1..=MAX_SUB_BYTES).contains(&member.len()) && !member.chars().any(char::is_control)
}

/// Carries an event of a member out; once more where something was published meanwhile.
pub(super) async fn carry(
    context: &mut Context<'_>,
    who: &Identified,
    member: &str,
    sent: &Sent<'_>,
) -> Result<Response, Problem> {
    let by_user = sent.sender == Sender::User;
    let language = context.language(&who.tenant);
    let until = Instant::now() + CALL_TIMEOUT;
    let mut outcome = {
        let caller = context.caller(who, member, by_user, language).await?;
        carry_out(context, &caller, sent, until).await?
    };
    if matches!(outcome, Err(Failed::Behind)) {
        // Something was published while this call was under way: look again, once, before anyone is turned away.
        let newer = context.catch_up(who, until).await?;
        let caller = context.caller(&newer, member, by_user, language).await?;
        outcome = carry_out(context, &caller, sent, until).await?;
    }
    Ok(answered(
        outcome.map_err(|error| failed(error, context, language))?,
    ))
}

/// Carries an event out, in time. The commit itself goes on in the store when nobody waits for it any more.
async fn carry_out(
    context: &Context<'_>,
    caller: &Caller<'_>,
    sent: &Sent<'_>,
    until: Instant,
) -> Result<Result<Answered, Failed>, Problem> {
    let key = caller.served.key(caller.lane);
    let said = [
        context.query.from.as_deref(),
        sent.attribution.scene.as_deref(),
    ];
    let attributed = share::arrived(caller, &key, said).map(|subject| {
        let mut attribution = sent.attribution.clone();
        attribution.subjects.push(subject);
        Sent {
            attribution,
            ..*sent
        }
    });
    let sent = attributed.as_ref().unwrap_or(sent);
    let render = |call: &Call<'_>, decision: &Decision, pause: Option<&Pause>| {
        render::event_answer(
            call,
            decision,
            pause,
            &key,
            &caller.user,
            sent.event,
            caller.language,
        )
        .map(Into::into)
    };
    let shell = context.shell;
    let asked = act(&*shell.store, &shell.seen, caller, sent, &render);
    tokio::time::timeout_at(until, asked).await.map_err(|_| {
        shell.seen.forget_all();
        Problem::new(Code::OutcomeUnknown)
    })
}

/// Reads a body: whole, not longer than so many bytes, and in good time.
pub async fn read_body(parts: &Parts, body: Body, most: usize) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(Code::PayloadTooLarge).with("limit", most);
    let said = parts
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if said.is_some_and(|length| length > most as u64) {
        return Err(too_large());
    }
    let read = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, most).collect());
    match read.await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) | Err(_) => Err(Problem::new(Code::BadRequest).saying(Words {
            en: "The body did not arrive.",
            zh: "请求体未能完整送达。",
        })),
    }
}

/// The version of `If-Match: "3"`, with or without quotes.
fn if_match(parts: &Parts) -> Result<Option<u64>, Problem> {
    let mut values = parts.headers.get_all(IF_MATCH).iter();
    let version = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().ok().map(str::trim).and_then(|text| {
            let bare = text
                .strip_prefix('"')
                .map_or(Some(text), |open| open.strip_suffix('"'))?;
            bare.bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| bare.parse().ok())?
        }),
        (Some(_), Some(_)) => None,
    };
    version.map(Some).ok_or_else(|| {
        Problem::new(Code::BadRequest).with(
            "problem",
            "If-Match takes the version as a quoted number: \"3\"",
        )
    })
}

fn attribution(
    context: &Context<'_>,
    who: &Identified,
    backend: bool,
) -> Result<Attribution, Problem> {
    const MOST: usize = 64;
    let short = |text: &str| -> Arc<str> { text.chars().take(MOST).collect::<String>().into() };
    let query = &context.query;
    let channel = query.channel.as_deref().or(context.header("channel"));
    let scene = query.scene.as_deref().or(context.header("scene"));
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
        subjects: if backend {
            Vec::new()
        } else {
            subjects(&who.claims.extra)
        },
        facts: Vec::new(),
    })
}

/// The hashes that the token's issuer signed of whose account this is: `subjects: { device: "..", phone: ".." }`.
fn subjects(claims: &Map<String, Json>) -> Vec<(Arc<str>, Arc<str>)> {
    const KINDS: [&str; 4] = ["device", "phone", "payee", "household"];
    const MOST_BYTES: usize = 128;
    let Some(Json::Object(given)) = claims.get("subjects") else {
        return Vec::new();
    };
    let known = KINDS
        .iter()
        .filter_map(|kind| Some((*kind, given.get(*kind)?.as_str()?)));
    known
        .filter(|(_, hash)| (1..=MOST_BYTES).contains(&hash.len()))
        .map(|(kind, hash)| (kind.into(), hash.into()))
        .collect()
}

fn rfc3339(text: &str) -> Option<Millis> {
    chrono::DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|time| time.timestamp_millis())
}
