//! A canvas as the encoder takes it, row by row: brightness of each pixel, colour of each four.
//!
//! The library would average colours itself, with a division for each and one rounding more. So it is handed averages: where
//! it then takes one colour of four, it takes the right one.

use jpeg_encoder::{ImageBuffer, JpegColorType};

/// Pixels without transparency, three bytes each, that make up this size.
pub(super) struct Rows<'a> {
    pub rgb: &'a [u8],
    pub width: u16,
    pub height: u16,
}

/// Bits behind the point of the weights below.
const POINT: u32 = 16;
/// How much brightness red, green and blue bring: 0.299, 0.587, 0.114 (JFIF 1.02).
const BRIGHT: [i32; 3] = [19_595, 38_470, 7_471];
/// What each says of blue less brightness.
const BLUE: [i32; 3] = [-11_059, -21_709, 32_768];
/// What each says of red less brightness.
const RED: [i32; 3] = [32_768, -27_439, -5_329];
/// No colour.
const GRAY: i32 = 128;

impl Rows<'_> {
    /// A row; the last one goes on below the canvas.
    fn row(&self, y: usize) -> &[u8] {
        let bytes = 3 * usize::from(self.width);
        let from = y.min(usize::from(self.height).saturating_sub(1)) * bytes;
        self.rgb.get(from..from + bytes).unwrap_or_default()
    }
}

impl ImageBuffer for Rows<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        self.width
    }

    fn height(&self) -> u16 {
        self.height
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let [bright, blue, red, _] = buffers;
        let width = usize::from(self.width);
        let y = usize::from(y);
        let upper = self.row(y);
        brightness(upper, longer(bright, width));
        let (blue, red) = (longer(blue, width), longer(red, width));
        // Of two rows the upper one is asked for its colours. The last row is asked again for all that lie below the canvas.
        let last = y + 1 == usize::from(self.height);
        if y % 2 == 0 || last {
            let lower = if y % 2 == 0 { self.row(y + 1) } else { upper };
            colours(upper, lower, blue, red);
        }
    }
}

/// So many bytes more at the end.
fn longer(buffer: &mut Vec<u8>, by: usize) -> &mut [u8] {
    let from = buffer.len();
    buffer.resize(from + by, 0);
    &mut buffer[from..]
}

fn brightness(row: &[u8], to: &mut [u8]) {
    for (pixel, to) in row.as_chunks::<3>().0.iter().zip(to) {
        let sum = weighed(pixel.map(i32::from), BRIGHT);
        *to = ((sum + (1 << (POINT - 1)) - 1) >> POINT) as u8;
    }
}

/// The colours of each two by two pixels, written for the left one; the right one is not asked, except at the edge, where it goes on.
fn colours(upper: &[u8], lower: &[u8], blue: &mut [u8], red: &mut [u8]) {
    let (pairs, _) = upper.as_chunks::<6>();
    let (below, _) = lower.as_chunks::<6>();
    let (blues, _) = blue.as_chunks_mut::<2>();
    let (reds, _) = red.as_chunks_mut::<2>();
    for (((a, b), blue), red) in pairs.iter().zip(below).zip(blues).zip(reds) {
        let sum = |at: usize| {
            i32::from(a[at]) + i32::from(a[at + 3]) + i32::from(b[at]) + i32::from(b[at + 3])
        };
        let four = [sum(0), sum(1), sum(2)];
        blue[0] = colour(four, BLUE);
        red[0] = colour(four, RED);
    }
    // Over the edge the last pixels go on: alone where the width is odd, and for what lies beyond where it is even.
    if let (Some(a), Some(b), Some(blue), Some(red)) = (
        upper.last_chunk::<3>(),
        lower.last_chunk::<3>(),
        blue.last_mut(),
        red.last_mut(),
    ) {
        let four = std::array::from_fn(|at| 2 * (i32::from(a[at]) + i32::from(b[at])));
        *blue = colour(four, BLUE);
        *red = colour(four, RED);
    }
}

/// A colour of the sum of four pixels.
fn colour(four: [i32; 3], weights: [i32; 3]) -> u8 {
    let sum = weighed(four, weights) + (GRAY << (POINT + 2)) + (1 << (POINT + 1)) - 1;
    (sum >> (POINT + 2)) as u8
}

fn weighed(parts: [i32; 3], weights: [i32; 3]) -> i32 {
    parts[0] * weights[0] + parts[1] * weights[1] + parts[2] * weights[2]
}
