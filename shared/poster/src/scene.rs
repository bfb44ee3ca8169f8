//! A scene: a template at one scale, with all that is the same for everybody drawn. Made once, kept, and shared by threads.
//!
//! It holds the finished background (3 bytes a pixel: 3 MB for 750 x 1334 at 1x, 12 MB at 2x), for each picture a mask and its usual look
//! (5 bytes a pixel of its box), and, only where something of the design lies over a place, a second background and what lies over it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::Tree;

use crate::bands::bands;
use crate::canvas::{Area, Canvas};
use crate::encode::{Backdrop, QUALITY};
use crate::paint::{self, Layer};
use crate::template::{Item, Template, What};

/// How many pixels a unit of the template has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scale {
    /// One.
    X1,
    /// Two, for screens that have them.
    X2,
}

impl Scale {
    /// One or two.
    pub const fn factor(self) -> u32 {
        match self {
            Self::X1 => 1,
            Self::X2 => 2,
        }
    }
}

/// A template at one scale, ready to be filled.
pub struct Scene {
    pub(crate) template: Template,
    pub(crate) scale: f32,
    /// Tells canvases of this scene from others.
    pub(crate) number: u64,
    /// The poster without what fills its places.
    pub(crate) backdrop: Canvas,
    /// For places under something of the design: what is under them, and where that is needed.
    pub(crate) under: Option<(Canvas, Vec<Area>)>,
    pub(crate) steps: Vec<Step>,
    /// The backdrop as JPEG, made with the first poster that is one.
    coded: OnceLock<Option<Backdrop>>,
}

/// What is drawn on the background for each poster, in order.
pub(crate) enum Step {
    /// A place, by its number.
    Item(usize, Prepared),
    /// Something of the design that lies over places.
    Over(Layer),
}

/// What a place needs that is drawn once.
pub(crate) enum Prepared {
    /// For each line, where it may have ink.
    Text(Vec<Option<Area>>),
    Picture(Option<Frame>),
    Code(Option<Area>),
}

/// The place of a picture.
pub(crate) struct Frame {
    pub area: Area,
    /// How strongly the picture covers each pixel.
    pub mask: Vec<u8>,
    /// Where it covers any.
    pub bands: Vec<Area>,
    pub usual: Option<Look>,
    pub outline: Option<Look>,
}

/// What is drawn at a picture's place, and where.
pub(crate) struct Look {
    pub layer: Layer,
    pub bands: Vec<Area>,
}

static NUMBER: AtomicU64 = AtomicU64::new(1);

impl Scene {
    pub(crate) fn of(template: &Template, scale: Scale) -> Self {
        let factor = scale.factor();
        let (width, height) = template.size();
        let stage = Stage {
            template,
            scale: factor as f32,
            whole: Area {
                x: 0,
                y: 0,
                width: width * factor,
                height: height * factor,
            },
        };
        let prepared: Vec<Prepared> = template
            .items()
            .iter()
            .map(|item| stage.prepare(item))
            .collect();
        let holes: Vec<Option<Area>> = prepared.iter().map(Prepared::area).collect();
        let mut ground = stage.paper();
        let mut kept: Vec<(usize, Layer)> = Vec::new();
        for index in 0..=prepared.len() {
            let Some(tree) = template.between(index) else {
                continue;
            };
            let below: Vec<Area> = holes
                .iter()
                .take(index)
                .copied()
                .flatten()
                .chain(kept.iter().map(|(_, layer)| layer.area))
                .collect();
            let bounds = stage.area(&tree);
            let meets = bounds.is_some_and(|bounds| {
                below
                    .iter()
                    .any(|hole| paint::meet(bounds, *hole).is_some())
            });
            if !meets {
                if let Some(ground) = &mut ground {
                    resvg::render(&tree, stage.transform((0, 0)), &mut ground.as_mut());
                }
                continue;
            }
            let layer = bounds.and_then(|bounds| stage.layer(&tree, bounds));
            kept.extend(layer.map(|layer| (index, layer)));
        }
        let under = Canvas {
            width: stage.whole.width,
            height: stage.whole.height,
            rgb: ground.map(|ground| opaque(&ground)).unwrap_or_default(),
        };
        let mut backdrop = under.clone();
        for (_, layer) in &kept {
            paint::layer(&mut backdrop, stage.whole, layer);
        }
        let covered = holes
            .iter()
            .enumerate()
            .filter_map(|(item, hole)| {
                let hole = (*hole)?;
                kept.iter()
                    .any(|(index, layer)| *index > item && paint::meet(layer.area, hole).is_some())
                    .then_some(hole)
            })
            .collect();
        let covered = apart(covered);
        let mut steps = Vec::new();
        let mut kept = kept.into_iter().peekable();
        for (item, prepared) in prepared.into_iter().enumerate() {
            while let Some((_, layer)) = kept.next_if(|(index, _)| *index <= item) {
                steps.push(Step::Over(layer));
            }
            steps.push(Step::Item(item, prepared));
        }
        steps.extend(kept.map(|(_, layer)| Step::Over(layer)));
        Self {
            template: template.clone(),
            scale: stage.scale,
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            backdrop,
            under: (!covered.is_empty()).then_some((under, covered)),
            steps,
            coded: OnceLock::new(),
        }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.backdrop.width, self.backdrop.height)
    }

    /// About how many bytes it keeps.
    pub fn bytes(&self) -> usize {
        let layers = |frame: &Frame| {
            [&frame.usual, &frame.outline]
                .into_iter()
                .flatten()
                .map(|look| look.layer.rgba.len())
                .sum::<usize>()
        };
        let steps: usize = self
            .steps
            .iter()
            .map(|step| match step {
                Step::Over(layer) => layer.rgba.len(),
                Step::Item(_, Prepared::Picture(Some(frame))) => frame.mask.len() + layers(frame),
                Step::Item(..) => 0,
            })
            .sum();
        // The coded backdrop is a few bits a pixel.
        self.backdrop.rgb.len() * 5 / 4
            + self.under.as_ref().map_or(0, |(under, _)| under.rgb.len())
            + steps
    }

    pub(crate) fn coded(&self) -> Option<&Backdrop> {
        self.coded
            .get_or_init(|| Backdrop::new(&self.backdrop, QUALITY).ok())
            .as_ref()
    }

    /// The poster without what fills its places: what every poster of this scene has outside of its touched areas.
    pub fn backdrop(&self) -> &Canvas {
        &self.backdrop
    }
}

impl Prepared {
    /// Where it may draw.
    fn area(&self) -> Option<Area> {
        match self {
            Self::Text(lines) => lines
                .iter()
                .fold(None, |all, line| paint::union(all, *line)),
            Self::Picture(frame) => frame.as_ref().and_then(|frame| {
                let layers = [&frame.usual, &frame.outline].into_iter().flatten();
                let areas = layers.map(|look| Some(look.layer.area));
                areas
                    .chain([Some(frame.area)])
                    .reduce(paint::union)
                    .flatten()
            }),
            Self::Code(area) => *area,
        }
    }
}

/// What drawing needs to know of a scene that is being made.
pub(crate) struct Stage<'a> {
    pub template: &'a Template,
    pub scale: f32,
    pub whole: Area,
}

impl Stage<'_> {
    /// From the template's units to pixels of a part of the canvas.
    pub(crate) fn transform(&self, (x, y): (u32, u32)) -> Transform {
        Transform::from_scale(self.scale, self.scale).post_translate(-(x as f32), -(y as f32))
    }

    fn paper(&self) -> Option<Pixmap> {
        let mut paper = Pixmap::new(self.whole.width, self.whole.height)?;
        paper.fill(Color::WHITE);
        Some(paper)
    }

    /// The pixels that a document may touch.
    pub(crate) fn area(&self, tree: &Tree) -> Option<Area> {
        let bounds = tree.root().abs_layer_bounding_box();
        let scaled = [bounds.left(), bounds.top(), bounds.right(), bounds.bottom()]
            .map(|side| side * self.scale);
        // Antialiasing reaches one pixel further.
        let [left, top, right, bottom] = scaled;
        paint::cover(
            [left - 1.0, top - 1.0, right + 1.0, bottom + 1.0],
            self.whole,
        )
    }

    /// Draws a document alone, and keeps what it touched.
    pub(crate) fn layer(&self, tree: &Tree, area: Area) -> Option<Layer> {
        let mut pixmap = Pixmap::new(area.width, area.height)?;
        resvg::render(tree, self.transform((area.x, area.y)), &mut pixmap.as_mut());
        trimmed(&Layer {
            area,
            rgba: pixmap.take(),
        })
    }

    fn document(&self, svg: Option<&String>) -> Option<Layer> {
        let tree = self.template.tree(svg?)?;
        self.layer(&tree, self.area(&tree)?)
    }

    fn prepare(&self, item: &Item) -> Prepared {
        match &item.what {
            What::Text(text) => Prepared::Text(
                text.lines
                    .iter()
                    .map(|(_, frame)| {
                        let [left, top, right, bottom] = frame.reach();
                        let reach = resvg::tiny_skia::Rect::from_ltrb(left, top, right, bottom)?
                            .transform(text.transform)?;
                        let margin = text.slow.as_ref().map_or([0.0; 4], |slow| slow.margin);
                        let sides = [
                            reach.left() - margin[0],
                            reach.top() - margin[1],
                            reach.right() + margin[2],
                            reach.bottom() + margin[3],
                        ];
                        paint::cover(sides.map(|side| side * self.scale), self.whole)
                    })
                    .collect(),
            ),
            What::Picture(picture) => {
                Prepared::Picture(self.document(Some(&picture.shape)).map(|shape| {
                    let mask: Vec<u8> = alpha(&shape).collect();
                    let usual = self.document(picture.usual.as_ref());
                    let usual = if picture.rounded {
                        usual.and_then(|usual| rounded(usual, shape.area, &mask))
                    } else {
                        usual
                    };
                    Frame {
                        area: shape.area,
                        bands: bands(shape.area, mask.iter().copied()),
                        mask,
                        usual: usual.map(Look::of),
                        outline: self.document(picture.outline.as_ref()).map(Look::of),
                    }
                }))
            }
            What::Code(code) => {
                let (left, top, side) = code.square;
                let [x, y] = [left, top].map(|at| (at * self.scale).round().max(0.0) as u32);
                let side = (side * self.scale) as u32;
                Prepared::Code(
                    paint::meet(
                        Area {
                            x,
                            y,
                            width: side,
                            height: side,
                        },
                        self.whole,
                    )
                    .filter(|met| met.width == met.height),
                )
            }
        }
    }
}

impl Look {
    fn of(layer: Layer) -> Self {
        Self {
            bands: bands(layer.area, alpha(&layer)),
            layer,
        }
    }
}

fn alpha(layer: &Layer) -> impl Iterator<Item = u8> {
    layer.rgba.chunks_exact(4).map(|pixel| pixel[3])
}

/// A picture's usual look in the shape that its place has.
fn rounded(mut usual: Layer, area: Area, mask: &[u8]) -> Option<Layer> {
    let wide = usual.area.width as usize;
    for (index, pixel) in usual.rgba.chunks_exact_mut(4).enumerate() {
        let x = usual.area.x + (index % wide) as u32;
        let y = usual.area.y + (index / wide) as u32;
        let inside = x.checked_sub(area.x).zip(y.checked_sub(area.y));
        let cover = inside
            .filter(|(x, _)| *x < area.width)
            .and_then(|(x, y)| mask.get(y as usize * area.width as usize + x as usize));
        for byte in pixel {
            *byte = paint::part(u32::from(*byte), u32::from(cover.copied().unwrap_or(0))) as u8;
        }
    }
    trimmed(&usual)
}

/// The part of a layer that is not wholly transparent; none if that is nothing.
fn trimmed(layer: &Layer) -> Option<Layer> {
    let width = layer.area.width as usize;
    let (mut left, mut right, mut top, mut bottom) = (width, 0, usize::MAX, 0);
    for (row, pixels) in layer.rgba.chunks_exact(width * 4).enumerate() {
        let inked = |pixel: &[u8]| pixel[3] > 0;
        let Some(first) = pixels.chunks_exact(4).position(inked) else {
            continue;
        };
        let last = pixels.chunks_exact(4).rposition(inked).unwrap_or(first);
        left = left.min(first);
        right = right.max(last + 1);
        top = top.min(row);
        bottom = row + 1;
    }
    if top == usize::MAX {
        return None;
    }
    let mut rgba = Vec::with_capacity((right - left) * (bottom - top) * 4);
    for pixels in layer.rgba.chunks_exact(width * 4).take(bottom).skip(top) {
        rgba.extend_from_slice(&pixels[left * 4..right * 4]);
    }
    Some(Layer {
        area: Area {
            x: layer.area.x + left as u32,
            y: layer.area.y + top as u32,
            width: (right - left) as u32,
            height: (bottom - top) as u32,
        },
        rgba,
    })
}

fn opaque(ground: &Pixmap) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(ground.data().len() / 4 * 3);
    for pixel in ground.data().chunks_exact(4) {
        rgb.extend_from_slice(&pixel[..3]);
    }
    rgb
}

/// Areas that do not meet, and together hold all of these: those that meet become one.
fn apart(areas: Vec<Area>) -> Vec<Area> {
    let mut apart: Vec<Area> = Vec::new();
    for mut area in areas {
        while let Some(at) = apart
            .iter()
            .position(|other| paint::meet(*other, area).is_some())
        {
            let other = apart.swap_remove(at);
            area = paint::union(Some(other), Some(area)).unwrap_or(area);
        }
        apart.push(area);
    }
    apart
}
