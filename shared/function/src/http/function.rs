//! A function as the door of the same process calls it: the router, except that an event of a user, which is nearly all
//! there is at the opening second, takes the straight way to its handler. The router's second look at the path costs
//! about a tenth of a draw.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;
use tower::ServiceExt;

use super::events::{Addressed, user_event};
use super::{Shell, context, router};

/// A function within this process.
#[derive(Debug, Clone)]
pub struct Function {
    shell: Arc<Shell>,
    router: Router,
}

impl Function {
    /// The function that this shell makes.
    pub fn new(shell: Arc<Shell>) -> Self {
        Self {
            router: router(shell.clone()),
            shell,
        }
    }

    /// Answers a call, as the router would.
    pub async fn call(&self, request: Request) -> Response {
        if request.method() == Method::POST
            && let Some(address) = plain_event(request.uri().path())
        {
            let mut response = user_event(&self.shell, address, request).await;
            context::secure(response.headers_mut());
            return response;
        }
        match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// What a path of the form `/v1/{tenant}/{campaign}/events/{event}` names. Escaped ones are the router's to read.
fn plain_event(path: &str) -> Option<Addressed> {
    if path.contains('%') {
        return None;
    }
    let mut parts = path.strip_prefix("/v1/")?.split('/');
    let (tenant, campaign) = (parts.next()?, parts.next()?);
    let ("events", event, None) = (parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    let named = [tenant, campaign, event];
    if named.iter().any(|part| part.is_empty()) {
        return None;
    }
    let [tenant, campaign, event] = named.map(str::to_owned);
    Some(Addressed {
        tenant,
        campaign,
        event,
        user: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_take_the_straight_way() {
        let named =
            |path| plain_event(path).map(|found| [found.tenant, found.campaign, found.event]);
        let expected = ["acme", "wheel", "draw"].map(str::to_owned);
        assert_eq!(named("/v1/acme/wheel/events/draw"), Some(expected));
        for other in [
            "/v1/acme/wheel/events/draw/",
            "/v1/acme/wheel/events/",
            "/v1/acme/wheel/events",
            "/v1//wheel/events/draw",
            "/v1/acme/wheel/grants/draw",
            "/v1/acme/wheel/users/ann/events/draw",
            "/v1/acme/wheel/events/dr%61w",
            "/v2/acme/wheel/events/draw",
            "/",
        ] {
            assert_eq!(named(other), None, "{other}");
        }
    }
}
