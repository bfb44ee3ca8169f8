//! A template's SVG as text, and the documents that are made of it by cutting and changing pieces: layers, and single elements.
//!
//! Nothing is drawn here, and nothing is understood beyond tags.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use resvg::usvg::roxmltree::{Document, Node};

use super::guard::{doctype, is_svg, refers, start};

/// A change of a text.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub at: Range<usize>,
    pub with: String,
}

impl Edit {
    pub(super) fn insert(at: usize, with: impl Into<String>) -> Self {
        Self {
            at: at..at,
            with: with.into(),
        }
    }

    pub(super) fn replace(at: Range<usize>, with: impl Into<String>) -> Self {
        Self {
            at,
            with: with.into(),
        }
    }
}

/// The text with the edits made. Of edits that overlap, the first holds.
pub(super) fn edited(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| (edit.at.start, edit.at.end));
    let mut made = String::with_capacity(text.len() + 256);
    let mut done = 0;
    for edit in edits {
        let Some(kept) = text.get(done..edit.at.start) else {
            continue;
        };
        made.push_str(kept);
        made.push_str(&edit.with);
        done = edit.at.end;
    }
    made.push_str(text.get(done..).unwrap_or_default());
    made
}

/// An element that is drawn: no group.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub at: Range<usize>,
    /// The prefix of its namespace, with the colon.
    pub prefix: String,
    /// Before which place it is drawn, when it is the same for everybody.
    pub layer: Option<usize>,
}

impl Leaf {
    /// Keeps the element for those who refer to it, and does not draw it.
    pub(super) fn hide(&self) -> [Edit; 2] {
        [
            Edit::insert(self.at.start, format!("<{}defs>", self.prefix)),
            Edit::insert(self.at.end, format!("</{}defs>", self.prefix)),
        ]
    }
}

const SHAPES: &[&str] = &[
    "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "image", "use",
    "switch",
];
const DEFINITIONS: &[&str] = &[
    "defs",
    "symbol",
    "clipPath",
    "mask",
    "pattern",
    "marker",
    "filter",
    "linearGradient",
    "radialGradient",
    "style",
    "metadata",
];

/// Whether an element draws something where it stands.
pub(super) fn is_drawn(node: Node<'_, '_>) -> bool {
    is_svg(node)
        && SHAPES.contains(&node.tag_name().name())
        && !node.ancestors().skip(1).any(|above| {
            DEFINITIONS.contains(&above.tag_name().name())
                || matches!(above.tag_name().name(), "switch" | "text")
        })
}

/// The prefix of an element's namespace as written, with the colon.
pub(super) fn prefix(text: &str, node: Node<'_, '_>) -> String {
    let tag = text.get(node.range()).unwrap_or_default();
    let name = tag
        .trim_start_matches('<')
        .split([' ', '>', '/', '\t', '\n', '\r'])
        .next()
        .unwrap_or_default();
    name.split_once(':')
        .map(|(prefix, _)| format!("{prefix}:"))
        .unwrap_or_default()
}

/// A document with one element, in the same groups and with the definitions it uses: what is before the element, and what is after.
#[derive(Debug, Clone, Default)]
pub(super) struct Skeleton {
    pub before: String,
    pub after: String,
}

impl Skeleton {
    pub(super) fn of(document: &Document<'_>, node: Node<'_, '_>) -> Self {
        let text = document.input_text();
        let mut above: Vec<Node<'_, '_>> =
            node.ancestors().skip(1).filter(Node::is_element).collect();
        above.reverse();
        let (mut before, mut after) = (String::new(), String::new());
        let mut used: Vec<String> = refers_within(node);
        used.extend(above.iter().flat_map(|group| refers(*group)));
        for (depth, group) in above.iter().enumerate() {
            before.push_str(&alone(text, *group));
            if depth == 0 {
                definitions(document, used.clone(), &above, node, &mut before);
            }
            let name = format!("{}{}", prefix(text, *group), group.tag_name().name());
            after.insert_str(0, &format!("</{name}>"));
        }
        Self { before, after }
    }

    pub(super) fn with(&self, element: &str) -> String {
        format!("{}{element}{}", self.before, self.after)
    }
}

/// The start tag of a group. A filter of a group of several elements is left to the others: the shadow of a card is not the shadow of its words.
fn alone(text: &str, group: Node<'_, '_>) -> String {
    let tag = start(text, group);
    let several = group.descendants().filter(|node| is_drawn(*node)).count() > 1;
    let mut edits = Vec::new();
    if several {
        for attribute in group
            .attributes()
            .filter(|attribute| attribute.namespace().is_none())
        {
            match attribute.name() {
                "filter" => edits.push(attribute.range_value()),
                "style" => {
                    let value = attribute.range_value();
                    let css = text.get(value.clone()).unwrap_or_default();
                    if let Some(at) = css.find("filter:") {
                        let end = css[at..].find(';').map_or(css.len(), |end| at + end);
                        edits.push(value.start + at..value.start + end);
                    }
                }
                _ => {}
            }
        }
    }
    let edits = edits
        .into_iter()
        .map(|at| {
            let with = if text
                .get(at.clone())
                .is_some_and(|old| old.starts_with("filter"))
            {
                ""
            } else {
                "none"
            };
            Edit::replace(at.start - tag.start..at.end - tag.start, with)
        })
        .collect();
    edited(text.get(tag).unwrap_or_default(), edits)
}

fn refers_within(node: Node<'_, '_>) -> Vec<String> {
    node.descendants()
        .filter(Node::is_element)
        .flat_map(refers)
        .collect()
}

/// Style sheets, and what is used of the definitions, directly or through others.
fn definitions(
    document: &Document<'_>,
    mut used: Vec<String>,
    above: &[Node<'_, '_>],
    node: Node<'_, '_>,
    out: &mut String,
) {
    let text = document.input_text();
    let mut done = BTreeSet::new();
    let styles: Vec<Node<'_, '_>> = document
        .descendants()
        .filter(|node| is_svg(*node) && node.tag_name().name() == "style")
        .collect();
    for style in &styles {
        out.push_str(text.get(style.range()).unwrap_or_default());
        // Only classes refer to definitions; which of them are used is not looked up.
        for css in style.children().filter_map(|child| child.text()) {
            used.extend(super::guard::referred(css));
        }
    }
    let prefix = above
        .first()
        .map(|root| prefix(text, *root))
        .unwrap_or_default();
    let _ = write!(out, "<{prefix}defs>");
    while let Some(id) = used.pop() {
        if !done.insert(id.clone()) {
            continue;
        }
        let found = document
            .descendants()
            .find(|candidate| candidate.attribute("id") == Some(&id));
        let Some(found) = found.filter(|found| *found != node && !above.contains(found)) else {
            continue;
        };
        out.push_str(text.get(found.range()).unwrap_or_default());
        used.extend(refers_within(found));
    }
    let _ = write!(out, "</{prefix}defs>");
}

/// The whole text without its document type: edits that every derived document needs.
pub(super) fn without_doctype(text: &str) -> Option<Edit> {
    doctype(text).map(|at| Edit::replace(at, ""))
}

/// Text for between tags and in attributes.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}
