//! Fills a scene's places: one poster. What is the same for everybody was drawn before.

use std::fmt::Write as _;

use crate::canvas::{Area, Canvas};
use crate::code;
use crate::content::{Content, Warning, filled};
use crate::decode::{Fit, fitted};
use crate::encode::{self, QUALITY, Unencodable};
use crate::format::Format;
use crate::paint::{self, Spot};
use crate::scene::{Frame, Prepared, Scene, Stage, Step};
use crate::template::{CodeItem, PictureItem, TextItem, What, escaped};
use crate::text::{Laid, Piece, Run, draw, lay};

/// A poster's pixels.
#[derive(Debug, Clone)]
pub struct Composed {
    /// All of it.
    pub canvas: Canvas,
    /// Where it may differ from the scene's backdrop; everywhere else it is the same.
    pub touched: Vec<Area>,
    /// What somebody should know.
    pub warnings: Vec<Warning>,
    scene: u64,
}

impl Scene {
    /// Draws a poster. It fails on no content: what is missing or does not fit is drawn as [`Warning`] says, and is one.
    pub fn compose(&self, content: &Content) -> Composed {
        let mut composed = Composed {
            canvas: self.backdrop.clone(),
            touched: Vec::new(),
            warnings: Vec::new(),
            scene: self.number,
        };
        self.fill(content, &mut composed);
        composed
    }

    /// Draws a poster over an earlier one, whose memory it takes: of a poster of the same scene only what was touched is restored.
    pub fn compose_into(&self, content: &Content, composed: &mut Composed) {
        if composed.scene == self.number {
            for area in &composed.touched {
                paint::copy(&mut composed.canvas, &self.backdrop, *area);
            }
        } else {
            composed.canvas.clone_from(&self.backdrop);
            composed.scene = self.number;
        }
        composed.touched.clear();
        composed.warnings.clear();
        self.fill(content, composed);
    }

    /// The poster as a file. A JPEG of a poster of this scene is mostly written already: only what was touched is coded.
    pub fn encode(&self, composed: &Composed, format: Format) -> Result<Vec<u8>, Unencodable> {
        match format {
            Format::Png => encode::png(&composed.canvas),
            Format::Webp => encode::webp(&composed.canvas, QUALITY),
            Format::Jpeg => match self.coded() {
                Some(coded) if composed.scene == self.number => {
                    coded.jpeg(&composed.canvas, &composed.touched)
                }
                _ => encode::jpeg(&composed.canvas, QUALITY),
            },
        }
    }

    fn fill(&self, content: &Content, composed: &mut Composed) {
        if let Some((under, holes)) = &self.under {
            for hole in holes {
                paint::copy(&mut composed.canvas, under, *hole);
            }
        }
        for step in &self.steps {
            match step {
                Step::Over(layer) => {
                    for hole in self.under.iter().flat_map(|(_, holes)| holes) {
                        paint::layer(&mut composed.canvas, *hole, layer);
                    }
                }
                Step::Item(index, prepared) => {
                    let Some(item) = self.template.items().get(*index) else {
                        continue;
                    };
                    match (&item.what, prepared) {
                        (What::Text(text), Prepared::Text(areas)) => {
                            self.text(text, areas, content, composed);
                        }
                        (What::Picture(picture), Prepared::Picture(Some(frame))) => {
                            Self::picture(picture, frame, content, composed);
                        }
                        (What::Code(code), Prepared::Code(Some(area))) => {
                            Self::code(code, *area, content, composed);
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    fn text(
        &self,
        item: &TextItem,
        areas: &[Option<Area>],
        content: &Content,
        composed: &mut Composed,
    ) {
        let fonts = self.template.fonts();
        for ((runs, frame), area) in item.lines.iter().zip(areas) {
            let (filled, warnings) = filled(runs, content, fonts);
            composed.warnings.extend(warnings);
            let Some(area) = *area else { continue };
            let touched = fonts.write(|pen| {
                let laid = lay(pen, filled, frame);
                if laid.cut {
                    composed.warnings.push(Warning::Cut {
                        path: first_path(runs),
                    });
                }
                if let Some((scale, (x, y))) = item.fast {
                    let place = (scale * self.scale, (x * self.scale, y * self.scale));
                    return draw(pen, &laid, place, area, &mut composed.canvas);
                }
                let slow = item.slow.as_ref()?;
                let svg = slow.with(&lines(&laid, slow.solid));
                let tree = self.template.tree(&svg)?;
                let stage = Stage {
                    template: &self.template,
                    scale: self.scale,
                    whole: paint::whole(&composed.canvas),
                };
                let bounds = paint::meet(stage.area(&tree)?, area)?;
                let layer = stage.layer(&tree, bounds)?;
                paint::layer(&mut composed.canvas, area, &layer)
            });
            composed.touched.extend(touched);
        }
    }

    fn picture(item: &PictureItem, frame: &Frame, content: &Content, composed: &mut Composed) {
        let whole = paint::whole(&composed.canvas);
        let given = content.pictures.get(&item.path);
        let fit = if item.contain {
            Fit::Contain
        } else {
            Fit::Cover
        };
        let sized = given
            .filter(|picture| picture.width > 0 && picture.height > 0)
            .map(|picture| fitted(picture, frame.area.width, frame.area.height, fit));
        if (sized.is_none() || item.contain)
            && let Some(usual) = &frame.usual
        {
            paint::layer(&mut composed.canvas, whole, &usual.layer);
            composed.touched.extend(usual.bands.iter().copied());
        }
        let Some(sized) = sized else {
            // The usual look has its outline already, unless its corners were rounded here.
            if let Some(outline) = frame
                .outline
                .as_ref()
                .filter(|_| item.rounded && frame.usual.is_some())
            {
                paint::layer(&mut composed.canvas, whole, &outline.layer);
                composed.touched.extend(outline.bands.iter().copied());
            }
            composed.warnings.push(Warning::Empty {
                path: item.path.clone(),
            });
            return;
        };
        let spot = Spot {
            x: i64::from(frame.area.x),
            y: i64::from(frame.area.y),
            width: frame.area.width as usize,
            height: frame.area.height as usize,
        };
        let canvas = &mut composed.canvas;
        paint::masked(canvas, frame.area, spot, &sized.rgba, &frame.mask);
        composed.touched.extend(frame.bands.iter().copied());
        if let Some(outline) = &frame.outline {
            paint::layer(canvas, whole, &outline.layer);
            composed.touched.extend(outline.bands.iter().copied());
        }
    }

    fn code(item: &CodeItem, area: Area, content: &Content, composed: &mut Composed) {
        let Some(text) = content
            .texts
            .get(&item.path)
            .filter(|text| !text.is_empty())
        else {
            composed.warnings.push(Warning::Empty {
                path: item.path.clone(),
            });
            return;
        };
        let drawn = code::build(text, item.logo)
            .and_then(|code| code::draw(&code, area, item.ink, &mut composed.canvas));
        composed.touched.extend(drawn.map(|(_, modules)| modules));
        if drawn.is_none_or(|(module, _)| module < code::LEAST) {
            composed.warnings.push(Warning::LongCode {
                path: item.path.clone(),
            });
        }
    }
}

fn first_path(runs: &[Run]) -> String {
    let pieces = runs.iter().flat_map(|run| &run.pieces);
    let mut paths = pieces.filter_map(|piece| match piece {
        Piece::Place(path) => Some(path.clone()),
        Piece::Words(_) => None,
    });
    paths.next().unwrap_or_default()
}

/// The lines as elements of a text, for the SVG library. What people wrote is escaped.
fn lines(laid: &Laid<'_>, solid: bool) -> String {
    let mut svg = String::new();
    for line in &laid.lines {
        let mut at = format!(" x=\"{}\" y=\"{}\"", line.left, line.baseline);
        for (run, said) in laid.said(line) {
            let Some(run) = laid.runs.get(run) else {
                continue;
            };
            let size = run.style.size * laid.factor;
            let spacing = run.spacing() * laid.factor;
            let [red, green, blue, _] = run.style.ink;
            let fill = if solid {
                format!(";fill:#{red:02x}{green:02x}{blue:02x}")
            } else {
                String::new()
            };
            let _ = write!(
                svg,
                "<tspan{at} style=\"font-size:{size}px;font-family:'{}';font-weight:{};letter-spacing:{spacing}px;text-anchor:start{fill}\" xml:space=\"preserve\">{}</tspan>",
                escaped(&run.style.family),
                run.style.weight,
                escaped(&said),
            );
            at.clear();
        }
    }
    svg
}
