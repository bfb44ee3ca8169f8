//! A file of codes, read piece by piece: one code a line, under an optional heading `code`, in quotes or not.

use machine::world::Lines;
use store::codes::{Codes, LONGEST, Taken};

use super::super::lines::{self, Line, Reject};

/// What a first line may say that is a heading.
const HEADING: &str = "code";

/// A file that was read.
#[derive(Debug)]
pub(super) struct Read {
    /// Its codes, in order, each once.
    pub codes: Codes,
    /// What became of its lines.
    pub lines: Lines,
    /// The first of the rejected ones.
    pub rejects: Vec<Reject>,
}

/// A file that is being read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    codes: Codes,
    lines: Lines,
    rejects: Vec<Reject>,
    file: lines::Lines,
}

impl Reading {
    /// How many lines there were so far, empty ones and the heading apart.
    pub fn rows(&self) -> u64 {
        self.lines.rows
    }

    /// Takes the next piece.
    pub fn take(&mut self, piece: &[u8]) {
        let mut file = std::mem::take(&mut self.file);
        file.take(piece, |number, line| self.line(number, line));
        self.file = file;
    }

    /// What was read.
    pub fn end(mut self) -> Read {
        let mut file = std::mem::take(&mut self.file);
        file.end(|number, line| self.line(number, line));
        Read {
            codes: self.codes,
            lines: self.lines,
            rejects: self.rejects,
        }
    }

    fn line(&mut self, number: u64, line: Line<'_>) {
        let text = line.map(bare);
        if number == 1 && text.is_ok_and(|text| text.eq_ignore_ascii_case(HEADING)) {
            return;
        }
        self.lines.rows += 1;
        let taken = text.and_then(|text| {
            if text.contains([',', ';', '"']) {
                return Err("one code a line and nothing else");
            }
            if text.len() > LONGEST {
                return Err("longer than a code can be (128 characters)");
            }
            Ok(self.codes.push(text.as_bytes()))
        });
        let why = match taken {
            Ok(Taken::New) => return,
            Ok(Taken::Again) => {
                self.lines.duplicates += 1;
                return;
            }
            Ok(Taken::Unfit) => "a code is of visible ASCII characters, without spaces",
            Err(why) => why,
        };
        self.lines.rejected += 1;
        lines::reject(&mut self.rejects, number, why);
    }
}

/// A field of a CSV without its quotes.
fn bare(text: &str) -> &str {
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_counted_once_and_the_order_is_kept() {
        let long = "y".repeat(129);
        let longer = "z".repeat(5000);
        let text = format!(
            "\u{feff}Code\r\n\"B-2\"\r\n\r\n A-1 \nB-2\nA 1\nA,1\n{long}\n{longer}\ncode\n\u{e9}"
        );
        for cut in [1, 7, 64, text.len()] {
            let mut reading = Reading::default();
            text.as_bytes()
                .chunks(cut)
                .for_each(|piece| reading.take(piece));
            let read = reading.end();
            assert_eq!(format!("{:?}", read.codes), "Codes(3)");
            let lines = Lines {
                rows: 9,
                duplicates: 1,
                rejected: 5,
            };
            assert_eq!(read.lines, lines);
            let told: Vec<u64> = read.rejects.iter().map(|reject| reject.line).collect();
            assert_eq!(told, [6, 7, 8, 9, 11]);
        }
    }
}
