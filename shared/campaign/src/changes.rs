//! What one revision changes against another, in words that ops staff use: "coupon: odds 20 % -> 25 %", "state `done` added".
//! And for each change what it means to users, so that what was promised in public is not worsened without a word.
//!
//! Compared are checked definitions, by name: an order that changed says nothing. Whether a revision *may* follow another is
//! [`stranded`](::machine::migrate::stranded)'s to say.

mod blocks;
mod by_name;
mod days;
mod head;
mod machine;
pub(crate) mod odds;
mod packs;
mod posters;
mod rewards;

use ::machine::Definition;
use serde::Serialize;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it is about, for tools: `rewards.coupon.odds`.
    pub subject: String,
    /// What it means to users.
    pub effect: Effect,
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

/// What a change means to users, as far as they were told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Nothing that they were told.
    None,
    /// They get more than was promised.
    Better,
    /// They get less than was promised.
    Worse,
    /// Who looks can tell, and this program can't: a text, a condition.
    Unclear,
}

impl Effect {
    /// For a figure of which more is better.
    fn more_is_better<T: PartialOrd>(old: &T, new: &T) -> Self {
        if new > old { Self::Better } else { Self::Worse }
    }

    /// For a figure of which less is better.
    fn less_is_better<T: PartialOrd>(old: &T, new: &T) -> Self {
        Self::more_is_better(new, old)
    }
}

/// All that `new` changes against `old`, in the order in which a campaign is read. Empty where they say the same.
pub fn changes(old: &Definition, new: &Definition) -> Vec<Change> {
    let mut found = Found::default();
    let both = Both { old, new };
    head::compare(both, &mut found);
    rewards::compare(both, &mut found);
    blocks::compare(both, &mut found);
    machine::compare(both, &mut found);
    posters::compare(both, &mut found);
    if found.0.is_empty() && old != new {
        // Nothing is passed over in silence.
        found.say(
            "definition",
            Effect::Unclear,
            "only the order changed, or something that has no words here",
            "仅顺序有变，或有未列出的改动",
        );
    }
    found.0
}

/// What of it gives users less than they were promised.
pub fn worse(all: &[Change]) -> Vec<Change> {
    let worse = all.iter().filter(|change| change.effect == Effect::Worse);
    worse.cloned().collect()
}

/// What of it users are told or promised, whoever they are: two revisions that are live at once may not differ in it. That is
/// all but how things happen, look and what they cost: the machine (states, events, context), messages, posters, costs, who delivers, the size and
/// the release of stock, budget, testers, durability. What has no words here is taken for a promise.
pub fn public(all: &[Change]) -> Vec<Change> {
    const OWN: [&str; 11] = [
        "budget",
        "claims",
        "context",
        "durability",
        "events",
        "initial",
        "look",
        "messages",
        "posters",
        "states",
        "testers",
    ];
    const OF_REWARDS: [&str; 4] = ["cost", "deliver", "release", "stock"];
    let is_public = |change: &&Change| {
        let mut parts = change.subject.split('.');
        match parts.next() {
            Some("rewards") => !parts.nth(1).is_some_and(|part| OF_REWARDS.contains(&part)),
            Some(part) => !OWN.contains(&part),
            None => true,
        }
    };
    all.iter().filter(is_public).cloned().collect()
}

/// What of it rewords the rules that users read, their figures apart.
pub fn rewords(all: &[Change]) -> Vec<Change> {
    let is_reworded =
        |change: &&Change| change.subject.starts_with("rules.") && change.effect == Effect::Unclear;
    all.iter().filter(is_reworded).cloned().collect()
}

/// The two definitions.
#[derive(Debug, Clone, Copy)]
struct Both<'a> {
    old: &'a Definition,
    new: &'a Definition,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Found(Vec<Change>);

impl Found {
    fn say(
        &mut self,
        subject: impl Into<String>,
        effect: Effect,
        en: impl Into<String>,
        zh: impl Into<String>,
    ) {
        self.0.push(Change {
            subject: subject.into(),
            effect,
            en: en.into(),
            zh: zh.into(),
        });
    }

    /// A figure that is another now: `{name} {old} -> {new}`.
    fn figure(
        &mut self,
        subject: impl Into<String>,
        effect: Effect,
        (en, zh): (&str, &str),
        old: impl AsRef<str>,
        new: impl AsRef<str>,
    ) {
        let (old, new) = (old.as_ref(), new.as_ref());
        self.say(
            subject,
            effect,
            format!("{en} {old} -> {new}"),
            format!("{zh} {old} → {new}"),
        );
    }
}

/// A figure that may be absent, in words.
fn or(value: Option<impl ToString>, none: &str) -> String {
    value.map_or_else(|| none.to_owned(), |value| value.to_string())
}
