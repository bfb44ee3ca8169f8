//! A checked campaign as data ([`Definition`]) and ready to run ([`Campaign`]).
//!
//! The definition is what is hashed, stored with its revision and shipped to functions. Everything in it that refers
//! to something else does so by index into the tables here; names stand once, in the tables. Only a check makes one
//! (`campaign::check`), and what a check guarantees is said at each field.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::block::Block;
use crate::calendar::{Calendar, HOUR_MS, Millis};
use crate::expr::{BoolExpr, Expr, IntExpr};
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

/// A fact the shell looks up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactDecl {
    /// What to look up.
    pub what: FactKind,
    /// What "unknown" counts as.
    pub when_unknown: bool,
}

/// The kinds of facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactKind {
    /// The member id is on the tenant's list of this name.
    List(String),
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
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDecl {
    /// Its id.
    pub name: Arc<str>,
    /// Who may send it.
    pub from: Vec<Sender>,
    /// What it carries.
    pub payload: Vec<Field>,
    /// Whether it is also taken after `closes`, until `claim_until`.
    pub while_claiming: bool,
    /// Its counts, if some rule counts it.
    pub count: Option<u16>,
}

impl EventDecl {
    /// An event of users without a payload.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            from: vec![Sender::User],
            payload: vec![],
            while_claiming: false,
            count: None,
        }
    }
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
}

/// What a reward is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RewardKind {
    /// Points of this campaign or the tenant.
    Points,
    /// A coupon.
    Coupon,
    /// A code.
    Code,
    /// A thing that is sent.
    Physical,
    /// Money.
    Cash,
    /// A right: a course, a badge.
    Entitlement,
    /// What a draw gives that gives nothing.
    Nothing,
}

/// A reward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reward {
    /// Its id.
    pub id: Arc<str>,
    /// Shown to users.
    pub title: Text,
    /// What it is.
    pub kind: RewardKind,
    /// The address of its picture.
    pub image: Option<String>,
    /// How much of it is given at once (points, minor units of cash).
    pub amount: i64,
    /// How many units there are when the edition is first published; none: without limit.
    pub stock: Option<u32>,
    /// What it is worth, in minor units; shown.
    pub value: i64,
    /// What it costs, in minor units; booked against the budget.
    pub cost: i64,
    /// Who hands it over.
    pub deliver: Deliver,
    /// How long after the grant it can be used, in milliseconds.
    pub expires: Option<i64>,
    /// The most one participant is given.
    pub per_user: Option<u32>,
    /// The balance it adds to: an amount without stock.
    pub balance: Option<u16>,
    /// What is given instead when there is none left.
    pub when_gone: Option<u16>,
}

/// Who hands a reward over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliver {
    /// The tenant's connector; `manual` when nobody does.
    pub connector: String,
    /// What the connector calls the reward.
    pub reference: String,
}

/// A promise by name: part of the grant id, stable over revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its id.
    pub id: Arc<str>,
    /// The ids it had in earlier revisions.
    pub was: Vec<String>,
}

/// The cap on the summed cost of grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// In all, in minor units.
    pub total: i64,
    /// On one calendar day, in minor units.
    pub per_day: Option<i64>,
    /// What is given instead when it is spent; must cost nothing.
    pub when_spent: Option<u16>,
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

/// The states and transitions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Where a participant starts.
    pub initial: u16,
    /// The states.
    pub states: Vec<State>,
    /// What every state takes, after its own.
    pub events: Vec<On>,
}

/// A state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Its name; unique.
    pub name: Arc<str>,
    /// What it takes.
    pub events: Vec<On>,
    /// Tried in order whenever the machine has come here.
    pub always: Vec<Transition>,
    /// What time does.
    pub after: Vec<After>,
    /// Done on entering.
    pub entry: Vec<Action>,
    /// Done on leaving.
    pub exit: Vec<Action>,
    /// Nothing more happens here.
    pub last: bool,
}

/// The transitions of an event, in the order they are tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct On {
    /// Which event.
    pub event: u16,
    /// Tried in order; the first whose guard holds fires.
    pub transitions: Vec<Transition>,
}

/// A delayed transition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct After {
    /// How long after entering the state, in milliseconds; at least [`After::LEAST_MS`].
    pub delay: i64,
    /// Tried once, when due.
    pub transition: Transition,
}

impl After {
    /// The shortest delay a config may ask for: a minute.
    pub const LEAST_MS: i64 = HOUR_MS / 60;
}

/// A transition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// Its guard; absent: always.
    pub when: Option<BoolExpr>,
    /// A no, with its code. The rest is empty then.
    pub reject: Option<Arc<str>>,
    /// What is done.
    pub actions: Vec<Action>,
    /// Where to go; absent: stay, without leaving and entering.
    pub to: Option<u16>,
    /// What follows an outcome that a block's action raised, by its index in the block's signature.
    pub then: Vec<(u16, Branch)>,
}

/// What follows an outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// What is done.
    pub actions: Vec<Action>,
    /// Where to go.
    pub to: Option<u16>,
}

/// An action. All expressions of one list read the record as it was before the list began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Sets variables, all at once.
    Set(Vec<(u16, Expr)>),
    /// Adds to a balance, up to what it holds at most. A negative amount is refused as a fault.
    Add(u16, IntExpr),
    /// Takes from a balance; too little there is a rejection (`not-possible`).
    Take(u16, IntExpr),
    /// Gives a reward.
    Give(Give),
    /// Puts a message into the outbox.
    Emit(Emit),
    /// Has a block act; at most one of a list, and last, if it can raise an outcome.
    Block {
        /// Which block.
        block: u16,
        /// Which of its actions, in the order of its signature.
        action: u16,
        /// Its arguments.
        args: Vec<Expr>,
    },
}

/// How often a rule gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Every {
    /// Within the edition.
    Ever,
    /// Within a calendar day.
    Day,
    /// Within a week from Monday.
    Week,
    /// Within a month.
    Month,
}

/// Gives a reward under a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Give {
    /// Which rule.
    pub rule: u16,
    /// Which reward.
    pub reward: u16,
    /// Within what.
    pub every: Every,
    /// How often within it.
    pub at_most: u32,
}

/// A message to the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emit {
    /// Its name.
    pub message: Arc<str>,
    /// Its fields.
    pub fields: Vec<(Arc<str>, Expr)>,
}

/// A definition with the code of its blocks attached, under one revision: ready to run.
#[derive(Debug)]
pub struct Campaign {
    /// The revision it was published as; 0 before.
    pub revision: u32,
    /// SHA-256 of the definition, as published.
    pub sha256: [u8; 32],
    definition: Definition,
    /// The blocks' code, in the definition's order.
    pub blocks: Vec<Box<dyn Block>>,
}

/// Why a definition can't be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// This program lacks the block's code.
    #[error("block `{0}` is unknown to this program: it was built before that block existed")]
    UnknownBlock(String),
    /// The block's parameters are not of the shape this program knows.
    #[error("block `{kind}`: {message}")]
    Params {
        /// The block's kind.
        kind: String,
        /// What is wrong.
        message: String,
    },
}

/// Finds the code of a block: `blocks::link`.
pub type Linker<'a> = &'a dyn Fn(&BlockSpec) -> Result<Box<dyn Block>, LinkError>;

impl Campaign {
    /// Attaches the blocks' code, found by `link`, and works out the calendar.
    pub fn link(
        mut definition: Definition,
        revision: u32,
        sha256: [u8; 32],
        link: Linker<'_>,
    ) -> Result<Self, LinkError> {
        // A record touched within the last days of a campaign may look some days ahead or back.
        const MARGIN_MS: i64 = 40 * 24 * HOUR_MS;
        let blocks = definition
            .blocks
            .iter()
            .map(link)
            .collect::<Result<_, _>>()?;
        let Window {
            opens, claim_until, ..
        } = definition.window;
        definition.calendar = definition.calendar.prepared(
            opens.saturating_sub(MARGIN_MS),
            claim_until.saturating_add(MARGIN_MS),
        );
        Ok(Self {
            revision,
            sha256,
            definition,
            blocks,
        })
    }

    /// The definition.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// The index of an event.
    pub fn event(&self, name: &str) -> Option<u16> {
        self.events
            .iter()
            .position(|event| &*event.name == name)
            .map(|at| at as u16)
    }

    /// The index of a reward.
    pub fn reward(&self, id: &str) -> Option<u16> {
        self.rewards
            .iter()
            .position(|reward| &*reward.id == id)
            .map(|at| at as u16)
    }

    /// The index of a state.
    pub fn state(&self, name: &str) -> Option<u16> {
        self.machine
            .states
            .iter()
            .position(|state| &*state.name == name)
            .map(|at| at as u16)
    }

    /// `tenant/campaign`: how a draw names it.
    pub fn path(&self) -> String {
        format!("{}/{}", self.tenant, self.campaign)
    }
}

impl Deref for Campaign {
    type Target = Definition;

    fn deref(&self) -> &Definition {
        &self.definition
    }
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
