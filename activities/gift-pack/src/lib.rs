//! A gift pack: several rewards at once, all or none; for certain or by choice, at once, in stages or in windows of the day; or for
//! codes that users type in.

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
        &[
            ("rewards", Use::Required),
            ("pack", Use::Optional),
            ("tasks", Use::Optional),
            ("redeem", Use::Optional),
        ]
    }

    fn stories(&self) -> &'static [Example] {
        &[
            Example {
                name: "newcomers",
                campaign: include_str!("stories/newcomers.yaml"),
                stories: include_str!("stories/newcomers.stories.yaml"),
            },
            Example {
                name: "first-sight",
                campaign: include_str!("stories/first-sight.yaml"),
                stories: include_str!("stories/first-sight.stories.yaml"),
            },
            Example {
                name: "choose",
                campaign: include_str!("stories/choose.yaml"),
                stories: include_str!("stories/choose.stories.yaml"),
            },
            Example {
                name: "week",
                campaign: include_str!("stories/week.yaml"),
                stories: include_str!("stories/week.stories.yaml"),
            },
            Example {
                name: "flash",
                campaign: include_str!("stories/flash.yaml"),
                stories: include_str!("stories/flash.stories.yaml"),
            },
        ]
    }
}
