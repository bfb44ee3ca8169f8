//! Where the parts of a machine stand in its file. A machine that was lowered without an error has its parts in the order
//! of the file, so the file is walked beside it.

use crate::document::{Entry, Kind, Node};
use crate::source::Place;

use super::flow::List;

/// The files' side of a machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'n> {
    /// The value of `machine`.
    pub machine: &'n Node,
    /// The campaign's own file.
    pub root: &'n Node,
}

/// Where a transition stands.
#[derive(Debug, Clone)]
pub(super) struct Spot<'n> {
    /// All of it.
    pub item: &'n Place,
    /// Its guard, if it was written.
    pub when: Option<&'n Place>,
}

impl Spot<'_> {
    /// The guard, or all of it.
    pub fn guard(&self) -> &Place {
        self.when.unwrap_or(self.item)
    }
}

impl<'n> Places<'n> {
    /// The key of a state.
    pub fn state(&self, at: usize) -> Option<&'n Place> {
        let state = entries(self.machine.get("states")?).get(at)?;
        Some(&state.key.place)
    }

    /// A transition.
    pub fn transition(&self, list: List, place: usize) -> Option<Spot<'n>> {
        let items = match list {
            List::Own(..) | List::Wide(_) => {
                let entry = self.on(list)?;
                if self.earned(list) {
                    return Some(Spot {
                        item: &entry.key.place,
                        when: None,
                    });
                }
                entry.value.get("transitions").unwrap_or(&entry.value)
            }
            List::Always(state) => self.body(state)?.get("always")?,
            List::After(state) => self.body(state)?.get("after")?,
        };
        let Kind::List(items) = &items.kind else {
            return None;
        };
        let item = items.get(place)?;
        Some(Spot {
            item: &item.place,
            when: item.get("when").map(|node| &node.place),
        })
    }

    /// Whether a place is in the campaign's own file: what an activity ships is not for its campaigns to mend.
    pub fn own(&self, place: &Place) -> bool {
        std::sync::Arc::ptr_eq(&place.source, &self.root.place.source)
    }

    fn body(&self, state: usize) -> Option<&'n Node> {
        entries(self.machine.get("states")?)
            .get(state)
            .map(|entry| &entry.value)
    }

    fn on(&self, list: List) -> Option<&'n Entry> {
        match list {
            List::Own(state, on) => entries(self.body(state)?.get("events")?).get(on),
            List::Wide(on) => {
                let wide = self.machine.get("events").map_or(&[][..], entries);
                // `earn` adds its events after the machine's.
                wide.get(on).or_else(|| {
                    let earn = self.root.get("earn").map_or(&[][..], entries);
                    earn.get(on.checked_sub(wide.len())?)
                })
            }
            List::Always(_) | List::After(_) => None,
        }
    }

    fn earned(&self, list: List) -> bool {
        let wide = self.machine.get("events").map_or(&[][..], entries);
        matches!(list, List::Wide(on) if on >= wide.len())
    }
}

/// The entries of a map; none of anything else.
pub(super) fn entries(node: &Node) -> &[Entry] {
    match &node.kind {
        Kind::Map(entries) => entries,
        Kind::Null | Kind::Scalar { .. } | Kind::List(_) => &[],
    }
}
