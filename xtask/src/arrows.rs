//! Which crate of ours may depend on which. The table is the house of the design: arrows point one way.
//!
//! Source files are not looked at here; that is `shell`.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::DependencyKind;
use miette::{Result, miette};

use crate::check::{Repo, Verdict};

/// What a room may depend on.
enum Reach {
    /// These rooms and no other.
    Only(&'static [&'static str]),
    /// Everything under `shared/`.
    Shared,
    /// Everything.
    All,
}

/// The rooms; an activity is found by its folder instead. A new room is added here, and in ARCHITECTURE.md.
const ROOMS: &[(&str, Reach)] = &[
    ("machine", Reach::Only(&[])),
    ("blocks", Reach::Only(&["machine"])),
    ("campaign", Reach::Only(&["machine", "blocks"])),
    ("store", Reach::Only(&["machine", "campaign"])),
    // Real servers for tests; nothing of the product is built with it.
    ("testbed", Reach::Only(&[])),
    ("limit", Reach::Only(&["store"])),
    ("poster", Reach::Only(&[])),
    // Any router on any host: it knows nothing of campaigns.
    ("host", Reach::Only(&[])),
    ("function", Reach::Shared),
    // Never an activity by name: the command line hands it its functions.
    (
        "gateway",
        // `machine` for the words of its admin desk: keys, rows, what staff change.
        Reach::Only(&["function", "host", "campaign", "limit", "store", "machine"]),
    ),
    // The one list of activities, and the program that serves them all.
    ("together", Reach::All),
    ("cli", Reach::All),
    // It judges the product from outside, over HTTP.
    ("loadtest", Reach::Only(&[])),
    // It must build when the rest does not.
    ("xtask", Reach::Only(&[])),
];

const ACTIVITY: Reach = Reach::Only(&["machine", "blocks", "campaign", "function"]);

/// A member of the workspace, as far as arrows go.
#[derive(Debug, Clone)]
struct Member {
    name: String,
    /// Its folder, from the root: `shared/machine`.
    folder: String,
    /// Members that it is built with.
    built_with: BTreeSet<String>,
    /// Members that its tests are built with.
    tested_with: BTreeSet<String>,
}

/// Checks the arrows between the members.
pub fn check(repo: &Repo) -> Result<Verdict> {
    let members = members(repo)?;
    let arrows: usize = members.iter().map(|member| member.built_with.len()).sum();
    Ok(Verdict {
        looked_at: format!("{} crates, {arrows} arrows", members.len()),
        problems: problems(&members),
        ..Verdict::default()
    })
}

fn members(repo: &Repo) -> Result<Vec<Member>> {
    let packages = repo.metadata.workspace_packages();
    let ours: BTreeSet<&str> = packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let mut members = Vec::new();
    for package in &packages {
        let folder = package
            .manifest_path
            .strip_prefix(&repo.root)
            .ok()
            .and_then(|manifest| manifest.parent())
            .ok_or_else(|| miette!("{} is not in the repository", package.manifest_path))?;
        let with = |wanted: fn(DependencyKind) -> bool| {
            package
                .dependencies
                .iter()
                // A path tells ours from a crate of the same name on crates.io.
                .filter(|dependency| {
                    dependency.path.is_some() && ours.contains(dependency.name.as_str())
                })
                .filter(|dependency| wanted(dependency.kind))
                .map(|dependency| dependency.name.clone())
                .collect()
        };
        members.push(Member {
            name: package.name.to_string(),
            folder: folder.to_string(),
            built_with: with(|kind| kind != DependencyKind::Development),
            tested_with: with(|kind| kind == DependencyKind::Development),
        });
    }
    members.sort_by(|one, other| one.folder.cmp(&other.folder));
    Ok(members)
}

fn problems(members: &[Member]) -> Vec<String> {
    let by_name: BTreeMap<&str, &Member> = members
        .iter()
        .map(|member| (member.name.as_str(), member))
        .collect();
    let mut problems = Vec::new();
    for member in members {
        let Some(reach) = reach(member) else {
            problems.push(format!(
                "{} ({}) is a room that no arrow is drawn for: add it to ROOMS in xtask/src/arrows.rs, and to ARCHITECTURE.md",
                member.name, member.folder
            ));
            continue;
        };
        for target in &member.built_with {
            if !by_name
                .get(target.as_str())
                .is_some_and(|target| may(reach, target))
            {
                problems.push(format!(
                    "{}/Cargo.toml: {} must not depend on {target}; it may know {}. Move the code to a room that both may know",
                    member.folder,
                    member.name,
                    said(reach)
                ));
            }
        }
        for target in &member.tested_with {
            // What a crate's tests know is wider, so that a test may put rooms together.
            let both_activities = activity(member)
                && by_name
                    .get(target.as_str())
                    .is_some_and(|target| activity(target));
            if both_activities {
                problems.push(format!(
                    "{}/Cargo.toml: no activity knows another, not even in tests: move what {} needs of {target} to blocks",
                    member.folder, member.name
                ));
            } else if *target != member.name && leads_to(&by_name, target, &member.name) {
                // On itself it is a crate's way to turn on a feature for its own tests.
                problems.push(format!(
                    "{}/Cargo.toml: {target} leads back to {}, so this dev-dependency closes a circle: move the test to {target}",
                    member.folder, member.name
                ));
            }
        }
    }
    problems
}

fn reach(member: &Member) -> Option<&'static Reach> {
    if activity(member) {
        return Some(&ACTIVITY);
    }
    ROOMS
        .iter()
        .find(|(name, _)| *name == member.name)
        .map(|(_, reach)| reach)
}

fn activity(member: &Member) -> bool {
    member.folder.starts_with("activities/")
}

fn may(reach: &Reach, target: &Member) -> bool {
    match reach {
        Reach::Only(names) => names.contains(&target.name.as_str()),
        Reach::Shared => target.folder.starts_with("shared/"),
        Reach::All => true,
    }
}

fn said(reach: &Reach) -> String {
    match reach {
        Reach::Only([]) => "nothing of ours".to_owned(),
        Reach::Only(names) => names.join(", "),
        Reach::Shared => "what is under shared/".to_owned(),
        Reach::All => "everything".to_owned(),
    }
}

/// Whether arrows of any kind lead from one member to the other.
fn leads_to(by_name: &BTreeMap<&str, &Member>, from: &str, to: &str) -> bool {
    let mut open = vec![from];
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        if name == to {
            return true;
        }
        if let Some(member) = by_name.get(name).filter(|_| seen.insert(name)) {
            open.extend(member.built_with.iter().map(String::as_str));
            open.extend(member.tested_with.iter().map(String::as_str));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The house, with one arrow more: `from -> to`, or `from ~> to` for a dev-dependency.
    fn with(arrow: &str) -> Vec<String> {
        let mut house: Vec<Member> = [
            ("shared/machine", "machine", ""),
            ("shared/blocks", "blocks", "machine"),
            ("shared/campaign", "campaign", "machine blocks"),
            ("shared/store", "store", "machine"),
            ("shared/limit", "limit", "store"),
            ("shared/function", "function", "campaign store limit"),
            (
                "activities/lottery",
                "lottery",
                "machine blocks campaign function",
            ),
            ("activities/sign-in", "sign-in", "function"),
            (
                "gateway",
                "gateway",
                "function campaign limit store machine",
            ),
            ("cli", "cli", "gateway lottery sign-in loadtest"),
            ("loadtest", "loadtest", ""),
            ("xtask", "xtask", ""),
        ]
        .map(|(folder, name, with)| Member {
            name: name.to_owned(),
            folder: folder.to_owned(),
            built_with: with.split_whitespace().map(str::to_owned).collect(),
            tested_with: BTreeSet::new(),
        })
        .to_vec();
        let words: Vec<&str> = arrow.split_whitespace().collect();
        if let [from, kind, to] = words[..] {
            let member = house.iter_mut().find(|member| member.name == from).unwrap();
            match kind {
                "->" => member.built_with.insert(to.to_owned()),
                "~>" => member.tested_with.insert(to.to_owned()),
                other => panic!("no such arrow: {other}"),
            };
        }
        problems(&house)
    }

    #[test]
    fn allowed() {
        for arrow in [
            "",
            "store -> campaign",
            "function -> blocks",
            "lottery -> blocks",
            "cli -> machine",
            // Tests may put rooms together.
            "gateway ~> lottery",
            "lottery ~> store",
            "store ~> store",
        ] {
            assert_eq!(with(arrow), Vec::<String>::new(), "{arrow}");
        }
    }

    #[test]
    fn forbidden() {
        for (arrow, words) in [
            (
                "machine -> blocks",
                "shared/machine/Cargo.toml: machine must not depend on blocks; it may know nothing of ours",
            ),
            ("blocks -> campaign", "it may know machine."),
            ("campaign -> store", "campaign must not depend on store"),
            ("store -> limit", "store must not depend on limit"),
            ("limit -> machine", "limit must not depend on machine"),
            ("function -> gateway", "it may know what is under shared/"),
            ("function -> lottery", "function must not depend on lottery"),
            ("lottery -> sign-in", "lottery must not depend on sign-in"),
            ("lottery -> store", "lottery must not depend on store"),
            ("gateway -> lottery", "gateway must not depend on lottery"),
            ("gateway -> blocks", "gateway must not depend on blocks"),
            ("gateway -> loadtest", "gateway must not depend on loadtest"),
            ("loadtest -> machine", "loadtest must not depend on machine"),
            ("xtask -> machine", "xtask must not depend on machine"),
            (
                "lottery ~> sign-in",
                "no activity knows another, not even in tests",
            ),
            ("machine ~> campaign", "closes a circle"),
        ] {
            let problems = with(arrow);
            assert_eq!(problems.len(), 1, "{arrow}: {problems:?}");
            assert!(problems[0].contains(words), "{arrow}: {problems:?}");
        }
    }

    #[test]
    fn a_room_that_no_arrow_is_drawn_for() {
        let attic = Member {
            name: "attic".to_owned(),
            folder: "shared/attic".to_owned(),
            built_with: BTreeSet::new(),
            tested_with: BTreeSet::new(),
        };
        let problems = problems(&[attic]);
        assert_eq!(problems.len(), 1);
        assert!(
            problems[0].contains("add it to ROOMS in xtask/src/arrows.rs"),
            "{problems:?}"
        );
    }

    /// The same, from what cargo really says.
    #[test]
    fn read_from_metadata() {
        let dependency = |name: &str, kind: &str| {
            format!(
                r#"{{"name":"{name}","req":"*","kind":{kind},"optional":false,"uses_default_features":true,"features":[],"target":null,"path":"/repo/shared/{name}"}}"#
            )
        };
        let package = |name: &str, dependencies: &str| {
            format!(
                r#"{{"name":"{name}","version":"0.1.0","id":"{name}","dependencies":[{dependencies}],"targets":[],"features":{{}},"manifest_path":"/repo/shared/{name}/Cargo.toml","edition":"2024"}}"#
            )
        };
        let json = format!(
            r#"{{"packages":[{},{}],"workspace_members":["machine","blocks"],"workspace_root":"/repo","target_directory":"/repo/target","version":1}}"#,
            package("machine", &dependency("blocks", "null")),
            package("blocks", &dependency("machine", r#""dev""#)),
        );
        let repo = Repo {
            root: "/repo".into(),
            metadata: cargo_metadata::MetadataCommand::parse(json).unwrap(),
        };
        let problems = check(&repo).unwrap().problems;
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains("closes a circle"), "{problems:?}");
        assert!(
            problems[1].contains("machine must not depend on blocks"),
            "{problems:?}"
        );
    }
}
