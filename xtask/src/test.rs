//! `cargo xtask test`, `crash`, `chaos` and `bench`: what the workspace can prove and measure, on a machine that may be fresh.

use miette::Result;

use crate::step::Step;
use crate::{disk, tools};

/// The crash tests: `crash_` is in their name or in their module's. The same words as in `.config/nextest.toml`.
const CRASH_TESTS: &str = "test(/crash_/) - test(/crash_chaos_long/)";
/// The long chaos run: its scenes with few faults are among the crash tests.
const CHAOS: &str = "test(/crash_chaos_long/)";

/// All tests, then the examples in the documentation, which nextest cannot run.
///
/// Not `--all-features`: a feature may be a deliberately broken build, for a test that must be seen to fail.
pub fn all(nextest: &[String]) -> Result<()> {
    disk::before();
    tools::for_tests()?;
    let run = run_nextest(nextest).run();
    // Both are run, so that one round shows everything that is broken.
    let doc = if nextest.is_empty() {
        Step::cargo(["test", "--doc", "--workspace"])
            .args(locked())
            .run()
    } else {
        eprintln!("doc tests left out: nextest was given arguments of its own");
        Ok(())
    };
    run.and(doc)
}

/// The crash tests, over and over; also those too long for every day.
pub fn crash(rounds: u32, nextest: &[String]) -> Result<()> {
    tools::for_tests()?;
    run_nextest(nextest)
        .args(["-E", CRASH_TESTS, "--run-ignored", "all"])
        .args(["--stress-count".to_owned(), rounds.to_string()])
        .run()
}

/// The long chaos run.
pub fn chaos(seed: Option<u64>, faults: u64) -> Result<()> {
    tools::for_tests()?;
    let mut run = run_nextest(&["-p".to_owned(), "cli".to_owned()])
        .args(["-E", CHAOS, "--run-ignored", "all", "--no-capture"])
        .env("GALA_CHAOS_FAULTS", &faults.to_string());
    if let Some(seed) = seed {
        run = run.env("GALA_CRASH_SEED", &seed.to_string());
    }
    run.run()
}

/// The benchmarks.
pub fn bench(args: &[String]) -> Result<()> {
    Step::cargo(["bench"])
        .args(workspace(args))
        .args(args)
        .run()
}

fn run_nextest(args: &[String]) -> Step {
    let profile = if ci() { "ci" } else { "default" };
    Step::cargo(["nextest", "run", "--profile", profile])
        .args(workspace(args))
        .args(locked())
        .args(args)
}

/// All packages, unless the arguments choose: beside `--workspace` cargo would ignore a `-p machine`.
fn workspace(args: &[String]) -> Option<&'static str> {
    let chosen = args
        .iter()
        .any(|arg| arg.starts_with("-p") || arg.starts_with("--package"));
    (!chosen).then_some("--workspace")
}

/// In CI the lock file is the truth; at a desk a new dependency may just have been added.
fn locked() -> Option<&'static str> {
    ci().then_some("--locked")
}

fn ci() -> bool {
    std::env::var_os("CI").is_some()
}
