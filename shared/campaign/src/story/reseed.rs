//! Other luck for stories: a copy of a campaign has other draws, so a story that waited for a prize needs another seed.

use std::sync::Arc;

use machine::model::Campaign;

use super::{Story, read, run};
use crate::diagnostic::Diagnostics;
use crate::document::{self, Kind, Node};
use crate::source::Source;

/// How many seeds are tried before it is clear that luck makes no difference.
const SAME_AFTER: u64 = 32;

/// The same stories with seeds, from 1 up to `most`, by which those that came out differently come out as they say. A story for
/// which there is none stays as it is. Nothing comes back if nothing is to be changed.
pub fn reseed(campaign: &Campaign, source: &Arc<Source>, most: u64) -> Option<String> {
    let mut out = Diagnostics::new();
    let stories = read(source, campaign, &mut out);
    let root = document::parse(source, &mut out)?;
    let Kind::List(items) = &root.kind else {
        return None;
    };
    if out.has_errors() || items.len() != stories.len() {
        return None;
    }
    let mut text = source.text().to_owned();
    // From the last to the first, so that places stay where they are.
    for (story, node) in stories.iter().zip(items).rev() {
        if let Some(seed) = seed_of(campaign, story, most) {
            write(&mut text, node, seed);
        }
    }
    (text != source.text()).then_some(text)
}

/// The first seed by which a story holds, if it does not hold as it is.
fn seed_of(campaign: &Campaign, story: &Story, most: u64) -> Option<u64> {
    let told = run(campaign, std::slice::from_ref(story)).failures.lines();
    if told.is_empty() {
        return None;
    }
    let mut other = story.clone();
    let mut differs = false;
    for seed in 1..=most {
        other.seed = seed;
        let now = run(campaign, std::slice::from_ref(&other)).failures.lines();
        if now.is_empty() {
            return Some(seed);
        }
        differs |= now != told;
        if seed == SAME_AFTER && !differs {
            return None;
        }
    }
    None
}

fn write(text: &mut String, story: &Node, seed: u64) {
    if let Some(written) = story.get("seed") {
        text.replace_range(
            written.place.span.start..written.place.span.end,
            &seed.to_string(),
        );
        return;
    }
    let Kind::Map(entries) = &story.kind else {
        return;
    };
    let Some(first) = entries.first() else {
        return;
    };
    let at = first.key.place.span.start;
    let between = if story.place.text().starts_with('{') {
        ", ".to_owned()
    } else {
        // Columns are counted in characters, and before a key of a block there are only spaces and dashes.
        format!("\n{}", " ".repeat(first.key.place.column() - 1))
    };
    text.insert_str(at, &format!("seed: {seed}{between}"));
}
