//! A new activity: its crate, and the few lines elsewhere that a crate needs. Only in a checkout of the project: whoever has the
//! program alone writes a machine of their own (`custom`) instead.

use std::path::{Path, PathBuf};

use campaign::story;
use campaign::{Activity, activity::Example, activity::Use};

use super::Made;
use super::campaign::no_id;
use super::files::Draft;
use super::template::Blanks;
use crate::activities;
use crate::failure::Failure;

/// The files of an activity's crate: where, and from what.
const FILES: [(&str, &str); 8] = [
    (
        "Cargo.toml",
        include_str!("templates/activity/Cargo.toml.txt"),
    ),
    (
        "README.md",
        include_str!("templates/activity/README.md.txt"),
    ),
    ("src/lib.rs", include_str!("templates/activity/lib.rs.txt")),
    (
        "src/main.rs",
        include_str!("templates/activity/main.rs.txt"),
    ),
    (
        "src/machine.yaml",
        include_str!("templates/activity/machine.yaml"),
    ),
    (
        "src/stories/first.yaml",
        include_str!("templates/activity/first.yaml"),
    ),
    (
        "src/stories/first.stories.yaml",
        include_str!("templates/activity/first.stories.yaml"),
    ),
    (
        "tests/stories.rs",
        include_str!("templates/activity/stories.rs.txt"),
    ),
];

/// Words of Rust, and crates that are there: none of them can be an activity's name.
const TAKEN: [&str; 24] = [
    "as", "async", "await", "box", "break", "const", "crate", "dyn", "else", "enum", "fn", "for",
    "if", "impl", "in", "let", "loop", "match", "mod", "move", "ref", "self", "test", "use",
];

/// Makes an activity in the checkout that `here` lies in.
pub fn activity(here: &Path, name: &str) -> Result<Made, Failure> {
    let root = checkout(here).ok_or_else(|| {
        Failure::usage(format!(
            "{} lies in no checkout of this project, and an activity is a crate of it: change to one, or write the machine in a campaign \
             (`gala new campaign TENANT/NAME --activity custom`)",
            here.display()
        ))
    })?;
    if !::campaign::document::is_id(name) || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(no_id("activity", name));
    }
    let manifest = read(&root.join("Cargo.toml"))?;
    let known = activities::ALL.iter().any(|known| known.id() == name);
    let crate_there = manifest.lines().any(|line| {
        line.starts_with(&format!("{name} = "))
            || line.trim_start() == format!("\"{name}\",")
            || line.ends_with(&format!("/{name}\","))
    });
    if known || crate_there || TAKEN.contains(&name) || root.join("activities").join(name).exists()
    {
        return Err(Failure::check(
            "exists",
            format!("`{name}` is the name of something already: choose another"),
        ));
    }
    let blanks = Blanks {
        values: vec![
            ("activity", name.to_owned()),
            ("crate", name.replace('-', "_")),
            ("Type", type_name(name)),
        ],
        languages: Vec::new(),
    };
    let folder = root.join("activities").join(name);
    let mut drafts: Vec<Draft> = FILES
        .iter()
        .map(|(path, template)| Draft::new(folder.join(path), blanks.fill(template)))
        .collect();
    sound(name, &drafts)?;
    drafts.extend(elsewhere(&root, name, &manifest)?);
    Ok(Made {
        drafts,
        look: ::campaign::Diagnostics::new(),
        next: vec![
            format!("cargo test -p {name}"),
            format!("cargo run -- new campaign TENANT/NAME --activity {name}"),
            "cargo xtask check".to_owned(),
        ],
        notes: vec![format!(
            "activities/{name}/src/machine.yaml says what it does: activities/README.md says how to go on"
        )],
    })
}

/// The folder of the workspace that this program is built from.
fn checkout(here: &Path) -> Option<PathBuf> {
    let here = here.canonicalize().ok()?;
    here.ancestors()
        .find(|folder| {
            folder.join("activities").is_dir()
                && folder.join("together/src/lib.rs").is_file()
                && std::fs::read_to_string(folder.join("Cargo.toml"))
                    .is_ok_and(|text| text.contains("[workspace]"))
        })
        .map(Path::to_owned)
}

/// The lines that a crate needs outside of its folder.
fn elsewhere(root: &Path, name: &str, manifest: &str) -> Result<[Draft; 3], Failure> {
    let member = format!("    \"activities/{name}\",");
    let dependency =
        format!("{name} = {{ path = \"activities/{name}\", default-features = false }}");
    let manifest = after_last(manifest, "    \"activities/", &member)
        .and_then(|text| after_last(&text, "{ path = \"activities/", &dependency))
        .ok_or_else(|| unlike(&root.join("Cargo.toml")))?;

    let together = root.join("together/Cargo.toml");
    let uses = read(&together)?;
    let section = uses
        .find("[dependencies]\n")
        .ok_or_else(|| unlike(&together))?;
    let line = format!("{name}.workspace = true");
    let start = section + "[dependencies]\n".len();
    let place = uses[start..]
        .lines()
        .take_while(|other| !other.is_empty() && **other < *line)
        .map(|other| other.len() + 1)
        .sum::<usize>();
    let mut with = uses.clone();
    with.insert_str(start + place, &format!("{line}\n"));

    let list = root.join("together/src/lib.rs");
    let all = read(&list)?;
    let listed = listed(&all, name).ok_or_else(|| unlike(&list))?;
    Ok([
        Draft::instead(root.join("Cargo.toml"), manifest),
        Draft::instead(together, with),
        Draft::instead(list, listed),
    ])
}

/// The text with a line behind the last one that has this in it.
fn after_last(text: &str, mark: &str, line: &str) -> Option<String> {
    let at = text.rfind(mark)?;
    let end = at + text[at..].find('\n')?;
    Some(format!("{}\n{line}{}", &text[..end], &text[end..]))
}

/// The list of all activities with one more.
fn listed(text: &str, name: &str) -> Option<String> {
    let (before, rest) = text.split_once("[&'static dyn Activity; ")?;
    let (many, rest) = rest.split_once(']')?;
    let many: usize = many.parse().ok()?;
    let (list, after) = rest.split_once("\n];")?;
    let line = format!("    &{}::{},", name.replace('-', "_"), type_name(name));
    Some(format!(
        "{before}[&'static dyn Activity; {}]{list}\n{line}\n];{after}",
        many + 1
    ))
}

/// `team-quest` as a type: `TeamQuest`.
fn type_name(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(word).collect()
}

/// Its example is checked and its stories are played before a file is written.
fn sound(name: &str, drafts: &[Draft]) -> Result<(), Failure> {
    // A trait of texts that are part of the program; these few bytes live as long as the command.
    let text = |file: &str| -> &'static str {
        let found = drafts.iter().find(|draft| draft.path.ends_with(file));
        Box::leak(
            found
                .map_or(String::new(), |draft| draft.text.clone())
                .into_boxed_str(),
        )
    };
    let example = Example {
        name: "first",
        campaign: text("src/stories/first.yaml"),
        stories: text("src/stories/first.stories.yaml"),
    };
    let made = InTheMaking {
        id: Box::leak(name.to_owned().into_boxed_str()),
        machine: text("src/machine.yaml"),
        stories: Box::leak(Box::new([example])),
    };
    let report =
        story::examples(&made).map_err(|wrong| Failure::check("unsound", wrong.lines()))?;
    if report.failures.has_errors() {
        return Err(Failure::check("unsound", report.failures.lines()));
    }
    Ok(())
}

/// An activity that is not compiled yet.
struct InTheMaking {
    id: &'static str,
    machine: &'static str,
    stories: &'static [Example],
}

impl Activity for InTheMaking {
    fn id(&self) -> &'static str {
        self.id
    }

    fn machine(&self) -> Option<&'static str> {
        Some(self.machine)
    }

    fn sections(&self) -> &'static [(&'static str, Use)] {
        &[("rewards", Use::Required), ("pack", Use::Optional)]
    }

    fn stories(&self) -> &'static [Example] {
        self.stories
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("{} can't be read: {error}", path.display())))
}

fn unlike(path: &Path) -> Failure {
    Failure::check(
        "unlike",
        format!(
            "{} is not written as this program knows it: add the activity by hand, activities/README.md says where",
            path.display()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_lists() {
        assert_eq!(type_name("team-quest"), "TeamQuest");
        let text = "x\npub const ALL: [&'static dyn Activity; 1] = [\n    &lottery::Lottery,\n];\n";
        assert_eq!(
            listed(text, "team-quest").unwrap(),
            "x\npub const ALL: [&'static dyn Activity; 2] = [\n    &lottery::Lottery,\n    &team_quest::TeamQuest,\n];\n"
        );
        assert_eq!(
            after_last("a 1\na 2\nb\n", "a ", "new").unwrap(),
            "a 1\na 2\nnew\nb\n"
        );
    }
}
