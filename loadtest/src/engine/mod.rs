//! The generator: plays a scenario against a target in an open model, and makes a [`Run`] of it.
//!
//! One thread per core, each with its own connections, its own share of the arrivals and its own counts; nothing is shared while a run
//! goes on but two flags. What the answers mean for the truth is the judge's ([`Books`]).

mod arrivals;
mod chance;
mod collect;
mod crowd;
mod journey;
mod link;
mod meaning;
mod plan;
mod request;
mod tally;
mod target;
mod timer;
mod wire;
mod worker;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod tests_support;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::call::Books;
use crate::histogram::Histogram;
use crate::limit::short;
use crate::machine;

use crate::run::{Calls, Generator, Run};
use crate::scenario::Scenario;

use collect::Collected;
use plan::{Plan, With};
use tally::Tally;
use target::Target;
use timer::Clock;
use worker::{Left, Worker};

pub use collect::Tick;
pub use request::ADDRESSES;

/// How long threads have to get ready before the first call may be due.
const LEAD: Duration = Duration::from_millis(100);
/// Where one call in a hundred goes out later than this by the generator's own fault, the arrivals are others than those asked for.
const MOST_LAG_MS: f64 = 100.0;
/// Where more than this share of the calls is never sent, too.
const MOST_UNSENT: f64 = 0.001;
/// A lag that is named though nothing came of it but longer times.
const TIGHT_LAG_MS: f64 = 10.0;
/// More than this share of calls waiting for a connection makes the bound on connections a part of the figures.
const TIGHT_WAITED: f64 = 0.01;
/// A generator that uses more than this share of its cores is near its end.
const TIGHT_CPU: f64 = 0.9;

/// Where a scenario is played, and how.
#[derive(Clone)]
pub struct Ask {
    /// The target: `http://host[:port][/prefix]` or `https://...`.
    pub target: String,
    /// Makes the users' tokens.
    pub mint: Arc<dyn Mint>,
    /// Which part of how many, from 1: `(1, 3)` is the first of three processes. `(1, 1)`: all of it.
    pub part: (u32, u32),
    /// How many threads; `None`: one for each core that this process may use.
    pub threads: Option<u32>,
    /// What chance is drawn from instead of the scenario's seed.
    pub seed: Option<u64>,
    /// When the scenario begins, so that several machines begin together; `None`, or a time that is past: as soon as all is ready.
    pub at: Option<SystemTime>,
    /// How many arrivals earlier runs had on the same target: users who come in turn go on where those left off. 0 for one run alone.
    pub after: u64,
}

impl Ask {
    /// How long it is from `now` until the scenario begins.
    pub fn lead(&self, now: SystemTime) -> Duration {
        let left = self.at.and_then(|at| at.duration_since(now).ok());
        left.unwrap_or_default().max(LEAD)
    }
}

/// Makes tokens. Asked when a journey begins, on the engine's threads; what takes long here is seen as lag.
pub trait Mint: Send + Sync {
    /// A token of this member of the tenant, with these claims beside those that say who it is.
    ///
    /// # Errors
    /// There is none: the run ends.
    fn token(
        &self,
        tenant: &str,
        member: &str,
        claims: &BTreeMap<String, Value>,
    ) -> Result<String, Error>;
}

/// Why there is no run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The target's address is none.
    #[error("`{target}` is no target: {why}; write `http://127.0.0.1:8080`")]
    Target {
        /// What was written.
        target: String,
        /// What is wrong about it.
        why: &'static str,
    },
    /// Nobody takes connections there.
    #[error("{target} can't be reached: {why}; is the server running there?")]
    Unreachable {
        /// The target.
        target: String,
        /// What the system said.
        why: String,
    },
    /// TLS can't be spoken.
    #[error("TLS with {target}: {why}")]
    Tls {
        /// The target.
        target: String,
        /// What is wrong.
        why: String,
    },
    /// A token can't be made.
    #[error("no token for a user of tenant `{tenant}`: {why}")]
    Mint {
        /// The tenant.
        tenant: String,
        /// What is wrong, and the way out.
        why: String,
    },
    /// A part that is not there.
    #[error("part {0} of {1} does not exist: parts are counted from 1")]
    Part(u32, u32),
    /// The system does not let a process open that many connections.
    #[error(
        "the scenario asks for {asked} connections and the system allows this process {allowed} files; raise it (`ulimit -n`) or lower `connections`"
    )]
    Files {
        /// Connections asked for.
        asked: u32,
        /// Files allowed.
        allowed: u64,
    },
    /// The system failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// A thread is gone without a word: a bug.
    #[error("a thread of the generator has failed; this is a bug")]
    Thread,
}

/// Plays the scenario to its end, or until `stop` is set: then nothing new is sent, what is under way may still be answered, and the run
/// says that it was stopped. `books` makes each thread's books, which come back in the threads' order; `watch` hears of each second.
///
/// # Errors
/// Before anything is sent: the target is not there, no tokens can be made. Later only what is no fault of the target's.
pub fn play<B: Books>(
    scenario: &Scenario,
    ask: &Ask,
    stop: &Arc<AtomicBool>,
    mut books: impl FnMut(usize) -> B,
    watch: &mut dyn FnMut(&Tick),
) -> Result<(Run, Vec<B>), Error> {
    let (part, parts) = ask.part;
    if part == 0 || part > parts {
        return Err(Error::Part(part, parts));
    }
    if let Some(allowed) = machine::most_files()
        && allowed < u64::from(scenario.connections) + 64
    {
        return Err(Error::Files {
            asked: scenario.connections,
            allowed,
        });
    }
    let target = Target::read(&ask.target)?;
    let found = target.find()?;
    let machine = machine::look();
    let threads = ask.threads.unwrap_or_else(machine::cores);
    let threads = threads.clamp(1, scenario.connections.max(1));
    let (now, now_at) = (Instant::now(), SystemTime::now());
    let lead = ask.lead(now_at);
    let (began, began_at) = (now + lead, now_at + lead);
    let since = began_at.duration_since(SystemTime::UNIX_EPOCH);
    let since = since.unwrap_or_default();
    let seed = ask.seed.unwrap_or(scenario.seed);
    let with = With {
        seed,
        after: ask.after,
        run: since.as_nanos() as u64 ^ u64::from(std::process::id()),
        clock: Clock::from(began),
        stop: Arc::clone(stop),
        mint: Arc::clone(&ask.mint),
    };
    let plan = Arc::new(Plan::new(scenario, &target, found, with));
    for journey in 0..plan.journeys.len() {
        plan.token(journey, 0)?;
    }

    let (sender, beats) = mpsc::channel();
    let mut running = Vec::new();
    for thread in 0..threads {
        // Parts take turns first, so that parts of few threads and of many share evenly.
        let mine = u64::from(part - 1) + u64::from(parts) * u64::from(thread);
        let arrivals = plan.arrivals(scenario, mine, u64::from(parts) * u64::from(threads));
        let limit =
            scenario.connections / threads + u32::from(thread < scenario.connections % threads);
        let worker = Worker::new(
            Arc::clone(&plan),
            arrivals,
            limit as usize,
            books(thread as usize),
            sender.clone(),
        );
        let worker = worker.map_err(|source| Error::Io {
            doing: "the generator can't make its timers",
            source,
        })?;
        running.push(worker);
    }
    drop(sender);
    let spawned = running.into_iter().map(|worker| {
        let (plan, name) = (Arc::clone(&plan), "load".to_owned());
        let spawned = thread::Builder::new().name(name).spawn(move || {
            let ended = worker.run();
            if ended.is_err() {
                // One thread's failure is all threads' end.
                plan.stop.store(true, Ordering::Relaxed);
            }
            ended
        });
        spawned.map_err(|source| Error::Io {
            doing: "the generator can't start a thread",
            source,
        })
    });
    let spawned: Vec<_> = spawned.collect();

    let campaigns: Vec<String> = scenario
        .campaigns
        .iter()
        .map(|of| format!("{}/{}", of.tenant, of.campaign))
        .collect();
    let names: Vec<(String, String)> = plan
        .names
        .iter()
        .map(|(name, of)| {
            (
                name.clone(),
                campaigns.get(*of).cloned().unwrap_or_default(),
            )
        })
        .collect();
    let lasts = plan.schedule.lasts();
    let mut collected = Collected::new(lasts, threads, &names, plan.schedule.stairs());
    let mut broken = false;
    loop {
        // A thread whose second is late is waited for; a run whose threads are all gone is over.
        match beats.recv_timeout(Duration::from_secs(1)) {
            Ok(beat) => {
                let phase = |at| plan.schedule.name_at(at).to_owned();
                for tick in collected.take(beat, phase) {
                    watch(&tick);
                }
                if !broken && collected.has_broken(&scenario.limits) {
                    broken = true;
                    plan.enough.store(true, Ordering::Relaxed);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let mut left = Vec::with_capacity(spawned.len());
    let mut failed = None;
    for thread in spawned {
        match thread.map(|thread| thread.join().map_err(|_| Error::Thread)) {
            Ok(Ok(Ok(one))) => left.push(one),
            Ok(Ok(Err(error)) | Err(error)) | Err(error) => failed = failed.or(Some(error)),
        }
    }
    if let Some(error) = failed {
        return Err(error);
    }
    let (tallies, books): (Vec<Tally>, Vec<B>) = left
        .into_iter()
        .map(|Left { books, tally }| (tally, books))
        .unzip();

    let first = plan.schedule.at(0).unwrap_or_default();
    let last = tallies.iter().map(|tally| tally.last).max();
    let secs = last.unwrap_or_default().saturating_sub(first).as_secs_f64();
    let began_at = chrono::DateTime::from_timestamp(since.as_secs() as i64, since.subsec_nanos());
    let began_at = began_at.map_or_else(String::new, |at| {
        at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
    });
    let run = Run {
        scenario: scenario.name.clone(),
        title: scenario.title.clone(),
        seed,
        part: (parts > 1).then_some(ask.part),
        target: ask.target.clone(),
        began_at,
        secs,
        stopped: broken || stop.load(Ordering::Relaxed),
        window_secs: collected.window_secs() as f64,
        phases: plan.schedule.phases(),
        stairs: collected.stairs(),
        generator: generator(&tallies, threads, machine.cores, secs, scenario.connections),
        windows: collected.windows,
        calls: calls(names, &tallies, collected.times, collected.meanings),
        machine,
    };
    Ok((run, books))
}

fn calls(
    names: Vec<(String, String)>,
    tallies: &[Tally],
    windows: Vec<Vec<Histogram>>,
    meanings: Vec<BTreeMap<String, crate::run::Meaning>>,
) -> Vec<Calls> {
    let each = names.into_iter().zip(windows).zip(meanings).enumerate();
    each.map(|(at, (((name, campaign), windows), meanings))| {
        let mut calls = Calls {
            name,
            campaign,
            times: Histogram::fine(),
            raw: Histogram::fine(),
            windows,
            meanings,
            bytes: 0,
        };
        for times in tallies.iter().filter_map(|tally| tally.calls.get(at)) {
            calls.times.merge(&times.corrected);
            calls.raw.merge(&times.raw);
            calls.bytes += times.bytes;
        }
        calls
    })
    .collect()
}

fn generator(
    tallies: &[Tally],
    threads: u32,
    cores: u32,
    secs: f64,
    connections: u32,
) -> Generator {
    let sum = |of: fn(&Tally) -> u64| tallies.iter().map(of).sum::<u64>();
    let mut lag = Histogram::fine();
    for tally in tallies {
        lag.merge(&tally.lag);
    }
    let cpu: Duration = tallies.iter().map(|tally| tally.cpu).sum();
    let mut generator = Generator {
        threads,
        cpu_secs: cpu.as_secs_f64(),
        lag,
        asked: sum(|tally| tally.asked),
        sent: sum(|tally| tally.sent),
        unsent: sum(|tally| tally.unsent),
        connections: sum(|tally| tally.most_connections),
        connects: sum(|tally| tally.connects),
        memory_mb: machine::most_memory_mb(),
        fell_behind: None,
        strained: None,
    };
    let waited = sum(|tally| tally.waited);
    generator.fell_behind = fell_behind(&generator);
    generator.strained = strained(&generator, waited, connections, threads.min(cores), secs);
    generator
}

/// Why a generator did not keep up, if it did not.
fn fell_behind(generator: &Generator) -> Option<String> {
    let mut why = Vec::new();
    if let Some(lag) = generator.lag.quantile_ms(0.99)
        && lag > MOST_LAG_MS
    {
        why.push(late(lag));
    }
    let unsent = generator.unsent as f64 / generator.asked.max(1) as f64;
    if unsent > MOST_UNSENT {
        why.push(format!(
            "{} % of the calls were never sent",
            short(unsent * 100.0)
        ));
    }
    (!why.is_empty()).then(|| {
        format!(
            "The generator did not keep up: {}. Use more machines (`--part`) or, where the target is slow, more `connections`.",
            why.join("; ")
        )
    })
}

/// What was tight for a generator that may have kept up all the same.
fn strained(
    generator: &Generator,
    waited: u64,
    connections: u32,
    cores: u32,
    secs: f64,
) -> Option<String> {
    let mut what = Vec::new();
    if let Some(lag) = generator.lag.quantile_ms(0.99)
        && lag > TIGHT_LAG_MS
        && lag <= MOST_LAG_MS
    {
        what.push(late(lag));
    }
    let waited = waited as f64 / generator.asked.max(1) as f64;
    if waited > TIGHT_WAITED {
        what.push(format!(
            "{} % of the calls found all {connections} connections busy and waited for one, so the target had at most {connections} at a time",
            short(waited * 100.0)
        ));
    }
    let used = generator.cpu_secs / (secs * f64::from(cores)).max(f64::MIN_POSITIVE);
    if used > TIGHT_CPU {
        let share = short(used * 100.0);
        what.push(format!("the generator used {share} % of its {cores} cores"));
    }
    (!what.is_empty()).then(|| {
        format!(
            "It was tight for the generator: {}. Times count from when calls were due, so this makes the target look slower than it is, never faster.",
            what.join("; ")
        )
    })
}

fn late(lag: f64) -> String {
    format!(
        "one call in a hundred went out {} ms or more late by the generator's own fault",
        short(lag)
    )
}
