//! A program as every host runs it: a public router, a router for events, and what happens around each call.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use http_body_util::{BodyExt as _, Limited};

use crate::base_path::BasePath;
use crate::event::{Delivered, Event};
use crate::headers::{TRACEPARENT, X_REQUEST_ID, clean, has_sound_host};
use crate::trouble::{Plain, Trouble, Words};
use crate::{event, guard};

/// The most bytes of a body, unless said: what the hosts carry.
const BODY_BYTES: usize = 6 * 1024 * 1024;

/// A program: see the crate's page. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    public: Router,
    events: Router,
    words: Arc<dyn Words>,
    base_path: BasePath,
    event_key: Option<Arc<str>>,
    body_bytes: usize,
}

/// What a host says of a call; an extension of each request.
#[derive(Debug, Clone, Default)]
pub struct Invocation {
    /// The host's name of the call, for logs on both sides.
    pub id: Option<String>,
    /// When the host would end it.
    pub deadline: Option<Instant>,
    /// The host's span around the call, as W3C's `traceparent`; where the caller brought none, it is the call's.
    pub traceparent: Option<String>,
}

impl App {
    /// What the public may call. Events are refused until [`App::with_events`].
    pub fn new(public: Router) -> Self {
        Self {
            public,
            events: Router::new(),
            words: Arc::new(Plain),
            base_path: BasePath::default(),
            event_key: None,
            body_bytes: BODY_BYTES,
        }
    }

    /// Takes events: `POST` to [`event::PATH`] delivers one in CloudEvents' binary form, `POST` to [`event::PARKED_PATH`] keeps one
    /// that can never be taken. The request has the [`Event`] as an extension, too.
    #[must_use]
    pub fn with_events(mut self, events: Router) -> Self {
        self.events = events;
        self
    }

    /// Tells trouble in these words.
    #[must_use]
    pub fn with_words(mut self, words: impl Words + 'static) -> Self {
        self.words = Arc::new(words);
        self
    }

    /// Is mounted below this path; what lies outside is not found.
    #[must_use]
    pub fn below(mut self, base_path: BasePath) -> Self {
        self.base_path = base_path;
        self
    }

    /// Takes bodies of at most so many bytes.
    #[must_use]
    pub fn with_body_bytes(mut self, most: usize) -> Self {
        self.body_bytes = most;
        self
    }

    /// Takes CloudEvents over HTTP from whoever has this key; without one nobody can send events over HTTP.
    #[must_use]
    pub fn with_event_key(mut self, key: &str) -> Self {
        self.event_key = Some(key.into());
        self
    }

    pub(crate) fn event_key(&self) -> Option<&str> {
        self.event_key.as_deref()
    }

    /// Whether a path belongs to events, on any host: the public side has nothing there.
    fn is_of_events(path: &str) -> bool {
        let rest = path.strip_prefix(event::PATH);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The most bytes of a body.
    pub(crate) fn body_bytes(&self) -> usize {
        self.body_bytes
    }

    /// The uri as the routers know it.
    pub(crate) fn local(&self, uri: &axum::http::Uri) -> Option<axum::http::Uri> {
        self.base_path.strip(uri)
    }

    /// Answers a call of the public. Adapters have put the client's address there as `ConnectInfo<SocketAddr>`.
    pub(crate) async fn call(&self, request: Request, invocation: Invocation) -> Response {
        let id = invocation.id.clone();
        match self.answer(request, invocation).await {
            Ok(response) => response,
            Err(trouble) => self.say(&trouble, id.as_deref()),
        }
    }

    async fn answer(
        &self,
        mut request: Request,
        invocation: Invocation,
    ) -> Result<Response, Trouble> {
        if !has_sound_host(request.headers()) {
            return Err(Trouble::BadRequest("the Host header is no host".to_owned()));
        }
        let uri = self.local(request.uri()).ok_or(Trouble::NotFound)?;
        if Self::is_of_events(uri.path()) {
            return Err(Trouble::NotFound);
        }
        *request.uri_mut() = uri;
        clean(request.headers_mut());
        name_it(request.headers_mut(), &invocation);
        let most = self.body_bytes;
        if declared(request.headers()).is_some_and(|bytes| bytes > most as u64) {
            return Err(Trouble::BodyTooLarge { most });
        }
        let mut request = request.map(|body| Body::new(Limited::new(body, most)));
        let deadline = invocation.deadline;
        request.extensions_mut().insert(invocation);
        guard::call(&self.public, request, deadline).await
    }

    /// Trouble, as an answer.
    pub(crate) fn say(&self, trouble: &Trouble, id: Option<&str>) -> Response {
        if matches!(
            trouble,
            Trouble::Panicked | Trouble::Late | Trouble::AnswerTooLarge { .. }
        ) {
            tracing::error!(request_id = id, ?trouble, "a call has no answer of its own");
        }
        self.words.answer(trouble, id)
    }

    /// Delivers an event; one that can never be taken is parked.
    pub(crate) async fn deliver(&self, event: &Event, invocation: &Invocation) -> Delivered {
        let delivered = self.send(event, event::PATH, None, invocation).await;
        let Delivered::Never(why) = delivered else {
            return delivered;
        };
        tracing::error!(
            source = event.source,
            id = event.id,
            kind = event.kind,
            request_id = invocation.id,
            why,
            "an event that can't be taken is parked"
        );
        match self
            .send(event, event::PARKED_PATH, Some(&why), invocation)
            .await
        {
            Delivered::Done => Delivered::Never(why),
            Delivered::Again(other) | Delivered::Never(other) => Delivered::Again(format!(
                "it can't be taken ({why}), and not be parked: {other}"
            )),
        }
    }

    async fn send(
        &self,
        event: &Event,
        path: &'static str,
        why: Option<&str>,
        invocation: &Invocation,
    ) -> Delivered {
        let mut request = event.request(path, why);
        name_it(request.headers_mut(), invocation);
        request.extensions_mut().insert(invocation.clone());
        match guard::call(&self.events, request, invocation.deadline).await {
            Ok(response) => Delivered::of(response).await,
            Err(trouble) => Delivered::Again(format!("{trouble:?}")),
        }
    }
}

/// The host's names of a call and its span become the request's where the client gave none.
fn name_it(headers: &mut HeaderMap, invocation: &Invocation) {
    let names = [
        (X_REQUEST_ID, &invocation.id),
        (TRACEPARENT, &invocation.traceparent),
    ];
    for (header, name) in names {
        let name = name.as_deref().map(HeaderValue::from_str);
        if let Some(Ok(name)) = name
            && !headers.contains_key(&header)
        {
            headers.insert(header, name);
        }
    }
}

fn declared(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// The whole body of an answer; what breaks off is trouble.
pub(crate) async fn collected(
    response: Response,
) -> Result<(axum::http::response::Parts, axum::body::Bytes), Trouble> {
    let (parts, body) = response.into_parts();
    match body.collect().await {
        Ok(whole) => Ok((parts, whole.to_bytes())),
        Err(error) => {
            tracing::error!(%error, "an answer broke off");
            Err(Trouble::Panicked)
        }
    }
}
