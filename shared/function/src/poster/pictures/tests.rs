use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// A server that answers every call with the same bytes, after a while.
struct Server {
    address: SocketAddr,
    calls: Arc<AtomicUsize>,
}

impl Server {
    async fn with(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                let answer = answer.clone();
                tokio::spawn(async move {
                    let mut head = vec![0; 4096];
                    let read = stream.read(&mut head).await.unwrap_or(0);
                    let head = String::from_utf8_lossy(&head[..read]).into_owned();
                    let _ = stream.write_all(&answer(&head)).await;
                    if head.contains("GET /hang") {
                        tokio::time::sleep(Duration::from_mins(1)).await;
                    }
                });
            }
        });
        Self { address, calls }
    }

    fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.address.port())
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

/// Says of each name what the test says, one answer after another and the last one for good.
#[derive(Default)]
struct Names(Mutex<HashMap<String, Vec<Vec<SocketAddr>>>>);

impl Names {
    fn of(rows: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let parsed = rows.iter().map(|(name, answers)| {
            let answers = answers.iter().map(|answer| {
                let all = answer.iter().map(|one| one.parse().unwrap());
                all.collect()
            });
            ((*name).to_owned(), answers.collect())
        });
        Arc::new(Self(Mutex::new(parsed.collect())))
    }
}

impl Lookup for Names {
    fn find<'a>(&'a self, host: &'a str, _: u16) -> Found<'a> {
        let mut names = self.0.lock().unwrap();
        let answers = names.get_mut(host).unwrap();
        let answer = if answers.len() > 1 {
            answers.remove(0)
        } else {
            answers[0].clone()
        };
        Box::pin(async move { Ok(answer) })
    }
}

fn ok(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn moved(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

fn hosts() -> Vec<String> {
    ["localhost", "img.example.com", "odd.example.com"]
        .map(str::to_owned)
        .to_vec()
}

/// What a name of ours that is resolved to this server's address would be.
fn here(server: &Server) -> Arc<Names> {
    let at = server.address.to_string();
    Names::of(&[("localhost", &[&[&at]])])
}

#[tokio::test]
async fn a_picture_is_fetched_once_and_kept() {
    let server = Server::with(|_| ok(b"picture")).await;
    let pictures = Pictures::found_by(here(&server));
    let url = server.url("/a.png");
    let hosts = hosts();
    let all: Vec<_> = (0..20)
        .map(|_| pictures.get("acme", &hosts, &url))
        .collect();
    for found in futures_util::future::join_all(all).await {
        assert_eq!(&found.unwrap().bytes[..], b"picture");
    }
    assert_eq!(server.calls(), 1, "one flight for all");
    // What another tenant does not allow it does not get from here.
    let other = pictures.get("other", &[], &url).await;
    assert_eq!(other, Err(NotFetched::Host));
}

#[tokio::test]
async fn every_failure_has_its_word_and_is_not_asked_for_again_at_once() {
    let server = Server::with(|head| {
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        match &*path {
            "/long" => b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n".to_vec(),
            "/longer" => {
                let mut answer = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
                answer.resize(MOST_BYTES + 100, b'x');
                answer
            }
            "/gone" => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec(),
            "/round" => moved("/round"),
            "/away" => moved("https://evil.example/x.png"),
            "/down" => moved("http://img.example.com/x.png"),
            "/hang" => Vec::new(),
            "/head" => vec![b'h'; 200_000],
            _ => b"nonsense\r\n\r\n".to_vec(),
        }
    })
    .await;
    let pictures = Pictures::found_by(here(&server));
    let rows = [
        ("/long", NotFetched::Long),
        ("/longer", NotFetched::Long),
        ("/gone", NotFetched::Status),
        ("/round", NotFetched::Redirects),
        ("/away", NotFetched::Host),
        ("/down", NotFetched::Address),
        ("/hang", NotFetched::Late),
        ("/head", NotFetched::Away),
        ("/nonsense", NotFetched::Away),
    ];
    for (path, why) in rows {
        let url = server.url(path);
        assert_eq!(
            pictures.get("acme", &hosts(), &url).await,
            Err(why),
            "{path}"
        );
        let calls = server.calls();
        assert_eq!(
            pictures.get("acme", &hosts(), &url).await,
            Err(why),
            "{path}"
        );
        assert_eq!(server.calls(), calls, "{path} was asked for again");
    }
}

#[tokio::test]
async fn a_name_that_stands_for_our_own_network_is_not_called() {
    let server = Server::with(|_| ok(b"secret")).await;
    let at = server.address.to_string();
    let odd = ["93.184.216.34:443", &at];
    let names = Names::of(&[
        ("img.example.com", &[&[&at]]),
        // One of its addresses is public; the other is why it is named.
        ("odd.example.com", &[&odd]),
        // A developer's own machine is no way to another.
        ("localhost", &[&["10.0.0.1:80"]]),
    ]);
    let pictures = Pictures::found_by(names);
    for url in [
        "https://img.example.com/a",
        "https://odd.example.com/a",
        "http://localhost:80/a",
    ] {
        let found = pictures.get("acme", &hosts(), url).await;
        assert_eq!(found, Err(NotFetched::Private), "{url}");
    }
    assert_eq!(server.calls(), 0);
}

/// A name that says one thing when it is judged and another when it is called: it is asked once a call, and what was judged is called.
#[tokio::test]
async fn a_name_that_changes_its_meaning_is_judged_by_what_is_called() {
    let server = Server::with(|_| moved("/next")).await;
    let at = server.address.to_string();
    let names = Names::of(&[("localhost", &[&[&at], &["169.254.169.254:80"]])]);
    let pictures = Pictures::found_by(names);
    let found = pictures.get("acme", &hosts(), &server.url("/a")).await;
    assert_eq!(found, Err(NotFetched::Private));
    assert_eq!(server.calls(), 1, "the second hop was not called");
}
