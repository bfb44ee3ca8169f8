//! A packaged function reads a bundle and links no parser: each activity, with its features off, is built with neither the
//! YAML nor the CEL parser. `cargo xtask ci` builds them so, too.

use miette::Result;

use crate::check::{Repo, Verdict};
use crate::purity::parsers;
use crate::tree;

/// How a packaged function is built.
const PACKAGED: &[&str] = &["--no-default-features", "-e", "normal,build"];

/// The package of the function that serves them all.
const TOGETHER: &str = "together";

/// The activities' packages, and the one of all of them.
pub fn activities(repo: &Repo) -> Vec<String> {
    let folder = repo.root.join("activities");
    let packages = repo.metadata.workspace_packages();
    let mut names: Vec<String> = packages
        .iter()
        .filter(|package| {
            package.manifest_path.as_std_path().starts_with(&folder) || package.name == TOGETHER
        })
        .map(|package| package.name.to_string())
        .collect();
    names.sort();
    names
}

/// Checks each activity's tree.
pub fn check(repo: &Repo) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    let mut said = Vec::new();
    for name in activities(repo) {
        let args = [&["-p", name.as_str()], PACKAGED].concat();
        let entries = tree::entries(&args)?;
        for (entry, reason) in parsers(&entries) {
            verdict.problems.push(format!(
                "{name} without its features is built with {}: {reason}. It comes in by\n{}",
                entry.name,
                tree::way_to(&args, entry)
            ));
        }
        said.push(format!("{name} without yaml ({} crates)", entries.len()));
    }
    verdict.looked_at = said.join(", ");
    Ok(verdict)
}
