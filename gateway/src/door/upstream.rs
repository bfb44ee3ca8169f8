//! One address of a function elsewhere: its connections, and one try to call it. Which address is tried, and how often, is
//! `remote`'s to say.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, Method, StatusCode, Version};
use function::telemetry::meters::function_failure;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response};
use parking_lot::Mutex;
use tokio::time::timeout;

use super::address::{Address, Speaks};
use super::dial::{Dialer, Whole};
use super::health::{Health, Standing};
use super::remote::Asks;

/// How long a connection may wait for its next call. Servers end idle ones after some time of their own; whoever sends into that
/// moment does not know what became of the call.
const IDLE: Duration = Duration::from_secs(20);
/// How many may wait.
const MOST_IDLE: usize = 256;

/// One call as it is sent: the same to whichever address.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    /// Path and query.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why a try has no answer.
#[derive(Debug)]
pub(super) enum Failed {
    /// The function has not seen the call.
    NotSent(String),
    /// It may have carried it out.
    Unknown(String),
}

/// One address of a function.
#[derive(Debug)]
pub(super) struct Upstream {
    pub(super) activity: &'static str,
    pub(super) address: Address,
    pub(super) health: Health,
    /// Calls under way there.
    pub(super) under_way: Arc<AtomicUsize>,
    dialer: Dialer,
    connect: Duration,
    /// Connections of HTTP/1.1 without a call; the one that was used last is used next, so that the others grow old and go.
    idle: Mutex<VecDeque<(Instant, http1::SendRequest<Whole>)>>,
    /// The connection of HTTP/2.
    shared: tokio::sync::Mutex<Option<http2::SendRequest<Whole>>>,
}

impl Upstream {
    pub(super) fn new(
        activity: &'static str,
        address: Address,
        connect: Duration,
    ) -> Result<Self, String> {
        Ok(Self {
            activity,
            dialer: Dialer::new(&address)?,
            health: Health::new(activity, address.to_string()),
            address,
            under_way: Arc::default(),
            connect,
            idle: Mutex::default(),
            shared: tokio::sync::Mutex::default(),
        })
    }

    /// Sends a call, and waits for the head of its answer. A second try takes no connection that was used before: if the first one
    /// had died unnoticed, so may they all have.
    pub(super) async fn send(
        self: &Arc<Self>,
        call: &Call,
        again: bool,
    ) -> Result<Response<Incoming>, Failed> {
        let request = self
            .request(call)
            .map_err(|error| Failed::NotSent(error.to_string()))?;
        let sent = match self.address.speaks {
            Speaks::Http | Speaks::Https => self.send_alone(request, again).await,
            Speaks::H2c => self.send_shared(request).await,
        };
        match sent {
            // An answer that switches to something we never asked for is none.
            Ok(answer) if answer.status().is_informational() => {
                self.lost(&format!("it answered {}", answer.status()))
            }
            Ok(answer) => {
                self.health.answered();
                Ok(answer)
            }
            Err(failed) => Err(failed),
        }
    }

    /// The call took too long.
    pub(super) fn too_slow(&self) {
        function_failure(self.activity, self.address.as_str(), "slow");
        self.health.unanswered("no answer in time");
    }

    /// The answer broke off.
    pub(super) fn cut(&self, why: &str) {
        function_failure(self.activity, self.address.as_str(), "cut");
        self.health.unanswered(why);
    }

    fn lost<T>(&self, why: &str) -> Result<T, Failed> {
        function_failure(self.activity, self.address.as_str(), "lost");
        self.health.unanswered(why);
        Err(Failed::Unknown(why.to_owned()))
    }

    fn unreachable(&self, why: String) -> Failed {
        function_failure(self.activity, self.address.as_str(), "unreachable");
        self.health.unreachable(&why);
        Failed::NotSent(why)
    }

    fn request(&self, call: &Call) -> Result<Request<Whole>, axum::http::uri::InvalidUri> {
        let mut request = Request::new(Full::new(call.body.clone()));
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = self.address.target(&call.path)?;
        *request.headers_mut() = call.headers.clone();
        if self.address.speaks == Speaks::H2c {
            *request.version_mut() = Version::HTTP_2;
        } else {
            let host = self.address.host_header().clone();
            request.headers_mut().insert(HOST, host);
        }
        Ok(request)
    }

    async fn send_alone(
        self: &Arc<Self>,
        request: Request<Whole>,
        again: bool,
    ) -> Result<Response<Incoming>, Failed> {
        let waiting = if again { None } else { self.take_idle() };
        let request = match waiting {
            None => request,
            Some(sender) => match self.send_over(sender, request).await {
                Ok(answer) => return Ok(answer),
                // It had just been closed: this call has not left, so a new connection is no second try.
                Err((_, Some(request))) => request,
                Err((why, None)) => return self.lost(&why),
            },
        };
        let sender = self.within(self.dialer.http1()).await?;
        match self.send_over(sender, request).await {
            Ok(answer) => Ok(answer),
            Err((why, Some(_))) => Err(self.unreachable(why)),
            Err((why, None)) => self.lost(&why),
        }
    }

    /// Over one connection of HTTP/1.1; gives the call back where it has certainly not been sent.
    async fn send_over(
        self: &Arc<Self>,
        mut sender: http1::SendRequest<Whole>,
        request: Request<Whole>,
    ) -> Result<Response<Incoming>, (String, Option<Request<Whole>>)> {
        match sender.try_send_request(request).await {
            Ok(answer) => {
                let upstream = Arc::clone(self);
                // Ready when the answer's body has been read; never, when nobody wants to read it.
                tokio::spawn(async move {
                    if sender.ready().await.is_ok() {
                        upstream.keep(sender);
                    }
                });
                Ok(answer)
            }
            Err(mut error) => {
                let request = error.take_message();
                Err((said(error.into_error()), request))
            }
        }
    }

    async fn send_shared(&self, request: Request<Whole>) -> Result<Response<Incoming>, Failed> {
        let mut sender = self.shared().await?;
        let (unsent, why) = match sender.try_send_request(request).await {
            Ok(answer) => return Ok(answer),
            Err(mut error) => (error.take_message(), said(error.into_error())),
        };
        // It had just been closed: this call has not left, so a new connection is no second try.
        let Some(request) = unsent else {
            return self.lost(&why);
        };
        let mut sender = self.shared().await?;
        match sender.try_send_request(request).await {
            Ok(answer) => Ok(answer),
            Err(mut error) => match error.take_message() {
                Some(_) => Err(self.unreachable(said(error.into_error()))),
                None => self.lost(&said(error.into_error())),
            },
        }
    }

    /// The connection of HTTP/2, made by the first call that finds none; the others wait for it.
    async fn shared(&self) -> Result<http2::SendRequest<Whole>, Failed> {
        let mut shared = self.shared.lock().await;
        if let Some(sender) = shared.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(sender.clone());
        }
        // Whoever waited here while a connection failed needs not find that out once more.
        if self.health.standing() == Standing::Away {
            return Err(Failed::NotSent("it is away".to_owned()));
        }
        let sender = self.within(self.dialer.http2()).await?;
        *shared = Some(sender.clone());
        Ok(sender)
    }

    async fn within<T>(&self, dial: impl Future<Output = Result<T, String>>) -> Result<T, Failed> {
        match timeout(self.connect, dial).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(why)) => Err(self.unreachable(why)),
            Err(_) => {
                let why = format!("no connection within {} ms", self.connect.as_millis());
                Err(self.unreachable(why))
            }
        }
    }

    fn take_idle(&self) -> Option<http1::SendRequest<Whole>> {
        let mut idle = self.idle.lock();
        while let Some((since, sender)) = idle.pop_back() {
            if since.elapsed() > IDLE {
                idle.clear();
            } else if sender.is_ready() {
                return Some(sender);
            }
        }
        None
    }

    fn keep(&self, sender: http1::SendRequest<Whole>) {
        let mut idle = self.idle.lock();
        if idle.len() == MOST_IDLE {
            idle.pop_front();
        }
        idle.push_back((Instant::now(), sender));
    }

    /// Gives back the connections that nobody has used for a while.
    pub(super) fn tidy(&self) {
        let mut idle = self.idle.lock();
        idle.retain(|(since, sender)| since.elapsed() <= IDLE && !sender.is_closed());
    }

    /// Asks whether it is ready, over a connection of its own: new ones must be possible. One answer that does not come in time
    /// says as little as one call without an answer: it may only be busy.
    pub(super) async fn ask(&self, patience: Duration, asks: Asks) {
        let found = timeout(patience, self.ready(asks)).await;
        match found.unwrap_or_else(|_| Err(Failed::Unknown("no answer in time".to_owned()))) {
            Ok(found) => self.health.asked(found),
            Err(Failed::NotSent(why)) => self.health.unreachable(&why),
            Err(Failed::Unknown(why)) => self.health.unanswered(&why),
        }
    }

    async fn ready(&self, asks: Asks) -> Result<Standing, Failed> {
        if asks == Asks::Connection {
            match self.address.speaks {
                Speaks::Http | Speaks::Https => drop(self.within(self.dialer.http1()).await?),
                Speaks::H2c => drop(self.within(self.dialer.http2()).await?),
            }
            return Ok(Standing::Ready);
        }
        let call = Call {
            method: Method::GET,
            path: "/readyz".to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        let request = self
            .request(&call)
            .map_err(|error| Failed::NotSent(error.to_string()))?;
        let lost = |error| Failed::Unknown(said(error));
        let answer = match self.address.speaks {
            Speaks::Http | Speaks::Https => {
                let mut sender = self.within(self.dialer.http1()).await?;
                sender.send_request(request).await.map_err(lost)?
            }
            Speaks::H2c => {
                let mut sender = self.within(self.dialer.http2()).await?;
                sender.send_request(request).await.map_err(lost)?
            }
        };
        let json = answer
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|media| media.as_bytes().starts_with(b"application/json"));
        match answer.status() {
            status if status.is_success() => Ok(Standing::Ready),
            // The function's own words, and not those of something in between that has no function behind it.
            StatusCode::SERVICE_UNAVAILABLE if json => Ok(Standing::NotReady),
            status => Err(Failed::NotSent(format!("/readyz answers {status}"))),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
fn said(error: hyper::Error) -> String {
    function::serve::chain(&error)
}
