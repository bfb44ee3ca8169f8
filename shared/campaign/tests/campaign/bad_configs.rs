//! A corpus of wrong campaigns: each with all its diagnostics, as people will read them.
#![allow(
    clippy::disallowed_methods,
    reason = "the corpus is a folder, and a test may look which files are in it"
)]

use std::collections::BTreeSet;
use std::path::Path;

use campaign::{Activity, Input, Source, check, story};

use crate::said;
use crate::support;

#[test]
fn every_mistake_is_found_at_its_place() {
    let (tenant, files) = story::example_tenant().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let mut paths: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(paths.len() >= 90, "only {} wrong campaigns", paths.len());
    let (mut chinese, mut wrong) = (BTreeSet::new(), Vec::new());
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let source = Source::new(format!("{name}.yaml"), text);
        let input = Input {
            campaign: &name,
            source,
            tenant: &tenant,
            files: &files,
        };
        let all: Vec<&dyn Activity> = support::all();
        let checked = check(&input, &all);
        assert_eq!(
            checked.definition.is_none(),
            checked.diagnostics.has_errors(),
            "{name}"
        );
        said::once(&name, &checked.diagnostics, &mut wrong);
        said::in_chinese(&checked.diagnostics, &mut chinese, &mut wrong);
        insta::assert_snapshot!(name.as_str(), said::lines(&name, &checked.diagnostics));
    }
    insta::assert_snapshot!("in_chinese", said::sorted(chinese));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
