//! What a user does, step by step: a word (`view`) or a map whose first key says which step it is (`event: draw`).

use serde_json::json;

use super::map::Map;
use super::tree::{Kind, Node, Said, near};
use super::words;
use crate::scenario::{Ask, Step};

/// The steps that are a word, and those that are a map, with what may stand beside their key.
const PLAIN: [&str; 3] = ["page", "view", "grants"];
const WITH: [(&str, &[&str]); 5] = [
    ("think", &["think"]),
    ("event", &["event", "payload"]),
    ("repeat", &["repeat"]),
    ("poster", &["poster"]),
    ("preflight", &["preflight", "origin"]),
];
/// How a poster may be asked for.
const FORMATS: [&str; 3] = ["jpeg", "png", "webp"];
/// The deepest nesting of loops.
const MOST_DEPTH: usize = 4;

/// A journey's steps.
pub fn read(node: &Node, said: &mut Said) -> Vec<Step> {
    within(node, 0, said)
}

fn within(node: &Node, depth: usize, said: &mut Said) -> Vec<Step> {
    let Kind::List(items) = &node.kind else {
        said.wrong(
            node.at,
            "steps are a list",
            "write `steps: [view, { event: draw }]`",
        );
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| step(item, depth, said))
        .collect()
}

fn step(node: &Node, depth: usize, said: &mut Said) -> Option<Step> {
    if let Some(word) = node.text() {
        match word.as_str() {
            "page" => return Some(Step::Call(Ask::Page)),
            "view" => return Some(Step::Call(Ask::View)),
            "grants" => return Some(Step::Call(Ask::Grants)),
            _ => {}
        }
        let way_out = if WITH.iter().any(|(key, _)| *key == word) {
            format!("`{word}` says of what: `{}`", example(&word))
        } else if let Some(near) = near(&word, PLAIN) {
            format!("did you mean `{near}`?")
        } else {
            format!("an event is written `event: {word}`")
        };
        said.wrong(node.at, format!("there is no step `{word}`"), way_out);
        return None;
    }
    let Kind::Map(entries) = &node.kind else {
        said.wrong(
            node.at,
            "this is no step",
            "write a word (`page`, `view`, `grants`) or `event: draw`",
        );
        return None;
    };
    let known = WITH
        .iter()
        .find(|(key, _)| entries.iter().any(|entry| entry.key == *key));
    let Some((which, keys)) = known else {
        let key = entries.first().map_or("", |entry| entry.key.as_str());
        let way_out = near(key, WITH.map(|(key, _)| key)).map_or_else(
            || format!("an event is written `event: {key}`"),
            |near| format!("did you mean `{near}`?"),
        );
        said.wrong(
            entries.first().map_or(node.at, |entry| entry.at),
            format!("there is no step `{key}`"),
            way_out,
        );
        return None;
    };
    let map = Map::of(node, &format!("the step `{which}`"), keys, said);
    match *which {
        "think" => map
            .read("think", words::times, said)
            .map(|(least, most)| Step::Think(least, most)),
        "event" => {
            let payload = match map.get("payload").map(|node| (node.json(), node.at)) {
                None => json!({}),
                Some((payload, _)) if payload.is_object() => payload,
                Some((_, at)) => {
                    said.wrong(at, "a payload has names", "write `payload: { code: ABC }`");
                    json!({})
                }
            };
            let event = map.read("event", words::id, said)?;
            Some(Step::Call(Ask::Event { event, payload }))
        }
        "repeat" => repeat(map.get("repeat")?, depth, said),
        "poster" => {
            let text = map.string("poster", said)?;
            let (template, format) = text.rsplit_once('.').unwrap_or((&text, "jpeg"));
            if !FORMATS.contains(&format) {
                map.wrong(
                    "poster",
                    format!("no poster is a `{format}`"),
                    "write `poster: streak.jpeg`, `.png` or `.webp`",
                    said,
                );
            }
            match words::id(template) {
                Ok(template) => Some(Step::Call(Ask::Poster {
                    template,
                    format: format.to_owned(),
                })),
                Err(expected) => {
                    map.wrong(
                        "poster",
                        format!("`{template}` is no template: {expected}"),
                        "",
                        said,
                    );
                    None
                }
            }
        }
        _ => {
            map.need(
                "origin",
                "write the page's origin: `origin: \"https://m.acme.example\"`",
                said,
            );
            let event = map.read("preflight", words::id, said);
            let origin = map.read("origin", origin, said);
            Some(Step::Call(Ask::Preflight {
                event: event?,
                origin: origin?,
            }))
        }
    }
}

fn repeat(node: &Node, depth: usize, said: &mut Said) -> Option<Step> {
    if depth >= MOST_DEPTH {
        said.wrong(
            node.at,
            "loops are nested too deep",
            "four are enough for anybody",
        );
        return None;
    }
    let map = Map::of(node, "`repeat`", &["times", "steps"], said);
    map.need("times", "write how often: `times: 1..3`", said);
    let steps = map.need(
        "steps",
        "write what is repeated: `steps: [{ event: draw }]`",
        said,
    );
    let times = map.read("times", words::counts, said);
    let steps = steps.map(|node| within(node, depth + 1, said));
    let (least, most) = times?;
    Some(Step::Repeat(least, most, steps?))
}

/// What a browser calls an origin: a scheme, a host, maybe a port.
fn origin(text: &str) -> Result<String, &'static str> {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let plain = |host: &str| {
        !host.is_empty()
            && host
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'/')
    };
    match host {
        Some(host) if plain(host) => Ok(text.to_owned()),
        _ => Err("an origin is expected, such as `https://m.acme.example`"),
    }
}

fn example(key: &str) -> &'static str {
    match key {
        "think" => "think: 1s..3s",
        "event" => "event: draw",
        "repeat" => "repeat: { times: 1..3, steps: [...] }",
        "poster" => "poster: streak.jpeg",
        _ => "preflight: draw",
    }
}
