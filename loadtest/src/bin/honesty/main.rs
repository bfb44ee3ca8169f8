//! `cargo run --release -p loadtest --bin honesty`: the generator beside wrk and oha, in one run, against one fixed endpoint.

mod stall;
mod tool;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;
use loadtest::Error;
use loadtest::bench::machine::Machine;
use loadtest::bench::process::{Child, cpu_nanos, free_port};
use loadtest::bench::told::told;
use loadtest::bench::wrk;
use serde::Serialize;

use self::tool::{Load, SHOT, Shot, Tool, shot};

/// The share of wrk's rate that is asked of the generator.
const GOAL: f64 = 0.9;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the generator can do and what that costs, beside wrk and, where it is installed, oha, in interleaved rounds.
///
/// Everything runs on 127.0.0.1 against the same fixed endpoint (`hello`), one thread and as many connections each. wrk and oha send the
/// next call when one is answered; the generator is asked for more than it can get answered, which is an open model's ceiling. Exit code 4
/// when it reaches less than 0.9 of wrk's rate.
///
/// With `--stall` the server stands still for one second in every ten, and each tool says what it saw of that. Exit code 4 when the
/// generator's p99 is not what arithmetic says.
#[derive(Debug, Parser)]
struct Args {
    /// How long each is measured in a round [default: 3; with `--stall` 30, in whole tens]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=60))]
    secs: Option<u64>,
    /// How many rounds
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Connections
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    connections: u32,
    /// Calls a second that the generator is asked for [default: 1.2 times what wrk reaches in a second of warming up; with `--stall` 1,000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    asked: Option<u32>,
    /// One round against a server that stands still for one second in every ten
    #[arg(long, conflicts_with = "rounds")]
    stall: bool,
    /// JSON instead of the table
    #[arg(long)]
    json: bool,
}

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
    if args.stall {
        return told(
            "honesty",
            stall::bench(&args),
            args.json,
            stall::Table::holds,
        );
    }
    told("honesty", bench(&args), args.json, Table::holds)
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
                shot.sent_ms.p50,
                shot.sent_ms.p99,
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

/// The fixed endpoint, running, and what is needed to load it.
struct Stage {
    own: PathBuf,
    machine: Machine,
    server: Child,
    url: String,
    /// Where the server's words are.
    _folder: tempfile::TempDir,
}

impl Stage {
    fn open() -> Result<Self, Error> {
        if !Tool::Wrk.is_here() {
            return Err(Error::Missing {
                program: "wrk",
                install: wrk::INSTALL,
            });
        }
        let own = std::env::current_exe().map_err(Error::io("this program can't find itself"))?;
        let hello = own.parent().unwrap_or(Path::new("")).join("hello");
        if !hello.is_file() {
            return Err(Error::NotBuilt(hello));
        }
        let folder = tempfile::tempdir().map_err(Error::io("no folder for the server's words"))?;
        let port = free_port()?;
        let mut command = Command::new(&hello);
        command.env("PORT", port.to_string());
        Ok(Self {
            machine: Machine::look(folder.path()),
            server: Child::serve("hello", &mut command, port, folder.path().join("hello.log"))?,
            url: format!("http://127.0.0.1:{port}"),
            own,
            _folder: folder,
        })
    }
}

/// A measurement without failures.
fn measured(name: &str, tool: Tool, load: &Load<'_>) -> Result<(Shot, f64), Error> {
    let (shot, answers) = tool.measure(load)?;
    if shot.bad > 0 {
        return Err(Error::BadAnswers {
            name: name.to_owned(),
            bad: shot.bad,
            sockets: 0,
        });
    }
    Ok((shot, answers))
}

fn bench(args: &Args) -> Result<Table, Error> {
    let stage = Stage::open()?;
    let mut tools = vec![
        ("generator", Tool::Own),
        ("wrk", Tool::Wrk),
        ("oha", Tool::Oha),
    ];
    tools.retain(|(_, tool)| tool.is_here());
    let path = format!("{}/v1/a/b/public", stage.url);
    let warm = wrk::run(&path, None, &[], args.connections, 1)?;
    let asked = args.asked.unwrap_or((warm.per_second * 1.2) as u32);
    let load = Load {
        own: &stage.own,
        url: &stage.url,
        secs: args.secs.unwrap_or(3),
        connections: args.connections,
        asked,
        patience_secs: 1,
    };
    let mut all: BTreeMap<&'static str, Vec<Shot>> = BTreeMap::new();
    for round in 0..args.rounds {
        // Each goes first in turn.
        for at in 0..tools.len() {
            let Some((name, tool)) = tools.get((at + round as usize) % tools.len()) else {
                continue;
            };
            eprintln!("round {} of {}: {name}", round + 1, args.rounds);
            let before = cpu_nanos(stage.server.id());
            let (mut shot, answers) = measured(name, *tool, &load)?;
            let used = cpu_nanos(stage.server.id()).saturating_sub(before);
            shot.server_us = used as f64 / 1000.0 / answers;
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
        machine: stage.machine,
        connections: args.connections,
        share_of_wrk: rate("generator") / rate("wrk").max(f64::MIN_POSITIVE),
        rows,
    })
}
