//! A rules text as words and placeholders: `{{ name }}`, on one line; `\{{` is two braces. What the names mean is not known here.

use std::sync::Arc;

use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::source::{Place, Source};

const OPEN: &str = "{{";
const CLOSE: &str = "}}";
/// What a Chinese keyboard writes instead.
const WIDE: &str = "｛｛";

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'s> {
    /// As it is.
    Words(&'s str),
    /// To be filled.
    Placeholder {
        /// What stands between the braces, without the blanks around it.
        name: &'s str,
        /// Where that is.
        place: Place,
        /// What it is indented by, if it stands alone on its line.
        alone: Option<&'s str>,
    },
}

/// The parts of a text, in its order.
pub(super) fn pieces<'s>(source: &'s Arc<Source>, out: &mut Diagnostics) -> Vec<Piece<'s>> {
    let text = source.text();
    let mut found = Vec::new();
    let mut at = 0;
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or("");
    while let Some(next) = opening(part(at, text.len())) {
        let open = at + next.at;
        let line_end = text[open..].find('\n').map_or(text.len(), |end| open + end);
        match next.kind {
            Kind::Escaped => {
                found.push(Piece::Words(part(at, open)));
                found.push(Piece::Words(OPEN));
                at = open + 1 + OPEN.len();
            }
            Kind::Wide => {
                found.push(Piece::Words(part(at, open + WIDE.len())));
                out.error(
                    codes::RULES_SYNTAX,
                    &Place::new(source, open, open + WIDE.len()),
                    "these braces are of the wide kind, and begin no placeholder",
                )
                .help("write `{{` and `}}` with narrow braces");
                at = open + WIDE.len();
            }
            Kind::Open => {
                found.push(Piece::Words(part(at, open)));
                let inner = open + OPEN.len();
                let Some(close) = part(inner, line_end).find(CLOSE) else {
                    out.error(
                        codes::RULES_SYNTAX,
                        &Place::new(source, open, inner),
                        "a placeholder begins here and does not end on this line",
                    )
                    .help("close it with `}}`; for two braces as they are write `\\{{`");
                    at = inner;
                    continue;
                };
                let end = inner + close + CLOSE.len();
                let inside = part(inner, inner + close);
                let name = inside.trim();
                let from = inner + (inside.len() - inside.trim_start().len());
                let place = Place::new(source, from, from + name.len());
                let line_start = text[..open].rfind('\n').map_or(0, |before| before + 1);
                let indent = part(line_start, open);
                let alone = indent.trim().is_empty() && part(end, line_end).trim().is_empty();
                if name.is_empty() {
                    out.error(
                        codes::RULES_SYNTAX,
                        &Place::new(source, open, end),
                        "a placeholder without a name",
                    )
                    .help("write what it stands for: `{{ closes }}`; for two braces as they are write `\\{{`");
                } else {
                    found.push(Piece::Placeholder {
                        name,
                        place,
                        alone: alone.then_some(indent),
                    });
                }
                at = end;
            }
        }
    }
    found.push(Piece::Words(part(at, text.len())));
    found.retain(|piece| *piece != Piece::Words(""));
    found
}

enum Kind {
    Open,
    Escaped,
    Wide,
}

struct Opening {
    at: usize,
    kind: Kind,
}

/// The first thing that looks like the beginning of a placeholder.
fn opening(text: &str) -> Option<Opening> {
    let narrow = text.find(OPEN).map(|at| {
        let is_escaped = text.get(..at).is_some_and(|before| before.ends_with('\\'));
        if is_escaped {
            Opening {
                at: at - 1,
                kind: Kind::Escaped,
            }
        } else {
            Opening {
                at,
                kind: Kind::Open,
            }
        }
    });
    let wide = text.find(WIDE).map(|at| Opening {
        at,
        kind: Kind::Wide,
    });
    match (narrow, wide) {
        (Some(narrow), Some(wide)) if wide.at < narrow.at => Some(wide),
        (narrow, wide) => narrow.or(wide),
    }
}
