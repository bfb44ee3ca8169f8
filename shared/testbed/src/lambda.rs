//! AWS Lambda's runtime API (2018-06-01), played for programs under test: hands events over by long poll, keeps what became of
//! each, and fails in the ways that the platform does.
//!
//! Knows nothing of what events and answers mean; a streamed answer is kept as its bytes.

mod http;

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufReader};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use self::http::{Asked, answer, header, read};

/// How long an outcome is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long an invocation may take, unless said.
const LIMIT: Duration = Duration::from_secs(30);

const ROOT: &str = "/2018-06-01/runtime/";

/// The API on a port of 127.0.0.1; ends, with all its connections, when dropped.
#[derive(Debug)]
pub struct Lambda {
    port: u16,
    shared: Arc<Shared>,
}

/// What became of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered with these bytes.
    Answered(Vec<u8>),
    /// It was answered bit by bit.
    Streamed(Streamed),
    /// It failed.
    Failed(Failure),
}

/// A streamed answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Streamed {
    /// The request's headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its chunks as they came: the prelude, the NULs, the body.
    pub chunks: Vec<Vec<u8>>,
    /// What came after them, names in lower case.
    pub trailers: Vec<(String, String)>,
}

/// A failure that was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// `Lambda-Runtime-Function-Error-Type`.
    pub kind: String,
    /// JSON.
    pub body: Vec<u8>,
}

/// How `next` is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Next {
    /// With events, as they are pushed.
    #[default]
    Serve,
    /// With this status.
    Status(u16),
    /// With the end of the connection.
    Close,
    /// With an event, without its request id.
    Nameless,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    next: Next,
    frozen: bool,
    closed: bool,
    answers: Option<u16>,
    pushed: VecDeque<Pushed>,
    /// Handed over, with the token that its answer must bring back.
    under_way: BTreeMap<String, String>,
    outcomes: BTreeMap<String, Outcome>,
    init_error: Option<Failure>,
    count: u64,
    waiting: usize,
    asked: usize,
    refused: usize,
    live: Vec<TcpStream>,
}

#[derive(Debug)]
struct Pushed {
    id: String,
    event: Vec<u8>,
    limit: Duration,
    headers: Vec<(String, String)>,
}

impl Lambda {
    /// The API, without events.
    ///
    /// # Panics
    ///
    /// If there is no port to listen on.
    pub fn start() -> Self {
        let listener = crate::until::until("a port for Lambda", Duration::from_secs(10), || {
            TcpListener::bind((Ipv4Addr::LOCALHOST, crate::port::free_port())).ok()
        });
        let port = listener.local_addr().expect("its own address").port();
        let shared = Arc::new(Shared::default());
        let at_work = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut state = at_work.lock();
                if state.closed {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let _ = stream.set_nodelay(true);
                state.live.extend(stream.try_clone());
                drop(state);
                let shared = at_work.clone();
                thread::spawn(move || {
                    // An end of the connection is no news here.
                    let _ = shared.serve(&stream);
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        });
        Self { port, shared }
    }

    /// What `AWS_LAMBDA_RUNTIME_API` says of it.
    pub fn api(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Has an event handed over; its id.
    pub fn push(&self, event: impl Into<Vec<u8>>) -> String {
        self.push_with(event, LIMIT, &[])
    }

    /// Has an event handed over that must be answered within `limit`, with further headers.
    pub fn push_with(
        &self,
        event: impl Into<Vec<u8>>,
        limit: Duration,
        headers: &[(&str, &str)],
    ) -> String {
        let mut state = self.shared.lock();
        state.count += 1;
        let id = format!("8476a536-e9f4-11e8-9739-{:012x}", state.count);
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        state.pushed.push_back(Pushed {
            id: id.clone(),
            event: event.into(),
            limit,
            headers: headers.iter().map(own).collect(),
        });
        self.shared.changed.notify_all();
        id
    }

    /// Waits for what becomes of an event.
    ///
    /// # Panics
    ///
    /// If that takes half a minute.
    pub fn outcome(&self, id: &str) -> Outcome {
        self.wait_for(&format!("the outcome of {id}"), |state| {
            state.outcomes.get(id).cloned()
        })
    }

    /// Waits until the program asks for the next event.
    ///
    /// # Panics
    ///
    /// If that takes half a minute.
    pub fn wait_until_asked(&self) {
        self.wait_for("the question for an event", |state| {
            (state.waiting > 0).then_some(())
        });
    }

    /// Waits for what was told instead of a beginning.
    ///
    /// # Panics
    ///
    /// If that takes half a minute.
    pub fn init_error(&self) -> Failure {
        self.wait_for("an error of the init", |state| state.init_error.clone())
    }

    /// From now on, `next` is answered so; who waits for an event is, too.
    pub fn answer_next(&self, next: Next) {
        self.shared.lock().next = next;
        self.shared.changed.notify_all();
    }

    /// The next answer is refused with this status, whatever it is. Once.
    pub fn refuse_answer(&self, status: u16) {
        self.shared.lock().answers = Some(status);
    }

    /// Answers nothing until [`Lambda::thaw`]; new connections are taken and wait.
    pub fn freeze(&self) {
        self.shared.lock().frozen = true;
    }

    /// Goes on.
    pub fn thaw(&self) {
        self.shared.lock().frozen = false;
        self.shared.changed.notify_all();
    }

    /// Cuts all connections; new ones are taken.
    pub fn drop_all(&self) {
        let mut state = self.shared.lock();
        for stream in state.live.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// How often `next` was asked.
    pub fn asked(&self) -> usize {
        self.shared.lock().asked
    }

    /// How many answers were refused: second ones, and ones to what nobody invoked.
    pub fn refused(&self) -> usize {
        self.shared.lock().refused
    }

    fn wait_for<T>(&self, what: &str, mut found: impl FnMut(&State) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.shared.lock();
        loop {
            if let Some(found) = found(&state) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // Whoever cleans up after this panic needs the lock.
                drop(state);
                panic!("waited {PATIENCE:?} in vain: {what}");
            }
            state = self
                .shared
                .changed
                .wait_timeout(state, left)
                .expect("no poison")
                .0;
        }
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        self.drop_all();
        // Whoever waits for a connection sees that it is over.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no poison")
    }

    /// Answers what comes on a connection, until it ends.
    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        loop {
            let asked = read(&mut reader)?;
            self.stay_frozen();
            let end = asked.path.strip_prefix(ROOT).unwrap_or_default().to_owned();
            match (asked.method.as_str(), end.as_str()) {
                ("GET", "invocation/next") => self.next(stream)?,
                ("POST", "init/error") => {
                    self.lock().init_error = Some(failure(&asked));
                    self.changed.notify_all();
                    answer(stream, 202, &[], b"{\"status\":\"OK\"}")?;
                }
                ("POST", of) if of.starts_with("invocation/") => self.take(stream, of, &asked)?,
                _ => answer(stream, 404, &[], b"")?,
            }
        }
    }

    fn stay_frozen(&self) {
        let state = self.lock();
        drop(
            self.changed
                .wait_while(state, |state| state.frozen && !state.closed)
                .expect("no poison"),
        );
    }

    /// Waits for an event without an end, as the platform does.
    fn next(&self, stream: &TcpStream) -> io::Result<()> {
        let mut state = self.lock();
        state.asked += 1;
        state.waiting += 1;
        self.changed.notify_all();
        let ended = || {
            stream.set_nonblocking(true).is_ok_and(|()| {
                let ended = matches!(stream.peek(&mut [0]), Ok(0));
                let _ = stream.set_nonblocking(false);
                ended
            })
        };
        let pushed = loop {
            if state.closed || ended() {
                state.waiting -= 1;
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            match state.next {
                _ if state.frozen => {}
                Next::Serve | Next::Nameless => {
                    if let Some(pushed) = state.pushed.pop_front() {
                        break pushed;
                    }
                }
                Next::Status(status) => {
                    state.waiting -= 1;
                    drop(state);
                    return answer(stream, status, &[], b"{\"errorMessage\":\"played\"}");
                }
                Next::Close => {
                    state.waiting -= 1;
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
            }
            // Looks up from time to time whether the other side is still there: an event must not go to a dead connection.
            let look = Duration::from_millis(20);
            state = self.changed.wait_timeout(state, look).expect("no poison").0;
        };
        state.waiting -= 1;
        let nameless = state.next == Next::Nameless;
        let token = format!("token-{}", pushed.id);
        state.under_way.insert(pushed.id.clone(), token.clone());
        drop(state);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let deadline = now.expect("a clock after 1970") + pushed.limit;
        let mut headers = pushed.headers;
        let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
        if !nameless {
            add("Lambda-Runtime-Aws-Request-Id", pushed.id);
        }
        add(
            "Lambda-Runtime-Deadline-Ms",
            deadline.as_millis().to_string(),
        );
        add(
            "Lambda-Runtime-Invoked-Function-Arn",
            "arn:aws:lambda:us-east-1:123456789012:function:played".to_owned(),
        );
        add(
            "Lambda-Runtime-Trace-Id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1".to_owned(),
        );
        add("Lambda-Runtime-Invocation-Id", token);
        answer(stream, 200, &headers, &pushed.event)
    }

    /// Takes an answer or an error: the first for each invocation, and with the token that came with it.
    fn take(&self, stream: &TcpStream, path: &str, asked: &Asked) -> io::Result<()> {
        let mut parts = path.trim_start_matches("invocation/").splitn(2, '/');
        let (id, end) = (parts.next().unwrap_or_default(), parts.next());
        let outcome = match end {
            Some("error") => Outcome::Failed(failure(asked)),
            Some("response") => {
                let mode = header(&asked.headers, "lambda-runtime-function-response-mode");
                if mode == Some("streaming") {
                    Outcome::Streamed(Streamed {
                        headers: asked.headers.clone(),
                        chunks: asked.chunks.clone(),
                        trailers: asked.trailers.clone(),
                    })
                } else {
                    Outcome::Answered(asked.chunks.concat())
                }
            }
            _ => return answer(stream, 404, &[], b""),
        };
        let mut state = self.lock();
        if let Some(status) = state.answers.take() {
            state.refused += 1;
            state.under_way.remove(id);
            drop(state);
            self.changed.notify_all();
            return answer(stream, status, &[], b"{\"errorType\":\"Played\"}");
        }
        let expected = state.under_way.get(id).map(String::as_str);
        let sound = expected.is_some()
            && expected == header(&asked.headers, "lambda-runtime-invocation-id");
        if !sound {
            state.refused += 1;
            drop(state);
            self.changed.notify_all();
            return answer(
                stream,
                400,
                &[],
                b"{\"errorType\":\"InvalidStateTransition\"}",
            );
        }
        state.under_way.remove(id);
        state.outcomes.insert(id.to_owned(), outcome);
        drop(state);
        self.changed.notify_all();
        answer(stream, 202, &[], b"{\"status\":\"OK\"}")
    }
}

fn failure(asked: &Asked) -> Failure {
    let kind = header(&asked.headers, "lambda-runtime-function-error-type");
    Failure {
        kind: kind.unwrap_or_default().to_owned(),
        body: asked.chunks.concat(),
    }
}
