//! Functions elsewhere as a test wants them: one that shows what it was sent, ones that misbehave, ones that are real; each
//! on a free port, and gone when dropped.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderValue;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use function::http::Function;
use function::signed::GatewayKey;
use gateway::door::{self, Bounds, Elsewhere, Patience, Remote, Remotes};
use http_body_util::BodyExt as _;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::world::{ACTIVITIES, World};

/// Patience for tests that do not wait for it to end.
pub fn patient() -> Patience {
    Patience {
        connect: Duration::from_secs(10),
        call: Duration::from_secs(30),
        ask_away_every: Duration::from_millis(20),
        ..Patience::default()
    }
}

/// The door of this house, with the functions of these activities elsewhere.
pub fn front(
    world: &World,
    elsewhere: &[(&'static str, &[&str])],
    key: Option<&GatewayKey>,
    patience: Patience,
) -> Router {
    let functions = ACTIVITIES
        .iter()
        .map(|activity| (activity.id(), Function::new(world.shell.clone())));
    let remotes = elsewhere.iter().map(|(activity, addresses)| {
        let addresses = addresses
            .iter()
            .map(|address| address.parse().unwrap())
            .collect();
        let remote = Remote::start(activity, addresses, key.cloned(), patience).unwrap();
        (*activity, remote)
    });
    let remotes: Remotes = remotes.collect();
    door::router_to(
        world.registry.clone(),
        functions.collect(),
        Elsewhere {
            functions: remotes,
            ..Elsewhere::default()
        },
        Bounds::default(),
    )
}

/// Asks until there is an answer.
pub async fn until<T>(what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    Http1,
    Http2,
}

/// A server that ends, with its connections, when dropped.
pub struct Served {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Served {
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    async fn at<F>(
        address: SocketAddr,
        take: impl Fn(TcpStream, SocketAddr) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        // A port of a server that has just gone may still be held.
        let listener = until("the port", async || TcpListener::bind(address).await.ok()).await;
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, peer) = listener.accept().await.unwrap();
                connections.spawn(take(stream, peer));
            }
        });
        Self { address, task }
    }

    /// These routes, at a free port.
    pub async fn routes(router: Router, speaks: Speaks) -> Self {
        Self::routes_at("127.0.0.1:0".parse().unwrap(), router, speaks).await
    }

    /// These routes, at this address.
    pub async fn routes_at(address: SocketAddr, router: Router, speaks: Speaks) -> Self {
        Self::at(address, move |stream, peer| {
            let router = router.clone().layer(axum::Extension(ConnectInfo(peer)));
            async move { talk(stream, router, speaks).await }
        })
        .await
    }

    /// These routes over TLS.
    pub async fn tls(router: Router, tls: tokio_rustls::TlsAcceptor) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), move |stream, _| {
            let (router, tls) = (router.clone(), tls.clone());
            async move {
                if let Ok(stream) = tls.accept(stream).await {
                    talk(stream, router, Speaks::Http1).await;
                }
            }
        })
        .await
    }

    /// One that is ready, and misbehaves whenever it is called.
    pub async fn misbehaving(how: Misbehaves) -> (Self, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let served = Self::at("127.0.0.1:0".parse().unwrap(), move |stream, _| {
            let calls = counted.clone();
            async move {
                // Whoever closes is not waited for.
                let _ = misbehave(stream, how, &calls).await;
            }
        })
        .await;
        (served, calls)
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    speaks: Speaks,
) {
    let io = TokioIo::new(stream);
    let service = TowerToHyperService::new(router);
    // How a connection ends is the client's matter.
    match speaks {
        Speaks::Http1 => drop(http1::Builder::new().serve_connection(io, service).await),
        Speaks::Http2 => drop(
            http2::Builder::new(TokioExecutor::new())
                .serve_connection(io, service)
                .await,
        ),
    }
}

/// What a server does with a call that it has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misbehaves {
    /// Nothing.
    Hangs,
    /// Closes.
    Closes,
    /// Answers what is no HTTP.
    Garbage,
    /// Answers a head and half a body, and closes.
    Half,
    /// Answers a head and half a body, and nothing more.
    Stalls,
    /// Says that it now speaks something else.
    Switches,
}

async fn misbehave(mut stream: TcpStream, how: Misbehaves, calls: &AtomicUsize) -> io::Result<()> {
    loop {
        let head = read_call(&mut stream).await?;
        if head.starts_with("GET /readyz ") {
            let ready =
                b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}";
            stream.write_all(ready).await?;
            continue;
        }
        calls.fetch_add(1, Ordering::SeqCst);
        let half = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345";
        match how {
            Misbehaves::Hangs => std::future::pending().await,
            Misbehaves::Closes => return Ok(()),
            Misbehaves::Garbage => stream.write_all(b"220 mail.example ESMTP\r\n\r\n").await?,
            Misbehaves::Half => return stream.write_all(half).await,
            Misbehaves::Stalls => {
                stream.write_all(half).await?;
                std::future::pending::<()>().await;
            }
            Misbehaves::Switches => {
                let switch = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";
                stream.write_all(switch).await?;
            }
        }
    }
}

/// Reads a whole call, its body too; gives its head.
async fn read_call(stream: &mut TcpStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return Ok(head.to_owned());
            }
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Shows in its answer what it was sent, and counts.
#[derive(Clone, Default)]
pub struct Mirror {
    pub calls: Arc<AtomicUsize>,
    /// 1: it says that it is not ready; 2: something in between says so.
    pub not_ready: Arc<AtomicUsize>,
    pub asked: Arc<AtomicUsize>,
}

impl Mirror {
    pub fn router(&self) -> Router {
        let (mirror, asked) = (self.clone(), self.clone());
        let ready = move || async move { asked.ready() };
        Router::new()
            .route("/readyz", get(ready.clone()))
            .route("/base/readyz", get(ready))
            .fallback(move |request: Request| mirror.show(request))
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn ready(&self) -> Response {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let json = [("content-type", "application/json")];
        match self.not_ready.load(Ordering::SeqCst) {
            0 => (json, "{}").into_response(),
            1 => (axum::http::StatusCode::SERVICE_UNAVAILABLE, json, "{}").into_response(),
            _ => (axum::http::StatusCode::SERVICE_UNAVAILABLE, "<html>").into_response(),
        }
    }

    async fn show(self, request: Request) -> Response {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let headers: Vec<[&str; 2]> = parts
            .headers
            .iter()
            .map(|(name, value)| [name.as_str(), value.to_str().unwrap()])
            .collect();
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let shown = json!({
            "method": parts.method.as_str(),
            "uri": parts.uri.to_string(),
            "version": format!("{:?}", parts.version),
            "headers": headers,
            "body": String::from_utf8_lossy(&body),
            "peer": peer.map(|peer| peer.0.ip().to_string()),
        });
        let mut answer = Response::new(Body::from(shown.to_string()));
        *answer.status_mut() = axum::http::StatusCode::IM_A_TEAPOT;
        for (name, value) in [
            ("content-type", "application/json"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
            ("x-kept", "1"),
            ("connection", "x-hop"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("proxy-authenticate", "Basic"),
        ] {
            answer
                .headers_mut()
                .append(name, HeaderValue::from_static(value));
        }
        answer
    }
}

/// A body of unknown length, in pieces of a kilobyte.
pub struct Pieces(pub usize);

impl hyper::body::Body for Pieces {
    type Data = axum::body::Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Infallible>>> {
        let next = self.0.checked_sub(1).map(|left| {
            self.0 = left;
            Ok(hyper::body::Frame::data(vec![b' '; 1024].into()))
        });
        std::task::Poll::Ready(next)
    }
}
