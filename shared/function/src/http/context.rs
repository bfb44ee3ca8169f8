//! What every handler needs of a request, in the order in which calls are judged: trace and language, then identity,
//! tenant and campaign, then how often.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use machine::Millis;
use machine::ids::Lane;

use super::Shell;
use crate::engine::{Caller, lane_of};
use crate::identity::{Claims, Verifier};
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
}

impl Query {
    fn read(parts: &Parts) -> Self {
        let mut query = Self::default();
        let Some(text) = parts.uri.query() else { return query };
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let place = match &*name {
                "lang" => &mut query.lang,
                "lane" => &mut query.lane,
                "channel" => &mut query.channel,
                "scene" => &mut query.scene,
                "after" => &mut query.after,
                "occurred_at" => &mut query.occurred_at,
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
            query: Query::read(parts),
            began: Instant::now(),
        }
    }

    /// The tenant of the path.
    pub fn tenant(&self, tenant: &str) -> Result<Arc<TenantShell>, Problem> {
        self.snapshot.tenants.get(tenant).cloned().ok_or_else(|| Problem::new(Code::NoSuchTenant))
    }

    /// The campaign of the path, if this function serves its activity.
    pub fn campaign(&self, tenant: &TenantShell, campaign: &str) -> Result<Arc<Served>, Problem> {
        let served = tenant.campaigns.get(campaign).filter(|served| {
            let activity = served.newest().map(|campaign| &*campaign.activity);
            self.shell.activity.is_none_or(|only| activity == Some(only))
        });
        served.cloned().ok_or_else(|| Problem::new(Code::NoSuchCampaign))
    }

    /// Who calls, by a token of the path's tenant; then the tenant's campaign of that name.
    pub fn identify(
        &self,
        tenant: &str,
        campaign: &str,
        verifier: impl Fn(&TenantShell) -> &Verifier,
    ) -> Result<Identified, Problem> {
        let tenant = self.tenant(tenant)?;
        let claims = bearer::token(&self.parts.headers)
            .and_then(|token| self.shell.tokens.verify(verifier(&tenant), token, self.clock / 1000))
            .map_err(|error| {
                tracing::debug!(request_id = self.trace.request_id.as_str(), reason = %error, "a token was refused");
                Problem::from(error)
            })?;
        let served = self.campaign(&tenant, campaign)?;
        Ok(Identified { tenant, served, claims })
    }

    /// The language of the answer.
    pub fn language<'t>(&self, tenant: &'t TenantShell) -> &'t str {
        let tenant = &tenant.tenant;
        lang::pick(self.query.lang.as_deref(), &self.parts.headers, &tenant.languages, tenant.language())
    }

    /// A caller in their lane.
    pub fn caller<'c>(
        &self,
        who: &'c Identified,
        member: &'c str,
        with_claims: bool,
        language: &'c str,
    ) -> Result<Caller<'c>, Problem> {
        let claims = with_claims.then_some(&who.claims.extra);
        let asks_for_test = match self.query.lane.as_deref().or(self.header("gala-lane")) {
            None | Some("live") => false,
            Some("test") => true,
            Some(_) => return Err(Problem::new(Code::BadRequest).with("lane", "live or test")),
        };
        let (lane, now) = lane_of(&who.tenant, &who.served, member, claims, asks_for_test, self.clock)
            .map_err(|_| Problem::new(Code::Forbidden))?;
        Ok(Caller {
            shell: &who.tenant,
            served: &who.served,
            member,
            claims,
            lane,
            rehearsal: lane == Lane::Test,
            now,
            language,
        })
    }

    /// How often this user may call: refuses, or gives the headers that say how much is left.
    pub fn limit(&self, tenant: &TenantShell, member: &str) -> Result<Option<RateHeaders>, Problem> {
        let Some(limiter) = &tenant.user_limit else { return Ok(None) };
        let decision = limiter.check(member);
        let headers = RateHeaders {
            policy: HeaderValue::try_from(limiter.quota().policy("user")).ok(),
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
        self.parts.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Sends an answer: trace and CORS headers, then metrics and the log of calls.
    pub fn finish(
        &self,
        answer: Result<Response, Problem>,
        tenant: Option<&TenantShell>,
        served: Option<&Served>,
        metrics: impl Fn(&CampaignMetrics) -> &RouteMetrics,
    ) -> Response {
        let language = tenant.map_or("en", |tenant| self.language(tenant));
        let mut code = String::new();
        let mut response = answer.unwrap_or_else(|problem| {
            problem.code().clone_into(&mut code);
            if let Some(served) = served
                && problem.status().is_client_error()
            {
                crate::telemetry::meters::rejection(&served.tenant, &served.campaign, metric_code(served, &code));
            }
            problem.finish(self.trace.request_id.as_str(), language).into_response()
        });
        self.trace.write(response.headers_mut());
        if let Some(tenant) = tenant {
            tenant.origins.apply(&self.parts.headers, response.headers_mut());
        }
        let status = response.status().as_u16();
        let took = self.began.elapsed();
        if let Some(served) = served {
            metrics(&served.metrics).record(status, took);
        }
        self.log(tenant, served, status, &code, took);
        response
    }

    fn log(&self, tenant: Option<&TenantShell>, served: Option<&Served>, status: u16, code: &str, took: Duration) {
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
        || served.newest().is_some_and(|campaign| machine::view::rejects_with(campaign, code));
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
        policy.into_iter().chain(self.state.map(|value| (Self::STATE, value)))
    }

    pub fn write(self, headers: &mut HeaderMap) {
        headers.extend(self.pairs());
    }
}


/// A problem met before any tenant was known: at the gateway's edge, or on a path that leads nowhere.
pub fn edge_problem(problem: Problem, headers: &HeaderMap) -> Response {
    let trace = Trace::from_headers(headers);
    let offered = ["en".to_owned(), "zh-CN".to_owned()];
    let language = lang::pick(None, headers, &offered, "en");
    let mut response = problem.finish(trace.request_id.as_str(), language).into_response();
    trace.write(response.headers_mut());
    response
}
