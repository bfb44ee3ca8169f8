//! The API described, made from the handlers and the answers' types.

use serde::Serialize;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

use super::{events, looks, open, posters};
use crate::render;

/// A no, or something broke (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemAnswer {
    /// A stable reference to the kind of problem.
    pub r#type: String,
    /// The kind of problem, in English.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code: one of ours, or the campaign's own.
    pub code: String,
    /// What to tell the user, in their language.
    pub message: String,
    /// The request's id.
    pub request_id: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
}

/// The functions' API.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Gala",
        description = "Campaigns as state machines: events in, grants out. Every write takes an Idempotency-Key; the same key gives the byte-identical answer again.",
        license(name = "MIT OR Apache-2.0")
    ),
    paths(
        events::event,
        events::backend_event,
        looks::view,
        looks::grants,
        posters::poster,
        open::public,
        open::rules,
        open::healthz,
        open::readyz,
        open::openapi,
    ),
    components(schemas(
        ProblemAnswer,
        render::EventAnswer,
        render::ViewAnswer,
        render::GrantsAnswer,
        crate::poster::PosterView,
        render::PublicAnswer
    )),
    modifiers(&Security)
)]
pub struct Api;

struct Security;

impl Modify for Security {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_with(Default::default);
        let bearer = |what: &str| {
            let scheme = HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("JWT");
            SecurityScheme::Http(scheme.description(Some(what)).build())
        };
        components.add_security_scheme(
            "user",
            bearer("A user's token: `sub` is the member id, `aud` the tenant"),
        );
        let service =
            "A back end's token: `aud` is `<tenant>/service`, `scope` holds `events:write`";
        components.add_security_scheme("service", bearer(service));
    }
}

/// The description as JSON.
pub fn openapi_json() -> String {
    Api::openapi().to_pretty_json().unwrap_or_default()
}
