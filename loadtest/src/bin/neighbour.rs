//! `cargo run --release -p loadtest --bin neighbour`: a tenant at 50 times its quota, and what it costs another.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;
use loadtest::Error;
use loadtest::bench::neighbour::{Found, KEY_ENV, Load, Phase, Round, Stage};
use loadtest::bench::process::{Child, free_port};
use loadtest::bench::told::told;

/// Loads a quiet tenant at a fixed rate: alone, while the same flood goes to another server, and beside a tenant that calls
/// many times its quota; interleaved.
///
/// Load and servers share this machine, so the flood costs CPU wherever it goes: what sharing a server costs is the step from
/// elsewhere to beside. Exit code 4: the quiet tenant had errors, or its p99 moved by a tenth or by 2 ms in that step.
#[derive(Debug, Parser)]
struct Args {
    /// Draws a second of the quiet tenant
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    quiet: u32,
    /// Users of each tenant
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    users: u32,
    /// The noisy tenant's quota
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    quota: u32,
    /// How many times its quota it calls
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    times: u32,
    /// Connections of each tenant
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1024))]
    connections: u32,
    /// How long a phase is
    #[arg(long, default_value_t = 10, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=600))]
    secs: u64,
    /// How many rounds of the three phases
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// The store; the embedded one if none is given
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// How many processes serve; more than one needs a store that they can share
    #[arg(long, default_value_t = 1, requires = "store", value_parser = clap::value_parser!(u16).range(1..=16))]
    processes: u16,
    /// The program [default: `gala` beside this one]
    #[arg(long, value_name = "FILE")]
    gala: Option<PathBuf>,
    /// JSON instead of the table
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let found = measure(&args).await;
    told("neighbour", found, args.json, Found::holds)
}

async fn measure(args: &Args) -> Result<Found, Error> {
    let load = Load {
        quiet_per_second: args.quiet,
        users: args.users,
        quota: args.quota,
        times: args.times,
        connections: args.connections,
        secs: args.secs,
    };
    let folder = tempfile::tempdir().map_err(Error::io("no temporary folder can be made"))?;
    let configs = folder.path().join("configs");
    // Known to everyone, and good for nothing but this run on this machine.
    let key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let stage = Stage::write(&configs, key, load)?;
    let gala = gala(args)?;
    let mut servers = Vec::new();
    let mut ports = Vec::new();
    for number in 0..args.processes {
        let (port, admin) = (free_port()?, free_port()?);
        let mut command = Command::new(&gala);
        command.args(["serve", "--listen", &format!("127.0.0.1:{port}")]);
        command.args(["--admin-listen", &format!("127.0.0.1:{admin}")]);
        command.arg("--configs").arg(&configs).env(KEY_ENV, key);
        // With a store too: what was noted of another server on that port is none of this run's business.
        command.arg("--data").arg(folder.path().join("data"));
        if let Some(store) = &args.store {
            command.args(["--store", store]);
        }
        let log = folder.path().join(format!("log-{number}"));
        servers.push(Child::serve("gala", &mut command, port, log)?);
        ports.push(port);
    }
    let hello = free_port()?;
    let mut command = Command::new(program("hello")?);
    command.env("PORT", hello.to_string());
    servers.push(Child::serve(
        "hello",
        &mut command,
        hello,
        folder.path().join("log-hello"),
    )?);
    // Connections, pages and caches are warm before anything counts. The mark keeps runs on one store apart.
    let run = std::process::id();
    stage.phase(&ports, &format!("{run}-warm"), &ports).await?;
    let mut rounds = Vec::new();
    for number in 1..=args.rounds {
        let mark = |phase: &str| format!("{run}-{phase}{number}");
        let round = Round {
            alone: stage.phase(&ports, &mark("a"), &[]).await?,
            elsewhere: stage.phase(&ports, &mark("e"), &[hello]).await?,
            beside: stage.phase(&ports, &mark("b"), &ports).await?,
        };
        let p99 = |phase: &Phase| phase.quiet.quantile_ms(0.99);
        eprintln!(
            "round {number}: p99 {:.2} ms alone, {:.2} ms elsewhere, {:.2} ms beside",
            p99(&round.alone),
            p99(&round.elsewhere),
            p99(&round.beside)
        );
        rounds.push(round);
    }
    Ok(Found::new(load, &rounds))
}

fn gala(args: &Args) -> Result<PathBuf, Error> {
    args.gala.clone().map_or_else(|| program("gala"), Ok)
}

/// A program that is built beside this one.
fn program(name: &str) -> Result<PathBuf, Error> {
    let own = env::current_exe().map_err(Error::io("this program's own path can't be read"))?;
    let program = own.parent().unwrap_or(Path::new(".")).join(name);
    if program.exists() {
        Ok(program)
    } else {
        Err(Error::NotBuilt(program))
    }
}
