//! What the YAML parser says, in words for people who have not read YAML's grammar.

use std::sync::Arc;

use serde_saphyr::granit_parser::{ErrorKind, ScanError};

use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::document::parse::byte;
use crate::source::{Place, Source};

/// Reports why the parser gave up.
pub(super) fn report(source: &Arc<Source>, error: &ScanError, diagnostics: &mut Diagnostics) {
    let (message, help) = words(error.kind());
    let at = byte(source, error.marker());
    let end = source
        .text()
        .get(at..)
        .and_then(|rest| rest.chars().next())
        .map_or(at, |c| at + c.len_utf8());
    diagnostics
        .error(codes::SYNTAX, &Place::new(source, at, end), message)
        .maybe_help(help.map(str::to_owned));
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
