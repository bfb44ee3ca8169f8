//! The files of the posters that a campaign's document names, without checking it: for whoever sends them along with it.

use std::sync::Arc;

use crate::check::Files;
use crate::diagnostic::Diagnostics;
use crate::document::parse;
use crate::read::posters::pictures;
use crate::source::Source;

/// What stands for each language in the name of a template.
const LANG: &str = "{lang}";

/// The templates that a document's posters name, and the pictures that those name, of all that lie in the tenant's folder, by
/// their path from it. None where it names none, or can't be read.
pub fn named_in(document: &str, files: &Files) -> Files {
    let mut found = Files::new();
    let Some(root) = parse(&Source::new("document", document), &mut Diagnostics::new()) else {
        return found;
    };
    let Some(posters) = root.get("posters") else {
        return found;
    };
    let entries = posters.map(&mut Diagnostics::new()).unwrap_or(&[]);
    let patterns = entries.iter().filter_map(|entry| {
        let own = entry.value.scalar();
        own.or_else(|| entry.value.get("template")?.scalar())
    });
    for pattern in patterns {
        for (path, text) in files {
            if !is_named(pattern, path) || !super::is_file(path) {
                continue;
            }
            for picture in pictures(path, text) {
                if let Some(bytes) = files.get(&picture) {
                    found.insert(picture, bytes.clone());
                }
            }
            found.insert(path.clone(), Arc::clone(text));
        }
    }
    found
}

/// Whether a pattern names this path, in whatever language.
fn is_named(pattern: &str, path: &str) -> bool {
    let Some((before, after)) = pattern.split_once(LANG) else {
        return pattern == path;
    };
    let language = path
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after));
    language.is_some_and(|language| !language.is_empty() && !language.contains(['/', '.']))
}
