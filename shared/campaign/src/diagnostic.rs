//! What a check has to say: all of it at once, each with its place, its reason and a way out.
//!
//! A code names the kind of thing ([`crate::codes`]); the message names the very thing. Related places say where the
//! other half of a contradiction stands.

use std::fmt;

use miette::{LabeledSpan, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::source::{Place, Source};
pub use crate::spelling::{did_you_mean, meant};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The campaign can't be published.
    Error,
    /// It can, but somebody should look.
    Warning,
    /// A fact that readers may miss.
    Note,
}

/// One thing a check has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its kind: one of [`crate::codes`].
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is so, in one sentence.
    pub message: String,
    /// A few words at the place itself; may be empty.
    pub label: String,
    /// The way out.
    pub help: Option<String>,
    /// Where.
    pub place: Place,
    /// Other places that belong to it, with what is there.
    pub related: Vec<(Place, String)>,
}

impl Diagnostic {
    /// A diagnostic without help and related places.
    pub fn new(
        severity: Severity,
        code: &'static str,
        place: &Place,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity,
            message: message.into(),
            label: String::new(),
            help: None,
            place: place.clone(),
            related: Vec::new(),
        }
    }

    /// Says a few words at the place.
    pub fn label(&mut self, words: impl Into<String>) -> &mut Self {
        self.label = words.into();
        self
    }

    /// Shows the way out.
    pub fn help(&mut self, words: impl Into<String>) -> &mut Self {
        self.help = Some(words.into());
        self
    }

    /// Shows the way out, if there is one: for [`did_you_mean`].
    pub fn maybe_help(&mut self, words: Option<String>) -> &mut Self {
        if words.is_some() {
            self.help = words;
        }
        self
    }

    /// Points at another place.
    pub fn related(&mut self, place: &Place, words: impl Into<String>) -> &mut Self {
        self.related.push((place.clone(), words.into()));
        self
    }

    /// As JSON, for tools.
    pub fn to_json(&self) -> Json {
        let at = |place: &Place| {
            let (line, column) = place.source.position(place.span.start);
            let (end_line, end_column) = place.source.position(place.span.end);
            json!({ "file": place.source.name(), "line": line, "column": column, "end_line": end_line, "end_column": end_column })
        };
        let mut object = at(&self.place);
        let related = self.related.iter().map(|(place, message)| {
            let mut related = at(place);
            related["message"] = json!(message);
            related
        });
        object["related"] = related.collect();
        object["code"] = json!(self.code);
        object["severity"] = json!(self.severity);
        object["message"] = json!(self.message);
        object["label"] = json!(self.label);
        object["help"] = json!(self.help);
        object
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}

impl miette::Diagnostic for Diagnostic {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        // A snippet shows one file; what stands in another is said in words.
        let elsewhere = self
            .related
            .iter()
            .filter(|(place, _)| place.source != self.place.source);
        let lines = self
            .help
            .iter()
            .cloned()
            .chain(elsewhere.map(|(place, words)| {
                let (line, column) = place.source.position(place.span.start);
                format!("{}:{line}:{column}: {words}", place.source.name())
            }));
        let text = lines.collect::<Vec<_>>().join("\n");
        (!text.is_empty()).then(|| Box::new(text) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&*self.place.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = |place: &Place| SourceSpan::from(place.span.start..place.span.end);
        let label = (!self.label.is_empty()).then(|| self.label.clone());
        let primary = LabeledSpan::new_primary_with_span(label, span(&self.place));
        let here = self
            .related
            .iter()
            .filter(|(place, _)| place.source == self.place.source);
        let related = here.map(move |(place, words)| {
            LabeledSpan::new_with_span(Some(words.clone()), span(place))
        });
        Some(Box::new(std::iter::once(primary).chain(related)))
    }
}

impl SourceCode for Source {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, miette::MietteError> {
        let contents = self.text().read_span(span, before, after)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.name().to_owned(),
            contents.data(),
            *contents.span(),
            contents.line(),
            contents.column(),
            contents.line_count(),
        )))
    }
}

/// All that a check has to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds those of another check.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Reports an error; what it returns takes a label, help and related places.
    pub fn error(
        &mut self,
        code: &'static str,
        place: &Place,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.add(Diagnostic::new(Severity::Error, code, place, message))
    }

    /// Reports a warning.
    pub fn warn(
        &mut self,
        code: &'static str,
        place: &Place,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.add(Diagnostic::new(Severity::Warning, code, place, message))
    }

    /// Reports a note.
    pub fn note(
        &mut self,
        code: &'static str,
        place: &Place,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.add(Diagnostic::new(Severity::Note, code, place, message))
    }

    fn add(&mut self, diagnostic: Diagnostic) -> &mut Diagnostic {
        let at = self.0.len();
        self.0.push(diagnostic);
        &mut self.0[at]
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|each| each.severity == Severity::Error)
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// One after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Sorts by file and place and drops what is said twice: the same section may be read by two parts of a check.
    pub fn sort(&mut self) {
        self.0.sort_by(|left, right| {
            let key = |each: &Diagnostic| (each.place.span, each.severity, each.code);
            let name = |each: &Diagnostic| each.place.source.name().to_owned();
            name(left)
                .cmp(&name(right))
                .then_with(|| key(left).cmp(&key(right)))
                .then_with(|| left.message.cmp(&right.message))
        });
        self.0.dedup_by(|next, kept| {
            next.code == kept.code && next.message == kept.message && next.place == kept.place
        });
    }

    /// The same, sorted.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.sort();
        self
    }

    /// One line each, `code line:column message` (and `= help`): for tests and logs.
    pub fn lines(&self) -> String {
        let line = |each: &Diagnostic| {
            let (line, column) = each.place.source.position(each.place.span.start);
            let help = each
                .help
                .as_ref()
                .map_or(String::new(), |help| format!("\n  = {help}"));
            format!("{} {line}:{column} {}{help}", each.code, each.message)
        };
        self.0.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// As a JSON list, for tools.
    pub fn to_json(&self) -> Json {
        self.0.iter().map(Diagnostic::to_json).collect()
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(found: I) -> Self {
        Self(found.into_iter().collect())
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    #[test]
    fn they_come_sorted_and_once() {
        let source = Source::new("a.yaml", "a: 1\nb: 2\n");
        let mut all = Diagnostics::new();
        all.error(codes::UNKNOWN_KEY, &Place::new(&source, 5, 6), "second");
        all.warn(codes::LANGUAGE_MISSING, &Place::new(&source, 0, 1), "first")
            .help("so");
        all.error(codes::UNKNOWN_KEY, &Place::new(&source, 5, 6), "second");
        all.sort();
        insta::assert_snapshot!(all.lines(), @r"
        W0101 1:1 first
          = so
        E0007 2:1 second
        ");
        insta::assert_snapshot!(all.to_json()[1], @r#"{"code":"E0007","column":1,"end_column":2,"end_line":2,"file":"a.yaml","help":null,"label":"","line":2,"message":"second","related":[],"severity":"error"}"#);
    }

    #[test]
    fn miette_shows_the_line() {
        let source = Source::new("a.yaml", "标题: 好\nb: 2\n");
        let mut diagnostic = Diagnostic::new(
            Severity::Error,
            codes::UNKNOWN_KEY,
            &Place::new(&source, 8, 11),
            "wrong",
        );
        diagnostic.label("here").help("write it so");
        let mut out = String::new();
        miette::NarratableReportHandler::new()
            .render_report(&mut out, &diagnostic)
            .unwrap();
        insta::assert_snapshot!(out, @r"
        wrong
            Diagnostic severity: error
        Begin snippet for a.yaml starting at line 1, column 1

        snippet line 1: 标题: 好
            label at line 1, columns 7 to 8: here
        snippet line 2: b: 2
        diagnostic help: write it so
        diagnostic code: E0007
        ");
    }
}
