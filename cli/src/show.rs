//! Diagnostics, as people and as tools read them.

use campaign::{Diagnostic, Diagnostics, Language, Severity};
use miette::{GraphicalReportHandler, GraphicalTheme};

use crate::failure::Failure;
use crate::out::{Out, is_fancy};

/// Writes diagnostics: with the lines they speak of on a terminal, one line each elsewhere.
/// The words are `language`'s already; the labels around them are chosen by it.
pub fn diagnostics(out: Out, all: &Diagnostics, language: Language) -> Result<(), Failure> {
    for diagnostic in all {
        out.text(if is_fancy() {
            fancy(diagnostic, language, GraphicalTheme::unicode())
        } else {
            spoken(diagnostic, language)
        })?;
    }
    Ok(())
}

fn fancy(diagnostic: &Diagnostic, language: Language, theme: GraphicalTheme) -> String {
    let mut handler = GraphicalReportHandler::new_themed(theme).with_context_lines(1);
    let mut drawn = diagnostic.clone();
    // miette's own label for a way out is English, so in another language the way out is a footer.
    if language != Language::English
        && let Some(help) = miette::Diagnostic::help(diagnostic)
    {
        handler = handler.with_footer(format!("{}：{help}", words(language).3));
        drawn.help = None;
        drawn
            .related
            .retain(|(place, _)| place.source == diagnostic.place.source);
    }
    let mut text = String::new();
    // A string takes everything; if the place could not be drawn, the plain form says the same.
    match handler.render_report(&mut text, &drawn) {
        Ok(()) => text + "\n",
        Err(_) => spoken(diagnostic, language),
    }
}

/// Error, warning, note, help.
fn words(language: Language) -> (&'static str, &'static str, &'static str, &'static str) {
    match language {
        Language::English => ("error", "warning", "note", "help"),
        Language::Chinese => ("错误", "警告", "提示", "办法"),
    }
}

/// `file:line:column: error[E0007]: message`, as editors and CI read it.
pub fn plain(diagnostic: &Diagnostic) -> String {
    spoken(diagnostic, Language::English)
}

/// The same with labels in a language: the shape stays, so that editors find the place.
fn spoken(diagnostic: &Diagnostic, language: Language) -> String {
    let place = &diagnostic.place;
    let (error, warning, note, help) = words(language);
    let severity = match diagnostic.severity {
        Severity::Error => error,
        Severity::Warning => warning,
        Severity::Note => note,
    };
    let help = diagnostic.help.as_ref().map_or(String::new(), |text| {
        format!("  {help}: {}\n", text.replace('\n', "\n        "))
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
pub fn counted(all: &Diagnostics, language: Language) -> String {
    let count = |severity| {
        all.iter()
            .filter(|found| found.severity == severity)
            .count()
    };
    let (error, warning, note, _) = words(language);
    let kinds = [
        (Severity::Error, error),
        (Severity::Warning, warning),
        (Severity::Note, note),
    ];
    let said = kinds
        .into_iter()
        .filter_map(|(severity, word)| match (count(severity), language) {
            (0, _) => None,
            (many, Language::Chinese) => Some(format!("{many} 个{word}")),
            (1, Language::English) => Some(format!("1 {word}")),
            (many, Language::English) => Some(format!("{many} {word}s")),
        })
        .collect::<Vec<_>>();
    match (said.is_empty(), language) {
        (true, Language::English) => "nothing to say".to_owned(),
        (true, Language::Chinese) => "没有问题".to_owned(),
        (false, Language::English) => said.join(", "),
        (false, Language::Chinese) => said.join("，"),
    }
}

#[cfg(test)]
mod tests;
