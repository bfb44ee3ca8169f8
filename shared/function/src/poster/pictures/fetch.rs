//! One picture from the network: the host's name is looked up here, all that it stands for is judged, and what was judged is what is
//! called, so a name that changes its meaning in between changes nothing. Redirects are few and judged anew; length and time are bounded.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use axum::body::Bytes;
use axum::http::header::{ACCEPT, CONTENT_LENGTH, HOST, LOCATION, USER_AGENT};
use axum::http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::NotFetched;
use super::target::Target;
use crate::ask::dial::{Stream, secured};

/// How many redirects are followed.
const REDIRECTS: usize = 3;

/// The longest head of an answer, in bytes.
const HEAD_BYTES: usize = 32 * 1024;

/// What a host's name stands for, later.
pub type Found<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>>;

/// What looks names up. A test brings its own, to show what is done with what one says.
pub trait Lookup: Send + Sync + 'static {
    /// All that a name stands for.
    fn find<'a>(&'a self, host: &'a str, port: u16) -> Found<'a>;
}

/// The system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Lookup for System {
    fn find<'a>(&'a self, host: &'a str, port: u16) -> Found<'a> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

/// Fetches what stands at `address`, at most `most` bytes of it.
pub(super) async fn fetch(
    lookup: &dyn Lookup,
    hosts: &[String],
    address: &str,
    most: usize,
) -> Result<Bytes, NotFetched> {
    let mut target = Target::of(address, hosts)?;
    for _ in 0..=REDIRECTS {
        let answer = get(lookup, &target).await?;
        let (parts, body) = answer.into_parts();
        match parts.status {
            StatusCode::OK => {
                let said = parts.headers.get(CONTENT_LENGTH);
                let said = said.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
                if said.is_some_and(|length| length > most as u64) {
                    return Err(NotFetched::Long);
                }
                return read(body, most).await;
            }
            status if status.is_redirection() => {
                let location = parts.headers.get(LOCATION);
                let location = location.and_then(|location| location.to_str().ok());
                target = target.follow(location.ok_or(NotFetched::Status)?, hosts)?;
            }
            _ => return Err(NotFetched::Status),
        }
    }
    Err(NotFetched::Redirects)
}

async fn read(body: Incoming, most: usize) -> Result<Bytes, NotFetched> {
    match Limited::new(body, most).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(NotFetched::Long),
        Err(_) => Err(NotFetched::Away),
    }
}

async fn get(
    lookup: &dyn Lookup,
    target: &Target,
) -> Result<axum::http::Response<Incoming>, NotFetched> {
    let found = lookup.find(&target.host, target.port).await;
    let found = found.map_err(|_| NotFetched::Away)?;
    // One that may not be called spoils all: who names a private address beside a public one waits for us to choose wrongly.
    if found.is_empty() || !found.iter().all(|found| target.may_call(found.ip())) {
        return Err(NotFetched::Private);
    }
    let plain = TcpStream::connect(found.as_slice()).await;
    let plain = plain.map_err(|_| NotFetched::Away)?;
    let stream: Box<dyn Stream> = if target.tls {
        let secure = secured(&target.host, plain).await;
        secure.map_err(|_| NotFetched::Away)?
    } else {
        Box::new(plain)
    };
    let shaken = http1::Builder::new()
        .max_buf_size(HEAD_BYTES)
        .handshake(TokioIo::new(stream))
        .await;
    let (mut sender, connection) = shaken.map_err(|_| NotFetched::Away)?;
    // It ends with the answer, or when nobody wants that any more.
    tokio::spawn(async move { drop(connection.await) });
    let request = Request::get(&target.path)
        .header(HOST, target.host_header())
        .header(ACCEPT, "image/jpeg, image/png, image/webp")
        .header(USER_AGENT, "gala")
        .body(Empty::<Bytes>::new())
        .map_err(|_| NotFetched::Address)?;
    sender
        .send_request(request)
        .await
        .map_err(|_| NotFetched::Away)
}
