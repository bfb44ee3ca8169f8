//! An element with another paint: its filled shape, and its outline. For masks; nothing of it is seen.

use resvg::usvg::roxmltree::Node;
use std::fmt::Write as _;

use super::source::{escaped, prefix};
use super::words::Round;

/// What an element's paint is exchanged for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Paint {
    /// White, without outline: the shape.
    Filled,
    /// Its outline only.
    Outlined,
}

/// The element with another paint, as an SVG element of the id `id`.
pub(super) fn repainted(
    text: &str,
    node: Node<'_, '_>,
    id: &str,
    round: Round,
    paint: Paint,
) -> String {
    let prefix = prefix(text, node);
    let tag = match node.tag_name().name() {
        "image" => "rect",
        tag => tag,
    };
    let mut element = format!("<{prefix}{tag} id=\"{id}\"");
    let mut put = |key: &str, value: &str| {
        let _ = write!(element, " {key}=\"{}\"", escaped(value));
    };
    let corners = corners(node, round);
    for attribute in node
        .attributes()
        .filter(|attribute| attribute.namespace().is_none())
    {
        let (key, value) = (attribute.name(), attribute.value());
        let kept = match key {
            "id" | "href" | "filter" | "preserveAspectRatio" => false,
            "rx" | "ry" => corners.is_none(),
            "class" | "stroke" => paint == Paint::Outlined,
            "style" => {
                put("style", &declarations(value, paint));
                false
            }
            _ if key.starts_with("fill") => false,
            _ if key.starts_with("stroke-") => paint == Paint::Outlined,
            _ => !key.starts_with("data-"),
        };
        if kept {
            put(key, value);
        }
    }
    if let Some((rx, ry)) = corners {
        put("rx", &rx.to_string());
        put("ry", &ry.to_string());
    }
    match paint {
        Paint::Filled => {
            put("fill", "#fff");
            put("stroke", "none");
        }
        Paint::Outlined => put("fill", "none"),
    }
    element.push_str("/>");
    element
}

/// The declarations of a style attribute that are kept.
fn declarations(style: &str, paint: Paint) -> String {
    style
        .split(';')
        .filter(|declaration| {
            let key = declaration.split(':').next().unwrap_or_default().trim();
            !(key.starts_with("fill")
                || key == "filter"
                || key.starts_with("stroke") && paint == Paint::Filled
                || key == "stroke" && paint == Paint::Filled)
        })
        .chain((paint == Paint::Outlined).then_some("fill:none"))
        .collect::<Vec<_>>()
        .join(";")
}

/// Corners that the place asks for, of a rectangle.
fn corners(node: Node<'_, '_>, round: Round) -> Option<(f32, f32)> {
    if !matches!(node.tag_name().name(), "rect" | "image") {
        return None;
    }
    let side = |key: &str| {
        node.attribute(key)
            .and_then(|value| value.trim_end_matches("px").parse::<f32>().ok())
    };
    match round {
        Round::AsDrawn => None,
        Round::Corners(radius) => Some((radius, radius)),
        Round::Circle => Some((side("width")? / 2.0, side("height")? / 2.0)),
    }
}
