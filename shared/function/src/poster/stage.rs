//! A scene with what makes its posters quick to write: its background coded once, and canvases at rest, of which only what was touched is
//! restored. One for each revision, template and scale.

use std::sync::OnceLock;

use parking_lot::Mutex;
use poster::encode::{Backdrop, QUALITY, Unencodable, jpeg, png, webp};
use poster::{Composed, Content, Format, Scene, Warning};

/// How many canvases rest: no more are drawn on at once than there are threads, and idle ones are memory.
const MOST_AT_REST: usize = 4;

/// What everybody's poster of one kind is drawn on.
pub struct Stage {
    scene: Scene,
    /// The background as JPEG, coded with the first JPEG; none: it can't be.
    coded: OnceLock<Option<Backdrop>>,
    at_rest: Mutex<Vec<Composed>>,
}

impl Stage {
    /// Of a scene.
    pub fn new(scene: Scene) -> Self {
        Self {
            scene,
            coded: OnceLock::new(),
            at_rest: Mutex::default(),
        }
    }

    /// Draws a poster and writes it; with what it had to go without, in words for counters.
    pub fn draw(
        &self,
        content: &Content,
        format: Format,
    ) -> Result<(Vec<u8>, Vec<&'static str>), Unencodable> {
        let rested = self.at_rest.lock().pop();
        let composed = match rested {
            Some(mut composed) => {
                self.scene.compose_into(content, &mut composed);
                composed
            }
            None => self.scene.compose(content),
        };
        let written = self.write(&composed, format);
        let warnings = composed.warnings.iter().map(word).collect();
        let mut at_rest = self.at_rest.lock();
        if at_rest.len() < MOST_AT_REST {
            at_rest.push(composed);
        }
        drop(at_rest);
        Ok((written?, warnings))
    }

    fn write(&self, composed: &Composed, format: Format) -> Result<Vec<u8>, Unencodable> {
        let canvas = &composed.canvas;
        match format {
            Format::Jpeg => {
                let coded = || Backdrop::new(self.scene.backdrop(), QUALITY).ok();
                match self.coded.get_or_init(coded) {
                    Some(backdrop) => backdrop.jpeg(canvas, &composed.touched),
                    None => jpeg(canvas, QUALITY),
                }
            }
            Format::Png => png(canvas),
            Format::Webp => webp(canvas, QUALITY),
        }
    }

    /// About how many bytes of memory it takes: backgrounds, masks and canvases, at three to four bytes a pixel each.
    pub fn bytes(&self) -> u64 {
        let (width, height) = self.scene.size();
        u64::from(width) * u64::from(height) * 16
    }
}

/// A warning as counters name it.
const fn word(warning: &Warning) -> &'static str {
    match warning {
        Warning::Empty { .. } => "empty",
        Warning::Letters { .. } => "letters",
        Warning::Cut { .. } => "cut",
        Warning::LongCode { .. } => "long-code",
    }
}
