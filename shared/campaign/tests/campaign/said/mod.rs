//! What a check said, as corpora hold it: as lines, once, and in Chinese.

use std::collections::BTreeSet;

use campaign::{Diagnostics, Language};

/// One line each, `code line:column message`, and the help below; another file's name before its line.
pub fn lines(name: &str, all: &Diagnostics) -> String {
    let said = all.iter().map(|each| {
        let place = &each.place;
        let help = each
            .help
            .as_ref()
            .map_or(String::new(), |help| format!("\n  = {help}"));
        let file = place.source.name().trim_end_matches(".yaml");
        let file = if file == name {
            String::new()
        } else {
            format!("{file}:")
        };
        format!(
            "{} {file}{}:{} {}{help}",
            each.code,
            place.line(),
            place.column(),
            each.message
        )
    });
    said.collect::<Vec<_>>().join("\n")
}

/// No mistake is reported twice, every one somewhere in the file, and a file whose name begins with `one-` has exactly one.
pub fn once(name: &str, all: &Diagnostics, wrong: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for each in all {
        let place = (each.place.source.name(), each.place.span);
        // Two keys that a map lacks have no other place than the map.
        let missing = (each.code == "E0008").then_some(each.message.as_str());
        if !seen.insert((each.code, place, missing)) {
            let (line, column) = (each.place.line(), each.place.column());
            wrong.push(format!(
                "{name}: {} is said twice at {line}:{column}",
                each.code
            ));
        }
        if each.place.span.end > each.place.source.text().len() {
            wrong.push(format!("{name}: {} lies outside the file", each.code));
        }
    }
    if name.starts_with("one-") && all.len() != 1 {
        wrong.push(format!("{name} has one mistake:\n{}", all.lines()));
    }
}

/// Collects what is said in Chinese, and where a sentence has no translation of its own.
pub fn in_chinese(all: &Diagnostics, found: &mut BTreeSet<String>, wrong: &mut Vec<String>) {
    let has_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    for each in all {
        let chinese = each.in_language(Language::Chinese);
        let fix = campaign::explain::explain(each.code).map_or("", |page| page.chinese.fix);
        let help = chinese.help.as_deref().unwrap_or("");
        assert!(
            has_chinese(&chinese.message) && !chinese.message.contains(&each.message),
            "no Chinese for: {}",
            each.message
        );
        if let Some(english) = &each.help {
            assert!(
                has_chinese(help) && help != fix,
                "no Chinese for: {english}"
            );
        }
        for ((_, english), (_, words)) in each.related.iter().zip(&chinese.related) {
            if !has_chinese(words) {
                wrong.push(format!("no Chinese for: {english}"));
            }
        }
        found.insert(format!("{} {}\n  = {help}", each.code, chinese.message));
    }
}

/// All of it, for a snapshot that a translator can read.
pub fn sorted(found: BTreeSet<String>) -> String {
    found.into_iter().collect::<Vec<_>>().join("\n")
}
