//! Signing in day by day: a calendar, streaks, rewards for days in a row and in all, make-up sign-ins.

use campaign::activity::{Activity, Example, Use};

/// The activity.
#[derive(Debug, Clone, Copy)]
pub struct SignIn;

impl Activity for SignIn {
    fn id(&self) -> &'static str {
        "sign-in"
    }

    fn machine(&self) -> Option<&'static str> {
        Some(include_str!("machine.yaml"))
    }

    fn sections(&self) -> &'static [(&'static str, Use)] {
        &[
            ("give", Use::Required),
            ("streak", Use::Optional),
            ("day_counts", Use::Optional),
        ]
    }

    fn stories(&self) -> &'static [Example] {
        &[
            Example {
                name: "words",
                campaign: include_str!("stories/words.yaml"),
                stories: include_str!("stories/words.stories.yaml"),
            },
            Example {
                name: "habit",
                campaign: include_str!("stories/habit.yaml"),
                stories: include_str!("stories/habit.stories.yaml"),
            },
        ]
    }
}
