//! Pixels as the JPEG encoder asks for them: a row at a time, as light and two colours.
//!
//! Of four neighbours' colours (4:2:0) it keeps the top left one's. So the rows that it keeps are given the mean of all four, which
//! is made before it is turned into a colour: a quarter of the work, and no edge of coloured text frays.

use jpeg_encoder::{ImageBuffer, JpegColorType};

/// RGB pixels, row by row.
pub(super) struct Pixels<'a> {
    pub rgb: &'a [u8],
    pub width: u16,
    pub height: u16,
}

impl Pixels<'_> {
    fn row(&self, y: u16) -> &[u8] {
        let stride = 3 * usize::from(self.width);
        let from = usize::from(y) * stride;
        self.rgb.get(from..from + stride).unwrap_or(&[])
    }
}

impl ImageBuffer for Pixels<'_> {
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
        let row = self.row(y);
        let [light, blue, red, _] = buffers;
        light.extend(row.chunks_exact(3).map(lightness));
        // Only every other row's colours are kept. The last row is asked for again and again where the picture ends within a
        // block, and then stands in an even place, too.
        let last = y + 1 >= self.height;
        if y % 2 == 1 && !last {
            let filled = light.len();
            blue.resize(filled, 0);
            red.resize(filled, 0);
            return;
        }
        let below = if last { row } else { self.row(y + 1) };
        let pairs = row.chunks_exact(6).zip(below.chunks_exact(6));
        for (above, below) in pairs {
            let (b, r) = colours([0, 1, 2].map(|at| {
                sum(above, at) + sum(above, at + 3) + sum(below, at) + sum(below, at + 3)
            }));
            blue.extend([b, b]);
            red.extend([r, r]);
        }
        // The last pixel's own colour comes last: it is what the encoder goes on with over the edge.
        let edge = row.len().saturating_sub(3);
        let (b, r) = colours([0, 1, 2].map(|at| 2 * (sum(row, edge + at) + sum(below, edge + at))));
        if row.len() % 6 == 0 {
            blue.pop();
            red.pop();
        }
        blue.push(b);
        red.push(r);
    }
}

fn sum(pixels: &[u8], at: usize) -> i32 {
    pixels.get(at).copied().map_or(0, i32::from)
}

/// How light a pixel is: JFIF's Y, in the encoder's own arithmetic.
fn lightness(pixel: &[u8]) -> u8 {
    let [red, green, blue] = [0, 1, 2].map(|at| sum(pixel, at));
    ((19_595 * red + 38_470 * green + 7_471 * blue + 0x7FFF) >> 16) as u8
}

/// JFIF's Cb and Cr of four pixels that were added up.
fn colours([red, green, blue]: [i32; 3]) -> (u8, u8) {
    const MIDDLE: i32 = (128 << 18) + (1 << 17) - 1;
    let towards_blue = 32_768 * blue - 11_059 * red - 21_709 * green + MIDDLE;
    let towards_red = 32_768 * red - 27_439 * green - 5_329 * blue + MIDDLE;
    ((towards_blue >> 18) as u8, (towards_red >> 18) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the encoder gets of these rows, each asked for as often and in the order in which it asks.
    fn filled(rgb: &[u8], width: u16, height: u16, rows: &[u16]) -> [Vec<u8>; 3] {
        let pixels = Pixels { rgb, width, height };
        let mut buffers = [const { Vec::new() }; 4];
        for row in rows {
            pixels.fill_buffers(*row, &mut buffers);
        }
        let [light, blue, red, none] = buffers;
        assert!(none.is_empty());
        [light, blue, red]
    }

    #[test]
    fn each_row_fills_all_three_alike() {
        for (width, height) in [(1, 1), (2, 2), (3, 5), (16, 1), (7, 2)] {
            let rgb = vec![200; 3 * usize::from(width) * usize::from(height)];
            for row in 0..height {
                for filled in filled(&rgb, width, height, &[row]) {
                    assert_eq!(
                        filled.len(),
                        usize::from(width),
                        "{width} x {height}, {row}"
                    );
                }
            }
        }
    }

    #[test]
    fn four_neighbours_have_their_mean_colour() {
        let (red, blue) = ([255, 0, 0], [0, 0, 255]);
        let rgb = [red, blue, blue, blue].concat();
        let [light, blues, reds] = filled(&rgb, 2, 2, &[0, 1]);
        assert_eq!(light, [76, 29, 29, 29]);
        // A quarter of red's 85 and three of blue's 255; a quarter of red's 255 and three of blue's 107. The edge is blue's alone in
        // one row of two, and red's nowhere.
        assert_eq!((blues[0], reds[0]), (213, 144));
        assert_eq!((blues[1], reds[1]), (255, 107));
    }

    #[test]
    fn a_last_row_asked_for_again_is_its_own_neighbour() {
        let rgb = [[10, 20, 30], [10, 20, 30], [200, 100, 50], [200, 100, 50]].concat();
        let [_, blues, reds] = filled(&rgb, 2, 2, &[1]);
        let [_, alone_blues, alone_reds] = filled(&rgb[6..], 2, 1, &[0]);
        assert_eq!((blues, reds), (alone_blues, alone_reds));
    }
}
