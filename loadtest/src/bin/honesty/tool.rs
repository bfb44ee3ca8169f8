//! The generator, wrk and oha, each called for one measurement. The generator is measured in a process of its own, which is this program
//! called with [`SHOT`], so that its CPU and memory are nobody else's.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use loadtest::Error;
use loadtest::bench::process::{Child, cpu_nanos, installed};
use loadtest::bench::wrk;
use loadtest::call::NoBooks;
use loadtest::engine::{self, Mint};
use loadtest::histogram::Histogram;
use loadtest::scenario;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Only here, to measure itself: plays for so long and prints a [`Shot`].
pub const SHOT: &str = "--shot";

/// One measurement of one tool.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Shot {
    /// Answers in a second.
    pub per_second: f64,
    /// Its own CPU for each, in microseconds.
    pub own_us: f64,
    /// The server's.
    pub server_us: f64,
    /// Times as the tool says them unless it is told to correct them: from when a call was sent.
    pub sent_ms: Times,
    /// From when it was due, of a tool that knows that.
    pub due_ms: Option<Times>,
    /// Calls that failed.
    pub bad: u64,
}

impl fmt::Display for Shot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/s", self.per_second)
    }
}

/// Percentiles, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Times {
    /// Half of the answers came within this.
    pub p50: f64,
    /// 99 of 100.
    pub p99: f64,
    /// 999 of 1,000; wrk does not say it.
    pub p999: Option<f64>,
}

impl Times {
    fn of(times: &Histogram) -> Self {
        let quantile = |share| times.quantile_ms(share);
        Self {
            p50: quantile(0.5).unwrap_or(0.0),
            p99: quantile(0.99).unwrap_or(0.0),
            p999: quantile(0.999),
        }
    }
}

/// A program that sends calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Ours.
    Own,
    /// wrk: each connection sends its next call when one is answered.
    Wrk,
    /// oha, in the same way.
    Oha,
    /// oha with calls due at a rate, and its times corrected for that.
    OhaPaced,
}

/// What a tool is to do.
#[derive(Debug, Clone, Copy)]
pub struct Load<'a> {
    /// This program.
    pub own: &'a Path,
    /// The server, without a path.
    pub url: &'a str,
    /// For how long.
    pub secs: u64,
    /// From how many connections.
    pub connections: u32,
    /// How many calls a second are due, for a tool that is asked for a rate.
    pub asked: u32,
    /// For how many seconds a call of the generator waits for a connection.
    pub patience_secs: u32,
}

impl Tool {
    /// Whether it is on this machine.
    pub fn is_here(self) -> bool {
        match self {
            Self::Own => true,
            Self::Wrk => installed("wrk"),
            Self::Oha | Self::OhaPaced => installed("oha"),
        }
    }

    /// A measurement, and how many answers there were.
    pub fn measure(self, load: &Load<'_>) -> Result<(Shot, f64), Error> {
        match self {
            Self::Own => own(load),
            Self::Wrk => by_wrk(load),
            Self::Oha => by_oha(load, &[]),
            Self::OhaPaced => {
                let asked = load.asked.to_string();
                by_oha(load, &["-q", &asked, "--latency-correction"])
            }
        }
    }
}

fn own(load: &Load<'_>) -> Result<(Shot, f64), Error> {
    let mut command = Command::new(load.own);
    command.args([SHOT, load.url]);
    let numbers = [load.asked, load.connections, load.patience_secs];
    command.arg(load.secs.to_string());
    command.args(numbers.map(|number| number.to_string()));
    let output = run("the generator", &mut command, load.secs)?.0;
    let shot: Shot = read("the generator", &output)?;
    Ok((shot, shot.per_second * load.secs as f64))
}

fn by_wrk(load: &Load<'_>) -> Result<(Shot, f64), Error> {
    let mut command = Command::new("wrk");
    command.args(["-t1", "--latency", "--timeout", "5s"]);
    command
        .arg(format!("-c{}", load.connections))
        .arg(format!("-d{}s", load.secs))
        .arg(path(load.url));
    let (output, own_nanos) = run("wrk", &mut command, load.secs)?;
    let run = wrk::parse(&output)?;
    let answers = run.requests as f64;
    let shot = Shot {
        per_second: run.per_second,
        own_us: own_nanos as f64 / 1000.0 / answers,
        server_us: 0.0,
        sent_ms: Times {
            p50: run.p50_ms,
            p99: run.p99_ms,
            p999: None,
        },
        due_ms: None,
        bad: run.bad + run.sockets,
    };
    Ok((shot, answers))
}

fn by_oha(load: &Load<'_>, more: &[&str]) -> Result<(Shot, f64), Error> {
    let mut command = Command::new("oha");
    command
        .args(["--no-tui", "--output-format", "json", "-z"])
        .arg(format!("{}s", load.secs))
        .args(["-c", &load.connections.to_string()])
        .args(more)
        .arg(path(load.url));
    let (output, own_nanos) = run("oha", &mut command, load.secs)?;
    let found: Value = read("oha", &output)?;
    let number = |path| found.pointer(path).and_then(Value::as_f64).unwrap_or(0.0);
    let per_second = number("/summary/requestsPerSec");
    let answers = per_second * number("/summary/total");
    let times = Times {
        p50: number("/latencyPercentiles/p50") * 1000.0,
        p99: number("/latencyPercentiles/p99") * 1000.0,
        p999: Some(number("/latencyPercentiles/p99.9") * 1000.0),
    };
    let shot = Shot {
        per_second,
        own_us: own_nanos as f64 / 1000.0 / answers,
        server_us: 0.0,
        sent_ms: times,
        due_ms: (!more.is_empty()).then_some(times),
        bad: u64::from(number("/summary/successRate") < 1.0),
    };
    Ok((shot, answers))
}

fn path(url: &str) -> String {
    format!("{url}/v1/a/b/public")
}

fn read<T: serde::de::DeserializeOwned>(name: &str, output: &str) -> Result<T, Error> {
    serde_json::from_str(output).map_err(|error| Error::Command {
        command: name.to_owned(),
        why: format!("its output can't be read: {error}"),
    })
}

/// Runs a tool to its end: what it printed, and the CPU it had used when it was last looked at.
fn run(name: &str, command: &mut Command, secs: u64) -> Result<(String, u64), Error> {
    let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
    let child = Child::start(name, command)?;
    let mut used = 0;
    // It is gone, with its threads' counters, as soon as it is done: the last look counts.
    let limit = Duration::from_secs(secs + 20);
    let output = child.watched(limit, |id| used = cpu_nanos(id).max(used))?;
    Ok((output, used))
}

struct NoToken;

impl Mint for NoToken {
    fn token(
        &self,
        _: &str,
        _: &str,
        _: &BTreeMap<String, Value>,
    ) -> Result<String, engine::Error> {
        Ok(String::new())
    }
}

/// What the generator does by itself, called with what follows [`SHOT`].
pub fn shot(mut args: impl Iterator<Item = String>) -> Result<Shot, String> {
    let mut next = || args.next().ok_or("an argument is missing");
    let (target, secs, asked) = (next()?, next()?, next()?);
    let (connections, patience) = (next()?, next()?);
    // One call a journey, so that as much as possible of the work is the engine's.
    let text = format!(
        "title: The ceiling\ncampaigns: {{ x: a/b }}\npopulation: {{ users: 1000000 }}\njourneys: {{ all: {{ campaign: x, steps: [page] }} }}\n\
         arrivals: [{{ constant: {asked}/s, lasts: {secs}s }}]\nconnections: {connections}\npatience: {patience}s\n"
    );
    let scenario = scenario::read("ceiling", &text).map_err(|mistakes| mistakes.lines())?;
    let ask = engine::Ask {
        target,
        mint: Arc::new(NoToken),
        part: (1, 1),
        threads: Some(1),
        seed: None,
        at: None,
        after: 0,
    };
    let stop = Arc::new(AtomicBool::new(false));
    let played = engine::play(&scenario, &ask, &stop, |_| NoBooks, &mut |_| {});
    let (run, _) = played.map_err(|error| error.to_string())?;
    let calls = run.calls.first().ok_or("no call was made")?;
    let answers = calls.raw.len() as f64;
    let lost = calls
        .meanings
        .iter()
        .filter(|(word, meaning)| meaning.verdict == "failed" && *word != "unsent");
    Ok(Shot {
        per_second: answers / run.secs,
        own_us: run.generator.cpu_secs * 1e6 / answers,
        server_us: 0.0,
        sent_ms: Times::of(&calls.raw),
        due_ms: Some(Times::of(&calls.times)),
        bad: lost.map(|(_, meaning)| meaning.count).sum(),
    })
}
