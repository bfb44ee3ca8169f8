//! What the CEL parser says, in words for people who have not read CEL's grammar.

use cel::ParseErrors;

use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::document::is_duration;
use crate::expr::parse::Spot;

/// The parser's first error in plain words; the others usually follow from it.
pub(super) fn report(
    spot: &Spot<'_>,
    text: &str,
    errors: &ParseErrors,
    diagnostics: &mut Diagnostics,
) {
    let Some(first) = errors.errors.first() else {
        diagnostics.error(
            codes::EXPR_SYNTAX,
            &spot.all(),
            "this expression can't be read",
        );
        return;
    };
    let at = offset(text, first.pos);
    let rest: String = text.chars().skip(at).collect();
    let (message, help) = words(&first.msg, text, &rest);
    let end = at + token(&rest).chars().count().max(1);
    diagnostics
        .error(codes::EXPR_SYNTAX, &spot.chars(at, end), message)
        .maybe_help(help);
}

/// The word or sign at the start of what is left.
fn token(rest: &str) -> &str {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let end = match rest.chars().next() {
        Some(first) if word(first) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
        Some(first) => first.len_utf8(),
        None => 0,
    };
    rest.get(..end).unwrap_or("")
}

fn words(message: &str, text: &str, rest: &str) -> (String, Option<String>) {
    let token = token(rest);
    let some = |help: &str| Some(help.to_owned());
    if message.contains("recursion") {
        return ("this expression is nested too deeply".to_owned(), None);
    }
    if message.contains("invalid int") {
        return ("this number does not fit into 64 bits".to_owned(), None);
    }
    let help = match token {
        "=" => some("`==` compares; a variable is changed by the action `set`"),
        "&" => some("write `&&` for \"and\""),
        "|" => some("write `||` for \"or\""),
        "and" => some("write `&&`"),
        "or" => some("write `||`"),
        "not" => some("write `!`"),
        "if" => some("write `condition ? a : b`"),
        "'" | "\"" => some("the quotes of a text come in pairs"),
        "“" | "”" | "‘" | "’" | "「" | "」" => some("texts stand in plain quotes: '...'"),
        "（" | "）" | "，" | "！" | "＝" | "＞" | "＜" | "：" | "？" => {
            some("use the plain character, not the full-width one")
        }
        "%" | "#" | "$" | "@" | "~" | "^" | ";" => None,
        _ if text.trim_start().starts_with("not ") => some("write `!` for \"not\""),
        _ if !token.is_ascii() => {
            some("names are of the letters a-z, digits and `_`; a text needs quotes: '...'")
        }
        _ if is_duration(text) => Some(format!("write `duration('{}')`", text.trim())),
        _ => None,
    };
    if token.is_empty() {
        return (
            "the expression ends in the middle: something is missing at its end".to_owned(),
            help,
        );
    }
    (format!("`{token}` can't stand here in an expression"), help)
}

/// A line and column of CEL's, both from 1, as a number of characters.
fn offset(text: &str, (line, column): (isize, isize)) -> usize {
    let lines = text.split_inclusive('\n').take((line.max(1) - 1) as usize);
    lines.map(|line| line.chars().count()).sum::<usize>() + (column.max(1) - 1) as usize
}
