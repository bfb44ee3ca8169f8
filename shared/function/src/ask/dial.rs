//! One call to a tenant's service: to its own host and no other. The host's name is looked up here, all that it stands for
//! is judged, and what was judged is what is called; a redirect is an answer like any other that is not 200, and its body is
//! not read further than an answer may be long.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderValue, Request, StatusCode};
use campaign::tenant::{HttpConnector, is_public};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use rustls::RootCertStore;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::sign::{SIGNATURE, TIME};

/// The longest answer that is read, in bytes.
pub(super) const MOST_BYTES: usize = 16 * 1024;

/// Why a call came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CallError {
    /// Its host stands for an address of our own network.
    #[error("its host stands for {0}, which is of our own network")]
    Private(SocketAddr),
    /// It can't be reached, or ended the call.
    #[error("{0}")]
    Away(String),
    /// It answered with another status than 200.
    #[error("it answered {0}")]
    Status(StatusCode),
    /// Its answer is longer than is read.
    #[error("its answer is longer than {MOST_BYTES} bytes")]
    Long,
    /// Its answer is no JSON object.
    #[error("its answer is no JSON object")]
    NotJson,
}

impl CallError {
    fn away(error: impl std::fmt::Display) -> Self {
        Self::Away(error.to_string())
    }
}

type Sender = http1::SendRequest<Full<Bytes>>;

/// Connections to one service.
#[derive(Debug)]
pub(super) struct Line {
    connector: HttpConnector,
    /// Connections that nothing is under way on.
    idle: Mutex<Vec<Sender>>,
}

impl Line {
    pub fn new(connector: HttpConnector) -> Self {
        Self {
            connector,
            idle: Mutex::default(),
        }
    }

    /// Sends a signed body; the answer's bytes.
    pub async fn post(
        &self,
        body: Bytes,
        time: i64,
        signature: HeaderValue,
    ) -> Result<Bytes, CallError> {
        let kept = self.idle.lock().pop();
        if let Some(mut kept) = kept
            && kept.ready().await.is_ok()
        {
            let request = self.request(body.clone(), time, signature.clone())?;
            // One that the service ended meanwhile says so only now. To ask twice does no harm.
            if let Ok(answer) = kept.send_request(request).await {
                return self.read(kept, answer).await;
            }
        }
        let mut fresh = self.connect().await?;
        let request = self.request(body, time, signature)?;
        let answer = fresh.send_request(request).await;
        self.read(fresh, answer.map_err(CallError::away)?).await
    }

    async fn read(
        &self,
        sender: Sender,
        answer: axum::http::Response<Incoming>,
    ) -> Result<Bytes, CallError> {
        if answer.status() != StatusCode::OK {
            return Err(CallError::Status(answer.status()));
        }
        let body = Limited::new(answer.into_body(), MOST_BYTES).collect().await;
        let body = body.map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() {
                CallError::Long
            } else {
                CallError::away(error)
            }
        })?;
        let mut idle = self.idle.lock();
        if idle.len() < self.connector.at_once as usize {
            idle.push(sender);
        }
        Ok(body.to_bytes())
    }

    fn request(
        &self,
        body: Bytes,
        time: i64,
        signature: HeaderValue,
    ) -> Result<Request<Full<Bytes>>, CallError> {
        let HttpConnector { host, port, .. } = &self.connector;
        let host = if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        };
        Request::post(&self.connector.path)
            .header(HOST, host)
            .header(CONTENT_TYPE, "application/json")
            .header(TIME, time)
            .header(SIGNATURE, signature)
            .body(Full::new(body))
            .map_err(CallError::away)
    }

    async fn connect(&self) -> Result<Sender, CallError> {
        let stream = self.stream().await?;
        let shaken = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(CallError::away)?;
        // How it ends is told to the call that is on it.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    async fn stream(&self) -> Result<Box<dyn Stream>, CallError> {
        let HttpConnector {
            host,
            port,
            private,
            tls,
            ..
        } = &self.connector;
        let found = tokio::net::lookup_host((host.as_str(), *port)).await;
        let found: Vec<SocketAddr> = found.map_err(CallError::away)?.collect();
        let ours = found.iter().find(|found| !is_public(found.ip()));
        if let (Some(ours), false) = (ours, private) {
            return Err(CallError::Private(*ours));
        }
        let plain = TcpStream::connect(found.as_slice()).await;
        let plain = plain.map_err(CallError::away)?;
        // A call is written whole: waiting to fill a segment only adds latency.
        plain.set_nodelay(true).map_err(CallError::away)?;
        if !tls {
            return Ok(Box::new(plain));
        }
        secured(host, plain).await.map_err(CallError::Away)
    }
}

/// The same connection under TLS, to a host that proves its name.
pub(crate) async fn secured(host: &str, plain: TcpStream) -> Result<Box<dyn Stream>, String> {
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let tls = TLS.as_ref().map_err(Clone::clone)?;
    let secure = tls.connect(name, plain).await;
    secure
        .map(|secure| Box::new(secure) as Box<dyn Stream>)
        .map_err(|error| error.to_string())
}

/// A connection, whatever is under it.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// With the certificates that this system trusts.
static TLS: LazyLock<Result<TlsConnector, String>> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err("this system trusts no certificates".to_owned());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
});
