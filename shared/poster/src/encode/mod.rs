//! Finished posters, written: JPEG, PNG and WebP, and the one kind of poster that is mostly written already ([`Backdrop`]).
//!
//! Nothing is drawn here, and nothing is said about where the bytes go.

use jpeg_encoder::{ChromaSubsamplingMethod, Encoder, EncodingError, SamplingFactor};

use crate::{Canvas, Format};

mod backdrop;
mod rows;
mod segments;

pub(crate) use backdrop::BLOCK;
pub use backdrop::Backdrop;

use rows::Rows;

/// What posters are written with, 1 to 100: text keeps clean edges, and photos look untouched.
pub const QUALITY: u8 = 85;

/// How hard libwebp tries, 0 to 6. docs/BENCHMARKS.md has what each costs and saves.
const WEBP_METHOD: i32 = 2;

/// A canvas that cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unencodable {
    /// Its bytes do not make up its size, or it has none.
    #[error("a canvas of {width} x {height} pixels cannot have {bytes} bytes")]
    Malformed {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Bytes it has.
        bytes: usize,
    },
    /// A side is longer than the format knows.
    #[error("{width} x {height} pixels are more than {} can hold", .format.name())]
    TooLarge {
        /// The format.
        format: Format,
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// It has another size than its backdrop.
    #[error("a canvas of {width} x {height} pixels does not lie on this backdrop")]
    OtherSize {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// The library refused.
    #[error("{} could not be written: {why}", .format.name())]
    Library {
        /// The format.
        format: Format,
        /// What it says.
        why: String,
    },
}

/// As a JPEG: 4:2:0, colours averaged, no profile. `quality` is 1 to 100.
pub fn jpeg(canvas: &Canvas, quality: u8) -> Result<Vec<u8>, Unencodable> {
    let (width, height) = sides(canvas, Format::Jpeg, u32::from(u16::MAX))?;
    jpeg_rows(&canvas.rgb, width as u16, height as u16, quality, 0)
}

/// As a PNG: RGB, each row less the one above it, compressed fast. Choosing a filter for each row takes four times as long for 7 %.
pub fn png(canvas: &Canvas) -> Result<Vec<u8>, Unencodable> {
    let (width, height) = sides(canvas, Format::Png, i32::MAX as u32)?;
    let why = |error: ::png::EncodingError| Unencodable::Library {
        format: Format::Png,
        why: error.to_string(),
    };
    let mut written = Vec::with_capacity(canvas.rgb.len() / 2);
    let mut encoder = ::png::Encoder::new(&mut written, width, height);
    encoder.set_color(::png::ColorType::Rgb);
    encoder.set_depth(::png::BitDepth::Eight);
    encoder.set_compression(::png::Compression::Fastest);
    let mut writer = encoder.write_header().map_err(why)?;
    writer.write_image_data(&canvas.rgb).map_err(why)?;
    writer.finish().map_err(why)?;
    Ok(written)
}

/// As a lossy WebP. `quality` is 1 to 100.
pub fn webp(canvas: &Canvas, quality: u8) -> Result<Vec<u8>, Unencodable> {
    let (width, height) = sides(canvas, Format::Webp, 16_383)?;
    let why = |why: String| Unencodable::Library {
        format: Format::Webp,
        why,
    };
    let mut config = ::webp::WebPConfig::new().map_err(|()| why("no configuration".to_owned()))?;
    config.quality = f32::from(quality.clamp(1, 100));
    config.method = WEBP_METHOD;
    let encoder = ::webp::Encoder::from_rgb(&canvas.rgb, width, height);
    let written = encoder
        .encode_advanced(&config)
        .map_err(|error| why(format!("{error:?}")))?;
    Ok(written.to_vec())
}

/// Width and height of a canvas that is in order, and whose sides are no longer than this.
fn sides(canvas: &Canvas, format: Format, longest: u32) -> Result<(u32, u32), Unencodable> {
    let (width, height) = (canvas.width, canvas.height);
    let bytes = canvas.rgb.len();
    if bytes == 0 || bytes as u64 != 3 * u64::from(width) * u64::from(height) {
        return Err(Unencodable::Malformed {
            width,
            height,
            bytes,
        });
    }
    if width.max(height) > longest {
        return Err(Unencodable::TooLarge {
            format,
            width,
            height,
        });
    }
    Ok((width, height))
}

/// Writes a whole JPEG of these pixels, with a restart marker after each `every` blocks of 16 x 16 (none where it is 0).
fn jpeg_rows(
    rgb: &[u8],
    width: u16,
    height: u16,
    quality: u8,
    every: u16,
) -> Result<Vec<u8>, Unencodable> {
    let mut written = Vec::with_capacity(rgb.len() / 12 + 1024);
    let mut encoder = Encoder::new(&mut written, quality.clamp(1, 100));
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    // One colour of four, which is the average of them: `Rows` sees to it.
    encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Nearest);
    encoder.set_restart_interval(every);
    let wrote = encoder.encode_image(Rows { rgb, width, height });
    wrote.map_err(|error: EncodingError| Unencodable::Library {
        format: Format::Jpeg,
        why: error.to_string(),
    })?;
    Ok(written)
}
