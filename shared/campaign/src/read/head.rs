//! What a campaign is called and promises: title, organizer, rules, edition, durability.

use machine::Text;
use machine::model::Durability;

use crate::check::Check;
use crate::codes;
use crate::document::Node;

/// What `durability` may say.
pub(crate) const DURABILITIES: [&str; 2] = ["strict", "standard"];

/// The head of a campaign.
pub(crate) struct Head {
    pub edition: u32,
    pub title: Text,
    pub organizer: Text,
    pub rules: Text,
    /// None: the file does not say.
    pub durability: Option<Durability>,
}

pub(crate) fn read(check: &mut Check<'_>) -> Head {
    let root = check.root;
    let edition = root
        .get("edition")
        .and_then(|node| node.int(1..=1_000_000, &mut check.out));
    let title = root.get("title").and_then(|node| check.text(node));
    let organizer = root.get("organizer").and_then(|node| check.text(node));
    let durability = root
        .get("durability")
        .and_then(|node| node.one_of(&DURABILITIES, &mut check.out));
    Head {
        edition: edition.unwrap_or(1) as u32,
        title: title.unwrap_or_default(),
        organizer: organizer.unwrap_or_else(|| check.input.tenant.organizer.clone()),
        rules: root
            .get("rules")
            .map(|node| rules(node, check))
            .unwrap_or_default(),
        durability: durability.map(|word| {
            if word == "strict" {
                Durability::Strict
            } else {
                Durability::Standard
            }
        }),
    }
}

/// The rules' text in each language, from the tenant's files.
fn rules(node: &Node, check: &mut Check<'_>) -> Text {
    let mut text = Text::default();
    let Some(pattern) = node.string(&mut check.out) else {
        return text;
    };
    let tenant = check.input.tenant;
    if !pattern.contains("{lang}") {
        match check.input.files.get(pattern) {
            Some(found) => text = Text::one(tenant.language(), found),
            None => missing(node, pattern, check),
        }
        return text;
    }
    for language in &tenant.languages {
        let path = pattern.replace("{lang}", language);
        match check.input.files.get(&path) {
            Some(found) => {
                text.0.insert(language.clone(), found.to_string());
            }
            None if language == tenant.language() => missing(node, &path, check),
            None => {
                check.out.warn(
                    codes::RULES_MISSING,
                    &node.place,
                    format!("there is no file `{path}`: the rules are not written in `{language}`"),
                );
            }
        }
    }
    text
}

fn missing(node: &Node, path: &str, check: &mut Check<'_>) {
    let help = crate::diagnostic::meant(path, check.input.files.keys().map(String::as_str));
    check
        .out
        .error(
            codes::FILE_MISSING,
            &node.place,
            format!("there is no file `{path}` in the tenant's folder"),
        )
        .maybe_help(help);
}
