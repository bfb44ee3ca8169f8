//! Logs, and the sampled log of calls.

use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line, for machines.
    Json,
    /// For people.
    Text,
}

/// Starts logging to standard error (standard output is for data). `level` is a level or a filter in the
/// syntax of `RUST_LOG`: `info`, `info,function=debug`. Can be called once in a process.
pub fn init_logs(format: Format, level: &str) -> Result<(), LogError> {
    let filter = EnvFilter::try_new(level).map_err(|error| LogError::Level(error.to_string()))?;
    let registry = tracing_subscriber::registry().with(filter);
    // Colours are for people who watch; `NO_COLOR` is honoured.
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(colours);
    match format {
        Format::Json => registry.with(lines.json().flatten_event(true)).try_init(),
        Format::Text => registry.with(lines.compact()).try_init(),
    }
    .map_err(|_| LogError::Started)
}

/// Why logging did not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The filter cannot be read.
    #[error("the log level cannot be read: {0}")]
    Level(String),
    /// It was started before.
    #[error("logging was started before")]
    Started,
}

/// The log of calls: each that went wrong on our side, and one in `every` of the others.
#[derive(Debug)]
pub struct AccessLog {
    every: u32,
    calls: AtomicU64,
}

/// One call, as it is logged.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// The request's id.
    pub request_id: &'a str,
    /// The tenant; empty where the path named none that exists.
    pub tenant: &'a str,
    /// The campaign; empty likewise.
    pub campaign: &'a str,
    /// The route's pattern, never the path itself: paths hold member ids.
    pub route: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// The problem's code; empty when there was none.
    pub code: &'a str,
    /// From the last byte of the request's head to the answer.
    pub took: Duration,
}

impl AccessLog {
    /// Logs one in `every` of the calls that went well; 0: none of them, 1: all.
    pub fn new(every: u32) -> Self {
        Self {
            every,
            calls: AtomicU64::new(0),
        }
    }

    /// Whether this call is logged, and for how many calls its line stands (`sample_rate`).
    pub fn sample(&self, status: u16) -> Option<u32> {
        if status >= 500 {
            return Some(1);
        }
        let every = u64::from(self.every);
        if every == 0 {
            return None;
        }
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        call.is_multiple_of(every).then_some(self.every)
    }

    /// Logs a call, or not. Multiply by `sample_rate` to count.
    pub fn write(&self, access: &Access<'_>) {
        let Some(sample_rate) = self.sample(access.status) else {
            return;
        };
        let Access {
            request_id,
            tenant,
            campaign,
            route,
            status,
            code,
            took,
        } = *access;
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if status >= 500 {
            tracing::warn!(target: "access", request_id, tenant, campaign, route, status, code, took_us, sample_rate,
                "{route} of {tenant}/{campaign} answered {status} {code} (request {request_id})");
        } else {
            tracing::info!(target: "access", request_id, tenant, campaign, route, status, code, took_us, sample_rate,
                "{route} of {tenant}/{campaign} answered {status} {code} (request {request_id})");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn one_in_so_many_and_every_failure() {
        let kept = |every: u32, status: u16| {
            let log = AccessLog::new(every);
            (0..100)
                .filter_map(|_| log.sample(status))
                .map(u64::from)
                .collect::<Vec<_>>()
        };
        let rows = [
            (1, 200, 100, 1),
            (10, 200, 10, 10),
            (10, 409, 10, 10),
            (0, 200, 0, 0),
            (0, 503, 100, 1),
            (10, 500, 100, 1),
        ];
        for (every, status, lines, rate) in rows {
            let kept = kept(every, status);
            assert_eq!(kept.len(), lines, "{every} {status}");
            assert!(kept.iter().all(|kept| *kept == rate));
        }
    }

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_says_how_many_it_stands_for() {
        let lines = Lines::default();
        let sink = lines.clone();
        let layer = tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(move || sink.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            AccessLog::new(100).write(&Access {
                request_id: "r-1",
                tenant: "acme",
                campaign: "spring",
                route: "event",
                status: 200,
                code: "",
                took: Duration::from_micros(1234),
            });
        });
        let bytes = lines.0.lock().unwrap().clone();
        let line: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(line["sample_rate"], 100);
        assert_eq!(line["took_us"], 1234);
        assert_eq!(line["target"], "access");
    }

    #[test]
    fn a_level_that_is_none() {
        assert!(matches!(
            init_logs(Format::Json, "info,=="),
            Err(LogError::Level(_))
        ));
    }
}
