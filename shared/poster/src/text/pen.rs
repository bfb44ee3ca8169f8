//! A pen: the state of the layout library, and the glyphs it has drawn. One poster at a time; kept between posters.

use std::collections::HashMap;

use cosmic_text::{CacheKey, FontSystem, SwashCache, SwashContent, fontdb};

use crate::fonts::{File, USUAL};

/// A pen.
pub(crate) struct Pen {
    pub system: FontSystem,
    raster: SwashCache,
    glyphs: HashMap<CacheKey, Option<Glyph>>,
    bytes: usize,
}

/// The ink of one letter at one size and one fraction of a pixel.
pub(crate) struct Glyph {
    /// From the pen's whole pixel to the first column, to the right.
    pub left: i32,
    /// From the baseline's whole pixel to the first row, down.
    pub top: i32,
    pub width: usize,
    pub height: usize,
    pub cover: Cover,
}

/// What a glyph puts on each pixel.
pub(crate) enum Cover {
    /// How much of the text's ink.
    Ink(Vec<u8>),
    /// A colour of its own; four bytes a pixel.
    Colour(Vec<u8>),
}

/// Glyphs are kept until they have so many bytes: a few hundred posters' worth of names at one size.
const KEPT: usize = 8 << 20;
/// Letters larger than this are not drawn: no design has them, and each would have megabytes.
const LARGEST: f32 = 1600.0;

impl Pen {
    pub(crate) fn new(files: &[File]) -> Self {
        let mut database = fontdb::Database::new();
        for file in files {
            database.load_font_source(fontdb::Source::Binary(file.clone()));
        }
        database.set_sans_serif_family(USUAL);
        Self {
            system: FontSystem::new_with_locale_and_db("zh-CN".to_owned(), database),
            raster: SwashCache::new(),
            glyphs: HashMap::new(),
            bytes: 0,
        }
    }

    /// The ink of a glyph; none where it has none.
    pub(crate) fn glyph(&mut self, key: CacheKey) -> Option<&Glyph> {
        if self.bytes > KEPT {
            self.glyphs.clear();
            self.bytes = 0;
        }
        let (system, raster, bytes) = (&mut self.system, &mut self.raster, &mut self.bytes);
        self.glyphs
            .entry(key)
            .or_insert_with(|| {
                let glyph = draw(system, raster, key);
                *bytes += 64 + glyph.as_ref().map_or(0, |glyph| glyph.width * glyph.height);
                glyph
            })
            .as_ref()
    }
}

fn draw(system: &mut FontSystem, raster: &mut SwashCache, key: CacheKey) -> Option<Glyph> {
    if f32::from_bits(key.font_size_bits) > LARGEST {
        return None;
    }
    let image = raster.get_image_uncached(system, key)?;
    let (width, height) = (
        image.placement.width as usize,
        image.placement.height as usize,
    );
    let (cover, bytes) = match image.content {
        SwashContent::Color => (Cover::Colour(image.data), 4),
        SwashContent::Mask => (Cover::Ink(image.data), 1),
        SwashContent::SubpixelMask => return None,
    };
    let length = match &cover {
        Cover::Colour(data) | Cover::Ink(data) => data.len(),
    };
    (length >= width * height * bytes && width * height > 0).then_some(Glyph {
        left: image.placement.left,
        top: -image.placement.top,
        width,
        height,
        cover,
    })
}
