//! JPEG: what bounds its time is looked at first, then zune-jpeg decodes it, strictly.

use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::{JpegDecoder, errors::DecodeErrors};

use super::{Limits, Read, Refused};
use crate::Picture;

/// Reads a JPEG's pixels and its Exif data.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Read, Refused> {
    let scans = scans(bytes);
    if scans > limits.scans {
        return Err(Refused::Scans {
            scans,
            most: limits.scans,
        });
    }
    if !ends(bytes) {
        return Err(Refused::Truncated);
    }
    let mut decoder = headed(bytes, limits, ColorSpace::RGBA)?;
    let inks = matches!(
        decoder.input_colorspace(),
        Some(ColorSpace::CMYK | ColorSpace::YCCK)
    );
    if inks {
        // It writes inks as RGB only, whatever is asked for (zune-jpeg 0.5.15).
        decoder = headed(bytes, limits, ColorSpace::RGB)?;
    }
    let (width, height) = decoder
        .dimensions()
        .and_then(|(width, height)| Some((width.try_into().ok()?, height.try_into().ok()?)))
        .ok_or_else(|| Refused::Broken("it says no size".to_owned()))?;
    limits.size(width, height)?;
    let exif = decoder.exif().cloned();
    let mut rgba = decoder.decode().map_err(|error| refused(&error))?;
    if inks {
        let rgb = rgba.chunks_exact(3);
        rgba = rgb
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255])
            .collect();
    }
    if rgba.len() as u64 != 4 * u64::from(width) * u64::from(height) {
        return Err(Refused::Broken(
            "its colours are of no known kind".to_owned(),
        ));
    }
    Ok((
        Picture {
            width,
            height,
            rgba,
        },
        exif,
    ))
}

/// A decoder that has read all up to the first scan.
fn headed<'a>(
    bytes: &'a [u8],
    limits: &Limits,
    colours: ColorSpace,
) -> Result<JpegDecoder<ZCursor<&'a [u8]>>, Refused> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(limits.side as usize)
        .set_max_height(limits.side as usize)
        .jpeg_set_max_scans(limits.scans)
        .jpeg_set_out_colorspace(colours);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|error| refused(&error))?;
    Ok(decoder)
}

/// No fewer scans than a decoder can find: starts of scans anywhere, those of thumbnails included. In coded pixels these two
/// bytes cannot stand beside each other, and elsewhere seldom do by chance.
fn scans(bytes: &[u8]) -> usize {
    bytes
        .windows(2)
        .filter(|pair| *pair == [0xFF, 0xDA])
        .count()
}

/// Whether the end is marked behind the last scan. It need not be the end of the file: cameras append things.
fn ends(bytes: &[u8]) -> bool {
    let mut pairs = bytes.windows(2).rev();
    pairs
        .find(|pair| matches!(pair, [0xFF, 0xD9 | 0xDA]))
        .is_some_and(|pair| pair[1] == 0xD9)
}

/// What the decoder says, in our words.
fn refused(error: &DecodeErrors) -> Refused {
    match error {
        DecodeErrors::ExhaustedData | DecodeErrors::FormatStatic("Premature end of buffer") => {
            Refused::Truncated
        }
        other => Refused::Broken(other.to_string()),
    }
}
