//! Files that have grown long: a note, because a long file may be right, and a seam is found by people.

use std::path::Path;

use miette::Result;

use crate::check::{Repo, Verdict};
use crate::outside;

const LONG_LINES: usize = 600;

/// Notes every Rust file over the limit.
pub fn check(repo: &Repo) -> Result<Verdict> {
    let mut looked_at = 0;
    let mut long = Vec::new();
    for file in outside::files()?.into_iter().filter(|file| {
        Path::new(file)
            .extension()
            .is_some_and(|extension| extension == "rs")
    }) {
        if let Ok(text) = std::fs::read_to_string(repo.root.join(&file)) {
            looked_at += 1;
            let lines = text.lines().count();
            if lines > LONG_LINES {
                long.push((lines, file));
            }
        }
    }
    long.sort_by(|one, other| other.cmp(one));
    Ok(Verdict {
        looked_at: format!(
            "{} of {looked_at} Rust files are over {LONG_LINES} lines",
            long.len()
        ),
        notes: long
            .into_iter()
            .map(|(lines, file)| format!("{file} has {lines} lines: look for a seam"))
            .collect(),
        ..Verdict::default()
    })
}
