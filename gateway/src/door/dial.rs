//! One connection to a function elsewhere: how it is made. What is sent over it is `upstream`'s.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::Full;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::{Address, Speaks};

/// How often an HTTP/2 connection under use is asked whether it is still there, and how long it may take to say so. One that
/// died without a word would else take every call with it until the system notices, in minutes.
const ALIVE_EVERY: Duration = Duration::from_secs(2);
const ALIVE_WITHIN: Duration = Duration::from_secs(1);

/// A body of ours: read whole before it is sent, so that it can be sent again.
pub(super) type Whole = Full<Bytes>;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Makes connections to one address.
pub(super) struct Dialer {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Dialer {
    /// Reads certificates where TLS is spoken.
    pub(super) fn new(address: &Address) -> Result<Self, String> {
        let tls = match address.speaks {
            Speaks::Http | Speaks::H2c => None,
            Speaks::Https => {
                let name = ServerName::try_from(address.host.clone());
                let name = name.map_err(|error| error.to_string())?;
                Some((connector(address)?, name))
            }
        };
        Ok(Self {
            host: address.host.clone(),
            port: address.port,
            tls,
        })
    }

    /// A connection for one call at a time.
    pub(super) async fn http1(&self) -> Result<http1::SendRequest<Whole>, String> {
        let io = TokioIo::new(self.stream().await?);
        let shaken = http1::handshake(io).await;
        let (sender, connection) = shaken.map_err(|error| error.to_string())?;
        // How it ends is told to the calls that are on it.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    /// A connection for many calls at once.
    pub(super) async fn http2(&self) -> Result<http2::SendRequest<Whole>, String> {
        let io = TokioIo::new(self.stream().await?);
        let shaken = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(ALIVE_EVERY)
            .keep_alive_timeout(ALIVE_WITHIN)
            .handshake(io)
            .await;
        let (sender, connection) = shaken.map_err(|error| error.to_string())?;
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    async fn stream(&self) -> Result<Box<dyn Stream>, String> {
        let plain = TcpStream::connect((&*self.host, self.port)).await;
        let plain = plain.map_err(|error| error.to_string())?;
        // A call is written whole: waiting to fill a segment only adds latency.
        plain.set_nodelay(true).map_err(|error| error.to_string())?;
        let Some((tls, name)) = &self.tls else {
            return Ok(Box::new(plain));
        };
        let secure = tls.connect(name.clone(), plain).await;
        secure
            .map(|secure| Box::new(secure) as Box<dyn Stream>)
            .map_err(|error| format!("TLS: {error}"))
    }
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dialer({}:{})", self.host, self.port)
    }
}

fn connector(address: &Address) -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    match &address.ca {
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err("this system trusts no certificates; name the ones to trust: https://host?ca=/path/to/ca.pem".to_owned());
            }
        }
        Some(file) => {
            let no = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
            let pem = fs::read(file).map_err(|error| no(&error))?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|error| no(&error))?;
                roots.add(certificate).map_err(|error| no(&error))?;
            }
            if roots.is_empty() {
                return Err(no(&"no certificate in it (PEM is expected)"));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
