//! Diagnostics, as people and as tools read them.

use campaign::{Diagnostic, Diagnostics, Severity};
use miette::{GraphicalReportHandler, GraphicalTheme};

use crate::failure::Failure;
use crate::out::{Out, is_fancy};

/// Writes diagnostics: with the lines they speak of on a terminal, one line each elsewhere.
pub fn diagnostics(out: Out, all: &Diagnostics) -> Result<(), Failure> {
    for diagnostic in all {
        out.text(if is_fancy() {
            fancy(diagnostic)
        } else {
            plain(diagnostic)
        })?;
    }
    Ok(())
}

fn fancy(diagnostic: &Diagnostic) -> String {
    let handler =
        GraphicalReportHandler::new_themed(GraphicalTheme::unicode()).with_context_lines(1);
    let mut text = String::new();
    // A string takes everything; if the place could not be drawn, the plain form says the same.
    match handler.render_report(&mut text, diagnostic) {
        Ok(()) => text + "\n",
        Err(_) => plain(diagnostic),
    }
}

/// `file:line:column: error[E0007]: message`, as editors and CI read it.
pub fn plain(diagnostic: &Diagnostic) -> String {
    let place = &diagnostic.place;
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let help = diagnostic.help.as_ref().map_or(String::new(), |help| {
        format!("  help: {}\n", help.replace('\n', "\n        "))
    });
    format!(
        "{}:{}:{}: {severity}[{}]: {}\n{help}",
        place.source.name(),
        place.line(),
        place.column(),
        diagnostic.code,
        diagnostic.message
    )
}

/// `2 errors, 1 warning`.
pub fn counted(all: &Diagnostics) -> String {
    let count = |severity| {
        all.iter()
            .filter(|found| found.severity == severity)
            .count()
    };
    let words = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Note, "note"),
    ];
    let said = words
        .into_iter()
        .filter_map(|(severity, word)| match count(severity) {
            0 => None,
            1 => Some(format!("1 {word}")),
            many => Some(format!("{many} {word}s")),
        });
    let said = said.collect::<Vec<_>>().join(", ");
    if said.is_empty() {
        "nothing to say".to_owned()
    } else {
        said
    }
}
