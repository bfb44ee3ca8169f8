//! JUnit's XML, as CI systems show it: one case for each check of the truth, for errors, each limit, and the generator.

use std::fmt::Write as _;

use super::Report;
use super::verdict::{Kind, failed, is_of_errors};

/// How a case ended.
enum Ended {
    Well,
    Badly(String),
    NotMade(String),
}

pub(super) fn xml(report: &Report) -> String {
    let cases = cases(report);
    let count = |of: fn(&Ended) -> bool| cases.iter().filter(|(_, _, ended)| of(ended)).count();
    let failures = count(|ended| matches!(ended, Ended::Badly(_)));
    let skipped = count(|ended| matches!(ended, Ended::NotMade(_)));
    let name = escaped(&format!("gala load {}", report.run.scenario));
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // A `String` takes whatever is written to it.
    let _ = writeln!(
        out,
        r#"<testsuites><testsuite name="{name}" tests="{}" failures="{failures}" errors="0" skipped="{skipped}" time="{:.3}" timestamp="{}">"#,
        cases.len(),
        report.run.secs,
        escaped(&report.run.began_at),
    );
    for (class, name, ended) in &cases {
        let _ = write!(
            out,
            r#"<testcase classname="{class}" name="{}""#,
            escaped(name)
        );
        let _ = match ended {
            Ended::Well => writeln!(out, "/>"),
            Ended::Badly(why) => {
                writeln!(out, r#"><failure message="{}"/></testcase>"#, escaped(why))
            }
            Ended::NotMade(why) => {
                writeln!(out, r#"><skipped message="{}"/></testcase>"#, escaped(why))
            }
        };
    }
    out.push_str("</testsuite></testsuites>\n");
    out
}

fn cases(report: &Report) -> Vec<(&'static str, String, Ended)> {
    let mut cases = Vec::new();
    if let Some(truth) = &report.truth {
        cases.extend(truth.checks.iter().map(|check| {
            let ended = match (&check.not_made, check.faults) {
                (_, 1..) => {
                    let examples: Vec<_> = check
                        .examples
                        .iter()
                        .map(|example| format!("{}: {}", example.campaign, example.says))
                        .collect();
                    Ended::Badly(format!(
                        "{} of {} {}: {}",
                        check.faults,
                        check.looked_at,
                        check.id.of(),
                        examples.join("; ")
                    ))
                }
                (Some(why), 0) => Ended::NotMade(why.clone()),
                (None, 0) => Ended::Well,
            };
            ("truth", check.id.title().to_owned(), ended)
        }));
    } else {
        let why = report.unjudged.clone().unwrap_or_default();
        cases.push(("truth", "judged".to_owned(), Ended::Badly(why)));
    }
    let of_kind = |kind: Kind| {
        report
            .verdict
            .reasons
            .iter()
            .find(|reason| reason.kind == kind)
    };
    let (failed, all) = failed(&report.run);
    let errors =
        of_kind(Kind::Errors).map_or(Ended::Well, |reason| Ended::Badly(reason.says.clone()));
    cases.push((
        "run",
        format!("errors ({failed} of {all} calls failed)"),
        errors,
    ));
    for held in report.limits.iter().filter(|held| !is_of_errors(held)) {
        let measured = held.measured.as_deref().unwrap_or("nothing");
        let ended = if held.met {
            Ended::Well
        } else {
            Ended::Badly(format!("measured: {measured}"))
        };
        cases.push(("limits", held.limit.clone(), ended));
    }
    let generator =
        of_kind(Kind::Generator).map_or(Ended::Well, |reason| Ended::Badly(reason.says.clone()));
    cases.push(("run", "the generator kept up".to_owned(), generator));
    cases
}

/// Text within an attribute. What XML cannot hold at all becomes U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\r' | '\t' => out.push(' '),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
