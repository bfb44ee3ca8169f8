//! What every handler needs of a request, in the order in which calls are judged: trace and language, then identity,
//! tenant and campaign, then how often.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use machine::Millis;
use machine::ids::Lane;

use super::Shell;
use crate::engine::Caller;
use crate::identity::{Claims, Reason, Unauthenticated};
use crate::lane::lane_of;
use crate::preview::{self, Preview};
use crate::problem::{Code, Problem};
use crate::served::{CampaignMetrics, Served, Snapshot, TenantShell};
use crate::telemetry::{Access, RouteMetrics};
use crate::trace::Trace;
use crate::{bearer, lang};

/// A call under way.
pub(super) struct Context<'a> {
    pub shell: &'a Shell,
    pub parts: &'a Parts,
    pub trace: Trace,
    pub snapshot: Arc<Snapshot>,
    pub clock: Millis,
    pub route: &'static str,
    pub query: Query,
    began: Instant,
}

/// The query parameters that we know.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub lang: Option<String>,
    pub lane: Option<String>,
    pub channel: Option<String>,
    pub scene: Option<String>,
    pub after: Option<String>,
    pub occurred_at: Option<String>,
    /// A preview link's token: a browser that follows a link sends no header.
    pub preview: Option<String>,
    /// The share id of whoever brought them.
    pub from: Option<String>,
    pub seal: Option<String>,
    pub format: Option<String>,
    pub scale: Option<String>,
    pub grant: Option<String>,
    pub link: Option<String>,
}

impl Query {
    fn of(uri: &Uri) -> Self {
        let mut query = Self::default();
        let Some(text) = uri.query() else {
            return query;
        };
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let place = match &*name {
                "lang" => &mut query.lang,
                "lane" => &mut query.lane,
                "channel" => &mut query.channel,
                "scene" => &mut query.scene,
                "after" => &mut query.after,
                "occurred_at" => &mut query.occurred_at,
                "preview" => &mut query.preview,
                "from" => &mut query.from,
                "seal" => &mut query.seal,
                "format" => &mut query.format,
                "scale" => &mut query.scale,
                "grant" => &mut query.grant,
                "link" => &mut query.link,
                _ => continue,
            };
            place.get_or_insert_with(|| value.into_owned());
        }
        query
    }
}

/// A tenant, a campaign, and who calls.
pub(super) struct Identified {
    pub tenant: Arc<TenantShell>,
    pub served: Arc<Served>,
    pub claims: Arc<Claims>,
    /// The preview link they came by: then they are in the test lane, whatever else is said.
    pub preview: Option<Arc<Preview>>,
}

/// Who may come in by a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// A tenant's users, and who has a preview link.
    Users,
    /// A tenant's back ends.
    BackEnds,
}

impl<'a> Context<'a> {
    pub fn new(shell: &'a Shell, parts: &'a Parts, route: &'static str) -> Self {
        Self {
            shell,
            parts,
            trace: Trace::from_headers(&parts.headers),
            snapshot: shell.registry.snapshot(),
            clock: shell.clock.now(),
            route,
            query: Query::of(&parts.uri),
            began: Instant::now(),
        }
    }

    /// The tenant of the path.
    pub fn tenant(&self, tenant: &str) -> Result<Arc<TenantShell>, Problem> {
        self.snapshot
            .tenants
            .get(tenant)
            .cloned()
            .ok_or_else(|| Problem::new(Code::NoSuchTenant))
    }

    /// The campaign of the path, if this function serves its activity.
    pub fn campaign(&self, tenant: &TenantShell, campaign: &str) -> Result<Arc<Served>, Problem> {
        let served = tenant.campaigns.get(campaign).filter(|served| {
            let activity = served.newest().map(|campaign| &*campaign.activity);
            self.shell
                .activity
                .is_none_or(|only| activity == Some(only))
        });
        served
            .cloned()
            .ok_or_else(|| Problem::new(Code::NoSuchCampaign))
    }

    /// Who calls, by a token of the path's tenant; then the tenant's campaign of that name. Whoever brings no token at
    /// all is told so first, even where there is no such tenant.
    pub fn identify(
        &self,
        tenant: &str,
        campaign: &str,
        door: Door,
    ) -> Result<Identified, Problem> {
        let refused = |error: Unauthenticated| {
            tracing::debug!(request_id = self.trace.request_id.as_str(), reason = %error, "a token was refused");
            Problem::from(error)
        };
        let token = match (bearer::token(&self.parts.headers), &self.query.preview) {
            // A link is followed where nobody has signed in.
            (Err(error), Some(link)) if door == Door::Users && error.reason == Reason::Missing => {
                link
            }
            (token, _) => token.map_err(refused)?,
        };
        let tenant = self.tenant(tenant)?;
        if door == Door::Users && preview::is_one(token) {
            let served = self.campaign(&tenant, campaign)?;
            let link = Preview::read(token, &served, self.clock / 1000).map_err(refused)?;
            return Ok(Identified {
                tenant,
                served,
                claims: Arc::new(link.as_claims()),
                preview: Some(Arc::new(link)),
            });
        }
        let verifier = match door {
            Door::Users => &tenant.users,
            Door::BackEnds => &tenant.services,
        };
        let claims = self
            .shell
            .tokens
            .verify(verifier, token, self.clock / 1000)
            .map_err(refused)?;
        let served = self.campaign(&tenant, campaign)?;
        Ok(Identified {
            tenant,
            served,
            claims,
            preview: None,
        })
    }

    /// Loads what was published since this call began, and finds the caller's tenant and campaign in it.
    pub async fn catch_up(
        &mut self,
        who: &Identified,
        until: tokio::time::Instant,
    ) -> Result<Identified, Problem> {
        let request_id = self.trace.request_id.as_str();
        let newer =
            tokio::time::timeout_at(until, self.shell.registry.catch_up(&self.snapshot)).await;
        let newer = newer.map_err(|_| Problem::new(Code::StoreUnavailable))?;
        self.snapshot = newer.map_err(|error| {
            tracing::error!(request_id, %error, "what is live could not be read from the store");
            Problem::new(Code::StoreUnavailable)
        })?;
        let tenant = self.tenant(&who.tenant.tenant.id)?;
        let served = self.campaign(&tenant, &who.served.campaign)?;
        // A link is of one edition: into another one it leads nobody.
        if who.preview.is_some() && served.edition != who.served.edition {
            return Err(Unauthenticated::from(Reason::Expired).into());
        }
        Ok(Identified {
            tenant,
            served,
            claims: who.claims.clone(),
            preview: who.preview.clone(),
        })
    }

    /// The language of the answer.
    pub fn language<'t>(&self, tenant: &'t TenantShell) -> &'t str {
        let tenant = &tenant.tenant;
        lang::pick(
            self.query.lang.as_deref(),
            &self.parts.headers,
            &tenant.languages,
            tenant.language(),
        )
    }

    /// A caller in their lane.
    pub async fn caller<'c>(
        &self,
        who: &'c Identified,
        member: &'c str,
        with_claims: bool,
        language: &'c str,
    ) -> Result<Caller<'c>, Problem> {
        let claims = with_claims.then_some(&who.claims.extra);
        let asks_for_test = match self.query.lane.as_deref() {
            None | Some("live") => false,
            Some("test") => true,
            Some(_) => return Err(Problem::new(Code::BadRequest).with("lane", "live or test")),
        };
        let user = who.tenant.pseudonym(member);
        let store = &*self.shell.store;
        let listed = who.tenant.listed(store, &who.served, user).await;
        if let Some(link) = &who.preview {
            if self.query.lane.as_deref() == Some("live") {
                return Err(Problem::new(Code::Forbidden));
            }
            let test = self.clock.saturating_add(who.served.test_clock_offset);
            return Ok(Caller {
                shell: &who.tenant,
                served: &who.served,
                member,
                user,
                claims,
                lane: Lane::Test,
                rehearsal: true,
                now: test.saturating_add(link.ahead_ms.max(0)),
                language,
                listed,
            });
        }
        let (lane, now) = lane_of(
            &who.tenant,
            &who.served,
            member,
            claims,
            &listed,
            asks_for_test,
            self.clock,
        )
        .map_err(|_| Problem::new(Code::Forbidden))?;
        Ok(Caller {
            shell: &who.tenant,
            served: &who.served,
            member,
            user,
            claims,
            lane,
            rehearsal: lane == Lane::Test,
            now,
            language,
            listed,
        })
    }

    /// How often this user may call: refuses, or gives the headers that say how much is left.
    pub fn limit(who: &Identified, member: &str) -> Result<Option<RateHeaders>, Problem> {
        let tenant = &who.tenant;
        let Some(limiter) = &tenant.user_limit else {
            return Ok(None);
        };
        // Who plays as a user in the test lane takes nothing from that user's calls. No member id has this character.
        let decision = match &who.preview {
            Some(_) => limiter.check(&format!("\0{member}")),
            None => limiter.check(member),
        };
        let headers = RateHeaders {
            policy: tenant.user_policy.clone(),
            state: HeaderValue::try_from(decision.rate_limit("user")).ok(),
        };
        if decision.allowed {
            return Ok(Some(headers));
        }
        let mut problem = Problem::new(Code::RateLimited).retry_after(decision.retry_after_secs);
        for (name, value) in headers.pairs() {
            problem = problem.header(name, value);
        }
        Err(problem)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    }

    /// Sends an answer: trace and CORS headers, then metrics and the log of calls.
    pub fn finish(
        &self,
        answer: Result<Response, Problem>,
        tenant: Option<&TenantShell>,
        served: Option<&Served>,
        metrics: impl Fn(&CampaignMetrics) -> &RouteMetrics,
    ) -> Response {
        let language = match tenant {
            Some(tenant) => self.language(tenant),
            None => lang::pick(
                self.query.lang.as_deref(),
                &self.parts.headers,
                &*OURS,
                "en",
            ),
        };
        let mut code = String::new();
        let mut response = answer.unwrap_or_else(|problem| {
            problem.code().clone_into(&mut code);
            if let Some(served) = served
                && problem.status().is_client_error()
            {
                crate::telemetry::meters::rejection(
                    &served.tenant,
                    &served.campaign,
                    metric_code(served, &code),
                );
            }
            problem
                .finish(self.trace.request_id.as_str(), language)
                .into_response()
        });
        self.trace.write(response.headers_mut());
        if let Some(tenant) = tenant {
            tenant
                .origins
                .apply(&self.parts.headers, response.headers_mut());
        }
        let status = response.status().as_u16();
        let took = self.began.elapsed();
        if let Some(served) = served {
            metrics(&served.metrics).record(status, took);
        }
        self.log(tenant, served, status, &code, took);
        response
    }

    fn log(
        &self,
        tenant: Option<&TenantShell>,
        served: Option<&Served>,
        status: u16,
        code: &str,
        took: Duration,
    ) {
        self.shell.access.write(&Access {
            request_id: self.trace.request_id.as_str(),
            tenant: tenant.map_or("", |tenant| &tenant.tenant.id),
            campaign: served.map_or("", |served| &served.campaign),
            route: self.route,
            status,
            code,
            took,
        });
    }
}

/// The code as a metric's label: from a closed list, or from the config.
fn metric_code<'a>(served: &Served, code: &'a str) -> &'a str {
    let known = Code::parse(code).is_some()
        || served
            .newest()
            .is_some_and(|campaign| machine::view::rejects_with(campaign, code));
    if known { code } else { "other" }
}

/// The headers that say how often a user may still call.
pub(super) struct RateHeaders {
    policy: Option<HeaderValue>,
    state: Option<HeaderValue>,
}

impl RateHeaders {
    const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
    const STATE: HeaderName = HeaderName::from_static("ratelimit");

    fn pairs(self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let policy = self.policy.map(|value| (Self::POLICY, value));
        policy
            .into_iter()
            .chain(self.state.map(|value| (Self::STATE, value)))
    }

    pub fn write(self, headers: &mut HeaderMap) {
        headers.extend(self.pairs());
    }
}

/// Path parameters, or why they can't be read: a client is told so in our own shape.
pub(super) type PathOf<T> = Result<Path<T>, PathRejection>;

/// Sends an answer under the tenant of the path: even a refused page must be readable by the tenant's own web pages.
pub(super) fn finish(
    context: &Context<'_>,
    answer: Result<Response, Problem>,
    found: Option<&Identified>,
) -> Response {
    let tenant = match found {
        Some(found) => Some(&found.tenant),
        None => context.snapshot.of_path(context.parts.uri.path()),
    };
    let served = found.map(|found| &*found.served);
    let route = context.route;
    context.finish(
        answer,
        tenant.map(|tenant| &**tenant),
        served,
        |metrics| match route {
            "view" => &metrics.view,
            "grants" => &metrics.grants,
            "poster" => &metrics.poster,
            _ => &metrics.event,
        },
    )
}

/// The languages that we have words of our own in.
static OURS: LazyLock<[String; 2]> = LazyLock::new(|| ["en".to_owned(), "zh-CN".to_owned()]);

/// A problem met before a function was reached: at the gateway's edge, or on a path that leads nowhere.
pub fn edge_problem(problem: Problem, headers: &HeaderMap) -> Response {
    let trace = Trace::from_headers(headers);
    let language = lang::pick(None, headers, &*OURS, "en");
    let mut response = problem
        .finish(trace.request_id.as_str(), language)
        .into_response();
    trace.write(response.headers_mut());
    secure(response.headers_mut());
    response
}

/// The same on a path that may name a tenant: in a language of that tenant, and readable by its own web pages.
pub fn edge_problem_in(
    snapshot: &Snapshot,
    problem: Problem,
    uri: &Uri,
    headers: &HeaderMap,
) -> Response {
    let Some(tenant) = snapshot.of_path(uri.path()) else {
        return edge_problem(problem, headers);
    };
    let trace = Trace::from_headers(headers);
    let wish = Query::of(uri).lang;
    let language = lang::pick(
        wish.as_deref(),
        headers,
        &tenant.tenant.languages,
        tenant.tenant.language(),
    );
    let mut response = problem
        .finish(trace.request_id.as_str(), language)
        .into_response();
    trace.write(response.headers_mut());
    tenant.origins.apply(headers, response.headers_mut());
    secure(response.headers_mut());
    response
}

/// Answers are data: no browser is to guess another type, run anything in them, frame them, or tell where it came from.
pub(super) fn secure(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}
