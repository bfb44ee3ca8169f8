//! What a crate is really built with: `cargo tree`, asked and read.
//!
//! Which of it is wanted is for the checks to say.

use miette::Result;

use crate::step::Step;

/// A crate in a tree, with the features that are on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The crate's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The features that are on.
    pub features: Vec<String>,
}

/// Asks for the tree that `args` select, and reads it.
pub fn entries(args: &[&str]) -> Result<Vec<Entry>> {
    Ok(read(
        &tree(args)
            .args(["--prefix", "none", "-f", "{p}|{f}"])
            .output()?,
    ))
}

/// How `entry` comes into that tree, for people; shortened, since the first lines tell.
pub fn way_to(args: &[&str], entry: &Entry) -> String {
    const MOST: usize = 16;
    let which = format!("{}@{}", entry.name, entry.version);
    let step = tree(args).args(["-i", which.as_str(), "-f", "{p} {f}"]);
    let way = step.output().unwrap_or_else(|report| report.to_string());
    let mut lines: Vec<&str> = way.lines().take(MOST).collect();
    if way.lines().count() > MOST {
        lines.push("...");
    }
    lines.join("\n")
}

fn tree(args: &[&str]) -> Step {
    Step::cargo(["tree"]).args(args)
}

/// Lines of `{p}|{f}`: `chrono v0.4.45|alloc,std (*)`.
pub fn read(listing: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in listing.lines() {
        let Some((package, features)) = line.split_once('|') else {
            continue; // an empty line parts the trees of several crates
        };
        let mut words = package.split_whitespace();
        let (Some(name), Some(version)) = (words.next(), words.next()) else {
            continue;
        };
        let features = features.trim_end().trim_end_matches("(*)").trim();
        let entry = Entry {
            name: name.to_owned(),
            version: version.trim_start_matches('v').to_owned(),
            features: features
                .split(',')
                .filter(|feature| !feature.is_empty())
                .map(str::to_owned)
                .collect(),
        };
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let entries = read(
            "machine v0.1.0 (/repo/shared/machine)|\nchrono v0.4.45|alloc,std\nserde_derive v1.0.0 (proc-macro)|default\n\nchrono v0.4.45|alloc,std (*)\n",
        );
        let said: Vec<String> = entries
            .iter()
            .map(|entry| format!("{} {} {:?}", entry.name, entry.version, entry.features))
            .collect();
        assert_eq!(
            said,
            [
                "machine 0.1.0 []",
                r#"chrono 0.4.45 ["alloc", "std"]"#,
                r#"serde_derive 1.0.0 ["default"]"#,
            ]
        );
    }
}
