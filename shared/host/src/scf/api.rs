//! SCF's runtime interface, as a client: plain HTTP to an address in the environment, by no proxy, and without a time-out where
//! the platform lets wait.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

const READY: &str = "/runtime/init/ready";
const NEXT: &str = "/runtime/invocation/next";
const RESPONSE: &str = "/runtime/invocation/response";
const ERROR: &str = "/runtime/invocation/error";

/// The port where the environment names none: what others of its clients use for trials.
const PORT: u16 = 9001;

/// A connection that lived shorter was closed by somebody who meant it.
const AT_ONCE: Duration = Duration::from_secs(1);

type Why = Box<dyn std::error::Error + Send + Sync>;

/// Where the interface is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `host:port`.
    pub api: String,
}

impl Settings {
    /// From `SCF_RUNTIME_API` (a host, without which this is no event function) and `SCF_RUNTIME_API_PORT`.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ApiError> {
        let host = variable("SCF_RUNTIME_API").unwrap_or_default();
        let host = host.trim_start_matches("http://").trim_end_matches('/');
        if host.is_empty() {
            return Err(ApiError::NotThere);
        }
        let port = variable("SCF_RUNTIME_API_PORT").filter(|port| !port.is_empty());
        let api = match port {
            Some(port) => format!("{host}:{port}"),
            None if host.contains(':') => host.to_owned(),
            None => format!("{host}:{PORT}"),
        };
        Ok(Self { api })
    }
}

/// The platform's interface failed: nothing more can be asked or answered.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The environment does not say where it is.
    #[error(
        "SCF_RUNTIME_API is not set: this program was told that it is an SCF event function, and is not on one"
    )]
    NotThere,
    /// It can't be reached, or the connection broke.
    #[error("the SCF runtime at {api} can't be asked for {path}")]
    Away {
        /// Where it is.
        api: String,
        /// What was asked.
        path: &'static str,
        /// Why not.
        #[source]
        why: Why,
    },
    /// It answered with something else than yes.
    #[error("the SCF runtime answered {path} with {status}")]
    Refused {
        /// What was asked.
        path: &'static str,
        /// What it answered.
        status: u16,
    },
}

/// The client.
#[derive(Debug)]
pub(super) struct Api {
    address: String,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Api {
    pub fn new(settings: &Settings) -> Self {
        Self {
            address: settings.api.clone(),
            connection: None,
        }
    }

    /// Says that events may come. The body is a space: some have seen an empty one refused, and the official sample sends this.
    pub async fn ready(&mut self) -> Result<(), ApiError> {
        self.post(READY, b" ".to_vec()).await
    }

    /// Waits for the next event, however long that takes.
    pub async fn next(&mut self) -> Result<(HeaderMap, Bytes), ApiError> {
        self.call(Method::GET, NEXT, Bytes::new()).await
    }

    pub async fn respond(&mut self, answer: Vec<u8>) -> Result<(), ApiError> {
        self.post(RESPONSE, answer).await
    }

    pub async fn fail(&mut self, why: String) -> Result<(), ApiError> {
        self.post(ERROR, why.into_bytes()).await
    }

    async fn post(&mut self, path: &'static str, body: Vec<u8>) -> Result<(), ApiError> {
        self.call(Method::POST, path, body.into()).await.map(drop)
    }

    /// A connection may have died while the platform had this process frozen: one that was kept, or one on which a long poll had
    /// been waiting. Then a new one is asked again. That is safe for each of the four: repeats of them change nothing.
    async fn call(
        &mut self,
        method: Method,
        path: &'static str,
        body: Bytes,
    ) -> Result<(HeaderMap, Bytes), ApiError> {
        let mut kept = self.connection.take().filter(|kept| !kept.is_closed());
        loop {
            let begun = Instant::now();
            let was_kept = kept.is_some();
            let connection = match kept.take() {
                Some(kept) => Ok(kept),
                None => connect(&self.address).await,
            };
            let asked = match connection {
                Ok(connection) => self.ask(connection, &method, path, body.clone()).await,
                Err(why) => return Err(self.away(path, why)),
            };
            match asked {
                Ok(answered) => return answered,
                Err(_) if was_kept || begun.elapsed() > AT_ONCE => {}
                Err(why) => return Err(self.away(path, why)),
            }
        }
    }

    fn away(&self, path: &'static str, why: Why) -> ApiError {
        let api = self.address.clone();
        ApiError::Away { api, path, why }
    }

    /// Asks on a connection: the outer error means that there was no answer on it.
    async fn ask(
        &mut self,
        mut connection: SendRequest<Full<Bytes>>,
        method: &Method,
        path: &'static str,
        body: Bytes,
    ) -> Result<Result<(HeaderMap, Bytes), ApiError>, Why> {
        connection.ready().await?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method.clone();
        *request.uri_mut() = Uri::from_static(path);
        let host = HeaderValue::try_from(self.address.as_str())?;
        request.headers_mut().insert(header::HOST, host);
        let response = connection.send_request(request).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        if !parts.status.is_success() {
            let status = parts.status.as_u16();
            return Ok(Err(ApiError::Refused { path, status }));
        }
        self.connection = Some(connection);
        Ok(Ok((parts.headers, body)))
    }
}

async fn connect(address: &str) -> Result<SendRequest<Full<Bytes>>, Why> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // Ends with the connection; whoever waits for an answer is told of its error.
    tokio::spawn(connection);
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_put_together() {
        let of = |set: &[(&str, &str)]| {
            let found = Settings::of(|wanted| {
                set.iter()
                    .find(|(name, _)| *name == wanted)
                    .map(|(_, value)| (*value).to_owned())
            });
            found.ok().map(|settings| settings.api)
        };
        assert_eq!(of(&[]), None);
        assert_eq!(
            of(&[
                ("SCF_RUNTIME_API", "169.254.0.1"),
                ("SCF_RUNTIME_API_PORT", "80")
            ])
            .as_deref(),
            Some("169.254.0.1:80")
        );
        assert_eq!(
            of(&[("SCF_RUNTIME_API", "http://localhost/")]).as_deref(),
            Some("localhost:9001")
        );
        assert_eq!(
            of(&[("SCF_RUNTIME_API", "localhost:7")]).as_deref(),
            Some("localhost:7")
        );
    }
}
