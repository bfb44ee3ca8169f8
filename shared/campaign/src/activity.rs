//! What an activity's crate brings: its default machine, the sections a campaign of it writes, and its stories.

/// A kind of campaign.
pub trait Activity: Send + Sync {
    /// Its id: what a campaign's `activity:` says.
    fn id(&self) -> &'static str;

    /// Its default machine as YAML: `machine` as in a campaign's file, and `messages` for the codes it rejects with.
    /// None: every campaign writes its own.
    fn machine(&self) -> Option<&'static str>;

    /// The sections that a campaign of it may write beside those every campaign has.
    fn sections(&self) -> &'static [(&'static str, Use)];

    /// Its own stories: each is a campaign and what must come out of it.
    fn stories(&self) -> &'static [Example] {
        &[]
    }
}

/// Whether a section must be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// The default machine does not work without it. A campaign that replaces the machine may leave it out.
    Required,
    /// It may be left out.
    Optional,
}

/// A campaign of an activity with its stories.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// Its name: the campaign's id.
    pub name: &'static str,
    /// The campaign, as its file would be.
    pub campaign: &'static str,
    /// The stories, as their file would be.
    pub stories: &'static str,
}

/// The activities that a program has.
pub trait Activities {
    /// All of them.
    fn all(&self) -> Vec<&dyn Activity>;

    /// The one with this id.
    fn find(&self, id: &str) -> Option<&dyn Activity> {
        self.all().into_iter().find(|activity| activity.id() == id)
    }
}

impl Activities for [&dyn Activity] {
    fn all(&self) -> Vec<&dyn Activity> {
        self.to_vec()
    }
}

impl<const N: usize> Activities for [&dyn Activity; N] {
    fn all(&self) -> Vec<&dyn Activity> {
        self.to_vec()
    }
}

impl Activities for Vec<&dyn Activity> {
    fn all(&self) -> Vec<&dyn Activity> {
        self.clone()
    }
}
