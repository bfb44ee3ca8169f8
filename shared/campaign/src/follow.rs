//! What is said only because something else is wrong: one slip is one diagnostic. A section is read whether or not another
//! was sound, so that all mistakes come at once; what follows from one of them is taken out here, at the end.

use std::collections::BTreeSet;

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::document::{Entry, Kind, Node};
use crate::source::Place;

/// Where names are declared, and what is said of a name whose declaration could not be read.
const DECLARED: [(&[&str], &[&str]); 4] = [
    (
        &["context"],
        &[codes::UNKNOWN_VAR, codes::EXPR_NAME, codes::UNKNOWN_BALANCE],
    ),
    (
        &["rewards"],
        &[
            codes::UNKNOWN_REWARD,
            codes::GIVES_NOTHING,
            codes::EXPR_NAME,
            codes::UNKNOWN_BALANCE,
        ],
    ),
    (&["events"], &[codes::UNKNOWN_EVENT, codes::EXPR_NAME]),
    (&["machine", "states"], &[codes::UNKNOWN_STATE]),
];

/// Takes out what only follows. `root` is the file.
pub(crate) fn take_out(all: Diagnostics, root: &Node) -> Diagnostics {
    let broken: Vec<_> = DECLARED
        .iter()
        .flat_map(|(path, codes)| {
            entries(root, path)
                .iter()
                .filter(|entry| all.iter().any(|each| is_error_in(each, entry)))
                .map(|entry| (entry, *codes))
        })
        .collect();
    let twice: BTreeSet<_> = all
        .iter()
        .filter(|each| each.code == codes::DUPLICATE_KEY)
        .map(|each| each.place.span)
        .collect();
    // A state whose name was misspelt where something leads to it is not unreached as well.
    let meant: BTreeSet<_> = all
        .iter()
        .filter(|each| each.code == codes::UNKNOWN_STATE)
        .filter_map(|each| each.help.clone())
        .collect();
    let unread = all
        .iter()
        .any(|each| [codes::NOT_ODDS, codes::ODDS_RANGE].contains(&each.code));
    all.into_iter()
        .filter(|each| {
            let undeclared = broken
                .iter()
                .any(|(entry, codes)| codes.contains(&each.code) && names(&each.place, entry));
            // A key that stands there twice is read once more, and finds the first in its way.
            let again = each.code != codes::DUPLICATE_KEY && twice.contains(&each.place.span);
            let unreached = each.code == codes::UNREACHABLE
                && meant.contains(&format!("did you mean `{}`?", each.place.text()));
            // Odds that can't be read are missing in the sum.
            let too_few = unread && each.code == codes::ODDS_LEFT;
            !undeclared && !again && !unreached && !too_few
        })
        .collect()
}

fn entries<'n>(root: &'n Node, path: &[&str]) -> &'n [Entry] {
    let found = path.iter().try_fold(root, |node, name| node.get(name));
    match found.map(|node| &node.kind) {
        Some(Kind::Map(entries)) => entries,
        _ => &[],
    }
}

/// Whether an error lies within an entry.
fn is_error_in(each: &Diagnostic, entry: &Entry) -> bool {
    let (first, last) = (&entry.key.place, &entry.value.place);
    each.severity == Severity::Error
        && each.place.source == first.source
        && first.span.start <= each.place.span.start
        && each.place.span.end <= last.span.end
}

/// Whether a place outside of an entry is its name.
fn names(place: &Place, entry: &Entry) -> bool {
    let quotes = ['"', '\''];
    place.text().trim_matches(quotes) == entry.name()
        && !(entry.key.place.span.start <= place.span.start
            && place.span.end <= entry.value.place.span.end)
}
