//! Hosts that speak HTTP: a plain one, and SCF's for web functions, which writes headers of its own over the client's.

use std::fmt::Write as _;
use std::io::{Read as _, Write};
use std::net::TcpStream;

use host::Host;
use host::event::Event;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::{CLIENT, Front, Inbox, app};
use crate::call::{Answer, Call};

/// The app on a port.
pub struct Http {
    host: Host,
    port: u16,
    inbox: Inbox,
    _runtime: Runtime,
    _stop: oneshot::Sender<()>,
}

impl Http {
    pub fn start(host: Host, below: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let inbox = Inbox::default();
        let app = app(&inbox, below);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, stopped) = oneshot::channel::<()>();
        runtime.spawn(host::plain::serve(app, host, listener, async {
            let _ = stopped.await;
        }));
        Self {
            host,
            port,
            inbox,
            _runtime: runtime,
            _stop: stop,
        }
    }
}

impl Front for Http {
    fn name(&self) -> &'static str {
        if self.host == Host::ScfWeb {
            "SCF web"
        } else {
            "HTTP"
        }
    }

    fn client(&self) -> &'static str {
        if self.host == Host::ScfWeb {
            CLIENT
        } else {
            "127.0.0.1"
        }
    }

    fn names_calls(&self) -> bool {
        self.host == Host::ScfWeb
    }

    fn delivered(&self) -> Vec<Event> {
        self.inbox.taken()
    }

    fn call(&self, call: &Call) -> Answer {
        let mut lines: Vec<(&str, String)> = Vec::new();
        let of_scf = |name: &str| name.to_ascii_lowercase().starts_with("x-scf-");
        for (name, value) in &call.headers {
            // What the host writes, a client's own does not survive.
            if self.host != Host::ScfWeb || !of_scf(name) {
                lines.push((name, (*value).to_owned()));
            }
        }
        if !call
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"))
        {
            lines.push(("Host", "example.com".to_owned()));
        }
        if self.host == Host::ScfWeb {
            lines.push(("X-Scf-Request-Id", "scf-web-1".to_owned()));
            lines.push(("X-Scf-Remote-Addr", CLIENT.to_owned()));
            lines.push(("X-Scf-Secret-Key", "the platform's own".to_owned()));
        }
        if call.method == "POST" || !call.body.is_empty() {
            lines.push(("Content-Length", call.body.len().to_string()));
        }
        lines.push(("Connection", "close".to_owned()));
        let query = if call.query.is_empty() {
            String::new()
        } else {
            format!("?{}", call.query)
        };
        let mut request = format!("{} {}{query} HTTP/1.1\r\n", call.method, call.path);
        for (name, value) in lines {
            let _ = write!(request, "{name}: {value}\r\n");
        }
        request += "\r\n";
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        // A server that refuses early closes while the rest is on its way.
        let _ = stream
            .write_all(request.as_bytes())
            .and_then(|()| stream.write_all(&call.body));
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        read(&bytes, call.method == "HEAD")
    }
}

/// An answer of HTTP/1.1 whose connection is closed after it.
fn read(bytes: &[u8], head: bool) -> Answer {
    let end = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("a whole head");
    let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut answer = Answer {
        status,
        headers,
        body: bytes[end + 4..].to_vec(),
    };
    if answer.header("transfer-encoding") == ["chunked"] {
        answer.body = whole(&answer.body);
    }
    assert!(
        !head || answer.body.is_empty(),
        "a HEAD is answered without a body"
    );
    answer
}

fn whole(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(line) = chunks.windows(2).position(|two| two == b"\r\n") {
        let size =
            usize::from_str_radix(std::str::from_utf8(&chunks[..line]).unwrap(), 16).unwrap();
        body.extend_from_slice(&chunks[line + 2..line + 2 + size]);
        chunks = &chunks[line + 2 + size + 2..];
        if size == 0 {
            break;
        }
    }
    body
}
