//! A checked campaign as data ([`Definition`]) and ready to run ([`Campaign`]).
//!
//! The definition is what is hashed, stored with its revision and shipped to functions. Everything in it that refers
//! to something else does so by index into the tables here; names stand once, in the tables. Only a check makes one
//! (`campaign::check`), and what a check guarantees is said at each field.

mod campaign;
mod facts;
mod posters;
mod rewards;
mod states;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use campaign::{Campaign, LinkError, Linker};
pub use facts::{Asked, FactDecl, FactKind, FirstSight, NEW, SEEN, TeamFact};
pub use posters::{Figure, Poster, PosterFile, Posters, Share};
pub use rewards::{Budget, CodePool, Deliver, Release, Reward, RewardKind, Rule, Within};
pub use states::{Action, After, Branch, Emit, Every, Give, Machine, On, State, Transition};

use crate::calendar::{Calendar, Millis};
use crate::expr::BoolExpr;
use crate::text::Text;
use crate::value::{Type, Value};

/// A campaign as it was checked and lowered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// The tenant's id.
    pub tenant: Arc<str>,
    /// The campaign's id: its file's name.
    pub campaign: Arc<str>,
    /// The edition, from 1.
    pub edition: u32,
    /// The activity's id.
    pub activity: Arc<str>,
    /// Shown to users.
    pub title: Text,
    /// Who runs it; shown to users.
    pub organizer: Text,
    /// The rules that users can read, per language, as Markdown.
    pub rules: Text,
    /// SHA-256 (hex) of those rules as people wrote them, before figures were put in: where it is the same, only figures
    /// differ. None in definitions of before there were placeholders, and without rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules_written: Option<String>,
    /// The language to fall back to.
    pub language: String,
    /// What money is counted in.
    pub currency: Currency,
    /// The days.
    pub calendar: Calendar,
    /// When.
    pub window: Window,
    /// What an answer promises.
    pub durability: Durability,
    /// Who may play in the test lane.
    pub testers: Option<BoolExpr>,
    /// Who may take part; everybody when absent.
    pub audience: Option<BoolExpr>,
    /// What `user.*` may be.
    pub claims: Vec<ClaimDecl>,
    /// What the shell looks up before a step.
    pub facts: Vec<FactDecl>,
    /// The record's variables: context, balances, the blocks' own.
    pub vars: Vec<VarDecl>,
    /// Which events are counted, because some rule counts them.
    pub counts: Vec<CountDecl>,
    /// The events.
    pub events: Vec<EventDecl>,
    /// What can be given. `when_gone` chains end.
    pub rewards: Vec<Reward>,
    /// The promises by name. Ids are unique.
    pub rules_of_giving: Vec<Rule>,
    /// The cap on the cost of all grants.
    pub budget: Option<Budget>,
    /// The blocks, as data.
    pub blocks: Vec<BlockSpec>,
    /// The machine.
    pub machine: Machine,
    /// What a rejection code says to a user.
    pub messages: BTreeMap<String, Text>,
    /// States of earlier revisions and the states their participants move to.
    pub moves: Vec<(String, u16)>,
    /// What its participants can share. A definition without says nothing of it, so that its bytes are as before there were any.
    #[serde(default, skip_serializing_if = "Posters::is_empty")]
    pub posters: Posters,
}

impl Definition {
    /// From when on no draw can be made: the window's end, or the claims' where something is still taken or due after it.
    /// Then, and not before, the seed may be shown.
    pub fn drawn_until(&self) -> Millis {
        let taken = self.events.iter().any(|event| event.while_claiming);
        let due = self
            .machine
            .states
            .iter()
            .any(|state| !state.after.is_empty());
        // A raffle is drawn at its own time, which may be after play, or later where nobody was there to draw it.
        let kind = crate::raffle::KIND;
        let raffle = self.blocks.iter().any(|block| block.kind == kind);
        if taken || due || raffle {
            self.window.claim_until
        } else {
            self.window.closes
        }
    }

    /// The event that a message of another campaign is here, if it is one.
    pub fn hearer(&self, campaign: &str, message: &str) -> Option<u16> {
        let hears = |event: &EventDecl| {
            let mut each = event.hears.iter();
            each.any(|each| &*each.campaign == campaign && &*each.message == message)
        };
        self.events.iter().position(hears).map(|at| at as u16)
    }

    /// The campaigns that it listens to, each once.
    pub fn sources(&self) -> BTreeSet<&Arc<str>> {
        let hears = self.events.iter().flat_map(|event| &event.hears);
        hears.map(|each| &each.campaign).collect()
    }
}

/// A currency and how many digits its minor unit has (CNY: 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Currency {
    /// ISO 4217.
    pub code: String,
    /// Digits after the point; 0 to 4.
    pub digits: u8,
}

impl Currency {
    /// An amount in minor units as a decimal string: 1050 CNY is `10.50`.
    pub fn decimal(&self, minor: i64) -> String {
        let scale = 10u64.pow(u32::from(self.digits.min(4)));
        let sign = if minor < 0 { "-" } else { "" };
        let (whole, part) = (minor.unsigned_abs() / scale, minor.unsigned_abs() % scale);
        if self.digits == 0 {
            format!("{sign}{whole}")
        } else {
            format!(
                "{sign}{whole}.{part:0width$}",
                width = usize::from(self.digits.min(4))
            )
        }
    }
}

/// When a campaign runs: `[opens, closes)`, then claims until `claim_until` (excluded).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The first instant of play.
    pub opens: Millis,
    /// The first instant after play.
    pub closes: Millis,
    /// The first instant after claims; at least `closes`.
    pub claim_until: Millis,
}

/// Where in its life a campaign is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Before it opens.
    Preview,
    /// Play is on.
    Open,
    /// Stopped by ops.
    Paused,
    /// Play is over; what was won may still be claimed.
    Claiming,
    /// All over.
    Ended,
}

impl Window {
    /// The phase at `now`, pauses apart.
    pub fn phase(&self, now: Millis) -> Phase {
        if now < self.opens {
            Phase::Preview
        } else if now < self.closes {
            Phase::Open
        } else if now < self.claim_until {
            Phase::Claiming
        } else {
            Phase::Ended
        }
    }
}

/// What an answer promises about the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// On disk (fsynced), and on every replica that could be promoted.
    Strict,
    /// What the store's `everysec` gives: the last second or two may be lost with the host.
    Standard,
}

/// A claim a token may carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimDecl {
    /// Its name in the token and after `user.`.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// What it is when missing or of another type.
    pub default: Value,
}

/// What a variable is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VarKind {
    /// A variable of the config's `context`.
    Context,
    /// Something spendable: chances, points.
    Balance,
    /// A block's or the engine's own; no expression names it.
    Hidden,
}

/// A variable of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VarDecl {
    /// Its name; unique.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Where it starts.
    pub default: Value,
    /// Whether clients see it.
    pub show: bool,
    /// What it is for.
    pub kind: VarKind,
    /// The most a balance holds; adding more is cut.
    pub at_most: i64,
}

/// The slots of an event's counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountDecl {
    /// Which event.
    pub event: u16,
    /// The variable with the day last counted.
    pub day: u16,
    /// The variable with the count of that day.
    pub today: u16,
    /// The variable with the count in all.
    pub total: u16,
}

/// Who sends an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sender {
    /// The user, with their token.
    User,
    /// The tenant's back end, with a service credential.
    Backend,
    /// Time itself.
    Timer,
    /// Another campaign.
    Campaign,
    /// Staff, by hand: no event of any campaign is theirs.
    Staff,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDecl {
    /// Its id.
    pub name: Arc<str>,
    /// Who may send it.
    pub from: Vec<Sender>,
    /// Which messages of the tenant's other campaigns it is; empty unless [`Sender::Campaign`] may send it. No two events of a
    /// campaign name the same message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hears: Vec<Hears>,
    /// What it carries.
    pub payload: Vec<Field>,
    /// Whether it is also taken after `closes`, until `claim_until`.
    pub while_claiming: bool,
    /// Its counts, if some rule counts it.
    pub count: Option<u16>,
    /// The facts of the tenant's services that its transitions read, by their place in the definition, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<u16>,
}

impl EventDecl {
    /// An event of users without a payload.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            from: vec![Sender::User],
            hears: vec![],
            payload: vec![],
            while_claiming: false,
            count: None,
            asks: vec![],
        }
    }
}

/// A message that a campaign listens for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hears {
    /// The campaign of the same tenant that emits it.
    pub campaign: Arc<str>,
    /// The message's name.
    pub message: Arc<str>,
}

/// A field of a payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// What it is when missing; without one it must be sent.
    pub default: Option<Value>,
    /// The smallest integer taken.
    pub at_least: i64,
    /// The largest integer taken.
    pub at_most: i64,
    /// The longest string taken, in characters.
    pub max_length: u32,
    /// What it is chosen from; none: any text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
}

/// What a field of a payload is chosen from: a text is one of these, a list is so many different ones of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What there is to choose from; at least one.
    pub of: Vec<Arc<str>>,
    /// How many are chosen; 1 where the field is a text.
    pub how_many: u32,
}

/// A block as data: its kind, its checked parameters, its variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockSpec {
    /// Its kind: `wheel`, `streak`, ...
    pub kind: String,
    /// Its name within the campaign; part of a draw's purpose and of rule ids.
    pub name: Arc<str>,
    /// Its parameters as JSON.
    pub params: String,
    /// The record's variables that are its own, in the order of its signature.
    pub vars: Vec<u16>,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Preview => "preview",
            Self::Open => "open",
            Self::Paused => "paused",
            Self::Claiming => "claiming",
            Self::Ended => "ended",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_a_decimal_string() {
        let rows = [
            (2, 1050, "10.50"),
            (2, -5, "-0.05"),
            (0, 1200, "1200"),
            (3, 1, "0.001"),
            (2, i64::MIN, "-92233720368547758.08"),
        ];
        for (digits, minor, expected) in rows {
            assert_eq!(
                Currency {
                    code: "CNY".to_owned(),
                    digits
                }
                .decimal(minor),
                expected
            );
        }
    }

    use Phase::{Claiming, Ended, Open, Preview};

    #[test]
    fn the_first_instant_is_in_and_the_last_is_out() {
        let window = Window {
            opens: 10,
            closes: 20,
            claim_until: 30,
        };
        let phases = [9, 10, 19, 20, 29, 30].map(|now| window.phase(now));
        assert_eq!(phases, [Preview, Open, Open, Claiming, Claiming, Ended]);
    }
}
