//! `cargo xtask`: the project's own chores, so that a person and CI run the very same steps.
//!
//! Holds nothing of the product, and depends on no crate of ours: it must build when they do not.

mod step;
mod tools;

mod check;
mod ci;
mod disk;
mod test;

mod arrows;
mod fonts;
mod fuzz_lock;
mod load;
mod long;
mod manifests;
mod outside;
mod packaged;
mod purity;
mod shell;
mod tls;
mod tree;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use miette::{IntoDiagnostic, Result, WrapErr};
use step::Step;

/// The project's own chores.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run all tests; install what they need (redis-server, python3, cargo-nextest) and say so
    Test {
        /// Passed on to nextest, for example `-- -p machine` or `-- -E 'test(crash_)'`
        #[arg(last = true)]
        nextest: Vec<String>,
    },
    /// Run the standing checks: arrows, purity, one TLS provider, versions, paths
    Check,
    /// Run everything that CI runs, with a summary at the end
    Ci,
    /// Run cargo-deny on licences, bans and sources; install it under target/tools if it is missing
    Deny,
    /// Format the code and apply clippy's own corrections
    Fix,
    /// Run the crash tests again and again, until one fails or the rounds are over
    Crash {
        /// How often each crash test runs
        #[arg(long, default_value_t = 10)]
        rounds: u32,
        /// Passed on to nextest
        #[arg(last = true)]
        nextest: Vec<String>,
    },
    /// Break one Redis, and several `gala serve` processes on it, in every way we know, and judge what they answered
    Chaos {
        /// Repeats a run's choices; none: new ones, and the run prints them
        #[arg(long)]
        seed: Option<u64>,
        /// How many faults are injected, at least
        #[arg(long, default_value_t = 1000)]
        faults: u64,
    },
    /// Cut the fonts of posters again from Noto's (npm and pip), into shared/poster/fonts
    Fonts,
    /// Play the shortest load test against a server of its own: fails on truth and errors, never on speed
    Load,
    /// Run the benchmarks
    Bench {
        /// Passed on to `cargo bench`, for example `-- -p store`
        #[arg(last = true)]
        bench: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Args::parse().chore) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(report) => {
            eprintln!("error: {report}");
            for cause in report.chain().skip(1) {
                eprintln!("  because: {cause}");
            }
            if let Some(help) = report.help() {
                eprintln!("  help: {help}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Runs one chore in the repository's root; `false` means that it ran, and found something.
fn run(chore: Chore) -> Result<bool> {
    let root = root()?;
    std::env::set_current_dir(&root)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot enter {}", root.display()))?;
    match chore {
        Chore::Test { nextest } => test::all(&nextest).map(|()| true),
        Chore::Check => check::all(&root),
        Chore::Ci => Ok(ci::all(&root)),
        Chore::Deny => ci::deny().map(|()| true),
        Chore::Fix => fix().map(|()| true),
        Chore::Crash { rounds, nextest } => test::crash(rounds, &nextest).map(|()| true),
        Chore::Chaos { seed, faults } => test::chaos(seed, faults).map(|()| true),
        Chore::Fonts => fonts::all(&root).map(|()| true),
        Chore::Load => load::smoke(&root).map(|()| true),
        Chore::Bench { bench } => test::bench(&bench).map(|()| true),
    }
}

/// The workspace's root, from anywhere inside it.
fn root() -> Result<PathBuf> {
    let manifest =
        Step::cargo(["locate-project", "--workspace", "--message-format", "plain"]).output()?;
    let mut root = PathBuf::from(manifest.trim());
    root.pop();
    Ok(root)
}

fn fix() -> Result<()> {
    Step::cargo(["clippy", "--workspace", "--all-targets", "--fix"])
        .args(["--allow-dirty", "--allow-staged"])
        .run()?;
    // Last, because clippy's corrections are not formatted.
    Step::cargo(["fmt", "--all"]).run()
}
