//! Refuses what a template may not hold, before anything else looks at it: the author of a template is trusted no more than its file.
//!
//! It knows nothing of places.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use resvg::usvg::roxmltree::{Document, Node, ParsingOptions};

use crate::fault::{Fault, FaultKind};

/// Bytes of an SVG, with the pictures embedded in it.
const BYTES: usize = 12 << 20;
/// Elements of a file.
const ELEMENTS: u32 = 20_000;
/// Elements as they are drawn, with what refers to others counted each time.
const DRAWN: u64 = 60_000;
/// Elements inside each other.
const DEPTH: usize = 48;
/// Definitions that refer to definitions.
const CHAIN: usize = 12;
/// Elements with a filter.
const FILTERED: usize = 96;
/// Steps of one filter.
const STEPS: usize = 24;
/// A filter's radius, deviation or offset, in units.
const SPREAD: f64 = 500.0;

pub(super) const SVG: &str = "http://www.w3.org/2000/svg";

const ELEMENTS_TAKEN: &[&str] = &[
    "svg",
    "g",
    "defs",
    "symbol",
    "use",
    "title",
    "desc",
    "metadata",
    "style",
    "switch",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "text",
    "tspan",
    "textPath",
    "image",
    "linearGradient",
    "radialGradient",
    "stop",
    "pattern",
    "clipPath",
    "mask",
    "marker",
    "filter",
];

/// Reads the XML; refuses entities.
pub(super) fn parse(svg: &str) -> Result<Document<'_>, Fault> {
    if svg.len() > BYTES {
        return Err(Fault::new(
            0..0,
            FaultKind::TooLarge {
                bytes: svg.len(),
                limit: BYTES,
            },
        ));
    }
    if let Some(at) = doctype(svg)
        && svg[at.clone()].contains('[')
    {
        return Err(Fault::new(at, FaultKind::Entities));
    }
    let options = ParsingOptions {
        allow_dtd: true,
        nodes_limit: ELEMENTS * 4,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(svg, options).map_err(|error| {
        let at = offset(svg, error.pos());
        Fault::new(at..at, FaultKind::NotSvg(error.to_string()))
    })?;
    let root = document.root_element();
    if !is_svg(root) || root.tag_name().name() != "svg" {
        return Err(Fault::new(
            root.range(),
            FaultKind::NotSvg("the outermost element is not <svg>".to_owned()),
        ));
    }
    Ok(document)
}

/// Where the document type is, with its brackets.
pub(super) fn doctype(svg: &str) -> Option<Range<usize>> {
    let at = svg.find("<!DOCTYPE").or_else(|| svg.find("<!doctype"))?;
    let end = svg[at..].find(['>', '['])?;
    Some(at..at + end + 1)
}

fn offset(svg: &str, at: resvg::usvg::roxmltree::TextPos) -> usize {
    let line: usize = svg
        .split_inclusive('\n')
        .take(at.row.saturating_sub(1) as usize)
        .map(str::len)
        .sum();
    let rest = svg.get(line..).unwrap_or_default();
    line + rest
        .char_indices()
        .nth(at.col.saturating_sub(1) as usize)
        .map_or(rest.len(), |(at, _)| at)
}

pub(super) fn is_svg(node: Node<'_, '_>) -> bool {
    node.is_element() && node.tag_name().namespace() == Some(SVG)
}

/// All that is wrong with the elements, their attributes and references. `href` judges the address of a picture.
pub(super) fn check(
    document: &Document<'_>,
    href: &mut dyn FnMut(&str, Range<usize>) -> Option<FaultKind>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let (mut elements, mut filtered) = (0_u32, 0);
    for node in document.descendants().filter(Node::is_element) {
        elements += 1;
        let at = start(document.input_text(), node);
        if node.ancestors().take(DEPTH + 1).count() > DEPTH {
            faults.push(Fault::new(
                at,
                FaultKind::TooMuch("elements inside each other"),
            ));
            return faults;
        }
        if !is_svg(node) {
            // An editor's own notes are not drawn; HTML would be.
            if node.tag_name().namespace() == Some("http://www.w3.org/1999/xhtml") {
                faults.push(Fault::new(
                    at,
                    FaultKind::Element(node.tag_name().name().to_owned()),
                ));
            }
            continue;
        }
        let name = node.tag_name().name();
        if !ELEMENTS_TAKEN.contains(&name) && !name.starts_with("fe") {
            faults.push(Fault::new(at.clone(), FaultKind::Element(name.to_owned())));
            continue;
        }
        filtered += usize::from(node.has_attribute("filter"));
        if name == "filter" && node.children().filter(Node::is_element).count() > STEPS {
            faults.push(Fault::new(
                at.clone(),
                FaultKind::TooMuch("steps in one filter"),
            ));
        }
        if name.starts_with("fe")
            && node
                .attributes()
                .any(|attribute| spreads(attribute.name(), attribute.value()))
        {
            faults.push(Fault::new(
                at.clone(),
                FaultKind::TooMuch("pixels under one filter: its radius is huge"),
            ));
        }
        if name == "style" {
            style(node, &mut faults);
        }
        for attribute in node.attributes() {
            let (key, value) = (attribute.name(), attribute.value());
            let at = attribute.range_value();
            // An attribute's name may begin with any letter there is.
            let is_handler = |two: &str| key.len() > 2 && two.eq_ignore_ascii_case("on");
            if key.get(..2).is_some_and(is_handler) {
                faults.push(Fault::new(
                    attribute.range(),
                    FaultKind::Script(key.to_owned()),
                ));
            } else if key == "href" {
                let picture = matches!(name, "image" | "feImage");
                let kind = if value.trim().starts_with('#') {
                    None
                } else if picture {
                    href(value, at.clone())
                } else {
                    Some(FaultKind::External(short(value)))
                };
                faults.extend(kind.map(|kind| Fault::new(at, kind)));
            } else if let Some(address) = outside(value) {
                faults.push(Fault::new(at, FaultKind::External(short(address))));
            }
        }
    }
    if elements > ELEMENTS {
        faults.push(Fault::new(0..0, FaultKind::TooMuch("elements")));
    }
    if filtered > FILTERED {
        faults.push(Fault::new(
            0..0,
            FaultKind::TooMuch("elements with filters"),
        ));
    }
    if faults.is_empty() {
        faults.extend(weigh(document).err());
    }
    faults
}

/// The start tag of an element.
pub(super) fn start(text: &str, node: Node<'_, '_>) -> Range<usize> {
    let range = node.range();
    let mut quote = None;
    for (index, byte) in text
        .get(range.clone())
        .unwrap_or_default()
        .bytes()
        .enumerate()
    {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), close) if open == close => quote = None,
            (None, b'>') => return range.start..range.start + index + 1,
            _ => {}
        }
    }
    range
}

fn short(value: &str) -> String {
    let mut short: String = value.chars().take(60).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    short
}

/// An address in `url(…)` that is not in the document.
fn outside(value: &str) -> Option<&str> {
    let mut rest = value;
    while let Some(at) = rest.to_ascii_lowercase().find("url(") {
        rest = rest.get(at + 4..)?;
        let inside = rest.trim_start_matches(['"', '\'', ' ']);
        if !inside.starts_with('#') {
            return Some(rest.split(')').next().unwrap_or(rest));
        }
    }
    None
}

fn spreads(key: &str, value: &str) -> bool {
    let limit = match key {
        "stdDeviation" | "radius" | "dx" | "dy" => SPREAD,
        "numOctaves" | "order" => 8.0,
        _ => return false,
    };
    value
        .split([' ', ',', '\t', '\n'])
        .filter_map(|number| number.parse::<f64>().ok())
        .any(|number| !number.is_finite() || number.abs() > limit)
}

fn style(node: Node<'_, '_>, faults: &mut Vec<Fault>) {
    for text in node.children().filter(Node::is_text) {
        let css = text.text().unwrap_or_default();
        let lower = css.to_ascii_lowercase();
        for word in ["@import", "@font-face"] {
            if lower.contains(word) {
                faults.push(Fault::new(
                    text.range(),
                    FaultKind::External(word.to_owned()),
                ));
            }
        }
        if let Some(address) = outside(css) {
            faults.push(Fault::new(
                text.range(),
                FaultKind::External(short(address)),
            ));
        }
        if css.contains('\\') {
            faults.push(Fault::new(
                text.range(),
                FaultKind::StyleRule("\\".to_owned()),
            ));
        }
    }
}

/// What each class refers to; a fault where another rule than a class's does.
fn classes(document: &Document<'_>) -> Result<BTreeMap<String, Vec<String>>, Fault> {
    let mut classes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for node in document
        .descendants()
        .filter(|node| is_svg(*node) && node.tag_name().name() == "style")
    {
        let css: String = node.children().filter_map(|child| child.text()).collect();
        for rule in css.split('}') {
            let (selectors, body) = rule.split_once('{').unwrap_or((rule, ""));
            let ids = referred(body);
            if ids.is_empty() {
                continue;
            }
            for selector in selectors.split(',').map(str::trim) {
                let class = selector.strip_prefix('.').filter(|name| {
                    name.chars()
                        .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
                });
                let Some(class) = class else {
                    return Err(Fault::new(
                        node.range(),
                        FaultKind::StyleRule(short(selector)),
                    ));
                };
                classes
                    .entry(class.to_owned())
                    .or_default()
                    .extend(ids.clone());
            }
        }
    }
    Ok(classes)
}

/// The ids in `url(#…)`.
pub(super) fn referred(value: &str) -> Vec<String> {
    value
        .split("url(")
        .skip(1)
        .filter_map(|rest| {
            let inside = rest
                .trim_start_matches(['"', '\'', ' '])
                .strip_prefix('#')?;
            let end = inside.find([')', '"', '\''])?;
            Some(inside[..end].trim().to_owned())
        })
        .collect()
}

/// The ids that an element itself refers to.
pub(super) fn refers(node: Node<'_, '_>) -> Vec<String> {
    node.attributes()
        .flat_map(|attribute| {
            match (attribute.name(), attribute.value().trim().strip_prefix('#')) {
                ("href", Some(id)) => vec![id.to_owned()],
                _ => referred(attribute.value()),
            }
        })
        .collect()
}

/// Counts what is drawn, following references: a few lines of `use` can stand for millions of elements.
fn weigh(document: &Document<'_>) -> Result<(), Fault> {
    let classes = classes(document)?;
    let ids: BTreeMap<&str, Node<'_, '_>> = document
        .descendants()
        .filter(Node::is_element)
        .filter_map(|node| Some((node.attribute("id")?, node)))
        .collect();
    let mut scale = Scales {
        classes,
        ids,
        known: BTreeMap::new(),
        open: BTreeSet::new(),
    };
    let drawn = scale.node(document.root_element(), 0)?;
    if drawn > DRAWN {
        return Err(Fault::new(
            0..0,
            FaultKind::TooMuch(
                "elements that are drawn, with all that `use`, masks and patterns repeat",
            ),
        ));
    }
    Ok(())
}

struct Scales<'a> {
    classes: BTreeMap<String, Vec<String>>,
    ids: BTreeMap<&'a str, Node<'a, 'a>>,
    known: BTreeMap<String, u64>,
    open: BTreeSet<String>,
}

impl Scales<'_> {
    fn node(&mut self, node: Node<'_, '_>, chain: usize) -> Result<u64, Fault> {
        let mut weight: u64 = 1;
        let mut targets = refers(node);
        for class in node
            .attribute("class")
            .unwrap_or_default()
            .split_whitespace()
        {
            targets.extend(self.classes.get(class).cloned().unwrap_or_default());
        }
        for id in targets {
            weight = weight.saturating_add(self.target(&id, node, chain + 1)?);
        }
        for child in node.children().filter(Node::is_element) {
            weight = weight.saturating_add(self.node(child, chain)?);
        }
        Ok(weight)
    }

    fn target(&mut self, id: &str, from: Node<'_, '_>, chain: usize) -> Result<u64, Fault> {
        if let Some(weight) = self.known.get(id) {
            return Ok(*weight);
        }
        let Some(node) = self.ids.get(id).copied() else {
            return Ok(0);
        };
        if chain > CHAIN {
            return Err(Fault::new(
                from.range(),
                FaultKind::TooMuch("definitions that refer to definitions"),
            ));
        }
        if !self.open.insert(id.to_owned()) {
            return Err(Fault::new(from.range(), FaultKind::Circle(id.to_owned())));
        }
        let weight = self.node(node, chain)?;
        self.open.remove(id);
        self.known.insert(id.to_owned(), weight);
        Ok(weight)
    }
}
