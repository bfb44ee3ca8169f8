//! Looks at `/metrics` once a second, beside the run, and makes rates of what the counters say.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use reqwest::blocking::Client;

use super::text::Samples;
use super::{Look, Server};
use crate::Error;

/// How often is looked.
pub const EVERY: Duration = Duration::from_secs(1);

/// How long an answer is waited for: a server too busy to be asked is a finding, not a reason to wait.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest text that is read.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Looks under way, until stopped; stopped without a word when dropped.
#[derive(Debug)]
pub struct Watch {
    /// Dropped, it ends the thread.
    stop: Sender<()>,
    thread: JoinHandle<Seen>,
}

/// What was seen so far.
#[derive(Debug, Default)]
struct Seen {
    from: String,
    looks: Vec<(Instant, Counters)>,
    failed: u64,
    about: BTreeMap<String, String>,
}

/// What one look found: counters as they stand, gauges as they are.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Counters {
    started_secs: Option<f64>,
    cpu_secs: Option<f64>,
    memory_bytes: Option<f64>,
    calls: Option<f64>,
    commits: Option<f64>,
    commit_secs: Option<f64>,
    commit_tries: Option<f64>,
    shed: Option<f64>,
}

impl Watch {
    /// Begins to look. `url` is the admin address, or that of the metrics themselves; `token` goes along as a bearer's.
    ///
    /// # Errors
    /// The thread or the client could not be made.
    pub fn start(url: &str, token: Option<&str>) -> Result<Self, Error> {
        let from = address(url);
        let client = Client::builder().timeout(PATIENCE).build();
        let client = client.map_err(|error| {
            Error::io("making a client for the target's metrics")(std::io::Error::other(error))
        })?;
        let (stop, stopped) = channel();
        let token = token.map(str::to_owned);
        let thread = std::thread::Builder::new().name("metrics".to_owned());
        let thread = thread
            .spawn(move || looking(&client, from, token.as_deref(), &stopped))
            .map_err(Error::io("starting a thread for the target's metrics"))?;
        Ok(Self { stop, thread })
    }

    /// Looks a last time, and tells what was seen, with times since `began`.
    pub fn stop(self, began: Instant) -> Server {
        // It may have ended only by a panic, and then there is nothing to tell.
        let _ = self.stop.send(());
        self.thread.join().unwrap_or_default().told(began)
    }
}

/// The metrics' address from that of the server.
fn address(url: &str) -> String {
    let url = url.trim_end_matches('/');
    if url.ends_with("/metrics") {
        url.to_owned()
    } else {
        format!("{url}/metrics")
    }
}

fn looking(client: &Client, from: String, token: Option<&str>, stopped: &Receiver<()>) -> Seen {
    let mut seen = Seen {
        from,
        ..Seen::default()
    };
    let mut due = Instant::now();
    loop {
        seen.look(client, token);
        // What was missed while an answer took long is not made up for.
        while due <= Instant::now() {
            due += EVERY;
        }
        match stopped.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) => {
                seen.look(client, token);
                return seen;
            }
            Err(RecvTimeoutError::Disconnected) => return seen,
        }
    }
}

impl Seen {
    fn look(&mut self, client: &Client, token: Option<&str>) {
        match ask(client, &self.from, token) {
            Some(text) => {
                // The moment of the answer: the target reads its counters just before.
                let (at, samples) = (Instant::now(), Samples::read(&text));
                self.about.extend(about(&samples));
                self.looks.push((at, Counters::of(&samples)));
            }
            None => self.failed += 1,
        }
    }

    fn told(self, began: Instant) -> Server {
        let since = |at: Instant| match at.checked_duration_since(began) {
            Some(after) => after.as_secs_f64(),
            None => -began.duration_since(at).as_secs_f64(),
        };
        let mut about = self.about;
        let mut restarts = Vec::new();
        let mut looks = Vec::with_capacity(self.looks.len());
        let mut before: Option<(Instant, Counters)> = None;
        for (at, now) in self.looks {
            let was = before.filter(|(_, was)| !now.began_after(was));
            if was.is_none() && before.is_some() {
                restarts.push(format!("{:.1} s", since(at)));
            }
            let passed = was.map(|(then, was)| (at.duration_since(then).as_secs_f64(), was));
            // A run may be told to begin much later: what the target did meanwhile is not its story.
            if since(at) > -2.0 * EVERY.as_secs_f64() {
                looks.push(now.look(since(at), passed));
            }
            before = Some((at, now));
        }
        if !restarts.is_empty() {
            about.insert("restarted".to_owned(), restarts.join(", "));
        }
        Server {
            from: self.from,
            looks,
            failed: self.failed,
            about,
        }
    }
}

/// The text, if the server answered with one in time.
fn ask(client: &Client, url: &str, token: Option<&str>) -> Option<String> {
    let mut request = client.get(url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().ok()?.error_for_status().ok()?;
    let mut text = Vec::new();
    answer.take(MOST_BYTES).read_to_end(&mut text).ok()?;
    String::from_utf8(text).ok()
}

fn about(samples: &Samples) -> BTreeMap<String, String> {
    let info = samples.named("gala_info").next();
    let label = |name: &str| info?.label(name).map(str::to_owned);
    let cores = samples.all("gala_cores").map(|cores| cores.to_string());
    let all = [
        ("version", label("version")),
        ("store", label("store")),
        ("cores", cores),
    ];
    let said = all
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    said.collect()
}

impl Counters {
    fn of(samples: &Samples) -> Self {
        // A counter of ours that nothing has counted yet is not shown, and is zero.
        let ours = samples.named("gala_info").next().is_some();
        let zero = ours.then_some(0.0);
        let labelled = |name: &str, label: &str, value: &str| {
            let sum = samples.sum(name, |sample| sample.label(label) == Some(value));
            sum.or(zero)
        };
        Self {
            started_secs: samples.all("process_start_time_seconds"),
            cpu_secs: samples.all("process_cpu_seconds_total"),
            memory_bytes: samples.all("process_resident_memory_bytes"),
            calls: samples.all("gala_http_requests_total").or(zero),
            commits: labelled("gala_commit_tries_total", "outcome", "committed"),
            commit_secs: samples.all("gala_commit_seconds_sum").or(zero),
            commit_tries: samples.all("gala_commit_seconds_count").or(zero),
            shed: labelled("gala_rejections_total", "code", "overloaded"),
        }
    }

    /// Whether the process has begun anew since: it says so, or a counter went backwards.
    fn began_after(&self, was: &Self) -> bool {
        let back = |now: Option<f64>, was: Option<f64>| {
            now.zip(was).is_some_and(|(now, was)| now < was - 1e-9)
        };
        let later = self.started_secs.zip(was.started_secs);
        // A clock that is set shifts what is reckoned from it, but not by a second as a rule.
        later.is_some_and(|(now, was)| now > was + 1.0)
            || back(self.cpu_secs, was.cpu_secs)
            || back(self.calls, was.calls)
            || back(self.commits, was.commits)
            || back(self.commit_tries, was.commit_tries)
            || back(self.shed, was.shed)
    }

    /// As rates since what was so many seconds ago.
    fn look(&self, at_secs: f64, passed: Option<(f64, Self)>) -> Look {
        let passed = passed.filter(|(secs, _)| *secs > 0.0);
        let grown = |of: fn(&Self) -> Option<f64>| {
            let (_, was) = passed.as_ref()?;
            Some(of(self)? - of(was)?)
        };
        let rate = |of: fn(&Self) -> Option<f64>| Some(grown(of)? / passed.as_ref()?.0);
        let tries = grown(|held| held.commit_tries).filter(|tries| *tries > 0.0);
        Look {
            at_secs,
            cpu: rate(|held| held.cpu_secs),
            memory_mb: self.memory_bytes.map(|bytes| bytes / 1e6),
            calls_per_sec: rate(|held| held.calls),
            commits_per_sec: rate(|held| held.commits),
            commit_ms: grown(|held| held.commit_secs)
                .zip(tries)
                .map(|(secs, tries)| secs / tries * 1000.0),
            shed_per_sec: rate(|held| held.shed),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn text(cpu: f64, calls: u64) -> String {
        format!(
            "process_start_time_seconds 1000\nprocess_cpu_seconds_total {cpu}\nprocess_resident_memory_bytes 50000000\n\
             gala_info{{version=\"0.1.0\",store=\"embedded\"}} 1\ngala_cores 2\n\
             gala_http_requests_total{{status=\"200\"}} {calls}\ngala_http_requests_total{{status=\"409\"}} {calls}\n\
             gala_commit_tries_total{{outcome=\"committed\"}} {calls}\ngala_commit_tries_total{{outcome=\"stale\"}} 7\n\
             gala_commit_seconds_sum {}\ngala_commit_seconds_count {}\n",
            calls as f64 * 0.002,
            calls * 2,
        )
    }

    fn seen(texts: &[(u64, String)], began: Instant) -> Server {
        let looks = texts.iter().map(|(at, text)| {
            (
                began + Duration::from_secs(*at),
                Counters::of(&Samples::read(text)),
            )
        });
        let seen = Seen {
            looks: looks.collect(),
            ..Seen::default()
        };
        seen.told(began + Duration::from_secs(1))
    }

    #[test]
    fn counters_become_rates() {
        let server = seen(&[(0, text(1.0, 100)), (2, text(4.0, 500))], Instant::now());
        let [first, second] = &server.looks[..] else {
            panic!("{server:?}")
        };
        assert!((first.at_secs + 1.0).abs() < 1e-9, "before the beginning");
        assert_eq!((first.cpu, first.calls_per_sec), (None, None));
        let close =
            |value: Option<f64>, to: f64| assert!((value.unwrap() - to).abs() < 1e-9, "{second:?}");
        close(second.cpu, 1.5);
        close(second.memory_mb, 50.0);
        close(second.calls_per_sec, 400.0);
        close(second.commits_per_sec, 200.0);
        close(second.commit_ms, 1.0);
        close(second.shed_per_sec, 0.0);
        assert!(!server.about.contains_key("restarted"));
    }

    #[test]
    fn a_restart_is_named_and_no_rate_is_made_over_it() {
        let later = text(0.5, 900).replace("seconds 1000", "seconds 2000");
        for after in [text(0.5, 20), later] {
            let looks = [(1, text(4.0, 500)), (2, after.clone()), (3, after)];
            let server = seen(&looks, Instant::now());
            assert_eq!(server.about["restarted"], "1.0 s");
            assert_eq!(server.looks[1].cpu, None);
            assert_eq!(server.looks[2].cpu, Some(0.0));
        }
    }

    #[test]
    fn a_server_that_says_little_is_not_invented() {
        let one = "up 1\nprocess_cpu_seconds_total NaN\n".to_owned();
        let server = seen(&[(0, one.clone()), (1, one)], Instant::now());
        assert_eq!(
            server.looks[1],
            Look {
                at_secs: 0.0,
                ..Look::default()
            }
        );
        assert_eq!(server.cores(), None);
    }

    /// Answers one text after the other, the last for ever; an empty one is a 500.
    fn serving(texts: Vec<String>) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = [0; 4096];
                let read = stream.read(&mut head).unwrap();
                let head = String::from_utf8_lossy(&head[..read]).to_ascii_lowercase();
                assert!(head.starts_with("get /metrics "), "{head}");
                assert!(head.contains("authorization: bearer secret"), "{head}");
                let at = count.fetch_add(1, Ordering::SeqCst).min(texts.len() - 1);
                let (status, body) = match texts[at].as_str() {
                    "" => ("500 No", "no"),
                    body => ("200 OK", body),
                };
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        (url, asked)
    }

    #[test]
    fn a_server_is_looked_at_until_the_end() {
        let (url, asked) = serving(vec![text(1.0, 0), String::new(), text(2.0, 50)]);
        let began = Instant::now();
        let watch = Watch::start(&url, Some("secret")).unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while asked.load(Ordering::SeqCst) < 3 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        let server = watch.stop(began);
        assert_eq!(server.from, format!("{url}metrics"));
        assert_eq!(server.failed, 1);
        assert!(server.looks.len() >= 3, "{server:?}");
        assert!(server.looks[1].cpu > Some(0.0), "{server:?}");
        assert_eq!(server.about["store"], "embedded");
        assert_eq!(server.cores(), Some(2.0));
    }

    #[test]
    fn a_server_that_is_not_there_is_counted() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/metrics", closed.local_addr().unwrap());
        drop(closed);
        let server = Watch::start(&url, None).unwrap().stop(Instant::now());
        assert_eq!(server.looks, []);
        assert!(server.failed >= 1, "{server:?}");
        assert_eq!(server.from, url);
    }
}
