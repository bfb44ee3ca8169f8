//! `gala explain`: what a diagnostic's code means, with an example of wrong and of right.

use campaign::Language;
use campaign::explain::{self, Example, Explanation, Words};
use clap::Args;
use serde::Serialize;

use crate::failure::Failure;
use crate::out::Out;
use crate::speak::Speak;

/// Explains a diagnostic's code: what it means, why it matters, the way out, an example of wrong and of right
#[derive(Debug, Args)]
pub struct Explain {
    /// The code, as `gala check` shows it: E0501
    #[arg(required_unless_present = "list")]
    pub code: Option<String>,
    /// All codes, each with a line
    #[arg(long, conflicts_with = "code")]
    pub list: bool,
    #[command(flatten)]
    pub speak: Speak,
}

/// A line of the list.
#[derive(Debug, Serialize)]
struct Line {
    code: &'static str,
    severity: &'static str,
    title: &'static str,
}

/// A code's explanation.
#[derive(Debug, Serialize)]
struct Page {
    code: &'static str,
    severity: &'static str,
    lang: &'static str,
    #[serde(flatten)]
    words: Words,
    wrong: Example,
    right: Example,
}

/// Explains.
pub fn run(args: &Explain, out: Out) -> Result<(), Failure> {
    let language = args.speak.language(out);
    let Some(code) = args.code.as_deref().filter(|_| !args.list) else {
        return list(language, out);
    };
    let found = explain::explain(code.trim()).ok_or_else(|| unknown(code))?;
    if out.json {
        return out.value(&Page {
            code: found.code,
            severity: severity(found.code),
            lang: language.tag(),
            words: *found.words(language),
            wrong: found.wrong,
            right: found.right,
        });
    }
    out.text(text(&found, language))
}

fn list(language: Language, out: Out) -> Result<(), Failure> {
    let lines = explain::all().map(|each| Line {
        code: each.code,
        severity: severity(each.code),
        title: each.words(language).title,
    });
    if out.json {
        return out.value(&lines.collect::<Vec<_>>());
    }
    for Line { code, title, .. } in lines {
        out.line(format!("{code}  {title}"))?;
    }
    Ok(())
}

fn unknown(code: &str) -> Failure {
    let help = explain::meant(code).map_or_else(
        || "`gala explain --list` shows all".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Failure::usage(format!("there is no code `{code}`: {help}"))
}

/// How bad it is, by its letter.
fn severity(code: &str) -> &'static str {
    match code.chars().next() {
        Some('W') => "warning",
        Some('N') => "note",
        _ => "error",
    }
}

fn text(of: &Explanation, language: Language) -> String {
    let Words {
        title,
        meaning,
        why,
        fix,
    } = of.words(language);
    let [why_word, fix_word, wrong, right] = match language {
        Language::English => ["Why it matters: ", "The way out: ", "Wrong", "Right"],
        Language::Chinese => ["为什么重要：", "怎么改：", "错误示例", "正确示例"],
    };
    format!(
        "{}: {title}\n\n{meaning}\n\n{why_word}{why}\n\n{fix_word}{fix}\n\n{}\n{}",
        of.code,
        example(wrong, &of.wrong, language),
        example(right, &of.right, language)
    )
}

/// An example, indented, with the file it stands in.
fn example(word: &str, example: &Example, language: Language) -> String {
    let place = match (example.place, language) {
        ("custom" | "lottery" | "sign-in" | "gift-pack" | "whole", Language::English) => {
            "in a campaign"
        }
        ("custom" | "lottery" | "sign-in" | "gift-pack" | "whole", Language::Chinese) => "活动文件",
        ("copied" | "copied 52w", Language::English) => "in what was copied to a new edition",
        ("copied" | "copied 52w", Language::Chinese) => "复制为新一期的活动",
        (place, _) => place.trim_start_matches("whole "),
    };
    let lines = example.text.lines().map(|line| format!("    {line}"));
    let text = lines.collect::<Vec<_>>().join("\n") + "\n";
    match language {
        Language::English => format!("{word}, {place}:\n\n{text}"),
        Language::Chinese => format!("{word}（{place}）：\n\n{text}"),
    }
}
