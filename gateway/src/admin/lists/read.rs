//! A list's file, read piece by piece: one member id a line, or one pseudonym, or one code that users will hand in. What is kept of a
//! line is 16 bytes: of a code its digest, and never the code.

use machine::ids::Pseudonym;
use machine::world::Lines;
use machine::{redeem, typed};
use serde::Deserialize;

use super::super::lines::{self, Line, Reject};

/// The longest member id, in bytes: `sub` of a token.
const LONGEST: usize = 255;

/// What the lines name people by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// Member ids, as tokens have them.
    #[default]
    Members,
    /// Pseudonyms, as exports have them: 32 hexadecimal digits.
    Pseudonyms,
    /// Codes that users hand in, whoever made them.
    Codes,
    /// The same, all made by `gala codes make`: each has its check symbol.
    GalaCodes,
}

/// The fewest letters and digits of a code on a list: fewer are guessed by chance.
const FEWEST: usize = 6;

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Pseudonyms => "pseudonyms",
            Self::Codes => "codes",
            Self::GalaCodes => "gala-codes",
        }
    }

    /// What a first line may say that is a heading.
    const fn headings(self) -> &'static [&'static str] {
        match self {
            Self::Members => &["member"],
            Self::Pseudonyms => &["pseudonym", "user"],
            Self::Codes | Self::GalaCodes => &["code"],
        }
    }
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct Read {
    /// Whom it names, in order, each once.
    pub members: Vec<Pseudonym>,
    /// What became of its lines.
    pub lines: Lines,
    /// The first of the rejected ones.
    pub rejects: Vec<Reject>,
}

/// A file that is being read.
pub(super) struct Reading {
    kind: Kind,
    secret: [u8; 32],
    members: Vec<Pseudonym>,
    rows: u64,
    rejected: u64,
    rejects: Vec<Reject>,
    file: lines::Lines,
}

impl Reading {
    pub fn new(kind: Kind, secret: &[u8; 32]) -> Self {
        Self {
            kind,
            secret: *secret,
            members: Vec::new(),
            rows: 0,
            rejected: 0,
            rejects: Vec::new(),
            file: lines::Lines::default(),
        }
    }

    /// How many lines there were so far, empty ones and the heading apart.
    pub fn rows(&self) -> u64 {
        self.rows
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
        let named = self.members.len();
        self.members.sort_unstable();
        self.members.dedup();
        Read {
            lines: Lines {
                rows: self.rows,
                duplicates: (named - self.members.len()) as u64,
                rejected: self.rejected,
            },
            members: self.members,
            rejects: self.rejects,
        }
    }

    fn line(&mut self, number: u64, line: Line<'_>) {
        let heading = |text: &&str| number == 1 && self.kind.headings().contains(text);
        if line.as_ref().is_ok_and(heading) {
            return;
        }
        self.rows += 1;
        match line.and_then(|text| self.member(text)) {
            Ok(member) => self.members.push(member),
            Err(why) => {
                self.rejected += 1;
                lines::reject(&mut self.rejects, number, why);
            }
        }
    }

    fn member(&self, text: &str) -> Result<Pseudonym, &'static str> {
        match self.kind {
            Kind::Members if text.contains([',', ';', '\t', '"', '，', '；']) => {
                Err("one member id a line and nothing else")
            }
            Kind::Members if text.len() > LONGEST => Err("longer than a member id can be"),
            Kind::Members => Ok(Pseudonym::of(&self.secret, text)),
            Kind::Pseudonyms => Some(text)
                .filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))
                .and_then(|text| text.parse().ok())
                .ok_or("a pseudonym is 32 hexadecimal digits"),
            Kind::GalaCodes if typed::read(text).is_err() => {
                Err("no code that gala made: a letter or a digit is wrong")
            }
            Kind::Codes | Kind::GalaCodes => {
                let code = typed::canonical(text);
                let code = code.ok_or("a code has 1 to 64 letters and digits, and no other signs but spaces and dashes")?;
                if code.chars().count() < FEWEST {
                    return Err("shorter than six letters and digits: it would be guessed");
                }
                redeem::digest(&self.secret, text).ok_or("no code")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [u8; 32] = [3; 32];

    fn read(kind: Kind, pieces: &[&[u8]]) -> Read {
        let mut reading = Reading::new(kind, &SECRET);
        for piece in pieces {
            reading.take(piece);
        }
        reading.end()
    }

    fn of(names: &[&str]) -> Vec<Pseudonym> {
        let mut all: Vec<_> = names
            .iter()
            .map(|name| Pseudonym::of(&SECRET, name))
            .collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn every_line_is_counted_once() {
        let long = "x".repeat(256);
        let longer = "y".repeat(5000);
        let text = format!(
            "\u{feff}member\r\nann\r\n\r\n bob \nann\nann,1\n{long}\n{longer}\nmember\n\u{1f600}"
        );
        let found = read(Kind::Members, &[text.as_bytes(), b"\n\xff\n"]);
        assert_eq!(found.members, of(&["ann", "bob", "member", "\u{1f600}"]));
        let lines = Lines {
            rows: 9,
            duplicates: 1,
            rejected: 4,
        };
        assert_eq!(found.lines, lines);
        let told: Vec<u64> = found.rejects.iter().map(|reject| reject.line).collect();
        assert_eq!(told, [6, 7, 8, 11]);
    }

    #[test]
    fn pseudonyms_are_taken_as_they_are() {
        let ann = Pseudonym::of(&SECRET, "ann");
        let text = format!(
            "user\n{ann}\n{}\n+{}\nann\n",
            ann.to_string().to_uppercase(),
            "0".repeat(31)
        );
        let found = read(Kind::Pseudonyms, &[text.as_bytes()]);
        assert_eq!(
            (found.members, found.lines.duplicates, found.lines.rejected),
            (vec![ann], 1, 2)
        );
    }

    #[test]
    fn codes_are_known_by_their_digests_however_they_are_written() {
        let ours = typed::make([9; 10]);
        let text = format!(
            "code\nSPRING-2026\nspring 2026\nABC12\n50% off!!\n{ours}\n{}\n",
            ours.to_lowercase().replace('-', "")
        );
        let found = read(Kind::Codes, &[text.as_bytes()]);
        let mut expected: Vec<Pseudonym> = ["spring2026", &ours]
            .iter()
            .filter_map(|code| redeem::digest(&SECRET, code))
            .collect();
        expected.sort_unstable();
        assert_eq!(found.members, expected);
        let lines = Lines {
            rows: 6,
            duplicates: 2,
            rejected: 2,
        };
        assert_eq!(found.lines, lines);
        let found = read(Kind::GalaCodes, &[text.as_bytes()]);
        assert_eq!((found.members.len(), found.lines.rejected), (1, 4));
    }

    #[test]
    fn a_hundred_rejects_are_told() {
        let text = "a,b\n".repeat(250);
        let found = read(Kind::Members, &[text.as_bytes()]);
        assert_eq!((found.rejects.len(), found.lines.rejected), (100, 250));
        assert!(found.members.is_empty());
    }

    /// Where the pieces end makes no difference.
    #[test]
    fn pieces_make_no_difference() {
        let long = "z".repeat(1100);
        let text = format!("member\r\nann\n{long}\n\nbob,\ncy\r\nann");
        let bytes = text.as_bytes();
        let whole = read(Kind::Members, &[bytes]);
        for at in 0..=bytes.len() {
            for next in [at, at + 1, at + 7, at + 1030, bytes.len()] {
                let next = next.min(bytes.len());
                let found = read(
                    Kind::Members,
                    &[&bytes[..at], &bytes[at..next], &bytes[next..]],
                );
                assert_eq!(found.members, whole.members, "{at} {next}");
                assert_eq!(
                    (found.lines, found.rejects),
                    (whole.lines, whole.rejects.clone())
                );
            }
        }
    }
}
