//! What of an activity's default machine only some of its campaigns have. In the activity's file a part (an event, a transition) that
//! `needs` a section stands for the campaigns that write it, and `<section.key>` for what they write there; with a second one behind
//! a bar, `<draws.for|draws.at_once>`, for that where the first is not written. What a part needs may be one of several, behind bars,
//! or that a section is not there: `pack | no redeem`.

use crate::document::{Entry, Kind, Node};

/// The key that says what a part needs.
const NEEDS: &str = "needs";

/// The activity's file as it is for the campaign with this root.
pub(super) fn fitted(node: &Node, root: &Node) -> Node {
    let kind = match &node.kind {
        Kind::Map(entries) => Kind::Map(entries_of(entries, root)),
        Kind::List(items) => {
            let kept = items.iter().filter(|item| is_wanted(item, root));
            Kind::List(kept.map(|item| fitted(item, root)).collect())
        }
        Kind::Scalar { text, quoted } => Kind::Scalar {
            text: filled(text, root),
            quoted: *quoted,
        },
        Kind::Null => Kind::Null,
    };
    Node {
        place: node.place.clone(),
        kind,
    }
}

fn entries_of(entries: &[Entry], root: &Node) -> Vec<Entry> {
    let kept = entries
        .iter()
        .filter(|entry| entry.name() != NEEDS && is_wanted(&entry.value, root));
    kept.map(|entry| Entry {
        key: entry.key.clone(),
        value: fitted(&entry.value, root),
    })
    .collect()
}

fn is_wanted(part: &Node, root: &Node) -> bool {
    let needs = part.get(NEEDS).and_then(Node::scalar);
    needs.is_none_or(|needs| {
        let mut needs = needs.split('|').map(str::trim);
        needs.any(|path| match path.strip_prefix("no ") {
            Some(path) => at(root, path).is_none(),
            None => at(root, path).is_some(),
        })
    })
}

/// A text with what the campaign writes in place of each `<path>`; what it does not write stays as it is, and so do comparisons.
fn filled(text: &str, root: &Node) -> String {
    let Some((head, after)) = text.split_once('>') else {
        return text.to_owned();
    };
    let found = head.rsplit_once('<').and_then(|(before, paths)| {
        let mut values = paths.split('|').filter_map(|path| at(root, path)?.scalar());
        Some((before, values.next()?))
    });
    let after = filled(after, root);
    match found {
        Some((before, value)) => format!("{before}{value}{after}"),
        None => format!("{head}>{after}"),
    }
}

fn at<'n>(root: &'n Node, path: &str) -> Option<&'n Node> {
    path.split('.').try_fold(root, |node, key| node.get(key))
}
