//! `cargo xtask check`: the standing checks, each in a file of its own; all of them run even when one fails.

use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand};
use miette::{IntoDiagnostic, Result, WrapErr};

use crate::{arrows, fuzz_lock, long, manifests, outside, packaged, purity, shell, tls};

/// What the checks look at.
pub struct Repo {
    /// The workspace's root.
    pub root: PathBuf,
    /// The workspace's members and what they ask for, unresolved.
    pub metadata: Metadata,
}

/// What one check found.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What was looked at, in a few words: `14 crates, 31 arrows`.
    pub looked_at: String,
    /// Worth a look, but no failure.
    pub notes: Vec<String>,
    /// Each names the place and the way out.
    pub problems: Vec<String>,
}

type Check = fn(&Repo) -> Result<Verdict>;

/// Each check under the name it is printed with.
const CHECKS: &[(&str, Check)] = &[
    ("arrows", arrows::check),
    ("shell", shell::check),
    ("purity", purity::check),
    ("packaged", packaged::check),
    ("tls", tls::check),
    ("manifests", manifests::check),
    ("clippy lists", manifests::check_clippy_lists),
    ("paths", outside::check),
    ("fuzz lock", fuzz_lock::check),
    ("long files", long::check),
];

impl Repo {
    /// Reads the workspace.
    pub fn read(root: &Path) -> Result<Self> {
        Ok(Self {
            root: root.to_owned(),
            metadata: MetadataCommand::new()
                .current_dir(root)
                .no_deps()
                .exec()
                .into_diagnostic()
                .wrap_err("cannot read the workspace")?,
        })
    }
}

/// Runs every check, and prints a line for each; `false` when one of them failed.
pub fn all(root: &Path) -> Result<bool> {
    let repo = Repo::read(root)?;
    let mut passed = true;
    for (name, check) in CHECKS {
        let verdict = check(&repo).unwrap_or_else(|report| Verdict {
            problems: vec![format!("the check could not run: {report}")],
            ..Verdict::default()
        });
        passed &= verdict.problems.is_empty();
        print(name, &verdict);
    }
    Ok(passed)
}

fn print(name: &str, verdict: &Verdict) {
    if verdict.problems.is_empty() {
        println!("ok {name}: {}", verdict.looked_at);
    }
    for problem in &verdict.problems {
        println!("FAILED {name}: {}", indented(problem));
    }
    for note in &verdict.notes {
        println!("  note: {}", indented(note));
    }
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n    ")
}
