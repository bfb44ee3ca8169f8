//! Tells the program which commit it was built of, for reports that say how to do something again: `GALA_COMMIT` where a build sets
//! it, else what git has checked out. A tree without git has none; changes that were not committed are not seen.

use std::process::Command;

const VARIABLE: &str = "GALA_COMMIT";

fn main() {
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    println!("cargo::rerun-if-changed=build.rs");
    // What moves when something else is checked out, and when a commit is made.
    for moves in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--path-format=absolute", "--git-path", moves])
            && std::path::Path::new(&path).exists()
        {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let set = std::env::var(VARIABLE).ok().filter(|set| !set.is_empty());
    if let Some(commit) = set.or_else(|| git(&["rev-parse", "--short=12", "HEAD"])) {
        println!("cargo::rustc-env={VARIABLE}={commit}");
    }
}

/// What git says in one line, if it says anything.
fn git(arguments: &[&str]) -> Option<String> {
    let run = Command::new("git").args(arguments).output().ok()?;
    let said = String::from_utf8(run.stdout).ok()?;
    let said = said.trim();
    (run.status.success() && !said.is_empty()).then(|| said.to_owned())
}
