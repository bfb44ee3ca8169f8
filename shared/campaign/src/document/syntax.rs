//! What the YAML parser says, in words for people who have not read YAML's grammar.

use std::sync::Arc;

use serde_saphyr::granit_parser::{ErrorKind, ScanError};

use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::document::parse::byte;
use crate::document::slips::plain_char;
use crate::source::{Place, Source};

/// Reports why the parser gave up.
pub(super) fn report(source: &Arc<Source>, error: &ScanError, diagnostics: &mut Diagnostics) {
    let at = byte(source, error.marker());
    if full_width(source, at, diagnostics) {
        return;
    }
    let (message, help) = words(error.kind());
    let end = source
        .text()
        .get(at..)
        .and_then(|rest| rest.chars().next())
        .map_or(at, |c| at + c.len_utf8());
    diagnostics
        .error(codes::SYNTAX, &Place::new(source, at, end), message)
        .maybe_help(help.map(str::to_owned));
}

/// Blames a full-width character that stands where YAML needs the plain one, if the line that the parser gave up in, or the
/// one before it, has one. Within a text such a character is nothing wrong: only what stands like a sign of YAML is.
fn full_width(source: &Arc<Source>, at: usize, diagnostics: &mut Diagnostics) -> bool {
    let text = source.text();
    let start = |end: usize| {
        text.get(..end)
            .and_then(|before| before.rfind('\n'))
            .map_or(0, |at| at + 1)
    };
    let here = start(at.min(text.len()));
    let before = start(here.saturating_sub(1));
    for from in [here, before] {
        let line = text
            .get(from..)
            .and_then(|rest| rest.lines().next())
            .unwrap_or("");
        let line = line.split(" #").next().unwrap_or(line);
        let Some((offset, c)) = line.char_indices().find(|(at, c)| is_sign(line, *at, *c)) else {
            continue;
        };
        let place = Place::new(source, from + offset, from + offset + c.len_utf8());
        let plain = plain_char(c);
        let help = if matches!(plain, ':' | ',') {
            format!("write the plain `{plain}` and a space")
        } else {
            format!("write the plain `{plain}`")
        };
        diagnostics
            .error(
                codes::SYNTAX,
                &place,
                format!("the `{c}` here is full-width: YAML reads it as part of the text"),
            )
            .help(help);
        return true;
    }
    false
}

/// Whether a full-width character stands where YAML has a sign: behind a key, before a key, or around a value.
fn is_sign(line: &str, at: usize, c: char) -> bool {
    let before = line.get(..at).unwrap_or("").trim_end();
    let after = line.get(at + c.len_utf8()..).unwrap_or("").trim_start();
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let opens =
        before.is_empty() || before.ends_with([':', ',', '{', '[', '-', '：', '，', '｛', '［']);
    match c {
        '：' => {
            before.ends_with(name)
                && before
                    .trim_start()
                    .trim_start_matches("- ")
                    .chars()
                    .all(name)
                || before.ends_with(name)
                    && before
                        .rsplit(['{', ',', '｛', '，'])
                        .next()
                        .is_some_and(|key| key.trim().chars().all(name))
        }
        '，' => {
            let key = after.trim_start_matches(name);
            key.len() < after.len() && key.trim_start().starts_with([':', '：'])
        }
        '｛' | '［' | '“' => opens,
        '｝' | '］' => after.is_empty() || after.starts_with([',', '}', ']', '，', '｝', '］']),
        '”' => after.is_empty() || after.starts_with([',', '}', ']']),
        _ => false,
    }
}

fn words(kind: &ErrorKind) -> (String, Option<&'static str>) {
    const QUOTES: &str = "a text with `: `, ` #`, or one of `{ [ ] } , & * ! | > % @` at its start needs quotes: \"...\"";
    let (message, help) = match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar => (
            "a tab stands here; YAML is indented with spaces only",
            Some("replace the tab by spaces"),
        ),
        ErrorKind::UnclosedQuotedScalar => (
            "this quote is never closed",
            Some("add the closing quote at the end of the text"),
        ),
        ErrorKind::UnclosedFlowCollection { open } => {
            return (
                format!("this `{open}` is never closed"),
                Some("add the closing bracket"),
            );
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            return (
                format!("`{open}` is closed by `{close}`"),
                Some("use brackets in pairs: `{ }` and `[ ]`"),
            );
        }
        ErrorKind::MisplacedFlowCollectionEnd => (
            "this bracket closes nothing",
            Some("remove it, or put the text into quotes"),
        ),
        ErrorKind::UnexpectedCharacter { character } => {
            return (
                format!("`{character}` can't begin a text here"),
                Some(QUOTES),
            );
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar
        | ErrorKind::InvalidTrailingDoubleQuotedScalar => (
            "something follows a closing quote",
            Some("quotes go around the whole text; within '...' write '' for a quote"),
        ),
        ErrorKind::UnknownQuotedScalarEscape => (
            "this escape is unknown within \"...\"",
            Some("write `\\\\` for a backslash, or use '...'"),
        ),
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => (
            "a `:` can't stand here",
            Some("a text with `: ` in it needs quotes; a key begins on a line of its own"),
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => (
            "this line is not a `key: value`",
            Some("a key is followed by `:` and a space"),
        ),
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::InvalidFlowScalarIndent
        | ErrorKind::InvalidBlockScalarIndent
        | ErrorKind::BlockSequenceEntryNotAllowed
        | ErrorKind::MappingKeyNotAllowed => (
            "this line does not line up with those above it",
            Some("keys of one map, and items of one list, begin in the same column"),
        ),
        ErrorKind::ExpectedFlowMappingSeparator => (
            "`,` or `}` is expected here",
            Some("entries between `{` and `}` are separated by `,`"),
        ),
        ErrorKind::ExpectedFlowSequenceSeparator => (
            "`,` or `]` is expected here",
            Some("items between `[` and `]` are separated by `,`"),
        ),
        ErrorKind::RecursionLimitExceeded => ("the file is nested too deeply", None),
        ErrorKind::UnexpectedEof
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::UnexpectedEofBlockSequence
        | ErrorKind::UnexpectedEofBlockMapping => (
            "the file ends in the middle of something",
            Some("close what is open"),
        ),
        other => return (format!("this is not YAML: {other}"), Some(QUOTES)),
    };
    (message.to_owned(), help)
}
