//! `cargo run --release -p loadtest --bin honesty`: the generator beside wrk and oha, in one run, against one fixed endpoint.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use clap::Parser;
use loadtest::Error;
use loadtest::bench::machine::Machine;
use loadtest::bench::process::{Child, cpu_nanos, free_port, installed};
use loadtest::bench::told::told;
use loadtest::bench::wrk;
use loadtest::call::NoBooks;
use loadtest::engine::{self, Mint};
use loadtest::scenario;
use serde::Serialize;
use serde_json::Value;

/// The share of wrk's rate that is asked of the generator.
const GOAL: f64 = 0.9;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the generator can do and what that costs, beside wrk and, where it is installed, oha, in interleaved rounds.
///
/// Everything runs on 127.0.0.1 against the same fixed endpoint (`hello`), one thread and as many connections each. wrk and oha send the
/// next call when one is answered; the generator is asked for more than it can get answered, which is an open model's ceiling. Exit code 4
/// when it reaches less than 0.9 of wrk's rate.
#[derive(Debug, Parser)]
struct Args {
    /// How long each is measured in a round
    #[arg(long, default_value_t = 3, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=60))]
    secs: u64,
    /// How many rounds
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Connections
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    connections: u32,
    /// Calls a second that the generator is asked for [default: 1.2 times what wrk reaches in a second of warming up]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    asked: Option<u32>,
    /// JSON instead of the table
    #[arg(long)]
    json: bool,
}

/// Only here, to measure itself: plays for so long and prints `Shot`.
const SHOT: &str = "--shot";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some(SHOT) {
        return match shot(args) {
            Ok(shot) => told("honesty", Ok(shot), true, |_| true),
            Err(error) => {
                eprintln!("honesty: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let args = Args::parse();
    told("honesty", bench(&args), args.json, Table::holds)
}

/// One measurement of one tool.
#[derive(Debug, Clone, Copy, Serialize, serde::Deserialize)]
struct Shot {
    per_second: f64,
    own_us: f64,
    server_us: f64,
    p50_ms: f64,
    p99_ms: f64,
    bad: u64,
}

impl fmt::Display for Shot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/s", self.per_second)
    }
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

/// What the generator does by itself, in a process of its own, so that its CPU and memory are nobody else's.
fn shot(mut args: impl Iterator<Item = String>) -> Result<Shot, String> {
    let mut next = || args.next().ok_or("an argument is missing");
    let (target, secs, asked, connections) = (next()?, next()?, next()?, next()?);
    // One call a journey, so that as much as possible of the work is the engine's.
    let text = format!(
        "title: The ceiling\ncampaigns: {{ x: a/b }}\npopulation: {{ users: 1000000 }}\njourneys: {{ all: {{ campaign: x, steps: [page] }} }}\n\
         arrivals: [{{ constant: {asked}/s, lasts: {secs}s }}]\nconnections: {connections}\npatience: 1s\n"
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
        p50_ms: calls.raw.quantile_ms(0.5).unwrap_or(0.0),
        p99_ms: calls.raw.quantile_ms(0.99).unwrap_or(0.0),
        bad: lost.map(|(_, meaning)| meaning.count).sum(),
    })
}

#[derive(Debug, Serialize)]
struct Table {
    machine: Machine,
    connections: u32,
    rows: Vec<Row>,
    share_of_wrk: f64,
}

#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    /// The round with the median rate.
    median: Shot,
    rates: Vec<f64>,
}

impl Table {
    fn holds(&self) -> bool {
        self.share_of_wrk >= GOAL
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = &self.machine;
        writeln!(
            out,
            "{}, {} cores, kernel {}, load before {}; {} connections, one thread each",
            machine.cpu, machine.cores, machine.kernel, machine.load_before, self.connections
        )?;
        writeln!(
            out,
            "\n{:10}  {:>9}  {:>12}  {:>12}  {:>9}  {:>9}  rates of all rounds",
            "", "calls/s", "own us/call", "server us", "p50 ms", "p99 ms"
        )?;
        for row in &self.rows {
            let shot = &row.median;
            let rates: Vec<String> = row.rates.iter().map(|rate| format!("{rate:.0}")).collect();
            writeln!(
                out,
                "{:10}  {:>9.0}  {:>12.1}  {:>12.1}  {:>9.2}  {:>9.2}  {}",
                row.name,
                shot.per_second,
                shot.own_us,
                shot.server_us,
                shot.p50_ms,
                shot.p99_ms,
                rates.join(" ")
            )?;
        }
        write!(
            out,
            "\nthe generator reaches {:.2} of wrk's rate (median of rounds; goal {GOAL})\n\
             times are from when a call was sent, as wrk and oha take them: a closed loop knows no other",
            self.share_of_wrk
        )
    }
}

#[derive(Debug, Clone, Copy)]
enum Tool {
    Own,
    Wrk,
    Oha,
}

impl Tool {
    /// A measurement, and how many answers there were.
    fn measure(self, args: &Args, asked: u32, own: &Path, url: &str) -> Result<(Shot, f64), Error> {
        let (secs, connections) = (args.secs.to_string(), args.connections.to_string());
        match self {
            Self::Own => {
                let mut command = Command::new(own);
                command.args([SHOT, url, &secs, &asked.to_string(), &connections]);
                let output = run("the generator", &mut command, args.secs)?.0;
                let shot: Shot = read("the generator", &output)?;
                Ok((shot, shot.per_second * args.secs as f64))
            }
            Self::Wrk => {
                let path = format!("{url}/v1/a/b/public");
                let mut command = Command::new("wrk");
                command.args(["-t1", "--latency", "--timeout", "5s"]);
                command
                    .arg(format!("-c{connections}"))
                    .arg(format!("-d{secs}s"))
                    .arg(path);
                let (output, own_nanos) = run("wrk", &mut command, args.secs)?;
                let run = wrk::parse(&output)?;
                let answers = run.requests as f64;
                let shot = Shot {
                    per_second: run.per_second,
                    own_us: own_nanos as f64 / 1000.0 / answers,
                    server_us: 0.0,
                    p50_ms: run.p50_ms,
                    p99_ms: run.p99_ms,
                    bad: run.bad + run.sockets,
                };
                Ok((shot, answers))
            }
            Self::Oha => {
                let path = format!("{url}/v1/a/b/public");
                let mut command = Command::new("oha");
                command
                    .args(["--no-tui", "--output-format", "json", "-z"])
                    .arg(format!("{secs}s"));
                command.args(["-c", &connections]).arg(path);
                let (output, own_nanos) = run("oha", &mut command, args.secs)?;
                let found: Value = read("oha", &output)?;
                let number = |path| found.pointer(path).and_then(Value::as_f64).unwrap_or(0.0);
                let per_second = number("/summary/requestsPerSec");
                let answers = per_second * number("/summary/total");
                let shot = Shot {
                    per_second,
                    own_us: own_nanos as f64 / 1000.0 / answers,
                    server_us: 0.0,
                    p50_ms: number("/latencyPercentiles/p50") * 1000.0,
                    p99_ms: number("/latencyPercentiles/p99") * 1000.0,
                    bad: u64::from(number("/summary/successRate") < 1.0),
                };
                Ok((shot, answers))
            }
        }
    }
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
    let id = child.id();
    let until = Instant::now() + Duration::from_secs(secs);
    let mut used = 0;
    // It is gone, with its threads' counters, as soon as it is done: the last look counts.
    while Instant::now() < until {
        used = cpu_nanos(id).max(used);
        std::thread::sleep(Duration::from_millis(50));
    }
    used = cpu_nanos(id).max(used);
    Ok((child.output(Duration::from_secs(20))?, used))
}

fn bench(args: &Args) -> Result<Table, Error> {
    if !installed("wrk") {
        return Err(Error::Missing {
            program: "wrk",
            install: wrk::INSTALL,
        });
    }
    let own = std::env::current_exe().map_err(Error::io("this program can't find itself"))?;
    let folder = own.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let hello = folder.join("hello");
    if !hello.is_file() {
        return Err(Error::NotBuilt(hello));
    }
    let temp = tempfile::tempdir().map_err(Error::io("no folder for the server's words"))?;
    let machine = Machine::look(temp.path());
    let port = free_port()?;
    let mut command = Command::new(&hello);
    command.env("PORT", port.to_string());
    let server = Child::serve("hello", &mut command, port, temp.path().join("hello.log"))?;
    let url = format!("http://127.0.0.1:{port}");
    let tools: Vec<(&'static str, Tool)> = [
        ("generator", Tool::Own),
        ("wrk", Tool::Wrk),
        ("oha", Tool::Oha),
    ]
    .into_iter()
    .filter(|(name, _)| *name != "oha" || installed("oha"))
    .collect();
    let warm = wrk::run(
        &format!("{url}/v1/a/b/public"),
        None,
        &[],
        args.connections,
        1,
    )?;
    let asked = args.asked.unwrap_or((warm.per_second * 1.2) as u32);
    let mut all: BTreeMap<&'static str, Vec<Shot>> = BTreeMap::new();
    for round in 0..args.rounds {
        // Each goes first in turn.
        for at in 0..tools.len() {
            let Some((name, tool)) = tools.get((at + round as usize) % tools.len()) else {
                continue;
            };
            eprintln!("round {} of {}: {name}", round + 1, args.rounds);
            let before = cpu_nanos(server.id());
            let (mut shot, answers) = tool.measure(args, asked, &own, &url)?;
            let used = cpu_nanos(server.id()).saturating_sub(before);
            shot.server_us = used as f64 / 1000.0 / answers;
            if shot.bad > 0 {
                return Err(Error::BadAnswers {
                    name: (*name).to_owned(),
                    bad: shot.bad,
                    sockets: 0,
                });
            }
            all.entry(name).or_default().push(shot);
        }
    }
    let rows: Vec<Row> = tools
        .iter()
        .filter_map(|(name, _)| {
            let mut shots = all.remove(name)?;
            let rates = shots.iter().map(|shot| shot.per_second).collect();
            shots.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
            let median = shots.get(shots.len() / 2).copied()?;
            Some(Row {
                name,
                median,
                rates,
            })
        })
        .collect();
    let rate = |name| {
        rows.iter()
            .find(|row| row.name == name)
            .map_or(0.0, |row| row.median.per_second)
    };
    Ok(Table {
        machine,
        connections: args.connections,
        share_of_wrk: rate("generator") / rate("wrk").max(f64::MIN_POSITIVE),
        rows,
    })
}
