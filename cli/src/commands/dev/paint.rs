//! One log of many processes: each line with the name of who said it, in a colour of its own where there is a terminal.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;

/// ANSI foregrounds that read well on dark and on light.
const COLOURS: [u8; 6] = [36, 33, 35, 32, 34, 31];

/// As wide as the longest name.
const WIDTH: usize = 9;

/// Hands out brushes.
#[derive(Debug)]
pub struct Paint {
    coloured: bool,
    next: usize,
}

/// Writes one process' lines.
#[derive(Debug, Clone)]
pub struct Brush(Arc<str>);

impl Paint {
    /// Colours where standard error is a terminal, unless `NO_COLOR` is set (no-color.org).
    pub fn new() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            coloured: std::io::stderr().is_terminal() && !refused,
            next: 0,
        }
    }

    /// A brush for a process of this name.
    pub fn next(&mut self, name: &str) -> Brush {
        let colour = COLOURS
            .get(self.next % COLOURS.len())
            .copied()
            .unwrap_or(37);
        self.next += 1;
        Brush(if self.coloured {
            format!("\u{1b}[{colour}m{name:WIDTH$}\u{1b}[0m ").into()
        } else {
            format!("{name:WIDTH$} ").into()
        })
    }
}

impl Brush {
    /// Writes a line, whole: lines of several processes never mix.
    pub fn say(&self, line: &str) {
        let line = format!("{}{}\n", self.0, line.trim_end());
        // Nobody reads it any more: that ends no process.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }
}
