//! A gift pack: several rewards at once, all or none, once for each participant.

use campaign::activity::{Activity, Example, Use};

/// The activity.
#[derive(Debug, Clone, Copy)]
pub struct GiftPack;

impl Activity for GiftPack {
    fn id(&self) -> &'static str {
        "gift-pack"
    }

    fn machine(&self) -> Option<&'static str> {
        Some(include_str!("machine.yaml"))
    }

    fn sections(&self) -> &'static [(&'static str, Use)] {
        &[("rewards", Use::Required), ("pack", Use::Optional)]
    }

    fn stories(&self) -> &'static [Example] {
        &[Example {
            name: "newcomers",
            campaign: include_str!("stories/newcomers.yaml"),
            stories: include_str!("stories/newcomers.stories.yaml"),
        }]
    }
}
