//! Beside each wrong campaign that an analysis finds there is a right one: it differs in little, and nothing is said of it.
#![allow(
    clippy::disallowed_methods,
    reason = "the corpus is a folder, and a test may look which files are in it"
)]

use std::path::Path;

use campaign::{Activity, Input, Source, check, story};

use crate::support;

#[test]
fn nothing_is_said_of_what_is_right() {
    let (tenant, files) = story::example_tenant().unwrap();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut paths: Vec<_> = tests
        .join("right")
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(paths.len() >= 15, "only {} right campaigns", paths.len());
    let mut said = String::new();
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let wrong = tests.join("bad").join(format!("{name}.yaml"));
        assert!(wrong.exists(), "{name}: there is no wrong one beside it");
        let text = std::fs::read_to_string(&path).unwrap();
        let input = Input {
            campaign: &name,
            source: Source::new(format!("{name}.yaml"), text),
            tenant: &tenant,
            files: &files,
        };
        let all: Vec<&dyn Activity> = support::all();
        let checked = check(&input, &all);
        if !checked.diagnostics.is_empty() {
            said += &[name.as_str(), ":\n", &checked.diagnostics.lines(), "\n"].concat();
        }
    }
    assert_eq!(said, "");
}

/// The campaigns in `configs/` and the activities' own: whatever is found there is to be mended, or the analysis is wrong.
#[test]
fn nothing_is_proved_wrong_of_the_examples() {
    const PROVED: [&str; 14] = [
        "E0511", "E0614", "N0502", "N0601", "W0506", "W0507", "W0508", "W0509", "W0510", "W0605",
        "W0606", "W0607", "W0608", "W0701",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let mut files = campaign::Files::new();
    read(&root, &root, &mut files);
    let all: Vec<&dyn Activity> = support::all();
    let loaded = campaign::load("configs", &files, &all);
    let found = loaded
        .diagnostics
        .iter()
        .filter(|each| PROVED.contains(&each.code));
    let lines = |found: Vec<campaign::Diagnostic>| {
        found.into_iter().collect::<campaign::Diagnostics>().lines()
    };
    assert_eq!(lines(found.cloned().collect()), "");
    assert!(
        !loaded.diagnostics.has_errors(),
        "{}",
        loaded.diagnostics.lines()
    );
    for activity in all {
        let examples = story::examples(activity);
        assert!(
            examples.is_ok(),
            "{}",
            examples.err().map_or_else(String::new, |said| said.lines())
        );
    }
}

fn read(root: &Path, folder: &Path, files: &mut campaign::Files) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'))
        {
            continue;
        }
        if path.is_dir() {
            read(root, &path, files);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            files.insert(name, text.into());
        }
    }
}
