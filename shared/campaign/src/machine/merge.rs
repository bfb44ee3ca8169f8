//! A machine over another: states and events by name, the campaign's win.

use crate::document::{Entry, Kind, Node};

/// `own` over `default`. Both keep their places, so that what is wrong with a part is said at its own file.
pub(super) fn merged(default: &Node, own: &Node) -> Node {
    over(default, own, &["states", "events"], |default, own| {
        over_all(default, own, |default, own| {
            // Two states of one name, or two events: of states, the events are merged by name in turn.
            over(default, own, &["events"], |default, own| {
                over_all(default, own, |_, own| own.clone())
            })
        })
    })
}

/// A map over a map, where the values of some keys are put over each other and those of the others replaced.
fn over(default: &Node, own: &Node, deep: &[&str], both: impl Fn(&Node, &Node) -> Node) -> Node {
    join(default, own, |name, default, own| {
        if deep.contains(&name) {
            both(default, own)
        } else {
            own.clone()
        }
    })
}

/// A map over a map, where all values under the same key are put over each other.
fn over_all(default: &Node, own: &Node, both: impl Fn(&Node, &Node) -> Node) -> Node {
    join(default, own, |_, default, own| both(default, own))
}

fn join(default: &Node, own: &Node, both: impl Fn(&str, &Node, &Node) -> Node) -> Node {
    let (Kind::Map(below), Kind::Map(above)) = (&default.kind, &own.kind) else {
        return own.clone();
    };
    let mut entries: Vec<Entry> = Vec::new();
    for entry in below {
        entries.push(match above.iter().find(|own| own.name() == entry.name()) {
            Some(own) => Entry {
                key: own.key.clone(),
                value: both(own.name(), &entry.value, &own.value),
            },
            None => entry.clone(),
        });
    }
    let new = above
        .iter()
        .filter(|own| below.iter().all(|entry| entry.name() != own.name()));
    entries.extend(new.cloned());
    Node {
        place: own.place.clone(),
        kind: Kind::Map(entries),
    }
}
