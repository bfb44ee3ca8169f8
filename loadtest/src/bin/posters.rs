//! `cargo run --release -p loadtest --bin posters`: draws from a wheel, alone and while posters are drawn on the same server.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;
use loadtest::Error;
use loadtest::bench::posters::{Found, KEY_ENV, Load, Round, Stage};
use loadtest::bench::process::{Child, free_port};
use loadtest::bench::told::told;

/// Draws at a fixed rate: alone, beside posters at a pace that the server can keep, and beside more than it can; interleaved.
///
/// Load and server share this machine. Exit code 4: a draw failed.
#[derive(Debug, Parser)]
struct Args {
    /// Draws a second
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    draws: u32,
    /// Posters a second
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    posters: u32,
    /// Posters a second, more than can be drawn
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    flood: u32,
    /// Users who draw from the wheel in turn; each poster is another user's
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    users: u32,
    /// Connections for draws, and for posters
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1024))]
    connections: u32,
    /// How long a phase is
    #[arg(long, default_value_t = 10, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=600))]
    secs: u64,
    /// How many rounds of the three phases
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
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
    told("posters", found, args.json, |found| found.draw_errors == 0)
}

async fn measure(args: &Args) -> Result<Found, Error> {
    let load = Load {
        draws_per_second: args.draws,
        posters_per_second: args.posters,
        flood_per_second: args.flood,
        users: args.users,
        connections: args.connections,
        secs: args.secs,
    };
    let folder = tempfile::tempdir().map_err(Error::io("no temporary folder can be made"))?;
    let configs = folder.path().join("configs");
    // Known to everyone, and good for nothing but this run on this machine.
    let key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let stage = Stage::write(&configs, key, load)?;
    let (port, admin) = (free_port()?, free_port()?);
    let mut command = Command::new(gala(args)?);
    command.args(["serve", "--listen", &format!("127.0.0.1:{port}")]);
    command.args(["--admin-listen", &format!("127.0.0.1:{admin}")]);
    command.arg("--configs").arg(&configs).env(KEY_ENV, key);
    command.arg("--data").arg(folder.path().join("data"));
    let _server = Child::serve("gala", &mut command, port, folder.path().join("log"))?;
    // Connections, templates and fonts are warm before anything counts.
    stage.phase(port, "warm", args.posters).await?;
    let mut rounds = Vec::new();
    for number in 1..=args.rounds {
        let mark = |phase: &str| format!("{phase}{number}");
        let round = Round {
            alone: stage.phase(port, &mark("a"), 0).await?,
            beside: stage.phase(port, &mark("b"), args.posters).await?,
            flooded: stage.phase(port, &mark("f"), args.flood).await?,
        };
        eprintln!(
            "round {number}: p99 {:.2} ms alone, {:.2} ms beside posters, {:.2} ms in the flood",
            round.alone.draws.quantile_ms(0.99),
            round.beside.draws.quantile_ms(0.99),
            round.flooded.draws.quantile_ms(0.99)
        );
        rounds.push(round);
    }
    Ok(Found::new(load, &rounds))
}

fn gala(args: &Args) -> Result<PathBuf, Error> {
    if let Some(gala) = &args.gala {
        return Ok(gala.clone());
    }
    let own = env::current_exe().map_err(Error::io("this program's own path can't be read"))?;
    let gala = own.parent().unwrap_or(Path::new(".")).join("gala");
    if gala.exists() {
        Ok(gala)
    } else {
        Err(Error::NotBuilt(gala))
    }
}
