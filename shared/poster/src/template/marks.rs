//! Finds the places of a template: what its layers are named, and what its texts say. How they look is not asked here.

use std::collections::BTreeSet;
use std::ops::Range;

use resvg::usvg::roxmltree::{Document, Node};

use super::guard::{is_svg, start};
use super::source::{Edit, is_drawn};
use super::words::{self, BoxWords, Round, Words};
use super::{Place, PlaceKind};
use crate::fault::{Fault, FaultKind};
use crate::text::Piece;

/// Places of one template.
const PLACES: usize = 64;

/// An element that is a place.
pub(super) struct Mark<'a> {
    pub node: Node<'a, 'a>,
    /// The id that it gets, which no other element has.
    pub id: String,
    pub said: Said,
    /// Places in its text.
    pub places: usize,
    pub at: Range<usize>,
}

/// What kind of place.
#[derive(Debug, Clone)]
pub(super) enum Said {
    Picture {
        path: String,
        contain: bool,
        round: Round,
    },
    Code {
        path: String,
        ink: Option<[u8; 3]>,
    },
    Text(Option<BoxWords>),
}

impl Mark<'_> {
    /// Gives the element its own id.
    pub(super) fn renamed(&self, text: &str) -> Edit {
        let id = self
            .node
            .attributes()
            .find(|attribute| attribute.namespace().is_none() && attribute.name() == "id");
        if let Some(id) = id {
            return Edit::replace(id.range_value(), self.id.clone());
        }
        let tag = text.get(self.node.range()).unwrap_or_default();
        let name = tag
            .find([' ', '>', '/', '\t', '\n', '\r'])
            .unwrap_or(tag.len());
        Edit::insert(
            self.node.range().start + name,
            format!(" id=\"{}\"", self.id),
        )
    }
}

/// All marks in the order of the drawing, and their places.
pub(super) fn find<'a>(
    document: &'a Document<'a>,
    faults: &mut Vec<Fault>,
) -> (Vec<Mark<'a>>, Vec<Place>) {
    let text = document.input_text();
    let ids: BTreeSet<&str> = document
        .descendants()
        .filter_map(|node| node.attribute("id"))
        .collect();
    let (mut marks, mut places) = (Vec::new(), Vec::new());
    for node in document.descendants().filter(|node| is_svg(*node)) {
        in_attributes(node, faults);
        let tag = node.tag_name().name();
        let at = start(text, node);
        let said = named(node, &ids).and_then(|read| {
            read.map_err(|kind| faults.push(Fault::new(at.clone(), kind)))
                .ok()
        });
        let drawn = is_drawn(node);
        if tag == "text" {
            let mut found = Vec::new();
            in_text(node, text, &mut found, faults);
            let words = match said {
                Some(Words::Box(words)) => Some(words),
                Some(Words::Picture { .. }) => {
                    faults.push(wrong(at.clone(), tag, "picture"));
                    None
                }
                Some(Words::Code { .. }) => {
                    faults.push(wrong(at.clone(), tag, "code"));
                    None
                }
                None => None,
            };
            if found.is_empty() {
                continue;
            }
            if !drawn {
                faults.push(Fault::new(at, FaultKind::NotDrawn));
                continue;
            }
            marks.push((node, Said::Text(words), found.len(), at));
            places.extend(found);
            continue;
        }
        let (said, path, kind) = match said {
            None => continue,
            Some(Words::Box(_)) => {
                faults.push(wrong(at, tag, "box"));
                continue;
            }
            Some(Words::Picture {
                path,
                contain,
                round,
            }) => {
                if !matches!(
                    tag,
                    "rect" | "circle" | "ellipse" | "path" | "polygon" | "image"
                ) {
                    faults.push(wrong(at, tag, "picture"));
                    continue;
                }
                (
                    Said::Picture {
                        path: path.clone(),
                        contain,
                        round,
                    },
                    path,
                    PlaceKind::Picture,
                )
            }
            Some(Words::Code { path, ink }) => {
                if !matches!(tag, "rect" | "path") {
                    faults.push(wrong(at, tag, "code"));
                    continue;
                }
                (
                    Said::Code {
                        path: path.clone(),
                        ink,
                    },
                    path,
                    PlaceKind::Qr,
                )
            }
        };
        if !drawn {
            faults.push(Fault::new(at, FaultKind::NotDrawn));
            continue;
        }
        places.push(Place {
            path,
            kind,
            at: at.clone(),
        });
        marks.push((node, said, 0, at));
    }
    if marks.len() > PLACES {
        faults.push(Fault::new(0..0, FaultKind::TooMuch("places")));
    }
    let marks = marks
        .into_iter()
        .enumerate()
        .map(|(index, (node, said, places, at))| Mark {
            node,
            id: free(&ids, index),
            said,
            places,
            at,
        })
        .collect();
    (marks, places)
}

fn free(ids: &BTreeSet<&str>, index: usize) -> String {
    let mut id = format!("place-{index}");
    while ids.contains(id.as_str()) {
        id.push('x');
    }
    id
}

fn wrong(at: Range<usize>, element: &str, place: &'static str) -> Fault {
    Fault::new(
        at,
        FaultKind::WrongElement {
            element: element.to_owned(),
            place,
        },
    )
}

/// What an element's name says: `data-place` before Inkscape's label before the id.
fn named(node: Node<'_, '_>, ids: &BTreeSet<&str>) -> Option<Result<Words, FaultKind>> {
    if let Some(said) = node.attribute("data-place") {
        return words::read(said, true);
    }
    let label = node
        .attributes()
        .find(|attribute| attribute.name() == "label" && attribute.namespace().is_some());
    if let Some(label) = label {
        return words::read(label.value(), false);
    }
    let id = node.attribute("id")?;
    // Figma numbers layers of one name: `picture user.avatar_2` beside `picture user.avatar`.
    let first = id
        .rsplit_once('_')
        .filter(|(name, number)| number.chars().all(|c| c.is_ascii_digit()) && ids.contains(name));
    words::read(first.map_or(id, |(name, _)| name), false)
}

/// Places in attributes are never filled. Names are: they may repeat what the text says.
fn in_attributes(node: Node<'_, '_>, faults: &mut Vec<Fault>) {
    for attribute in node.attributes() {
        let named = matches!(
            attribute.name(),
            "id" | "label" | "data-place" | "data-name" | "aria-label" | "class"
        );
        if !named && attribute.value().contains("{{") {
            faults.push(Fault::new(
                attribute.range_value(),
                FaultKind::PlaceInAttribute(attribute.name().to_owned()),
            ));
        }
    }
}

/// The places that a text names.
fn in_text(node: Node<'_, '_>, text: &str, found: &mut Vec<Place>, faults: &mut Vec<Fault>) {
    for child in node.descendants().filter(Node::is_text) {
        if child
            .parent()
            .is_some_and(|parent| matches!(parent.tag_name().name(), "title" | "desc"))
        {
            continue;
        }
        let pieces = match words::pieces(child.text().unwrap_or_default()) {
            Ok(pieces) => pieces,
            Err(kind) => {
                faults.push(Fault::new(child.range(), kind));
                continue;
            }
        };
        let range = child.range();
        let raw = text.get(range.clone()).unwrap_or_default();
        let mut from = 0;
        for piece in pieces {
            let Piece::Place(path) = piece else { continue };
            let open = raw[from..].find("{{").map(|open| from + open);
            let close = open.and_then(|open| raw[open..].find("}}").map(|close| open + close + 2));
            let at = match (open, close) {
                (Some(open), Some(close)) => {
                    from = close;
                    range.start + open..range.start + close
                }
                _ => range.clone(),
            };
            found.push(Place {
                path,
                kind: PlaceKind::Text,
                at,
            });
        }
    }
}
