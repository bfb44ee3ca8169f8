//! A machine in YAML alone: every campaign of it writes its own, from the blocks that there are.

use campaign::activity::{Activity, Example, Use};

/// The activity.
#[derive(Debug, Clone, Copy)]
pub struct Custom;

impl Activity for Custom {
    fn id(&self) -> &'static str {
        "custom"
    }

    fn machine(&self) -> Option<&'static str> {
        None
    }

    fn sections(&self) -> &'static [(&'static str, Use)] {
        &[("machine", Use::Required)]
    }

    fn stories(&self) -> &'static [Example] {
        &[Example {
            name: "quest",
            campaign: include_str!("stories/quest.yaml"),
            stories: include_str!("stories/quest.stories.yaml"),
        }]
    }
}
