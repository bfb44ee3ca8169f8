//! A participant's poster: by their token, or by an address that their view handed out. Nothing is committed.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use machine::facts::Facts;
use machine::ids::Lane;
use machine::luck::NoDraws;
use machine::model::Sender;
use machine::step::{Call, No, settle};
use machine::{Campaign, Fault};
use poster::{Format, Scale};
use serde_json::Map;
use tokio::time::Instant;

use super::answer::{failed, json};
use super::context::{Context, Door, Identified, PathOf, edge_problem, finish};
use super::{CALL_TIMEOUT, Shared};
use crate::engine::{Caller, Failed, record, user_of};
use crate::identity::{Claims, Reason, Unauthenticated};
use crate::lists::Listed;
use crate::poster::address::{NotOpened, Sealed, Sealer};
use crate::poster::content::{Filled, Whose, grant_of};
use crate::poster::offer::is_offered;
use crate::poster::pool::NotDone;
use crate::poster::scenes::Which;
use crate::poster::share::Shares;
use crate::poster::{Answer, NotDrawn, Order};
use crate::problem::{Code, Problem, Words};
use crate::telemetry::meters::{Drawn, poster as count};

/// A page of another origin may show it: its address is the permission.
const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// How long a browser shows a poster again without asking, in seconds, where its address changes with the participant's record.
const FRESH_SECS: u32 = 60;

/// A participant's poster.
#[utoipa::path(get, path = "/v1/{tenant}/{campaign}/poster/{template}", tag = "users",
    params(
        ("tenant" = String, Path, description = "The tenant's id"),
        ("campaign" = String, Path, description = "The campaign's id"),
        ("template" = String, Path, description = "The poster's name"),
        ("seal" = Option<String>, Query, description = "Of an address that the view handed out: instead of a token, for as long as it says"),
        ("format" = Option<String>, Query, description = "`jpeg`, `png` or `webp`; unless said, what `Accept` prefers"),
        ("scale" = Option<String>, Query, description = "`1`, or `2` for twice as many pixels each way"),
        ("grant" = Option<String>, Query, description = "The id of one of the user's grants that the poster tells of; unless said, the newest"),
        ("link" = Option<String>, Query, description = "Where the tenant has a store for posters: the link in JSON, instead of a 302"),
        ("lane" = Option<String>, Query, description = "`test`: in the test lane, for testers"),
        ("lang" = Option<String>, Query, description = "The language of texts"),
    ),
    security(("user" = []), ()),
    responses(
        (status = 200, description = "The picture; `ETag` names all that is in it", content(
            (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "image/webp"))),
        (status = 302, description = "Where it is, for a tenant that has a store for posters"),
        (status = 304, description = "As the `ETag` that the client has"),
        (status = "default", description = "`code` says why not", content_type = "application/problem+json", body = super::openapi::ProblemAnswer),
    ))]
pub(super) async fn poster(
    State(shell): Shared,
    path: PathOf<(String, String, String)>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let (tenant, campaign, template) = match path {
        Ok(path) => path.0,
        Err(_) => return edge_problem(Problem::new(Code::BadRequest), &parts.headers),
    };
    let mut context = Context::new(&shell, &parts, "poster");
    let mut found = None;
    let answer = show(&mut context, &mut found, &tenant, &campaign, &template).await;
    finish(&context, answer, found.as_ref())
}

/// In which form it is wanted.
struct Wanted {
    format: Format,
    scale: Scale,
    /// Whether `Accept` decided.
    negotiated: bool,
    /// Whether a link is wanted rather than to be sent there.
    link: bool,
}

async fn show(
    context: &mut Context<'_>,
    found: &mut Option<Identified>,
    tenant: &str,
    campaign: &str,
    name: &str,
) -> Result<Response, Problem> {
    let sealed = context.query.seal.clone();
    let (who, sealed) = match &sealed {
        Some(seal) => opened(context, tenant, campaign, name, seal)?,
        None => (context.identify(tenant, campaign, Door::Users)?, None),
    };
    let who = &*found.insert(who);
    let limits = match &sealed {
        // No member id has this character: a poster's address takes nothing from its owner's calls.
        Some(sealed) => Context::limit(who, &format!("\0{}", sealed.user))?,
        None => Context::limit(who, &who.claims.sub)?,
    };
    let wanted = wanted(context)?;
    let until = Instant::now() + CALL_TIMEOUT;
    let mut drawn = draw(context, who, sealed.as_ref(), name, &wanted, until).await;
    if matches!(drawn, Err(NotShown::Failed(Failed::Behind))) {
        let newer = context.catch_up(who, until).await?;
        drawn = draw(context, &newer, sealed.as_ref(), name, &wanted, until).await;
    }
    let language = context.language(&who.tenant);
    let answer = drawn.map_err(|why| problem(why, context, language))?;
    let mut response = picture(answer, &wanted, sealed.is_some());
    if let Some(limits) = limits {
        limits.write(response.headers_mut());
    }
    Ok(response)
}

/// Whose poster an address is of. It is good for the edition and the lane that it was made in.
fn opened(
    context: &Context<'_>,
    tenant: &str,
    campaign: &str,
    name: &str,
    seal: &str,
) -> Result<(Identified, Option<Sealed>), Problem> {
    let tenant = context.tenant(tenant)?;
    let served = context.campaign(&tenant, campaign)?;
    let sealer = Sealer::of(&tenant.secret, &served.key(lane(context)?));
    let sealed = sealer.open(name, seal, context.clock).map_err(|why| {
        tracing::debug!(request_id = context.trace.request_id.as_str(), reason = %why, "a poster's address was refused");
        let problem = Problem::from(Unauthenticated::from(Reason::from(why)));
        match why {
            NotOpened::Expired => problem.with("reason", "expired").saying(Words {
                en: "This picture's address has expired. Please reload the page.",
                zh: "图片地址已过期，请刷新页面。",
            }),
            NotOpened::Forged => problem.with("reason", "not-genuine"),
        }
    })?;
    let claims = Claims {
        sub: String::new(),
        exp: i64::MAX,
        role: None,
        scopes: Vec::new(),
        extra: sealed.claims.clone(),
    };
    let who = Identified {
        tenant,
        served,
        claims: Arc::new(claims),
        preview: None,
    };
    Ok((who, Some(sealed)))
}

fn lane(context: &Context<'_>) -> Result<Lane, Problem> {
    match context.query.lane.as_deref() {
        None | Some("live") => Ok(Lane::Live),
        Some("test") => Ok(Lane::Test),
        Some(_) => Err(Problem::new(Code::BadRequest).with("lane", "live or test")),
    }
}

/// Why nothing is shown.
enum NotShown {
    /// As with every look.
    Failed(Failed),
    /// There is no such poster, or not for this participant.
    NoSuchPoster,
    /// They have no such grant.
    NoSuchGrant,
    /// It took too long.
    Late,
    /// It was not drawn.
    NotDrawn(NotDrawn),
    /// As the context says.
    Problem(Problem),
}

impl From<Failed> for NotShown {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

impl From<store::Error> for NotShown {
    fn from(error: store::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<NotDrawn> for NotShown {
    fn from(why: NotDrawn) -> Self {
        Self::NotDrawn(why)
    }
}

/// Draws the poster of whoever has a token, or of whom an address is.
async fn draw(
    context: &Context<'_>,
    who: &Identified,
    sealed: Option<&Sealed>,
    name: &str,
    wanted: &Wanted,
    until: Instant,
) -> Result<Answer, NotShown> {
    // The page's language, unless the address says another.
    let languages = &who.tenant.tenant.languages;
    let of_page = sealed.filter(|_| context.query.lang.is_none());
    let of_page = of_page.and_then(|it| languages.iter().find(|known| **known == it.language));
    let language = match of_page {
        Some(language) => language,
        None => context.language(&who.tenant),
    };
    let caller = match sealed {
        Some(sealed) => bearer_of(context, who, sealed, language).map_err(NotShown::Problem)?,
        None => context
            .caller(who, &who.claims.sub, true, language)
            .await
            .map_err(NotShown::Problem)?,
    };
    let drawn = drawn(context, &caller, name, wanted, until);
    tokio::time::timeout_at(until, drawn)
        .await
        .unwrap_or_else(|_| {
            count(
                &caller.served.tenant,
                &caller.served.campaign,
                Drawn::Refused,
            );
            Err(NotShown::Late)
        })
}

/// Whoever has an address, as the one whose poster it is.
fn bearer_of<'c>(
    context: &Context<'_>,
    who: &'c Identified,
    sealed: &Sealed,
    language: &'c str,
) -> Result<Caller<'c>, Problem> {
    let lane = lane(context)?;
    let now = match lane {
        Lane::Live => context.clock,
        Lane::Test => context
            .clock
            .saturating_add(who.served.test_clock_offset)
            .saturating_add(sealed.ahead_ms.max(0)),
    };
    Ok(Caller {
        shell: &who.tenant,
        served: &who.served,
        member: "",
        user: sealed.user,
        claims: Some(&who.claims.extra),
        lane,
        rehearsal: lane == Lane::Test,
        now,
        language,
        listed: Listed::default(),
    })
}

async fn drawn(
    context: &Context<'_>,
    caller: &Caller<'_>,
    name: &str,
    wanted: &Wanted,
    until: Instant,
) -> Result<Answer, NotShown> {
    let (served, user) = (caller.served, caller.user);
    let campaign = served.revision_of(&user).ok_or(Failed::Behind)?;
    let poster = campaign.posters.named(name).ok_or(NotShown::NoSuchPoster)?;
    let path = poster.template(caller.language, &campaign.language);
    let which = Which {
        tenant: served.tenant.clone(),
        revision: campaign.sha256,
        fonts: caller.shell.fonts.sha256(),
        path: path.ok_or(NotShown::NoSuchPoster)?.clone(),
    };
    let posters = context.shell.registry.drawing();
    let template = posters
        .template(&which, campaign, &caller.shell.fonts)
        .await?;
    let key = served.key(caller.lane);
    let recalled =
        tokio::time::timeout_at(until, context.shell.store.recall(&key, user, None)).await;
    let recalled = recalled.map_err(|_| Failed::Slow)??;
    if !served.lost && !served.is_own(&recalled.live, &user, campaign) {
        return Err(Failed::Behind.into());
    }
    let record = record(caller, recalled.participant.as_ref(), campaign)?;
    let filled = fill(context, caller, campaign, poster, &record, &template)?;
    let order = Order {
        tenant: caller.shell,
        store: &*context.shell.store,
        key: &key,
        campaign,
        which,
        template,
        filled,
        format: wanted.format,
        scale: wanted.scale,
        clock: context.clock,
    };
    let known = context.header(IF_NONE_MATCH.as_str());
    Ok(posters.draw(order, known).await?)
}

/// What the poster says: worked out at once, since a look at a record is no other thread's business.
fn fill(
    context: &Context<'_>,
    caller: &Caller<'_>,
    campaign: &Campaign,
    poster: &machine::model::Poster,
    record: &machine::participant::Participant,
    template: &poster::Template,
) -> Result<Filled, NotShown> {
    let nothing = Map::new();
    let claims = user_of(campaign, Some(caller.claims.unwrap_or(&nothing)));
    let facts = Facts::settle(&campaign.facts, []);
    let call = Call {
        campaign,
        participant: record,
        user: &claims,
        sender: Sender::User,
        event: None,
        facts: &facts,
        now: caller.now,
        rehearsal: caller.rehearsal,
        draws: &NoDraws,
        exhausted: &[],
    };
    let turn = settle(&call).map_err(|no| match no {
        No::Fault(fault) => Failed::Rule(fault),
        // Bringing a record up to date rejects nothing: nobody is there to be told.
        No::Rejected(_) => Failed::Rule(Fault::Mismatch("settling was rejected")),
    })?;
    let look = turn.look();
    if !is_offered(poster, &look) {
        return Err(NotShown::NoSuchPoster);
    }
    let key = caller.served.key(caller.lane);
    let asked = context.query.grant.as_deref();
    let grant = grant_of(&look, &key, &caller.user, asked);
    if asked.is_some() && grant.is_none() {
        return Err(NotShown::NoSuchGrant);
    }
    let share_id = Shares::of(&caller.shell.secret, &key).id(&caller.user);
    let whose = Whose {
        tenant: &caller.shell.tenant,
        key: &key,
        user: &caller.user,
        poster,
        language: caller.language,
        share_id: &share_id,
        grant,
    };
    let filled = whose.fill(&look, template.places());
    Ok(filled.map_err(Failed::Rule)?)
}

fn problem(why: NotShown, context: &Context<'_>, language: &str) -> Problem {
    let request_id = context.trace.request_id.as_str();
    match why {
        NotShown::Failed(why) => failed(why, context, language),
        NotShown::Problem(problem) => problem,
        NotShown::NoSuchPoster => Problem::new(Code::NoSuchPoster),
        NotShown::NoSuchGrant => Problem::new(Code::NoSuchPoster).with("grant", "not one of yours"),
        NotShown::Late | NotShown::NotDrawn(NotDrawn::Not(NotDone::Full)) => {
            Problem::new(Code::Overloaded).saying(Words {
                en: "Many posters are being drawn right now. Please try again.",
                zh: "正在生成的海报较多，请稍后再试。",
            })
        }
        NotShown::NotDrawn(why) => {
            tracing::error!(request_id, %why, "a poster was not drawn");
            Problem::new(Code::Internal)
        }
    }
}

/// Where the poster is: a page that asks for the link is told it, everybody else is sent there.
fn link(url: &str, wanted: &Wanted) -> Response {
    if wanted.link {
        return json(serde_json::json!({ "url": url }).to_string());
    }
    let mut response = StatusCode::FOUND.into_response();
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::try_from(url) {
        headers.insert(LOCATION, location);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(CORP, HeaderValue::from_static("cross-origin"));
    response
}

fn picture(answer: Answer, wanted: &Wanted, has_own_address: bool) -> Response {
    let (tag, mut response) = match answer {
        Answer::NotModified(tag) => (tag, StatusCode::NOT_MODIFIED.into_response()),
        Answer::Picture(tag, bytes) => {
            let mut response = Response::new(Body::from(bytes));
            let media = HeaderValue::from_static(wanted.format.media_type());
            response.headers_mut().insert(CONTENT_TYPE, media);
            (tag, response)
        }
        Answer::Link(url) => return link(&url, wanted),
    };
    let headers = response.headers_mut();
    // Theirs alone. An address of the view changes with the record; the route itself does not.
    let fresh = if has_own_address {
        format!("private, max-age={FRESH_SECS}")
    } else {
        "private, no-cache".to_owned()
    };
    for (name, value) in [(CACHE_CONTROL, fresh), (ETAG, tag.etag())] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    headers.insert(CORP, HeaderValue::from_static("cross-origin"));
    let vary = if wanted.negotiated {
        "Accept, Accept-Language, Authorization"
    } else {
        "Accept-Language, Authorization"
    };
    headers.append(VARY, HeaderValue::from_static(vary));
    response
}

/// In which form it is wanted: by `?format=` and `?scale=`, then by `Accept`.
fn wanted(context: &Context<'_>) -> Result<Wanted, Problem> {
    let none = || {
        let names = Format::ALL.map(Format::media_type);
        Problem::new(Code::NotAcceptable).with("formats", names.to_vec())
    };
    let asked = context.query.format.as_deref();
    let format = match asked {
        Some(name) => Format::named(name),
        None => accepted(&context.parts.headers),
    };
    let scale = match context.query.scale.as_deref() {
        None | Some("1") => Scale::X1,
        Some("2") => Scale::X2,
        Some(_) => return Err(Problem::new(Code::BadRequest).with("scale", "1 or 2")),
    };
    Ok(Wanted {
        format: format.ok_or_else(none)?,
        scale,
        negotiated: asked.is_none(),
        link: context.query.link.is_some(),
    })
}

/// The format that `Accept` likes best; of several alike the first that we have. None where it takes none of ours.
fn accepted(headers: &HeaderMap) -> Option<Format> {
    const MOST: usize = 32;
    let lines = headers.get_all(ACCEPT).iter();
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    if lines.is_empty() {
        return Some(Format::Jpeg);
    }
    let ranges: Vec<(&str, u16)> = lines
        .iter()
        .flat_map(|line| line.split(','))
        .take(MOST)
        .filter_map(range)
        .collect();
    let weight = |format: Format| {
        // The most specific range counts (RFC 9110, 12.5.1).
        let of = |wished: &str| {
            let found = ranges
                .iter()
                .find(|(range, _)| range.eq_ignore_ascii_case(wished));
            found.map(|(_, weight)| *weight)
        };
        of(format.media_type())
            .or_else(|| of("image/*"))
            .or_else(|| of("*/*"))
            .unwrap_or(0)
    };
    let weighed = Format::ALL.map(|format| (format, weight(format)));
    let best = weighed.iter().map(|(_, weight)| *weight).max()?;
    let found = weighed
        .into_iter()
        .find(|(_, weight)| *weight == best && best > 0);
    found.map(|(format, _)| format)
}

/// A media range and its weight in thousandths.
fn range(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().filter(|range| !range.is_empty())?;
    let weight = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    let weight = match weight {
        None => 1000,
        Some(weight) => {
            let weight: f32 = weight.parse().ok()?;
            if !(0.0..=1.0).contains(&weight) {
                return None;
            }
            (weight * 1000.0).round() as u16
        }
    };
    Some((range, weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_what_is_accepted() {
        let accept = |line: &str| {
            let mut headers = HeaderMap::new();
            if !line.is_empty() {
                headers.insert(ACCEPT, HeaderValue::from_str(line).unwrap());
            }
            accepted(&headers).map(Format::name)
        };
        let rows = [
            ("", Some("jpeg")),
            ("*/*", Some("jpeg")),
            ("image/*", Some("jpeg")),
            ("image/png", Some("png")),
            ("image/webp, image/png;q=0.5", Some("webp")),
            ("image/png;q=0.5, image/*;q=0.4", Some("png")),
            ("image/jpeg;q=0, */*", Some("png")),
            (
                "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
                Some("jpeg"),
            ),
            ("IMAGE/WEBP", Some("webp")),
            ("text/html", None),
            ("image/jpeg;q=0, image/png;q=0, image/webp;q=0", None),
            ("image/png;q=2", None),
            ("application/json;q=1, image/webp;q=0.001", Some("webp")),
        ];
        for (line, expected) in rows {
            assert_eq!(accept(line), expected, "{line}");
        }
    }
}
