//! `cargo run --release -p loadtest --bin draw-bench`: draws of `gala serve` beside an axum hello and Koa + ioredis, in one run.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use clap::Parser;
use loadtest::Error;
use loadtest::bench::contender::{Contender, Keeps, Setting};
use loadtest::bench::machine::Machine;
use loadtest::bench::process::{Child, installed};
use loadtest::bench::report::{Report, Rounds};
use loadtest::bench::stage::Stage;
use loadtest::bench::wrk;

/// More sign-ins than any server here makes in a second: each needs a user of its own.
const SIGN_INS_A_SEC: u32 = 60_000;

/// Loads `draw` with wrk, beside an axum hello and Koa + ioredis, in interleaved rounds.
///
/// Everything runs on 127.0.0.1, starts on an empty store in each round, and is stopped at its end. A run is void when any
/// answer is an error, or fewer claims are kept than were answered.
#[derive(Debug, Parser)]
struct Args {
    /// How long each contender is measured in a round
    #[arg(long, default_value_t = 3, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=60))]
    secs: u64,
    /// How long each is loaded before that
    #[arg(long, default_value_t = 1, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=60))]
    warm_secs: u64,
    /// How many rounds
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Connections of wrk
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    connections: u32,
    /// Users who draw in turn
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    users: u32,
    /// The shared store: gala on Redis beside a bare axum with the same script, and Node peers
    #[arg(long)]
    shared: bool,
    /// What the Redis servers keep on disk
    #[arg(long, value_enum, default_value = "mixed", value_name = "WHAT")]
    keeps: Keeps,
    /// Only these, with commas
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHO")]
    only: Vec<Contender>,
    /// Where the data folders go; the disk that it is on is measured [default: beside the release programs]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Do not build the release programs first
    #[arg(long)]
    no_build: bool,
    /// JSON instead of the table
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match bench(&args) {
        Ok(report) if args.json => match serde_json::to_string_pretty(&report) {
            Ok(json) => {
                println!("{json}");
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error),
        },
        Ok(report) => {
            println!("\n{report}");
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("draw-bench: {error}");
    ExitCode::FAILURE
}

fn bench(args: &Args) -> Result<Report, Error> {
    let contenders = if args.only.is_empty() && args.shared {
        Contender::SHARED.to_vec()
    } else if args.only.is_empty() {
        Contender::ALL.to_vec()
    } else {
        args.only.clone()
    };
    let room = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (programs, peers) = (programs()?, room.join("peers"));
    prepare(&contenders, &peers, args.no_build)?;
    let home = args.dir.clone().unwrap_or_else(|| programs.clone());
    let folder = tempfile::Builder::new()
        .prefix("draw-bench-")
        .tempdir_in(&home);
    let folder = folder.map_err(Error::io(format!(
        "no folder can be made in {}",
        home.display()
    )))?;
    let machine = Machine::look(folder.path());
    let sign_ins = if contenders.contains(&Contender::SignIn) {
        SIGN_INS_A_SEC * (args.secs + args.warm_secs) as u32
    } else {
        0
    };
    let setting = Setting {
        programs,
        peers,
        stage: Stage::write(folder.path(), args.users, sign_ins)?,
        folder: folder.path().to_owned(),
        keeps: args.keeps,
        connections: args.connections,
        warm_secs: args.warm_secs,
        secs: args.secs,
    };
    let mut rounds = Rounds::new();
    for round in 0..args.rounds {
        for contender in &contenders {
            let measured = setting.measure(*contender, round)?;
            eprintln!(
                "round {}: {:<35}{:>8.0} req/s",
                round + 1,
                contender.title(),
                measured.run.per_second
            );
            rounds.entry(*contender).or_default().push(measured);
        }
    }
    Ok(Report::new(
        machine,
        (args.secs, args.connections, args.users),
        args.keeps,
        &rounds,
    ))
}

/// The folder with the release programs: this one's, if it is one of them.
fn programs() -> Result<PathBuf, Error> {
    let own = env::current_exe().map_err(Error::io("this program's own path can't be read"))?;
    let target = own
        .parent()
        .and_then(Path::parent)
        .unwrap_or(Path::new("target"));
    Ok(target.join("release"))
}

/// What must be there before a round can begin.
fn prepare(contenders: &[Contender], peers: &Path, no_build: bool) -> Result<(), Error> {
    const REDIS: &str = "`apt-get install redis-server redis-tools`";
    const NODE: &str = "install Node.js 20 or newer, with npm";
    let mut needed = vec![("wrk", wrk::INSTALL)];
    let node = [(Contender::Koa, "koa"), (Contender::Fastify, "fastify")];
    let node: Vec<&str> = node
        .iter()
        .filter_map(|(peer, name)| contenders.contains(peer).then_some(*name))
        .collect();
    if !node.is_empty() {
        needed.extend([("node", NODE), ("npm", NODE)]);
    }
    let alone = [Contender::Hello, Contender::Gala];
    if contenders
        .iter()
        .any(|contender| !alone.contains(contender))
    {
        needed.extend([("redis-server", REDIS), ("redis-cli", REDIS)]);
    }
    for (program, install) in needed {
        if !installed(program) {
            return Err(Error::Missing { program, install });
        }
    }
    if !no_build {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build
            .args([
                "build",
                "--release",
                "--locked",
                "-p",
                "cli",
                "-p",
                "loadtest",
            ])
            .stdout(Stdio::null());
        Child::start("cargo build", &mut build)?.output(Duration::from_hours(1))?;
    }
    for peer in node {
        let folder = peers.join(peer);
        if folder.join("node_modules").join(peer).is_dir() {
            continue;
        }
        let mut install = Command::new("npm");
        install
            .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(folder)
            .stdout(Stdio::null());
        Child::start("npm ci", &mut install)?.output(Duration::from_mins(10))?;
    }
    Ok(())
}
