//! Beside each wrong campaign that an analysis finds there is a right one: it differs in little, and nothing is said of it.
#![allow(
    clippy::disallowed_methods,
    reason = "the corpus is a folder, and a test may look which files are in it"
)]

mod support;

use std::path::Path;

use campaign::{Activity, Input, Source, check, story};

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
            said.push_str(&format!("{name}:\n{}\n", checked.diagnostics.lines()));
        }
    }
    assert_eq!(said, "");
}
