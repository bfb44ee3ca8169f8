//! One rate as it was played: what goes into the report, and beside it what says where the time went.

use std::net::IpAddr;

use super::Try;
use crate::histogram::Histogram;
use crate::limit::Limit;
use crate::run::Run;
use crate::server::{Look, Server};

/// A rate that was played.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// What the report shows.
    pub tried: Try,
    /// What the cause is reckoned from.
    pub evidence: Evidence,
}

/// Who was busy. What was not seen is `None`, never guessed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// The cores that the target may use.
    pub server_cores: Option<f64>,
    /// The cores of the machine, where generator and target share it.
    pub shared_cores: Option<f64>,
    /// The mean time of a commit, in milliseconds.
    pub commit_ms: Option<f64>,
    /// Calls that the target had no room for, each second.
    pub shed_per_sec: Option<f64>,
    /// Calls that a rate limit refused, as a share (0 to 1).
    pub limited: f64,
    /// The generator's threads.
    pub generator_threads: f64,
    /// The 99th percentile of the generator's lag, in milliseconds.
    pub generator_lag_ms: Option<f64>,
    /// Why the generator did not keep up, if it did not.
    pub fell_behind: Option<String>,
}

impl Tried {
    /// What a run at a rate (in journeys a second) came to; `server` is what was seen of the target meanwhile.
    ///
    /// A generator that did not keep up counts as a miss: what it measured is not what was asked.
    pub fn of(journeys_per_sec: f64, run: &Run, server: Option<&Server>, limits: &[Limit]) -> Self {
        let secs = run.secs.max(1e-9);
        let measured = limits.iter().map(|limit| limit.measure(run));
        let missed = measured.filter(|held| !held.met).map(|held| {
            let measured = held.measured.unwrap_or_else(|| "nothing".to_owned());
            format!("{}: {measured}", held.limit)
        });
        let mut missed: Vec<String> = missed.collect();
        if let Some(why) = &run.generator.fell_behind {
            missed.push(format!("the generator: {why}"));
        }
        let mean = |figure: fn(&Look) -> Option<f64>| {
            server.and_then(|server| server.mean(0.0, run.secs, figure))
        };
        let mut times = Histogram::fine();
        run.calls.iter().for_each(|calls| times.merge(&calls.times));
        let shared = is_this_machine(&run.target).then(|| f64::from(run.machine.cores));
        let generator = &run.generator;
        Self {
            tried: Try {
                journeys_per_sec,
                asked_per_sec: generator.asked as f64 / secs,
                answered_per_sec: times.len() as f64 / secs,
                p99_ms: times.quantile_ms(0.99),
                server_cpu: mean(|look| look.cpu),
                generator_cpu: generator.cpu_secs / secs,
                missed,
            },
            evidence: Evidence {
                server_cores: server.and_then(Server::cores),
                shared_cores: shared,
                commit_ms: mean(|look| look.commit_ms),
                shed_per_sec: mean(|look| look.shed_per_sec),
                limited: share_of(run, "limited"),
                generator_threads: f64::from(generator.threads),
                generator_lag_ms: generator.lag.quantile_ms(0.99),
                fell_behind: generator.fell_behind.clone(),
            },
        }
    }

    /// Whether all limits were met.
    pub fn held(&self) -> bool {
        self.tried.missed.is_empty()
    }
}

/// The share of answers with a verdict.
fn share_of(run: &Run, verdict: &str) -> f64 {
    let meanings = || run.calls.iter().flat_map(|calls| calls.meanings.values());
    let all: u64 = meanings().map(|meaning| meaning.count).sum();
    let those = meanings().filter(|meaning| meaning.verdict == verdict);
    let those: u64 = those.map(|meaning| meaning.count).sum();
    those as f64 / all.max(1) as f64
}

/// Whether an address leads to the machine that asks: by a loopback name, since no other can be told without asking.
fn is_this_machine(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(host) => host.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(host, _)| host),
    };
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_names_are_this_machine() {
        for url in [
            "http://127.0.0.1:8080",
            "http://localhost/x",
            "http://[::1]:80/",
            "localhost:1",
        ] {
            assert!(is_this_machine(url), "{url}");
        }
        for url in [
            "http://10.0.0.1:8080",
            "https://acme.example",
            "",
            "http://[",
        ] {
            assert!(!is_this_machine(url), "{url}");
        }
    }
}
