//! Lambda's runtime API (2018-06-01), as a client: plain HTTP to an address in the environment, by no proxy, and without a time-out
//! on the long poll.
//!
//! Of our own, and not the `lambda_runtime` crate (1.5.0 was read), because that
//! - panics where `next` is answered with anything but an invocation (a 500 has no request id), and ends the program where an
//!   invoker sends a client context that is no JSON;
//! - sends what breaks a streamed answer as bytes of the body, and ends the stream as if it were whole;
//! - sets an environment variable at each invocation, while other threads may read the environment;
//! - takes its address from the environment alone, so that no test can say it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

use super::settings::Settings;

const NEXT: &str = "/2018-06-01/runtime/invocation/next";
const INIT_ERROR: &str = "/2018-06-01/runtime/init/error";

const REQUEST_ID: &str = "lambda-runtime-aws-request-id";
/// Comes with an invocation and goes with its answer, so that a late answer meets no other invocation.
const INVOCATION_ID: &str = "lambda-runtime-invocation-id";
const DEADLINE_MS: &str = "lambda-runtime-deadline-ms";
const TRACE_ID: &str = "lambda-runtime-trace-id";
const RESPONSE_MODE: &str = "lambda-runtime-function-response-mode";
/// What kind of failure it was; a trailer where the answer was under way.
pub(super) const ERROR_TYPE: &str = "lambda-runtime-function-error-type";
/// What failed, in base64, as a trailer.
pub(super) const ERROR_BODY: &str = "lambda-runtime-function-error-body";

/// A connection that lived shorter was closed by somebody who meant it.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The platform's interface failed: nothing more can be asked or answered.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The environment does not say where it is.
    #[error(
        "AWS_LAMBDA_RUNTIME_API is not set: this program was told that it is a Lambda function, and is not on one"
    )]
    NotThere,
    /// A setting that can't be read.
    #[error("GALA_LAMBDA_STREAM is `{0}`: write 1, or 0")]
    NotASwitch(String),
    /// It can't be reached, or the connection broke.
    #[error("the Lambda runtime at {api} can't be asked for {path}")]
    Away {
        /// Where it is.
        api: String,
        /// What was asked.
        path: String,
        /// Why not.
        #[source]
        why: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It answered with something else than yes.
    #[error("the Lambda runtime answered {path} with {status}")]
    Refused {
        /// What was asked.
        path: String,
        /// What it answered.
        status: u16,
    },
    /// An invocation that can't be answered, because it has no name.
    #[error("the Lambda runtime handed over an invocation without a request id")]
    Nameless,
}

/// An invocation, to be answered once.
#[derive(Debug)]
pub(super) struct Call {
    pub id: String,
    /// When to answer at the latest: a little before the platform would end it.
    pub deadline: Option<Instant>,
    pub event: Bytes,
    /// The platform's tracing header.
    pub trace: Option<String>,
    invocation: Option<HeaderValue>,
}

/// The client.
#[derive(Debug)]
pub(super) struct Api {
    address: String,
    connection: Option<SendRequest<Body>>,
}

type Why = Box<dyn std::error::Error + Send + Sync>;

impl Api {
    pub fn new(settings: &Settings) -> Self {
        Self {
            address: settings.api.clone(),
            connection: None,
        }
    }

    /// Waits for the next invocation, however long that takes.
    pub async fn next(&mut self) -> Result<Call, ApiError> {
        let none = HeaderMap::new();
        let (status, headers, event) = self.call(Method::GET, NEXT, &none, &Bytes::new()).await?;
        if !status.is_success() {
            return Err(refused(NEXT, status));
        }
        let id = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
        Ok(Call {
            id: id
                .filter(|id| !id.is_empty())
                .ok_or(ApiError::Nameless)?
                .to_owned(),
            deadline: deadline(&headers),
            event,
            trace: headers
                .get(TRACE_ID)
                .and_then(|trace| Some(trace.to_str().ok()?.to_owned())),
            invocation: headers.get(INVOCATION_ID).cloned(),
        })
    }

    /// Answers with all of it.
    pub async fn respond(&mut self, call: &Call, answer: Vec<u8>) -> Result<(), ApiError> {
        let (path, headers) = (call.path("response"), call.headers());
        let (status, ..) = self
            .call(Method::POST, &path, &headers, &answer.into())
            .await?;
        settled(&path, &call.id, status)
    }

    /// Answers bit by bit; a failure on the way is in the body's trailers.
    pub async fn stream(&mut self, call: &Call, body: Body) -> Result<(), ApiError> {
        let path = call.path("response");
        let mut headers = call.headers();
        for (name, value) in [
            (RESPONSE_MODE, "streaming"),
            (
                "content-type",
                "application/vnd.awslambda.http-integration-response",
            ),
            ("transfer-encoding", "chunked"),
            (
                "trailer",
                "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
            ),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        // `next` came on the kept connection a moment ago; what is streamed can't be sent twice.
        let away = |why| away(&self.address, &path, why);
        let kept = self.connection.take().filter(|kept| !kept.is_closed());
        let connection = match kept {
            Some(kept) => kept,
            None => connect(&self.address).await.map_err(away)?,
        };
        let asked = self.ask(connection, &Method::POST, &path, &headers, body);
        let (status, ..) = asked
            .await
            .map_err(|why| self::away(&self.address, &path, why))?;
        settled(&path, &call.id, status)
    }

    /// Tells that the invocation failed.
    pub async fn fail(&mut self, call: &Call, why: &str) -> Result<(), ApiError> {
        let (path, mut headers) = (call.path("error"), call.headers());
        let kind = "Function.EventFailed";
        headers.insert(ERROR_TYPE, HeaderValue::from_static(kind));
        let (status, ..) = self
            .call(Method::POST, &path, &headers, &failure(kind, why))
            .await?;
        settled(&path, &call.id, status)
    }

    /// Tells that the program can't begin.
    pub async fn fail_to_begin(&mut self, why: &str) -> Result<(), ApiError> {
        let kind = "Runtime.InitError";
        let mut headers = HeaderMap::new();
        headers.insert(ERROR_TYPE, HeaderValue::from_static(kind));
        let (status, ..) = self
            .call(Method::POST, INIT_ERROR, &headers, &failure(kind, why))
            .await?;
        if status.is_success() {
            Ok(())
        } else {
            Err(refused(INIT_ERROR, status))
        }
    }

    /// A connection may die while the platform has this process frozen, in the long poll most of all; then a new one is asked. That
    /// is safe: `next` hands an unanswered invocation over again, and a second answer to one is refused. Two that end at once, one
    /// after the other, are no accident.
    async fn call(
        &mut self,
        method: Method,
        path: &str,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<(StatusCode, HeaderMap, Bytes), ApiError> {
        let mut again = true;
        loop {
            let begun = Instant::now();
            let kept = self.connection.take().filter(|kept| !kept.is_closed());
            let connection = match kept {
                Some(kept) => kept,
                None => connect(&self.address)
                    .await
                    .map_err(|why| away(&self.address, path, why))?,
            };
            let body = Body::from(body.clone());
            match self.ask(connection, &method, path, headers, body).await {
                Ok(answered) => return Ok(answered),
                Err(_) if again || begun.elapsed() > AT_ONCE => again = begun.elapsed() > AT_ONCE,
                Err(why) => return Err(away(&self.address, path, why)),
            }
        }
    }

    async fn ask(
        &mut self,
        mut connection: SendRequest<Body>,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<(StatusCode, HeaderMap, Bytes), Why> {
        connection.ready().await?;
        let mut request = Request::new(body);
        *request.method_mut() = method.clone();
        *request.uri_mut() = path.parse::<Uri>()?;
        *request.headers_mut() = headers.clone();
        let host = HeaderValue::try_from(self.address.as_str())?;
        request.headers_mut().insert(header::HOST, host);
        let response = connection.send_request(request).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        self.connection = Some(connection);
        Ok((parts.status, parts.headers, body))
    }
}

impl Call {
    fn path(&self, end: &str) -> String {
        format!("/2018-06-01/runtime/invocation/{}/{end}", self.id)
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(id) = &self.invocation {
            headers.insert(INVOCATION_ID, id.clone());
        }
        headers
    }
}

/// An answer that is refused (too late, too large, a second one) is lost, and the next invocation is not; 5xx means that the
/// platform wants this process to end.
fn settled(path: &str, id: &str, status: StatusCode) -> Result<(), ApiError> {
    if status.is_server_error() {
        return Err(refused(path, status));
    }
    if !status.is_success() {
        tracing::error!(request_id = id, %status, "the platform refused an answer");
    }
    Ok(())
}

fn refused(path: &str, status: StatusCode) -> ApiError {
    ApiError::Refused {
        path: path.to_owned(),
        status: status.as_u16(),
    }
}

fn away(api: &str, path: &str, why: Why) -> ApiError {
    ApiError::Away {
        api: api.to_owned(),
        path: path.to_owned(),
        why,
    }
}

/// A failure, as the API takes one.
pub(super) fn failure(kind: &str, why: &str) -> Bytes {
    json!({ "errorType": kind, "errorMessage": why, "stackTrace": [] })
        .to_string()
        .into()
}

/// The platform names the moment, by a clock that this process shares.
fn deadline(headers: &HeaderMap) -> Option<Instant> {
    let at: u64 = headers.get(DEADLINE_MS)?.to_str().ok()?.parse().ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let left = Duration::from_millis(at).saturating_sub(now);
    let spare = (left / 10).clamp(Duration::from_millis(20), Duration::from_secs(1));
    Instant::now().checked_add(left.saturating_sub(spare))
}

async fn connect(address: &str) -> Result<SendRequest<Body>, Why> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // Ends with the connection; whoever waits for an answer is told of its error.
    tokio::spawn(connection);
    Ok(sender)
}
