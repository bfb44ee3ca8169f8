//! Finished posters in a tenant's own object store (S3, COS, or what speaks like them), where it asks for that: each is put there once, under
//! the hash of all that is in it, and the answer leads there. Where the store does not answer, the poster itself does.
//!
//! Since a name is a hash, two processes that put the same one put the same bytes; `turn` keeps them from both drawing it.

mod sign;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HOST};
use axum::http::{HeaderName, Method, Request, StatusCode, Uri};
use campaign::tenant::Storage as Config;
use chrono::{DateTime, Utc};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use machine::Millis;
use poster::Format;
use quick_cache::sync::{Cache, DefaultLifecycle, PlaceholderGuard};
use quick_cache::{DefaultHashBuilder, UnitWeighter};
use tokio::net::TcpStream;
use tokio::time::timeout;

use self::sign::{Key, encoded};
use super::Tag;
use crate::ask::dial::{Stream, secured};

/// How long the store may take for one call: then the poster is sent as it is.
const PATIENCE: Duration = Duration::from_millis(700);

/// Of how many posters this process remembers that they are there.
const REMEMBERED: usize = 10_000;

/// A poster is drawn anew when anything in it changes: what is there never does.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// A tenant's object store.
#[derive(Debug)]
pub struct Storage {
    config: Config,
    key: Key,
    tls: bool,
    /// The host that is called, and its port.
    host: String,
    port: u16,
    /// What a path begins with: the bucket, where the host does not name it.
    base: String,
    there: LazyLock<Cache<Name, Put>>,
}

/// A poster, and how it is written.
type Name = (Tag, Format);

/// Whether it is there, or why not.
type Put = Result<(), NotStored>;

type Lifecycle = DefaultLifecycle<Name, Put>;

/// The turn to find out whether a poster is there, and to put it there.
pub struct Claim<'a> {
    name: Name,
    guard: PlaceholderGuard<'a, Name, Put, UnitWeighter, DefaultHashBuilder, Lifecycle>,
}

impl std::fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Claim").field(&self.name).finish()
    }
}

/// Why a poster is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotStored {
    /// The endpoint is no address.
    #[error(
        "the endpoint of `posters.storage` is not an address such as https://cos.ap-shanghai.myqcloud.com"
    )]
    Endpoint,
    /// It can't be reached.
    #[error("the store does not answer: {0}")]
    Away(String),
    /// It took too long.
    #[error("the store did not answer in time")]
    Late,
    /// It answered with something else.
    #[error("the store answered {0}")]
    Status(StatusCode),
}

impl Storage {
    /// The store that a tenant's settings name, with the key's id and secret.
    pub fn new(config: &Config, id: &str, secret: &str) -> Result<Self, NotStored> {
        let uri: Uri = config.endpoint.parse().map_err(|_| NotStored::Endpoint)?;
        let authority = uri.authority().ok_or(NotStored::Endpoint)?;
        let (tls, usual) = match uri.scheme_str() {
            Some("https") => (true, 443),
            Some("http") => (false, 80),
            _ => return Err(NotStored::Endpoint),
        };
        let endpoint = authority.host();
        // COS knows buckets by host only. A machine without a name of its own, as one on this desk, knows them by path only.
        let by_path = endpoint == "localhost" || endpoint.parse::<std::net::IpAddr>().is_ok();
        let bucket = &config.bucket;
        let (host, base) = if by_path {
            (endpoint.to_owned(), format!("/{}", encoded(bucket, false)))
        } else {
            (format!("{bucket}.{endpoint}"), String::new())
        };
        Ok(Self {
            key: Key {
                id: id.to_owned(),
                secret: secret.to_owned(),
                region: config.region.clone(),
            },
            tls,
            port: authority.port_u16().unwrap_or(usual),
            host,
            base,
            config: config.clone(),
            there: LazyLock::new(|| Cache::new(REMEMBERED)),
        })
    }

    /// Whether it is this one still.
    pub fn is(&self, config: &Config, id: &str, secret: &str) -> bool {
        self.config == *config && self.key.id == id && self.key.secret == secret
    }

    /// What this process knows of a poster: it is there, or could not be put there a moment ago. Else the turn to find out, for one of
    /// those who ask; the others wait for [`Storage::settle`], or take it over where that one goes away.
    pub async fn known(&self, tag: Tag, format: Format) -> Result<Put, Claim<'_>> {
        let name = (tag, format);
        let guard = self.there.get_value_or_guard_async(&name).await;
        guard.map_err(|guard| Claim { name, guard })
    }

    /// Says to those who wait what became of a poster. That it is there is remembered; that it can't be put there is not.
    pub fn settle(&self, claim: Claim<'_>, put: Put) {
        let is_there = put.is_ok();
        let _ = claim.guard.insert(put);
        if !is_there {
            self.there.remove(&claim.name);
        }
    }

    /// Whether a poster is there.
    pub async fn has(&self, tag: Tag, format: Format, now: Millis) -> Result<bool, NotStored> {
        match self
            .call(Method::HEAD, tag, format, Bytes::new(), now)
            .await?
        {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            status => Err(NotStored::Status(status)),
        }
    }

    /// Puts a poster there.
    pub async fn put(
        &self,
        tag: Tag,
        format: Format,
        bytes: Bytes,
        now: Millis,
    ) -> Result<(), NotStored> {
        let status = self.call(Method::PUT, tag, format, bytes, now).await?;
        if !status.is_success() {
            return Err(NotStored::Status(status));
        }
        Ok(())
    }

    /// The address at which anyone reads a poster that is there: for good where the bucket is public, else until it ends.
    pub fn link(&self, tag: Tag, format: Format, now: Millis) -> String {
        let name = self.name(tag, format);
        if let Some(public) = &self.config.public {
            return format!("{public}/{}", encoded(&name, true));
        }
        let path = self.path(&name);
        let secs = u64::try_from(self.config.signed_for_ms / 1000).unwrap_or(60);
        let query = self.key.link(&self.host_header(), &path, secs, time(now));
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}{path}?{query}", self.host_header())
    }

    fn name(&self, tag: Tag, format: Format) -> String {
        format!("{}{}.{}", self.config.prefix, tag.name(), format.name())
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{}", self.base, encoded(name, true))
    }

    fn host_header(&self) -> String {
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => self.host.clone(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }

    async fn call(
        &self,
        method: Method,
        tag: Tag,
        format: Format,
        body: Bytes,
        now: Millis,
    ) -> Result<StatusCode, NotStored> {
        let path = self.path(&self.name(tag, format));
        let host = self.host_header();
        let signed = self
            .key
            .sign(method.as_str(), &host, &path, &body, time(now));
        let mut request = Request::builder()
            .method(&method)
            .uri(&path)
            .header(HOST, &host)
            .header(HeaderName::from_static("x-amz-date"), signed.date)
            .header(
                HeaderName::from_static("x-amz-content-sha256"),
                signed.sha256,
            )
            .header(AUTHORIZATION, signed.authorization);
        if method == Method::PUT {
            request = request
                .header(CONTENT_LENGTH, body.len())
                .header(CONTENT_TYPE, format.media_type())
                .header(CACHE_CONTROL, FOR_GOOD);
        }
        let request = request.body(Full::new(body)).map_err(away)?;
        let call = self.send(request);
        timeout(PATIENCE, call).await.map_err(|_| NotStored::Late)?
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<StatusCode, NotStored> {
        let plain = TcpStream::connect((&*self.host, self.port))
            .await
            .map_err(away)?;
        let stream: Box<dyn Stream> = if self.tls {
            secured(&self.host, plain).await.map_err(NotStored::Away)?
        } else {
            Box::new(plain)
        };
        let shaken = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = shaken.map_err(away)?;
        // It ends with the answer, or when nobody wants that any more.
        tokio::spawn(async move { drop(connection.await) });
        let answer = sender.send_request(request).await.map_err(away)?;
        let status = answer.status();
        // What it says about a failure is short; more of it is nobody's business here.
        let _ = http_body_util::Limited::new(answer.into_body(), 16 * 1024)
            .collect()
            .await;
        Ok(status)
    }
}

fn away(error: impl std::fmt::Display) -> NotStored {
    NotStored::Away(error.to_string())
}

fn time(now: Millis) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(now).unwrap_or_default()
}
