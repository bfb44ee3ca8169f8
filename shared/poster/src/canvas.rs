//! Pixels, and places among them: what the rooms of this crate hand each other. Nothing is drawn here.

/// A rectangle in whole pixels from the left and the top of a canvas; empty where its width or height is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Area {
    /// From the left.
    pub x: u32,
    /// From the top.
    pub y: u32,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// A finished picture without transparency: three bytes a pixel (red, green, blue; sRGB), row by row without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canvas {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// `3 * width * height` bytes.
    pub rgb: Vec<u8>,
}

/// A picture to be put on a canvas: four bytes a pixel (red, green, blue, alpha; sRGB, alpha not multiplied in), row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// `4 * width * height` bytes.
    pub rgba: Vec<u8>,
}
