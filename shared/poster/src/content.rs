//! What fills the places of one poster, and the words of it that are drawn.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::canvas::Picture;
use crate::fonts::Fonts;
use crate::text::{Filled, Piece, Run, shown, turns};

/// What fills the places. A path that is missing here is empty there: a text without it, the picture as the design has it, no code.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// Texts, as they are to be read; codes take theirs from here, too.
    pub texts: BTreeMap<String, String>,
    /// Pictures.
    pub pictures: BTreeMap<String, Arc<Picture>>,
}

/// Something about a poster that somebody should know; the poster was drawn all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// Nothing was given for this place.
    Empty {
        /// Its path.
        path: String,
    },
    /// Characters that no font has were left out, or became stars.
    Letters {
        /// Of the place's text.
        path: String,
        /// How many.
        count: usize,
    },
    /// A text ends in an ellipsis.
    Cut {
        /// Its first path.
        path: String,
    },
    /// The code's modules have less than two pixels, or it was too long for any code and is missing.
    LongCode {
        /// Its path.
        path: String,
    },
}

impl Warning {
    /// A word for counters, which stays.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Empty { .. } => "empty",
            Self::Letters { .. } => "letters",
            Self::Cut { .. } => "cut",
            Self::LongCode { .. } => "long-code",
        }
    }
}

/// Two characters that keep a text's direction from turning its neighbours.
const ISOLATED: (char, char) = ('\u{2068}', '\u{2069}');

/// The runs with their places filled.
pub(crate) fn filled<'a>(
    runs: &'a [Run],
    content: &Content,
    fonts: &Fonts,
) -> (Vec<Filled<'a>>, Vec<Warning>) {
    let mut warnings = Vec::new();
    let pieces: usize = runs.iter().map(|run| run.pieces.len()).sum();
    let filled = runs
        .iter()
        .map(|run| {
            let (mut text, mut values) = (String::new(), Vec::new());
            for piece in &run.pieces {
                match piece {
                    Piece::Words(words) => text.push_str(words),
                    Piece::Place(path) => match content.texts.get(path) {
                        None => warnings.push(Warning::Empty { path: path.clone() }),
                        Some(said) => {
                            let (said, missing) = shown(fonts, said);
                            if missing > 0 {
                                warnings.push(Warning::Letters {
                                    path: path.clone(),
                                    count: missing,
                                });
                            }
                            let turned = pieces > 1 && turns(&said);
                            text.extend(turned.then_some(ISOLATED.0));
                            values.push(text.len()..text.len() + said.len());
                            text.push_str(&said);
                            text.extend(turned.then_some(ISOLATED.1));
                        }
                    },
                }
            }
            Filled {
                text,
                values,
                style: &run.style,
            }
        })
        .collect();
    (filled, warnings)
}
