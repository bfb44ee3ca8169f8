//! The box of a text: how wide and high it may become, and where it stands. Lengths in units of the text.

/// Which side of a line stays where the design has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Center,
    Right,
}

/// Which part of the box the design's line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vertical {
    Top,
    Middle,
    Bottom,
}

/// The box of a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    /// The left side, middle or right side of the lines: `align` says which.
    pub x: f32,
    /// The baseline of the design's line.
    pub y: f32,
    /// The size of the letters in the design: the largest, where there are several.
    pub size: f32,
    pub width: f32,
    pub height: f32,
    pub align: Align,
    pub vertical: Vertical,
    /// Letters may shrink to this part of their size, above 0 to 1.
    pub least: f32,
    /// At most this many lines; 1: the text does not wrap.
    pub lines: usize,
}

/// From the top of a line to its baseline, in sizes.
const ABOVE: f32 = 0.95;
/// From the top of a line to its bottom.
pub(crate) const LINE: f32 = 1.2;
/// From baseline to baseline.
pub(crate) const LEADING: f32 = 1.35;
/// From the middle of a line down to its baseline.
const HALF: f32 = ABOVE - LINE / 2.0;

impl Frame {
    /// How many lines fit when the letters have this part of their size; always one.
    pub(crate) fn rows(&self, factor: f32) -> usize {
        let size = self.size * factor;
        // What is a hair too high is not.
        let more = (self.height * 1.01 - LINE * size) / (LEADING * size);
        (1 + more.max(0.0) as usize).min(self.lines)
    }

    /// The first baseline of so many lines.
    pub(crate) fn baseline(&self, lines: usize, factor: f32) -> f32 {
        let size = self.size * factor;
        let block = size * (LINE + (lines.saturating_sub(1)) as f32 * LEADING);
        let top = match self.vertical {
            Vertical::Top => self.y - ABOVE * self.size,
            Vertical::Middle => self.y - HALF * self.size - block / 2.0,
            Vertical::Bottom => self.y + (LINE - ABOVE) * self.size - block,
        };
        top + ABOVE * size
    }

    /// Left, top, right, bottom of what may be inked: the box, and a little around it for letters that reach out of their lines.
    pub(crate) fn reach(&self) -> [f32; 4] {
        let left = match self.align {
            Align::Left => self.x,
            Align::Center => self.x - self.width / 2.0,
            Align::Right => self.x - self.width,
        };
        let height = self.height.max(LINE * self.size);
        let top = match self.vertical {
            Vertical::Top => self.y - ABOVE * self.size,
            Vertical::Middle => self.y - HALF * self.size - height / 2.0,
            Vertical::Bottom => self.y + (LINE - ABOVE) * self.size - height,
        };
        let (aside, over) = (0.3 * self.size, 0.2 * self.size);
        [
            left - aside,
            top - over,
            left + self.width + aside,
            top + height + over,
        ]
    }
}
