//! No file names a path of the machine it was written on: a checkout must work anywhere.

use miette::Result;

use crate::check::{Repo, Verdict};
use crate::step::Step;

/// Paths that exist on nobody else's machine. Written in two parts, or this file would be the first to fail.
const NEEDLES: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("bash_", "jobs"),
    concat!("arti", "factory"),
];

/// Checks every file that is tracked, or would be with the next `git add`.
pub fn check(repo: &Repo) -> Result<Verdict> {
    let listing = files()?;
    let mut problems = Vec::new();
    for file in &listing {
        // Deleted but still tracked, or not text: nothing to read.
        if let Ok(text) = std::fs::read_to_string(repo.root.join(file)) {
            problems.extend(found(&text).into_iter().map(|(line, needle)| {
                format!("{file}:{line}: names `{needle}`, which is of one machine only: use a path from the repository's root")
            }));
        }
    }
    Ok(Verdict {
        looked_at: format!("{} files name no path of one machine", listing.len()),
        problems,
        ..Verdict::default()
    })
}

/// The repository's files, ignored ones left out.
pub fn files() -> Result<Vec<String>> {
    let listing = Step::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .output()?;
    Ok(listing
        .split('\0')
        .filter(|file| !file.is_empty())
        .map(str::to_owned)
        .collect())
}

fn found(text: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for needle in NEEDLES {
            if line.contains(needle) {
                found.push((at + 1, *needle));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_found_with_its_line() {
        let text = format!("first\nsee {}gala/x\n", NEEDLES[0]);
        assert_eq!(found(&text), [(2, NEEDLES[0])]);
        assert_eq!(found("configs/acme/network.yaml and shared/work.rs"), []);
    }
}
