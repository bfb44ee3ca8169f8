//! WebP: its chunks are walked first, since the decoder believes the sizes it reads in them; then image-webp decodes it.

use std::io::Cursor;

use image::{ColorType, ImageDecoder, ImageError, codecs::webp::WebPDecoder};

use super::{Limits, Read, Refused};
use crate::Picture;

/// Reads a WebP's pixels and its Exif data.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Read, Refused> {
    let Walked { end, size, exif } = walk(bytes, limits)?;
    let decoder = WebPDecoder::new(Cursor::new(&bytes[..end])).map_err(|error| refused(&error))?;
    if decoder.dimensions() != size {
        return Err(Refused::Broken("its parts differ in size".to_owned()));
    }
    let (width, height) = size;
    let alpha = decoder.color_type() == ColorType::Rgba8;
    let mut pixels = vec![0; width as usize * height as usize * if alpha { 4 } else { 3 }];
    decoder
        .read_image(&mut pixels)
        .map_err(|error| refused(&error))?;
    let rgba = if alpha {
        pixels
    } else {
        let rgb = pixels.chunks_exact(3);
        rgb.flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255])
            .collect()
    };
    let exif = exif.map(<[u8]>::to_vec);
    Ok((
        Picture {
            width,
            height,
            rgba,
        },
        exif,
    ))
}

/// What is known before anything is decoded.
struct Walked<'a> {
    /// Where the picture ends; what stands behind it is not looked at.
    end: usize,
    /// Pixels across and down, said alike by all parts.
    size: (u32, u32),
    /// Its Exif data.
    exif: Option<&'a [u8]>,
}

/// Walks the chunks: exactly one of them has pixels, each lies within the file, none moves, and all say the same small size.
fn walk<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Walked<'a>, Refused> {
    let claimed = number(bytes, 4, 4).ok_or(Refused::Truncated)?;
    let end = claimed.checked_add(8).ok_or(Refused::Truncated)?;
    let body = bytes.get(12..end).ok_or(Refused::Truncated)?;
    let mut rest = body;
    let mut sizes = Vec::new();
    let mut exif = None;
    let mut coded = 0;
    while rest.len() >= 8 {
        let length = number(rest, 4, 4).ok_or(Refused::Truncated)?;
        let chunk = rest.get(8..8 + length).ok_or(Refused::Truncated)?;
        match &rest[..4] {
            b"VP8X" => {
                let flags = chunk.first().copied().unwrap_or(0);
                if flags & 0x02 != 0 {
                    return Err(Refused::Animated);
                }
                sizes.push(number(chunk, 4, 3).zip(number(chunk, 7, 3)).map(plus_one));
            }
            b"ANIM" | b"ANMF" => return Err(Refused::Animated),
            b"VP8 " => {
                coded += 1;
                sizes.push(
                    number(chunk, 6, 2)
                        .zip(number(chunk, 8, 2))
                        .map(|(width, height)| (width & 0x3FFF, height & 0x3FFF)),
                );
            }
            b"VP8L" => {
                coded += 1;
                lossless(chunk, limits)?;
                sizes.push(
                    number(chunk, 1, 4)
                        .map(|bits| plus_one((bits & 0x3FFF, (bits >> 14) & 0x3FFF))),
                );
            }
            b"ALPH" => lossless(chunk, limits)?,
            b"EXIF" => exif = exif.or(Some(chunk)),
            _ => {}
        }
        rest = rest.get(8 + length + length % 2..).unwrap_or(&[]);
    }
    if coded != 1 {
        return Err(Refused::Broken("it has not one picture in it".to_owned()));
    }
    let broken = || Refused::Broken("its parts differ in size".to_owned());
    let first = sizes.first().copied().flatten().ok_or_else(broken)?;
    if sizes.iter().any(|size| *size != Some(first)) {
        return Err(broken());
    }
    let size = (first.0 as u32, first.1 as u32);
    limits.size(size.0, size.1)?;
    Ok(Walked {
        end,
        size,
        // Some writers put JPEG's introduction in front of it.
        exif: exif.map(|chunk| chunk.strip_prefix(b"Exif\0\0").unwrap_or(chunk)),
    })
}

/// Whether so much losslessly coded data may be read.
fn lossless(chunk: &[u8], limits: &Limits) -> Result<(), Refused> {
    if chunk.len() > limits.lossless {
        return Err(Refused::Bytes {
            bytes: chunk.len(),
            most: limits.lossless,
        });
    }
    Ok(())
}

/// Sizes are stored one less than they are.
fn plus_one((width, height): (usize, usize)) -> (usize, usize) {
    (width + 1, height + 1)
}

/// The number of so many bytes here, lowest first.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + length)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
    )
}

/// What the decoder says, in our words.
fn refused(error: &ImageError) -> Refused {
    match error {
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Refused::Truncated
        }
        other => Refused::Broken(other.to_string()),
    }
}
