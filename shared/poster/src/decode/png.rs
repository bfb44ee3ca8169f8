//! PNG, row by row: no row more than the picture has is inflated, and no text or profile at all.

use std::io::Cursor;

use png::{
    ColorType, Decoder, DecodingError, Info, InterlaceInfo, Limits as Memory, Reader,
    Transformations,
};

use super::{Limits, Read, Refused};
use crate::Picture;

/// What chunks other than pixels may take, in bytes, and a row's buffers.
const ASIDE: usize = 4 << 20;

/// The steps of Adam7 interlacing: first column and row of each pass, and how far apart its columns and rows are.
const PASSES: [(u32, u32, u32, u32); 7] = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
];

/// Reads a PNG's pixels and its Exif data.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Read, Refused> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Memory { bytes: ASIDE });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::normalize_to_color8() | Transformations::ALPHA);
    let info = decoder.read_header_info().map_err(refused)?;
    let (width, height) = (info.width, info.height);
    limits.size(width, height)?;
    let mut reader = decoder.read_info().map_err(refused)?;
    if reader.info().is_animated() {
        return Err(Refused::Animated);
    }
    let samples = match reader.output_color_type().0 {
        ColorType::GrayscaleAlpha => 2,
        ColorType::Rgba => 4,
        _ => {
            return Err(Refused::Broken(
                "its colours are of no known kind".to_owned(),
            ));
        }
    };
    let exif = reader.info().exif_metadata.as_deref().map(<[u8]>::to_vec);
    let stride = samples * width as usize;
    let mut pixels = vec![0; stride * height as usize];
    if reader.info().interlaced {
        interlaced(&mut reader, &mut pixels, stride, 8 * samples as u8)?;
    } else {
        for row in pixels.chunks_exact_mut(stride) {
            reader.read_row(row).map_err(refused)?;
        }
    }
    let rgba = if samples == 4 {
        pixels
    } else {
        let gray = pixels.chunks_exact(2);
        gray.flat_map(|pixel| [pixel[0], pixel[0], pixel[0], pixel[1]])
            .collect()
    };
    Ok((
        Picture {
            width,
            height,
            rgba,
        },
        exif,
    ))
}

/// Reads as many rows as the seven passes have, and puts their pixels where they belong.
fn interlaced(
    reader: &mut Reader<Cursor<&[u8]>>,
    pixels: &mut [u8],
    stride: usize,
    bits: u8,
) -> Result<(), Refused> {
    for _ in 0..rows(reader.info()) {
        // Asked once more than there are rows, it would inflate whatever follows.
        let Some(row) = reader.next_interlaced_row().map_err(refused)? else {
            return Err(Refused::Truncated);
        };
        if let InterlaceInfo::Adam7(place) = row.interlace() {
            png::expand_interlaced_row(pixels, stride, row.data(), place, bits);
        }
    }
    Ok(())
}

/// The rows of all passes that have any.
fn rows(info: &Info<'_>) -> u32 {
    let each = PASSES.iter().map(|&(left, top, across, down)| {
        let columns = info.width.saturating_sub(left).div_ceil(across);
        let rows = info.height.saturating_sub(top).div_ceil(down);
        if columns == 0 { 0 } else { rows }
    });
    each.sum()
}

/// What the decoder says, in our words.
fn refused(error: DecodingError) -> Refused {
    match error {
        DecodingError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Refused::Truncated
        }
        other => Refused::Broken(other.to_string()),
    }
}
