//! Versions and lints live once, in the root Cargo.toml; the pure crates' clippy lists are one list.

use std::collections::BTreeSet;
use std::path::Path;

use miette::{IntoDiagnostic, Result, WrapErr};
use toml::{Table, Value};

use crate::check::{Repo, Verdict};

const SECTIONS: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

/// Checks that every member inherits its versions and its lints.
pub fn check(repo: &Repo) -> Result<Verdict> {
    let mut used = BTreeSet::new();
    let mut problems = Vec::new();
    let packages = repo.metadata.workspace_packages();
    for package in &packages {
        let path = package.manifest_path.as_std_path();
        let place = path
            .strip_prefix(&repo.root)
            .unwrap_or(path)
            .display()
            .to_string();
        problems.extend(member_problems(&place, &read(path)?, &mut used));
    }
    let root = read(&repo.root.join("Cargo.toml"))?;
    let table = root
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(Value::as_table);
    let unused: Vec<&str> = table
        .into_iter()
        .flat_map(Table::keys)
        .map(String::as_str)
        .filter(|name| !used.contains(*name))
        .collect();
    let mut notes = Vec::new();
    if !unused.is_empty() {
        notes.push(format!(
            "in the version table, but asked for by no crate: {}",
            unused.join(", ")
        ));
    }
    Ok(Verdict {
        looked_at: format!("{} manifests, {} versions", packages.len(), used.len()),
        notes,
        problems,
    })
}

fn member_problems(place: &str, manifest: &Table, used: &mut BTreeSet<String>) -> Vec<String> {
    let mut problems = Vec::new();
    for (section, name, dependency) in dependencies(manifest) {
        if inherited(Some(dependency)) {
            used.insert(name.to_owned());
        } else {
            problems.push(format!(
                "{place}: [{section}] {name} has a version of its own: put it into [workspace.dependencies] of the root \
                 Cargo.toml, and write `{name}.workspace = true` here"
            ));
        }
    }
    if !inherited(manifest.get("lints")) {
        problems.push(format!(
            "{place}: the lints are not the workspace's: add `[lints]` with `workspace = true`"
        ));
    }
    problems
}

/// Every dependency with the section that names it, those of one platform included.
fn dependencies(manifest: &Table) -> Vec<(String, &str, &Value)> {
    let platforms = manifest
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flatten()
        .filter_map(|(platform, table)| Some((format!("target.{platform}."), table.as_table()?)));
    std::iter::once((String::new(), manifest))
        .chain(platforms)
        .flat_map(|(prefix, table)| {
            SECTIONS.iter().flat_map(move |section| {
                let named = format!("{prefix}{section}");
                table
                    .get(*section)
                    .and_then(Value::as_table)
                    .into_iter()
                    .flatten()
                    .map(move |(name, dependency)| (named.clone(), name.as_str(), dependency))
            })
        })
        .collect()
}

fn inherited(value: Option<&Value>) -> bool {
    value
        .and_then(|value| value.get("workspace"))
        .and_then(Value::as_bool)
        == Some(true)
}

/// The pure crates, whose clippy.toml replaces the root's.
const PURE: &[&str] = &["shared/machine", "shared/blocks", "shared/campaign"];

/// Checks that the pure crates forbid the same things.
///
/// Clippy reads one clippy.toml for a crate and has no way to include another, so the list is there three times.
pub fn check_clippy_lists(repo: &Repo) -> Result<Verdict> {
    let lists = PURE
        .iter()
        .map(|folder| read(&repo.root.join(folder).join("clippy.toml")))
        .collect::<Result<Vec<_>>>()?;
    let root = read(&repo.root.join("clippy.toml"))?;
    Ok(Verdict {
        looked_at: format!("one list in {} crates", PURE.len()),
        problems: list_problems(&lists, &root),
        ..Verdict::default()
    })
}

fn list_problems(lists: &[Table], root: &Table) -> Vec<String> {
    let mut problems = Vec::new();
    for (folder, list) in PURE.iter().zip(lists) {
        if Some(list) != lists.first() {
            problems.push(format!(
                "{folder}/clippy.toml is not the same as {}/clippy.toml: change all alike",
                PURE[0]
            ));
        }
        for (key, value) in root {
            if list.get(key) != Some(value) {
                problems.push(format!("{folder}/clippy.toml replaces the root clippy.toml, so `{key} = {value}` must be repeated there"));
            }
        }
    }
    problems
}

fn read(path: &Path) -> Result<Table> {
    std::fs::read_to_string(path)
        .into_diagnostic()
        .and_then(|text| text.parse().into_diagnostic())
        .wrap_err_with(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(manifest: &str) -> Vec<String> {
        member_problems(
            "x/Cargo.toml",
            &manifest.parse().unwrap(),
            &mut BTreeSet::new(),
        )
    }

    #[test]
    fn an_inheriting_member_passes() {
        let manifest = "[dependencies]\nserde.workspace = true\nrand = { workspace = true, features = [\"sys_rng\"] }\n\
                        [lints]\nworkspace = true\n";
        assert_eq!(check(manifest), [""; 0]);
    }

    #[test]
    fn a_version_of_its_own_is_found_in_every_section() {
        let problems = check(
            "[dependencies]\nserde = \"1\"\n[dev-dependencies]\nrand = { version = \"0.10\" }\n[build-dependencies]\ncc = \"1\"\n\
             [target.'cfg(unix)'.dependencies]\nlibc = { version = \"0.2\" }\n[lints]\nworkspace = true\n",
        );
        let said: Vec<&str> = problems
            .iter()
            .filter_map(|problem| problem.split(" has ").next())
            .collect();
        assert_eq!(
            said,
            [
                "x/Cargo.toml: [dependencies] serde",
                "x/Cargo.toml: [dev-dependencies] rand",
                "x/Cargo.toml: [build-dependencies] cc",
                "x/Cargo.toml: [target.cfg(unix).dependencies] libc",
            ]
        );
    }

    #[test]
    fn missing_lints_are_found() {
        assert_eq!(check("[dependencies]\n").len(), 1);
        assert_eq!(check("[lints]\nworkspace = false\n").len(), 1);
    }

    #[test]
    fn lists_that_drift_apart_are_found() {
        let list: Table = "allow-unwrap-in-tests = true\ndisallowed-methods = [\"std::fs::read\"]"
            .parse()
            .unwrap();
        let other: Table = "disallowed-methods = []".parse().unwrap();
        let root: Table = "allow-unwrap-in-tests = true".parse().unwrap();
        assert_eq!(
            list_problems(&[list.clone(), list.clone(), list.clone()], &root),
            [""; 0]
        );
        assert_eq!(list_problems(&[list.clone(), other, list], &root).len(), 2);
    }
}
