//! Reads a template: refuses what is dangerous, finds the places, looks at them, and keeps what drawing needs.

use resvg::usvg::roxmltree::{Document, Node as Element};
use resvg::usvg::{Node, Paint, Rect, Tree};
use std::fmt::Write as _;

use super::guard;
use super::images::{Taking, options};
use super::look::{self, Seen};
use super::marks::{self, Mark, Said};
use super::shape::{self, repainted};
use super::source::{Edit, Leaf, Skeleton, edited, is_drawn, prefix, without_doctype};
use super::words::Round;
use super::{CodeItem, Inner, Item, PictureItem, Slow, TextItem, What};
use crate::code;
use crate::fault::{Fault, FaultKind};
use crate::fonts::Fonts;
use crate::text::{Piece, Run};

pub(super) fn read(
    svg: &str,
    files: &dyn Fn(&str) -> Option<Vec<u8>>,
    fonts: &Fonts,
) -> Result<Inner, Vec<Fault>> {
    let document = guard::parse(svg).map_err(|fault| vec![fault])?;
    let mut taking = Taking::new(files);
    let mut faults = guard::check(&document, &mut |href, _| taking.take(href));
    let images = taking.finish();
    let (marks, places) = marks::find(&document, &mut faults);
    let dangerous = faults.iter().any(|fault| !is_of_places(&fault.kind));
    if dangerous {
        return Err(sorted(faults));
    }
    let options = options(fonts, &images);
    let tree = Tree::from_str(&named(&document, &marks), &options)
        .map_err(|error| vec![Fault::new(0..0, FaultKind::NotSvg(error.to_string()))])?;
    let size = (tree.size().width(), tree.size().height());
    let (width, height) = (size.0.ceil() as u32, size.1.ceil() as u32);
    if !(16..=4096).contains(&width) || !(16..=4096).contains(&height) || width * height > 6_000_000
    {
        return Err(vec![Fault::new(
            guard::start(svg, document.root_element()),
            FaultKind::Size { width, height },
        )]);
    }
    look::missing_fonts(tree.root(), fonts, &mut faults);
    let seen = look::seen(tree.root());
    let others: Vec<Rect> = marks
        .iter()
        .filter(|mark| !matches!(mark.said, Said::Text(_)))
        .filter_map(|mark| seen.get(&mark.id).map(|seen| seen.node.abs_bounding_box()))
        .collect();
    let mut items = Vec::new();
    for mark in &marks {
        let fault = |kind| Fault::new(mark.at.clone(), kind);
        let Some(seen) = seen.get(&mark.id) else {
            faults.push(fault(FaultKind::NotDrawn));
            continue;
        };
        let what = match &mark.said {
            Said::Text(words) => text(
                &document,
                mark,
                seen,
                words.as_ref(),
                fonts,
                (size, &others),
                &options,
            )
            .map(What::Text),
            Said::Picture {
                path,
                contain,
                round,
            } => picture(&document, mark, seen, (path, *contain, *round)).map(What::Picture),
            Said::Code { path, ink } => code(seen, &tree, mark, (path, *ink)).map(What::Code),
        };
        match what {
            Ok(what) => items.push(Item {
                at: mark.at.clone(),
                what,
            }),
            Err(kinds) => faults.extend(kinds.into_iter().map(fault)),
        }
    }
    if !faults.is_empty() {
        return Err(sorted(faults));
    }
    let leaves = leaves(&document, &marks, &items);
    Ok(Inner {
        svg: svg.to_owned(),
        size: (width, height),
        fonts: fonts.clone(),
        images,
        places,
        items,
        leaves,
    })
}

/// Faults of places let the rest be looked at: a designer gets all of them at once.
fn is_of_places(kind: &FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::OpenPlace(_)
            | FaultKind::BadPath(_)
            | FaultKind::Filter(_)
            | FaultKind::AlmostPlace(_)
            | FaultKind::PlaceInAttribute(_)
            | FaultKind::AlmostName { .. }
            | FaultKind::WrongElement { .. }
            | FaultKind::NotDrawn
            | FaultKind::NoFile(_)
    )
}

fn sorted(mut faults: Vec<Fault>) -> Vec<Fault> {
    faults.sort_by_key(|fault| (fault.at.start, fault.at.end));
    faults.dedup();
    faults
}

/// The document with our ids, and the shapes of pictures filled, so that they are there even where the design leaves them empty.
fn named(document: &Document<'_>, marks: &[Mark<'_>]) -> String {
    let svg = document.input_text();
    let mut edits: Vec<Edit> = without_doctype(svg).into_iter().collect();
    for mark in marks {
        match &mark.said {
            Said::Picture { round, .. } => {
                let element = repainted(svg, mark.node, &mark.id, *round, shape::Paint::Filled);
                edits.push(Edit::replace(mark.node.range(), element));
            }
            _ => edits.push(mark.renamed(svg)),
        }
    }
    edited(svg, edits)
}

/// All that is drawn, and before which place it is.
fn leaves(document: &Document<'_>, marks: &[Mark<'_>], items: &[Item]) -> Vec<Leaf> {
    let mut before = 0;
    let mut leaves = Vec::new();
    for node in document.descendants().filter(|node| is_drawn(*node)) {
        let item = marks.iter().position(|mark| mark.node == node);
        // The paper of a code is drawn with the rest; a picture's usual look is where its shadow is.
        let also = item
            .and_then(|index| items.get(index))
            .is_none_or(|item| match &item.what {
                What::Code(_) => true,
                What::Picture(picture) => picture.usual.is_none(),
                What::Text(_) => false,
            });
        leaves.push(Leaf {
            at: node.range(),
            prefix: prefix(document.input_text(), node),
            layer: also.then_some(before),
        });
        before += usize::from(item.is_some());
    }
    leaves
}

type Wrong = Vec<FaultKind>;

fn text(
    document: &Document<'_>,
    mark: &Mark<'_>,
    seen: &Seen<'_>,
    words: Option<&super::words::BoxWords>,
    fonts: &Fonts,
    room: ((f32, f32), &[Rect]),
    options: &resvg::usvg::Options<'_>,
) -> Result<TextItem, Wrong> {
    let Node::Text(node) = seen.node else {
        return Err(vec![FaultKind::NotDrawn]);
    };
    let looked = look::text(seen, node, words, fonts, room)?;
    let places = |runs: &[Run]| {
        runs.iter()
            .flat_map(|run| &run.pieces)
            .filter(|piece| matches!(piece, Piece::Place(_)))
            .count()
    };
    if looked
        .lines
        .iter()
        .map(|(runs, _)| places(runs))
        .sum::<usize>()
        != mark.places
    {
        return Err(vec![FaultKind::TextForm("move or turn single letters")]);
    }
    let slow = looked
        .fast
        .is_none()
        .then(|| slow(document, mark, &looked, options));
    Ok(TextItem {
        lines: looked.lines,
        fast: looked.fast,
        transform: looked.transform,
        slow,
    })
}

/// The document around a text that is drawn the slow way, and how far its effects reach.
fn slow(
    document: &Document<'_>,
    mark: &Mark<'_>,
    looked: &look::Looked,
    options: &resvg::usvg::Options<'_>,
) -> Slow {
    let svg = document.input_text();
    let mut skeleton = Skeleton::of(document, mark.node);
    let sample = svg.get(mark.node.range()).unwrap_or_default();
    let whole =
        Tree::from_str(&skeleton.with(sample), options).map_or([0.0; 4], |tree| margin(&tree));
    let name = format!("{}text", prefix(svg, mark.node));
    let tag = svg.get(guard::start(svg, mark.node)).unwrap_or_default();
    skeleton.before.push_str(tag);
    skeleton.after.insert_str(0, &format!("</{name}>"));
    // What the first stretch of text is in: its style holds for all of it.
    let inner = mark
        .node
        .descendants()
        .find(|child| child.is_text() && child.text().is_some_and(|text| text.contains("{{")));
    let within: Vec<Element<'_, '_>> = inner
        .iter()
        .flat_map(|text| text.ancestors().skip(1))
        .take_while(|above| *above != mark.node)
        .collect();
    for above in within.iter().rev() {
        let mut open = format!("<{}tspan", prefix(svg, *above));
        for attribute in above
            .attributes()
            .filter(|attribute| attribute.namespace().is_none())
        {
            if !matches!(attribute.name(), "id" | "x" | "y" | "dx" | "dy" | "rotate") {
                let (name, value) = (attribute.name(), super::escaped(attribute.value()));
                let _ = write!(open, " {name}=\"{value}\"");
            }
        }
        open.push('>');
        skeleton.before.push_str(&open);
        skeleton
            .after
            .insert_str(0, &format!("</{}tspan>", prefix(svg, *above)));
    }
    // A filter reaches as far as its region, which may be the text's or the poster's: what a short text leaves of it, and a long one.
    let short = looked.lines.first().map_or_else(String::new, |(_, frame)| {
        format!(
            "<{}tspan x=\"{}\" y=\"{}\">口</{0}tspan>",
            prefix(svg, mark.node),
            frame.x,
            frame.y
        )
    });
    let short =
        Tree::from_str(&skeleton.with(&short), options).map_or([0.0; 4], |tree| margin(&tree));
    let margin = std::array::from_fn(|side| whole[side].max(short[side]));
    Slow {
        skeleton,
        margin,
        solid: looked.solid,
    }
}

/// How far what is drawn reaches beyond its own box.
fn margin(tree: &Tree) -> [f32; 4] {
    let own = tree.root().abs_bounding_box();
    let all = tree.root().abs_layer_bounding_box();
    [
        own.left() - all.left(),
        own.top() - all.top(),
        all.right() - own.right(),
        all.bottom() - own.bottom(),
    ]
    .map(|margin| margin.clamp(0.0, 600.0))
}

fn picture(
    document: &Document<'_>,
    mark: &Mark<'_>,
    seen: &Seen<'_>,
    (path, contain, round): (&str, bool, Round),
) -> Result<PictureItem, Wrong> {
    let svg = document.input_text();
    let Node::Path(shape) = seen.node else {
        return Err(vec![FaultKind::NotDrawn]);
    };
    if shape.abs_transform().has_skew() {
        return Err(vec![FaultKind::Turned("picture")]);
    }
    let skeleton = Skeleton::of(document, mark.node);
    let filled = skeleton.with(&repainted(
        svg,
        mark.node,
        &mark.id,
        round,
        shape::Paint::Filled,
    ));
    let outlined = skeleton.with(&repainted(
        svg,
        mark.node,
        &mark.id,
        round,
        shape::Paint::Outlined,
    ));
    let own = svg.get(mark.node.range()).unwrap_or_default();
    let styled = mark.node.has_attribute("filter")
        || mark
            .node
            .attribute("style")
            .is_some_and(|style| style.contains("filter"));
    let usual = (!styled && !seen.has_filter()).then(|| skeleton.with(own));
    Ok(PictureItem {
        path: path.to_owned(),
        contain,
        rounded: round != Round::AsDrawn,
        shape: filled,
        usual,
        outline: Some(outlined),
    })
}

fn code(
    seen: &Seen<'_>,
    tree: &Tree,
    mark: &Mark<'_>,
    (path, ink): (&str, Option<[u8; 3]>),
) -> Result<CodeItem, Wrong> {
    let Node::Path(paper) = seen.node else {
        return Err(vec![FaultKind::Paper]);
    };
    if paper.abs_transform().has_skew() {
        return Err(vec![FaultKind::Turned("code")]);
    }
    let bounds = paper.abs_bounding_box();
    let (width, height) = (bounds.width(), bounds.height());
    if (width - height).abs() > 1.5 {
        return Err(vec![FaultKind::NotSquare {
            width: width.round() as u32,
            height: height.round() as u32,
        }]);
    }
    let side = width.min(height);
    if side < code::SMALLEST as f32 {
        return Err(vec![FaultKind::SmallCode {
            side: side as u32,
            least: code::SMALLEST,
        }]);
    }
    let colour = paper.fill().and_then(|fill| match fill.paint() {
        Paint::Color(colour) if fill.opacity().get() * seen.opacity() > 0.99 => {
            Some([colour.red, colour.green, colour.blue])
        }
        _ => None,
    });
    let Some(colour) = colour else {
        return Err(vec![FaultKind::Paper]);
    };
    let ink = ink.unwrap_or([0, 0, 0]);
    if code::contrast(ink, colour) < 4.0 || code::light(ink) > code::light(colour) {
        let name = |[red, green, blue]: [u8; 3]| format!("#{red:02x}{green:02x}{blue:02x}");
        return Err(vec![FaultKind::Contrast {
            ink: name(ink),
            paper: name(colour),
        }]);
    }
    let mut over = Vec::new();
    above(tree.root(), &mark.id, &mut false, bounds, &mut over);
    let logo = over
        .iter()
        .copied()
        .reduce(|one, other| one.join(&other).unwrap_or(one));
    if logo.is_some_and(|logo| !is_logo(logo, bounds)) {
        return Err(vec![FaultKind::Covered]);
    }
    Ok(CodeItem {
        path: path.to_owned(),
        square: (bounds.left(), bounds.top(), side),
        ink,
        logo: logo.is_some(),
    })
}

/// The boxes of all that is drawn after an element, and meets it.
fn above(
    group: &resvg::usvg::Group,
    id: &str,
    after: &mut bool,
    bounds: Rect,
    over: &mut Vec<Rect>,
) {
    for node in group.children() {
        match node {
            Node::Group(inner) => above(inner, id, after, bounds, over),
            node if node.id() == id => *after = true,
            node if *after => {
                let own = node.abs_stroke_bounding_box();
                if let Some(met) = own
                    .intersect(&bounds)
                    .filter(|met| met.width() > 0.5 && met.height() > 0.5)
                {
                    over.push(met);
                }
            }
            _ => {}
        }
    }
}

fn is_logo(logo: Rect, code: Rect) -> bool {
    let side = code.width();
    let middle = |rect: Rect| {
        (
            f32::midpoint(rect.left(), rect.right()),
            f32::midpoint(rect.top(), rect.bottom()),
        )
    };
    let ((x, y), (cx, cy)) = (middle(logo), middle(code));
    logo.width() <= code::LOGO * side
        && logo.height() <= code::LOGO * side
        && (x - cx).abs() <= 0.04 * side
        && (y - cy).abs() <= 0.04 * side
}
