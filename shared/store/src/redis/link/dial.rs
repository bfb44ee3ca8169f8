//! One connection: how it is made, and how it is known to be dead. The store dials for itself, with `redis` speaking the
//! protocol over what it is given, for one reason: whoever holds the driver of a connection learns that it died when it
//! dies. Connections that `redis` opens are found dead by the next call, which then can't tell whether it was carried out.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection, PubSub};
use redis::{AsyncConnectionConfig, RedisConnectionInfo, Value};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio_rustls::TlsConnector;

use super::super::address::{Address, place};
use super::fault::LinkError;

/// How long a connection may take, login included.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Commands that a connection's driver has not yet taken; beyond, callers wait, each until its deadline.
const QUEUE: usize = 256;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Who logs in, and where certificates come from: the same for all servers of an address.
pub(super) struct Dialer {
    tls: Option<TlsConnector>,
    login: RedisConnectionInfo,
    generation: Arc<AtomicU64>,
}

impl Dialer {
    /// For the servers that hold data.
    pub(super) fn new(address: &Address, generation: Arc<AtomicU64>) -> Result<Self, LinkError> {
        let login = login(&address.user, &address.password).set_db(address.db);
        Ok(Self {
            tls: connector(address)?,
            login,
            generation,
        })
    }

    /// For the sentinels, which have their own users.
    pub(super) fn to_sentinels(address: &Address) -> Result<Self, LinkError> {
        Ok(Self {
            tls: connector(address)?,
            login: login(&address.sentinel_user, &address.sentinel_password),
            generation: Arc::default(),
        })
    }

    /// Connects, logs in and is answered once; each of the two within [`CONNECT_TIMEOUT`].
    pub(super) async fn dial(&self, host: &str, port: u16) -> Result<Link, LinkError> {
        let config = AsyncConnectionConfig::new()
            // Each call has its own deadline, which counts the wait for a connection too.
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE);
        let connect = async {
            let stream = self.stream(host, port).await?;
            MultiplexedConnection::new_with_config(&self.login, stream, config)
                .await
                .map_err(|error| error.to_string())
        };
        let (connection, driver) = within(host, port, connect).await?;
        let is_gone = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_gone);
        let driver = tokio::spawn(async move {
            driver.await;
            flag.store(true, Ordering::Release);
        });
        let mut link = Link {
            connection,
            epoch: 0,
            is_mid_call: false,
            life: Arc::new(Life {
                is_gone,
                driver: driver.abort_handle(),
            }),
        };
        // A server that is stopped still has its connections accepted for it. Found out here, nothing was sent; found out
        // by the first call, nobody would know what became of it.
        within(host, port, link.check()).await?;
        self.generation.fetch_add(1, Ordering::AcqRel);
        Ok(link)
    }

    /// Connects for messages, within [`CONNECT_TIMEOUT`].
    pub(super) async fn dial_for_messages(
        &self,
        host: &str,
        port: u16,
    ) -> Result<PubSub, LinkError> {
        let connect = async {
            let stream = self.stream(host, port).await?;
            PubSub::new(&self.login, stream)
                .await
                .map_err(|error| error.to_string())
        };
        within(host, port, connect).await
    }

    async fn stream(&self, host: &str, port: u16) -> Result<Box<dyn Stream + 'static>, String> {
        let plain = TcpStream::connect((host, port))
            .await
            .map_err(|error| error.to_string())?;
        // A small command must not wait for the one before it to be acknowledged.
        plain.set_nodelay(true).map_err(|error| error.to_string())?;
        let Some(tls) = &self.tls else {
            return Ok(Box::new(plain));
        };
        let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        let secure = tls
            .connect(name, plain)
            .await
            .map_err(|error| format!("TLS: {error}"))?;
        Ok(Box::new(secure))
    }
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The login holds a password.
        f.debug_struct("Dialer")
            .field("tls", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}

/// A connection; clones share it. It ends with its last clone.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) connection: MultiplexedConnection,
    /// Which of the successive primaries of one place this goes to.
    pub(super) epoch: u64,
    /// Set while an exclusive connection waits for replies: a call that is dropped then leaves its reply behind, and the
    /// next one must not read it.
    pub(super) is_mid_call: bool,
    life: Arc<Life>,
}

#[derive(Debug)]
struct Life {
    is_gone: Arc<AtomicBool>,
    driver: AbortHandle,
}

impl Link {
    /// Whether nothing should be sent over it any more.
    pub(super) fn is_gone(&self) -> bool {
        self.life.is_gone.load(Ordering::Acquire)
    }

    async fn check(&mut self) -> Result<(), String> {
        let pong = self
            .connection
            .req_packed_command(&redis::cmd("PING"))
            .await;
        match pong.and_then(Value::extract_error) {
            Ok(_) => Ok(()),
            // A user who may not even ask has found someone to say so.
            Err(error) if error.code() == Some("NOPERM") => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Nothing is sent over it any more; who waits for a reply may still get it.
    pub(super) fn give_up(&self) {
        self.life.is_gone.store(true, Ordering::Release);
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

async fn within<T>(
    host: &str,
    port: u16,
    connect: impl Future<Output = Result<T, String>>,
) -> Result<T, LinkError> {
    let why = match tokio::time::timeout(CONNECT_TIMEOUT, connect).await {
        Ok(Ok(connected)) => return Ok(connected),
        Ok(Err(why)) => why,
        Err(_) => format!("no connection within {} ms", CONNECT_TIMEOUT.as_millis()),
    };
    Err(LinkError::Away(format!("{}: {why}", place(host, port))))
}

fn login(user: &Option<String>, password: &Option<String>) -> RedisConnectionInfo {
    let mut login = RedisConnectionInfo::default().set_skip_set_lib_name();
    if let Some(user) = user {
        login = login.set_username(user);
    }
    if let Some(password) = password {
        login = login.set_password(password);
    }
    login
}

fn connector(address: &Address) -> Result<Option<TlsConnector>, LinkError> {
    if !address.tls {
        return Ok(None);
    }
    let roots = match &address.ca {
        Some(file) => private_roots(file)
            .map_err(|error| LinkError::Away(format!("{}: {error}", file.display())))?,
        None => system_roots()?,
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| LinkError::Away(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Some(TlsConnector::from(Arc::new(config))))
}

fn private_roots(file: &Path) -> io::Result<RootCertStore> {
    let invalid = |error: String| io::Error::new(io::ErrorKind::InvalidData, error);
    let pem = fs::read(file)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| invalid(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| invalid(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(invalid("no certificate in it (PEM is expected)".to_owned()));
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, LinkError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(LinkError::Away(
            "this system trusts no certificates; name the ones to trust: rediss://host?ca=/path/to/ca.pem".to_owned(),
        ));
    }
    Ok(roots)
}
