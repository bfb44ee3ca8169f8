//! `cargo xtask ci`: the steps of `.ci/run`, in order, each with a heading, all of them even when one fails.

use std::path::Path;
use std::time::{Duration, Instant};

use miette::{Result, miette};

use crate::step::{Step, seconds};
use crate::{check, disk, load, packaged, test, tools};

/// Runs every step and prints the summary; `false` when one failed.
pub fn all(root: &Path) -> bool {
    // The tests first: they are what a reader of the log looks for.
    let results = [
        step("tests", || test::all(&[])),
        step("load test", || load::smoke(root)),
        step("format", || Step::cargo(["fmt", "--all", "--check"]).run()),
        step("clippy", clippy),
        step("documentation", documentation),
        step("packaged functions", || packaged(root)),
        step("checks", || {
            if check::all(root)? {
                Ok(())
            } else {
                Err(miette!("a standing check failed; see above"))
            }
        }),
        step("licences, bans, sources", deny),
    ];
    let passed = summary(&results);
    if !passed {
        disk::after();
    }
    passed
}

fn clippy() -> Result<()> {
    Step::cargo(["clippy", "--workspace", "--all-targets", "--locked"])
        .args(["--", "-D", "warnings"])
        .run()
}

fn documentation() -> Result<()> {
    Step::cargo(["doc", "--workspace", "--no-deps", "--locked"])
        .env("RUSTDOCFLAGS", "-Dwarnings")
        .run()
}

/// The activities as `gala package` builds them: without a parser. That none is linked is for the checks to say.
fn packaged(root: &Path) -> Result<()> {
    let activities = packaged::activities(&check::Repo::read(root)?);
    let named = activities.iter().flat_map(|name| ["-p", name.as_str()]);
    Step::cargo(["check", "--bins", "--no-default-features", "--locked"])
        .args(named)
        .run()
}

/// Licences, bans and sources, by the rules of deny.toml.
pub fn deny() -> Result<()> {
    let deny = tools::deny()?;
    eprintln!(
        "advisories are not checked here: their database is fetched from a git host, which a closed network cannot \
         reach; run `cargo deny check advisories` where it can"
    );
    // Duplicate versions are a warning (deny.toml), and a long one: only what fails is shown.
    deny.args(["--log-level", "error"])
        .args(["check", "licenses", "bans", "sources"])
        .run()
}

struct Done {
    name: &'static str,
    took: Duration,
    passed: bool,
}

fn step(name: &'static str, run: impl FnOnce() -> Result<()>) -> Done {
    eprintln!("\n=== {name} ===");
    let start = Instant::now();
    let result = run();
    if let Err(report) = &result {
        eprintln!("error: {report}");
        for cause in report.chain().skip(1) {
            eprintln!("  because: {cause}");
        }
        if let Some(help) = report.help() {
            eprintln!("  help: {help}");
        }
    }
    Done {
        name,
        took: start.elapsed(),
        passed: result.is_ok(),
    }
}

fn summary(results: &[Done]) -> bool {
    eprintln!("\n=== summary ===");
    for done in results {
        let word = if done.passed { "ok" } else { "FAILED" };
        eprintln!("{word:<7} {:<24} {:>9}", done.name, seconds(done.took));
    }
    results.iter().all(|done| done.passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failed_step_fails_the_run() {
        let good = step("good", || Ok(()));
        let bad = step("bad", || Err(miette!("broken on purpose")));
        assert!(!summary(&[good, bad]));
        assert!(summary(&[step("good", || Ok(()))]));
    }
}
