//! What a campaign is called and promises: title, organizer, edition, durability. Its rules are [`crate::rules`]'s: they are
//! filled from all of it.

use machine::Text;
use machine::model::Durability;

use crate::check::Check;

/// What `durability` may say.
pub(crate) const DURABILITIES: [&str; 2] = ["strict", "standard"];

/// The head of a campaign.
pub(crate) struct Head {
    pub edition: u32,
    pub title: Text,
    pub organizer: Text,
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
        durability: durability.map(|word| {
            if word == "strict" {
                Durability::Strict
            } else {
                Durability::Standard
            }
        }),
    }
}
