//! A lottery: spendable chances, a wheel (or eggs, cards, a grid) with exact odds and pity, one draw at a time or several.

use campaign::activity::{Activity, Example, Use};

/// The activity.
#[derive(Debug, Clone, Copy)]
pub struct Lottery;

impl Activity for Lottery {
    fn id(&self) -> &'static str {
        "lottery"
    }

    fn machine(&self) -> Option<&'static str> {
        Some(include_str!("machine.yaml"))
    }

    fn sections(&self) -> &'static [(&'static str, Use)] {
        &[
            ("rewards", Use::Required),
            ("chances", Use::Required),
            ("tiers", Use::Optional),
            ("pity", Use::Optional),
            ("draws", Use::Optional),
            ("earn", Use::Optional),
            ("buy", Use::Optional),
            ("look", Use::Optional),
            ("raffle", Use::Optional),
        ]
    }

    fn stories(&self) -> &'static [Example] {
        &[
            Example {
                name: "wheel",
                campaign: include_str!("stories/wheel.yaml"),
                stories: include_str!("stories/wheel.stories.yaml"),
            },
            Example {
                name: "nine",
                campaign: include_str!("stories/nine.yaml"),
                stories: include_str!("stories/nine.stories.yaml"),
            },
        ]
    }
}
