//! The activities as their crates ship them. Their crates depend on this one, so their files are read here instead.

use campaign::{Activity, Example, Use};

/// An activity made of its files.
#[derive(Debug)]
pub struct Shipped {
    id: &'static str,
    machine: Option<&'static str>,
    sections: &'static [(&'static str, Use)],
    stories: &'static [Example],
}

impl Activity for Shipped {
    fn id(&self) -> &'static str {
        self.id
    }

    fn machine(&self) -> Option<&'static str> {
        self.machine
    }

    fn sections(&self) -> &'static [(&'static str, Use)] {
        self.sections
    }

    fn stories(&self) -> &'static [Example] {
        self.stories
    }
}

macro_rules! example {
    ($activity:literal, $name:literal) => {
        &[Example {
            name: $name,
            campaign: include_str!(concat!(
                "../../../../../activities/",
                $activity,
                "/src/stories/",
                $name,
                ".yaml"
            )),
            stories: include_str!(concat!(
                "../../../../../activities/",
                $activity,
                "/src/stories/",
                $name,
                ".stories.yaml"
            )),
        }]
    };
}

macro_rules! machine {
    ($activity:literal) => {
        Some(include_str!(concat!(
            "../../../../../activities/",
            $activity,
            "/src/machine.yaml"
        )))
    };
}

pub static SIGN_IN: Shipped = Shipped {
    id: "sign-in",
    machine: machine!("sign-in"),
    sections: &[("give", Use::Required), ("streak", Use::Optional)],
    stories: example!("sign-in", "words"),
};

pub static GIFT_PACK: Shipped = Shipped {
    id: "gift-pack",
    machine: machine!("gift-pack"),
    sections: &[("rewards", Use::Required), ("pack", Use::Optional)],
    stories: example!("gift-pack", "newcomers"),
};

pub static LOTTERY: Shipped = Shipped {
    id: "lottery",
    machine: machine!("lottery"),
    sections: &[
        ("rewards", Use::Required),
        ("chances", Use::Required),
        ("raffle", Use::Optional),
    ],
    stories: example!("lottery", "wheel"),
};

pub static CUSTOM: Shipped = Shipped {
    id: "custom",
    machine: None,
    sections: &[("machine", Use::Required)],
    stories: example!("custom", "quest"),
};

/// All of them.
pub fn all() -> Vec<&'static dyn Activity> {
    vec![&SIGN_IN, &GIFT_PACK, &LOTTERY, &CUSTOM]
}
