//! How the places look: their styles, boxes and shapes, as the SVG library understands the design. The only room that reads its tree.

use std::collections::BTreeMap;

use resvg::usvg::fontdb::{self, Family, Query, Weight};
use resvg::usvg::{
    FontFamily, Group, Node, Paint, Rect, Text, TextAnchor, TextFlow, TextSpan, Transform,
    WritingMode,
};

use super::words::{self, BoxWords, Shrink};
use crate::fault::{Fault, FaultKind};
use crate::fonts::Fonts;
use crate::text::{Align, Filled, Frame, Piece, Run, Style, Vertical, natural};

/// A node of the tree, and what its groups do to it.
pub(super) struct Seen<'a> {
    pub node: &'a Node,
    groups: Vec<&'a Group>,
}

/// The nodes that have one of our ids.
pub(super) fn seen(root: &Group) -> BTreeMap<String, Seen<'_>> {
    let mut all = BTreeMap::new();
    walk(root, &mut Vec::new(), &mut all);
    all
}

fn walk<'a>(group: &'a Group, above: &mut Vec<&'a Group>, all: &mut BTreeMap<String, Seen<'a>>) {
    above.push(group);
    for node in group.children() {
        if let Node::Group(inner) = node {
            walk(inner, above, all);
        } else if node.id().starts_with("place-") {
            all.insert(
                node.id().to_owned(),
                Seen {
                    node,
                    groups: above.clone(),
                },
            );
        }
    }
    above.pop();
}

impl Seen<'_> {
    /// How strongly it is drawn, 0 to 1.
    pub(super) fn opacity(&self) -> f32 {
        self.groups
            .iter()
            .map(|group| group.opacity().get())
            .product()
    }

    /// Whether its groups do nothing to it that is more than opacity and position. A filter of a group of several is the others'.
    fn is_plain(&self, reach: Rect) -> bool {
        self.groups.iter().all(|group| {
            group.mask().is_none()
                && group.blend_mode() == resvg::usvg::BlendMode::Normal
                && (group.filters().is_empty() || leaves(group) > 1)
                && group
                    .clip_path()
                    .is_none_or(|clip| clips_nothing(clip, group.abs_transform(), reach))
        })
    }

    /// Whether the element itself, or a group of it alone, has a filter.
    pub(super) fn has_filter(&self) -> bool {
        self.groups
            .iter()
            .any(|group| !group.filters().is_empty() && leaves(group) == 1)
    }
}

fn leaves(group: &Group) -> usize {
    group
        .children()
        .iter()
        .map(|node| {
            if let Node::Group(inner) = node {
                leaves(inner)
            } else {
                1
            }
        })
        .sum()
}

/// Whether a clip is a rectangle around all of `reach`: every frame that Figma exports has one.
fn clips_nothing(clip: &resvg::usvg::ClipPath, transform: Transform, reach: Rect) -> bool {
    let [Node::Path(path)] = clip.root().children() else {
        return false;
    };
    let corners = path.data().points();
    let bounds = path.data().bounds();
    // The bounds are made of these very numbers.
    let is = |one: f32, other: f32| one.to_bits() == other.to_bits();
    let rectangular = corners.len() <= 5
        && corners.iter().all(|corner| {
            (is(corner.x, bounds.left()) || is(corner.x, bounds.right()))
                && (is(corner.y, bounds.top()) || is(corner.y, bounds.bottom()))
        });
    let transform = transform
        .pre_concat(clip.transform())
        .pre_concat(clip.root().transform());
    clip.clip_path().is_none()
        && rectangular
        && !transform.has_skew()
        && bounds.transform(transform).is_some_and(|bounds| {
            bounds.left() <= reach.left() + 0.5
                && bounds.top() <= reach.top() + 0.5
                && bounds.right() >= reach.right() - 0.5
                && bounds.bottom() >= reach.bottom() - 0.5
        })
}

/// A text as the design has it.
pub(super) struct Looked {
    pub lines: Vec<(Vec<Run>, Frame)>,
    /// From the text's units to the template's, where that is only a scale and a shift and nothing else is special.
    pub fast: Option<(f32, (f32, f32))>,
    /// From the text's units to the template's.
    pub transform: Transform,
    /// Whether every stretch has one colour of its own.
    pub solid: bool,
}

/// Reads a text's lines, styles and boxes.
pub(super) fn text(
    seen: &Seen<'_>,
    text: &Text,
    said: Option<&BoxWords>,
    fonts: &Fonts,
    ((width, height), others): ((f32, f32), &[Rect]),
) -> Result<Looked, Vec<FaultKind>> {
    let mut faults = Vec::new();
    if text.writing_mode() != WritingMode::LeftToRight {
        faults.push(FaultKind::TextForm("run downwards"));
    }
    if text
        .chunks()
        .iter()
        .any(|chunk| !matches!(chunk.text_flow(), TextFlow::Linear))
    {
        faults.push(FaultKind::TextForm("follow a path"));
    }
    let moved = |list: &[f32]| list.iter().any(|number| *number != 0.0);
    if moved(text.dx()) || moved(text.dy()) || moved(text.rotate()) {
        faults.push(FaultKind::TextForm("move or turn single letters"));
    }
    let opacity = seen.opacity();
    let (mut simple, mut solid) = (true, true);
    let mut lines: Vec<(Vec<Run>, f32, f32, TextAnchor)> = Vec::new();
    let (mut x, mut y) = (0.0, 0.0);
    for chunk in text.chunks() {
        x = chunk.x().unwrap_or(x);
        y = chunk.y().unwrap_or(y);
        let mut runs = Vec::new();
        for span in chunk.spans() {
            let Some(said) = chunk.text().get(span.start()..span.end()) else {
                continue;
            };
            let pieces = match words::pieces(said) {
                Ok(pieces) => pieces,
                Err(kind) => {
                    faults.push(kind);
                    continue;
                }
            };
            let style = match style(span, fonts, opacity) {
                Ok(style) => style,
                Err(kind) => {
                    faults.push(kind);
                    continue;
                }
            };
            let wants: String = pieces
                .iter()
                .map(|piece| {
                    if let Piece::Words(words) = piece {
                        words.as_str()
                    } else {
                        ""
                    }
                })
                .collect();
            let lacking: String = fonts.lacks(&wants).into_iter().collect();
            if !lacking.is_empty() {
                faults.push(FaultKind::NoLetters(lacking));
            }
            simple &= is_simple(span);
            solid &= span
                .fill()
                .is_some_and(|fill| matches!(fill.paint(), Paint::Color(_)));
            runs.push(Run { pieces, style });
        }
        if runs.iter().any(|run| !run.pieces.is_empty()) {
            lines.push((runs, x, y, chunk.anchor()));
        }
    }
    let transform = text.abs_transform();
    let back = transform.invert().filter(|_| transform.is_valid());
    let Some(back) = back.filter(|_| !lines.is_empty()) else {
        // Words in a font that is not there are not drawn, which is said already.
        if faults.is_empty() {
            faults.push(FaultKind::NotDrawn);
        }
        return Err(faults);
    };
    if !faults.is_empty() {
        return Err(faults);
    }
    if said.is_some() {
        lines = joined(lines);
    }
    let room = Rect::from_xywh(0.0, 0.0, width, height).and_then(|canvas| canvas.transform(back));
    let Some(room) = room else {
        return Err(vec![FaultKind::NotDrawn]);
    };
    let others: Vec<Rect> = others
        .iter()
        .filter_map(|other| other.transform(back))
        .collect();
    let mut framed = Vec::new();
    let mut reach: Option<Rect> = None;
    for (runs, x, y, anchor) in lines {
        let frame = frame(&runs, (x, y), anchor, said, (room, &others), fonts)?;
        let [left, top, right, bottom] = frame.reach();
        let Some(area) =
            Rect::from_ltrb(left, top, right, bottom).and_then(|area| area.transform(transform))
        else {
            return Err(vec![FaultKind::NotDrawn]);
        };
        // What is outside of the poster is cut off by its edge, whatever a clip says.
        let area =
            Rect::from_xywh(0.0, 0.0, width, height).and_then(|canvas| canvas.intersect(&area));
        let Some(area) = area else {
            return Err(vec![FaultKind::NotDrawn]);
        };
        reach = Some(reach.map_or(area, |reach| reach.join(&area).unwrap_or(reach)));
        framed.push((runs, frame));
    }
    let Transform {
        sx,
        kx,
        ky,
        sy,
        tx,
        ty,
    } = transform;
    let upright = kx == 0.0 && ky == 0.0 && sx > 0.0 && (sx - sy).abs() < 1e-4 * sx;
    let plain = reach.is_some_and(|reach| seen.is_plain(reach));
    Ok(Looked {
        lines: framed,
        fast: (simple && upright && plain).then_some((sx, (tx, ty))),
        transform,
        solid,
    })
}

/// Lines below each other as one text with line breaks.
fn joined(lines: Vec<(Vec<Run>, f32, f32, TextAnchor)>) -> Vec<(Vec<Run>, f32, f32, TextAnchor)> {
    let mut all = lines.into_iter();
    let Some(mut first) = all.next() else {
        return Vec::new();
    };
    for (runs, ..) in all {
        if let Some(last) = first.0.last_mut() {
            last.pieces.push(Piece::Words("\n".to_owned()));
        }
        first.0.extend(runs);
    }
    vec![first]
}

/// Parts of their size that letters may shrink to where the design does not say.
const LEAST: f32 = 0.6;
/// Parts of the poster's width that a text without a box keeps from its edge.
const MARGIN: f32 = 0.03;

fn frame(
    runs: &[Run],
    (x, y): (f32, f32),
    anchor: TextAnchor,
    said: Option<&BoxWords>,
    (room, others): (Rect, &[Rect]),
    fonts: &Fonts,
) -> Result<Frame, Vec<FaultKind>> {
    let size = runs.iter().map(|run| run.style.size).fold(0.0, f32::max);
    let anchored = match anchor {
        TextAnchor::Start => Align::Left,
        TextAnchor::Middle => Align::Center,
        TextAnchor::End => Align::Right,
    };
    let align = said.and_then(|said| said.align).unwrap_or(anchored);
    let mut at = x;
    if align != anchored {
        // Where the design's own text has that side, or its middle: Figma exports no anchors.
        let filled: Vec<Filled<'_>> = runs
            .iter()
            .map(|run| Filled {
                text: written(&run.pieces),
                values: Vec::new(),
                style: &run.style,
            })
            .collect();
        let wide = fonts.write(|pen| natural(pen, &filled));
        let left = match anchored {
            Align::Left => x,
            Align::Center => x - wide / 2.0,
            Align::Right => x - wide,
        };
        at = match align {
            Align::Left => left,
            Align::Center => left + wide / 2.0,
            Align::Right => left + wide,
        };
    }
    let margin = room.width() * MARGIN;
    let (mut to_left, mut to_right) = (at - room.left() - margin, room.right() - margin - at);
    // A text without a box ends before the pictures and codes beside it.
    for other in others
        .iter()
        .filter(|other| other.top() < y + 0.25 * size && other.bottom() > y - 0.95 * size)
    {
        if other.left() > at {
            to_right = to_right.min(other.left() - margin / 2.0 - at);
        } else if other.right() < at {
            to_left = to_left.min(at - other.right() - margin / 2.0);
        }
    }
    let free = match align {
        Align::Left => to_right,
        Align::Center => 2.0 * to_left.min(to_right),
        Align::Right => to_left,
    };
    let (width, height, lines, least) = match said {
        None => (free, size * crate::text::LINE, 1, LEAST),
        Some(said) => {
            if said.height < 0.9 * size {
                return Err(vec![FaultKind::LowBox {
                    height: said.height as u32,
                    least: size.ceil() as u32,
                }]);
            }
            let least = match said.shrink {
                Shrink::Usual => LEAST,
                Shrink::Never => 1.0,
                Shrink::To(least) => (least / size).clamp(0.1, 1.0),
            };
            (
                said.width,
                said.height,
                said.lines.unwrap_or(usize::MAX),
                least,
            )
        }
    };
    if width < size / 2.0 {
        return Err(vec![FaultKind::NotDrawn]);
    }
    let mut frame = Frame {
        x: at,
        y,
        size,
        width,
        height,
        align,
        vertical: Vertical::Middle,
        least,
        lines,
    };
    let several = frame.rows(1.0) > 1;
    frame.vertical = said.and_then(|said| said.vertical).unwrap_or(if several {
        Vertical::Top
    } else {
        Vertical::Middle
    });
    Ok(frame)
}

/// A text as the design writes it.
fn written(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Words(words) => words.clone(),
            Piece::Place(path) => format!("{{{{ {path} }}}}"),
        })
        .collect()
}

/// Whether the fast way draws a span: one colour, and nothing around it.
fn is_simple(span: &TextSpan) -> bool {
    let decoration = span.decoration();
    span.fill()
        .is_some_and(|fill| matches!(fill.paint(), Paint::Color(_)))
        && span.stroke().is_none()
        && decoration.underline().is_none()
        && decoration.overline().is_none()
        && decoration.line_through().is_none()
        && span.is_visible()
        && !span.small_caps()
        && span.word_spacing() == 0.0
        && span.text_length().is_none()
        && span.baseline_shift().is_empty()
        && span.dominant_baseline() == resvg::usvg::DominantBaseline::Auto
        && span.alignment_baseline() == resvg::usvg::AlignmentBaseline::Auto
}

fn style(span: &TextSpan, fonts: &Fonts, opacity: f32) -> Result<Style, FaultKind> {
    let font = span.font();
    let (family, weight) = face(fonts.database(), font.families(), font.weight())?;
    let ink = match span.fill().map(|fill| (fill.paint(), fill.opacity().get())) {
        Some((Paint::Color(colour), strong)) => [
            colour.red,
            colour.green,
            colour.blue,
            (strong * opacity * 255.0).round() as u8,
        ],
        _ => [0, 0, 0, 255],
    };
    let size = span.font_size().get();
    Ok(Style {
        family,
        weight,
        size,
        spacing: span.letter_spacing().clamp(-size, 4.0 * size),
        ink,
    })
}

/// The face that a list of families stands for, by its own name and weight. The first that is there is taken; none is a fault.
pub(super) fn face(
    database: &fontdb::Database,
    families: &[FontFamily],
    weight: u16,
) -> Result<(String, u16), FaultKind> {
    let wanted: Vec<Family<'_>> = families
        .iter()
        .map(|family| match family {
            FontFamily::Serif => Family::Serif,
            FontFamily::SansSerif => Family::SansSerif,
            FontFamily::Cursive => Family::Cursive,
            FontFamily::Fantasy => Family::Fantasy,
            FontFamily::Monospace => Family::Monospace,
            FontFamily::Named(name) => Family::Name(name),
        })
        .collect();
    let found = database.query(&Query {
        families: &wanted,
        weight: Weight(weight),
        ..Query::default()
    });
    let face = found.and_then(|id| database.face(id));
    match face.and_then(|face| Some((face.families.first()?.0.clone(), face.weight.0))) {
        Some(face) => Ok(face),
        None => Err(FaultKind::NoFont(
            families.first().map_or_else(String::new, |family| {
                family.to_string().trim_matches('"').to_owned()
            }),
        )),
    }
}

/// The families of texts without places, which nobody has: they would be drawn in another font, and nobody would know.
pub(super) fn missing_fonts(root: &Group, fonts: &Fonts, faults: &mut Vec<Fault>) {
    for node in root.children() {
        match node {
            Node::Group(inner) => missing_fonts(inner, fonts, faults),
            Node::Text(text) if !text.id().starts_with("place-") => {
                for chunk in text.chunks() {
                    for span in chunk.spans() {
                        let kind = face(
                            fonts.database(),
                            span.font().families(),
                            span.font().weight(),
                        )
                        .err();
                        let said = chunk
                            .text()
                            .get(span.start()..span.end())
                            .unwrap_or_default();
                        let lacking: String = fonts.lacks(said).into_iter().collect();
                        let lacking =
                            (!lacking.is_empty()).then_some(FaultKind::NoLetters(lacking));
                        faults.extend(
                            kind.into_iter()
                                .chain(lacking)
                                .map(|kind| Fault::new(0..0, kind)),
                        );
                    }
                }
            }
            _ => {}
        }
    }
}
